/* The pods that the API server binds to this node. */
#include "cluster.h"
#include "cluster-private.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/objects/runtime_class.h"
#include "nodeagent/sys/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Its static pod looks after it. */
static void mirror_changed(struct cluster *cluster, const struct object *mirror,
                           void (*tell)(struct agent_pod *pod))
{
    struct map_entry *entry;

    for (size_t at = 0; (entry = map_next(&cluster->agent->pods, &at));) {
        struct agent_pod *pod = entry->value;

        if (pod->static_pod && str_equal(pod->name, mirror->metadata.name) &&
            str_equal(pod->name_space, mirror->metadata.name_space))
            tell(pod);
    }
}

static void on_set(void *owner, struct object *object)
{
    struct cluster *cluster = owner;

    if (is_mirror(object))
        mirror_changed(cluster, object, cluster_report);
    else
        pod_wanted(cluster->agent, &cluster->agent->cluster_pods, object);
}

static void on_gone(void *owner, struct object *object)
{
    struct cluster *cluster = owner;
    struct agent_pod *pod = pods_find(cluster->agent, object->metadata.uid);

    if (is_mirror(object))
        mirror_changed(cluster, object, cluster_mirror_gone);
    else if (pod && pod->source == &cluster->agent->cluster_pods)
        pod_unwanted(pod);
}

static void on_complete(void *owner)
{
    struct cluster *cluster = owner;

    cluster_offline_over(cluster->offline);
    pods_source_delivered(cluster->agent, &cluster->agent->cluster_pods, true);
}

static const struct json_limits answer_limits = {
    .bytes_max = 16 << 20,
    .nodes_max = 1000000,
    .skip = "managedFields",
};

struct object *cluster_decode(const struct object_kind *kind, enum object_raw raw, const char *body,
                              size_t length)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    struct json_findings findings;
    struct json *document;
    struct report report;
    struct object *object;
    struct err err;

    if (json_parse(&arena, body, length, &answer_limits, &findings, &document, &err) < 0)
        return NULL;
    report_init(&report, document);
    object = object_decode_as(kind, document, raw, &report);
    if (report.errors || str_empty(object->metadata.name) ||
        (kind != &object_kind_event &&
         (str_empty(object->metadata.uid) || str_empty(object->metadata.resource_version))))
        object = object_unref(object);
    report_deinit(&report);
    return object;
}

struct object *cluster_answer(const struct object_kind *kind, enum object_raw raw,
                              const struct api_reply *reply, struct err *err)
{
    struct object *object = cluster_decode(kind, raw, reply->body, reply->length);

    if (!object)
        err_set(err, -EBADMSG,
                "%s %s: the API server's answer is not understood: it is no %s; is there something "
                "else at this address?",
                reply->method, reply->path, kind->name);
    return object;
}

/* None is older than any. */
bool version_is_older(const char *version, const char *than)
{
    size_t length = version ? strlen(version) : 0, other = than ? strlen(than) : 0;

    return length != other ? length < other : length && strcmp(version, than) < 0;
}

/* What went unsaid is said again: a call that failed, and what somebody else changed since. */
static void on_round(struct wheel_timer *timer)
{
    struct cluster *cluster = container_of(timer, struct cluster, round);
    struct map_entry *entry;

    for (size_t at = 0; (entry = map_next(&cluster->agent->pods, &at));)
        cluster_report_round(entry->value);
    cluster_mirror_sweep(cluster);
    cluster_checkpoint_round(cluster->checkpoint);
    wheel_arm(cluster->agent->parts.wheel, &cluster->round,
              usec_add(clock_boottime(), CLUSTER_ROUND_USEC));
}

/* what is looked up when pods start: Services, RuntimeClasses */

static void on_another(void *owner, struct object *object)
{
    struct cluster *cluster = owner;

    cluster_checkpoint_changed(cluster->checkpoint);
}

static void on_known(void *owner)
{
    struct cluster *cluster = owner;

    pods_touch_all(cluster->agent);
}

static struct api_watch *watch_all(struct cluster *cluster, const struct object_kind *kind,
                                   const char *path, const char *selector)
{
    struct api_watch_options options = {
        .api = cluster->api,
        .wheel = cluster->agent->parts.wheel,
        .kind = kind,
        .path = path,
        .selector = selector,
        .owner = cluster,
        .set = on_another,
        .gone = on_another,
        .complete = on_known,
    };

    return api_watch_new(&options);
}

bool cluster_knows(const struct cluster *cluster, const struct api_watch *watch)
{
    return cluster_is_complete(cluster) ? api_watch_is_complete(watch) : api_watch_is_known(watch);
}

struct known_services *cluster_services(const struct cluster *cluster, struct arena *arena)
{
    struct known_services *services = arena_new(arena, struct known_services);
    struct object *service;
    size_t count = 0;

    services->complete = cluster_knows(cluster, cluster->services);
    for (size_t at = 0; api_watch_next(cluster->services, &at);)
        count++;
    services->items.items = arena_array(arena, const struct object *, count);
    for (size_t at = 0; (service = api_watch_next(cluster->services, &at));)
        services->items.items[services->items.count++] = service;
    return services;
}

int cluster_runtime_handler(const struct cluster *cluster, const char *name, const char **handler,
                            struct err *err)
{
    struct object *found = api_watch_find(cluster->runtime_classes, NULL, name);

    if (!found)
        return err_set(err, -ENOENT, "RuntimeClass \"%s\" not found", name);
    *handler = runtime_class_of(found)->handler;
    return 0;
}

struct cluster *cluster_new(struct agent *agent, struct api *api)
{
    struct cluster *cluster = mem_new(struct cluster);
    char *selector = mem_printf("spec.nodeName=%s", agent->config->node_name);
    struct api_watch_options pods = {
        .api = api,
        .wheel = agent->parts.wheel,
        .kind = &object_kind_pod,
        .path = "/api/v1/pods",
        .selector = selector,
        .owner = cluster,
        .set = on_set,
        .gone = on_gone,
        .complete = on_complete,
    };

    cluster->agent = agent;
    cluster->api = api;
    cluster->checkpoint = cluster_checkpoint_new(cluster);
    cluster->csi = cluster_csi_new(cluster);
    cluster->events = cluster_events_new(cluster);
    cluster->lease = cluster_lease_new(cluster);
    cluster->node = cluster_node_new(cluster);
    cluster->services =
        watch_all(cluster, &object_kind_service, "/api/v1/services", "spec.clusterIP!=None");
    cluster->runtime_classes =
        watch_all(cluster, &object_kind_runtime_class, "/apis/node.k8s.io/v1/runtimeclasses", NULL);
    cluster->pods = api_watch_new(&pods);
    cluster->offline = cluster_offline_new(cluster);
    wheel_timer_init(&cluster->round, on_round);
    wheel_arm(agent->parts.wheel, &cluster->round, usec_add(clock_boottime(), CLUSTER_ROUND_USEC));
    free(selector);
    return cluster;
}

struct cluster *cluster_free(struct cluster *cluster)
{
    if (!cluster)
        return NULL;
    wheel_cancel(&cluster->round);
    if (cluster->orphan_call)
        api_cancel(cluster->orphan_call);
    cluster_objects_free(cluster);
    cluster_checkpoint_free(cluster->checkpoint);
    cluster_offline_free(cluster->offline);
    cluster_csi_free(cluster->csi);
    cluster_events_free(cluster->events);
    cluster_lease_free(cluster->lease);
    cluster_node_free(cluster->node);
    api_watch_free(cluster->runtime_classes);
    api_watch_free(cluster->services);
    api_watch_free(cluster->pods);
    free(cluster);
    return NULL;
}

bool cluster_is_complete(const struct cluster *cluster)
{
    return api_watch_is_complete(cluster->pods);
}

void cluster_changed(struct cluster *cluster)
{
    cluster_node_changed(cluster->node);
}

const char *cluster_trouble(const struct cluster *cluster)
{
    return api_watch_trouble(cluster->pods);
}
