/* The pods the agent knows: from their sources, from the runtime, from records. */
#include "shell.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/objects/config_map.h"
#include "nodeagent/objects/secret.h"
#include "nodeagent/sys/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct agent_pod *pods_find(struct agent *agent, const char *uid)
{
    return map_get(&agent->pods, uid);
}

static void on_timer(struct wheel_timer *timer)
{
    pod_touch(container_of(timer, struct agent_pod, timer));
}

/* names */

static void take_name(struct agent_pod *pod, const char *name_space, const char *name)
{
    _cleanup_(mem_free_at) char *full_name = NULL;
    struct agent_pod *other;

    pod->name_space = mem_strdup(name_space ? name_space : "");
    pod->name = mem_strdup(name ? name : "");
    full_name = mem_printf("%s/%s", pod->name_space, pod->name);
    other = map_get(&pod->agent->names, full_name);
    if (other)
        list_push_back(&other->namesakes, &pod->namesakes);
    else
        map_put(&pod->agent->names, full_name, pod);
}

static void give_up_name(struct agent_pod *pod)
{
    _cleanup_(mem_free_at) char *full_name = mem_printf("%s/%s", pod->name_space, pod->name);
    struct agent_pod *other = list_first(&pod->namesakes, struct agent_pod, namesakes);

    if (!other)
        map_remove(&pod->agent->names, full_name);
    else if (map_get(&pod->agent->names, full_name) == pod)
        map_put(&pod->agent->names, full_name, other);
    list_unlink(&pod->namesakes);
    free(pod->name_space);
    free(pod->name);
}

static struct agent_pod *pod_add(struct agent *agent, const char *uid, const char *name_space,
                                 const char *name)
{
    struct agent_pod *pod = mem_new(struct agent_pod);

    pod->agent = agent;
    pod->uid = mem_strdup(uid);
    list_init(&pod->namesakes);
    take_name(pod, name_space, name);
    pod->sequence = agent->next_sequence++;
    pod->arena = ARENA_INIT(1024, 1024);
    list_init(&pod->tasks);
    list_init(&pod->terminations);
    list_init(&pod->dirty);
    list_init(&pod->record_due);
    wheel_timer_init(&pod->timer, on_timer);
    list_init(&pod->tokens);
    cluster_report_init(pod);
    pod_begin_volumes(pod);
    map_put(&agent->pods, uid, pod);
    pod_touch(pod);
    return pod;
}

struct agent_pod *pods_add_found(struct agent *agent, const char *uid, const char *name_space,
                                 const char *name)
{
    struct agent_pod *pod = pods_find(agent, uid);

    return pod ? pod : pod_add(agent, uid, name_space, name);
}

static void give_up_object(struct agent_pod *pod)
{
    struct object *before = pod->object;

    pod->object = NULL;
    if (pod->agent->cluster)
        cluster_refer(pod, before);
    object_unref(before);
}

void pod_free(struct agent_pod *pod)
{
    map_remove(&pod->agent->pods, pod->uid);
    pod_probe_no_more(pod);
    cluster_report_no_more(pod);
    cluster_tokens_forget(pod);
    tasks_cancel_all(pod);
    pod_forget_terminations(pod);
    pod_end_volumes(pod);
    wheel_cancel(&pod->timer);
    list_unlink(&pod->dirty);
    list_unlink(&pod->record_due);
    if (pod->expecting)
        cri_cache_expect_no_more(pod->agent->cache, pod->uid);
    give_up_object(pod);
    object_unref(pod->next_object);
    arena_deinit(&pod->arena);
    free(pod->refusal_reason);
    free(pod->refusal_message);
    free(pod->record_trouble);
    free(pod->network_call);
    give_up_name(pod);
    free(pod->told_uid);
    free(pod->uid);
    free(pod);
}

void pods_free(struct agent *agent)
{
    struct map_entry *entry;

    for (size_t at = 0; (entry = map_next(&agent->pods, &at));)
        pod_free(entry->value);
    map_deinit(&agent->pods);
    map_deinit(&agent->names);
    for (size_t at = 0; (entry = map_next(&agent->config_objects, &at));)
        object_unref(entry->value);
    map_deinit(&agent->config_objects);
}

/* The field of the pod that an event is about, as the reference names it. */
static const char *field_path(const struct agent_pod *pod, const char *container,
                              struct arena *arena)
{
    static const char *const lists[] = {
        [POD_CONTAINER_REGULAR] = "containers",
        [POD_CONTAINER_INIT] = "initContainers",
        [POD_CONTAINER_SIDECAR] = "initContainers",
        [POD_CONTAINER_EPHEMERAL] = "ephemeralContainers",
    };
    struct pod_container_ref ref = {0};

    if (container && pod->object)
        ref = pod_container_find(pod_object(pod), container);
    return ref.container ? arena_printf(arena, "spec.%s{%s}", lists[ref.kind], container) : NULL;
}

void pod_event(struct agent_pod *pod, const char *container, bool warning, const char *reason,
               const char *message)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT(256, 256);
    struct event_object object = {
        .kind = "Pod",
        .name_space = pod->name_space,
        .name = pod->name,
        .uid = pod->uid,
        .field_path = field_path(pod, container, &arena),
    };

    events_add(pod->agent->events, &object, warning, reason, message);
}

bool pod_is_ready(const struct pod_status *status)
{
    if (status)
        array_for_each (condition, status->conditions)
            if (str_equal(condition->type, "Ready"))
                return str_equal(condition->status, "True");
    return false;
}

const char *pod_waits_for(const struct agent_pod *pod)
{
    list_for_each (node, &pod->namesakes) {
        const struct agent_pod *other = list_entry(node, struct agent_pod, namesakes);

        /* Whoever ends has the name until it ended; of those that are to run, the first. */
        if (!other->object || other->removed || other->sequence < pod->sequence)
            return other->uid;
    }
    return NULL;
}

/* Who runs keeps the name, in whatever order the records were read. */
void pods_rank(struct agent *agent)
{
    struct map_entry *entry;

    for (size_t at = 0; (entry = map_next(&agent->pods, &at));) {
        struct agent_pod *pod = entry->value;

        if (!cri_cache_pod(agent->cache, pod->uid))
            pod->sequence += agent->next_sequence;
    }
    agent->next_sequence *= 2;
}

static void touch_namesakes(const struct agent_pod *pod)
{
    list_for_each (node, &pod->namesakes)
        pod_touch(list_entry(node, struct agent_pod, namesakes));
}

enum {
    UID_MAX = 128,
};

bool pod_uid_is_safe(const char *uid)
{
    size_t length = strlen(uid);

    return length > 0 && length <= UID_MAX && *uid != '.' &&
           strspn(uid, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") ==
               length;
}

/* sources */

bool pods_sources_complete(const struct agent *agent)
{
    return pods_source_is_complete(agent, "file") && pods_source_is_complete(agent, "http") &&
           pods_source_is_complete(agent, "api");
}

bool pods_source_is_complete(const struct agent *agent, const char *name)
{
    if (str_equal(name, "file"))
        return !agent->directory.source || agent->directory.delivered;
    if (str_equal(name, "http"))
        return !agent->url.source || agent->url.delivered;
    if (str_equal(name, "api"))
        return !agent->cluster || cluster_is_complete(agent->cluster);
    return pods_sources_complete(agent);
}

void pod_log(const struct agent_pod *pod, const char *what)
{
    log_with(LOG_LEVEL_INFO, LOG_FIELDS({"POD", pod->name}, {"NAMESPACE", pod->name_space}), "%s",
             what);
}

static struct agent_pod *find_told(struct agent *agent, const char *uid)
{
    struct map_entry *entry;

    for (size_t at = 0; (entry = map_next(&agent->pods, &at));) {
        struct agent_pod *pod = entry->value;

        if (str_equal(pod->told_uid, uid))
            return pod;
    }
    return pods_find(agent, uid);
}

static const char *told_uid(const struct agent_pod *pod)
{
    return pod->told_uid ? pod->told_uid : pod->uid;
}

/* The object, under the UID that the pod has here. */
static void give_object(struct agent_pod *pod, struct object *object)
{
    struct object *before = pod->object;

    pod->volumes_due = true;
    if (pod->told_uid) {
        pod->object = object_copy(object);
        pod->object->metadata.uid = arena_strdup(&pod->object->arena, pod->uid);
    } else {
        pod->object = object_ref(object);
    }
    if (pod->agent->cluster)
        cluster_refer(pod, before);
    object_unref(before);
}

/* Of one that was only found by its directory the name was not known. */
static void learn_name(struct agent_pod *pod, const struct object_meta *meta)
{
    if (str_equal(pod->name, meta->name) && str_equal(pod->name_space, meta->name_space))
        return;
    give_up_name(pod);
    take_name(pod, meta->name_space, meta->name);
}

void pod_wanted(struct agent *agent, struct source *source, struct object *object)
{
    const struct object_meta *meta = &object->metadata;
    struct agent_pod *pod = find_told(agent, meta->uid);

    if (!pod_uid_is_safe(meta->uid)) {
        log_error("pod %s/%s is not run: its UID has characters that a UID may not have",
                  meta->name_space, meta->name);
        return;
    }
    if (pod &&
        (pod->removed || (!pod->object && pod->memory.leaving && !meta->deletion_timestamp.set))) {
        /* It is on its way out: it comes back when that is done. One that is being deleted in the
         * cluster goes on to be. */
        object_unref(pod->next_object);
        pod->next_object = object_ref(object);
        pod->source = source;
        return;
    }
    if (pod && pod->object == object)
        return;
    if (!pod)
        pod = pod_add(agent, meta->uid, meta->name_space, meta->name);
    learn_name(pod, meta);
    if (!pod->object)
        pod_log(pod, "is to run");
    pod->source = source;
    pod->static_pod = source != &agent->cluster_pods;
    give_object(pod, object);
    pod_touch(pod);
}

static bool in_set(const struct static_set *set, const char *uid)
{
    array_for_each (object, set->objects)
        if ((*object)->kind == &object_kind_pod && str_equal((*object)->metadata.uid, uid))
            return true;
    return false;
}

void pod_unwanted(struct agent_pod *pod)
{
    pod->next_object = object_unref(pod->next_object);
    if (pod->removed || !pod->object)
        return;
    pod_log(pod, "is not wanted any more");
    pod->removed = true;
    pod_touch(pod);
    touch_namesakes(pod);
}

static bool is_immutable(const struct object *object)
{
    return (object->kind == &object_kind_secret
                ? container_of(object, struct secret, object)->immutable
                : container_of(object, struct config_map, object)->immutable) == OPT_TRUE;
}

/* What is immutable stays what it was for as long as it is there at all. */
static struct object *object_to_keep(struct object *before, struct object *object)
{
    if (!before || before == object || !is_immutable(before))
        return object;
    log_warning(
        "%s %s/%s is immutable: its change is not taken; remove it before it comes anew, or "
        "give the new one another name",
        object->kind->name, object->metadata.name_space, object->metadata.name);
    return before;
}

static void take_config_objects(struct agent *agent, const struct static_set *set)
{
    struct map before = agent->config_objects;
    struct map_entry *entry;
    size_t same = 0;

    agent->config_objects = MAP_INIT;
    array_for_each (object, set->objects) {
        const struct object_meta *meta = &(*object)->metadata;
        _cleanup_(mem_free_at) char *key = NULL;
        struct object *old;

        if ((*object)->kind == &object_kind_pod)
            continue;
        key = mem_printf("%s/%s/%s", (*object)->kind->name, meta->name_space, meta->name);
        old = map_get(&before, key);
        object_unref(
            map_put(&agent->config_objects, key, object_ref(object_to_keep(old, *object))));
    }
    for (size_t at = 0; (entry = map_next(&before, &at));) {
        same += map_get(&agent->config_objects, entry->key) == entry->value;
        object_unref(entry->value);
    }
    if (same != map_count(&before) || same != map_count(&agent->config_objects))
        pods_volumes_changed(agent);
    map_deinit(&before);
}

static bool is_known(const struct source *source, const struct static_problem *problem)
{
    array_for_each (known, source->problems)
        if (str_equal(known->place, problem->place) &&
            str_equal(known->sentence, problem->sentence))
            return true;
    return false;
}

static void take_problems(struct source *source, const struct static_set *set)
{
    struct arena arena = ARENA_INIT(1024, 4096);
    struct static_problem *items = arena_array(&arena, struct static_problem, set->problems.count);
    size_t count = 0;

    array_for_each (problem, set->problems) {
        items[count++] = (struct static_problem){
            .place = arena_strdup(&arena, problem->place),
            .sentence = arena_strdup(&arena, problem->sentence),
            .refused = problem->refused,
        };
        if (!is_known(source, problem))
            log_warning("%s: %s", problem->place, problem->sentence);
    }
    arena_deinit(&source->arena);
    source->arena = arena;
    source->problems.items = items;
    source->problems.count = count;
}

void pods_source_delivered(struct agent *agent, struct source *source, bool complete)
{
    source->delivered = source->delivered || complete;
    if (agent->looked)
        pods_take_over(agent);
    if (complete)
        pods_touch_all(agent);
}

void pods_take_set(struct agent *agent, struct source *source, const struct static_set *set)
{
    struct map_entry *entry;

    take_problems(source, set);
    if (source == &agent->directory)
        take_config_objects(agent, set);
    for (size_t at = 0; (entry = map_next(&agent->pods, &at));) {
        struct agent_pod *pod = entry->value;

        if (pod->source == source && !in_set(set, told_uid(pod)))
            pod_unwanted(pod);
    }
    array_for_each (object, set->objects)
        if ((*object)->kind == &object_kind_pod)
            pod_wanted(agent, source, *object);
    pods_source_delivered(agent, source, set->complete);
}

/* What the runtime has of pods that nobody told of: it is ended once every source has delivered. */
void pods_find_orphans(struct agent *agent)
{
    const struct cri_pod *seen;

    for (size_t at = 0; (seen = cri_cache_next(agent->cache, &at));)
        if (!pods_find(agent, seen->uid) && pod_uid_is_safe(seen->uid))
            pods_add_found(agent, seen->uid, seen->name_space, seen->name);
}

void pod_gone(struct agent_pod *pod)
{
    struct agent *agent = pod->agent;
    struct object *next = pod->next_object ? object_ref(pod->next_object) : NULL;
    struct source *source = pod->source;

    pod_log(pod, "is gone");
    record_remove(pod);
    touch_namesakes(pod);
    pod_free(pod);
    if (next)
        pod_wanted(agent, source, next);
    object_unref(next);
}
