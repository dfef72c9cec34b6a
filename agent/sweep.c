/*
 * What belongs to no pod: logs, links to logs, and directories of pods that nobody knows any more.
 * Only now and then, so that log shippers have read what a pod said last. And memory that a burst
 * of work has left is given back.
 */
#include "shell.h"

#include "log-links.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/files.h"
#include "nodeagent/sys/log.h"

#include <dirent.h>
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

enum {
    SWEEP_ENTRIES_MAX = 100000, /* of one directory */
};

struct sweep { /* a job: what there is */
    struct arena arena;
    struct err err;
    struct agent_directories directories;
    const char *links_directory; /* NULL: there are none */
    struct log_links links;
    struct directory_listing logs;
    struct directory_listing pods;
};

struct removal { /* a job: one pod's logs */
    struct err err;
    int logs;
    char *name;
};

static void sweep_free(void *argument)
{
    struct sweep *sweep = argument;

    arena_deinit(&sweep->arena);
    fd_close_at(&sweep->directories.root);
    fd_close_at(&sweep->directories.logs);
    free(sweep);
}

static void removal_free(void *argument)
{
    struct removal *removal = argument;

    fd_close_at(&removal->logs);
    free(removal->name);
    free(removal);
}

/* on a thread */

static bool trouble(int r)
{
    return r < 0 && r != -ENOENT;
}

/* What cannot be swept does not keep the rest. */
static int sweep_run(void *argument)
{
    struct sweep *sweep = argument;
    int logs = directory_list(sweep->directories.logs, ".", SWEEP_ENTRIES_MAX, &sweep->arena,
                              &sweep->logs, &sweep->err);
    int pods = directory_list(sweep->directories.root, "pods", SWEEP_ENTRIES_MAX, &sweep->arena,
                              &sweep->pods, &sweep->err);
    int links = sweep->links_directory
                    ? log_links_repair(sweep->links_directory, &sweep->links, &sweep->err)
                    : 0;

    return trouble(logs) ? logs : trouble(pods) ? pods : links;
}

static int removal_run(void *argument)
{
    struct removal *removal = argument;

    return tree_remove(removal->logs, removal->name, &removal->err);
}

/* on the loop: whose it is, is decided when it is removed, in turn with the jobs of that pod */

static void arm(struct agent *agent)
{
    wheel_arm(agent->parts.wheel, &agent->sweep, usec_add(clock_boottime(), SWEEP_USEC));
}

/* NAMESPACE_NAME_UID; NULL: it is no pod's */
static const char *uid_of_logs(const char *name)
{
    const char *uid = strrchr(name, '_');

    return uid && strchr(name, '_') != uid && uid[1] ? uid + 1 : NULL;
}

static void remove_next(struct agent *agent);

static void on_removed(void *owner, void *argument, int result)
{
    struct agent *agent = owner;
    const struct removal *removal = argument;

    if (!agent->sweep_job)
        return; /* the agent ends */
    agent->sweep_job = NULL;
    if (removal && result < 0)
        log_failure(LOG_LEVEL_WARNING, NULL, &removal->err);
    remove_next(agent);
}

static bool remove_logs(struct agent *agent, const char *name)
{
    struct removal *removal = mem_new(struct removal);
    struct work_order order = {
        .key = uid_of_logs(name),
        .limit_usec = FILES_LIMIT_USEC,
        .run = removal_run,
        .done = on_removed,
        .free = removal_free,
        .argument = removal,
        .owner = agent,
    };
    struct err err;

    removal->logs = fd_duplicate(agent->directories.logs);
    removal->name = mem_strdup(name);
    if (work_submit(agent->parts.work, &order, &agent->sweep_job, &err) == 0)
        return true;
    removal_free(removal);
    log_failure(LOG_LEVEL_WARNING, NULL, &err);
    return false;
}

static void remove_next(struct agent *agent)
{
    while (agent->left_logs.count) {
        const char *name = agent->left_logs.items[--agent->left_logs.count];

        if (!pods_find(agent, uid_of_logs(name)) && remove_logs(agent, name))
            return;
    }
    arena_deinit(&agent->left_arena);
    arm(agent);
}

static bool may_be_directory(const struct directory_entry *entry)
{
    return entry->type == DT_DIR || entry->type == DT_UNKNOWN;
}

static void on_swept(void *owner, void *argument, int result)
{
    struct agent *agent = owner;
    const struct sweep *sweep = argument;

    if (!agent->sweep_job)
        return; /* the agent ends */
    agent->sweep_job = NULL;
    agent->left_arena = ARENA_INIT_DOCUMENT;
    agent->left_logs = (struct string_list){
        .items = arena_array(&agent->left_arena, const char *, sweep ? sweep->logs.count : 0)};
    if (sweep && result < 0)
        log_failure(LOG_LEVEL_WARNING, NULL, &sweep->err);
    for (size_t i = 0; sweep && i < sweep->logs.count; i++) {
        const struct directory_entry *entry = &sweep->logs.items[i];

        if (may_be_directory(entry) && uid_of_logs(entry->name) &&
            !pods_find(agent, uid_of_logs(entry->name)))
            agent->left_logs.items[agent->left_logs.count++] =
                arena_strdup(&agent->left_arena, entry->name);
    }
    /* Directories are cleaned by pods: as those that only a directory knows. */
    for (size_t i = 0; sweep && i < sweep->pods.count; i++) {
        const struct directory_entry *entry = &sweep->pods.items[i];

        if (may_be_directory(entry) && pod_uid_is_safe(entry->name))
            pods_add_found(agent, entry->name, "", "");
    }
    remove_next(agent);
}

static void on_timer(struct wheel_timer *timer)
{
    struct agent *agent = container_of(timer, struct agent, sweep);
    struct sweep *sweep;
    struct work_order order = {
        .limit_usec = FILES_LIMIT_USEC,
        .run = sweep_run,
        .done = on_swept,
        .free = sweep_free,
        .owner = agent,
    };
    struct err err;

    if (!agent_is_settled(agent)) {
        arm(agent);
        return;
    }
    malloc_trim(0);
    sweep = mem_new(struct sweep);
    sweep->arena = ARENA_INIT_DOCUMENT;
    sweep->directories.root = fd_duplicate(agent->directories.root);
    sweep->directories.logs = fd_duplicate(agent->directories.logs);
    if (agent->config->container_logs_dir) {
        sweep->links_directory = arena_strdup(&sweep->arena, agent->config->container_logs_dir);
        log_links_collect(agent, &sweep->arena, &sweep->links);
    }
    order.argument = sweep;
    if (work_submit(agent->parts.work, &order, &agent->sweep_job, &err) == 0)
        return;
    sweep_free(sweep);
    log_failure(LOG_LEVEL_WARNING, NULL, &err);
    arm(agent);
}

void sweep_begin(struct agent *agent)
{
    wheel_timer_init(&agent->sweep, on_timer);
    arm(agent);
}

void sweep_end(struct agent *agent)
{
    struct work_job *job = agent->sweep_job;

    if (!agent->sweep.fire)
        return;
    wheel_cancel(&agent->sweep);
    agent->sweep_job = NULL;
    if (job)
        work_cancel(job);
    arena_deinit(&agent->left_arena);
}
