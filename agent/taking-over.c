/*
 * Static pods that a kubelet started. Its UIDs are digests that nobody else can compute, so such a
 * pod is known by its name, its source and its containers' hashes; it keeps the UID under which it
 * runs, and the record says what its source calls it.
 */
#include "shell.h"

#include "nodeagent/base/mem.h"

static bool is_new(const struct agent_pod *pod)
{
    return pod->object && pod->static_pod && !pod->removed && !pod->planned && !pod->told_uid &&
           !pod->memory.admitted && !cri_cache_pod(pod->agent->cache, pod->uid);
}

static const char *source_of(const struct agent_pod *pod)
{
    return string_map_get(&pod->object->metadata.annotations, POD_ANNOTATION_SOURCE);
}

/* The newest container of each name counts. */
static bool same_containers(const struct pod *pod, const struct cri_pod *seen)
{
    array_for_each (container, seen->containers) {
        struct pod_container_ref ref = pod_container_find(pod, container->name);
        char text[POD_HASH_TEXT_MAX];
        bool newest = true;

        array_for_each (other, seen->containers) {
            if (other == container)
                break;
            newest = newest && !str_equal(other->name, container->name);
        }
        if (newest && (!ref.container ||
                       !str_equal(pod_container_hash(ref.container, text), container->hash)))
            return false;
    }
    return true;
}

static bool is_same(const struct agent_pod *pod, const struct cri_pod *seen)
{
    const struct agent_pod *found = pods_find(pod->agent, seen->uid);

    return pod_uid_is_safe(seen->uid) && str_equal(seen->name, pod->name) &&
           str_equal(seen->name_space, pod->name_space) && seen->sandboxes.count &&
           !seen->sandboxes.items[0].own_uid &&
           str_equal(seen->sandboxes.items[0].config_source, source_of(pod)) &&
           (!found || (!found->object && !found->told_uid && !found->memory.leaving)) &&
           same_containers(pod_object(pod), seen);
}

static const struct cri_pod *find_same(const struct agent_pod *pod)
{
    const struct cri_pod *seen;

    for (size_t at = 0; (seen = cri_cache_next(pod->agent->cache, &at));)
        if (is_same(pod, seen))
            return seen;
    return NULL;
}

static void take_over(struct agent_pod *pod, const struct cri_pod *seen)
{
    struct agent *agent = pod->agent;
    struct agent_pod *found = pods_add_found(agent, seen->uid, seen->name_space, seen->name);
    struct source *source = pod->source;
    struct object *object = object_ref(pod->object);

    found->told_uid = mem_strdup(pod->uid);
    record_remove(pod);
    pod_free(pod);
    pod_wanted(agent, source, object);
    object_unref(object);
    pod_log(found, "is taken over under the UID that it runs under");
}

static bool take_over_one(struct agent *agent)
{
    struct map_entry *entry;

    for (size_t at = 0; (entry = map_next(&agent->pods, &at));) {
        struct agent_pod *pod = entry->value;
        const struct cri_pod *seen = is_new(pod) ? find_same(pod) : NULL;

        if (seen) {
            take_over(pod, seen);
            return true;
        }
    }
    return false;
}

void pods_take_over(struct agent *agent)
{
    while (take_over_one(agent))
        ;
}
