/* Links to containers' logs. */
#include "log-links.h"
#include "log-rotation.h"
#include "shell.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/sys/files.h"
#include "nodeagent/sys/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    LINKS_MAX = 100000,
};

struct link_job {
    struct arena arena;
    const char *directory;
    const char *name;
    const char *target;
    struct err err;
};

const char *log_link_name(const char *pod, const char *name_space, const char *container,
                          const char *id, struct arena *arena)
{
    const char *whole = arena_printf(arena, "%s_%s_%s-%s", pod, name_space, container, id);
    int room = LOG_LINK_NAME_MAX - (int)strlen(".log");

    return arena_printf(arena, "%.*s.log", room, whole);
}

static int make(void *argument)
{
    struct link_job *job = argument;
    _cleanup_(fd_close_at) int directory = directory_open(job->directory, 0755, &job->err);

    if (directory < 0)
        return directory;
    return file_link_replace(directory, job->name, job->target, &job->err);
}

static void on_made(void *owner, void *argument, int result)
{
    const struct link_job *job = argument;

    if (job && result < 0)
        log_failure(LOG_LEVEL_WARNING, NULL, &job->err);
}

static void job_free(void *argument)
{
    struct link_job *job = argument;

    arena_deinit(&job->arena);
    free(job);
}

void log_link_make(struct agent_pod *pod, const char *container, const char *id, uint32_t attempt)
{
    const struct config *config = pod->agent->config;
    struct link_job *job;
    struct work_order order = {
        .key = pod->uid,
        .limit_usec = FILES_LIMIT_USEC,
        .run = make,
        .done = on_made,
        .free = job_free,
    };
    struct err err;

    if (!config->container_logs_dir)
        return;
    job = mem_new(struct link_job);
    job->arena = ARENA_INIT(1024, 1024);
    job->directory = arena_strdup(&job->arena, config->container_logs_dir);
    job->name = log_link_name(pod->name, pod->name_space, container, id, &job->arena);
    job->target = arena_printf(&job->arena, "%s/%s/%s/%u.log", config->pod_logs_dir,
                               pod_log_directory(pod_object(pod), &job->arena), container, attempt);
    order.argument = job;
    if (work_submit(pod->agent->parts.work, &order, NULL, &err) < 0) {
        log_failure(LOG_LEVEL_WARNING, NULL, &err);
        job_free(job);
    }
}

/* all of them */

void log_links_collect(const struct agent *agent, struct arena *arena, struct log_links *links)
{
    const struct cri_pod *pod;
    size_t count = 0;

    for (size_t at = 0; (pod = cri_cache_next(agent->cache, &at));)
        count += pod->containers.count;
    links->items.items = arena_array(arena, struct log_link, count);
    for (size_t at = 0; (pod = cri_cache_next(agent->cache, &at));)
        array_for_each (container, pod->containers)
            if (container->state != CRI_EXITED && container_log_path(agent, container))
                links->items.items[links->items.count++] = (struct log_link){
                    .name = log_link_name(pod->name, pod->name_space, container->name,
                                          container->id, arena),
                    .target = arena_strdup(arena, container->log_path),
                };
}

/* Or of one who was killed while it was made. */
static bool is_ours(const char *name)
{
    return str_has_suffix(name, ".log") || str_has_prefix(name, FILE_TEMPORARY_PREFIX);
}

int log_links_repair(const char *path, const struct log_links *links, struct err *err)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    _cleanup_(fd_close_at) int directory = directory_open(path, 0755, err);
    _cleanup_(map_deinit) struct map there = MAP_INIT, wanted = MAP_INIT;
    struct directory_listing listing = {0};
    int r;

    if (directory < 0)
        return directory;
    r = directory_list(directory, ".", LINKS_MAX, &arena, &listing, err);
    if (r < 0)
        return r;
    array_for_each (link, links->items)
        map_put(&wanted, link->name, (void *)link);
    for (size_t i = 0; i < listing.count && r == 0; i++) {
        const char *name = listing.items[i].name;

        map_put(&there, name, &listing.items[i]);
        if (is_ours(name) && !map_get(&wanted, name) && file_link_is_dangling(directory, name))
            r = tree_remove(directory, name, err);
    }
    array_for_each (link, links->items)
        if (r == 0 && !map_get(&there, link->name))
            r = file_link_replace(directory, link->name, link->target, err);
    return r;
}
