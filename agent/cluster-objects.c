/*
 * The ConfigMaps and Secrets that pods of the cluster refer to: each is watched by itself, since a
 * node may see no others, from when the first pod refers to it until the last one has ended; one
 * that is immutable, until it is known.
 */
#include "cluster-private.h"
#include "cluster.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/objects/config_map.h"
#include "nodeagent/objects/names.h"
#include "nodeagent/objects/references.h"
#include "nodeagent/objects/secret.h"

#include <stdlib.h>
#include <string.h>

struct cluster_object {
    struct cluster *cluster;
    const struct object_kind *kind;
    struct api_watch *watch;
    unsigned references;
    char *name_space;
    char *name;
    char key[];
};

static char *key_of(const struct object_kind *kind, const char *name_space, const char *name)
{
    return mem_printf("%s/%s/%s", kind->name, name_space, name);
}

struct mention {
    const struct cluster_object *object;
    bool found;
};

static void compare_name(void *owner, const struct object_kind *kind, const char *name)
{
    struct mention *mention = owner;

    mention->found |= kind == mention->object->kind && !strcmp(name, mention->object->name);
}

static bool mentions(const struct agent_pod *pod, const struct cluster_object *object)
{
    struct mention mention = {object, false};

    if (!pod->object || pod->static_pod || !str_equal(pod->name_space, object->name_space))
        return false;
    pod_references(pod_object(pod), compare_name, &mention);
    return mention.found;
}

/* Whoever waits for it may go on; and volumes follow. */
static void touch_pods(struct cluster_object *object)
{
    struct map_entry *entry;

    for (size_t at = 0; (entry = map_next(&object->cluster->agent->pods, &at));)
        if (mentions(entry->value, object))
            pod_volumes_changed(entry->value);
}

static void on_gone(void *owner, struct object *gone)
{
    touch_pods(owner);
}

static bool is_immutable(struct object *object)
{
    return (object->kind == &object_kind_secret ? secret_of(object)->immutable
                                                : config_map_of(object)->immutable) == OPT_TRUE;
}

static void on_set(void *owner, struct object *changed)
{
    struct cluster_object *object = owner;

    if (!api_watch_is_complete(object->watch))
        return; /* remembered only */
    touch_pods(object);
    if (is_immutable(changed))
        api_watch_rest(object->watch);
}

/* What was remembered, and is as it was, is not told again. */
static void on_complete(void *owner)
{
    struct cluster_object *object = owner;
    struct object *found = api_watch_find(object->watch, object->name_space, object->name);

    touch_pods(object);
    if (found && is_immutable(found))
        api_watch_rest(object->watch);
}

static struct cluster_object *object_new(struct cluster *cluster, const struct object_kind *kind,
                                         const char *name_space, const char *name, const char *key)
{
    struct cluster_object *object = mem_zalloc(sizeof(*object) + strlen(key) + 1);
    char *path = mem_printf("/api/v1/namespaces/%s/%s", name_space,
                            kind == &object_kind_secret ? "secrets" : "configmaps");
    char *selector = mem_printf("metadata.name=%s", name);
    struct api_watch_options watch = {
        .api = cluster->api,
        .wheel = cluster->agent->parts.wheel,
        .kind = kind,
        .path = path,
        .selector = selector,
        .lone = true,
        .owner = object,
        .set = on_set,
        .gone = on_gone,
        .complete = on_complete,
    };

    strcpy(object->key, key);
    object->cluster = cluster;
    object->kind = kind;
    object->name_space = mem_strdup(name_space);
    object->name = mem_strdup(name);
    object->watch = api_watch_new(&watch);
    map_put(&cluster->objects, key, object);
    cluster_offline_prime(cluster->offline, object->watch, key);
    free(selector);
    free(path);
    return object;
}

static void object_free(struct cluster_object *object)
{
    map_remove(&object->cluster->objects, object->key);
    api_watch_free(object->watch);
    free(object->name_space);
    free(object->name);
    free(object);
}

struct walk {
    struct cluster *cluster;
    const char *name_space;
    struct map seen; /* keys: a pod may name the same object often */
};

/* NULL: it was met before, is one too many, or none can have such a name. */
static char *key_in_walk(struct walk *walk, const struct object_kind *kind, const char *name)
{
    char *key = key_of(kind, walk->name_space, name);

    if (map_count(&walk->seen) < CLUSTER_REFERENCES_MAX && !name_check_subdomain(name) &&
        !map_put(&walk->seen, key, walk))
        return key;
    free(key);
    return NULL;
}

static void refer(void *owner, const struct object_kind *kind, const char *name)
{
    struct walk *walk = owner;
    _cleanup_(mem_free_at) char *key = key_in_walk(walk, kind, name);
    struct cluster_object *object = key ? map_get(&walk->cluster->objects, key) : NULL;

    if (!key)
        return;
    if (!object)
        object = object_new(walk->cluster, kind, walk->name_space, name, key);
    object->references++;
}

static void release(void *owner, const struct object_kind *kind, const char *name)
{
    struct walk *walk = owner;
    _cleanup_(mem_free_at) char *key = key_in_walk(walk, kind, name);
    struct cluster_object *object = key ? map_get(&walk->cluster->objects, key) : NULL;

    if (object && --object->references == 0)
        object_free(object);
}

static void walk_pod(struct cluster *cluster, const struct object *pod, pod_reference_fn *call)
{
    struct walk walk = {cluster, pod->metadata.name_space, MAP_INIT};

    pod_references(pod_of((struct object *)pod), call, &walk);
    map_deinit(&walk.seen);
}

/* In this order: what both refer to goes on being watched. */
void cluster_refer(struct agent_pod *pod, const struct object *before)
{
    bool refers = pod->object && !pod->static_pod && pod->memory.stage < POD_STAGE_ENDED;

    if (refers)
        walk_pod(pod->agent->cluster, pod->object, refer);
    if (pod->refers)
        walk_pod(pod->agent->cluster, before, release);
    pod->refers = refers;
}

bool cluster_object_is_unknown(const struct cluster *cluster, const struct object_kind *kind,
                               const char *name_space, const char *name)
{
    _cleanup_(mem_free_at) char *key = key_of(kind, name_space, name);
    const struct cluster_object *object = map_get(&cluster->objects, key);

    return object ? !cluster_knows(cluster, object->watch) : !name_check_subdomain(name);
}

const struct object *cluster_object_find(const struct cluster *cluster,
                                         const struct object_kind *kind, const char *name_space,
                                         const char *name)
{
    _cleanup_(mem_free_at) char *key = key_of(kind, name_space, name);
    const struct cluster_object *object = map_get(&cluster->objects, key);

    return object ? api_watch_find(object->watch, name_space, name) : NULL;
}

struct waiting {
    const struct cluster *cluster;
    const char *name_space;
    struct arena *arena;
    const char *for_what;
};

static void look(void *owner, const struct object_kind *kind, const char *name)
{
    struct waiting *waiting = owner;

    if (!waiting->for_what &&
        cluster_object_is_unknown(waiting->cluster, kind, waiting->name_space, name))
        waiting->for_what =
            arena_printf(waiting->arena, "%s %s/%s", kind->name, waiting->name_space, name);
}

const char *cluster_waits_for(struct agent_pod *pod, bool refused, struct arena *arena)
{
    struct waiting waiting = {pod->agent->cluster, pod->name_space, arena, NULL};

    if (pod->static_pod)
        return NULL;
    pod_references(pod_object(pod), look, &waiting);
    if (!cluster_tokens_are_there(pod, refused) && !waiting.for_what)
        waiting.for_what = "a token of its service account";
    return waiting.for_what;
}

void cluster_objects_free(struct cluster *cluster)
{
    struct map_entry *entry;

    for (size_t at = 0; (entry = map_next(&cluster->objects, &at));)
        object_free(entry->value);
    map_deinit(&cluster->objects);
}
