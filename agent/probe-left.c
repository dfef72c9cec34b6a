/* Looking for what commands left. */
#include "probe-left.h"
#include "processes-left.h"
#include "shell.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#define CGROUPS "/sys/fs/cgroup"
#define LEFT_LIMIT_USEC (5 * USEC_PER_SEC)

/* looking, in the pool */

struct search {
    struct arena arena;
    const char *parent; /* the pod's group */
    const char *id;
    usec_t began;
    const char *left;
};

/* The group of version 2, or that of a controller of version 1, by the names that runtimes give. */
static int open_group(struct search *search)
{
    static const char *const hierarchies[] = {"", "/pids", "/memory", "/systemd"};
    static const struct {
        const char *before, *after;
    } names[] = {{"", ""}, {"cri-containerd-", ".scope"}, {"crio-", ".scope"}};

    for (size_t i = 0; i < array_size(hierarchies); i++)
        for (size_t j = 0; j < array_size(names); j++) {
            const char *path =
                arena_printf(&search->arena, CGROUPS "%s%s/%s%s%s", hierarchies[i], search->parent,
                             names[j].before, search->id, names[j].after);
            int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

            if (fd >= 0)
                return fd;
        }
    return -ENOENT;
}

static int look(void *data)
{
    struct search *search = data;
    _cleanup_(fd_close_at) int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    _cleanup_(fd_close_at) int group = open_group(search);

    if (proc >= 0 && group >= 0)
        search->left = processes_left(proc, group, search->began, &search->arena);
    return 0;
}

static void search_free(void *data)
{
    struct search *search = data;

    arena_deinit(&search->arena);
    free(search);
}

static struct agent_pod *pod_of_container(struct agent *agent, const char *id)
{
    const struct cri_pod *seen;

    for (size_t at = 0; (seen = cri_cache_next(agent->cache, &at));)
        array_for_each (container, seen->containers)
            if (str_equal(container->id, id))
                return pods_find(agent, seen->uid);
    return NULL;
}

static struct search *search_new(struct agent *agent, const char *id, usec_t began)
{
    struct agent_pod *pod = pod_of_container(agent, id);
    struct search *search;
    struct translation translation;

    if (!pod || !pod->object)
        return NULL;
    search = mem_new(struct search);
    search->arena = ARENA_INIT(1024, 4096);
    search->id = arena_strdup(&search->arena, id);
    search->began = began;
    translation = pod_translation(pod, &search->arena, NULL);
    search->parent = translate_cgroup_parent(&translation);
    return search;
}

/* commands */

struct watched_exec {
    struct agent *agent;
    void *inner;
    char *id;
    usec_t began;
    struct work_job *job;
    enum probe_exec_end how;
    char *text; /* of that */
    probe_exec_done_fn *done;
    void *done_owner;
};

static void watched_free(struct watched_exec *watched)
{
    free(watched->text);
    free(watched->id);
    free(watched);
}

static void on_looked(void *owner, void *argument, int result)
{
    struct watched_exec *watched = owner;
    const struct search *search = argument;
    struct probe_exec_reply reply = {
        .how = watched->how,
        .text = watched->text,
        .left = search ? search->left : NULL,
    };

    /* The command was killed, and what it left holds its output, and so the runtime. */
    if (reply.left)
        reply.how = PROBE_EXEC_KILLED;

    if (!watched->job)
        return; /* cancelled */
    watched->job = NULL;
    watched->done(watched->done_owner, &reply);
    watched_free(watched);
}

static bool begin_look(struct watched_exec *watched)
{
    struct search *search = search_new(watched->agent, watched->id, watched->began);
    struct work_order order = {
        .limit_usec = LEFT_LIMIT_USEC,
        .run = look,
        .done = on_looked,
        .free = search_free,
        .argument = search,
        .owner = watched,
    };
    struct err err;

    if (!search)
        return false;
    if (work_submit(watched->agent->parts.work, &order, &watched->job, &err) == 0)
        return true;
    search_free(search);
    return false;
}

static void on_ended(void *owner, const struct probe_exec_reply *reply)
{
    struct watched_exec *watched = owner;

    watched->inner = NULL;
    if (reply->how == PROBE_EXEC_KILLED || reply->how == PROBE_EXEC_UNANSWERED) {
        watched->how = reply->how;
        watched->text = mem_strdup(reply->text ? reply->text : "");
        if (begin_look(watched))
            return;
    }
    watched->done(watched->done_owner, reply);
    watched_free(watched);
}

static void *begin(void *owner, const char *container_id, const struct string_list *command,
                   usec_t timeout, probe_exec_done_fn *done, void *done_owner)
{
    struct agent *agent = owner;
    struct watched_exec *watched = mem_new(struct watched_exec);

    watched->agent = agent;
    watched->id = mem_strdup(container_id);
    watched->began = clock_boottime();
    watched->done = done;
    watched->done_owner = done_owner;
    watched->inner =
        agent->exec.begin(agent->exec.owner, container_id, command, timeout, on_ended, watched);
    return watched;
}

static void cancel(void *call)
{
    struct watched_exec *watched = call;
    struct work_job *job = watched->job;

    if (watched->inner)
        watched->agent->exec.cancel(watched->inner);
    watched->job = NULL;
    if (job)
        work_cancel(job);
    watched_free(watched);
}

struct probe_exec probe_exec_watching(struct agent *agent)
{
    return (struct probe_exec){.owner = agent, .begin = begin, .cancel = cancel};
}
