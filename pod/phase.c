/* The phase of a pod: one word for all its containers. */
#include "status.h"

bool pod_phase_is_final(const char *phase)
{
    return str_equal(phase, "Succeeded") || str_equal(phase, "Failed");
}

struct counts {
    size_t unknown, running, waiting, stopped, succeeded, restartable;
    size_t init_pending, init_failed, sidecar_pending;
};

/* Static pods have no final word at their end: only what they are said to be counts. */
static bool may_restart(const struct reporter *reporter, struct pod_container_ref ref,
                        const struct state_terminated *ended)
{
    bool runs = reporter->memory->stage == POD_STAGE_RUN;

    if (runs && (reporter->memory->restart_all ||
                 memory_restart_due(reporter->memory, ref.container->name) ||
                 str_equal(ended->reason, "RestartingAllContainers")))
        return true;
    return (runs || reporter->desired->static_pod) &&
           restart_wanted(reporter->pod, ref, ended->exit_code);
}

static void count_init(const struct reporter *reporter, struct pod_container_ref ref,
                       const struct container_status *status, struct counts *counts)
{
    const struct state_terminated *ended =
        status->state.terminated ? status->state.terminated
                                 : (status->state.waiting ? status->last_state.terminated : NULL);

    if (!ended)
        counts->init_pending++;
    else if (ended->exit_code && !may_restart(reporter, ref, ended))
        counts->init_failed++;
}

static void count_sidecar(const struct container_status *status, struct counts *counts)
{
    if (status->state.running)
        counts->sidecar_pending += status->started != OPT_TRUE;
    else if (status->state.waiting && !status->last_state.terminated)
        counts->sidecar_pending++;
}

static void count_regular(const struct reporter *reporter, struct pod_container_ref ref,
                          const struct container_status *status, struct counts *counts)
{
    const struct state_terminated *last = status->last_state.terminated;

    if (status->state.running) {
        counts->running++;
    } else if (status->state.terminated) {
        counts->stopped++;
        counts->succeeded += !status->state.terminated->exit_code;
        counts->restartable += may_restart(reporter, ref, status->state.terminated);
    } else if (last) {
        counts->stopped++;
        counts->restartable += may_restart(reporter, ref, last);
    } else {
        counts->waiting++;
    }
}

static struct counts count_all(const struct reporter *reporter)
{
    struct counts counts = {0};

    array_for_each (status, reporter->status->init_container_statuses) {
        struct pod_container_ref ref = pod_container_find(reporter->pod, status->name);

        if (ref.kind == POD_CONTAINER_SIDECAR)
            count_sidecar(status, &counts);
        else
            count_init(reporter, ref, status, &counts);
    }
    array_for_each (status, reporter->status->container_statuses)
        count_regular(reporter, pod_container_find(reporter->pod, status->name), status, &counts);
    return counts;
}

/* Does the sandbox that is up hold a regular container? */
static bool has_initialized(const struct reporter *reporter)
{
    const struct seen_sandbox *sandbox = reporter->observed->sandboxes.items;

    if (!reporter->observed->sandboxes.count || !sandbox->ready)
        return false;
    array_for_each (seen, reporter->observed->containers)
        if (str_equal(seen->sandbox_id, sandbox->id) &&
            pod_container_find(reporter->pod, seen->name).kind == POD_CONTAINER_REGULAR)
            return true;
    return false;
}

static const char *phase_of_stopped(const struct reporter *reporter, const struct counts *counts)
{
    bool all_succeeded = counts->succeeded == counts->stopped;

    if (reporter->ended && !reporter->desired->static_pod)
        return all_succeeded ? "Succeeded" : "Failed";
    if (counts->restartable)
        return "Running";
    return all_succeeded ? "Succeeded" : "Failed";
}

const char *report_phase(const struct reporter *reporter)
{
    struct counts counts = count_all(reporter);

    if (counts.init_failed)
        return "Failed";
    if (counts.init_pending || (counts.sidecar_pending && !has_initialized(reporter)))
        return "Pending";
    if (counts.waiting)
        return "Pending";
    if (counts.running)
        return "Running";
    if (counts.stopped)
        return phase_of_stopped(reporter, &counts);
    return "Pending";
}
