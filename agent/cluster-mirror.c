/*
 * Mirrors: what the cluster sees of this node's static pods. They go one way, from the manifest to
 * the API server: whoever changes or deletes one there changes nothing here, and it is made again.
 */
#include "cluster-private.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/sys/log.h"

#include <stdlib.h>
#include <string.h>

#define HASH_ANNOTATION "kubernetes.io/config.hash"

bool is_mirror(const struct object *object)
{
    return string_map_get(&object->metadata.annotations, MIRROR_ANNOTATION) != NULL;
}

static const char *hash_of(const struct object *object)
{
    return string_map_get(&object->metadata.annotations, HASH_ANNOTATION);
}

struct object *cluster_mirror_of(const struct agent_pod *pod)
{
    const struct object_meta *meta = &pod->object->metadata;
    struct object *object = api_watch_find(pod->agent->cluster->pods, meta->name_space, meta->name);

    return object && is_mirror(object) ? object : NULL;
}

bool cluster_mirror_fits(const struct agent_pod *pod, const struct object *mirror)
{
    return !mirror->metadata.deletion_timestamp.set &&
           str_equal(string_map_get(&mirror->metadata.annotations, MIRROR_ANNOTATION),
                     hash_of(pod->object));
}

/* making one: the manifest, with what makes it a mirror */

static void write_map(struct json_writer *writer, const char *name, const struct string_map *map)
{
    json_write_name(writer, name);
    json_write_object(writer);
    array_for_each (pair, *map)
        json_write_string_member(writer, pair->name, pair->value);
}

static void write_owner(struct json_writer *writer, const struct object *node)
{
    json_write_name(writer, "ownerReferences");
    json_write_array(writer);
    json_write_object(writer);
    json_write_string_member(writer, "apiVersion", "v1");
    json_write_string_member(writer, "kind", "Node");
    json_write_string_member(writer, "name", node->metadata.name);
    json_write_string_member(writer, "uid", node->metadata.uid);
    json_write_bool_member(writer, "controller", true);
    json_write_object_end(writer);
    json_write_array_end(writer);
}

static void write_metadata(struct json_writer *writer, const struct object *object,
                           const struct object *node)
{
    const struct object_meta *meta = &object->metadata;

    json_write_name(writer, "metadata");
    json_write_object(writer);
    json_write_string_member(writer, "name", meta->name);
    json_write_string_member(writer, "namespace", meta->name_space);
    write_map(writer, "labels", &meta->labels);
    json_write_object_end(writer);
    write_map(writer, "annotations", &meta->annotations);
    json_write_string_member(writer, MIRROR_ANNOTATION, hash_of(object));
    json_write_object_end(writer);
    write_owner(writer, node);
    json_write_object_end(writer);
}

/* Those of the manifest, and that which every static pod of a file has. */
static void write_tolerations(struct json_writer *writer, const struct json *written,
                              const struct pod *pod)
{
    size_t count = written && written->type == JSON_ARRAY ? written->length : 0;

    json_write_name(writer, "tolerations");
    json_write_array(writer);
    for (size_t i = 0; i < count; i++)
        json_write_value(writer, &written->items[i]);
    if (pod->spec.tolerations.count > count) {
        json_write_object(writer);
        json_write_string_member(writer, "operator", "Exists");
        json_write_string_member(writer, "effect", "NoExecute");
        json_write_object_end(writer);
    }
    json_write_array_end(writer);
}

/* As it was written: with fields that this agent does not know. */
static void write_spec(struct json_writer *writer, const struct json *spec, const struct pod *pod)
{
    json_write_name(writer, "spec");
    json_write_object(writer);
    for (uint32_t i = 0; i < spec->length; i++) {
        const struct json_member *member = &spec->members[i];
        char *name = mem_strndup(member->name, member->name_length);

        if (strcmp(name, "nodeName") != 0 && strcmp(name, "tolerations") != 0) {
            json_write_name(writer, name);
            json_write_value(writer, &member->value);
        }
        free(name);
    }
    json_write_string_member(writer, "nodeName", pod->spec.node_name);
    write_tolerations(writer, json_get(spec, "tolerations"), pod);
    json_write_object_end(writer);
}

void cluster_mirror_write(struct object *object, const struct object *node, struct strbuf *body)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    struct json_findings findings;
    struct json_writer writer;
    struct json *document;
    const struct json *spec;
    struct err err;
    int r = json_parse(&arena, object->raw, strlen(object->raw), &json_limits_own, &findings,
                       &document, &err);

    assert_that(r == 0); /* it was parsed before, and then written */
    spec = json_get(document, "spec");
    json_writer_init(&writer, body, false);
    json_write_object(&writer);
    json_write_string_member(&writer, "apiVersion", "v1");
    json_write_string_member(&writer, "kind", "Pod");
    write_metadata(&writer, object, node);
    write_spec(&writer, spec, pod_of(object));
    json_write_object_end(&writer);
    json_writer_deinit(&writer);
}

/* those of pods that are gone */

static bool has_pod(const struct cluster *cluster, const struct object *mirror)
{
    struct map_entry *entry;

    for (size_t at = 0; (entry = map_next(&cluster->agent->pods, &at));) {
        const struct agent_pod *pod = entry->value;

        if (pod->static_pod && str_equal(pod->name, mirror->metadata.name) &&
            str_equal(pod->name_space, mirror->metadata.name_space))
            return true;
    }
    return false;
}

static void on_orphan_deleted(void *owner, const struct api_reply *reply)
{
    struct cluster *cluster = owner;

    cluster->orphan_call = NULL;
    if (reply->failure && reply->failure->code != 404)
        log_warning("%s; it is deleted again", reply->failure->err.text);
}

/* One in a round, in turn: there are few, none is urgent, and one may have a finalizer. */
void cluster_mirror_sweep(struct cluster *cluster)
{
    struct object *mirror;
    size_t at = cluster->orphan_at;

    if (cluster->orphan_call || !pods_sources_complete(cluster->agent))
        return;
    while ((mirror = api_watch_next(cluster->pods, &at))) {
        const struct object_meta *meta = &mirror->metadata;
        char *path, *body;

        if (!is_mirror(mirror) || has_pod(cluster, mirror))
            continue;
        path = mem_printf("/api/v1/namespaces/%s/pods/%s", meta->name_space, meta->name);
        body =
            mem_printf("{\"gracePeriodSeconds\":0,\"preconditions\":{\"uid\":\"%s\"}}", meta->uid);
        cluster->orphan_call = api_begin(
            cluster->api, &(struct api_request){.method = "DELETE", .path = path, .body = body},
            on_orphan_deleted, cluster);
        free(path);
        free(body);
        break;
    }
    cluster->orphan_at = mirror ? at : 0;
}
