/* Has the API server what the agent says, and is everything there that a member has there? */
#include "api-server.h"
#include "checks.h"
#include "manifests.h"
#include "subject.h"

#include <stdio.h>
#include <string.h>

#define MIRROR "kubernetes.io/config.mirror"
#define LEASE_AGE_MAX (25 * (int64_t)USEC_PER_SEC)

static bool no(struct strbuf *why, const char *what, const char *sentence)
{
    if (why)
        strbuf_printf(why, "%s %s", what, sentence);
    return false;
}

/* the Node and what belongs to it */

static bool node_is_ready(struct strbuf *why)
{
    const struct api_object *node = api_find(KIND_NODE, "", "node");
    static const char ready[] = "\"reason\":\"KubeletReady\"";

    if (!node)
        return no(why, "the Node", "is not there");
    return strstr(node->text, ready) ? true : no(why, "the Node", "is not ready");
}

static bool lease_is_fresh(struct strbuf *why)
{
    const struct api_object *lease = api_find(KIND_LEASE, "kube-node-lease", "node");
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    char renewed[API_NAME_MAX];
    int64_t at;

    if (!lease)
        return no(why, "the Lease", "is not there");
    api_text_at(api_parse(&arena, lease->text), "spec.renewTime", renewed);
    if (time_parse_rfc3339(renewed, &at) < 0 || (int64_t)world_wall() - at > LEASE_AGE_MAX)
        return no(why, "the Lease", "is not renewed");
    return true;
}

static bool node_is_there(struct strbuf *why)
{
    if (!node_is_ready(why) || !lease_is_fresh(why))
        return false;
    return api_find(KIND_CSI_NODE, "", "node") ? true : no(why, "the CSINode", "is not there");
}

/* pods */

static const char *mirrored(const struct api_object *pod, struct arena *arena,
                            char hash[API_NAME_MAX])
{
    const struct json *metadata = json_get(api_parse(arena, pod->text), "metadata"),
                      *annotations = metadata ? json_get(metadata, "annotations") : NULL,
                      *mirror = annotations ? json_get(annotations, MIRROR) : NULL;

    snprintf(hash, API_NAME_MAX, "%.*s", mirror ? (int)mirror->length : 0,
             mirror ? mirror->text : "");
    return hash;
}

static bool belongs_there(const struct api_object *pod, struct strbuf *why)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    char hash[API_NAME_MAX];
    const struct manifest *manifest =
        manifests_find(*mirrored(pod, &arena, hash) ? hash : pod->uid);

    if (!manifest || !manifest->wanted)
        return no(why, pod->name, *hash ? "is a mirror of nothing" : "should be deleted by now");
    return true;
}

/* As the server has it: of a static pod its mirror. */
static const struct api_object *shown(const struct manifest *manifest, struct strbuf *why)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    const struct api_object *pod = api_find(KIND_POD, "default", manifest->name);
    char hash[API_NAME_MAX];

    if (pod && !manifest->of_cluster && strcmp(mirrored(pod, &arena, hash), manifest->uid))
        pod = NULL;
    if (!pod)
        no(why, manifest->uid, "is not at the API server");
    return pod;
}

static bool is_told(const struct json *said, struct strbuf *why)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    const struct json *status = json_get(said, "status"), *there;
    _cleanup_(strbuf_deinit) struct strbuf where = STRBUF_INIT;
    const struct manifest *manifest;
    const struct api_object *pod;
    char uid[API_NAME_MAX];

    manifest = manifests_find(api_text_at(said, "metadata.uid", uid));
    if (!manifest || !manifest->wanted)
        return no(why, uid, "is known to the agent yet");
    pod = shown(manifest, why);
    if (!pod)
        return false;
    there = json_get(api_parse(&arena, pod->text), "status");
    if (!status || !there)
        return no(why, uid, "has no status");
    if (api_same(status, there, &where))
        return true;
    return no(why, uid, where.text);
}

static bool pods_are_told(struct strbuf *why)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;
    const struct json *items;

    if (!subject_is_settled())
        return no(why, "the agent", "does not know all its pods yet");
    if (!life_call(subject_tell, &text))
        return no(why, "the agent", "has died");
    items = json_get(api_parse(&arena, text.text), "items");
    for (uint32_t i = 0; items && i < items->length; i++)
        if (!is_told(&items->items[i], why))
            return false;
    list_for_each (node, &world->api->objects) {
        const struct api_object *object = list_entry(node, struct api_object, link);

        if (object->kind == KIND_POD && !belongs_there(object, why))
            return false;
    }
    return true;
}

bool checks_told(struct strbuf *why)
{
    if (!world->api)
        return true;
    return node_is_there(why) && pods_are_told(why);
}
