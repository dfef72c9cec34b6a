/*
 * A pod that ends: everything is stopped, its volumes are removed, and once no source has it,
 * everything is.
 */
#include "model.h"

void enter_stage(struct planner *planner, enum pod_stage stage)
{
    planner->memory->stage = stage;
    planner->memory->stage_began = planner->now.boot;
    planner->memory->restart_all = planner->memory->all_removed = false;
}

void end_naturally(struct planner *planner)
{
    planner->memory->natural_end = true;
    enter_stage(planner, POD_STAGE_END);
}

/* Their outcome does not matter any more; whoever does them is told by their absence. */
static void abandon(struct planner *planner, enum pod_operation_kind kind)
{
    struct pod_memory *memory = planner->memory;

    for (size_t i = memory->operations.count; i-- > 0;)
        if (memory->operations.items[i].kind == kind)
            remove_at(&memory->operations, i);
}

static bool has_sandbox(const struct planner *planner, const struct seen_container *seen)
{
    array_for_each (sandbox, planner->observed->sandboxes)
        if (str_equal(sandbox->id, seen->sandbox_id))
            return true;
    return false;
}

/* The others go with their sandbox. */
static bool remove_stray_containers(struct planner *planner)
{
    bool busy = operation_any(planner, POD_REMOVE_CONTAINER);

    array_for_each (seen, planner->observed->containers)
        if (!has_sandbox(planner, seen) && remove_container(planner, seen))
            busy = true;
    return busy;
}

static bool remove_all_sandboxes(struct planner *planner)
{
    array_for_each (sandbox, planner->observed->sandboxes)
        if (!operation_find(planner, POD_REMOVE_SANDBOX, sandbox->id) &&
            retry_due(planner, POD_REMOVE_SANDBOX, sandbox->id))
            operation_new(planner, POD_REMOVE_SANDBOX, "", sandbox->id);
    return planner->observed->sandboxes.count > 0;
}

static void plan_files(struct planner *planner, enum pod_operation_kind kind)
{
    if (!operation_any(planner, kind) && retry_due(planner, kind, ""))
        operation_new(planner, kind, "", "");
}

bool pod_is_wanted(const struct planner *planner)
{
    const struct pod *pod = planner->desired->pod;

    return pod && !planner->desired->removed && !pod->object.metadata.deletion_timestamp.set;
}

void plan_end(struct planner *planner)
{
    bool orphan = !planner->desired->pod;
    struct stop stop = {
        .grace_seconds = orphan                         ? POD_GRACE_MIN
                         : planner->memory->natural_end ? -1
                                                        : planner->memory->grace_seconds,
        .hooks = orphan ? STOP_WITHOUT_HOOKS : STOP_WITH_HOOKS,
    };

    abandon(planner, POD_PREPARE);
    abandon(planner, POD_IMAGE);
    abandon(planner, POD_POST_START);
    if (stop_all_containers(planner, &stop) || stop_all_sandboxes(planner))
        return;
    if (planner->memory->stage == POD_STAGE_END)
        enter_stage(planner, POD_STAGE_ENDED);
    if (pod_is_wanted(planner)) {
        plan_collect(planner);
        if (!planner->observed->released)
            plan_files(planner, POD_RELEASE);
        return;
    }
    if (remove_stray_containers(planner) || remove_all_sandboxes(planner))
        return;
    if (planner->observed->cleaned)
        enter_stage(planner, POD_STAGE_GONE);
    else
        plan_files(planner, POD_CLEAN);
}
