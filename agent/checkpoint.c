/* Files of the checkpoint as JSON, and which pods may be run by one. */
#include "checkpoint.h"

#include "nodeagent/base/json.h"
#include "nodeagent/pod.h"

#include <errno.h>
#include <stdlib.h>

enum {
    CHECKPOINT_VERSION = 1,
};

static const struct json_limits file_limits = {
    .bytes_max = CHECKPOINT_FILE_MAX,
    .nodes_max = 1000000,
};

const char *checkpoint_pod_file(const char *uid, struct arena *arena)
{
    return arena_printf(arena, "pod-%s.json", uid);
}

/* writing */

static void write_time(struct json_writer *writer, const char *name, int64_t usec)
{
    char text[TIME_TEXT_MAX];

    json_write_string_member(writer, name, time_format_rfc3339(usec, text));
}

static void write_token(struct json_writer *writer, const struct checkpoint_token *token)
{
    json_write_object(writer);
    json_write_string_member(writer, "audience", token->audience);
    json_write_int_member(writer, "expirationSeconds", token->seconds);
    json_write_string_member(writer, "token", token->token);
    write_time(writer, "expirationTimestamp", token->expires);
    json_write_object_end(writer);
}

void checkpoint_write(const struct checkpoint_file *file, struct strbuf *text)
{
    struct json_writer writer;

    json_writer_init(&writer, text, false);
    json_write_object(&writer);
    json_write_int_member(&writer, "version", CHECKPOINT_VERSION);
    if (file->heard)
        write_time(&writer, "heard", file->heard);
    json_write_name(&writer, "objects");
    json_write_array(&writer);
    array_for_each (object, file->objects)
        object_encode(*object, &writer);
    json_write_array_end(&writer);
    json_write_name(&writer, "absent");
    json_write_array(&writer);
    array_for_each (name, file->absent)
        json_write_string(&writer, *name);
    json_write_array_end(&writer);
    json_write_name(&writer, "tokens");
    json_write_array(&writer);
    array_for_each (token, file->tokens)
        write_token(&writer, token);
    json_write_array_end(&writer);
    json_write_object_end(&writer);
    json_writer_deinit(&writer);
}

/* reading */

/* Of another type it has no items. */
static struct json items_of(const struct json *document, const char *name)
{
    const struct json *value = json_get(document, name);

    return value && value->type == JSON_ARRAY ? *value : (struct json){.type = JSON_ARRAY};
}

/* A pod has no version of the server's. */
static bool is_identified(const struct object *object)
{
    const struct object_meta *meta = &object->metadata;

    return !str_empty(meta->name) && !str_empty(meta->uid) &&
           (!object->kind->namespaced || !str_empty(meta->name_space)) &&
           (object->kind == &object_kind_pod || !str_empty(meta->resource_version));
}

static int take_object(struct checkpoint_file *file, const struct json *document, struct err *err)
{
    struct report report;
    struct object *object;
    int r = 0;

    report_init(&report, document);
    object = object_decode(document, OBJECT_DROP_RAW, &report);
    array_for_each (finding, report.findings)
        if (finding->level == FINDING_ERROR && r == 0)
            r = err_set(err, -EBADMSG, "%s: %s", finding->path, finding->message);
    if (object && !is_identified(object))
        r = err_set(err, -EBADMSG, "an object has no name, namespace, uid or resourceVersion");
    report_deinit(&report);
    if (r == 0 && object)
        file->objects.items[file->objects.count++] = object;
    else
        object_unref(object);
    return r;
}

static int take_token(struct checkpoint_file *file, const struct json *from, struct arena *arena,
                      struct err *err)
{
    const char *expires = json_get_text(from, "expirationTimestamp", "", arena);
    struct checkpoint_token token = {
        .audience = json_get_text(from, "audience", "", arena),
        .token = json_get_text(from, "token", "", arena),
    };
    const struct json *seconds =
        from->type == JSON_OBJECT ? json_get(from, "expirationSeconds") : NULL;

    if (str_empty(token.token) || !seconds || seconds->type != JSON_NUMBER ||
        str_to_i64(arena_strndup(arena, seconds->text, seconds->length), &token.seconds) < 0 ||
        time_parse_rfc3339(expires, &token.expires) < 0)
        return err_set(err, -EBADMSG, "a token is not understood");
    file->tokens.items[file->tokens.count++] = token;
    return 0;
}

static int take_items(struct checkpoint_file *file, const struct json *document,
                      struct arena *arena, struct err *err)
{
    struct json objects = items_of(document, "objects"), absent = items_of(document, "absent"),
                tokens = items_of(document, "tokens");
    int r = 0;

    file->objects.items = arena_array(arena, struct object *, objects.length);
    for (uint32_t i = 0; i < objects.length && r == 0; i++)
        r = take_object(file, &objects.items[i], err);
    for (uint32_t i = 0; i < absent.length && r == 0; i++)
        if (absent.items[i].type == JSON_STRING)
            strings_add(arena, &file->absent,
                        arena_strndup(arena, absent.items[i].text, absent.items[i].length));
    file->tokens.items = arena_array(arena, struct checkpoint_token, tokens.length);
    for (uint32_t i = 0; i < tokens.length && r == 0; i++)
        r = take_token(file, &tokens.items[i], arena, err);
    return r;
}

static int take_document(struct checkpoint_file *file, const struct json *document,
                         struct arena *arena, struct err *err)
{
    const struct json *version =
        document->type == JSON_OBJECT ? json_get(document, "version") : NULL;
    const char *heard;

    if (!version || !json_text_is(version, "1"))
        return err_set(err, -EBADMSG, "is not of version %d", CHECKPOINT_VERSION);
    heard = json_get_text(document, "heard", "", arena);
    if (*heard && time_parse_rfc3339(heard, &file->heard) < 0)
        return err_set(err, -EBADMSG, "heard: must be a time such as 2026-01-02T03:04:05Z");
    return take_items(file, document, arena, err);
}

int checkpoint_read(const char *text, size_t length, struct arena *arena,
                    struct checkpoint_file *file, struct err *err)
{
    _cleanup_(arena_deinit) struct arena scratch = ARENA_INIT_DOCUMENT;
    struct json_findings findings;
    struct json *document;
    int r = json_parse(&scratch, text, length, &file_limits, &findings, &document, err);

    *file = (struct checkpoint_file){0};
    if (r == 0)
        r = take_document(file, document, arena, err);
    if (r < 0)
        checkpoint_file_deinit(file);
    return r;
}

void checkpoint_file_deinit(struct checkpoint_file *file)
{
    array_for_each (object, file->objects)
        object_unref(*object);
    *file = (struct checkpoint_file){0};
}

/* verdicts */

static bool is_ending(const struct pod *pod)
{
    return pod->object.metadata.deletion_timestamp.set || pod_phase_is_final(pod->status.phase);
}

/* What of it makes sure, in the cluster, that there is one: somewhere else by now, perhaps. */
static const char *exclusive(const struct pod *pod, struct arena *arena)
{
    array_for_each (owner, pod->object.metadata.owner_references)
        if (str_equal(owner->kind, "StatefulSet"))
            return arena_printf(arena, "it is of StatefulSet %s", owner->name);
    array_for_each (volume, pod->spec.volumes)
        if (volume->persistent_volume_claim || volume->ephemeral)
            return arena_printf(arena, "its volume %s is a claim", volume->name);
    return NULL;
}

const char *checkpoint_refusal(const struct pod *pod, const char *node_name, bool goes_on,
                               struct arena *arena)
{
    const struct string_map *annotations = &pod->object.metadata.annotations;
    const char *why;

    if (!str_equal(pod->spec.node_name, node_name))
        return arena_printf(arena, "it is of node %s, and this is %s", pod->spec.node_name,
                            node_name);
    if (is_ending(pod) || goes_on ||
        str_equal(string_map_get(annotations, CHECKPOINT_ANNOTATION), "true"))
        return NULL;
    why = exclusive(pod, arena);
    return why ? arena_printf(
                     arena,
                     "%s, and may run elsewhere by now; with the annotation " CHECKPOINT_ANNOTATION
                     ": \"true\" it is run all the same",
                     why)
               : NULL;
}
