/* The conditions of a pod, and when each last changed. */
#include "status.h"

struct verdict {
    bool holds;
    const char *reason;
    const char *message;
};

static const struct verdict holds = {.holds = true};

static const struct pod_condition *previous_condition(const struct reporter *reporter,
                                                      const char *type)
{
    array_for_each (condition, reporter->previous->conditions)
        if (str_equal(condition->type, type))
            return condition;
    return NULL;
}

/* Others write theirs into the API's copy; a static pod has none but its own. */
static const struct pod_condition *others_condition(const struct reporter *reporter,
                                                    const char *type)
{
    if (reporter->desired->static_pod)
        return previous_condition(reporter, type);
    array_for_each (condition, reporter->pod->status.conditions)
        if (str_equal(condition->type, type))
            return condition;
    return NULL;
}

static void add_condition(struct reporter *reporter, const char *type, struct verdict verdict)
{
    const struct pod_condition *previous = previous_condition(reporter, type);
    struct pod_condition *condition = append(reporter->arena, &reporter->status->conditions);

    *condition = (struct pod_condition){
        .type = type,
        .status = verdict.holds ? "True" : "False",
        .reason = verdict.reason,
        .message = verdict.message,
        .observed_generation = reporter->pod->object.metadata.generation,
        .last_transition_time = {.usec = reporter->now.wall, .set = true},
    };
    if (previous && str_equal(previous->status, condition->status))
        condition->last_transition_time = previous->last_transition_time;
}

static const char *name_list(struct reporter *reporter, const char *what, struct string_list names)
{
    struct strbuf text = STRBUF_INIT;
    const char *result;

    strbuf_printf(&text, "containers with %s status: [", what);
    for (size_t i = 0; i < names.count; i++)
        strbuf_printf(&text, "%s%s", i ? " " : "", names.items[i]);
    strbuf_add_char(&text, ']');
    result = arena_strdup(reporter->arena, text.text);
    strbuf_deinit(&text);
    return result;
}

static bool is_sidecar(const struct reporter *reporter, const char *name)
{
    return pod_container_find(reporter->pod, name).kind == POD_CONTAINER_SIDECAR;
}

static bool was_true(const struct reporter *reporter, const char *type)
{
    const struct pod_condition *previous = previous_condition(reporter, type);

    return previous && str_equal(previous->status, "True");
}

/* All containers are made anew, but the pod is not. */
static bool is_restarted(const struct reporter *reporter)
{
    if (reporter->memory->restart_all)
        return true;
    array_for_each (container, reporter->status->container_statuses)
        if (container->state.waiting &&
            str_equal(container->state.waiting->reason, "RestartingAllContainers"))
            return true;
    return false;
}

static struct verdict initialized(struct reporter *reporter)
{
    const struct pod_status *status = reporter->status;
    struct string_list incomplete = {0};

    if (str_equal(status->phase, "Succeeded"))
        return (struct verdict){.holds = true, .reason = "PodCompleted"};
    array_for_each (container, status->container_statuses)
        if (container->state.running || container->state.terminated)
            return holds;
    if (is_restarted(reporter) && was_true(reporter, "Initialized"))
        return holds;
    array_for_each (container, status->init_container_statuses) {
        bool through = is_sidecar(reporter, container->name) ? container->started == OPT_TRUE
                                                             : container->ready;

        if (!through)
            *append(reporter->arena, &incomplete) = container->name;
    }
    if (!incomplete.count)
        return holds;
    return (struct verdict){
        .reason = "ContainersNotInitialized",
        .message = name_list(reporter, "incomplete", incomplete),
    };
}

static struct verdict containers_ready(struct reporter *reporter)
{
    const struct pod_status *status = reporter->status;
    struct string_list unready = {0};

    if (str_equal(status->phase, "Succeeded"))
        return (struct verdict){.reason = "PodCompleted"};
    if (str_equal(status->phase, "Failed"))
        return (struct verdict){.reason = "PodFailed"};
    array_for_each (container, status->init_container_statuses)
        if (is_sidecar(reporter, container->name) && !container->ready)
            *append(reporter->arena, &unready) = container->name;
    array_for_each (container, reporter->pod->spec.containers)
        if (!status_of(&status->container_statuses, container->name)->ready)
            *append(reporter->arena, &unready) = container->name;
    if (!unready.count)
        return holds;
    return (struct verdict){
        .reason = "ContainersNotReady",
        .message = name_list(reporter, "unready", unready),
    };
}

static struct verdict gates(struct reporter *reporter, struct verdict containers)
{
    struct strbuf missing = STRBUF_INIT;
    struct verdict verdict = {.reason = "ReadinessGatesNotReady"};

    if (!containers.holds)
        return containers;
    array_for_each (gate, reporter->pod->spec.readiness_gates) {
        const struct pod_condition *condition = others_condition(reporter, gate->condition_type);

        if (condition && str_equal(condition->status, "True"))
            continue;
        if (missing.length)
            strbuf_add(&missing, ", ");
        if (condition)
            strbuf_printf(&missing,
                          "the status of pod readiness gate \"%s\" is not \"True\", but %s",
                          gate->condition_type, condition->status);
        else
            strbuf_printf(&missing,
                          "corresponding condition of pod readiness gate \"%s\" does not exist.",
                          gate->condition_type);
    }
    if (missing.length)
        verdict.message = arena_strdup(reporter->arena, missing.text);
    else
        verdict = holds;
    strbuf_deinit(&missing);
    return verdict;
}

static bool has_restart_all_rule(const struct container_list *containers)
{
    array_for_each (container, *containers)
        array_for_each (rule, container->restart_policy_rules)
            if (str_equal(rule->action, "RestartAllContainers"))
                return true;
    return false;
}

static struct verdict restarting_all(const struct reporter *reporter)
{
    if (reporter->memory->restart_all)
        return (struct verdict){
            .holds = true,
            .reason = "RestartAllContainersStarted",
            .message = "container exited with restart policy rule",
        };
    if (str_equal(reporter->status->phase, "Succeeded"))
        return (struct verdict){.reason = "PodCompleted"};
    if (str_equal(reporter->status->phase, "Failed"))
        return (struct verdict){.reason = "PodFailed"};
    return (struct verdict){0};
}

static void keep_others(struct reporter *reporter)
{
    static const char *const ours[] = {
        "PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled",
        "AllContainersRestarting",   NULL};
    const struct pod_status *from =
        reporter->desired->static_pod ? reporter->previous : &reporter->pod->status;

    array_for_each (condition, from->conditions)
        if (!str_one_of(condition->type, ours))
            *append(reporter->arena, &reporter->status->conditions) = *condition;
}

void report_conditions(struct reporter *reporter)
{
    const struct pod_spec *spec = &reporter->pod->spec;
    struct sandbox_choice choice = sandbox_choose(reporter->pod, reporter->observed);
    struct verdict containers = containers_ready(reporter);

    keep_others(reporter);
    add_condition(reporter, "PodReadyToStartContainers",
                  (struct verdict){.holds = choice.keep != NULL});
    add_condition(reporter, "Initialized", initialized(reporter));
    add_condition(reporter, "Ready", gates(reporter, containers));
    add_condition(reporter, "ContainersReady", containers);
    add_condition(reporter, "PodScheduled", holds);
    if (has_restart_all_rule(&spec->containers) || has_restart_all_rule(&spec->init_containers)) {
        add_condition(reporter, "AllContainersRestarting", restarting_all(reporter));
        reporter->status->conditions.items[reporter->status->conditions.count - 1]
            .observed_generation = 0;
    }
}
