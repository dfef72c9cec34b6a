/* What the core is told of a pod: what is desired, and what was observed. */
#include "shell.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/sys/files.h"
#include "termination.h"

#include <stdlib.h>

void pod_desire(struct agent_pod *pod, struct arena *arena, struct pod_desired *desired)
{
    const struct node_facts *facts = pod->agent->parts.facts;
    const char **ips = arena_array(arena, const char *, facts->addresses.count + 1);

    for (size_t i = 0; i < facts->addresses.count; i++)
        ips[i] = facts->addresses.items[i];
    *desired = (struct pod_desired){
        .pod = pod_object(pod),
        .static_pod = pod->static_pod,
        .removed = pod->removed,
        .waits_for = pod_waits_for(pod),
        .refusal_reason = pod->refusal_reason,
        .refusal_message = pod->refusal_message,
        .crash_delay_max = pod->agent->config->max_container_restart_period,
        .node_ips = ips,
        .runtime_name = runtime_state_name(pod->agent->runtime),
    };
}

/* termination messages */

static struct termination *termination_find(struct agent_pod *pod, const char *id)
{
    list_for_each (node, &pod->terminations) {
        struct termination *termination = list_entry(node, struct termination, link);

        if (str_equal(termination->id, id))
            return termination;
    }
    return NULL;
}

static void termination_free(struct termination *termination)
{
    list_unlink(&termination->link);
    free(termination->id);
    free(termination->text);
    free(termination);
}

static void termination_read(void *owner, void *argument, int result)
{
    struct termination *termination = owner;

    termination->job = NULL;
    termination->text = argument ? termination_take_text(argument)
                                 : mem_strdup("its termination message could not be read in time");
    pod_touch(termination->pod);
}

static struct termination *termination_begin(struct agent_pod *pod,
                                             const struct cri_container *container)
{
    struct termination *termination = mem_new(struct termination);
    struct work_order order = {
        .key = pod->uid,
        .limit_usec = FILES_LIMIT_USEC,
        .run = termination_job,
        .done = termination_read,
        .free = termination_job_free,
        .argument =
            termination_job_new(container->termination_path, container->log_path,
                                container->termination_from_logs && container->exit_code != 0 &&
                                    !str_equal(container->reason, "ContainerCannotRun")),
        .owner = termination,
    };
    struct err err;

    termination->pod = pod;
    termination->id = mem_strdup(container->id);
    list_push_back(&pod->terminations, &termination->link);
    if (work_submit(pod->agent->parts.work, &order, &termination->job, &err) < 0) {
        termination_job_free(order.argument);
        termination->text = mem_printf("its termination message could not be read: %s", err.text);
    }
    return termination;
}

static const char *termination_of(struct agent_pod *pod, const struct cri_container *container)
{
    struct termination *termination;

    if (container->state != CRI_EXITED || !container->termination_path)
        return NULL;
    termination = termination_find(pod, container->id);
    if (!termination)
        termination = termination_begin(pod, container);
    return termination->text;
}

static bool is_seen(const struct cri_pod *seen, const char *id)
{
    if (seen)
        array_for_each (container, seen->containers)
            if (str_equal(container->id, id))
                return true;
    return false;
}

static void forget_terminations(struct agent_pod *pod, const struct cri_pod *seen)
{
    list_for_each_safe (node, &pod->terminations) {
        struct termination *termination = list_entry(node, struct termination, link);

        if (!termination->job && !is_seen(seen, termination->id))
            termination_free(termination);
    }
}

void pod_forget_terminations(struct agent_pod *pod)
{
    list_for_each_safe (node, &pod->terminations) {
        struct termination *termination = list_entry(node, struct termination, link);

        if (termination->job)
            work_cancel(termination->job); /* sets its text, and touches the pod */
        termination_free(termination);
    }
}

/* from the cache's structures to the core's: what points at text goes on pointing at the cache's */

static void observe_sandboxes(const struct cri_pod *seen, struct arena *arena,
                              struct pod_observed *observed)
{
    observed->sandboxes.items = arena_array(arena, struct seen_sandbox, seen->sandboxes.count);
    observed->sandboxes.count = seen->sandboxes.count;
    for (size_t i = 0; i < seen->sandboxes.count; i++) {
        const struct cri_sandbox *from = &seen->sandboxes.items[i];

        observed->sandboxes.items[i] = (struct seen_sandbox){
            .id = from->id,
            .attempt = from->attempt,
            .ready = from->ready,
            .created_usec = from->created_usec,
            .host_network = from->host_network,
            .network_known = from->network_known,
            .ips = from->ips,
            .ip_count = from->ip_count,
        };
    }
}

static void observe_containers(struct agent_pod *pod, const struct cri_pod *seen,
                               struct arena *arena, struct pod_observed *observed)
{
    static const enum pod_state states[] = {
        [CRI_CREATED] = POD_CREATED,
        [CRI_RUNNING] = POD_RUNNING,
        [CRI_EXITED] = POD_EXITED,
        [CRI_UNKNOWN] = POD_UNKNOWN,
    };

    observed->containers.items = arena_array(arena, struct seen_container, seen->containers.count);
    observed->containers.count = seen->containers.count;
    for (size_t i = 0; i < seen->containers.count; i++) {
        const struct cri_container *from = &seen->containers.items[i];

        observed->containers.items[i] = (struct seen_container){
            .id = from->id,
            .name = from->name,
            .sandbox_id = from->sandbox_id,
            .state = states[from->state],
            .attempt = from->attempt,
            .restart_count = from->restart_count,
            .hash = from->hash,
            .created_usec = from->created_usec,
            .started_usec = from->started_usec,
            .finished_usec = from->finished_usec,
            .exit_code = from->exit_code,
            .reason = from->reason,
            .message = from->message,
            .termination = termination_of(pod, from),
            .image = from->image,
            .image_id = from->image_id,
        };
    }
}

const char *agent_network_trouble(const struct agent *agent)
{
    const char *trouble = runtime_state_network_trouble(agent->runtime);

    return trouble ? trouble : network_trouble(agent->network);
}

/* Before all pods were seen, one may yet turn out to run under another UID; and before the runtime
 * has said its name, no container has the id by which it was published. */
static bool is_known(const struct agent *agent)
{
    return agent->looked && !str_empty(runtime_state_name(agent->runtime));
}

void pod_observe(struct agent_pod *pod, struct arena *arena, struct pod_observed *observed)
{
    const struct cri_pod *seen = cri_cache_pod(pod->agent->cache, pod->uid);

    *observed = (struct pod_observed){
        .looked = is_known(pod->agent) ? cri_cache_looked(pod->agent->cache, pod->uid) : 0,
        .trouble = cri_cache_trouble(pod->agent->cache, pod->uid),
        .network_trouble = agent_network_trouble(pod->agent),
        .prepared = pod->prepared,
        .released = pod->released,
        .cleaned = pod->cleaned,
    };
    if (seen) {
        observe_sandboxes(seen, arena, observed);
        observe_containers(pod, seen, arena, observed);
        pod_observe_probes(pod, arena, observed);
    }
    forget_terminations(pod, seen);
}
