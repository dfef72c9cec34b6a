/*
 * Rotation of containers' logs, the loop's part.
 *
 *     look ─► large ──► rename ─► reopen ─► compress
 *        └──► missing ─────────────┘  └─ refused ─► rename back
 *
 * The state is the names of the files, so nothing is remembered from one look to the next. A log
 * that was renamed and not opened anew, because the agent or the runtime ended in between, is
 * missing at the next look. Where it is not known whether the runtime did it, the file system is:
 * the name is only taken back when there is no log.
 *
 * Only work on files takes one of the workers' turns: a runtime that hangs with the log of one
 * container delays no other. What was begun is ended before more is begun.
 */
#include "log-rotation.h"
#include "log-rotation-files.h"
#include "shell.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/files.h"
#include "nodeagent/sys/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* In it, gigabytes are compressed. */
#define LOG_FILES_LIMIT_USEC (10 * 60 * USEC_PER_SEC)
enum {
    TOLD_MAX = 1000,
};

/* A UID has no slash: these are no pods' keys, so that nothing of a pod waits for its logs. */
#define LOOK_KEY "/logs"

struct log_rotations {
    struct agent *agent;
    struct wheel_timer timer;
    struct work_job *look;
    struct list rotations; /* under way, one at most for a container */
    struct list waiting;   /* those of them that wait for their turn */
    int32_t turns;         /* taken */
    int32_t turns_max;
    unsigned calls;  /* under way */
    struct map told; /* container id, or LOOK_KEY, to what was said of it last; its own */
};

struct log_rotation {
    struct list link;
    struct list queue;
    struct log_rotations *all;
    char *uid; /* the pod's */
    char *id;  /* the container's */
    char *path;
    char stamp[CONTAINER_LOG_STAMP_SIZE]; /* "": the log was missing */
    struct cri_call *call;
    struct work_job *job;
    /* what comes when it has its turn */
    work_run_fn *run;
    work_done_fn *done;
    struct err trouble; /* what the runtime said */
};

struct look { /* a job: at one log of each container */
    struct arena arena;
    int logs;
    uint64_t size;
    list_of(struct looked_at) items;
};

struct looked_at {
    const char *uid;
    const char *id;
    const char *path;
    enum container_log_sight sight;
};

struct files { /* a job: with one log */
    struct err err;
    int logs;
    char *path;
    uint32_t files_max;
    char stamp[CONTAINER_LOG_STAMP_SIZE];
};

static void rotation_free(struct log_rotation *rotation)
{
    struct work_job *job = rotation->job;

    rotation->job = NULL;
    if (job)
        work_cancel(job);
    if (rotation->call)
        cri_cancel(rotation->call);
    list_unlink(&rotation->link);
    list_unlink(&rotation->queue);
    free(rotation->uid);
    free(rotation->id);
    free(rotation->path);
    free(rotation);
}

/* Of a container that has ended meanwhile nothing is to be said: the next one has a new log. */
static bool still_runs(const struct log_rotation *rotation)
{
    const struct cri_pod *pod = cri_cache_pod(rotation->all->agent->cache, rotation->uid);

    if (pod)
        array_for_each (container, pod->containers)
            if (str_equal(container->id, rotation->id))
                return container->state == CRI_RUNNING;
    return false;
}

/* What goes on being refused is said once. */
static void forget_told(struct log_rotations *all)
{
    struct map_entry *entry;

    for (size_t at = 0; (entry = map_next(&all->told, &at));)
        free(entry->value);
    map_deinit(&all->told);
    all->told = MAP_INIT;
}

static void tell(struct log_rotations *all, const char *key, const struct err *err)
{
    if (str_equal(map_get(&all->told, key), err->text))
        return;
    log_failure(LOG_LEVEL_WARNING, NULL, err);
    if (map_count(&all->told) >= TOLD_MAX)
        forget_told(all);
    free(map_put(&all->told, key, mem_strdup(err->text)));
}

static void rotation_failed(struct log_rotation *rotation, const struct err *err)
{
    if (still_runs(rotation))
        tell(rotation->all, rotation->id, err);
    rotation_free(rotation);
}

/* files, on a thread */

static void files_free(void *argument)
{
    struct files *files = argument;

    fd_close_at(&files->logs);
    free(files->path);
    free(files);
}

static int run_rotate(void *argument)
{
    struct files *files = argument;

    return container_log_rotate(files->logs, files->path, files->files_max, files->stamp,
                                &files->err);
}

static int run_restore(void *argument)
{
    struct files *files = argument;

    return container_log_restore(files->logs, files->path, files->stamp, &files->err);
}

static int run_compress(void *argument)
{
    struct files *files = argument;

    return container_log_compress(files->logs, files->path, &files->err);
}

/* ... and on the loop, by turns */

static int submit(struct log_rotation *rotation, struct err *err)
{
    struct agent *agent = rotation->all->agent;
    _cleanup_(mem_free_at) char *key = mem_printf("%s" LOOK_KEY, rotation->uid);
    struct files *files = mem_new(struct files);
    struct work_order order = {
        .key = key,
        .limit_usec = LOG_FILES_LIMIT_USEC,
        .run = rotation->run,
        .done = rotation->done,
        .free = files_free,
        .argument = files,
        .owner = rotation,
    };
    int r;

    files->logs = fd_duplicate(agent->directories.logs);
    files->path = mem_strdup(rotation->path);
    files->files_max = (uint32_t)agent->config->container_log_max_files;
    memcpy(files->stamp, rotation->stamp, sizeof(files->stamp));
    r = work_submit(agent->parts.work, &order, &rotation->job, err);
    if (r < 0)
        files_free(files);
    return r;
}

static void begin_waiting(struct log_rotations *all)
{
    while (all->turns < all->turns_max && !list_empty(&all->waiting)) {
        struct log_rotation *rotation = list_first(&all->waiting, struct log_rotation, queue);
        struct err err;

        if (rotation->run == run_rotate && all->calls >= LOG_REOPENS_MAX)
            return;
        list_unlink(&rotation->queue);
        if (submit(rotation, &err) == 0)
            all->turns++;
        else
            rotation_failed(rotation, &err);
    }
}

static void with_files(struct log_rotation *rotation, work_run_fn *run, work_done_fn *done)
{
    rotation->run = run;
    rotation->done = done;
    if (run == run_rotate)
        list_push_back(&rotation->all->waiting, &rotation->queue);
    else
        list_push_front(&rotation->all->waiting, &rotation->queue);
}

/* The job is over: false if it failed, or if nobody waits for it any more; then so is the rotation.
 */
static bool files_done(struct log_rotation *rotation, const struct files *files, int result)
{
    struct err err;

    if (!rotation->job)
        return false;
    rotation->job = NULL;
    rotation->all->turns--;
    if (files && result >= 0)
        return true;
    if (files)
        err = files->err;
    else
        err_set(&err, result, "log %s: its file system does not answer: %s", rotation->path,
                strerror(-result));
    rotation_failed(rotation, &err);
    return false;
}

static void on_compressed(void *owner, void *argument, int result)
{
    struct log_rotation *rotation = owner;
    struct log_rotations *all = rotation->all;

    if (files_done(rotation, argument, result)) {
        free(map_remove(&all->told, rotation->id));
        rotation_free(rotation);
    }
    begin_waiting(all);
}

static void on_restored(void *owner, void *argument, int result)
{
    struct log_rotation *rotation = owner;
    struct log_rotations *all = rotation->all;

    if (files_done(rotation, argument, result)) {
        if (result > 0) /* the runtime did open it anew */
            with_files(rotation, run_compress, on_compressed);
        else
            rotation_failed(rotation, &rotation->trouble);
    }
    begin_waiting(all);
}

/* For the reason in `trouble`. */
static void give_up(struct log_rotation *rotation)
{
    if (*rotation->stamp)
        with_files(rotation, run_restore, on_restored);
    else
        rotation_failed(rotation, &rotation->trouble);
}

static void on_reopened(void *owner, const struct cri_reply *reply)
{
    struct log_rotation *rotation = owner;
    struct log_rotations *all = rotation->all;

    rotation->call = NULL;
    all->calls--;
    if (reply->status != RPC_OK) {
        err_set(&rotation->trouble, -EIO, "log %s: the runtime does not open it anew: %s",
                rotation->path, reply->text);
        give_up(rotation);
    } else if (*rotation->stamp) {
        with_files(rotation, run_compress, on_compressed);
    } else {
        rotation_free(rotation);
    }
    begin_waiting(all);
}

static void reopen(struct log_rotation *rotation)
{
    struct agent *agent = rotation->all->agent;
    Cri__ReopenContainerLogRequest request = CRI__REOPEN_CONTAINER_LOG_REQUEST__INIT;

    request.container_id = rotation->id;
    if (cri_call(&rotation->call, agent->cri, &cri_reopen_container_log, &request.base,
                 agent->config->runtime_request_timeout, on_reopened, rotation,
                 &rotation->trouble) == 0)
        rotation->all->calls++;
    else
        give_up(rotation);
}

static void on_rotated(void *owner, void *argument, int result)
{
    struct log_rotation *rotation = owner;
    struct log_rotations *all = rotation->all;
    const struct files *files = argument;

    if (files_done(rotation, files, result)) {
        memcpy(rotation->stamp, files->stamp, sizeof(rotation->stamp));
        reopen(rotation);
    }
    begin_waiting(all);
}

/* looking */

static bool is_under_way(const struct log_rotations *all, const char *id)
{
    list_for_each (node, &all->rotations)
        if (!strcmp(list_entry(node, struct log_rotation, link)->id, id))
            return true;
    return false;
}

static void begin(struct log_rotations *all, const struct looked_at *at)
{
    struct log_rotation *rotation;

    if (at->sight == CONTAINER_LOG_FINE || is_under_way(all, at->id) ||
        (at->sight == CONTAINER_LOG_MISSING && all->calls >= LOG_REOPENS_MAX))
        return;
    rotation = mem_new(struct log_rotation);
    rotation->all = all;
    rotation->uid = mem_strdup(at->uid);
    rotation->id = mem_strdup(at->id);
    rotation->path = mem_strdup(at->path);
    list_init(&rotation->queue);
    list_push_back(&all->rotations, &rotation->link);
    if (at->sight == CONTAINER_LOG_LARGE)
        with_files(rotation, run_rotate, on_rotated);
    else
        reopen(rotation);
}

static void arm(struct log_rotations *all)
{
    wheel_arm(all->agent->parts.wheel, &all->timer,
              usec_add(clock_boottime(), all->agent->config->container_log_interval));
}

static void look_free(void *argument)
{
    struct look *look = argument;

    arena_deinit(&look->arena);
    fd_close_at(&look->logs);
    free(look);
}

static int look_run(void *argument)
{
    struct look *look = argument;

    for (size_t i = 0; i < look->items.count; i++)
        look->items.items[i].sight =
            container_log_look(look->logs, look->items.items[i].path, look->size);
    return 0;
}

static void on_looked(void *owner, void *argument, int result)
{
    struct log_rotations *all = owner;
    const struct look *look = argument;

    if (!all->look)
        return; /* the agent ends */
    all->look = NULL;
    free(map_remove(&all->told, LOOK_KEY));
    if (look && !all->agent->finished)
        array_for_each (at, look->items)
            begin(all, at);
    begin_waiting(all);
    arm(all);
}

const char *container_log_path(const struct agent *agent, const struct cri_container *container)
{
    const char *directory = agent->config->pod_logs_dir, *path = container->log_path;

    if (str_empty(path) || !str_has_prefix(path, directory) || path[strlen(directory)] != '/')
        return NULL;
    return path + strlen(directory) + 1;
}

static void add_pod(struct look *look, const struct agent *agent, const struct cri_pod *pod)
{
    array_for_each (container, pod->containers) {
        const char *path = container_log_path(agent, container);

        if (path && container->state == CRI_RUNNING)
            look->items.items[look->items.count++] = (struct looked_at){
                .uid = arena_strdup(&look->arena, pod->uid),
                .id = arena_strdup(&look->arena, container->id),
                .path = arena_strdup(&look->arena, path),
            };
    }
}

static struct look *look_new(const struct agent *agent)
{
    struct look *look = mem_new(struct look);
    const struct cri_pod *pod;
    size_t count = 0;

    look->arena = ARENA_INIT_DOCUMENT;
    look->logs = fd_duplicate(agent->directories.logs);
    look->size = (uint64_t)agent->config->container_log_max_bytes;
    for (size_t at = 0; (pod = cri_cache_next(agent->cache, &at));)
        count += pod->containers.count;
    look->items.items = arena_array(&look->arena, struct looked_at, count);
    for (size_t at = 0; (pod = cri_cache_next(agent->cache, &at));)
        add_pod(look, agent, pod);
    return look;
}

/* A look that still hangs keeps its key: no second thread hangs with it. */
static void on_timer(struct wheel_timer *timer)
{
    struct log_rotations *all = container_of(timer, struct log_rotations, timer);
    struct work_order order = {
        .key = LOOK_KEY,
        .limit_usec = FILES_LIMIT_USEC,
        .run = look_run,
        .done = on_looked,
        .free = look_free,
        .owner = all,
    };
    struct err err;

    order.argument = look_new(all->agent);
    if (work_submit(all->agent->parts.work, &order, &all->look, &err) == 0)
        return;
    look_free(order.argument);
    tell(all, LOOK_KEY, &err);
    arm(all);
}

struct log_rotations *log_rotations_new(struct agent *agent)
{
    struct log_rotations *all;

    if (agent->config->container_log_max_bytes < 0)
        return NULL;
    all = mem_new(struct log_rotations);
    all->agent = agent;
    all->told = MAP_INIT;
    all->turns_max = MIN(agent->config->container_log_max_workers, LOG_WORKERS_MAX);
    list_init(&all->rotations);
    list_init(&all->waiting);
    wheel_timer_init(&all->timer, on_timer);
    arm(all);
    return all;
}

struct log_rotations *log_rotations_free(struct log_rotations *all)
{
    struct work_job *look;

    if (!all)
        return NULL;
    all->turns_max = 0; /* what is cancelled makes room for nobody */
    wheel_cancel(&all->timer);
    look = all->look;
    all->look = NULL;
    if (look)
        work_cancel(look);
    while (!list_empty(&all->rotations))
        rotation_free(list_first(&all->rotations, struct log_rotation, link));
    forget_told(all);
    free(all);
    return NULL;
}
