/* CrashLoopBackOff and ImagePullBackOff, with the reference's figures. */
#include "model.h"

/* FNV-1a: kept in records, so the same in every process. */
static uint64_t key_add(uint64_t key, const char *text)
{
    for (const char *c = text ? text : ""; *c; c++)
        key = (key ^ (unsigned char)*c) * 1099511628211u;
    return (key ^ 0xff) * 1099511628211u;
}

static uint64_t key_add_amounts(uint64_t key, const struct quantity_map *amounts)
{
    char text[QUANTITY_TEXT_MAX];

    array_for_each (pair, *amounts)
        key = key_add(key_add(key, pair->name), quantity_format(&pair->quantity, text));
    return key;
}

static int64_t crash_key(const struct container *container)
{
    uint64_t key = key_add(14695981039346656037u, container->image);

    key = key_add_amounts(key, &container->resources.limits);
    key = key_add_amounts(key, &container->resources.requests);
    return (int64_t)key;
}

static usec_t crash_delay_max(const struct planner *planner)
{
    return planner->desired->crash_delay_max ? planner->desired->crash_delay_max
                                             : POD_CRASH_DELAY_MAX;
}

/* When the newest container of this name that ended did so, as far as it delays the next; 0: none
 * does. */
static usec_t crash_at(struct planner *planner, struct pod_container_memory *memory)
{
    const struct seen_container *exited = seen_newest_exited(planner->observed, memory->name);

    if (!exited || str_equal(exited->id, memory->free_id))
        return 0;
    if (!str_equal(exited->id, memory->exit_id)) {
        usec_t ago = exited->finished_usec > 0 && planner->now.wall > exited->finished_usec
                         ? (usec_t)(planner->now.wall - exited->finished_usec)
                         : 0;

        memory->exit_id = arena_strdup(planner->arena, exited->id);
        memory->exit_at = MAX(usec_sub(planner->now.boot, ago), 1);
    }
    return memory->exit_at;
}

static bool crash_counts(const struct planner *planner, const struct pod_container_memory *memory,
                         const struct container *container)
{
    return memory->crash_delay && memory->crash_key == crash_key(container) &&
           usec_sub(planner->now.boot, memory->crash_updated) < POD_CRASH_FORGET;
}

usec_t crash_delay_left(struct planner *planner, struct pod_container_ref ref)
{
    struct pod_container_memory *memory = memory_container(planner, ref.container->name);
    usec_t exit_at = crash_at(planner, memory);

    if (!exit_at || !crash_counts(planner, memory, ref.container))
        return 0;
    return usec_sub(MIN(usec_add(exit_at, memory->crash_delay),
                        usec_add(memory->crash_updated, POD_CRASH_FORGET)),
                    planner->now.boot);
}

void crash_advance(struct planner *planner, struct pod_container_ref ref)
{
    struct pod_container_memory *memory = memory_container(planner, ref.container->name);
    const struct seen_container *exited = seen_newest_exited(planner->observed, memory->name);
    usec_t max = crash_delay_max(planner);

    if (!exited)
        return; /* a first start is no restart */
    if (str_equal(exited->id, memory->free_id)) {
        memory->free_id = NULL; /* this start was judged when it was killed; the next is by it */
        return;
    }
    memory->crash_delay = crash_counts(planner, memory, ref.container)
                              ? MIN(2 * memory->crash_delay, max)
                              : MIN(POD_CRASH_DELAY_FIRST, max);
    memory->crash_updated = planner->now.boot;
    memory->crash_key = crash_key(ref.container);
}

void image_failed(struct planner *planner, const char *image, const struct pod_operation *failed)
{
    struct pod_image_memory *memory = NULL;

    array_for_each (known, planner->memory->images)
        if (str_equal(known->image, image))
            memory = known;
    if (!memory) {
        memory = append(planner->arena, &planner->memory->images);
        memory->image = arena_strdup(planner->arena, image);
    }
    memory->delay =
        memory->delay ? MIN(2 * memory->delay, POD_IMAGE_DELAY_MAX) : POD_IMAGE_DELAY_FIRST;
    memory->failed_at = failed->ended;
    memory->reason = failed->reason;
    memory->message = failed->message;
}

const struct pod_image_memory *image_backoff(struct planner *planner, const char *image,
                                             usec_t *left)
{
    array_for_each (memory, planner->memory->images)
        if (str_equal(memory->image, image)) {
            *left = usec_sub(usec_add(memory->failed_at, memory->delay), planner->now.boot);
            return *left ? memory : NULL;
        }
    *left = 0;
    return NULL;
}

void backoff_forget(struct planner *planner)
{
    struct pod_memory *memory = planner->memory;

    for (size_t i = memory->images.count; i-- > 0;)
        if (usec_sub(planner->now.boot, memory->images.items[i].failed_at) > POD_IMAGE_FORGET)
            remove_at(&memory->images, i);
}
