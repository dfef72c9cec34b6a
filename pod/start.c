/* Starting a container: back-off, image, then the runtime's create and start. */
#include "model.h"

bool start_prepare(struct planner *planner)
{
    if (planner->observed->prepared)
        return true;
    if (operation_any(planner, POD_PREPARE) || !retry_due(planner, POD_PREPARE, ""))
        return false;
    operation_new(planner, POD_PREPARE, "", "");
    return false;
}

static bool crash_waits(struct planner *planner, struct pod_container_ref ref)
{
    const struct object_meta *meta = &planner->desired->pod->object.metadata;
    struct pod_container_memory *memory = memory_container(planner, ref.container->name);
    usec_t left = crash_delay_left(planner, ref);
    struct pod_blocker *blocker;
    const char *told;

    if (!left)
        return false;
    told = arena_printf(planner->arena, "back-off %s restarting failed container=%s pod=%s_%s(%s)",
                        seconds_text(planner->arena, memory->crash_delay), memory->name, meta->name,
                        meta->name_space, meta->uid);
    if (!str_equal(memory->waiting_message, told)) {
        tell(planner, true, "BackOff", memory->name,
             "Back-off restarting failed container %s in pod %s_%s(%s)", memory->name, meta->name,
             meta->name_space, meta->uid);
        memory->waiting_reason = "CrashLoopBackOff";
        memory->waiting_message = told;
    }
    blocker = block(planner, "CrashLoopBackOff", memory->name, "%s", told);
    blocker->since = memory->exit_at;
    blocker->until = usec_add(planner->now.boot, left);
    wake_at(planner, blocker->until);
    return true;
}

static bool retry_waits(struct planner *planner, const struct pod_container_memory *memory)
{
    struct pod_blocker *blocker;

    if (memory->retry_at <= planner->now.boot)
        return false;
    if (str_empty(memory->waiting_reason))
        blocker = block(planner, "Retry", memory->name, "its last start came to nothing");
    else
        blocker = block(planner, memory->waiting_reason, memory->name, "%s",
                        memory->waiting_message ? memory->waiting_message : "");
    blocker->until = memory->retry_at;
    wake_at(planner, memory->retry_at);
    return true;
}

static bool image_waits(struct planner *planner, struct pod_container_memory *memory,
                        const char *image)
{
    usec_t left, shown;
    const struct pod_image_memory *backoff = image_backoff(planner, image, &left);
    struct pod_blocker *blocker;
    const char *told;

    if (!backoff)
        return false;
    shown = usec_add(backoff->failed_at, POD_IMAGE_FAILURE_SHOWN);
    if (planner->now.boot < shown && str_equal(memory->waiting_reason, backoff->reason)) {
        block(planner, backoff->reason, memory->name, "%s", backoff->message)->until = shown;
        wake_at(planner, shown);
        return true;
    }
    told = arena_printf(planner->arena, "Back-off pulling image \"%s\": %s: %s", image,
                        backoff->reason, backoff->message);
    if (!str_equal(memory->waiting_message, told)) {
        tell(planner, false, "BackOff", memory->name, "Back-off pulling image \"%s\"", image);
        tell(planner, true, "Failed", memory->name, "Error: ImagePullBackOff");
        memory->waiting_reason = "ImagePullBackOff";
        memory->waiting_message = told;
    }
    blocker = block(planner, "ImagePullBackOff", memory->name, "%s", told);
    blocker->since = backoff->failed_at;
    blocker->until = usec_add(planner->now.boot, left);
    wake_at(planner, blocker->until);
    return true;
}

static uint32_t next_attempt(const struct planner *planner,
                             const struct pod_container_memory *memory)
{
    uint32_t attempt = 0;
    bool any = false;

    array_for_each (seen, planner->observed->containers)
        if (str_equal(seen->name, memory->name)) {
            attempt = MAX(attempt, MAX(seen->attempt, (uint32_t)seen->restart_count));
            any = true;
        }
    /* A record of our own counts beyond what the runtime has: it forgets those removed. */
    return MAX(any ? attempt + 1 : 0, memory->attempts);
}

/* Containers are created under the same attempt until one of them is seen: so a call whose fate
 * is unknown cannot make a second one, as names are unique in the runtime. */
static enum start_result start_now(struct planner *planner, struct pod_container_ref ref,
                                   const struct seen_sandbox *sandbox,
                                   const struct seen_container *created)
{
    struct pod_container_memory *memory = memory_container(planner, ref.container->name);
    struct pod_operation *operation =
        operation_new(planner, POD_START, memory->name, created ? created->id : "");

    array_for_each (seen, planner->observed->containers)
        assert_that(!seen_is_live(seen) || !str_equal(seen->name, memory->name));
    if (!operation)
        return START_BUSY;
    operation->sandbox = arena_strdup(planner->arena, sandbox->id);
    operation->image = memory->image;
    operation->image_id = memory->image_id;
    operation->attempt = created ? created->attempt : next_attempt(planner, memory);
    if (!created)
        crash_advance(planner, ref);
    return START_BUSY;
}

enum start_result start_container(struct planner *planner, struct pod_container_ref ref,
                                  const struct seen_sandbox *sandbox)
{
    struct pod_container_memory *memory = memory_container(planner, ref.container->name);
    const struct seen_container *newest = seen_newest(planner->observed, memory->name);
    struct pod_operation *operation;

    if (operation_find_named(planner, POD_START, memory->name) ||
        operation_find_named(planner, POD_IMAGE, memory->name))
        return START_BUSY;
    if (retry_waits(planner, memory))
        return START_BLOCKED;
    if (newest && newest->state == POD_CREATED) {
        if (str_equal(newest->sandbox_id, sandbox->id) &&
            !str_equal(newest->id, memory->failed_id) && !hash_changed(ref, newest))
            return start_now(planner, ref, sandbox, newest);
        remove_container(planner, newest);
        return START_BUSY;
    }
    if (crash_waits(planner, ref))
        return START_BLOCKED;
    if (!start_prepare(planner))
        return START_BUSY;
    if (!str_empty(memory->image_id) && str_equal(memory->image, ref.container->image))
        return start_now(planner, ref, sandbox, NULL);
    if (image_waits(planner, memory, ref.container->image))
        return START_BLOCKED;
    operation = operation_new(planner, POD_IMAGE, memory->name, "");
    if (operation)
        operation->image = ref.container->image;
    return START_BUSY;
}
