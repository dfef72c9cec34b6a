/*
 * Checks that hold for every field of a table of fields, given one document that uses them all:
 * it does use them all, it comes back as it was, a value of a wrong type is found at its place,
 * and null is the same as absent.
 */
#pragma once

#include "fixture.h"

#include "nodeagent/objects/schema.h"

enum {
    SCHEMAS_MAX = 64,
};

struct usage {
    struct {
        const struct schema *schema;
        uint64_t fields; /* a bit for each that was met */
    } schemas[SCHEMAS_MAX];
    size_t count;
};

static inline uint64_t *usage_of(struct usage *usage, const struct schema *schema)
{
    for (size_t i = 0; i < usage->count; i++)
        if (usage->schemas[i].schema == schema)
            return &usage->schemas[i].fields;
    assert_true(usage->count < SCHEMAS_MAX && schema->field_count <= 64);
    usage->schemas[usage->count].schema = schema;
    return &usage->schemas[usage->count++].fields;
}

static inline const struct field *field_named(const struct schema *schema, const char *name,
                                              size_t length)
{
    for (size_t i = 0; i < schema->field_count; i++)
        if (strlen(schema->fields[i].name) == length &&
            !memcmp(schema->fields[i].name, name, length))
            return &schema->fields[i];
    return NULL;
}

/* What every walk does with a value: `path` is its own. */
typedef void (*visit_fn)(void *context, const struct schema *schema, const struct field *field,
                         struct json *value, const struct path *path);

static inline void walk_fields(const struct schema *schema, struct json *object,
                               const struct path *path, visit_fn visit, void *context)
{
    assert_int_equal(object->type, JSON_OBJECT);
    for (uint32_t i = 0; i < object->length; i++) {
        struct json_member *member = &object->members[i];
        const struct field *field = field_named(schema, member->name, member->name_length);
        struct path child;

        if (!field)
            fail_msg("%.*s is not in the table", (int)member->name_length, member->name);
        child = path_name(path, field->name);
        visit(context, schema, field, &member->value, &child);
        if (field->of && member->value.type == JSON_OBJECT)
            walk_fields(field->of, &member->value, &child, visit, context);
        if (!field->of || member->value.type != JSON_ARRAY)
            continue;
        for (uint32_t j = 0; j < member->value.length; j++) {
            struct path item = path_index(&child, j);

            walk_fields(field->of, &member->value.items[j], &item, visit, context);
        }
    }
}

static inline void mark_used(void *context, const struct schema *schema, const struct field *field,
                             struct json *value, const struct path *path)
{
    *usage_of(context, schema) |= (uint64_t)1 << (field - schema->fields);
}

/* The fields that stay out of it are those of the schemas in `others`, which end with NULL. */
static inline void assert_all_used(struct usage *usage, const struct schema *schema,
                                   const struct schema *const *others)
{
    size_t known = usage->count;
    uint64_t used = *usage_of(usage, schema);

    if (usage->count > known)
        fail_msg("a structure that begins with %s is never used", schema->fields[0].name);
    *usage_of(usage, schema) = UINT64_MAX; /* visited */
    for (size_t i = 0; i < schema->field_count && used != UINT64_MAX; i++) {
        const struct field *field = &schema->fields[i];
        bool other = false;

        for (size_t j = 0; others[j]; j++)
            other |= field->of == others[j];
        if (other || field->type == FIELD_IGNORED)
            continue;
        if (!(used & (uint64_t)1 << i))
            fail_msg("%s is never used", field->name);
        if (field->of)
            assert_all_used(usage, field->of, others);
    }
}

/* Decodes the pod once more; the findings as text. */
static inline char *decode_again(const struct json *root)
{
    struct document document = {0};
    char *findings;

    report_init(&document.report, root);
    document.object = object_decode(root, OBJECT_DROP_RAW, &document.report);
    if (document.object)
        object_validate(document.object, &document.report);
    document.report.errors = 0;
    findings = mem_strdup("");
    array_for_each (finding, document.report.findings) {
        if (finding->reason == FINDING_TYPE || finding->level == FINDING_WARNING) {
            char *more = mem_printf("%s%s%s %s", findings, *findings ? ", " : "",
                                    finding_reason_name(finding->reason), finding->path);

            free(findings);
            findings = more;
        }
    }
    document_deinit(&document);
    return findings;
}

static const struct json wrong_values[] = {
    {.type = JSON_NUMBER, .length = 1, .text = "5"},
    {.type = JSON_NUMBER, .length = 3, .text = "1.5"},
    {.type = JSON_NUMBER, .length = 20, .text = "99999999999999999999"},
    {.type = JSON_BOOL, .boolean = true},
    {.type = JSON_STRING, .length = 3, .text = "?\n!"},
    {.type = JSON_STRING, .length = 3, .text = "a\0b"},
    {.type = JSON_ARRAY},
    {.type = JSON_OBJECT},
};

static inline bool may_be(const struct field *field, const struct json *value)
{
    bool whole = value->type == JSON_NUMBER && value->length == 1;
    bool text = value->type == JSON_STRING && value->text[0] == '?';

    switch ((enum field_type)field->type) {
    case FIELD_STRING:
    case FIELD_OPT_STRING:
        return text;
    case FIELD_BOOL:
    case FIELD_OPT_BOOL:
        return value->type == JSON_BOOL;
    case FIELD_INT32:
    case FIELD_OPT_INT32:
    case FIELD_INT64:
    case FIELD_OPT_INT64:
        return whole;
    case FIELD_INT_OR_STRING:
        return whole || text;
    case FIELD_QUANTITY:
        return value->type == JSON_NUMBER;
    case FIELD_TIME:
    case FIELD_MICRO_TIME:
        return false;
    case FIELD_LIST:
    case FIELD_STRINGS:
    case FIELD_INT32S:
    case FIELD_INT64S:
        return value->type == JSON_ARRAY;
    case FIELD_STRUCT:
    case FIELD_POINTER:
    case FIELD_STRING_MAP:
    case FIELD_TEXT_MAP:
    case FIELD_BYTES_MAP:
    case FIELD_QUANTITY_MAP:
        return value->type == JSON_OBJECT;
    case FIELD_IGNORED:
        return true;
    }
    return false;
}

/* The context is the root of the document. */
static inline void try_wrong_values(void *context, const struct schema *schema,
                                    const struct field *field, struct json *value,
                                    const struct path *path)
{
    struct strbuf text = STRBUF_INIT;
    struct json right = *value;
    char *found_of_null;

    path_write(path, &text);
    for (size_t i = 0; i < array_size(wrong_values); i++) {
        bool good = may_be(field, &wrong_values[i]);
        char *expected = good ? mem_strdup("") : mem_printf("Type %s", text.text), *found;

        *value = wrong_values[i];
        found = decode_again(context);
        assert_string_equal(found, expected);
        free(found);
        free(expected);
    }
    *value = (struct json){.type = JSON_NULL};
    found_of_null = decode_again(context);
    assert_string_equal(found_of_null, "");
    free(found_of_null);
    *value = right;
    strbuf_deinit(&text);
}

struct whole_document {
    struct arena arena;
    struct json *root;
};

static inline void whole_init(struct whole_document *whole, const char *yaml)
{
    struct yaml_stream stream = {.text = yaml, .length = strlen(yaml)};
    struct json_findings findings = {0};
    struct err err = {0};

    whole->arena = ARENA_INIT_DOCUMENT;
    if (yaml_next(&stream, &whole->arena, &json_limits_manifest, &findings, &whole->root, &err) !=
        1)
        fail_msg("%s", err.text);
}

/* Decoding and encoding give the document back, member for member. */
static inline void assert_comes_back(const char *yaml)
{
    struct whole_document whole;
    struct strbuf text = STRBUF_INIT;
    struct json_writer writer;

    whole_init(&whole, yaml);
    json_writer_init(&writer, &text, false);
    json_write_value(&writer, whole.root);
    json_writer_deinit(&writer);
    assert_encoded(yaml, text.text);
    strbuf_deinit(&text);
    arena_deinit(&whole.arena);
}
