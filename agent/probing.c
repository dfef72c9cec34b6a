/* Wiring the probers to pods, and to the runtime. */
#include "probing.h"
#include "probe-left.h"
#include "shell.h"

#include "nodeagent/probes/probers.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/log.h"

#include <stdlib.h>
#include <unistd.h>

enum {
    EXECS_PER_CORE = 4, /* a command in a container costs the runtime some 50 ms of CPU */
    EXECS_MAX = 64,
    /* Over HTTP, in flight: as many as containers can wait for theirs on a full node, so that those
     * of one pod, which may never end, take nothing from another's. */
    HOOKS_MAX = 8192,
};

static bool has_probes(const struct container *container)
{
    return container->liveness_probe || container->readiness_probe || container->startup_probe;
}

/* what the probers tell */

static void on_changed(void *owner, const char *uid)
{
    struct agent_pod *pod = pods_find(owner, uid);

    if (pod)
        pod_touch(pod);
}

static void on_event(void *owner, const char *uid, const char *container, bool warning,
                     const char *reason, const char *message)
{
    struct agent_pod *pod = pods_find(owner, uid);

    if (pod)
        pod_event(pod, container, warning, reason, message);
}

static bool probing_begin(struct agent *agent)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    struct probe_engine_options engine = {
        .loop = agent->parts.loop,
        .wheel = agent->parts.wheel,
        .work = agent->parts.work,
        .exec = probe_exec_watching(agent),
        .user_agent = PROBE_USER_AGENT,
        .attempts_max = PROBE_ATTEMPTS_MAX,
    };
    struct probers_options probers = {
        .wheel = agent->parts.wheel,
        .execs_max = (unsigned)MIN(MAX(cores, 1) * EXECS_PER_CORE, EXECS_MAX),
        .owner = agent,
        .changed = on_changed,
        .event = on_event,
    };
    struct err err;

    if (agent->probers)
        return true;
    agent->probe_runtime = (struct probe_runtime){agent->cri, agent->parts.wheel};
    agent->exec = probe_exec_of(&agent->probe_runtime);
    if (probe_engine_new(&agent->probe_engine, &engine, &err) < 0) {
        log_error("no container is probed: %s", err.text);
        return false;
    }
    probers.engine = agent->probe_engine;
    agent->probers = probers_new(&probers);
    return true;
}

struct probe_engine *probing_hook_engine(struct agent *agent)
{
    struct probe_engine_options options = {
        .loop = agent->parts.loop,
        .wheel = agent->parts.wheel,
        .work = agent->parts.work,
        .user_agent = "kube-lifecycle/" KUBERNETES_MINOR,
        .attempts_max = HOOKS_MAX,
    };
    struct err err;

    if (!agent->hook_engine && probe_engine_new(&agent->hook_engine, &options, &err) < 0)
        log_error("no HTTP hook can be run: %s", err.text);
    return agent->hook_engine;
}

void probing_end(struct agent *agent)
{
    agent->hook_engine = probe_engine_free(agent->hook_engine);
    agent->probers = probers_free(agent->probers);
    agent->probe_engine = probe_engine_free(agent->probe_engine);
}

/* from results to what the core is told, and back */

static enum pod_probe_result to_core(enum probe_result result)
{
    static const enum pod_probe_result results[] = {
        [PROBE_UNDECIDED] = POD_PROBE_NONE,
        [PROBE_PASSED] = POD_PROBE_SUCCESS,
        [PROBE_NOT_PASSED] = POD_PROBE_FAILURE,
    };

    return results[result];
}

static enum probe_result from_core(enum pod_probe_result result)
{
    static const enum probe_result results[] = {
        [POD_PROBE_NONE] = PROBE_UNDECIDED,
        [POD_PROBE_SUCCESS] = PROBE_PASSED,
        [POD_PROBE_FAILURE] = PROBE_NOT_PASSED,
    };

    return results[result];
}

static const struct seen_probes *on_record(const struct pod_memory *memory, const char *id)
{
    array_for_each (probes, memory->probes)
        if (str_equal(probes->id, id))
            return probes;
    return NULL;
}

static void observe(struct agent_pod *pod, const struct seen_container *seen, struct arena *arena,
                    struct seen_probes *probes)
{
    const struct agent *agent = pod->agent;
    const struct seen_probes *before = on_record(&pod->memory, seen->id);
    enum probe_result results[PROBE_TYPES];

    *probes = before ? *before : (struct seen_probes){0};
    probes->id = seen->id;
    probes->name = seen->name;
    if (!agent->probers || !probers_results(agent->probers, pod->uid, seen->id, results))
        return;
    probes->startup = to_core(results[PROBE_STARTUP]);
    probes->liveness = to_core(results[PROBE_LIVENESS]);
    probes->readiness = to_core(results[PROBE_READINESS]);
    probes->startup_text =
        probers_explain(agent->probers, pod->uid, seen->id, PROBE_STARTUP, arena);
    probes->readiness_text =
        probers_explain(agent->probers, pod->uid, seen->id, PROBE_READINESS, arena);
}

static const struct container *probed_container(const struct agent_pod *pod,
                                                const struct seen_container *seen)
{
    struct pod_container_ref ref;

    if (!pod->object || seen->state != POD_RUNNING)
        return NULL;
    ref = pod_container_find(pod_object(pod), seen->name);
    if (!ref.container || !has_probes(ref.container) ||
        (ref.kind != POD_CONTAINER_REGULAR && ref.kind != POD_CONTAINER_SIDECAR))
        return NULL;
    return ref.container;
}

void pod_observe_probes(struct agent_pod *pod, struct arena *arena, struct pod_observed *observed)
{
    size_t count = 0;

    array_for_each (seen, observed->containers)
        count += probed_container(pod, seen) != NULL;
    observed->probes.items = arena_array(arena, struct seen_probes, count);
    array_for_each (seen, observed->containers)
        if (probed_container(pod, seen))
            observe(pod, seen, arena, &observed->probes.items[observed->probes.count++]);
}

/* A container's start, told by the wall clock. */
static usec_t to_boot(int64_t wall)
{
    int64_t ago = MAX((int64_t)clock_wall() - wall, 0);

    return usec_sub(clock_boottime(), (usec_t)ago);
}

/* Probes wait until its postStart hook is done. */
static bool waits_for_hook(const struct pod_memory *memory, const struct seen_container *seen)
{
    array_for_each (container, memory->containers)
        if (str_equal(container->name, seen->name))
            return str_equal(container->hook_due, seen->id) ||
                   str_equal(container->hook_failed, seen->id);
    return false;
}

static void list_container(struct agent_pod *pod, const struct seen_container *seen,
                           const struct seen_probes *before, struct probed_pod *probed)
{
    const struct container *container = probed_container(pod, seen);

    if (!container || !seen->started_usec || waits_for_hook(&pod->memory, seen))
        return;
    probed->containers.items[probed->containers.count++] = (struct probed_container){
        .container = container,
        .id = seen->id,
        .started = to_boot(seen->started_usec),
        .results =
            {
                [PROBE_LIVENESS] = from_core(before->liveness),
                [PROBE_READINESS] = from_core(before->readiness),
                [PROBE_STARTUP] = from_core(before->startup),
            },
    };
}

void pod_probe(struct agent_pod *pod, struct arena *arena, const struct pod_observed *observed)
{
    struct probed_pod probed = {
        .uid = pod->uid,
        .object = pod->object,
        .ip = pod->memory.published ? pod->memory.published->pod_ip : NULL,
        .ending = pod->memory.stage != POD_STAGE_RUN,
    };

    probed.containers.items = arena_array(arena, struct probed_container, observed->probes.count);
    array_for_each (seen, observed->containers)
        array_for_each (before, observed->probes)
            if (str_equal(before->id, seen->id))
                list_container(pod, seen, before, &probed);
    if (probed.containers.count ? probing_begin(pod->agent) : pod->agent->probers != NULL)
        probers_set(pod->agent->probers, &probed);
}

void pod_probe_no_more(struct agent_pod *pod)
{
    if (pod->agent->probers)
        probers_forget(pod->agent->probers, pod->uid);
}
