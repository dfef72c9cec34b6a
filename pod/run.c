/*
 * A pod that is wanted: the sandbox, then ephemeral, init and regular containers, in the order and
 * by the rules of the reference.
 */
#include "model.h"

struct starts {
    struct pod_container_ref *items;
    size_t count;
};

/* Containers to start, and whether the pod has nothing left to live for. */
struct work_list {
    struct starts starts;
    bool initialized;
    bool end_pod;
};

static void add_start(struct work_list *list, struct pod_container_ref ref)
{
    list->starts.items[list->starts.count++] = ref;
}

static struct stop restart_stop(const struct planner *planner, const char *message,
                                const struct probe *probe)
{
    struct stop stop = {.grace_seconds = -1, .message = message};
    const struct pod *pod = planner->desired->pod;

    if (probe && probe->termination_grace_period_seconds.set &&
        !pod->object.metadata.deletion_grace_period_seconds.set)
        stop.grace_seconds = probe->termination_grace_period_seconds.value;
    return stop;
}

/* Its end is our doing: it starts again whatever the policy says of that exit, and without delay
 * unless the exit before delays it still. */
static void expect_restart(struct planner *planner, struct pod_container_ref ref,
                           const struct seen_container *seen)
{
    struct pod_container_memory *memory = memory_container(planner, ref.container->name);

    if (memory_kill(planner->memory, seen->id))
        return;
    memory->restart_due = true;
    if (crash_delay_left(planner, ref))
        return;
    crash_advance(planner, ref);
    memory->free_id = arena_strdup(planner->arena, seen->id);
}

/* Ends a running container so that it starts again. */
static void kill_to_restart(struct planner *planner, struct pod_container_ref ref,
                            const struct seen_container *seen, const char *message,
                            const struct probe *probe)
{
    struct stop stop = restart_stop(planner, message, probe);

    expect_restart(planner, ref, seen);
    stop_container(planner, seen, &stop);
}

static bool probe_failed(enum pod_probe_result result, const struct probe *probe)
{
    return probe && result == POD_PROBE_FAILURE;
}

/* A kill that was begun goes on, whatever its reason says now. */
static bool kill_goes_on(struct planner *planner, const struct seen_container *seen)
{
    static const struct stop more = {.grace_seconds = INT64_MAX};

    if (!memory_kill(planner->memory, seen->id))
        return false;
    stop_container(planner, seen, &more);
    return true;
}

static bool hook_failed(struct planner *planner, struct pod_container_ref ref,
                        const struct seen_container *seen)
{
    static const struct stop stop = {.grace_seconds = -1, .message = "FailedPostStartHook"};

    if (!str_equal(memory_container(planner, ref.container->name)->hook_failed, seen->id))
        return false;
    stop_container(planner, seen, &stop);
    return true;
}

/* init containers */

/* True: it runs, and what follows it may start. */
static bool sidecar_runs(struct planner *planner, struct pod_container_ref ref,
                         const struct seen_container *seen)
{
    const struct seen_probes *probes = seen_probes_of(planner->observed, seen->name);
    const char *name = ref.container->name;
    enum pod_probe_result startup = probes ? probes->startup : POD_PROBE_NONE;

    if (kill_goes_on(planner, seen) || hook_failed(planner, ref, seen))
        return !ref.container->startup_probe || startup == POD_PROBE_SUCCESS;
    if (probe_failed(startup, ref.container->startup_probe)) {
        kill_to_restart(
            planner, ref, seen,
            arena_printf(planner->arena, "Init container %s failed startup probe", name),
            ref.container->startup_probe);
        return false;
    }
    if (ref.container->startup_probe && startup == POD_PROBE_NONE) {
        block(planner, "StartupProbe", name, "its startup probe has not succeeded yet");
        return false;
    }
    if (hash_changed(ref, seen))
        kill_to_restart(planner, ref, seen,
                        arena_printf(planner->arena, "Init container %s definition changed", name),
                        NULL);
    else if (probe_failed(probes ? probes->liveness : POD_PROBE_NONE,
                          ref.container->liveness_probe))
        kill_to_restart(
            planner, ref, seen,
            arena_printf(planner->arena, "Init container %s failed liveness probe", name),
            ref.container->liveness_probe);
    return true;
}

static void kill_unknown(struct planner *planner, struct pod_container_ref ref,
                         const struct seen_container *seen)
{
    struct stop stop = {
        .grace_seconds = -1,
        .message = ref.kind == POD_CONTAINER_REGULAR
                       ? "Container is in \"unknown\" state, try killing it before restart"
                       : "Init container is in \"unknown\" state, try killing it before restart",
    };

    /* One that may run only once is not run again when nobody can say whether it did. */
    if (restart_on_change(planner->desired->pod, ref))
        expect_restart(planner, ref, seen);
    stop_container(planner, seen, &stop);
}

static void init_next(struct planner *planner, struct work_list *list, size_t index)
{
    const struct container_list *all = &planner->desired->pod->spec.init_containers;

    if (index + 1 == all->count)
        list->initialized = true;
    else
        add_start(list, pod_container_find(planner->desired->pod, all->items[index + 1].name));
}

static void init_exited(struct planner *planner, struct work_list *list,
                        struct pod_container_ref ref, const struct seen_container *seen,
                        size_t index)
{
    const struct pod *pod = planner->desired->pod;

    if (ref.kind == POD_CONTAINER_SIDECAR || memory_restart_due(planner->memory, seen->name))
        add_start(list, ref);
    else if (!init_failed(seen))
        init_next(planner, list, index);
    else if (init_restarts(pod, ref, seen->exit_code))
        add_start(list, ref);
    else
        list->end_pod = true;
}

static void init_one(struct planner *planner, struct work_list *list, size_t index, bool previously)
{
    const struct pod *pod = planner->desired->pod;
    const char *name = pod->spec.init_containers.items[index].name;
    struct pod_container_ref ref = pod_container_find(pod, name);
    const struct seen_container *seen = seen_newest(planner->observed, name);

    switch (seen->state) {
    case POD_CREATED:
        add_start(list, ref);
        break;
    case POD_RUNNING:
        if (ref.kind == POD_CONTAINER_INIT)
            block(planner, "InitContainer", name, "init container %zu of %zu is running", index + 1,
                  pod->spec.init_containers.count);
        else if (sidecar_runs(planner, ref, seen)) {
            if (index + 1 == pod->spec.init_containers.count)
                list->initialized = true;
            else if (!previously)
                init_next(planner, list, index);
        }
        break;
    case POD_EXITED:
        init_exited(planner, list, ref, seen, index);
        break;
    case POD_UNKNOWN:
        if (ref.kind == POD_CONTAINER_INIT && !restart_on_change(pod, ref))
            list->end_pod = true;
        else
            kill_unknown(planner, ref, seen);
        break;
    }
}

bool any_regular_created(const struct planner *planner)
{
    array_for_each (container, planner->desired->pod->spec.containers) {
        const struct seen_container *seen = seen_newest(planner->observed, container->name);

        if (seen && (seen->state == POD_CREATED || seen->state == POD_RUNNING))
            return true;
    }
    return false;
}

static void reverse(struct starts *starts)
{
    for (size_t i = 0; i < starts->count / 2; i++) {
        struct pod_container_ref other = starts->items[i];

        starts->items[i] = starts->items[starts->count - 1 - i];
        starts->items[starts->count - 1 - i] = other;
    }
}

/* From the last to the first: records of those that are through may be gone. */
static void look_at_init(struct planner *planner, struct work_list *list)
{
    const struct pod *pod = planner->desired->pod;
    const struct container_list *all = &pod->spec.init_containers;
    bool previously = any_regular_created(planner);

    list->initialized = previously || !all->count;
    for (size_t i = all->count; i-- > 0 && !list->end_pod;) {
        struct pod_container_ref ref = pod_container_find(pod, all->items[i].name);

        if (!seen_newest(planner->observed, ref.container->name)) {
            if (previously && ref.kind == POD_CONTAINER_SIDECAR)
                add_start(list, ref);
            continue;
        }
        if (!previously || ref.kind == POD_CONTAINER_SIDECAR)
            init_one(planner, list, i, previously);
        previously = true;
    }
    if (!previously && all->count)
        add_start(list, pod_container_find(pod, all->items[0].name));
    reverse(&list->starts);
}

/* regular containers */

/* True: it runs and stays. */
static bool regular_runs(struct planner *planner, struct pod_container_ref ref,
                         const struct seen_container *seen)
{
    const struct seen_probes *probes = seen_probes_of(planner->observed, seen->name);
    const char *what = NULL;
    const struct probe *probe = NULL;
    bool restart = restart_on_change(planner->desired->pod, ref);

    if (hash_changed(ref, seen)) {
        what = "definition changed";
        restart = true;
    } else if (probe_failed(probes ? probes->liveness : 0, ref.container->liveness_probe)) {
        what = "failed liveness probe";
        probe = ref.container->liveness_probe;
    } else if (probe_failed(probes ? probes->startup : 0, ref.container->startup_probe)) {
        what = "failed startup probe";
        probe = ref.container->startup_probe;
    }
    if (!what)
        return true;
    if (!restart)
        return false; /* the last one of a pod is ended with the pod */
    kill_to_restart(planner, ref, seen,
                    arena_printf(planner->arena, "Container %s %s, will be restarted",
                                 ref.container->name, what),
                    probe);
    return true;
}

/* One that failed a probe and is not restarted still is to be stopped, when others live on. */
static void stop_failed(struct planner *planner, struct pod_container_ref ref,
                        const struct seen_container *seen)
{
    const struct seen_probes *probes = seen_probes_of(planner->observed, seen->name);
    bool live = probe_failed(probes ? probes->liveness : 0, ref.container->liveness_probe);
    const struct probe *probe = live ? ref.container->liveness_probe : ref.container->startup_probe;
    struct stop stop = restart_stop(planner,
                                    arena_printf(planner->arena, "Container %s failed %s probe",
                                                 seen->name, live ? "liveness" : "startup"),
                                    probe);

    stop_container(planner, seen, &stop);
}

static void look_at_regular(struct planner *planner, struct work_list *list)
{
    const struct pod *pod = planner->desired->pod;
    size_t kept = 0, first = list->starts.count;

    array_for_each (container, pod->spec.containers) {
        struct pod_container_ref ref = {container, POD_CONTAINER_REGULAR};
        const struct seen_container *seen = seen_newest(planner->observed, container->name);

        if (!seen || seen->state == POD_CREATED) {
            add_start(list, ref);
        } else if (seen->state == POD_UNKNOWN) {
            kill_unknown(planner, ref, seen);
            kept++;
        } else if (seen->state == POD_EXITED) {
            if (memory_restart_due(planner->memory, seen->name) ||
                restart_wanted(pod, ref, seen->exit_code))
                add_start(list, ref);
        } else if (kill_goes_on(planner, seen) || hook_failed(planner, ref, seen) ||
                   regular_runs(planner, ref, seen)) {
            kept++;
        }
    }
    if (!kept && list->starts.count == first) {
        list->end_pod = true;
        return;
    }
    array_for_each (container, pod->spec.containers) {
        struct pod_container_ref ref = {container, POD_CONTAINER_REGULAR};
        const struct seen_container *seen = seen_newest(planner->observed, container->name);

        if (seen && seen->state == POD_RUNNING && !memory_kill(planner->memory, seen->id) &&
            !restart_on_change(pod, ref) && !regular_runs(planner, ref, seen))
            stop_failed(planner, ref, seen);
    }
}

/* Once each, beside whatever the others do. */
static void start_ephemeral(struct planner *planner, const struct seen_sandbox *sandbox)
{
    array_for_each (container, planner->desired->pod->spec.ephemeral_containers) {
        const struct seen_container *seen = seen_newest(planner->observed, container->name);

        if (!seen || seen->state == POD_CREATED)
            start_container(planner, (struct pod_container_ref){container, POD_CONTAINER_EPHEMERAL},
                            sandbox);
    }
}

/* hooks */

/* True while a postStart hook runs: nothing else starts before it ended. */
static bool post_start(struct planner *planner)
{
    bool busy = false;

    array_for_each (memory, planner->memory->containers) {
        struct pod_container_ref ref = pod_container_find(planner->desired->pod, memory->name);
        const struct seen_container *seen;
        struct pod_operation *operation;

        if (str_empty(memory->hook_due))
            continue;
        seen = seen_by_id(planner->observed, memory->hook_due);
        operation = operation_find(planner, POD_POST_START, memory->hook_due);
        if (!seen || seen->state != POD_RUNNING || !ref.container || !ref.container->lifecycle ||
            !ref.container->lifecycle->post_start || memory_kill(planner->memory, seen->id)) {
            if (operation)
                operation_drop(planner, operation);
            memory->hook_due = NULL;
            continue;
        }
        busy = true;
        if (!operation)
            operation_new(planner, POD_POST_START, memory->name, memory->hook_due);
    }
    return busy;
}

/* RestartAllContainers: everything but the sandbox and its volumes is made anew */

static bool restart_all_begins(struct planner *planner)
{
    array_for_each (seen, planner->observed->containers) {
        struct pod_container_ref ref = pod_container_find(planner->desired->pod, seen->name);

        if (ref.container && seen->state == POD_EXITED &&
            seen_newest(planner->observed, seen->name) == seen &&
            !memory_restart_due(planner->memory, seen->name) &&
            restart_all_asked(planner->desired->pod, ref, seen->exit_code))
            return true;
    }
    return false;
}

/* True while there is something to remove. A status tells that all of it is gone before it ends. */
static bool restart_all(struct planner *planner)
{
    static const struct stop stop = {.grace_seconds = 0, .hooks = STOP_WITHOUT_HOOKS};
    struct pod_memory *memory = planner->memory;
    bool busy = operation_any(planner, POD_START);

    if (memory->all_removed)
        memory->restart_all = memory->all_removed = false;
    if (!memory->restart_all && !restart_all_begins(planner))
        return false;
    memory->restart_all = true;
    array_for_each (seen, planner->observed->containers) {
        struct pod_container_ref ref = pod_container_find(planner->desired->pod, seen->name);

        if (!ref.container || ref.kind == POD_CONTAINER_EPHEMERAL)
            continue;
        busy = true;
        if (!stop_container(planner, seen, &stop))
            remove_container(planner, seen);
    }
    memory->all_removed = !busy;
    if (busy)
        block(planner, "RestartAllContainers", NULL,
              "a container's rule asks to restart all containers: they are being removed");
    return busy;
}

/* the sandbox */

/* All init containers run again in a new sandbox. */
static bool init_records_remain(struct planner *planner)
{
    bool remain = false;

    array_for_each (seen, planner->observed->containers) {
        struct pod_container_ref ref = pod_container_find(planner->desired->pod, seen->name);

        if (ref.kind != POD_CONTAINER_INIT && ref.kind != POD_CONTAINER_SIDECAR)
            continue;
        if (ref.container && remove_container(planner, seen))
            remain = true;
    }
    return remain;
}

/* What runs when the sandbox is replaced runs again in the new one. */
static void expect_restarts(struct planner *planner)
{
    array_for_each (seen, planner->observed->containers) {
        struct pod_container_ref ref = pod_container_find(planner->desired->pod, seen->name);

        if (ref.container && ref.kind != POD_CONTAINER_EPHEMERAL && seen_is_live(seen))
            expect_restart(planner, ref, seen);
    }
}

static void make_sandbox(struct planner *planner, const struct sandbox_choice *choice)
{
    static const struct stop stop = {.grace_seconds = -1};
    const struct pod *pod = planner->desired->pod;
    bool worth_making = sandbox_worth_making(planner, choice);
    struct pod_operation *operation;

    if (worth_making && choice->old_id &&
        !str_equal(planner->memory->changed_sandbox, choice->old_id)) {
        planner->memory->changed_sandbox = arena_strdup(planner->arena, choice->old_id);
        tell(planner, false, "SandboxChanged", NULL,
             "Pod sandbox changed, it will be killed and re-created.");
    }
    if (worth_making)
        expect_restarts(planner);
    if (operation_any(planner, POD_RUN_SANDBOX) || stop_all_containers(planner, &stop) ||
        stop_all_sandboxes(planner))
        return;
    if (!worth_making) {
        end_naturally(planner);
        return;
    }
    if (init_records_remain(planner))
        return;
    if (planner->observed->network_trouble && !pod->spec.host_network) {
        block(planner, "NetworkNotReady", NULL, "network is not ready: %s",
              planner->observed->network_trouble);
        return;
    }
    if (!start_prepare(planner) || !retry_due(planner, POD_RUN_SANDBOX, ""))
        return;
    operation = operation_new(planner, POD_RUN_SANDBOX, "", "");
    if (operation)
        operation->attempt = choice->attempt;
}

static void start_all(struct planner *planner, const struct work_list *list,
                      const struct seen_sandbox *sandbox)
{
    for (size_t i = 0; i < list->starts.count; i++) {
        struct pod_container_ref ref = list->starts.items[i];
        const struct seen_container *seen = seen_newest(planner->observed, ref.container->name);

        if (seen && seen_is_live(seen))
            continue; /* it is being stopped to be restarted */
        if (start_container(planner, ref, sandbox) == START_BUSY || ref.kind == POD_CONTAINER_INIT)
            return;
    }
}

/* What a start that was given up has left would be taken for a container that failed. */
static bool stillborn_remain(struct planner *planner)
{
    bool remain = false;

    array_for_each (memory, planner->memory->containers) {
        const struct seen_container *seen =
            str_empty(memory->failed_id) ? NULL : seen_by_id(planner->observed, memory->failed_id);

        if (seen && seen_is_stillborn(seen) && remove_container(planner, seen))
            remain = true;
    }
    return remain;
}

void plan_run(struct planner *planner)
{
    const struct pod *pod = planner->desired->pod;
    const struct pod_spec *spec = &pod->spec;
    struct sandbox_choice choice = sandbox_choose(pod, planner->observed);
    struct work_list list = {0};

    if (stillborn_remain(planner))
        return;
    if (!choice.keep) {
        make_sandbox(planner, &choice);
        return;
    }
    if (operation_any(planner, POD_RUN_SANDBOX) ||
        operation_find(planner, POD_STOP_SANDBOX, choice.keep->id) || restart_all(planner))
        return;
    list.starts.items = arena_array(planner->arena, struct pod_container_ref,
                                    spec->containers.count + 2 * spec->init_containers.count + 1);
    look_at_init(planner, &list);
    if (list.initialized && !list.end_pod)
        look_at_regular(planner, &list);
    if (list.end_pod) {
        end_naturally(planner);
        return;
    }
    if (post_start(planner))
        return;
    start_ephemeral(planner, choice.keep);
    start_all(planner, &list, choice.keep);
}
