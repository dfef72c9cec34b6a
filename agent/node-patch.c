/*
 * The difference of two Nodes. Both are looked at as they are encoded, so whatever objects/node.c
 * knows is compared; what it does not know is in neither, and stays as the server has it. Objects
 * are merged by name and lists replaced, but for two lists:
 *
 *   conditions  merged by their type: only what changed of them is written
 *   addresses   have the type for a key too, though two may have one type: replaced by directive
 */
#include "node-patch.h"

#include <string.h>

#define HEARTBEAT "lastHeartbeatTime"

static const struct json nothing = {.type = JSON_OBJECT};

/* Both Nodes came within bounds, of an answer and of the runtime's messages. */
static const struct json_limits limits = {.bytes_max = UINT32_MAX - 1, .nodes_max = SIZE_MAX};

static const struct json *document_of(const struct node *node, struct arena *arena)
{
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;
    struct json_findings *findings = arena_new(arena, struct json_findings);
    struct json_writer writer;
    struct json *root;
    const char *copy;
    struct err err;

    json_writer_init(&writer, &text, false);
    object_encode(&node->object, &writer);
    json_writer_deinit(&writer);
    copy = arena_strndup(arena, text.text, text.length);
    assert_that(json_parse(arena, copy, text.length, &limits, findings, &root, &err) == 0);
    return root;
}

/* comparing */

static const struct json *member_of(const struct json *object, const struct json_member *like,
                                    struct arena *arena)
{
    return json_get(object, arena_strndup(arena, like->name, like->name_length));
}

static bool texts_equal(const struct json *a, const struct json *b)
{
    return a->length == b->length && !memcmp(a->text, b->text, a->length);
}

static bool values_equal(const struct json *a, const struct json *b, struct arena *arena);

static bool items_equal(const struct json *a, const struct json *b, struct arena *arena)
{
    bool equal = a->length == b->length;

    for (uint32_t i = 0; equal && i < a->length; i++)
        equal = values_equal(&a->items[i], &b->items[i], arena);
    return equal;
}

/* A missing value is NULL. Members may be in any order. */
static bool members_equal(const struct json *a, const struct json *b, struct arena *arena)
{
    bool equal = a->length == b->length;

    for (uint32_t i = 0; equal && i < a->length; i++)
        equal = values_equal(&a->members[i].value, member_of(b, &a->members[i], arena), arena);
    return equal;
}

static bool values_equal(const struct json *a, const struct json *b, struct arena *arena)
{
    if (!a || !b || a->type != b->type)
        return a == b;
    switch ((enum json_type)a->type) {
    case JSON_NULL:
        return true;
    case JSON_BOOL:
        return a->boolean == b->boolean;
    case JSON_NUMBER:
    case JSON_STRING:
        return texts_equal(a, b);
    case JSON_ARRAY:
        return items_equal(a, b, arena);
    case JSON_OBJECT:
        return members_equal(a, b, arena);
    }
    return false;
}

/* writing */

struct difference {
    struct json_writer *writer;
    struct arena *arena;
    bool worth_telling; /* more than heartbeats */
};

static void write_name(struct difference *difference, const struct json_member *member)
{
    json_write_bytes(difference->writer, member->name, member->name_length);
}

static void write_members(struct difference *difference, const struct json *before,
                          const struct json *after);

/* A value that is another one, or is new. */
static void write_value(struct difference *difference, const struct json *before,
                        const struct json *after)
{
    if (before && before->type == JSON_OBJECT && after->type == JSON_OBJECT) {
        json_write_object(difference->writer);
        write_members(difference, before, after);
        json_write_object_end(difference->writer);
        return;
    }
    json_write_value(difference->writer, after);
    difference->worth_telling = true;
}

static void write_addresses(struct difference *difference, const struct json *after)
{
    struct json_writer *writer = difference->writer;

    json_write_array(writer);
    for (uint32_t i = 0; i < after->length; i++)
        json_write_value(writer, &after->items[i]);
    json_write_object(writer);
    json_write_string_member(writer, "$patch", "replace");
    json_write_object_end(writer);
    json_write_array_end(writer);
    difference->worth_telling = true;
}

static bool member_is(const struct json_member *member, const char *name)
{
    return member->name_length == strlen(name) && !memcmp(member->name, name, member->name_length);
}

/* conditions */

static const struct json *condition_like(const struct json *conditions, const struct json *like,
                                         struct arena *arena)
{
    for (uint32_t i = 0; conditions && i < conditions->length; i++)
        if (values_equal(json_get(&conditions->items[i], "type"), json_get(like, "type"), arena))
            return &conditions->items[i];
    return NULL;
}

static void write_type(struct json_writer *writer, const struct json *condition)
{
    json_write_object(writer);
    json_write_name(writer, "type");
    json_write_value(writer, json_get(condition, "type"));
    json_write_object_end(writer);
}

/* What changed of a condition, and its type, which says which one it is. */
static void write_condition(struct difference *difference, const struct json *before,
                            const struct json *after)
{
    json_write_object(difference->writer);
    for (uint32_t i = 0; i < after->length; i++) {
        const struct json_member *member = &after->members[i];
        bool changed = !before || !values_equal(member_of(before, member, difference->arena),
                                                &member->value, difference->arena);

        if (!changed && !member_is(member, "type"))
            continue;
        write_name(difference, member);
        json_write_value(difference->writer, &member->value);
        difference->worth_telling |= changed && !member_is(member, HEARTBEAT);
    }
    json_write_object_end(difference->writer);
}

static void write_conditions(struct difference *difference, const struct json *before,
                             const struct json *after)
{
    struct json_writer *writer = difference->writer;

    json_write_name(writer, "$setElementOrder/conditions");
    json_write_array(writer);
    for (uint32_t i = 0; i < after->length; i++)
        write_type(writer, &after->items[i]);
    json_write_array_end(writer);
    json_write_name(writer, "conditions");
    json_write_array(writer);
    for (uint32_t i = 0; i < after->length; i++) {
        const struct json *old = condition_like(before, &after->items[i], difference->arena);

        if (!values_equal(old, &after->items[i], difference->arena))
            write_condition(difference, old, &after->items[i]);
    }
    json_write_array_end(writer);
}

/* objects */

static void write_member(struct difference *difference, const struct json *before,
                         const struct json_member *after)
{
    if (member_is(after, "conditions")) {
        write_conditions(difference, before, &after->value);
        return;
    }
    write_name(difference, after);
    if (member_is(after, "addresses"))
        write_addresses(difference, &after->value);
    else
        write_value(difference, before, &after->value);
}

static void write_members(struct difference *difference, const struct json *before,
                          const struct json *after)
{
    for (uint32_t i = 0; i < after->length; i++) {
        const struct json_member *member = &after->members[i];
        const struct json *old = member_of(before, member, difference->arena);

        if (!values_equal(old, &member->value, difference->arena))
            write_member(difference, old, member);
    }
    for (uint32_t i = 0; i < before->length; i++) {
        const struct json_member *member = &before->members[i];

        if (member_of(after, member, difference->arena))
            continue;
        write_name(difference, member);
        json_write_null(difference->writer);
        difference->worth_telling = true;
    }
}

static const struct json *part_of(const struct json *object, const char *name)
{
    const struct json *part = json_get(object, name);

    return part ? part : &nothing;
}

static void write_part(struct difference *difference, const char *name, const struct json *before,
                       const struct json *after)
{
    if (values_equal(before, after, difference->arena))
        return;
    json_write_name(difference->writer, name);
    json_write_object(difference->writer);
    write_members(difference, before, after);
    json_write_object_end(difference->writer);
}

/* All else of the metadata is the server's. */
static void write_metadata(struct difference *difference, const struct json *before,
                           const struct json *after)
{
    static const char *const names[] = {"labels", "annotations"};
    bool differs = false;

    for (size_t i = 0; i < array_size(names); i++)
        differs |=
            !values_equal(part_of(before, names[i]), part_of(after, names[i]), difference->arena);
    if (!differs)
        return;
    json_write_name(difference->writer, "metadata");
    json_write_object(difference->writer);
    for (size_t i = 0; i < array_size(names); i++)
        write_part(difference, names[i], part_of(before, names[i]), part_of(after, names[i]));
    json_write_object_end(difference->writer);
}

bool node_patch_write(const struct node *seen, const struct node *computed, struct strbuf *patch)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    const struct json *before = document_of(seen, &arena), *after = document_of(computed, &arena);
    struct json_writer writer;
    struct difference difference = {.writer = &writer, .arena = &arena};

    json_writer_init(&writer, patch, false);
    json_write_object(&writer);
    write_metadata(&difference, part_of(before, "metadata"), part_of(after, "metadata"));
    write_part(&difference, "status", part_of(before, "status"), part_of(after, "status"));
    json_write_object_end(&writer);
    json_writer_deinit(&writer);
    return difference.worth_telling;
}
