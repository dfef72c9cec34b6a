/* agent/log-rotation: the test is the clock, the pool, the runtime and the files. */
#include "test.h"

#include "log-rotation-files.h"
#include "shell.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INTERVAL (10 * USEC_PER_SEC)

enum {
    PODS_MAX = LOG_REOPENS_MAX + 8,
    TEXT_MAX = 64,
};

struct work_job {
    struct work_order order; /* without a function: free */
};

struct cri_call {
    cri_done_fn *done; /* NULL: free */
    void *owner;
    char id[TEXT_MAX];
};

struct cri_method {
    int unused;
};

static struct world {
    usec_t now;
    struct config config;
    struct agent agent;
    struct log_rotations *all;
    size_t count; /* of pods, with a container each */
    struct cri_pod pods[PODS_MAX];
    struct cri_container containers[PODS_MAX];
    char texts[PODS_MAX][3][TEXT_MAX];
    enum container_log_sight sights[PODS_MAX];
    struct work_job jobs[PODS_MAX];
    struct cri_call calls[PODS_MAX];
    int refusal; /* of the pool */
    int call_refusal;
    int rotated; /* what the files answer */
    int restored;
    int compressed;
    struct strbuf told;
} world;

/* doubles */

usec_t clock_boottime(void)
{
    return world.now;
}

bool log_enabled(enum log_level level)
{
    return true;
}

void log_write_failure(enum log_level level, const struct log_site *site,
                       const struct log_field *fields, const struct err *err)
{
    strbuf_printf(&world.told, "%s;", err->text);
}

int work_submit(struct work *work, const struct work_order *order, struct work_job **job,
                struct err *err)
{
    size_t i = 0;

    if (world.refusal)
        return err_set(err, world.refusal, "no room");
    while (world.jobs[i].order.run)
        assert_true(++i < PODS_MAX);
    world.jobs[i].order = *order;
    *job = &world.jobs[i];
    return 0;
}

static void end_job(struct work_job *job, int result)
{
    struct work_order order = job->order;
    int r = result ? result : order.run(order.argument);

    job->order.run = NULL;
    order.done(order.owner, result ? NULL : order.argument, r);
    order.free(order.argument);
}

void work_cancel(struct work_job *job)
{
    end_job(job, -ECANCELED);
}

const struct cri_method cri_reopen_container_log;

int cri_call(struct cri_call **result, struct cri *cri, const struct cri_method *method,
             const ProtobufCMessage *request, usec_t timeout, cri_done_fn *done, void *owner,
             struct err *err)
{
    const char *id = ((const Cri__ReopenContainerLogRequest *)(const void *)request)->container_id;
    size_t i = 0;

    assert_ptr_equal(method, &cri_reopen_container_log);
    if (world.call_refusal)
        return err_set(err, world.call_refusal, "no call");
    while (world.calls[i].done)
        assert_true(++i < PODS_MAX);
    world.calls[i].done = done;
    world.calls[i].owner = owner;
    snprintf(world.calls[i].id, TEXT_MAX, "%s", id);
    strbuf_printf(&world.told, "reopen %s;", id);
    *result = &world.calls[i];
    return 0;
}

void cri_cancel(struct cri_call *call)
{
    call->done = NULL;
}

const struct cri_pod *cri_cache_next(const struct cri_cache *cache, size_t *position)
{
    return *position < world.count ? &world.pods[(*position)++] : NULL;
}

const struct cri_pod *cri_cache_pod(const struct cri_cache *cache, const char *uid)
{
    for (size_t i = 0; i < world.count; i++)
        if (!strcmp(world.pods[i].uid, uid))
            return &world.pods[i];
    return NULL;
}

enum container_log_sight container_log_look(int logs, const char *path, uint64_t size)
{
    assert_int_equal(size, world.config.container_log_max_bytes);
    return world.sights[atoi(path + 1)];
}

int container_log_rotate(int logs, const char *path, uint32_t files_max,
                         char stamp[CONTAINER_LOG_STAMP_SIZE], struct err *err)
{
    assert_int_equal(files_max, 5);
    strbuf_printf(&world.told, "rotate %s;", path);
    strcpy(stamp, "20260102-030405");
    return world.rotated < 0 ? err_set(err, world.rotated, "not rotated") : 0;
}

int container_log_restore(int logs, const char *path, const char *stamp, struct err *err)
{
    assert_string_equal(stamp, "20260102-030405");
    strbuf_printf(&world.told, "restore %s;", path);
    return world.restored < 0 ? err_set(err, world.restored, "not restored") : world.restored;
}

int container_log_compress(int logs, const char *path, struct err *err)
{
    strbuf_printf(&world.told, "compress %s;", path);
    return world.compressed < 0 ? err_set(err, world.compressed, "not compressed") : 0;
}

/* the world */

static void add_pod(enum container_log_sight sight)
{
    size_t i = world.count++;
    struct cri_container *container = &world.containers[i];

    assert_true(i < PODS_MAX);
    snprintf(world.texts[i][0], TEXT_MAX, "u%zu", i);
    snprintf(world.texts[i][1], TEXT_MAX, "c%zu", i);
    snprintf(world.texts[i][2], TEXT_MAX, "/logs/p%zu/0.log", i);
    *container = (struct cri_container){
        .id = world.texts[i][1], .state = CRI_RUNNING, .log_path = world.texts[i][2]};
    world.pods[i] = (struct cri_pod){.uid = world.texts[i][0]};
    world.pods[i].containers.items = container;
    world.pods[i].containers.count = 1;
    world.sights[i] = sight;
}

static int begin_with(int64_t bytes, int32_t workers)
{
    world = (struct world){
        .now = USEC_PER_SEC,
        .config = {.pod_logs_dir = "/logs",
                   .container_log_max_bytes = bytes,
                   .container_log_max_files = 5,
                   .container_log_max_workers = workers,
                   .container_log_interval = INTERVAL},
    };
    world.agent.config = &world.config;
    world.agent.directories.logs = -1;
    world.agent.parts.wheel = wheel_new(world.now);
    world.all = log_rotations_new(&world.agent);
    return 0;
}

static int begin(void **state)
{
    return begin_with(1000, 1);
}

static int end(void **state)
{
    world.all = log_rotations_free(world.all);
    for (size_t i = 0; i < PODS_MAX; i++) {
        assert_null(world.jobs[i].order.run);
        assert_null(world.calls[i].done);
    }
    wheel_free(world.agent.parts.wheel);
    strbuf_deinit(&world.told);
    return 0;
}

static size_t jobs(void)
{
    size_t count = 0;

    for (size_t i = 0; i < PODS_MAX; i++)
        count += world.jobs[i].order.run != NULL;
    return count;
}

static void run_jobs(void)
{
    while (jobs())
        for (size_t i = 0; i < PODS_MAX; i++)
            if (world.jobs[i].order.run)
                end_job(&world.jobs[i], 0);
}

static void tick(void)
{
    struct wheel_timer *timer;

    world.now += INTERVAL + USEC_PER_MSEC;
    while ((timer = wheel_pop(world.agent.parts.wheel, world.now)))
        timer->fire(timer);
}

static void answer(size_t i, enum rpc_status status)
{
    struct cri_reply reply = {.status = status, .text = status == RPC_OK ? "" : "refused"};
    cri_done_fn *done = world.calls[i].done;

    assert_non_null(done);
    world.calls[i].done = NULL;
    done(world.calls[i].owner, &reply);
}

static void assert_told(const char *text)
{
    assert_string_equal(world.told.length ? world.told.text : "", text);
    strbuf_deinit(&world.told);
    world.told = STRBUF_INIT;
}

/* tests */

static void test_at_rest_there_is_one_job(void **state)
{
    for (int i = 0; i < 3; i++)
        add_pod(CONTAINER_LOG_FINE);
    for (int i = 0; i < 3; i++) {
        tick();
        assert_int_equal(jobs(), 1);
        run_jobs();
        assert_told("");
    }
}

static void test_a_large_log(void **state)
{
    add_pod(CONTAINER_LOG_FINE);
    add_pod(CONTAINER_LOG_LARGE);
    tick();
    run_jobs();
    assert_told("rotate p1/0.log;reopen c1;");
    tick(); /* it is not begun twice */
    run_jobs();
    assert_told("");
    answer(0, RPC_OK);
    run_jobs();
    assert_told("compress p1/0.log;");
    tick();
    run_jobs();
    assert_told("rotate p1/0.log;reopen c1;");
}

static void test_the_runtime_refuses(void **state)
{
    add_pod(CONTAINER_LOG_LARGE);
    tick();
    run_jobs();
    answer(0, RPC_UNKNOWN);
    run_jobs();
    assert_told("rotate p0/0.log;reopen c0;restore p0/0.log;log p0/0.log: the runtime does not "
                "open it anew: refused;");
    tick();
    run_jobs();
    answer(0, RPC_DEADLINE_EXCEEDED);
    world.restored = 1; /* but it did */
    run_jobs();
    assert_told("rotate p0/0.log;reopen c0;restore p0/0.log;compress p0/0.log;");
    world.call_refusal = -ENOTCONN;
    world.restored = -EIO;
    tick();
    run_jobs();
    assert_told("rotate p0/0.log;restore p0/0.log;not restored;");
}

static void test_of_a_container_that_ended_nothing_is_said(void **state)
{
    add_pod(CONTAINER_LOG_LARGE);
    add_pod(CONTAINER_LOG_MISSING);
    tick();
    run_jobs();
    assert_told("reopen c1;rotate p0/0.log;reopen c0;");
    world.containers[0].state = CRI_EXITED;
    world.count = 1;
    answer(0, RPC_NOT_FOUND);
    answer(1, RPC_UNKNOWN);
    run_jobs();
    assert_told("restore p0/0.log;");
}

static void test_a_missing_log(void **state)
{
    add_pod(CONTAINER_LOG_MISSING);
    tick();
    run_jobs();
    answer(0, RPC_OK);
    assert_told("reopen c0;");
    tick();
    run_jobs();
    answer(0, RPC_UNKNOWN);
    assert_told("reopen c0;log p0/0.log: the runtime does not open it anew: refused;");
    assert_int_equal(jobs(), 0);
}

static void test_files_that_refuse(void **state)
{
    add_pod(CONTAINER_LOG_LARGE);
    world.rotated = -ENOSPC;
    tick();
    run_jobs();
    assert_told("rotate p0/0.log;not rotated;");
    world.rotated = 0;
    world.compressed = -ENOSPC;
    tick();
    run_jobs();
    answer(0, RPC_OK);
    run_jobs();
    assert_told("rotate p0/0.log;reopen c0;compress p0/0.log;not compressed;");
}

static void test_files_that_hang(void **state)
{
    add_pod(CONTAINER_LOG_LARGE);
    tick();
    end_job(&world.jobs[0], -ETIMEDOUT); /* the look */
    assert_told("");
    tick();
    end_job(&world.jobs[0], 0);
    end_job(&world.jobs[0], -ETIMEDOUT);
    assert_told("log p0/0.log: its file system does not answer: Connection timed out;");
    tick();
    world.refusal = -ENOBUFS;
    end_job(&world.jobs[0], 0);
    assert_told("no room;");
    tick();
    assert_told("no room;");
    world.refusal = 0;
    tick();
    run_jobs();
    assert_told("rotate p0/0.log;reopen c0;");
}

static void test_workers_take_turns(void **state)
{
    for (int i = 0; i < 3; i++)
        add_pod(CONTAINER_LOG_LARGE);
    tick();
    end_job(&world.jobs[0], 0);
    assert_int_equal(jobs(), 1);
    end_job(&world.jobs[0], 0);
    assert_int_equal(jobs(), 1); /* while the call is under way */
    answer(0, RPC_OK);
    assert_int_equal(jobs(), 1);
    assert_told("rotate p0/0.log;reopen c0;");
    end_job(&world.jobs[0], 0);
    end_job(&world.jobs[0], 0);
    assert_told("rotate p1/0.log;reopen c1;compress p0/0.log;"); /* what was begun is ended first */
    run_jobs();
}

static void test_workers_are_as_many_as_the_pool_can_spare(void **state)
{
    end(NULL);
    begin_with(1000, INT32_MAX);
    for (int i = 0; i < PODS_MAX; i++)
        add_pod(CONTAINER_LOG_LARGE);
    tick();
    end_job(&world.jobs[0], 0);
    assert_int_equal(jobs(), LOG_WORKERS_MAX);
}

static void test_a_runtime_that_hangs_holds_up_a_few(void **state)
{
    size_t calls = 0;

    for (int i = 0; i < PODS_MAX; i++)
        add_pod(i % 2 ? CONTAINER_LOG_LARGE : CONTAINER_LOG_MISSING);
    for (int i = 0; i < 3; i++) {
        tick();
        run_jobs();
    }
    for (size_t i = 0; i < PODS_MAX; i++)
        calls += world.calls[i].done != NULL;
    assert_int_equal(calls, LOG_REOPENS_MAX);
    strbuf_truncate(&world.told, 0);
    answer(0, RPC_OK);
    run_jobs();
    assert_non_null(strstr(world.told.text, "reopen"));
}

static void test_what_is_passed_over(void **state)
{
    static const char *const paths[] = {NULL, "", "/logs", "/logsx/p0/0.log", "/other/p0/0.log"};

    for (size_t i = 0; i < array_size(paths); i++) {
        add_pod(CONTAINER_LOG_LARGE);
        world.containers[i].log_path = paths[i];
    }
    add_pod(CONTAINER_LOG_LARGE);
    world.containers[array_size(paths)].state = CRI_EXITED;
    tick();
    run_jobs();
    assert_told("");
}

static void test_the_agent_ends(void **state)
{
    for (int i = 0; i < 4; i++)
        add_pod(i % 2 ? CONTAINER_LOG_LARGE : CONTAINER_LOG_MISSING);
    tick();
    end_job(&world.jobs[0], 0);
    tick(); /* jobs, a call and a look are under way at the end */
    assert_true(jobs() > 1);
}

static void on_finished(void *owner)
{
}

static void test_nothing_is_begun_at_the_end(void **state)
{
    add_pod(CONTAINER_LOG_LARGE);
    tick();
    world.agent.finished = on_finished;
    run_jobs();
    assert_told("");
}

static void test_a_negative_size_is_none(void **state)
{
    end(NULL);
    begin_with(-1, 1);
    assert_null(world.all);
    tick();
    assert_int_equal(jobs(), 0);
}

#define with_world(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_world(test_at_rest_there_is_one_job),
        with_world(test_a_large_log),
        with_world(test_the_runtime_refuses),
        with_world(test_of_a_container_that_ended_nothing_is_said),
        with_world(test_a_missing_log),
        with_world(test_files_that_refuse),
        with_world(test_files_that_hang),
        with_world(test_workers_take_turns),
        with_world(test_workers_are_as_many_as_the_pool_can_spare),
        with_world(test_a_runtime_that_hangs_holds_up_a_few),
        with_world(test_what_is_passed_over),
        with_world(test_the_agent_ends),
        with_world(test_nothing_is_begun_at_the_end),
        with_world(test_a_negative_size_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
