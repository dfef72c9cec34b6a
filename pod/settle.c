/*
 * What ended operations mean. One that changed something in the runtime counts only together with
 * a look that began after it ended: before, what is observed may be from before it too.
 */
#include "model.h"

bool pod_operation_needs_look(enum pod_operation_kind kind)
{
    switch (kind) {
    case POD_RUN_SANDBOX:
    case POD_STOP_SANDBOX:
    case POD_REMOVE_SANDBOX:
    case POD_START:
    case POD_STOP:
    case POD_REMOVE_CONTAINER:
        return true;
    case POD_PREPARE:
    case POD_IMAGE:
    case POD_POST_START:
    case POD_PRE_STOP:
    case POD_CLEAN:
    case POD_RELEASE:
        break;
    }
    return false;
}

bool pod_operation_needs_record(enum pod_operation_kind kind)
{
    switch (kind) {
    case POD_RUN_SANDBOX: /* two at once would be two sandboxes */
    case POD_START:
    case POD_STOP: /* with the grace that was decided */
    case POD_POST_START:
    case POD_PRE_STOP:
        return true;
    case POD_PREPARE:
    case POD_STOP_SANDBOX:
    case POD_REMOVE_SANDBOX:
    case POD_IMAGE:
    case POD_REMOVE_CONTAINER:
    case POD_CLEAN:
    case POD_RELEASE:
        break;
    }
    return false;
}

static void wait_to_start(struct planner *planner, struct pod_container_memory *memory,
                          const struct pod_operation *failed)
{
    memory->waiting_reason = failed->reason;
    memory->waiting_message = failed->message;
    memory->retry_delay =
        memory->retry_delay ? MIN(2 * memory->retry_delay, POD_RETRY_MAX) : POD_RETRY_FIRST;
    memory->retry_at = usec_add(planner->now.boot, memory->retry_delay);
}

static void image_settled(struct planner *planner, const struct pod_operation *operation)
{
    struct pod_container_memory *memory = memory_container(planner, operation->name);
    struct pod_container_ref ref = planner->desired->pod
                                       ? pod_container_find(planner->desired->pod, operation->name)
                                       : (struct pod_container_ref){0};
    bool pull;

    if (!ref.container || operation->state == POD_OPERATION_UNKNOWN)
        return;
    if (operation->state == POD_OPERATION_DONE) {
        memory->image = operation->image;
        memory->image_id = operation->image_id;
        tell(planner, false, "Pulled", operation->name, "%s", operation->message);
        return;
    }
    pull = str_equal(operation->reason, "ErrImagePull") ||
           str_equal(operation->reason, "RegistryUnavailable") ||
           str_equal(operation->reason, "SignatureValidationFailed");
    if (pull) {
        tell(planner, true, "Failed", operation->name, "Failed to pull image \"%s\": %s",
             operation->image, operation->message);
        tell(planner, true, "Failed", operation->name, "Error: %s", operation->reason);
        image_failed(planner, operation->image, operation);
        memory->waiting_reason = operation->reason;
        memory->waiting_message = operation->message;
        return;
    }
    if (str_equal(operation->reason, "ErrImageNeverPull"))
        tell(planner, true, operation->reason, operation->name, "%s", operation->message);
    else
        tell(planner, true, "InspectFailed", operation->name, "%s", operation->message);
    tell(planner, true, "Failed", operation->name, "Error: %s", operation->reason);
    wait_to_start(planner, memory, operation);
}

/* The container that a start made, by what the look showed. */
static const struct seen_container *started(const struct planner *planner,
                                            const struct pod_operation *operation)
{
    array_for_each (seen, planner->observed->containers)
        if (str_equal(seen->name, operation->name) && seen->attempt == operation->attempt &&
            str_equal(seen->sandbox_id, operation->sandbox))
            return seen;
    return NULL;
}

/*
 * Is what was created to be given up? Not where an earlier call may still be starting it: then a
 * refusal just means that.
 */
static bool start_is_hopeless(const struct seen_container *seen, const struct pod_operation *failed)
{
    return seen && seen->state == POD_CREATED && str_empty(failed->target);
}

static bool has_run(const struct seen_container *seen)
{
    return seen && seen->state != POD_CREATED && !seen_is_stillborn(seen);
}

/* A start of unknown fate may be at work yet: it counts as under way for a moment. */
static bool may_come_yet(struct planner *planner, const struct pod_operation *operation)
{
    usec_t until = usec_add(operation->ended, POD_RETRY_FIRST);
    const struct seen_container *seen = started(planner, operation);

    if (operation->kind != POD_START || operation->state != POD_OPERATION_UNKNOWN ||
        planner->now.boot >= until || (seen && seen->state != POD_CREATED))
        return false;
    wake_at(planner, until);
    return true;
}

static void start_settled(struct planner *planner, const struct pod_operation *operation)
{
    struct pod_container_memory *memory = memory_container(planner, operation->name);
    const struct seen_container *seen = started(planner, operation);
    /* What was created before may have been started by the call that created it. */
    bool other_did = !str_empty(operation->target) && has_run(seen);

    memory->image_id = NULL; /* the next start asks again: the image may be gone by then */
    if (operation->state == POD_OPERATION_FAILED && !other_did) {
        tell(planner, true, "Failed", operation->name, "Error: %s", operation->message);
        wait_to_start(planner, memory, operation);
        memory->failed_id =
            start_is_hopeless(seen, operation) ? arena_strdup(planner->arena, seen->id) : NULL;
        return;
    }
    if (!seen || seen->state == POD_CREATED)
        return; /* it is tried again */
    if (operation->state == POD_OPERATION_UNKNOWN && seen_is_stillborn(seen)) {
        /* The runtime gave the start up with the call: it is as if there had been none. */
        memory->failed_id = arena_strdup(planner->arena, seen->id);
        return;
    }
    memory->attempts = MAX(memory->attempts, operation->attempt + 1);
    tell(planner, false, "Created", operation->name, "Container created");
    tell(planner, false, "Started", operation->name, "Container started");
    memory->waiting_reason = memory->waiting_message = memory->failed_id = NULL;
    memory->retry_at = memory->retry_delay = 0;
    memory->restart_due = false;
    memory->hook_due = arena_strdup(planner->arena, seen->id);
}

static void post_start_settled(struct planner *planner, const struct pod_operation *operation)
{
    struct pod_container_memory *memory = memory_container(planner, operation->name);

    /* A hook of unknown fate was begun: never twice, as the container may not expect it. */
    memory->hook_due = NULL;
    if (operation->state != POD_OPERATION_FAILED)
        return;
    tell(planner, true, "FailedPostStartHook", operation->name, "PostStartHook failed");
    memory->hook_failed = operation->target;
    memory->waiting_reason = "PostStartHookError";
    memory->waiting_message = "PostStartHook failed";
}

static void pre_stop_settled(struct planner *planner, const struct pod_operation *operation)
{
    struct pod_kill *kill = memory_kill(planner->memory, operation->target);

    if (operation->state == POD_OPERATION_FAILED)
        tell(planner, true, "FailedPreStopHook", operation->name, "PreStopHook failed");
    /* Of unknown fate: it is run again, with the time that is left. */
    if (kill && operation->state != POD_OPERATION_UNKNOWN)
        kill->pre_stop_done = true;
}

static void sandbox_stop_settled(struct planner *planner, const struct pod_operation *operation)
{
    if (operation->state == POD_OPERATION_DONE)
        *append(planner->arena, &planner->memory->stopped_sandboxes) = operation->target;
}

static void tell_failure(struct planner *planner, const struct pod_operation *operation)
{
    switch (operation->kind) {
    case POD_RUN_SANDBOX:
        if (pod_is_wanted(planner)) /* else it may fail because the pod goes */
            tell(planner, true, "FailedCreatePodSandBox", NULL, "Failed to create pod sandbox: %s",
                 operation->message);
        break;
    case POD_STOP:
    case POD_STOP_SANDBOX:
        tell(planner, true, "FailedKillPod", NULL, "error killing pod: %s", operation->message);
        break;
    case POD_PREPARE:
        tell(planner, true, "FailedMount", NULL, "%s", operation->message);
        break;
    default:
        break;
    }
}

/* Does the look that began after it ended show what it was to do? */
static bool is_seen(const struct planner *planner, const struct pod_operation *operation)
{
    const struct seen_container *seen = seen_by_id(planner->observed, operation->target);
    const struct seen_sandbox *sandbox = NULL;

    array_for_each (other, planner->observed->sandboxes)
        if (str_equal(other->id, operation->target))
            sandbox = other;
    switch (operation->kind) {
    case POD_STOP:
        return !seen || !seen_is_live(seen);
    case POD_REMOVE_CONTAINER:
        return !seen;
    case POD_STOP_SANDBOX:
        return !sandbox || !sandbox->ready;
    case POD_REMOVE_SANDBOX:
        return !sandbox;
    default:
        return true;
    }
}

static void apply(struct planner *planner, const struct pod_operation *operation)
{
    switch (operation->kind) {
    case POD_IMAGE:
        image_settled(planner, operation);
        return;
    case POD_START:
        start_settled(planner, operation);
        return;
    case POD_POST_START:
        post_start_settled(planner, operation);
        return;
    case POD_PRE_STOP:
        pre_stop_settled(planner, operation);
        return;
    case POD_STOP_SANDBOX:
        sandbox_stop_settled(planner, operation);
        break;
    default:
        break;
    }
    if (operation->state == POD_OPERATION_FAILED)
        tell_failure(planner, operation);
    /* What is of unknown fate may be at work yet, and so may what was done and is not seen: a pause
     * before it is tried again, if it is. */
    if (operation->state == POD_OPERATION_DONE && is_seen(planner, operation))
        retry_forget(planner, operation->kind, operation->target);
    else
        retry_note(planner, operation);
}

void settle(struct planner *planner)
{
    struct pod_memory *memory = planner->memory;

    for (size_t i = 0; i < memory->operations.count;) {
        struct pod_operation operation = memory->operations.items[i];

        if (operation.state == POD_OPERATION_INTENDED ||
            (pod_operation_needs_look(operation.kind) &&
             planner->observed->looked < operation.ended) ||
            may_come_yet(planner, &operation)) {
            i++;
            continue;
        }
        remove_at(&memory->operations, i);
        apply(planner, &operation);
    }
}
