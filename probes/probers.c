/* Whom to probe: the containers of each pod that run, and what is known of them. */
#include "prober.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/base/str.h"
#include "nodeagent/sys/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const char *probe_type_name(enum probe_type type)
{
    static const char *const names[PROBE_TYPES] = {
        [PROBE_LIVENESS] = "Liveness",
        [PROBE_READINESS] = "Readiness",
        [PROBE_STARTUP] = "Startup",
    };

    return names[type];
}

const struct probe *probe_of(const struct container *container, enum probe_type type)
{
    switch (type) {
    case PROBE_LIVENESS:
        return container->liveness_probe;
    case PROBE_READINESS:
        return container->readiness_probe;
    default:
        return container->startup_probe;
    }
}

/* ends */

static struct prober *prober_free(struct prober *prober)
{
    if (!prober)
        return NULL;
    prober_rest(prober);
    if (prober->quick)
        prober->of->pod->probers->quick_rate -= probe_timing_rate(&prober->timing);
    free(prober->text);
    free(prober);
    return NULL;
}

static void probed_free(struct probed *probed)
{
    for (enum probe_type type = 0; type < PROBE_TYPES; type++)
        probed->probers[type] = prober_free(probed->probers[type]);
    list_unlink(&probed->link);
    object_unref(probed->object);
    free(probed);
}

static void watched_free(struct watched *pod)
{
    while (!list_empty(&pod->containers))
        probed_free(list_first(&pod->containers, struct probed, link));
    map_remove(&pod->probers->pods, pod->uid);
    free(pod->ip);
    free(pod);
}

/* beginnings */

static void complain(const struct watched *pod, const char *container, const struct err *err)
{
    const struct probers_options *options = &pod->probers->options;

    options->event(options->owner, pod->uid, container, true, "InvalidProbeAnnotation", err->text);
}

/* What the annotation wants is granted whole, or not at all. */
static void take_timing(struct prober *prober, enum probe_type type)
{
    struct watched *pod = prober->of->pod;
    struct probe_timing declared = probe_timing_of(prober->probe);
    const char *container = prober->of->container->name;
    uint64_t rate;
    struct err err;

    prober->timing = declared;
    if (probe_timing_annotated(&prober->timing, pod_of(prober->of->object), container, type, &err) <
        0)
        complain(pod, container, &err);
    if (prober->timing.period >= USEC_PER_SEC)
        return;
    rate = probe_timing_rate(&prober->timing);
    if (pod->probers->quick_rate + rate > PROBE_QUICK_RATE_MAX * 1000ULL) {
        err_set(&err, -EBUSY,
                "%s probe: its period of %llu ms is not granted, the node's pods may have %d quick "
                "attempts a second together: every %d s is what holds",
                probe_type_name(type), (unsigned long long)(prober->timing.period / USEC_PER_MSEC),
                PROBE_QUICK_RATE_MAX, (int)(declared.period / USEC_PER_SEC));
        complain(pod, container, &err);
        prober->timing = declared;
        return;
    }
    prober->quick = true;
    pod->probers->quick_rate += rate;
}

static struct prober *prober_new(struct probed *probed, const struct probed_container *told,
                                 enum probe_type type)
{
    const struct probe *probe = probe_of(probed->container, type);
    struct prober *prober;
    bool gated;

    if (!probe)
        return NULL;
    prober = mem_new(struct prober);
    prober->of = probed;
    prober->probe = probe;
    prober_init(prober);
    take_timing(prober, type);
    gated = type != PROBE_STARTUP && probed->container->startup_probe &&
            told->results[PROBE_STARTUP] != PROBE_PASSED;
    judge_init(&prober->judge, type, &prober->timing, told->started, told->results[type], gated,
               clock_boottime());
    return prober;
}

static void probed_new(struct watched *pod, const struct probed_pod *told_pod,
                       const struct probed_container *told)
{
    size_t size = strlen(told->id) + 1;
    struct probed *probed = mem_zalloc(sizeof(*probed) + size);

    memcpy(probed->id, told->id, size);
    probed->pod = pod;
    probed->object = object_ref(told_pod->object);
    probed->container = told->container;
    probed->seen = true;
    list_push_back(&pod->containers, &probed->link);
    for (enum probe_type type = 0; type < PROBE_TYPES; type++) {
        if (told_pod->ending && type != PROBE_READINESS)
            continue;
        probed->probers[type] = prober_new(probed, told, type);
        if (probed->probers[type])
            prober_arm(probed->probers[type]);
    }
}

static struct watched *watched_new(struct probers *probers, const struct probed_pod *told)
{
    size_t size = strlen(told->uid) + 1;
    struct watched *pod = mem_zalloc(sizeof(*pod) + size);
    const struct pod *document = pod_of(told->object);
    struct err err;

    memcpy(pod->uid, told->uid, size);
    pod->probers = probers;
    pod->close = probe_closes(document);
    list_init(&pod->containers);
    map_put(&probers->pods, pod->uid, pod);
    array_for_each (annotation, document->object.metadata.annotations)
        if (probe_annotation_check(document, annotation, &err) < 0)
            complain(pod, NULL, &err);
    return pod;
}

/* telling */

static struct probed *find(const struct watched *pod, const char *id)
{
    list_for_each (node, &pod->containers) {
        struct probed *probed = list_entry(node, struct probed, link);

        if (str_equal(probed->id, id))
            return probed;
    }
    return NULL;
}

static void end_what_matters_no_more(struct watched *pod, bool ending)
{
    list_for_each_safe (node, &pod->containers) {
        struct probed *probed = list_entry(node, struct probed, link);

        if (!probed->seen) {
            probed_free(probed);
        } else if (ending) {
            probed->probers[PROBE_LIVENESS] = prober_free(probed->probers[PROBE_LIVENESS]);
            probed->probers[PROBE_STARTUP] = prober_free(probed->probers[PROBE_STARTUP]);
        }
    }
}

void probers_set(struct probers *probers, const struct probed_pod *told)
{
    struct watched *pod = map_get(&probers->pods, told->uid);

    if (!told->containers.count) {
        probers_forget(probers, told->uid);
        return;
    }
    if (!pod)
        pod = watched_new(probers, told);
    if (!str_equal(pod->ip, told->ip)) {
        free(pod->ip);
        pod->ip = told->ip ? mem_strdup(told->ip) : NULL;
    }
    list_for_each (node, &pod->containers)
        list_entry(node, struct probed, link)->seen = false;
    array_for_each (container, told->containers) {
        struct probed *probed = find(pod, container->id);

        if (probed)
            probed->seen = true;
        else
            probed_new(pod, told, container);
    }
    end_what_matters_no_more(pod, told->ending);
}

void probers_forget(struct probers *probers, const char *uid)
{
    struct watched *pod = map_get(&probers->pods, uid);

    if (pod)
        watched_free(pod);
}

/* asking */

static const struct probed *find_container(const struct probers *probers, const char *uid,
                                           const char *container_id)
{
    const struct watched *pod = map_get(&probers->pods, uid);

    return pod ? find(pod, container_id) : NULL;
}

bool probers_results(const struct probers *probers, const char *uid, const char *container_id,
                     enum probe_result results[PROBE_TYPES])
{
    const struct probed *probed = find_container(probers, uid, container_id);

    for (enum probe_type type = 0; probed && type < PROBE_TYPES; type++)
        results[type] =
            probed->probers[type] ? probed->probers[type]->judge.result : PROBE_UNDECIDED;
    return probed != NULL;
}

const char *probers_explain(const struct probers *probers, const char *uid,
                            const char *container_id, enum probe_type type, struct arena *arena)
{
    const struct probed *probed = find_container(probers, uid, container_id);
    const struct prober *prober = probed ? probed->probers[type] : NULL;
    const struct judge *judge = prober ? &prober->judge : NULL;

    if (!prober || judge->result == PROBE_PASSED)
        return NULL;
    if (!prober->history.count)
        return prober->attempt ? "attempting for the first time" : "not attempted yet";
    if (!judge->run)
        return arena_printf(arena, "no verdict yet: %s", prober->text ? prober->text : "");
    if (judge->last_good)
        return arena_printf(arena, "succeeded %u of %u times in a row", judge->run,
                            judge->timing->success_threshold);
    return arena_printf(arena, "failing %u of %u: %s", judge->run, judge->timing->failure_threshold,
                        prober->text ? prober->text : "");
}

/* the object */

struct probers *probers_new(const struct probers_options *options)
{
    struct probers *probers = mem_new(struct probers);

    probers->options = *options;
    turns_init(probers);
    return probers;
}

struct probers *probers_free(struct probers *probers)
{
    struct map_entry *entry;

    if (!probers)
        return NULL;
    for (size_t at = 0; (entry = map_next(&probers->pods, &at));)
        watched_free(entry->value);
    map_deinit(&probers->pods);
    wheel_cancel(&probers->pulse);
    free(probers);
    return NULL;
}
