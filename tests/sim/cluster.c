/* What others do in the cluster: users, controllers, and whoever runs its API server. */
#include "api-server.h"
#include "manifests.h"
#include "nodeagent/base/mem.h"
#include "scenario.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMESPACE "default"
#define AWAY_MIN (1 * USEC_PER_SEC)
#define AWAY_MAX (120 * USEC_PER_SEC)
#define COLLECTED_MIN (1 * USEC_PER_SEC)
#define COLLECTED_MAX (20 * USEC_PER_SEC)

static char *now_text(int64_t ahead_seconds, char text[TIME_TEXT_MAX])
{
    return (char *)time_format_rfc3339(
        (int64_t)world_wall() + ahead_seconds * (int64_t)USEC_PER_SEC, text);
}

static void patch(struct api_object *object, char *text)
{
    api_patch(object, text);
    free(text);
}

/* pods */

static struct api_object *pod_of(const struct manifest *manifest)
{
    struct api_object *pod = api_find(KIND_POD, NAMESPACE, manifest->name);

    return pod && !strcmp(pod->uid, manifest->uid) ? pod : NULL;
}

bool cluster_has(const struct manifest *manifest)
{
    return pod_of(manifest);
}

void cluster_pod_put(struct manifest *manifest)
{
    _cleanup_(mem_free_at) char *spec = manifest_text(manifest), *whole = NULL;
    char text[TIME_TEXT_MAX];
    char *more =
        mem_printf("{\"metadata\":{\"creationTimestamp\":\"%s\",\"labels\":{\"app\":\"a\"}},"
                   "\"status\":{\"phase\":\"Pending\",\"qosClass\":\"BestEffort\","
                   "\"conditions\":[{\"type\":\"PodScheduled\",\"status\":\"True\","
                   "\"lastProbeTime\":null,\"lastTransitionTime\":\"%s\"}]}}",
                   now_text(0, text), text);

    whole = api_merge(spec, more);
    free(more);
    api_put(KIND_POD, NAMESPACE, manifest->name, whole);
}

static bool is_over(const struct api_object *pod)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    char phase[API_NAME_MAX];

    api_text_at(api_parse(&arena, pod->text), "status.phase", phase);
    return !strcmp(phase, "Succeeded") || !strcmp(phase, "Failed");
}

static void ask_to_delete(struct api_object *pod, int64_t grace)
{
    char text[TIME_TEXT_MAX];

    patch(pod, mem_printf("{\"metadata\":{\"deletionTimestamp\":\"%s\","
                          "\"deletionGracePeriodSeconds\":%lld}}",
                          now_text(grace, text), (long long)grace));
}

/* One that is over has no grace; others are sometimes deleted by force. */
void cluster_pod_delete(struct manifest *manifest)
{
    struct api_object *pod = pod_of(manifest);

    manifest->told_removed = true;
    if (!pod)
        return;
    if (is_over(pod) || draw(SITE_DETAIL, manifest->uid, 4) == 0)
        api_remove(pod);
    else
        ask_to_delete(pod, manifest->grace_seconds);
}

/* The agent is about to read this: what it says of pods it is told now. */
void cluster_note_arrival(const char *text, size_t length)
{
    list_for_each (node, &world->manifests->all) {
        struct manifest *manifest = list_entry(node, struct manifest, link);
        char uid[60];

        if (!manifest->of_cluster || (manifest->ever_delivered && manifest->delivered))
            continue;
        snprintf(uid, sizeof(uid), "\"uid\":\"%s\"", manifest->uid);
        if (!memmem(text, length, uid, strlen(uid)))
            continue;
        if (!manifest->ever_delivered)
            manifest->known_since = world->now;
        manifest->ever_delivered = true;
        manifest->delivered = manifest->wanted;
        manifest->delivered_at = world->now;
    }
}

/* what others do, now and then */

static struct manifest *any_pod(const char *key)
{
    struct manifest *manifest =
        manifests_newest((unsigned)draw(SITE_DETAIL, key, PODS_MAX / 2) * 2 + 1);

    return manifest && pod_of(manifest) ? manifest : NULL;
}

static void pod_is_labelled(const char *key)
{
    struct manifest *manifest = any_pod(key);

    if (manifest)
        patch(pod_of(manifest), mem_printf("{\"metadata\":{\"labels\":{\"round\":\"%s\"},"
                                           "\"annotations\":{\"note\":\"%s\"}}}",
                                           key, key));
}

static void image_changes(const char *key)
{
    struct manifest *manifest = any_pod(key);
    struct pod_container *container;

    if (!manifest || manifest->policy != RESTART_ALWAYS || !manifest->wanted)
        return;
    container = &manifest->containers[manifest->container_count - 1];
    snprintf(container->image, sizeof(container->image), "image-new-%s:1", key);
    container->changed = true;
    patch(pod_of(manifest),
          mem_printf("{\"spec\":{\"containers\":[{\"name\":\"%s\",\"image\":\"%s\"}]}}",
                     container->name, container->image));
}

static struct api_object *any_mirror(const char *key)
{
    char name[API_NAME_MAX];

    snprintf(name, sizeof(name), "pod-%u-node", (unsigned)draw(SITE_DETAIL, key, PODS_MAX / 2) * 2);
    return api_find(KIND_POD, NAMESPACE, name);
}

static void mirror_is_deleted(const char *key)
{
    struct api_object *mirror = any_mirror(key);

    if (mirror && draw(SITE_DETAIL, key, 2))
        api_remove(mirror);
    else if (mirror)
        ask_to_delete(mirror, 30);
}

static void mirror_is_edited(const char *key)
{
    struct api_object *mirror = any_mirror(key);

    if (mirror)
        api_patch(mirror, draw(SITE_DETAIL, key, 2)
                              ? "{\"metadata\":{\"labels\":{\"edited\":\"yes\"}}}"
                              : "{\"metadata\":{\"annotations\":{"
                                "\"kubernetes.io/config.mirror\":\"edited\"}}}");
}

static void configuration_changes(const char *key)
{
    bool secret = draw(SITE_DETAIL, key, 2);
    enum api_kind_name kind = secret ? KIND_SECRET : KIND_CONFIG_MAP;
    const char *name = secret ? "secret" : "config";
    struct api_object *object = api_find(kind, NAMESPACE, name);

    if (object && draw(SITE_DETAIL, key, 3) == 0) {
        api_remove(object);
    } else {
        char *text = mem_printf("{\"metadata\":{\"name\":\"%s\",\"namespace\":\"" NAMESPACE "\"},"
                                "\"data\":{\"a\":\"MQ==\",\"b\":\"MQ==\",\"round\":\"%s\"}}",
                                name, secret ? "MQ==" : key);

        api_put(kind, NAMESPACE, name, text);
        free(text);
    }
}

/* the Node */

static bool has_lost_its_owner(const struct api_object *object)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    const struct json *metadata = json_get(api_parse(&arena, object->text), "metadata"),
                      *owners = metadata ? json_get(metadata, "ownerReferences") : NULL;
    const struct api_object *node = api_find(KIND_NODE, "", "node");
    char uid[API_NAME_MAX];

    if (!owners || owners->type != JSON_ARRAY || !owners->length)
        return false;
    api_text_at(&owners->items[0], "uid", uid);
    return !node || strcmp(uid, node->uid);
}

/* As the garbage collector does with what a Node owned: its Lease, its CSINode, its mirrors. */
static void orphans_are_collected(void *data)
{
    list_for_each_safe (node, &world->api->objects) {
        struct api_object *object = list_entry(node, struct api_object, link);

        if (has_lost_its_owner(object))
            api_remove(object);
    }
}

static void node_is_deleted(const char *key)
{
    struct api_object *node = api_find(KIND_NODE, "", "node");

    if (!node)
        return;
    api_remove(node);
    event_add(draw_usec_wide(SITE_DURATION, key, COLLECTED_MIN, COLLECTED_MAX),
              "orphans are collected", "", orphans_are_collected, NULL);
}

/* the API server */

static void server_returns(void *data)
{
    world->api->returns = NULL;
    world->api->state = API_IS_UP;
    trace("  api: the server is back");
}

void cluster_away(enum api_state state)
{
    event_cancel(world->api->returns);
    world->api->returns = NULL;
    world->api->state = state;
    if (state == API_REFUSES)
        net_connections_break();
    else
        net_connections_die(false);
}

static void server_goes(const char *key)
{
    if (world->api->state != API_IS_UP)
        return;
    cluster_away(draw(SITE_DETAIL, key, 2) ? API_REFUSES : API_IS_SILENT);
    world->api->returns = event_add(draw_usec_wide(SITE_DURATION, key, AWAY_MIN, AWAY_MAX),
                                    "the API server is back", "", server_returns, NULL);
}

static void connections_break(const char *key)
{
    net_connections_break();
}

static void connections_die(const char *key)
{
    net_connections_die(draw(SITE_DETAIL, key, 2));
}

static void history_is_cut(const char *key)
{
    world->api->oldest = world->api->version;
}

const struct happening_kind cluster_happenings[CLUSTER_HAPPENING_KINDS] = {
    {"pod is labelled", 10, pod_is_labelled},
    {"image changes", 8, image_changes},
    {"mirror is deleted", 6, mirror_is_deleted},
    {"mirror is edited", 6, mirror_is_edited},
    {"configuration changes", 10, configuration_changes},
    {"node is deleted", 5, node_is_deleted},
    {"API server goes", 8, server_goes},
    {"connections break", 6, connections_break},
    {"connections die", 6, connections_die},
    {"history is cut", 6, history_is_cut},
};

/* the whole */

static void put_configuration(void)
{
    if (!api_find(KIND_CONFIG_MAP, NAMESPACE, "config"))
        api_put(KIND_CONFIG_MAP, NAMESPACE, "config",
                "{\"metadata\":{\"name\":\"config\",\"namespace\":\"" NAMESPACE "\"},"
                "\"data\":{\"a\":\"1\"}}");
    if (!api_find(KIND_SECRET, NAMESPACE, "secret"))
        api_put(KIND_SECRET, NAMESPACE, "secret",
                "{\"metadata\":{\"name\":\"secret\",\"namespace\":\"" NAMESPACE "\"},"
                "\"data\":{\"b\":\"MQ==\"}}");
}

void cluster_begin(void)
{
    put_configuration();
    api_put(KIND_SERVICE, NAMESPACE, "kubernetes",
            "{\"metadata\":{\"name\":\"kubernetes\",\"namespace\":\"" NAMESPACE "\"},"
            "\"spec\":{\"clusterIP\":\"10.0.0.1\",\"ports\":[{\"name\":\"https\",\"port\":443}]}}");
}

void cluster_all_well(void)
{
    event_cancel(world->api->returns);
    server_returns(NULL);
    put_configuration();
}
