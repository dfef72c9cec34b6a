/*
 * The statuses of containers: by the newest record in the runtime, and where the runtime has
 * forgotten, by what was published before.
 */
#include "status.h"

#include <string.h>

static const char *const lost_reason = "ContainerStatusUnknown";
static const char *const lost_at_end =
    "The container could not be located when the pod was terminated";
static const char *const lost_while_running =
    "The container could not be located when the pod was deleted.  The container used to be "
    "Running";

enum {
    LOST_EXIT_CODE = 137,
};

const struct container_status *status_of(const struct container_status_list *list, const char *name)
{
    array_for_each (status, *list)
        if (str_equal(status->name, name))
            return status;
    return NULL;
}

/* What was observed is gone with the next look. */
static const char *keep(const struct reporter *reporter, const char *text)
{
    return str_empty(text) ? NULL : arena_strdup(reporter->arena, text);
}

static struct opt_time time_of(int64_t usec)
{
    /* What never began is at the beginning of time, as the API has it. */
    return (struct opt_time){.usec = MAX(usec, 0), .set = true};
}

static struct container_state waiting(struct arena *arena, const char *reason, const char *message)
{
    struct state_waiting *state = arena_new(arena, struct state_waiting);

    state->reason = reason;
    state->message = message;
    return (struct container_state){.waiting = state};
}

static struct container_state terminated_lost(struct arena *arena, const char *message)
{
    struct state_terminated *state = arena_new(arena, struct state_terminated);

    *state = (struct state_terminated){
        .exit_code = LOST_EXIT_CODE,
        .reason = lost_reason,
        .message = message,
        .started_at = time_of(0),
        .finished_at = time_of(0),
    };
    return (struct container_state){.terminated = state};
}

static const char *published_id(const struct reporter *reporter, const char *id)
{
    return arena_printf(reporter->arena, "%s://%s", reporter->desired->runtime_name, id);
}

/* Termination messages share a size: each container has its part. */
static const char *cut_message(const struct reporter *reporter, const char *message)
{
    const struct pod_spec *spec = &reporter->pod->spec;
    size_t containers =
        spec->containers.count + spec->init_containers.count + spec->ephemeral_containers.count;
    size_t max = POD_MESSAGES_MAX / containers;

    if (strlen(message) <= max)
        return keep(reporter, message);
    return arena_strndup(reporter->arena, message, utf8_cut(message, max));
}

static const char *exit_message(const struct reporter *reporter, const struct seen_container *seen)
{
    if (str_empty(seen->termination))
        return str_empty(seen->message) ? NULL : cut_message(reporter, seen->message);
    if (str_empty(seen->message))
        return cut_message(reporter, seen->termination);
    return cut_message(reporter,
                       arena_printf(reporter->arena, "%s: %s", seen->message, seen->termination));
}

static struct container_state terminated(const struct reporter *reporter,
                                         const struct seen_container *seen)
{
    struct state_terminated *state = arena_new(reporter->arena, struct state_terminated);

    *state = (struct state_terminated){
        .exit_code = seen->exit_code,
        .reason = keep(reporter, seen->reason),
        .message = exit_message(reporter, seen),
        .started_at = time_of(seen->started_usec),
        .finished_at = time_of(seen->finished_usec),
        .container_id = published_id(reporter, seen->id),
    };
    return (struct container_state){.terminated = state};
}

static struct container_state running(const struct reporter *reporter,
                                      const struct seen_container *seen)
{
    struct state_running *state = arena_new(reporter->arena, struct state_running);

    state->started_at = time_of(seen->started_usec);
    return (struct container_state){.running = state};
}

static struct container_state waiting_for_turn(const struct reporter *reporter)
{
    return waiting(
        reporter->arena,
        reporter->pod->spec.init_containers.count ? "PodInitializing" : "ContainerCreating", NULL);
}

/* Until its postStart hook ended well, a container is not said to run. */
static bool hook_pending(const struct reporter *reporter, struct pod_container_ref ref,
                         const struct seen_container *seen)
{
    const struct pod_container_memory *memory = memory_find(reporter->memory, ref.container->name);

    return ref.container->lifecycle && ref.container->lifecycle->post_start && memory &&
           reporter->memory->stage == POD_STAGE_RUN &&
           (str_equal(memory->hook_due, seen->id) || str_equal(memory->hook_failed, seen->id));
}

/* The second newest record, if that one ended. */
static const struct seen_container *seen_before(const struct reporter *reporter,
                                                const struct seen_container *newest)
{
    array_for_each (seen, reporter->observed->containers)
        if (seen > newest && seen->state == POD_EXITED && str_equal(seen->name, newest->name))
            return seen;
    return NULL;
}

static bool any_regular_seen(const struct reporter *reporter)
{
    array_for_each (container, reporter->pod->spec.containers)
        if (seen_newest(reporter->observed, container->name))
            return true;
    return false;
}

static void report_missing(const struct reporter *reporter, struct pod_container_ref ref,
                           const struct container_status *previous, struct container_status *status)
{
    struct state_terminated *done;

    if (ref.kind == POD_CONTAINER_INIT && !status->state.terminated && any_regular_seen(reporter)) {
        done = arena_new(reporter->arena, struct state_terminated);
        *done = (struct state_terminated){
            .reason = "Completed",
            .message = "Unable to get init container status from container runtime and pod has "
                       "been initialized, treat it as exited normally",
            .started_at = time_of(0),
            .finished_at = time_of(0),
        };
        status->state = (struct container_state){.terminated = done};
        return;
    }
    if (!previous || !previous->state.running || previous->last_state.terminated)
        return;
    status->last_state = terminated_lost(reporter->arena, lost_while_running);
    if (!reporter->pod->object.metadata.deletion_timestamp.set && !reporter->desired->removed)
        status->restart_count++;
}

static void report_seen(const struct reporter *reporter, struct pod_container_ref ref,
                        const struct seen_container *seen, const struct container_status *previous,
                        struct container_status *status)
{
    const struct seen_container *before = seen_before(reporter, seen);
    int32_t restarts = seen->restart_count;

    status->container_id = published_id(reporter, seen->id);
    status->image =
        str_empty(seen->image) ? ref.container->image : arena_strdup(reporter->arena, seen->image);
    status->image_id = keep(reporter, seen->image_id);
    if (before)
        status->last_state = terminated(reporter, before);
    else if (previous && previous->state.terminated &&
             !str_equal(previous->container_id, status->container_id))
        status->last_state = previous->state; /* its record is gone */
    switch (seen->state) {
    case POD_RUNNING:
        status->state = hook_pending(reporter, ref, seen) ? waiting_for_turn(reporter)
                                                          : running(reporter, seen);
        if (previous && previous->state.terminated && restarts <= previous->restart_count &&
            !str_equal(previous->container_id, status->container_id))
            restarts = previous->restart_count + 1;
        break;
    case POD_EXITED:
        status->state = terminated(reporter, seen);
        break;
    case POD_CREATED:
        status->state = waiting_for_turn(reporter);
        break;
    case POD_UNKNOWN:
        if (previous && previous->state.running) {
            status->state = terminated_lost(reporter->arena, lost_at_end);
            restarts = previous->restart_count + 1;
        } else if (!status->state.terminated) {
            status->state = waiting_for_turn(reporter);
        }
        break;
    }
    status->restart_count = MAX(restarts, status->restart_count);
}

/* One that waits to be started again says why, and what ended it becomes its last state. */
static void report_waiting(const struct reporter *reporter, struct pod_container_ref ref,
                           const struct seen_container *seen, struct container_status *status)
{
    const struct pod_container_memory *memory = memory_find(reporter->memory, ref.container->name);

    if (!memory || str_empty(memory->waiting_reason) || status->state.running ||
        reporter->memory->stage != POD_STAGE_RUN)
        return;
    if (seen && seen->state == POD_EXITED) {
        bool again = ref.kind == POD_CONTAINER_INIT
                         ? init_failed(seen) && init_restarts(reporter->pod, ref, seen->exit_code)
                         : restart_wanted(reporter->pod, ref, seen->exit_code);

        if (!again && !memory->restart_due)
            return;
    }
    if (status->state.terminated)
        status->last_state = status->state;
    status->state = waiting(reporter->arena, memory->waiting_reason, memory->waiting_message);
}

static void report_restart_all(const struct reporter *reporter, struct pod_container_ref ref,
                               const struct seen_container *seen,
                               const struct container_status *previous,
                               struct container_status *status)
{
    static const char *const reason = "RestartingAllContainers";

    if (seen || ref.kind == POD_CONTAINER_EPHEMERAL || !previous ||
        reporter->memory->stage != POD_STAGE_RUN)
        return;
    if (previous->state.waiting) {
        if (reporter->memory->restart_all || str_equal(previous->state.waiting->reason, reason))
            status->state = previous->state;
        return;
    }
    if (!reporter->memory->restart_all)
        return;
    status->last_state = terminated_lost(
        reporter->arena, "The container is removed because RestartAllContainers in place");
    status->last_state.terminated->reason = reason;
    status->state = waiting(reporter->arena, reason, NULL);
    status->restart_count = previous->restart_count + 1;
}

static bool same_container(const struct container_status *previous,
                           const struct container_status *status)
{
    return previous && str_equal(previous->container_id, status->container_id);
}

static void report_probes(const struct reporter *reporter, struct pod_container_ref ref,
                          const struct container_status *previous, struct container_status *status)
{
    const struct container *container = ref.container;
    const struct seen_probes *probes = seen_probes_of(reporter->observed, container->name);
    bool started, ready, same = same_container(previous, status);

    if (ref.kind == POD_CONTAINER_EPHEMERAL)
        return;
    /* A verdict that was published holds until there is another about the same container. */
    started = status->state.running &&
              (!container->startup_probe || (probes && probes->startup == POD_PROBE_SUCCESS) ||
               (same && previous->started == OPT_TRUE));
    status->started = started ? OPT_TRUE : OPT_FALSE;
    if (ref.kind == POD_CONTAINER_INIT) {
        status->ready = status->state.terminated && !status->state.terminated->exit_code;
        return;
    }
    ready = !container->readiness_probe || (probes && probes->readiness == POD_PROBE_SUCCESS) ||
            ((!probes || probes->readiness == POD_PROBE_NONE) && same && previous->ready);
    status->ready = started && ready;
}

static void report_spec(const struct reporter *reporter, const struct container *container,
                        struct container_status *status)
{
    struct volume_mount_status *mounts =
        arena_array(reporter->arena, struct volume_mount_status, container->volume_mounts.count);
    size_t count = 0;

    array_for_each (mount, container->volume_mounts)
        mounts[count++] = (struct volume_mount_status){
            .name = mount->name,
            .mount_path = mount->mount_path,
            .read_only = mount->read_only,
            .recursive_read_only = mount->read_only ? "Disabled" : NULL,
        };
    status->volume_mounts.items = mounts;
    status->volume_mounts.count = count;
    /* Not the resources: the API server takes them for word that containers can be resized. */
}

/* The final word on a container that nobody can find. */
static void report_end(const struct reporter *reporter, struct container_status *status)
{
    if (!status->state.terminated)
        status->state = terminated_lost(reporter->arena, lost_at_end);
}

/* One of before the container that was published last, whose record is gone: it is no news. */
static bool is_old_news(const struct reporter *reporter, const struct seen_container *seen,
                        const struct container_status *previous)
{
    return previous && !str_empty(previous->container_id) && seen->state == POD_EXITED &&
           seen->restart_count < previous->restart_count &&
           !str_equal(previous->container_id, published_id(reporter, seen->id));
}

static void report_container(const struct reporter *reporter, const struct container *container,
                             const struct container_status_list *before,
                             struct container_status *status)
{
    struct pod_container_ref ref = pod_container_find(reporter->pod, container->name);
    const struct container_status *previous = status_of(before, container->name);
    const struct seen_container *seen = seen_newest(reporter->observed, container->name);

    if (previous && previous->state.terminated)
        *status = *previous;
    else
        *status = (struct container_status){
            .image = container->image,
            .state = waiting_for_turn(reporter),
            .restart_count = previous ? previous->restart_count : 0,
            .last_state = previous ? previous->last_state : (struct container_state){0},
        };
    status->name = container->name;
    if (seen && is_old_news(reporter, seen, previous)) {
        status->container_id = previous->container_id;
        status->image = previous->image;
        status->image_id = previous->image_id;
        seen = NULL;
    }
    if (seen)
        report_seen(reporter, ref, seen, previous, status);
    else
        report_missing(reporter, ref, previous, status);
    report_restart_all(reporter, ref, seen, previous, status);
    report_waiting(reporter, ref, seen, status);
    report_spec(reporter, container, status);
    report_probes(reporter, ref, previous, status);
}

static void report_list(struct reporter *reporter, const struct container_list *containers,
                        const struct container_status_list *before,
                        struct container_status_list *list)
{
    list->items = arena_array(reporter->arena, struct container_status, containers->count);
    for (size_t i = 0; i < containers->count; i++)
        report_container(reporter, &containers->items[i], before, &list->items[i]);
    list->count = containers->count;
}

/* Did the pod get beyond its init containers? */
static bool was_initialized(const struct reporter *reporter)
{
    const struct container_status_list *init = &reporter->status->init_container_statuses;

    if (!init->count)
        return true;
    array_for_each (status, reporter->status->container_statuses)
        if (!status->state.waiting || status->last_state.terminated)
            return true;
    return init->items[init->count - 1].state.terminated &&
           !init->items[init->count - 1].state.terminated->exit_code;
}

void report_all_ends(struct reporter *reporter)
{
    struct container_status_list *init = &reporter->status->init_container_statuses;
    bool began = false;

    if (was_initialized(reporter))
        array_for_each (status, reporter->status->container_statuses)
            report_end(reporter, status);
    /* Those at the end that never started stay as they are. */
    for (size_t i = init->count; i-- > 0;) {
        began = began || !init->items[i].state.waiting || init->items[i].last_state.terminated ||
                i == 0;
        if (began)
            report_end(reporter, &init->items[i]);
    }
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct container_status *)a)->name,
                  ((const struct container_status *)b)->name);
}

static void sort_by_name(struct container_status_list *list)
{
    /* An insertion sort: lists are short and nearly always in order. */
    for (size_t i = 1; i < list->count; i++)
        for (size_t j = i; j > 0 && by_name(&list->items[j - 1], &list->items[j]) > 0; j--) {
            struct container_status other = list->items[j];

            list->items[j] = list->items[j - 1];
            list->items[j - 1] = other;
        }
}

void report_containers(struct reporter *reporter)
{
    const struct pod_spec *spec = &reporter->pod->spec;
    struct pod_status *status = reporter->status;
    const struct pod_status *previous = reporter->previous;

    report_list(reporter, &spec->init_containers, &previous->init_container_statuses,
                &status->init_container_statuses);
    report_list(reporter, &spec->containers, &previous->container_statuses,
                &status->container_statuses);
    report_list(reporter, &spec->ephemeral_containers, &previous->ephemeral_container_statuses,
                &status->ephemeral_container_statuses);
    sort_by_name(&status->container_statuses);
    sort_by_name(&status->ephemeral_container_statuses);
}
