/* Deliberate bugs in the plan and in the status, by way of the linker: the shipping one is called
 * in between. */
#include "bugs.h"
#include "nodeagent/pod.h"

void __real_pod_plan(const struct pod_desired *desired, const struct pod_observed *observed,
                     const struct pod_memory *memory, struct pod_now now, struct arena *arena,
                     struct pod_plan *plan);
void __wrap_pod_plan(const struct pod_desired *desired, const struct pod_observed *observed,
                     const struct pod_memory *memory, struct pod_now now, struct arena *arena,
                     struct pod_plan *plan);

const struct pod_status *__real_pod_status(const struct pod_desired *desired,
                                           const struct pod_observed *observed,
                                           const struct pod_memory *memory, struct pod_now now,
                                           struct arena *arena);
const struct pod_status *__wrap_pod_status(const struct pod_desired *desired,
                                           const struct pod_observed *observed,
                                           const struct pod_memory *memory, struct pod_now now,
                                           struct arena *arena);

const struct pod_status *__wrap_pod_status(const struct pod_desired *desired,
                                           const struct pod_observed *observed,
                                           const struct pod_memory *memory, struct pod_now now,
                                           struct arena *arena)
{
    const struct pod_status *status = __real_pod_status(desired, observed, memory, now, arena);
    struct pod_status *wrong;

    if (memory->stage < POD_STAGE_ENDED ||
        !bug_shows(BUG_ENDS_ARE_TAKEN_BACK, desired->pod->object.metadata.uid))
        return status;
    wrong = arena_new(arena, struct pod_status);
    *wrong = *status;
    wrong->phase = "Running";
    return wrong;
}

static void remove_at_once(struct pod_plan *plan)
{
    array_for_each (operation, plan->memory.operations)
        if (operation->kind == POD_STOP_SANDBOX)
            operation->kind = POD_REMOVE_SANDBOX;
}

static void stop_sandboxes_first(const struct pod_observed *observed, struct pod_plan *plan)
{
    array_for_each (operation, plan->memory.operations)
        array_for_each (seen, observed->containers)
            if (operation->kind == POD_STOP && str_equal(operation->target, seen->id)) {
                operation->kind = POD_STOP_SANDBOX;
                operation->target = seen->sandbox_id;
            }
}

static void forget_crashes(struct pod_memory *memory)
{
    array_for_each (container, memory->containers)
        container->crash_delay = 0;
}

static void forget_delays(struct pod_memory *memory)
{
    memory->retries.count = 0;
    array_for_each (container, memory->containers)
        container->retry_at = 0;
}

static void tell_seen(const struct pod_observed *observed)
{
    static const char states[] = "CRXU"; /* created, running, exited, unknown */

    array_for_each (sandbox, observed->sandboxes)
        trace("    sees %s %s", sandbox->id, sandbox->ready ? "ready" : "not ready");
    array_for_each (container, observed->containers)
        trace("    sees %s %c", container->id, states[container->state]);
}

/* What led to what, for whoever reads the trace: only when there is something to do. */
static void tell_plan(const struct pod_desired *desired, const struct pod_observed *observed,
                      const struct pod_memory *memory, const struct pod_plan *plan)
{
    static const char *const stages[] = {"run", "end", "ended", "gone"};
    const char *uid = desired->pod ? desired->pod->object.metadata.uid : "of an orphan";

    if (!world->tracing || (!plan->actions.count && plan->memory.stage == memory->stage))
        return;
    trace("  plan %s, stage %s%s, by a look of %.3f s ago", uid, stages[plan->memory.stage],
          desired->removed ? ", removed" : "",
          (double)usec_sub(world_boottime(), observed->looked) / USEC_PER_SEC);
    tell_seen(observed);
    array_for_each (action, plan->actions)
        trace("    %s %s %s", pod_operation_name(action->kind), action->name, action->target);
}

void __wrap_pod_plan(const struct pod_desired *desired, const struct pod_observed *observed,
                     const struct pod_memory *memory, struct pod_now now, struct arena *arena,
                     struct pod_plan *plan)
{
    struct pod_memory before = *memory;

    assert_that(!bug_shows(BUG_PLAN_ASSERTS, "plan"));
    if (world->bug == BUG_RETRIES_AT_ONCE)
        forget_delays(&before);
    if (world->bug == BUG_NO_BACK_OFF)
        forget_crashes(&before);
    __real_pod_plan(desired, observed, &before, now, arena, plan);
    if (world->bug == BUG_REMOVES_AT_ONCE)
        remove_at_once(plan);
    if (world->bug == BUG_SANDBOXES_FIRST)
        stop_sandboxes_first(observed, plan);
    tell_plan(desired, observed, memory, plan);
}
