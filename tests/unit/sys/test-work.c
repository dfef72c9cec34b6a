/* sys/work: the pool with real threads, some of which hang. */
#include "test.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/loop.h"
#include "nodeagent/sys/wheel.h"
#include "nodeagent/sys/work.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LIMIT (30 * USEC_PER_SEC) /* none of these is meant to expire */
#define SHORT (20 * USEC_PER_MSEC)

struct stage {
    struct loop *loop;
    struct wheel *wheel;
    struct wheel_driver *driver;
    struct work *work;
};

static int stage_open(void **state)
{
    struct stage *stage = mem_new(struct stage);

    stage->wheel = wheel_new(clock_boottime());
    assert_int_equal(loop_new(&stage->loop, NULL), 0);
    assert_int_equal(wheel_driver_new(&stage->driver, stage->wheel, stage->loop, NULL), 0);
    assert_int_equal(work_new(&stage->work, stage->loop, stage->wheel, NULL), 0);
    *state = stage;
    return 0;
}

static int stage_close(void **state)
{
    struct stage *stage = *state;

    assert_null(work_free(stage->work));
    wheel_driver_free(stage->driver);
    wheel_free(stage->wheel);
    loop_free(stage->loop);
    free(stage);
    return 0;
}

/* a gate that holds threads until it is opened; it outlives them all */

struct gate {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool open;
    unsigned inside;
    unsigned freed;
};

static struct gate *gate_new(void)
{
    struct gate *gate = mem_new(struct gate);

    pthread_mutex_init(&gate->lock, NULL);
    pthread_cond_init(&gate->changed, NULL);
    return gate;
}

static void gate_free(struct gate *gate)
{
    pthread_mutex_destroy(&gate->lock);
    pthread_cond_destroy(&gate->changed);
    free(gate);
}

static void gate_pass(struct gate *gate)
{
    pthread_mutex_lock(&gate->lock);
    gate->inside++;
    pthread_cond_broadcast(&gate->changed);
    while (!gate->open)
        pthread_cond_wait(&gate->changed, &gate->lock);
    gate->inside--;
    pthread_mutex_unlock(&gate->lock);
}

static void gate_open(struct gate *gate)
{
    pthread_mutex_lock(&gate->lock);
    gate->open = true;
    pthread_cond_broadcast(&gate->changed);
    pthread_mutex_unlock(&gate->lock);
}

static void gate_wait_inside(struct gate *gate, unsigned count)
{
    pthread_mutex_lock(&gate->lock);
    while (gate->inside < count)
        pthread_cond_wait(&gate->changed, &gate->lock);
    pthread_mutex_unlock(&gate->lock);
}

static void gate_count_freed(struct gate *gate)
{
    pthread_mutex_lock(&gate->lock);
    gate->freed++;
    pthread_cond_broadcast(&gate->changed);
    pthread_mutex_unlock(&gate->lock);
}

static unsigned gate_freed(struct gate *gate)
{
    unsigned freed;

    pthread_mutex_lock(&gate->lock);
    freed = gate->freed;
    pthread_mutex_unlock(&gate->lock);
    return freed;
}

/* jobs: the owner's half on the stage, the thread's half on the heap */

struct task {
    struct gate *gate;
    int (*run)(struct task *task);
    struct task_owner *owner;
    int answer;
    char scratch[64]; /* written by the thread to the very end */
};

struct task_owner {
    struct stage *stage;
    struct work_job *job;
    struct task_owner *cancel_too;
    unsigned done;
    int result;
    int answer;
    bool had_argument;
    unsigned *sequence;
    unsigned place;
};

static int task_run(void *argument)
{
    struct task *task = argument;
    int r = task->run(task);

    memset(task->scratch, 'x', sizeof(task->scratch));
    return r;
}

static void task_done(void *data, void *argument, int result)
{
    struct task_owner *owner = data;
    struct task *task = argument;

    owner->done++;
    owner->job = NULL;
    owner->result = result;
    owner->had_argument = task;
    if (task)
        owner->answer = task->answer;
    if (owner->sequence)
        owner->place = ++*owner->sequence;
    if (owner->cancel_too && owner->cancel_too->job)
        work_cancel(owner->cancel_too->job);
}

static void task_free(void *argument)
{
    struct task *task = argument;
    struct gate *gate = task->gate;

    free(task);
    if (gate)
        gate_count_freed(gate);
}

static int submit(struct task_owner *owner, struct stage *stage, const char *key, usec_t limit,
                  int (*run)(struct task *), struct gate *gate, struct err *err)
{
    struct task *task = mem_new(struct task);
    int r;

    owner->stage = stage;
    task->gate = gate;
    task->run = run;
    task->owner = owner;
    r = work_submit(stage->work,
                    &(struct work_order){
                        .key = key,
                        .limit_usec = limit,
                        .run = task_run,
                        .done = task_done,
                        .free = task_free,
                        .argument = task,
                        .owner = owner,
                    },
                    &owner->job, err);
    if (r < 0)
        free(task);
    return r;
}

static void wait_done(struct task_owner *owner)
{
    while (!owner->done)
        assert_true(loop_turn(owner->stage->loop, 10 * USEC_PER_SEC, NULL) >= 0);
    assert_int_equal(owner->done, 1);
}

static int run_answer(struct task *task)
{
    task->answer = 42;
    return -ENOENT;
}

static int run_gate(struct task *task)
{
    gate_pass(task->gate);
    return 0;
}

static void test_results_come_back(void **state)
{
    struct stage *stage = *state;
    struct task_owner owner = {0};

    assert_int_equal(submit(&owner, stage, "pod-a", LIMIT, run_answer, NULL, NULL), 0);
    assert_int_equal(owner.done, 0);
    wait_done(&owner);
    assert_int_equal(owner.result, -ENOENT);
    assert_int_equal(owner.answer, 42);
    assert_int_equal(work_stats(stage->work)->finished, 1);
    assert_int_equal(work_stats(stage->work)->threads, WORK_THREADS_MIN);
    assert_int_equal(work_stats(stage->work)->busy, 0);
    assert_int_equal(work_stats(stage->work)->queued, 0);
}

static int run_signals(struct task *task)
{
    sigset_t blocked;

    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    task->answer = sigismember(&blocked, SIGTERM) && sigismember(&blocked, SIGCHLD);
    return 0;
}

static void test_signals_are_blocked(void **state)
{
    struct task_owner owner = {0};

    assert_int_equal(submit(&owner, *state, NULL, LIMIT, run_signals, NULL, NULL), 0);
    wait_done(&owner);
    assert_int_equal(owner.answer, 1);
}

/* the same key one at a time and in order, other keys and none beside it */

struct line {
    struct task_owner owner;
    atomic_int *running;
};

static atomic_int *running_here(struct task *task)
{
    return container_of(task->owner, struct line, owner)->running;
}

static int run_alone(struct task *task)
{
    bool alone = atomic_fetch_add(running_here(task), 1) == 0;

    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    atomic_fetch_sub(running_here(task), 1);
    return alone ? 0 : -EDEADLK;
}

static void test_a_key_runs_one_job_at_a_time(void **state)
{
    struct stage *stage = *state;
    struct line lines[2][20] = {0};
    atomic_int running[2] = {0};
    unsigned sequence[2] = {0};

    for (unsigned i = 0; i < array_size(lines[0]); i++)
        for (unsigned key = 0; key < 2; key++) {
            lines[key][i].running = &running[key];
            lines[key][i].owner.sequence = &sequence[key];
            assert_int_equal(submit(&lines[key][i].owner, stage, key ? "pod-b" : "pod-a", LIMIT,
                                    run_alone, NULL, NULL),
                             0);
        }
    for (unsigned key = 0; key < 2; key++)
        for (unsigned i = 0; i < array_size(lines[0]); i++) {
            wait_done(&lines[key][i].owner);
            assert_int_equal(lines[key][i].owner.result, 0);
            assert_int_equal(lines[key][i].owner.place, i + 1);
        }
}

static void test_grows_to_its_limit_and_queues(void **state)
{
    struct task_owner owners[WORK_THREADS_MAX + 8] = {0};
    struct stage *stage = *state;
    struct gate *gate = gate_new();

    for (unsigned i = 0; i < array_size(owners); i++)
        assert_int_equal(submit(&owners[i], stage, NULL, LIMIT, run_gate, gate, NULL), 0);
    gate_wait_inside(gate, WORK_THREADS_MAX);
    assert_int_equal(work_stats(stage->work)->threads, WORK_THREADS_MAX);
    assert_int_equal(work_stats(stage->work)->busy, WORK_THREADS_MAX);
    assert_int_equal(work_stats(stage->work)->queued, 8);
    gate_open(gate);
    for (unsigned i = 0; i < array_size(owners); i++) {
        wait_done(&owners[i]);
        assert_int_equal(owners[i].result, 0);
    }
    assert_int_equal(gate_freed(gate), array_size(owners));
    /* Idle threads end, without waiting for it here: the wheel is told that time has passed. */
    for (struct wheel_timer *timer;
         (timer = wheel_pop(stage->wheel, clock_boottime() + 2 * WORK_IDLE_USEC));)
        timer->fire(timer);
    assert_int_equal(work_stats(stage->work)->threads, WORK_THREADS_MIN);
    gate_free(gate);
}

static void test_a_full_key_is_refused(void **state)
{
    struct task_owner owners[WORK_QUEUED_KEY_MAX + 1] = {0}, refused = {0};
    struct stage *stage = *state;
    struct gate *gate = gate_new();
    struct err err;

    for (unsigned i = 0; i < array_size(owners); i++)
        assert_int_equal(submit(&owners[i], stage, "pod-a", LIMIT, run_gate, gate, NULL), 0);
    assert_int_equal(submit(&refused, stage, "pod-a", LIMIT, run_gate, gate, &err), -ENOBUFS);
    assert_string_equal(err.text, "worker pool: pod-a: 64 jobs are queued already");
    assert_int_equal(work_stats(stage->work)->refused, 1);
    gate_open(gate);
    for (unsigned i = 0; i < array_size(owners); i++)
        wait_done(&owners[i]);
    assert_int_equal(refused.done, 0);
    gate_free(gate);
}

static void test_a_full_pool_is_refused(void **state)
{
    enum { ALL = WORK_THREADS_MAX + WORK_QUEUED_MAX };
    struct task_owner *owners = mem_zalloc(ALL * sizeof(*owners)), refused = {0};
    struct stage *stage = *state;
    struct gate *gate = gate_new();
    struct err err;

    for (unsigned i = 0; i < ALL; i++)
        assert_int_equal(submit(&owners[i], stage, NULL, LIMIT, run_gate, gate, NULL), 0);
    assert_int_equal(submit(&refused, stage, NULL, LIMIT, run_gate, gate, &err), -ENOBUFS);
    assert_string_equal(err.text, "worker pool: 8192 jobs are queued already, 0 threads are stuck");
    gate_open(gate);
    for (unsigned i = 0; i < ALL; i++)
        wait_done(&owners[i]);
    assert_int_equal(gate_freed(gate), ALL);
    free(owners);
    gate_free(gate);
}

static void test_cancelling_queued_jobs(void **state)
{
    struct task_owner first = {0}, second = {0}, third = {0}, last = {0};
    struct stage *stage = *state;
    struct gate *gate = gate_new();

    submit(&first, stage, "pod-a", LIMIT, run_gate, gate, NULL);
    submit(&second, stage, "pod-a", LIMIT, run_gate, gate, NULL);
    submit(&third, stage, "pod-a", LIMIT, run_gate, gate, NULL);
    submit(&last, stage, "pod-a", LIMIT, run_answer, gate, NULL);
    second.cancel_too = &third;
    work_cancel(second.job);
    assert_int_equal(second.result, -ECANCELED);
    assert_int_equal(third.result, -ECANCELED);
    assert_false(second.had_argument);
    assert_int_equal(gate_freed(gate), 2);
    gate_open(gate);
    wait_done(&last);
    assert_int_equal(first.result, 0);
    assert_int_equal(last.answer, 42);
    assert_int_equal(second.done, 1);
    gate_free(gate);
}

/* One that may run, but for which there is no thread: the next of its key takes its place. */
static void test_cancelling_a_waiting_job(void **state)
{
    struct task_owner busy[WORK_THREADS_MAX] = {0}, waiting = {0}, behind = {0};
    struct stage *stage = *state;
    struct gate *gate = gate_new();

    for (unsigned i = 0; i < array_size(busy); i++)
        submit(&busy[i], stage, NULL, LIMIT, run_gate, gate, NULL);
    submit(&waiting, stage, "pod-a", LIMIT, run_gate, gate, NULL);
    submit(&behind, stage, "pod-a", LIMIT, run_answer, gate, NULL);
    work_cancel(waiting.job);
    assert_int_equal(waiting.result, -ECANCELED);
    gate_open(gate);
    wait_done(&behind);
    assert_int_equal(behind.answer, 42);
    for (unsigned i = 0; i < array_size(busy); i++)
        wait_done(&busy[i]);
    gate_free(gate);
}

static void test_cancelling_a_running_job(void **state)
{
    struct task_owner running = {0}, next = {0};
    struct stage *stage = *state;
    struct gate *gate = gate_new();

    submit(&running, stage, "pod-a", LIMIT, run_gate, gate, NULL);
    gate_wait_inside(gate, 1);
    work_cancel(running.job);
    assert_int_equal(running.result, -ECANCELED);
    assert_false(running.had_argument);
    assert_int_equal(gate_freed(gate), 0); /* the thread has it */
    submit(&next, stage, "pod-a", LIMIT, run_answer, gate, NULL);
    assert_int_equal(loop_turn(stage->loop, 0, NULL), 0);
    assert_int_equal(next.done, 0); /* the key is still in use */
    gate_open(gate);
    wait_done(&next);
    assert_int_equal(gate_freed(gate), 2);
    assert_int_equal(running.done, 1);
    gate_free(gate);
}

static void wait_stuck(struct stage *stage, unsigned count)
{
    while (work_stats(stage->work)->stuck != count)
        assert_true(loop_turn(stage->loop, 10 * USEC_PER_SEC, NULL) >= 0);
}

static void test_a_stuck_thread_is_replaced(void **state)
{
    struct task_owner *stuck = mem_new(struct task_owner), behind = {0}, refused = {0}, other = {0},
                      after = {0};
    struct stage *stage = *state;
    struct gate *gate = gate_new();
    struct err err;

    submit(stuck, stage, "pod-a", SHORT, run_gate, gate, NULL);
    submit(&behind, stage, "pod-a", LIMIT, run_answer, gate, NULL);
    wait_done(stuck);
    assert_int_equal(stuck->result, -ETIMEDOUT);
    assert_false(stuck->had_argument);
    free(stuck); /* the owner may go */
    assert_int_equal(behind.result, -EBUSY);
    assert_int_equal(work_stats(stage->work)->stuck, 1);
    assert_int_equal(work_stats(stage->work)->timed_out, 1);
    assert_int_equal(work_stats(stage->work)->threads, WORK_THREADS_MIN + 1);

    assert_int_equal(submit(&refused, stage, "pod-a", LIMIT, run_answer, gate, &err), -EBUSY);
    assert_string_equal(err.text, "worker pool: pod-a: an earlier job has been stuck for 0 s");
    assert_int_equal(submit(&other, stage, "pod-b", LIMIT, run_answer, gate, NULL), 0);
    wait_done(&other);

    gate_open(gate);
    wait_stuck(stage, 0);
    assert_int_equal(work_stats(stage->work)->threads, WORK_THREADS_MIN);
    assert_int_equal(submit(&after, stage, "pod-a", LIMIT, run_answer, gate, NULL), 0);
    wait_done(&after);
    assert_int_equal(after.answer, 42);
    assert_int_equal(gate_freed(gate), 4);
    gate_free(gate);
}

static void test_a_cancelled_job_can_be_stuck(void **state)
{
    struct task_owner owner = {0};
    struct stage *stage = *state;
    struct gate *gate = gate_new();

    submit(&owner, stage, NULL, SHORT, run_gate, gate, NULL);
    gate_wait_inside(gate, 1);
    work_cancel(owner.job);
    wait_stuck(stage, 1);
    assert_int_equal(owner.done, 1);
    gate_open(gate);
    wait_stuck(stage, 0);
    assert_int_equal(gate_freed(gate), 1);
    gate_free(gate);
}

/* With too many threads stuck there is no thread left, and the queue fills; then all recovers. */
static void test_stuck_threads_are_limited(void **state)
{
    enum { ALL = WORK_THREADS_MAX + WORK_STUCK_MAX };
    struct task_owner owners[ALL] = {0}, waiting = {0};
    struct stage *stage = *state;
    struct gate *gate = gate_new();

    for (unsigned i = 0; i < ALL; i++)
        submit(&owners[i], stage, NULL, SHORT, run_gate, gate, NULL);
    wait_stuck(stage, ALL);
    submit(&waiting, stage, NULL, LIMIT, run_answer, NULL, NULL);
    assert_int_equal(work_stats(stage->work)->threads, ALL);
    assert_int_equal(work_stats(stage->work)->queued, 1);
    gate_open(gate);
    wait_done(&waiting);
    wait_stuck(stage, 0);
    assert_int_equal(gate_freed(gate), ALL);
    gate_free(gate);
}

static int run_slowly(struct task *task)
{
    nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    return 0;
}

/* In flight, waiting, behind a key: all are told, and threads that return in time are waited for.
 */
static void test_stopping_with_work_in_flight(void **state)
{
    struct task_owner owners[3 * WORK_THREADS_MAX] = {0};
    struct stage *stage = *state;
    struct gate *gate = gate_new();

    for (unsigned i = 0; i < array_size(owners); i++)
        submit(&owners[i], stage, i % 3 ? NULL : "pod-a", LIMIT, run_slowly, gate, NULL);
    owners[0].cancel_too = &owners[3];
    owners[3].cancel_too = &owners[1];
    stage->work = work_free(stage->work);
    for (unsigned i = 0; i < array_size(owners); i++) {
        assert_int_equal(owners[i].done, 1);
        assert_int_equal(owners[i].result, -ECANCELED);
    }
    assert_int_equal(gate_freed(gate), array_size(owners));
    gate_free(gate);
}

/* A result that is on its way to the loop when the pool goes. */
static void test_stopping_with_a_result_posted(void **state)
{
    struct task_owner owner = {0};
    struct stage *stage = *state;
    struct gate *gate = gate_new();

    gate->open = true;
    submit(&owner, stage, "pod-a", LIMIT, run_gate, gate, NULL);
    nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    stage->work = work_free(stage->work);
    assert_int_equal(owner.result, -ECANCELED);
    assert_int_equal(gate_freed(gate), 1);
    loop_turn(stage->loop, 0, NULL);
    gate_free(gate);
}

static void submit_again(void *data, void *argument, int result)
{
    struct task_owner *owner = data, again = {0};
    struct err err;

    owner->done++;
    assert_int_equal(submit(&again, owner->stage, NULL, LIMIT, run_answer, NULL, &err), -ESHUTDOWN);
}

static int run_nothing(void *argument)
{
    return 0;
}

static void test_stopping_refuses_new_work(void **state)
{
    struct stage *stage = *state;
    struct task_owner owner = {.stage = stage};

    assert_int_equal(work_submit(stage->work,
                                 &(struct work_order){
                                     .limit_usec = LIMIT,
                                     .run = run_nothing,
                                     .done = submit_again,
                                     .free = free,
                                     .owner = &owner,
                                 },
                                 NULL, NULL),
                     0);
    stage->work = work_free(stage->work);
    assert_int_equal(owner.done, 1);
}

/* The pool and the loop are long gone when the threads return. */
static void test_stopping_does_not_wait_for_ever(void **state)
{
    struct task_owner stuck = {0}, busy = {0};
    struct stage *stage = *state;
    struct gate *gate = gate_new();
    usec_t begin = clock_monotonic();

    submit(&stuck, stage, "pod-a", SHORT, run_gate, gate, NULL);
    submit(&busy, stage, "pod-b", LIMIT, run_gate, gate, NULL);
    wait_done(&stuck);
    gate_wait_inside(gate, 2);
    stage->work = work_free(stage->work);
    assert_true(clock_monotonic() - begin < 10 * WORK_STOP_USEC);
    assert_int_equal(busy.result, -ECANCELED);
    assert_int_equal(gate_freed(gate), 0);
    wheel_driver_free(stage->driver);
    wheel_free(stage->wheel);
    loop_free(stage->loop);

    gate_open(gate);
    pthread_mutex_lock(&gate->lock);
    while (gate->freed < 2)
        pthread_cond_wait(&gate->changed, &gate->lock);
    pthread_mutex_unlock(&gate->lock);
    gate_free(gate);
    free(stage);
    assert_int_equal(stage_open(state), 0);
}

/* In a child process of another user, who may have only so many threads. A failure there must end
 * it, so these are not cmocka's assertions. */

static void allow_threads(unsigned count)
{
    struct rlimit limit;

    getrlimit(RLIMIT_NPROC, &limit);
    limit.rlim_cur = count;
    assert_that(setrlimit(RLIMIT_NPROC, &limit) == 0);
}

static void open_without_threads(struct stage *stage)
{
    struct err err = {0};

    stage->wheel = wheel_new(clock_boottime());
    assert_that(loop_new(&stage->loop, NULL) == 0);
    assert_that(wheel_driver_new(&stage->driver, stage->wheel, stage->loop, NULL) == 0);
    allow_threads(1);
    assert_that(work_new(&stage->work, stage->loop, stage->wheel, &err) == -EAGAIN);
    assert_that(strstr(err.text, "no thread can be started"));
    /* As many as it needs at the start; a sanitizer may have one of its own. */
    for (unsigned count = 2; work_new(&stage->work, stage->loop, stage->wheel, &err) < 0; count++)
        allow_threads(count);
}

static void run_without_threads(void)
{
    struct task_owner owners[WORK_THREADS_MAX] = {0};
    struct gate *gate = gate_new();
    struct stage stage;

    open_without_threads(&stage);
    for (unsigned i = 0; i < array_size(owners); i++)
        assert_that(submit(&owners[i], &stage, NULL, LIMIT, run_gate, gate, NULL) == 0);
    assert_that(work_stats(stage.work)->threads >= WORK_THREADS_MIN);
    assert_that(work_stats(stage.work)->queued > 0);
    allow_threads(2 * WORK_THREADS_MAX);
    for (struct wheel_timer *timer;
         (timer = wheel_pop(stage.wheel, clock_boottime() + 2 * WORK_RETRY_USEC));)
        timer->fire(timer);
    assert_that(work_stats(stage.work)->queued == 0);
    gate_open(gate);
    for (unsigned i = 0; i < array_size(owners); i++)
        while (!owners[i].done)
            assert_that(loop_turn(stage.loop, 10 * USEC_PER_SEC, NULL) >= 0);
    work_free(stage.work);
    wheel_driver_free(stage.driver);
    wheel_free(stage.wheel);
    loop_free(stage.loop);
    gate_free(gate);
}

static void test_the_system_refuses_threads(void **state)
{
    pid_t child = fork();
    int status;

    if (child == 0) {
        /* An id of its own, so that nobody else's threads count. Root has no limit. */
        uid_t user = 1000000000 + (uid_t)getpid();

        if (getuid() == 0)
            assert_that(setresuid(user, user, user) == 0);
        run_without_threads();
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

#define stage_test(name) cmocka_unit_test_setup_teardown(name, stage_open, stage_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_system_refuses_threads),
        stage_test(test_results_come_back),
        stage_test(test_signals_are_blocked),
        stage_test(test_a_key_runs_one_job_at_a_time),
        stage_test(test_grows_to_its_limit_and_queues),
        stage_test(test_a_full_key_is_refused),
        stage_test(test_a_full_pool_is_refused),
        stage_test(test_cancelling_queued_jobs),
        stage_test(test_cancelling_a_waiting_job),
        stage_test(test_cancelling_a_running_job),
        stage_test(test_a_stuck_thread_is_replaced),
        stage_test(test_a_cancelled_job_can_be_stuck),
        stage_test(test_stuck_threads_are_limited),
        stage_test(test_stopping_with_work_in_flight),
        stage_test(test_stopping_with_a_result_posted),
        stage_test(test_stopping_refuses_new_work),
        stage_test(test_stopping_does_not_wait_for_ever),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
