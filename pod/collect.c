/*
 * What a living pod does not need any more: of each container one dead record is kept (its last
 * state, its log), of the sandboxes the newest and those that hold such a record.
 */
#include "model.h"

static bool is_spare(const struct pod_observed *observed, const struct seen_container *seen)
{
    if (seen->state == POD_EXITED)
        return seen_newest_exited(observed, seen->name) != seen;
    return seen->state == POD_CREATED && seen_newest(observed, seen->name) != seen;
}

/* One that is to be removed as if it had never been is no record that could stand for others. */
static bool has_given_up(const struct planner *planner, const char *name)
{
    const struct pod_container_memory *memory = memory_find(planner->memory, name);

    return memory && !str_empty(memory->failed_id) &&
           seen_by_id(planner->observed, memory->failed_id);
}

static bool holds_containers(const struct pod_observed *observed,
                             const struct seen_sandbox *sandbox)
{
    array_for_each (seen, observed->containers)
        if (str_equal(seen->sandbox_id, sandbox->id))
            return true;
    return false;
}

static void collect_sandbox(struct planner *planner, const struct seen_sandbox *sandbox)
{
    enum pod_operation_kind kind = memory_sandbox_stopped(planner->memory, sandbox->id)
                                       ? POD_REMOVE_SANDBOX
                                       : POD_STOP_SANDBOX;

    if (!operation_find(planner, POD_STOP_SANDBOX, sandbox->id) &&
        !operation_find(planner, POD_REMOVE_SANDBOX, sandbox->id) &&
        retry_due(planner, kind, sandbox->id))
        operation_new(planner, kind, "", sandbox->id);
}

void plan_collect(struct planner *planner)
{
    const struct pod_observed *observed = planner->observed;

    array_for_each (seen, observed->containers)
        if (is_spare(observed, seen) && !has_given_up(planner, seen->name))
            remove_container(planner, seen);
    array_for_each (sandbox, observed->sandboxes)
        if (sandbox != observed->sandboxes.items && !sandbox->ready &&
            !holds_containers(observed, sandbox))
            collect_sandbox(planner, sandbox);
}
