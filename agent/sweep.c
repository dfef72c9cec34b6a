/*
 * What belongs to no pod: logs, links to logs, and directories of pods that nobody knows any more.
 * Only now and then, so that log shippers have read what a pod said last.
 */
#include "shell.h"

#include "log-links.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/files.h"
#include "nodeagent/sys/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

enum {
    SWEEP_ENTRIES_MAX = 100000, /* of one directory */
};

struct sweep {
    struct arena arena;
    struct err err;
    struct agent_directories directories;
    const char *links;
    struct map known;         /* UIDs of pods */
    struct string_list found; /* UIDs of directories that belong to none */
};

static void collect_known(const struct agent *agent, struct map *known)
{
    struct map_entry *entry;

    for (size_t at = 0; (entry = map_next(&agent->pods, &at));)
        map_put(known, entry->key, (void *)agent);
}

static void sweep_free(void *argument)
{
    struct sweep *sweep = argument;

    map_deinit(&sweep->known);
    arena_deinit(&sweep->arena);
    fd_close_at(&sweep->directories.root);
    fd_close_at(&sweep->directories.logs);
    free(sweep);
}

/* NAMESPACE_NAME_UID */
static int sweep_logs(struct sweep *sweep)
{
    struct directory_listing listing = {0};
    int r = directory_list(sweep->directories.logs, ".", SWEEP_ENTRIES_MAX, &sweep->arena, &listing,
                           &sweep->err);

    for (size_t i = 0; i < listing.count && r == 0; i++) {
        const char *name = listing.items[i].name, *uid = strrchr(name, '_');

        if (listing.items[i].type == DT_DIR && uid && strchr(name, '_') != uid &&
            !map_get(&sweep->known, uid + 1))
            r = tree_remove(sweep->directories.logs, name, &sweep->err);
    }
    return r;
}

static int find_directories(struct sweep *sweep)
{
    struct directory_listing listing = {0};
    int r = directory_list(sweep->directories.root, "pods", SWEEP_ENTRIES_MAX, &sweep->arena,
                           &listing, &sweep->err);

    if (r < 0)
        return r == -ENOENT ? 0 : r;
    sweep->found.items = arena_array(&sweep->arena, const char *, listing.count);
    for (size_t i = 0; i < listing.count; i++)
        if (listing.items[i].type == DT_DIR && !map_get(&sweep->known, listing.items[i].name))
            sweep->found.items[sweep->found.count++] = listing.items[i].name;
    return 0;
}

static int sweep_run(void *argument)
{
    struct sweep *sweep = argument;
    int r = sweep_logs(sweep);

    if (r == 0 && sweep->links)
        r = log_links_prune(sweep->links, &sweep->err);
    return r == 0 ? find_directories(sweep) : r;
}

static void arm(struct agent *agent)
{
    wheel_arm(agent->parts.wheel, &agent->sweep, usec_add(clock_boottime(), SWEEP_USEC));
}

static void on_swept(void *owner, void *argument, int result)
{
    struct agent *agent = owner;
    const struct sweep *sweep = argument;

    if (!agent->sweep_job)
        return; /* the agent ends */
    agent->sweep_job = NULL;
    if (sweep && result < 0)
        log_failure(LOG_LEVEL_WARNING, NULL, &sweep->err);
    /* Directories are cleaned by pods: as those that only a directory knows. */
    for (size_t i = 0; sweep && i < sweep->found.count; i++)
        if (pod_uid_is_safe(sweep->found.items[i]))
            pods_add_found(agent, sweep->found.items[i], "", "");
    arm(agent);
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
    sweep = mem_new(struct sweep);
    sweep->arena = ARENA_INIT_DOCUMENT;
    sweep->directories.root = fcntl(agent->directories.root, F_DUPFD_CLOEXEC, 0);
    sweep->directories.logs = fcntl(agent->directories.logs, F_DUPFD_CLOEXEC, 0);
    if (agent->config->container_logs_dir)
        sweep->links = arena_strdup(&sweep->arena, agent->config->container_logs_dir);
    collect_known(agent, &sweep->known);
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
}
