/* A pod's directories and volumes: made before its first start, removed after its end. */
#include "pod-cgroup.h"
#include "shell.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    LOGS_MAX = 10000, /* of one container */
};

#define ARRIVAL_USEC (5 * USEC_PER_SEC)        /* for what the pod refers to to come */
#define ARRIVAL_LOOK_USEC (10 * USEC_PER_MSEC) /* between two looks whether it did */

struct log_count { /* how often a container was started, by its logs */
    const char *name;
    uint32_t next;
};

struct pod_files {
    struct arena arena;
    struct err err;
    int root, logs;
    const char *directory; /* beneath root */
    const char *log_directory;
    struct volume_orders volumes;
    struct node_reading *node; /* the sandbox is next; NULL: there is no need */
    list_of(struct log_count) counts;
    const char *uid;
    const char *qos_class; /* NULL: not known */
    bool all;              /* of cleaning: not the volumes alone */
    const char *cgroup_root;
};

static struct pod_files *files_new(const struct agent_pod *pod)
{
    struct pod_files *files = mem_new(struct pod_files);

    files->arena = ARENA_INIT(1024, 4096);
    files->root = fd_duplicate(pod->agent->directories.root);
    files->logs = fd_duplicate(pod->agent->directories.logs);
    files->directory = pod_directory(pod->uid, &files->arena);
    return files;
}

static void files_free(void *pod_files)
{
    struct pod_files *files = pod_files;

    fd_close_at(&files->root);
    fd_close_at(&files->logs);
    node_reading_free(files->node);
    arena_deinit(&files->arena);
    free(files);
}

/* making */

/* "3.log", "3.log.20260102-030405": the container was started at least four times. */
static uint32_t count_logs(struct pod_files *files, const char *container)
{
    const char *path = arena_printf(&files->arena, "%s/%s", files->log_directory, container);
    struct directory_listing listing = {0};
    uint32_t next = 0;
    struct err ignored;

    if (directory_list(files->logs, path, LOGS_MAX, &files->arena, &listing, &ignored) < 0)
        return 0;
    for (size_t i = 0; i < listing.count; i++) {
        char *end;
        unsigned long number = strtoul(listing.items[i].name, &end, 10);

        if (str_has_prefix(end, ".log") && end != listing.items[i].name && number < INT32_MAX)
            next = MAX(next, (uint32_t)number + 1);
    }
    return next;
}

static int make(void *pod_files)
{
    static const char *const folders[] = {"", "/volumes", "/plugins", "/containers"};
    struct pod_files *files = pod_files;
    int r = directory_make(files->logs, files->log_directory, 0755, &files->err);

    for (size_t i = 0; i < array_size(folders) && r == 0; i++)
        r = directory_make(files->root,
                           arena_printf(&files->arena, "%s%s", files->directory, folders[i]), 0750,
                           &files->err);
    if (r == 0)
        r = volumes_set_up(files->root, &files->volumes, &files->err);
    array_for_each (count, files->counts)
        count->next = count_logs(files, count->name);
    if (node_reading_run(files->node) < 0) { /* it is told when it is needed */
        node_reading_free(files->node);
        files->node = NULL;
    }
    return r;
}

/* What no record tells of any more, logs do: attempts are never used twice. */
static void take_counts(struct agent_pod *pod, const struct pod_files *files)
{
    array_for_each (count, files->counts)
        array_for_each (memory, pod->memory.containers)
            if (str_equal(memory->name, count->name))
                memory->attempts = MAX(memory->attempts, count->next);
}

static void on_made(struct task *task, void *pod_files)
{
    static const struct outcome good = {.state = POD_OPERATION_DONE};
    const struct pod_files *files = pod_files;

    node_files_take(&task->pod->agent->node_files, files->node);
    task->pod->prepared = true;
    task->pod->released = task->pod->cleaned = false;
    take_counts(task->pod, files);
    task_done(task, &good);
}

static void order_counts(struct pod_files *files, const struct pod_memory *memory)
{
    files->counts.items = arena_array(&files->arena, struct log_count, memory->containers.count);
    array_for_each (container, memory->containers)
        files->counts.items[files->counts.count++].name =
            arena_strdup(&files->arena, container->name);
}

/* True: what the pod refers to is on its way, and is looked for again in a moment. */
static bool waits_for_arrival(struct task *task)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT(256, 256);
    struct agent *agent = task->pod->agent;
    const char *missing = agent->cluster ? cluster_waits_for(task->pod, true, &arena) : NULL;
    usec_t now = clock_boottime();

    if (!missing || now >= task->patience)
        return false;
    task_say(task, "waiting for %s", missing);
    wheel_arm(agent->parts.wheel, &task->timer, usec_add(now, ARRIVAL_LOOK_USEC));
    return true;
}

static void prepare(struct task *task)
{
    static const struct task_files job = {
        .run = make,
        .done = on_made,
        .free = files_free,
        .reason = "FailedMount",
        .what = "preparing the pod's directories and volumes",
    };
    struct agent_pod *pod = task->pod;
    struct pod_files *files;
    struct err err;

    if (waits_for_arrival(task))
        return;
    files = files_new(pod);
    files->log_directory = pod_log_directory(pod_object(pod), &files->arena);
    order_counts(files, &pod->memory);
    if (pod_order_volumes(pod, files->root, &files->arena, &files->volumes, &err) < 0) {
        files_free(files);
        task_failed(task, "FailedMount", &err);
        return;
    }
    files->node = node_reading_new(&pod->agent->node_files, pod->agent->config);
    task_submit(task, &job, files, &files->err);
}

static void on_arrival(struct wheel_timer *timer)
{
    prepare(container_of(timer, struct task, timer));
}

void task_prepare(struct task *task)
{
    wheel_timer_init(&task->timer, on_arrival);
    task->patience = usec_add(clock_boottime(), ARRIVAL_USEC);
    prepare(task);
}

/* removing */

static int clean(void *pod_files)
{
    struct pod_files *files = pod_files;
    int r = volumes_tear_down(files->root, files->directory, &files->err);

    if (r == 0 && files->all)
        r = tree_remove(files->root, files->directory, &files->err);
    if (r == 0)
        r = pod_cgroup_remove(files->cgroup_root, files->qos_class, files->uid, &files->err);
    return r;
}

static void on_cleaned(struct task *task, void *pod_files)
{
    static const struct outcome good = {.state = POD_OPERATION_DONE};
    const struct pod_files *files = pod_files;

    task->pod->prepared = false;
    task->pod->released = true;
    task->pod->cleaned = files->all;
    task_done(task, &good);
}

void task_clean(struct task *task)
{
    static const struct task_files job = {
        .run = clean,
        .done = on_cleaned,
        .free = files_free,
        .reason = "CleanError",
        .what = "removing the pod's directories and volumes",
    };
    struct pod_files *files = files_new(task->pod);
    const struct pod *pod = pod_object(task->pod);

    files->all = task->kind == POD_CLEAN;
    files->qos_class = pod ? pod_qos_class(pod) : NULL;
    files->uid = arena_strdup(&files->arena, task->pod->uid);
    files->cgroup_root = arena_strdup(&files->arena, task->pod->agent->config->cgroup_root);
    task_submit(task, &job, files, &files->err);
}
