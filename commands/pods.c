/*
 * What is said of a pod in one line. READY, STATUS and RESTARTS are worked out as the API server
 * does for kubectl (printPod in pkg/printers/internalversion), so that the words are the ones
 * people know.
 */
#include "pods.h"
#include "client.h"

#include <string.h>

static bool condition_is(const struct pod_status *status, const char *type, const char *value)
{
    array_for_each (condition, status->conditions)
        if (str_equal(condition->type, type))
            return str_equal(condition->status, value);
    return false;
}

static const struct container *find_container(const struct container_list *list, const char *name)
{
    array_for_each (container, *list)
        if (str_equal(container->name, name))
            return container;
    return NULL;
}

/* An init container that stays: a sidecar. */
static bool is_sidecar(const struct container *container)
{
    return container && str_equal(container->restart_policy, "Always");
}

static void count_restarts(struct pod_summary *summary, const struct container_status *container)
{
    const struct state_terminated *last = container->last_state.terminated;

    summary->restarts += container->restart_count;
    if (last && last->finished_at.set &&
        (!summary->last_restart.set || last->finished_at.usec > summary->last_restart.usec))
        summary->last_restart = last->finished_at;
}

static void set_word(struct strbuf *status, const char *word)
{
    strbuf_truncate(status, 0);
    strbuf_add(status, word);
}

static void set_end(struct strbuf *status, const char *prefix, const struct state_terminated *end)
{
    set_word(status, prefix);
    if (!str_empty(end->reason))
        strbuf_add(status, end->reason);
    else if (end->signal)
        strbuf_printf(status, "Signal:%d", end->signal);
    else
        strbuf_printf(status, "ExitCode:%d", end->exit_code);
}

/* True when this init container is what the pod waits for. */
static bool init_container_holds(const struct pod *pod, size_t index, bool sidecar,
                                 struct pod_summary *summary, struct strbuf *status)
{
    const struct container_status *container = &pod->status.init_container_statuses.items[index];
    const struct container_state *state = &container->state;

    if (state->terminated && state->terminated->exit_code == 0)
        return false;
    if (sidecar && container->started == OPT_TRUE) {
        summary->ready += container->ready;
        return false;
    }
    if (state->terminated) {
        set_end(status, "Init:", state->terminated);
    } else if (state->waiting && !str_empty(state->waiting->reason) &&
               !str_equal(state->waiting->reason, "PodInitializing")) {
        set_word(status, "Init:");
        strbuf_add(status, state->waiting->reason);
    } else {
        set_word(status, "");
        strbuf_printf(status, "Init:%zu/%zu", index, pod->spec.init_containers.count);
    }
    return true;
}

/* Restarts of sidecars count also once the pod is initialised; `sidecars` collects them. */
static bool is_initialising(const struct pod *pod, struct pod_summary *summary,
                            struct pod_summary *sidecars, struct strbuf *status)
{
    const struct container_status_list *list = &pod->status.init_container_statuses;

    for (size_t i = 0; i < list->count; i++) {
        const struct container_status *container = &list->items[i];
        bool sidecar = is_sidecar(find_container(&pod->spec.init_containers, container->name));

        count_restarts(summary, container);
        if (sidecar)
            count_restarts(sidecars, container);
        if (init_container_holds(pod, i, sidecar, summary, status))
            return true;
    }
    return false;
}

static void summarise_containers(const struct pod *pod, struct pod_summary *summary,
                                 struct strbuf *status)
{
    const struct container_status_list *list = &pod->status.container_statuses;
    bool running = false;

    for (size_t i = list->count; i-- > 0;) {
        const struct container_status *container = &list->items[i];
        const struct container_state *state = &container->state;

        count_restarts(summary, container);
        if (state->waiting && !str_empty(state->waiting->reason)) {
            set_word(status, state->waiting->reason);
        } else if (state->terminated) {
            set_end(status, "", state->terminated);
        } else if (container->ready && state->running) {
            running = true;
            summary->ready++;
        }
    }
    if (running && str_equal(status->text, "Completed"))
        set_word(status, condition_is(&pod->status, "Ready", "True") ? "Running" : "NotReady");
}

static bool is_over(const struct pod_status *status)
{
    return str_equal(status->phase, "Succeeded") || str_equal(status->phase, "Failed");
}

static enum colour colour_of(const struct pod_summary *summary, const char *status)
{
    static const char *const passing[] = {"Pending",     "ContainerCreating", "PodInitializing",
                                          "Terminating", "NotReady",          NULL};
    const char *init = str_has_prefix(status, "Init:") ? status + strlen("Init:") : NULL;

    if (!strcmp(status, "Completed") || !strcmp(status, "Succeeded"))
        return COLOUR_NONE;
    if (!strcmp(status, "Running"))
        return summary->ready == summary->containers ? COLOUR_GREEN : COLOUR_YELLOW;
    if (str_one_of(status, passing) || (init && *init >= '0' && *init <= '9'))
        return COLOUR_YELLOW;
    return COLOUR_RED;
}

struct pod_summary pod_summarise(const struct pod *pod, struct strbuf *status)
{
    struct pod_summary summary = {.containers = (int)pod->spec.containers.count}, sidecars = {0};
    const struct pod_status *published = &pod->status;

    set_word(status, !str_empty(published->reason) ? published->reason
                     : published->phase            ? published->phase
                                                   : "");
    array_for_each (condition, published->conditions)
        if (str_equal(condition->type, "PodScheduled") &&
            str_equal(condition->reason, "SchedulingGated"))
            set_word(status, "SchedulingGated");
    array_for_each (container, pod->spec.init_containers)
        summary.containers += is_sidecar(container);

    if (!is_initialising(pod, &summary, &sidecars, status) ||
        condition_is(published, "Initialized", "True")) {
        summary.restarts = sidecars.restarts;
        summary.last_restart = sidecars.last_restart;
        summarise_containers(pod, &summary, status);
    }
    if (pod->object.metadata.deletion_timestamp.set) {
        if (str_equal(published->reason, "NodeLost"))
            set_word(status, "Unknown");
        else if (!is_over(published))
            set_word(status, "Terminating");
    }
    summary.colour = colour_of(&summary, status->text);
    return summary;
}

/* names */

static bool name_is(const char *wanted, const struct named *named)
{
    size_t length = strlen(wanted);

    if (!str_has_prefix(named->name, wanted))
        return false;
    if (!named->name[length])
        return true;
    return !str_empty(named->node) && named->name[length] == '-' &&
           str_equal(named->name + length + 1, named->node);
}

bool name_means(const char *wanted, const struct named *named)
{
    const char *slash = strchr(wanted, '/');
    size_t length = slash ? (size_t)(slash - wanted) : 0;

    if (!named->name)
        return false;
    if (slash)
        return named->name_space && strlen(named->name_space) == length &&
               !memcmp(named->name_space, wanted, length) && name_is(slash + 1, named);
    return name_is(wanted, named) ||
           (strlen(wanted) >= UID_PREFIX_MIN && str_has_prefix(named->uid, wanted));
}

const char *name_problem(const char *wanted)
{
    if (!*wanted)
        return "a pod's name must not be empty";
    if (strlen(wanted) > CLIENT_POD_MAX)
        return "a pod's name is not that long";
    if (utf8_check(wanted, strlen(wanted)))
        return "a pod's name must be UTF-8";
    return NULL;
}
