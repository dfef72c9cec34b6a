/*
 * Volumes whose files come from objects. They are filled when the pod is prepared, and follow while
 * it runs: whenever what they are made of may have changed they are due, and then each is made anew
 * and compared with what is there, in the pool. What cannot be made now keeps the files it has.
 */
#include "shell.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/files.h"

#include <errno.h>
#include <stdlib.h>

#define VOLUMES_RETRY_USEC (60 * USEC_PER_SEC) /* the reference looks at volumes as often */

static bool has_payload(const struct agent_pod *pod)
{
    if (pod->object)
        array_for_each (volume, pod_object(pod)->spec.volumes)
            if (volume_has_payload(volume))
                return true;
    return false;
}

/* ordering */

static int order_volumes(const struct agent_pod *pod, int root, struct arena *arena,
                         struct volume_orders *orders, struct err *err)
{
    struct pod_place place = {
        .root = root,
        .root_path = pod->agent->config->root_dir,
        .directory = pod_directory(pod->uid, arena),
    };

    return volumes_order(pod_object(pod), &place, (uint64_t)pod->agent->parts.facts->memory_bytes,
                         arena, orders, err);
}

static int fill(struct agent_pod *pod, struct arena *arena, struct volume_order *order,
                struct err *err)
{
    _cleanup_(arena_deinit) struct arena scratch = ARENA_INIT_DOCUMENT;
    struct translation translation =
        pod_translation(pod, &scratch, cri_cache_pod(pod->agent->cache, pod->uid));
    struct volume_sources sources = translate_volume_sources(&translation);

    return volume_fill(pod_object(pod), &sources, arena, order, err);
}

int pod_order_volumes(struct agent_pod *pod, int root, struct arena *arena,
                      struct volume_orders *orders, struct err *err)
{
    int r = order_volumes(pod, root, arena, orders, err);

    pod->volumes_due = false;
    for (size_t i = 0; i < orders->items.count && r == 0; i++)
        r = fill(pod, arena, &orders->items.items[i], err);
    return r;
}

/* following */

struct following { /* the pool's */
    struct arena arena;
    struct err err;
    int root;
    struct volume_orders orders;
};

static void following_free(void *argument)
{
    struct following *following = argument;

    fd_close_at(&following->root);
    arena_deinit(&following->arena);
    free(following);
}

static int follow(void *argument)
{
    struct following *following = argument;

    return volumes_set_up(following->root, &following->orders, &following->err);
}

static void retry(struct agent_pod *pod, const char *why)
{
    pod_event(pod, NULL, true, "FailedMount", why);
    wheel_arm(pod->agent->parts.wheel, &pod->volumes_timer,
              usec_add(clock_boottime(), VOLUMES_RETRY_USEC));
}

static void on_followed(void *owner, void *argument, int result)
{
    const struct following *following = argument;
    struct agent_pod *pod = owner;

    pod->volumes_job = NULL;
    if (result == -ECANCELED)
        return;
    if (result < 0)
        retry(pod, following ? following->err.text : "writing the files of volumes took too long");
    if (pod->volumes_due)
        pod_touch(pod);
}

/* Of what can be made now; the rest is told of. */
static void order_following(struct agent_pod *pod, struct following *following)
{
    struct volume_orders *orders = &following->orders;
    size_t count = 0;
    struct err err;

    if (order_volumes(pod, following->root, &following->arena, orders, &err) < 0)
        orders->items.count = 0; /* told when it was prepared */
    array_for_each (order, orders->items) {
        if (fill(pod, &following->arena, order, &err) < 0)
            retry(pod, err.text);
        else if (order->payload)
            orders->items.items[count++] = *order;
    }
    orders->items.count = count;
}

static void begin_following(struct agent_pod *pod)
{
    struct following *following = mem_new(struct following);
    struct work_order order = {
        .key = pod->uid,
        .limit_usec = FILES_LIMIT_USEC,
        .run = follow,
        .done = on_followed,
        .free = following_free,
        .argument = following,
        .owner = pod,
    };
    struct err err;

    following->arena = ARENA_INIT(1024, 4096);
    following->root = fd_duplicate(pod->agent->directories.root);
    order_following(pod, following);
    if (following->orders.items.count) {
        if (work_submit(pod->agent->parts.work, &order, &pod->volumes_job, &err) == 0)
            return;
        retry(pod, err.text);
    }
    following_free(following);
}

/* What is being prepared is filled by that. */
static bool is_preparing(const struct agent_pod *pod)
{
    array_for_each (operation, pod->memory.operations)
        if (operation->kind == POD_PREPARE)
            return true;
    return false;
}

static bool is_running(const struct agent_pod *pod, const struct pod_observed *observed)
{
    bool running = false;

    array_for_each (sandbox, observed->sandboxes)
        running = running || sandbox->ready;
    return running && pod->memory.stage == POD_STAGE_RUN;
}

/* It is touched when they are there. */
static bool waits_for_objects(struct agent_pod *pod)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT(256, 256);

    return pod->agent->cluster && cluster_waits_for(pod, false, &arena);
}

void pod_follow_volumes(struct agent_pod *pod, const struct pod_observed *observed)
{
    if (!pod->object || !pod->volumes_due || pod->volumes_job || is_preparing(pod) ||
        !is_running(pod, observed) || waits_for_objects(pod))
        return;
    pod->volumes_due = false;
    if (has_payload(pod))
        begin_following(pod);
}

/* when to follow */

void pod_volumes_changed(struct agent_pod *pod)
{
    pod->volumes_due = true;
    pod_touch(pod);
}

void pods_volumes_changed(struct agent *agent)
{
    struct map_entry *entry;

    for (size_t at = 0; (entry = map_next(&agent->pods, &at));)
        if (has_payload(entry->value))
            pod_volumes_changed(entry->value);
}

static void on_timer(struct wheel_timer *timer)
{
    pod_volumes_changed(container_of(timer, struct agent_pod, volumes_timer));
}

void pod_begin_volumes(struct agent_pod *pod)
{
    wheel_timer_init(&pod->volumes_timer, on_timer);
    pod->volumes_due = true; /* what changed while no agent ran */
}

void pod_end_volumes(struct agent_pod *pod)
{
    wheel_cancel(&pod->volumes_timer);
    if (pod->volumes_job)
        work_cancel(pod->volumes_job);
}
