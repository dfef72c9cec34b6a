/* Planning a pod: the core decides, the record is written, and only then is anything begun. */
#include "shell.h"

#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/log.h"

#include <stdlib.h>

static void plan_soon(struct agent *agent)
{
    if (!agent->plan_posted)
        loop_post(agent->parts.loop, &agent->plan_post);
    agent->plan_posted = true;
}

void pod_touch(struct agent_pod *pod)
{
    if (!list_empty(&pod->dirty))
        return;
    list_push_back(&pod->agent->dirty, &pod->dirty);
    plan_soon(pod->agent);
}

void pods_touch_all(struct agent *agent)
{
    struct map_entry *entry;

    for (size_t at = 0; (entry = map_next(&agent->pods, &at));)
        pod_touch(entry->value);
}

void pods_touch_waiting(struct agent *agent)
{
    struct map_entry *entry;

    for (size_t at = 0; (entry = map_next(&agent->pods, &at));) {
        struct agent_pod *pod = entry->value;
        bool waits = !pod->planned;

        array_for_each (operation, pod->memory.operations)
            waits = waits || operation->state != POD_OPERATION_INTENDED;
        if (waits)
            pod_touch(pod);
    }
}

static void tell_events(struct agent_pod *pod, const struct pod_plan *plan)
{
    array_for_each (event, plan->events)
        pod_event(pod, event->container, event->warning, event->reason, event->message);
}

static const char *network_blocker(const struct pod_blocker *items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (str_equal(items[i].reason, "NetworkNotReady"))
            return items[i].text;
    return NULL;
}

/* Only a change is news, and what a runtime says that does not answer is none. */
static void tell_network(struct agent_pod *pod, const struct pod_plan *plan)
{
    const char *before = network_blocker(pod->blockers.items, pod->blockers.count),
               *text = network_blocker(plan->blockers.items, plan->blockers.count);

    if (text && !str_equal(before, text) && !runtime_state_trouble(pod->agent->runtime))
        pod_event(pod, NULL, true, "NetworkNotReady", text);
}

static void keep_blockers(struct agent_pod *pod, struct arena *arena, const struct pod_plan *plan)
{
    pod->blockers.items = arena_array(arena, struct pod_blocker, plan->blockers.count);
    pod->blockers.count = plan->blockers.count;
    for (size_t i = 0; i < plan->blockers.count; i++) {
        const struct pod_blocker *blocker = &plan->blockers.items[i];

        pod->blockers.items[i] = *blocker;
        pod->blockers.items[i].reason = arena_strdup(arena, blocker->reason);
        pod->blockers.items[i].text = arena_strdup(arena, blocker->text);
        if (blocker->container)
            pod->blockers.items[i].container = arena_strdup(arena, blocker->container);
    }
}

/* What is kept of a plan lives in an arena of its own, of just the size it needs. */
static void keep(struct agent_pod *pod, const struct pod_memory *memory,
                 const struct pod_plan *plan)
{
    struct arena arena = ARENA_INIT(1024, 1024);
    struct pod_memory copy;

    pod_memory_copy(&copy, memory, &arena);
    keep_blockers(pod, &arena, plan);
    arena_deinit(&pod->arena);
    pod->arena = arena;
    pod->memory = copy;
}

static bool has_started(const struct pod_status *status, const char *name)
{
    array_for_each (container, status->container_statuses)
        if (str_equal(container->name, name))
            return container->started == OPT_TRUE;
    return false;
}

/* Is it ready no more, and nothing told with it that the next agent would have to know? */
static bool is_only_worse(const struct pod_status *before, const struct pod_status *after)
{
    if (!after || !pod_is_ready(before) || pod_is_ready(after) || pod_phase_is_final(after->phase))
        return false;
    array_for_each (container, after->container_statuses)
        if (container->started == OPT_TRUE && !has_started(before, container->name))
            return false;
    return true;
}

/* Nothing is begun of a plan that could not be recorded, but a pod that is not ready any more is to
 * get no requests. */
static void tell_what_was_seen(struct agent_pod *pod, const struct pod_plan *plan)
{
    struct pod_memory memory = pod->memory;

    if (!is_only_worse(memory.published, plan->memory.published))
        return;
    memory.published = plan->memory.published;
    keep(pod, &memory, plan);
    cluster_report(pod);
}

static bool same_probes(const struct pod_memory *a, const struct pod_memory *b)
{
    bool same = a->probes.count == b->probes.count;

    for (size_t i = 0; same && i < a->probes.count; i++) {
        const struct seen_probes *one = &a->probes.items[i], *other = &b->probes.items[i];

        same = str_equal(one->id, other->id) && one->startup == other->startup &&
               one->liveness == other->liveness && one->readiness == other->readiness;
    }
    return same;
}

/* Does it begin something that has to be on record, or end what only the record tells of? That a
 * pod is to go is one such thing: when its manifest is back, the next agent must not take it for
 * ended. What probes found is another. So is its outcome, which is told next and then stands. */
static bool needs_record(const struct pod_memory *before, const struct pod_plan *plan)
{
    if (plan->memory.leaving && !before->leaving)
        return true;
    if (plan->memory.stage >= POD_STAGE_ENDED && before->stage < POD_STAGE_ENDED)
        return true;
    if (!same_probes(before, &plan->memory))
        return true;
    array_for_each (action, plan->actions)
        if (pod_operation_needs_record(action->kind))
            return true;
    array_for_each (operation, before->operations)
        if (operation->state != POD_OPERATION_INTENDED &&
            pod_operation_needs_record(operation->kind) &&
            !pod_operation_needs_look(operation->kind))
            return true;
    return false;
}

static bool put_on_record(struct agent_pod *pod, const struct pod_plan *plan)
{
    if (!needs_record(&pod->memory, plan)) {
        record_write_soon(pod);
        return true;
    }
    if (record_write(pod, &plan->memory))
        return true;
    wheel_arm(pod->agent->parts.wheel, &pod->timer, usec_add(clock_boottime(), RECORD_RETRY_USEC));
    return false;
}

/* While something changes in the runtime, it is looked at often. */
static void expect(struct agent_pod *pod, bool expecting)
{
    if (expecting && !pod->expecting)
        cri_cache_expect(pod->agent->cache, pod->uid);
    else if (!expecting && pod->expecting)
        cri_cache_expect_no_more(pod->agent->cache, pod->uid);
    pod->expecting = expecting;
}

static bool changes_runtime(const struct pod_memory *memory)
{
    array_for_each (operation, memory->operations)
        if (pod_operation_needs_look(operation->kind))
            return true;
    return false;
}

static void carry_out(struct agent_pod *pod, const struct pod_plan *plan)
{
    uint64_t first = plan->actions.count ? plan->actions.items[0].id : UINT64_MAX;

    tasks_cancel_stale(pod);
    expect(pod, changes_runtime(&pod->memory));
    wheel_arm(pod->agent->parts.wheel, &pod->timer, plan->wake);
    for (size_t i = 0; i < pod->memory.operations.count; i++)
        if (pod->memory.operations.items[i].id >= first)
            tasks_begin(pod, &pod->memory.operations.items[i]);
}

/* The core's answer, of which nothing is begun yet. */
static void ask_core(struct agent_pod *pod, const struct pod_observed *observed,
                     struct arena *arena, struct pod_plan *plan)
{
    struct pod_now now = {.boot = clock_boottime(), .wall = (int64_t)clock_wall()};
    struct pod_desired desired;

    pod_desire(pod, arena, &desired);
    pod_plan(&desired, observed, &pod->memory, now, arena, plan);
    if (!desired.pod || !observed->looked)
        return;
    plan->memory.published = pod_status(&desired, observed, &plan->memory, now, arena);
    pod_explain(&desired, observed, plan->memory.published, arena, plan);
}

/* By the source that it is from, which has not told all that it has: until then nothing is
 * planned. */
static bool may_be_told_of_yet(const struct agent_pod *pod)
{
    const struct cri_pod *seen;

    if (pod->object)
        return false;
    seen = cri_cache_pod(pod->agent->cache, pod->uid);
    return !pods_source_is_complete(
        pod->agent, seen && seen->sandboxes.count ? seen->sandboxes.items[0].config_source : NULL);
}

void pod_explain_now(struct agent_pod *pod, struct arena *arena, struct pod_plan *plan)
{
    struct pod_observed observed;

    if (may_be_told_of_yet(pod)) {
        *plan = (struct pod_plan){0};
        plan->blockers.items = pod->blockers.items;
        plan->blockers.count = pod->blockers.count;
        return;
    }
    pod_observe(pod, arena, &observed);
    ask_core(pod, &observed, arena, plan);
}

/* It is gone from here, and is forgotten when the server has forgotten it. */
static bool is_known_to_the_server(const struct agent_pod *pod)
{
    return pod->source == &pod->agent->cluster_pods && pod->object && !pod->removed;
}

static void plan_one(struct agent_pod *pod)
{
    struct agent *agent = pod->agent;
    struct arena *arena = &agent->scratch;
    struct pod_observed observed;
    struct pod_plan plan;

    if (may_be_told_of_yet(pod))
        return;
    pod_observe(pod, arena, &observed);
    pod_judge(pod, &observed);
    ask_core(pod, &observed, arena, &plan);
    pod->planned = pod->planned || observed.looked;
    if (plan.memory.stage == POD_STAGE_GONE && !is_known_to_the_server(pod)) {
        tell_events(pod, &plan);
        expect(pod, false);
        pod_gone(pod);
    } else if (put_on_record(pod, &plan)) {
        tell_events(pod, &plan);
        tell_network(pod, &plan);
        keep(pod, &plan.memory, &plan);
        carry_out(pod, &plan);
        pod_probe(pod, arena, &observed);
        cluster_report(pod);
        pod->checkpoint_due = true;
        pod_follow_volumes(pod, &observed);
    } else {
        tell_what_was_seen(pod, &plan);
    }
}

/* Told once: from now on the agent knows what there is, and has decided what to do about it. */
static void note_all_planned(struct agent *agent)
{
    struct map_entry *entry;

    if (agent->all_planned || !agent_is_settled(agent))
        return;
    for (size_t at = 0; (entry = map_next(&agent->pods, &at));)
        if (!((struct agent_pod *)entry->value)->planned)
            return;
    agent->all_planned = true;
    log_info("took up %zu pods, %llu ms after the start", map_count(&agent->pods),
             (unsigned long long)(usec_sub(clock_boottime(), agent->began) / USEC_PER_MSEC));
}

void planning_post(struct loop_post *post)
{
    struct agent *agent = container_of(post, struct agent, plan_post);

    agent->plan_posted = false;
    if (agent->finished)
        return;
    for (unsigned i = 0; i < PLANS_PER_TURN && !list_empty(&agent->dirty); i++) {
        struct agent_pod *pod = list_first(&agent->dirty, struct agent_pod, dirty);

        list_unlink(&pod->dirty);
        plan_one(pod);
        arena_deinit(&agent->scratch);
    }
    if (!list_empty(&agent->dirty))
        plan_soon(agent);
    else
        note_all_planned(agent);
}
