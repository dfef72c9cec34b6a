/*
 * Static pods get what the kubelet gives them (applyDefaults), and a UID of our own.
 *
 * The UID is FROZEN: a change of what follows restarts every static pod on earth. It is FNV-1a of
 * 128 bits, of these strings, each written as "LENGTH:BYTES":
 *
 *     "nodeagent-static-v1", the node's name in lower case, "file" or "http", the path or URL
 *
 * and then of the object:
 *
 *     an object   "o", the number of members ":", and for each member, in the order of the names'
 *                 bytes, its name and its value
 *     a list      "a", the number of items ":", and the items
 *     a string    "s" and the string       a number   "n" and its text as a string
 *     true "t", false "f"                  null       "z"
 *
 * The object is what the agent understood of the document, as object_encode() writes it: comments,
 * white space, the order of names, unknown fields and the ways to write a quantity do not count.
 * It is taken before the defaults are filled in: an agent that knows one more default, or another,
 * must not restart what runs. That a default is written out therefore counts as a change. What the
 * agent sets itself (identity_give) and the status do not count.
 */
#include "identity.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/base/time.h"
#include "nodeagent/objects/pod.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANNOTATION_HASH "kubernetes.io/config.hash"
#define ANNOTATION_SEEN "kubernetes.io/config.seen"
#define ANNOTATION_MIRROR "kubernetes.io/config.mirror"

enum {
    UID_LENGTH_MAX = 128, /* it becomes the name of a directory, and part of longer ones */
};

/* the digest */

typedef unsigned __int128 uint128;

struct digest {
    uint128 state;
};

static void digest_begin(struct digest *digest)
{
    digest->state = ((uint128)0x6c62272e07bb0142 << 64) | 0x62b821756295c58d;
}

static void digest_bytes(struct digest *digest, const void *bytes, size_t length)
{
    const uint128 prime = ((uint128)1 << 88) | 0x13b;

    for (size_t i = 0; i < length; i++)
        digest->state = (digest->state ^ ((const unsigned char *)bytes)[i]) * prime;
}

static void digest_number(struct digest *digest, size_t number)
{
    char text[24];

    snprintf(text, sizeof(text), "%zu:", number);
    digest_bytes(digest, text, strlen(text));
}

static void digest_string(struct digest *digest, const char *bytes, size_t length)
{
    digest_number(digest, length);
    digest_bytes(digest, bytes, length);
}

static int compare_members(const void *a, const void *b)
{
    const struct json_member *left = *(const struct json_member *const *)a,
                             *right = *(const struct json_member *const *)b;
    int order = memcmp(left->name, right->name, MIN(left->name_length, right->name_length));

    return order ? order : (int)left->name_length - (int)right->name_length;
}

static void digest_value(struct digest *digest, const struct json *value);

static void digest_members(struct digest *digest, const struct json *object)
{
    const struct json_member **sorted = mem_alloc(sizeof(*sorted) * (object->length + 1));

    for (uint32_t i = 0; i < object->length; i++)
        sorted[i] = &object->members[i];
    qsort(sorted, object->length, sizeof(*sorted), compare_members);
    for (uint32_t i = 0; i < object->length; i++) {
        digest_string(digest, sorted[i]->name, sorted[i]->name_length);
        digest_value(digest, &sorted[i]->value);
    }
    free(sorted);
}

static void digest_value(struct digest *digest, const struct json *value)
{
    switch ((enum json_type)value->type) {
    case JSON_OBJECT:
        digest_bytes(digest, "o", 1);
        digest_number(digest, value->length);
        digest_members(digest, value);
        break;
    case JSON_ARRAY:
        digest_bytes(digest, "a", 1);
        digest_number(digest, value->length);
        for (uint32_t i = 0; i < value->length; i++)
            digest_value(digest, &value->items[i]);
        break;
    case JSON_STRING:
    case JSON_NUMBER:
        digest_bytes(digest, value->type == JSON_STRING ? "s" : "n", 1);
        digest_string(digest, value->text, value->length);
        break;
    case JSON_BOOL:
        digest_bytes(digest, value->boolean ? "t" : "f", 1);
        break;
    case JSON_NULL:
        digest_bytes(digest, "z", 1);
        break;
    }
}

/* The encoder's members are in the order of our tables, which may change: hence the way through a
 * document. */
static void digest_object(struct digest *digest, const struct object *object)
{
    struct arena arena = ARENA_INIT_DOCUMENT;
    struct json_findings *findings = mem_new(struct json_findings);
    struct strbuf text = STRBUF_INIT;
    struct json_writer writer;
    struct json *root;

    json_writer_init(&writer, &text, false);
    object_encode(object, &writer);
    json_writer_deinit(&writer);
    assert_that(
        json_parse(&arena, text.text, text.length, &json_limits_own, findings, &root, NULL) == 0);
    digest_value(digest, root);
    free(findings);
    strbuf_deinit(&text);
    arena_deinit(&arena);
}

static void identify(struct identity *identity, const struct object *object)
{
    const char *const strings[] = {"nodeagent-static-v1", identity->node_name, identity->source,
                                   identity->place};
    struct digest digest;

    digest_begin(&digest);
    for (size_t i = 0; i < array_size(strings); i++)
        digest_string(&digest, strings[i], strlen(strings[i]));
    digest_object(&digest, object);
    snprintf(identity->digest, sizeof(identity->digest), "%016llx%016llx",
             (unsigned long long)(digest.state >> 64), (unsigned long long)digest.state);
}

/* metadata */

/* A manifest that was once read from an API server still bears what only that may set; some of it
 * would do harm here (a pod with deletionTimestamp is one that ends). */
static void drop_foreign_metadata(struct object *object)
{
    static const char *const ours[] = {ANNOTATION_HASH,           POD_ANNOTATION_SOURCE,
                                       ANNOTATION_SEEN,           ANNOTATION_MIRROR,
                                       POD_ANNOTATION_STATIC_UID, NULL};
    struct object_meta *meta = &object->metadata;
    size_t kept = 0;

    meta->uid = NULL;
    meta->resource_version = NULL;
    meta->generation = 0;
    meta->creation_timestamp = (struct opt_time){0};
    meta->deletion_timestamp = (struct opt_time){0};
    meta->deletion_grace_period_seconds = (struct opt_int64){0};
    array_for_each (annotation, meta->annotations) {
        if (!str_one_of(annotation->name, ours))
            meta->annotations.items[kept++] = *annotation;
    }
    meta->annotations.count = kept;
}

static bool is_uid(const char *uid)
{
    if (strlen(uid) > UID_LENGTH_MAX || !isalnum((unsigned char)uid[0]))
        return false;
    for (const char *c = uid; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr("-_.", *c))
            return false;
    return true;
}

static void check_given(const struct object *object, struct report *report)
{
    const struct object_meta *meta = &object->metadata;
    struct path path = path_name(NULL, "metadata");

    if (str_empty(meta->name))
        report_error_in(report, &path, "name", FINDING_REQUIRED,
                        "must be set; a static object has no server that makes one up");
    if (!str_empty(meta->uid) && !is_uid(meta->uid))
        report_error_in(
            report, &path, "uid", FINDING_INVALID,
            "must be letters, digits, \"-\", \"_\" or \".\", at most %d, and begin with "
            "a letter or a digit; or leave it out",
            UID_LENGTH_MAX);
}

static void annotate(struct object *object, const struct identity *identity)
{
    struct string_map *annotations = &object->metadata.annotations;
    char seen[TIME_TEXT_MAX];
    const struct string_pair added[] = {
        {ANNOTATION_HASH, object->metadata.uid},
        {ANNOTATION_SEEN,
         arena_strdup(&object->arena, time_format_rfc3339_micro(identity->seen, seen))},
        {POD_ANNOTATION_SOURCE, identity->source},
        {POD_ANNOTATION_STATIC_UID, "v1"},
    };
    bool given = strcmp(object->metadata.uid, identity->digest) != 0;
    size_t count = array_size(added) - given;
    struct string_pair *items =
        arena_array(&object->arena, struct string_pair, annotations->count + count);

    for (size_t i = 0; i < annotations->count; i++)
        items[i] = annotations->items[i];
    memcpy(items + annotations->count, added, count * sizeof(*added));
    annotations->items = items;
    annotations->count += count;
}

/* The pod stays whatever taints the node gets: nobody else could run it. */
static void tolerate(struct pod *pod)
{
    struct pod_spec *spec = &pod->spec;
    struct toleration *items =
        arena_array(&pod->object.arena, struct toleration, spec->tolerations.count + 1);

    for (size_t i = 0; i < spec->tolerations.count; i++)
        items[i] = spec->tolerations.items[i];
    items[spec->tolerations.count] =
        (struct toleration){.operator_ = "Exists", .effect = "NoExecute"};
    spec->tolerations.items = items;
    spec->tolerations.count++;
}

static void give_to_pod(struct pod *pod, const struct identity *identity)
{
    struct object *object = &pod->object;

    if (!str_empty(object->metadata.name))
        object->metadata.name =
            arena_printf(&object->arena, "%s-%s", object->metadata.name, identity->node_name);
    pod->spec.node_name = arena_strdup(&object->arena, identity->node_name);
    pod->status.phase = "Pending";
    annotate(object, identity);
    if (!strcmp(identity->source, "file"))
        tolerate(pod);
}

void identity_give(struct object *object, void *data)
{
    struct identity *identity = data;
    const char *uid = object->metadata.uid;
    struct pod *pod = object->kind == &object_kind_pod ? pod_of(object) : NULL;

    check_given(object, identity->report);
    drop_foreign_metadata(object);
    if (str_empty(object->metadata.name_space))
        object->metadata.name_space = "default";
    if (pod) {
        pod->spec.node_name = NULL;
        pod->status = (struct pod_status){0};
    }
    identify(identity, object);
    object->metadata.uid = str_empty(uid) ? arena_strdup(&object->arena, identity->digest) : uid;
    if (pod)
        give_to_pod(pod, identity);
}
