/* The plan: what became of what was begun, which stage the pod is in, what to do next. */
#include "model.h"
#include "record.h"

static void remember_containers(struct planner *planner)
{
    const struct pod_spec *spec = &planner->desired->pod->spec;

    array_for_each (container, spec->init_containers)
        memory_container(planner, container->name);
    array_for_each (container, spec->containers)
        memory_container(planner, container->name);
    array_for_each (container, spec->ephemeral_containers)
        memory_container(planner, container->name);
}

static bool sandbox_exists(const struct planner *planner, const char *id)
{
    array_for_each (sandbox, planner->observed->sandboxes)
        if (str_equal(sandbox->id, id))
            return true;
    return false;
}

/* What was remembered of things that are gone. */
static void forget(struct planner *planner)
{
    struct pod_memory *memory = planner->memory;

    for (size_t i = memory->kills.count; i-- > 0;) {
        const struct seen_container *seen =
            seen_by_id(planner->observed, memory->kills.items[i].id);

        if (!seen || !seen_is_live(seen))
            remove_at(&memory->kills, i);
    }
    for (size_t i = memory->stopped_sandboxes.count; i-- > 0;)
        if (!sandbox_exists(planner, memory->stopped_sandboxes.items[i]))
            remove_at(&memory->stopped_sandboxes, i);
    for (size_t i = memory->retries.count; i-- > 0;) {
        const char *target = memory->retries.items[i].target;

        if (!str_empty(target) && !sandbox_exists(planner, target) &&
            !seen_by_id(planner->observed, target))
            remove_at(&memory->retries, i);
    }
    backoff_forget(planner);
}

/* stages */

static void shorten_grace(struct pod_memory *memory, int64_t seconds)
{
    seconds = MAX(seconds, POD_GRACE_MIN);
    if (!memory->grace_seconds || seconds < memory->grace_seconds)
        memory->grace_seconds = seconds;
}

static void end_pod(struct planner *planner)
{
    const struct pod *pod = planner->desired->pod;
    struct pod_memory *memory = planner->memory;

    if (pod && pod->object.metadata.deletion_grace_period_seconds.set)
        shorten_grace(memory, pod->object.metadata.deletion_grace_period_seconds.value);
    if (!memory->grace_seconds)
        shorten_grace(memory, pod ? pod_grace_seconds(pod) : POD_GRACE_MIN);
    memory->natural_end = false;
    if (memory->stage == POD_STAGE_RUN)
        enter_stage(planner, POD_STAGE_END);
}

/* By the boot clock, which nobody sets; after a boot, from what was published. */
static usec_t active_since(struct planner *planner)
{
    struct pod_memory *memory = planner->memory;
    const struct pod_status *published = memory->published;
    int64_t ago = 0;

    if (!memory->active_since) {
        if (published && published->start_time.set)
            ago = MAX(planner->now.wall - published->start_time.usec, 0);
        memory->active_since = MAX(usec_sub(planner->now.boot, (usec_t)ago), 1);
    }
    return memory->active_since;
}

static void check_deadline(struct planner *planner)
{
    const struct opt_int64 *limit = &planner->desired->pod->spec.active_deadline_seconds;
    usec_t end;

    if (!limit->set || planner->memory->stage != POD_STAGE_RUN)
        return;
    end = usec_add(active_since(planner), usec_mul(USEC_PER_SEC, (uint64_t)limit->value));
    if (planner->now.boot < end) {
        wake_at(planner, end);
        return;
    }
    planner->memory->end_reason = "DeadlineExceeded";
    planner->memory->end_message = "Pod was active on the node longer than the specified deadline";
    tell(planner, false, planner->memory->end_reason, NULL, "%s", planner->memory->end_message);
    end_pod(planner);
}

static void refuse(struct planner *planner)
{
    const struct pod_desired *desired = planner->desired;

    planner->memory->end_reason = desired->refusal_reason;
    planner->memory->end_message =
        arena_printf(planner->arena, "Pod was rejected: %s", desired->refusal_message);
    tell(planner, true, desired->refusal_reason, NULL, "%s", desired->refusal_message);
    enter_stage(planner, POD_STAGE_ENDED);
}

/* What was asked for in time may be made late, while the server is yet to be told of the end. */
static void come_back_from_gone(struct planner *planner)
{
    const struct pod_observed *observed = planner->observed;

    if (planner->memory->stage == POD_STAGE_GONE &&
        (observed->sandboxes.count || observed->containers.count))
        enter_stage(planner, POD_STAGE_ENDED);
}

static void choose_stage(struct planner *planner)
{
    const struct pod_desired *desired = planner->desired;
    struct pod_memory *memory = planner->memory;

    come_back_from_gone(planner);
    if (!pod_is_wanted(planner)) {
        memory->leaving = true;
        end_pod(planner);
    } else if (memory->stage == POD_STAGE_RUN && desired->refusal_reason) {
        refuse(planner);
    } else if (memory->stage == POD_STAGE_RUN && pod_is_over(planner)) {
        end_naturally(planner);
    } else {
        check_deadline(planner);
    }
}

/* explaining what is under way */

static void explain_operation(struct planner *planner, const struct pod_operation *operation)
{
    const char *container = str_empty(operation->name) ? NULL : operation->name;
    struct pod_blocker *blocker;

    if (planner->memory->stage == POD_STAGE_RUN &&
        (operation->kind == POD_REMOVE_CONTAINER || operation->kind == POD_REMOVE_SANDBOX))
        return; /* tidying up holds up nothing */
    blocker =
        block(planner, "Working", container, "%s%s",
              operation->progress ? operation->progress : pod_operation_name(operation->kind),
              operation->state == POD_OPERATION_UNKNOWN ? ": its outcome is not known yet" : "");
    blocker->since = operation->began;
}

static void explain(struct planner *planner)
{
    array_for_each (operation, planner->memory->operations)
        explain_operation(planner, operation);
    if (planner->observed->trouble)
        block(planner, "RuntimeTrouble", NULL, "the runtime cannot say how it is: %s",
              planner->observed->trouble);
}

static void collect_actions(struct planner *planner)
{
    array_for_each (operation, planner->memory->operations)
        if (operation->id >= planner->first_operation)
            *append(planner->arena, &planner->plan->actions) = *operation;
}

static void remember_probes(struct planner *planner)
{
    planner->memory->probes.items = planner->observed->probes.items;
    planner->memory->probes.count = planner->observed->probes.count;
}

void pod_plan(const struct pod_desired *desired, const struct pod_observed *observed,
              const struct pod_memory *memory, struct pod_now now, struct arena *arena,
              struct pod_plan *plan)
{
    struct planner planner = {
        .desired = desired,
        .observed = observed,
        .now = now,
        .arena = arena,
        .plan = plan,
        .memory = &plan->memory,
        .first_operation = memory->next_operation,
    };

    *plan = (struct pod_plan){.wake = USEC_NEVER};
    schema_copy(&pod_memory_schema, planner.memory, memory, arena);
    if (!observed->looked) {
        block(&planner, "FirstLook", NULL, "the runtime has not been looked at yet");
        explain(&planner);
        return;
    }
    if (desired->pod)
        remember_containers(&planner);
    remember_probes(&planner);
    settle(&planner);
    forget(&planner);
    choose_stage(&planner);
    if (planner.memory->stage == POD_STAGE_RUN && !desired->waits_for)
        plan_run(&planner);
    if (planner.memory->stage == POD_STAGE_END || planner.memory->stage == POD_STAGE_ENDED)
        plan_end(&planner);
    else if (planner.memory->stage == POD_STAGE_RUN)
        plan_collect(&planner);
    if (desired->waits_for && planner.memory->stage == POD_STAGE_RUN)
        block(&planner, "NameInUse", NULL,
              "waits until the pod that had its name before (%s) ended", desired->waits_for);
    explain(&planner);
    collect_actions(&planner);
}
