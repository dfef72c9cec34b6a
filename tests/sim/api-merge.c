/*
 * The model API server: strategic merge. Objects are merged member by member, null takes a member
 * away; a few lists are merged by a key, all others are replaced.
 */
#include "api-server.h"
#include "nodeagent/base/arena.h"
#include "nodeagent/base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MEMBER_NAME_MAX = 128,
};

struct json *api_parse(struct arena *arena, const char *text)
{
    static const struct json_limits limits = {.bytes_max = 1U << 30, .nodes_max = SIZE_MAX};
    static struct json_findings findings;
    struct json *document;
    struct err err;

    if (json_parse(arena, text, strlen(text), &limits, &findings, &document, &err) < 0) {
        fprintf(stderr, "%s\n%s\n", text, err.text);
        abort();
    }
    return document;
}

const char *api_text_at(const struct json *document, const char *path, char text[API_NAME_MAX])
{
    char name[MEMBER_NAME_MAX];

    while (document && document->type == JSON_OBJECT && *path) {
        size_t length = strcspn(path, ".");

        snprintf(name, sizeof(name), "%.*s", (int)length, path);
        document = json_get(document, name);
        path += length + (path[length] == '.');
    }
    if (document && !*path && (document->type == JSON_STRING || document->type == JSON_NUMBER))
        snprintf(text, API_NAME_MAX, "%.*s", (int)document->length, document->text);
    else
        *text = '\0';
    return text;
}

/* What tells the items of a list apart; NULL: it is replaced as a whole. */
static const char *merge_key(const char *field)
{
    static const struct {
        const char *field, *key;
    } keys[] = {
        {"conditions", "type"},     {"podIPs", "ip"},           {"hostIPs", "ip"},
        {"addresses", "type"},      {"ownerReferences", "uid"}, {"containers", "name"},
        {"initContainers", "name"},
    };

    for (size_t i = 0; i < array_size(keys); i++)
        if (!strcmp(keys[i].field, field))
            return keys[i].key;
    return NULL;
}

static const char *name_of(const struct json_member *member, char name[MEMBER_NAME_MAX])
{
    snprintf(name, MEMBER_NAME_MAX, "%.*s", (int)member->name_length, member->name);
    return name;
}

static void merge(struct json_writer *writer, const struct json *old, const struct json *patch,
                  const char *field, const struct json *order);

/* lists */

static const struct json *item_of(const struct json *list, const char *key,
                                  const struct json *wanted)
{
    for (uint32_t i = 0; list && wanted && list->type == JSON_ARRAY && i < list->length; i++) {
        const struct json *value = json_get(&list->items[i], key);

        if (value && value->length == wanted->length &&
            !memcmp(value->text, wanted->text, wanted->length))
            return &list->items[i];
    }
    return NULL;
}

static bool is_taken_out(const struct json *item)
{
    const struct json *directive = item ? json_get(item, "$patch") : NULL;

    return directive && json_text_is(directive, "delete");
}

static void write_item(struct json_writer *writer, const struct json *old, const struct json *patch,
                       const char *key, const struct json *value)
{
    const struct json *before = item_of(old, key, value), *change = item_of(patch, key, value);

    if (is_taken_out(change) || (!before && !change))
        return;
    if (change)
        merge(writer, before, change, "", NULL);
    else
        json_write_value(writer, before);
}

static void merge_list(struct json_writer *writer, const struct json *old, const struct json *patch,
                       const char *key, const struct json *order)
{
    json_write_array(writer);
    for (uint32_t i = 0; order && i < order->length; i++)
        write_item(writer, old, patch, key, json_get(&order->items[i], key));
    for (uint32_t i = 0; old && old->type == JSON_ARRAY && i < old->length; i++) {
        const struct json *value = json_get(&old->items[i], key);

        if (!item_of(order, key, value))
            write_item(writer, old, patch, key, value);
    }
    for (uint32_t i = 0; i < patch->length; i++) {
        const struct json *value = json_get(&patch->items[i], key);

        if (!item_of(order, key, value) && !item_of(old, key, value))
            write_item(writer, old, patch, key, value);
    }
    json_write_array_end(writer);
}

/* objects */

static void merge_member(struct json_writer *writer, const char *name, const struct json *old,
                         const struct json *patches, const struct json *patch)
{
    char order[MEMBER_NAME_MAX + 24];

    if (patch && patch->type == JSON_NULL)
        return;
    json_write_name(writer, name);
    if (!patch) {
        json_write_value(writer, old);
        return;
    }
    snprintf(order, sizeof(order), "$setElementOrder/%s", name);
    merge(writer, old, patch, name, json_get(patches, order));
}

static void merge_object(struct json_writer *writer, const struct json *old,
                         const struct json *patch)
{
    char name[MEMBER_NAME_MAX];

    json_write_object(writer);
    for (uint32_t i = 0; old && i < old->length; i++) {
        name_of(&old->members[i], name);
        merge_member(writer, name, &old->members[i].value, patch, json_get(patch, name));
    }
    for (uint32_t i = 0; i < patch->length; i++) {
        name_of(&patch->members[i], name);
        if (*name != '$' && !(old && json_get(old, name)))
            merge_member(writer, name, NULL, patch, &patch->members[i].value);
    }
    json_write_object_end(writer);
}

static void merge(struct json_writer *writer, const struct json *old, const struct json *patch,
                  const char *field, const struct json *order)
{
    const char *key = patch->type == JSON_ARRAY ? merge_key(field) : NULL;

    if (patch->type == JSON_OBJECT)
        merge_object(writer, old && old->type == JSON_OBJECT ? old : NULL, patch);
    else if (key)
        merge_list(writer, old, patch, key, order);
    else
        json_write_value(writer, patch);
}

char *api_merge(const char *text, const char *patch)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    struct strbuf merged = STRBUF_INIT;
    struct json_writer writer;

    json_writer_init(&writer, &merged, false);
    merge(&writer, api_parse(&arena, text), api_parse(&arena, patch), "", NULL);
    json_writer_deinit(&writer);
    return strbuf_take(&merged);
}

/* comparing */

static bool differs(struct strbuf *where, const char *name, const char *how)
{
    if (where)
        strbuf_printf(where, "%s %s", name, how);
    return false;
}

static bool same_value(const struct json *a, const struct json *b, const char *name,
                       struct strbuf *where);

static bool same_list(const struct json *a, const struct json *b, const char *name,
                      struct strbuf *where)
{
    const char *key = !strcmp(name, "conditions") ? "type" : NULL;

    if (a->length != b->length)
        return differs(where, name, "has more or less in it");
    for (uint32_t i = 0; i < a->length; i++) {
        const struct json *other =
            key ? item_of(b, key, json_get(&a->items[i], key)) : &b->items[i];

        if (!other)
            return differs(where, name, "has others in it");
        if (!same_value(&a->items[i], other, name, where))
            return false;
    }
    return true;
}

/* Null, and a list from which all was taken, are as good as not there. */
static bool is_nothing(const struct json *value)
{
    return value->type == JSON_NULL || (value->type == JSON_ARRAY && !value->length);
}

static bool same_members(const struct json *a, const struct json *b, struct strbuf *where)
{
    char name[MEMBER_NAME_MAX];

    for (uint32_t i = 0; i < a->length; i++) {
        const struct json *value = &a->members[i].value, *other;

        name_of(&a->members[i], name);
        other = json_get(b, name);
        if (is_nothing(value) && !other)
            continue;
        if (!other)
            return differs(where, name, "is on one side only");
        if (other->type != JSON_NULL && !same_value(value, other, name, where))
            return false;
    }
    return true;
}

static bool same_value(const struct json *a, const struct json *b, const char *name,
                       struct strbuf *where)
{
    if (a->type != b->type)
        return differs(where, name, "is something else");
    switch (a->type) {
    case JSON_OBJECT:
        return same_members(a, b, where) && same_members(b, a, where);
    case JSON_ARRAY:
        return same_list(a, b, name, where);
    case JSON_BOOL:
        return a->boolean == b->boolean ? true : differs(where, name, "differs");
    case JSON_NULL:
        return true;
    default:
        return a->length == b->length && !memcmp(a->text, b->text, a->length)
                   ? true
                   : differs(where, name, "differs");
    }
}

bool api_same(const struct json *a, const struct json *b, struct strbuf *where)
{
    return same_value(a, b, "", where);
}
