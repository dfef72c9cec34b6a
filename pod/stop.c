/*
 * Ending containers and sandboxes. A container's end is recorded as a kill (when it began, how
 * much grace it has), so that an agent that is restarted goes on with the time that is left: its
 * preStop hook, its turn among the sidecars, then the runtime's stop.
 */
#include "model.h"

static struct pod_container_ref ref_of(const struct planner *planner,
                                       const struct seen_container *seen)
{
    return planner->desired->pod ? pod_container_find(planner->desired->pod, seen->name)
                                 : (struct pod_container_ref){0};
}

static int64_t default_grace(const struct planner *planner)
{
    const struct pod *pod = planner->desired->pod;

    if (!pod)
        return POD_STOP_MIN;
    if (pod->object.metadata.deletion_grace_period_seconds.set)
        return pod->object.metadata.deletion_grace_period_seconds.value;
    return pod_grace_seconds(pod);
}

static struct pod_kill *kill_begin(struct planner *planner, const struct seen_container *seen,
                                   const struct stop *stop)
{
    struct pod_kill *kill = memory_kill(planner->memory, seen->id);
    int64_t grace = stop->grace_seconds >= 0 ? stop->grace_seconds : default_grace(planner);

    if (kill) {
        kill->grace_seconds = MIN(kill->grace_seconds, grace);
        return kill;
    }
    kill = append(planner->arena, &planner->memory->kills);
    kill->id = arena_strdup(planner->arena, seen->id);
    kill->began = planner->now.boot;
    kill->grace_seconds = grace;
    if (stop->message)
        tell(planner, false, "Killing", seen->name, "%s", stop->message);
    else
        tell(planner, false, "Killing", seen->name, "Stopping container %s", seen->name);
    return kill;
}

static usec_t grace_left(const struct planner *planner, const struct pod_kill *kill)
{
    usec_t end = usec_add(kill->began, usec_mul(USEC_PER_SEC, (uint64_t)kill->grace_seconds));

    return usec_sub(end, planner->now.boot);
}

static int64_t whole_seconds(usec_t duration)
{
    return (int64_t)((duration + USEC_PER_SEC - 1) / USEC_PER_SEC);
}

/* True while the hook is to be waited for. */
static bool pre_stop(struct planner *planner, const struct seen_container *seen,
                     struct pod_kill *kill, enum stop_hooks hooks)
{
    struct pod_container_ref ref = ref_of(planner, seen);
    struct pod_operation *operation = operation_find(planner, POD_PRE_STOP, seen->id);
    usec_t left = grace_left(planner, kill);

    if (kill->pre_stop_done)
        return false;
    if (hooks == STOP_WITHOUT_HOOKS || !left || seen->state != POD_RUNNING || !ref.container ||
        !ref.container->lifecycle || !ref.container->lifecycle->pre_stop) {
        if (operation)
            operation_drop(planner, operation); /* abandoned, not killed: its time is over */
        kill->pre_stop_done = true;
        return false;
    }
    if (!operation) {
        operation = operation_new(planner, POD_PRE_STOP, seen->name, seen->id);
        if (!operation)
            return true;
        operation->grace_seconds = whole_seconds(left);
    }
    wake_at(planner, usec_add(planner->now.boot, left));
    return true;
}

/* A sidecar ends after the regular containers, and after the sidecars that started later. */
static bool waits_its_turn(const struct planner *planner, const struct seen_container *seen)
{
    const struct pod *pod = planner->desired->pod;
    struct pod_container_ref ref = ref_of(planner, seen);

    if (!ref.container || ref.kind != POD_CONTAINER_SIDECAR)
        return false;
    array_for_each (other, planner->observed->containers) {
        struct pod_container_ref other_ref = pod_container_find(pod, other->name);

        if (!seen_is_live(other) || !other_ref.container)
            continue;
        if (other_ref.kind == POD_CONTAINER_REGULAR ||
            (other_ref.kind == POD_CONTAINER_SIDECAR && other_ref.container > ref.container))
            return true;
    }
    return false;
}

/* `ordered`: the whole pod ends, so sidecars have their turn. */
static bool stop_in_order(struct planner *planner, const struct seen_container *seen,
                          const struct stop *stop, bool ordered)
{
    struct pod_operation *operation;
    struct pod_kill *kill;
    usec_t left;

    if (!seen_is_live(seen))
        return false;
    if (operation_find(planner, POD_STOP, seen->id) ||
        operation_find(planner, POD_REMOVE_CONTAINER, seen->id))
        return true;
    kill = kill_begin(planner, seen, stop);
    if (pre_stop(planner, seen, kill, stop->hooks))
        return true;
    left = grace_left(planner, kill);
    if (ordered && left && waits_its_turn(planner, seen)) {
        block(planner, "SidecarOrder", seen->name, "stops after the containers it serves")->until =
            usec_add(planner->now.boot, left);
        wake_at(planner, usec_add(planner->now.boot, left));
        return true;
    }
    if (!retry_due(planner, POD_STOP, seen->id))
        return true;
    operation = operation_new(planner, POD_STOP, seen->name, seen->id);
    if (operation)
        operation->grace_seconds = MAX(whole_seconds(left), POD_STOP_MIN);
    return true;
}

bool stop_container(struct planner *planner, const struct seen_container *seen,
                    const struct stop *stop)
{
    return stop_in_order(planner, seen, stop, false);
}

bool stop_all_containers(struct planner *planner, const struct stop *stop)
{
    bool busy = false;

    array_for_each (seen, planner->observed->containers)
        if (stop_in_order(planner, seen, stop, true))
            busy = true;
    /* What is being started may come to life yet. */
    return busy || operation_any(planner, POD_START);
}

/* What an earlier call may still be starting would be killed with its sandbox, unasked. The runtime
 * removes it, or refuses, and then a look shows what is to be stopped. Who refuses for long is not
 * about to start it. */
static bool remove_created(struct planner *planner, const struct seen_sandbox *sandbox)
{
    bool busy = false;

    array_for_each (seen, planner->observed->containers)
        if (seen->state == POD_CREATED && str_equal(seen->sandbox_id, sandbox->id) &&
            !retry_is_hopeless(planner, POD_REMOVE_CONTAINER, seen->id) &&
            remove_container(planner, seen))
            busy = true;
    return busy;
}

bool stop_all_sandboxes(struct planner *planner)
{
    bool busy = operation_any(planner, POD_RUN_SANDBOX);

    array_for_each (sandbox, planner->observed->sandboxes) {
        /* One that is not ready still has its network until it is stopped. */
        if (!sandbox->ready && memory_sandbox_stopped(planner->memory, sandbox->id))
            continue;
        busy = true;
        if (operation_find(planner, POD_STOP_SANDBOX, sandbox->id) ||
            operation_find(planner, POD_REMOVE_SANDBOX, sandbox->id) ||
            remove_created(planner, sandbox))
            continue;
        if (retry_due(planner, POD_STOP_SANDBOX, sandbox->id))
            operation_new(planner, POD_STOP_SANDBOX, "", sandbox->id);
    }
    return busy;
}

bool remove_container(struct planner *planner, const struct seen_container *seen)
{
    if (operation_find(planner, POD_REMOVE_CONTAINER, seen->id))
        return true;
    /* A removal would end what is alive, and what is just being started. */
    assert_that(!seen_is_live(seen));
    if (operation_find_named(planner, POD_START, seen->name))
        return true;
    if (retry_due(planner, POD_REMOVE_CONTAINER, seen->id))
        operation_new(planner, POD_REMOVE_CONTAINER, seen->name, seen->id);
    return true;
}
