/* Deliberate bugs in the plan, by way of the linker: the shipping one is called in between. */
#include "bugs.h"
#include "nodeagent/pod.h"

void __real_pod_plan(const struct pod_desired *desired, const struct pod_observed *observed,
                     const struct pod_memory *memory, struct pod_now now, struct arena *arena,
                     struct pod_plan *plan);
void __wrap_pod_plan(const struct pod_desired *desired, const struct pod_observed *observed,
                     const struct pod_memory *memory, struct pod_now now, struct arena *arena,
                     struct pod_plan *plan);

static void remove_at_once(struct pod_plan *plan)
{
    array_for_each (operation, plan->memory.operations)
        if (operation->kind == POD_STOP_SANDBOX)
            operation->kind = POD_REMOVE_SANDBOX;
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
}
