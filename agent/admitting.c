/* Whether the node takes a pod: decided once, before anything of it was started. */
#include "shell.h"

#include "nodeagent/base/mem.h"

#include <stdlib.h>

/* What the node has admitted and has not ended. */
static const struct pod **others(const struct agent_pod *judged, struct arena *arena, size_t *count)
{
    const struct map *pods = &judged->agent->pods;
    const struct pod **list = arena_array(arena, const struct pod *, map_count(pods));
    struct map_entry *entry;

    *count = 0;
    for (size_t at = 0; (entry = map_next(pods, &at));) {
        const struct agent_pod *pod = entry->value;

        if (pod != judged && pod->object && pod->memory.admitted &&
            pod->memory.stage < POD_STAGE_ENDED)
            list[(*count)++] = pod_object(pod);
    }
    return list;
}

void pod_judge(struct agent_pod *pod, const struct pod_observed *observed)
{
    const struct agent *agent = pod->agent;
    const struct node_facts *facts = agent->parts.facts;
    struct pod_node node = {
        .name = agent->config->node_name,
        .allocatable = facts->allocatable,
        .pods_max = agent->config->max_pods,
        .allowed_unsafe_sysctls = agent->config->allowed_unsafe_sysctls,
        .supplemental_groups_policy = facts->supplemental_groups_policy,
    };
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    const char *reason = NULL, *message = NULL;
    const struct pod **list;
    size_t count;

    if (!pod->object || !observed->looked || pod->memory.admitted || pod->refusal_reason)
        return;
    /* What ran before is not turned away by who came later. */
    if (observed->sandboxes.count || observed->containers.count) {
        pod->memory.admitted = true;
        return;
    }
    list = others(pod, &arena, &count);
    if (pod_admit(pod_object(pod), pod->static_pod, &node, list, count, &arena, &reason,
                  &message)) {
        pod->memory.admitted = true;
        return;
    }
    pod->refusal_reason = mem_strdup(reason);
    pod->refusal_message = mem_strdup(message);
}
