/* What translations of a pod need to know. */
#include "shell.h"

#include "nodeagent/base/mem.h"

#include <stdlib.h>

/* ConfigMaps and Secrets come from the manifest directory too, where there is no API server. */
static const struct object *find_in_directory(const struct agent *agent,
                                              const struct object_kind *kind,
                                              const char *name_space, const char *name)
{
    _cleanup_(mem_free_at) char *key = mem_printf("%s/%s/%s", kind->name, name_space, name);

    return map_get(&agent->config_objects, key);
}

static const struct object *look_up(void *owner, const struct object_kind *kind,
                                    const char *name_space, const char *name)
{
    const struct agent *agent = owner;

    return agent->cluster ? cluster_object_find(agent->cluster, kind, name_space, name)
                          : find_in_directory(agent, kind, name_space, name);
}

static bool is_unknown(void *owner, const struct object_kind *kind, const char *name_space,
                       const char *name)
{
    const struct agent *agent = owner;

    return cluster_object_is_unknown(agent->cluster, kind, name_space, name);
}

static int look_up_token(void *owner, const struct pod *pod,
                         const struct token_projection *projection, const char **value,
                         struct err *err)
{
    return cluster_token(pods_find(owner, pod->object.metadata.uid), projection, value, err);
}

struct translation pod_translation(struct agent_pod *pod, struct arena *arena,
                                   const struct cri_pod *seen)
{
    struct agent *agent = pod->agent;
    struct translation translation = {
        .arena = arena,
        .node = agent->parts.facts,
        .pod = pod_object(pod),
        .static_pod = pod->static_pod,
        .lookup = look_up,
        .unknown = agent->cluster ? is_unknown : NULL,
        .lookup_owner = agent,
        .token = agent->cluster ? look_up_token : NULL,
        .services = agent->cluster ? cluster_services(agent->cluster, arena) : NULL,
    };
    struct err ignored; /* told when the sandbox is made */

    if (agent->cluster && !str_empty(translation.pod->spec.runtime_class_name))
        cluster_runtime_handler(agent->cluster, translation.pod->spec.runtime_class_name,
                                &translation.handler, &ignored);
    if (translation.pod->spec.host_network) {
        translation.pod_ips = agent->parts.facts->addresses;
    } else if (seen && seen->sandboxes.count && seen->sandboxes.items->ready) {
        translation.pod_ips.items = seen->sandboxes.items->ips;
        translation.pod_ips.count = seen->sandboxes.items->ip_count;
    }
    return translation;
}
