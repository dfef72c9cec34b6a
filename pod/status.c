/* What to say of a pod. */
#include "status.h"

#include <string.h>

static bool is_ipv6(const char *ip)
{
    return strchr(ip, ':') != NULL;
}

/* One of each family at most, the node's own family first. */
static void report_sandbox_ips(struct reporter *reporter, const struct seen_sandbox *sandbox)
{
    const struct pod_status *status = reporter->status;
    bool first =
        status->host_ip ? is_ipv6(status->host_ip) : sandbox->ip_count && is_ipv6(sandbox->ips[0]);

    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < sandbox->ip_count; i++)
            if (is_ipv6(sandbox->ips[i]) == (pass ? !first : first)) {
                append(reporter->arena, &reporter->status->pod_ips)->ip =
                    arena_strdup(reporter->arena, sandbox->ips[i]);
                break;
            }
}

static void report_addresses(struct reporter *reporter)
{
    struct pod_status *status = reporter->status;
    const struct pod_observed *observed = reporter->observed;
    const char *const *node_ips = reporter->desired->node_ips;

    for (size_t i = 0; node_ips && node_ips[i]; i++)
        append(reporter->arena, &status->host_ips)->ip = node_ips[i];
    if (status->host_ips.count)
        status->host_ip = status->host_ips.items[0].ip;
    if (!reporter->pod->spec.host_network && observed->sandboxes.count &&
        observed->sandboxes.items->ready)
        report_sandbox_ips(reporter, observed->sandboxes.items);
    if (!status->pod_ips.count)
        status->pod_ips = reporter->previous->pod_ips; /* of a sandbox that was stopped */
    if (!status->pod_ips.count && reporter->pod->spec.host_network)
        for (size_t i = 0; i < status->host_ips.count; i++) /* they stay when the node's change */
            *append(reporter->arena, &status->pod_ips) = status->host_ips.items[i];
    if (status->pod_ips.count)
        status->pod_ip = status->pod_ips.items[0].ip;
}

static void report_refused(struct reporter *reporter)
{
    reporter->status->phase = "Failed";
    reporter->status->reason = reporter->memory->end_reason;
    reporter->status->message = reporter->memory->end_message;
}

/* Was it turned away before anything of it was started? */
static bool was_refused(const struct reporter *reporter)
{
    return reporter->memory->end_reason && !reporter->memory->admitted;
}

static void choose_phase(struct reporter *reporter)
{
    struct pod_status *status = reporter->status;
    const struct pod_status *previous = reporter->previous;

    status->phase = report_phase(reporter);
    if (reporter->ended && !pod_phase_is_final(status->phase)) {
        if (!reporter->desired->static_pod)
            status->phase = "Failed";
        else if (!str_empty(previous->phase))
            status->phase = previous->phase; /* it keeps the one it had */
    }
    if (pod_phase_is_final(previous->phase))
        status->phase = previous->phase;
    if (str_equal(status->phase, previous->phase)) {
        status->reason = previous->reason;
        status->message = previous->message;
    }
    if (reporter->ended && reporter->memory->end_reason &&
        (!str_equal(status->phase, "Succeeded") ||
         str_equal(reporter->memory->end_reason, "DeadlineExceeded"))) {
        status->phase = "Failed";
        status->reason = reporter->memory->end_reason;
        status->message = reporter->memory->end_message;
    }
    /* A phase that is final is not told before everything was stopped. */
    if (pod_phase_is_final(status->phase) && !pod_phase_is_final(previous->phase) &&
        !reporter->ended)
        status->phase = str_empty(previous->phase) ? "Running" : previous->phase;
}

/* Before anything of our own was published, what the API has is what was. */
static const struct pod_status *status_before(const struct pod_desired *desired,
                                              const struct pod_memory *memory)
{
    static const struct pod_status none;

    if (memory->published)
        return memory->published;
    return desired->static_pod ? &none : &desired->pod->status;
}

static void reporter_init(struct reporter *reporter, const struct pod_desired *desired,
                          const struct pod_observed *observed, const struct pod_memory *memory,
                          struct pod_now now, struct arena *arena)
{
    *reporter = (struct reporter){
        .desired = desired,
        .pod = desired->pod,
        .observed = observed,
        .memory = memory,
        .now = now,
        .arena = arena,
        .previous = status_before(desired, memory),
        .status = arena_new(arena, struct pod_status),
        .ended = memory->stage >= POD_STAGE_ENDED,
    };
}

bool pod_is_over(const struct planner *planner)
{
    const struct pod *pod = planner->desired->pod;
    struct reporter reporter;

    reporter_init(&reporter, planner->desired, planner->observed, planner->memory, planner->now,
                  planner->arena);
    if (pod_phase_is_final(reporter.previous->phase))
        return true;
    /* What the API says counts until this agent knows better: somebody may write anything there. */
    if (!planner->desired->static_pod && !planner->memory->published &&
        pod_phase_is_final(pod->status.phase))
        return true;
    /* Whatever statuses say of the life before, what was created for another is not over. */
    if (operation_any(planner, POD_START) || any_regular_created(planner))
        return false;
    report_containers(&reporter);
    return pod_phase_is_final(report_phase(&reporter));
}

const struct pod_status *pod_status(const struct pod_desired *desired,
                                    const struct pod_observed *observed,
                                    const struct pod_memory *memory, struct pod_now now,
                                    struct arena *arena)
{
    struct reporter reporter;
    struct pod_status *status;

    reporter_init(&reporter, desired, observed, memory, now, arena);
    status = reporter.status;
    status->qos_class = pod_qos_class(desired->pod);
    status->observed_generation =
        MAX(desired->pod->object.metadata.generation, reporter.previous->observed_generation);
    status->start_time = reporter.previous->start_time.set
                             ? reporter.previous->start_time
                             : (struct opt_time){.usec = now.wall, .set = true};
    if (was_refused(&reporter)) {
        report_refused(&reporter);
        return status;
    }
    report_addresses(&reporter);
    report_containers(&reporter);
    choose_phase(&reporter);
    if (reporter.ended)
        report_all_ends(&reporter);
    report_conditions(&reporter);
    return status;
}

/* explaining */

static void explain_probe(struct planner *planner, const char *reason, const char *container,
                          const char *probe, const char *text)
{
    if (text)
        block(planner, reason, container, "%s probe %s", probe, text);
    else
        block(planner, reason, container, "its %s probe has not succeeded yet", probe);
}

static void explain_container(const struct container_status *status, const struct pod *pod,
                              struct planner *planner)
{
    const struct container *container = pod_container_find(pod, status->name).container;
    const struct seen_probes *probes = seen_probes_of(planner->observed, status->name);

    if (status->ready || !status->state.running || !container)
        return;
    if (status->started != OPT_TRUE)
        explain_probe(planner, "StartupProbe", status->name, "startup",
                      probes ? probes->startup_text : NULL);
    else
        explain_probe(planner, "ReadinessProbe", status->name, "readiness",
                      probes ? probes->readiness_text : NULL);
}

void pod_explain(const struct pod_desired *desired, const struct pod_observed *observed,
                 const struct pod_status *status, struct arena *arena, struct pod_plan *plan)
{
    struct planner planner = {.observed = observed, .arena = arena, .plan = plan};

    array_for_each (container, status->container_statuses)
        explain_container(container, desired->pod, &planner);
    array_for_each (condition, status->conditions)
        if (str_equal(condition->type, "Ready") &&
            str_equal(condition->reason, "ReadinessGatesNotReady"))
            block(&planner, condition->reason, NULL, "%s", condition->message);
    if (!str_empty(status->reason))
        block(&planner, status->reason, NULL, "%s", status->message ? status->message : "");
}
