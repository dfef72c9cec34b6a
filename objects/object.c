/* Decoding, encoding and holding API objects of any kind. */
#include "nodeagent/objects/object.h"
#include "kinds.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/base/str.h"

#include <stdlib.h>
#include <string.h>

enum {
    OBJECT_BLOCK = 1024, /* most objects stay long: small blocks waste little */
};

static const struct object_kind *const kinds[] = {
    &object_kind_pod,    &object_kind_node,    &object_kind_config_map,
    &object_kind_secret, &object_kind_service, &object_kind_runtime_class,
    &object_kind_lease,  &object_kind_event,   &object_kind_events_event,
};

const struct object_kind *object_kind_find(const char *api_version, const char *name)
{
    for (size_t i = 0; i < array_size(kinds); i++)
        if (str_equal(kinds[i]->api_version, api_version) && str_equal(kinds[i]->name, name))
            return kinds[i];
    return NULL;
}

static const char *string_member(const struct json *document, const char *name, struct arena *arena)
{
    const struct json *value = json_get_string(document, name);

    if (!value || memchr(value->text, '\0', value->length))
        return NULL;
    return arena_strndup(arena, value->text, value->length);
}

struct object_type object_type_of(const struct json *document, struct arena *arena)
{
    return (struct object_type){
        .api_version = string_member(document, "apiVersion", arena),
        .kind = string_member(document, "kind", arena),
    };
}

/* Says which of apiVersion and kind is missing or not known here. */
static const struct object_kind *kind_of(const struct json *document, struct report *report)
{
    struct object_type type = object_type_of(document, &report->arena);
    const struct object_kind *kind;

    if (document->type != JSON_OBJECT) {
        report_error(report, NULL, FINDING_TYPE, "must be an object, not %s",
                     json_type_name(document));
        return NULL;
    }
    if (str_empty(type.api_version))
        report_error_in(report, NULL, "apiVersion", FINDING_REQUIRED,
                        "must be set, for example to v1");
    if (str_empty(type.kind))
        report_error_in(report, NULL, "kind", FINDING_REQUIRED, "must be set, for example to Pod");
    if (str_empty(type.api_version) || str_empty(type.kind))
        return NULL;
    kind = object_kind_find(type.api_version, type.kind);
    if (!kind)
        report_error_in(report, NULL, "kind", FINDING_NOT_SUPPORTED,
                        "%.128s %.128s is not an object that a node agent reads", type.api_version,
                        type.kind);
    return kind;
}

static const char *keep_raw(struct arena *arena, const struct json *document)
{
    struct strbuf text = STRBUF_INIT;
    struct json_writer writer;
    const char *copy;

    json_writer_init(&writer, &text, false);
    json_write_value(&writer, document);
    json_writer_deinit(&writer);
    copy = arena_strndup(arena, text.text, text.length);
    strbuf_deinit(&text);
    return copy;
}

struct object *object_decode_edited(const struct object_kind *kind, const struct json *document,
                                    enum object_raw raw, object_edit_fn *edit, void *data,
                                    struct report *report)
{
    size_t errors = report->errors;
    struct object *object;

    if (!kind)
        kind = kind_of(document, report);
    if (!kind)
        return NULL;
    object = mem_zalloc(kind->size);
    object->arena = ARENA_INIT(OBJECT_BLOCK, OBJECT_BLOCK);
    object->references = 1;
    object->kind = kind;
    schema_decode(kind->schema, object, document, NULL, &object->arena, report);
    if (report->errors > errors)
        return object_unref(object);
    if (raw == OBJECT_KEEP_RAW)
        object->raw = keep_raw(&object->arena, document);
    if (edit)
        edit(object, data);
    if (kind->set_defaults)
        kind->set_defaults(object);
    return object;
}

struct object *object_decode_as(const struct object_kind *kind, const struct json *document,
                                enum object_raw raw, struct report *report)
{
    return object_decode_edited(kind, document, raw, NULL, NULL, report);
}

struct object *object_decode(const struct json *document, enum object_raw raw,
                             struct report *report)
{
    return object_decode_edited(NULL, document, raw, NULL, NULL, report);
}

void object_validate(const struct object *object, struct report *report)
{
    object->kind->validate(object, report);
}

void object_encode(const struct object *object, struct json_writer *writer)
{
    json_write_object(writer);
    json_write_string_member(writer, "apiVersion", object->kind->api_version);
    json_write_string_member(writer, "kind", object->kind->name);
    schema_encode_members(object->kind->schema, object, writer);
    json_write_object_end(writer);
}

struct object *object_copy(const struct object *object)
{
    struct arena arena = ARENA_INIT(OBJECT_BLOCK, OBJECT_BLOCK);
    struct object *copy = mem_zalloc(object->kind->size);

    schema_copy(object->kind->schema, copy, object, &arena);
    copy->raw = object->raw ? arena_strdup(&arena, object->raw) : NULL;
    copy->arena = arena;
    copy->references = 1;
    return copy;
}

struct object *object_ref(struct object *object)
{
    assert_that(object->references && object->references < UINT32_MAX);
    object->references++;
    return object;
}

struct object *object_unref(struct object *object)
{
    if (!object)
        return NULL;
    assert_that(object->references);
    if (--object->references == 0) {
        arena_deinit(&object->arena);
        free(object);
    }
    return NULL;
}

void object_unref_at(void *address_of_pointer)
{
    struct object **object = address_of_pointer;

    *object = object_unref(*object);
}
