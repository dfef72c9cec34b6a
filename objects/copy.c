/* Deep copies by schema: everything the tables describe, into an arena. */
#include "nodeagent/objects/schema.h"

#include <string.h>

struct any_list {
    char *items;
    size_t count;
};

static const char *copy_string(const char *string, struct arena *arena)
{
    return string ? arena_strdup(arena, string) : NULL;
}

static void copy_strings(struct string_list *list, struct arena *arena)
{
    const char **items = arena_array(arena, const char *, list->count);

    for (size_t i = 0; i < list->count; i++)
        items[i] = copy_string(list->items[i], arena);
    list->items = items;
}

static void copy_string_map(struct string_map *map, struct arena *arena)
{
    struct string_pair *items = arena_array(arena, struct string_pair, map->count);

    for (size_t i = 0; i < map->count; i++) {
        items[i].name = copy_string(map->items[i].name, arena);
        items[i].value = copy_string(map->items[i].value, arena);
    }
    map->items = items;
}

static void copy_bytes_map(struct bytes_map *map, struct arena *arena)
{
    struct bytes_pair *items = arena_array(arena, struct bytes_pair, map->count);

    for (size_t i = 0; i < map->count; i++) {
        items[i].name = copy_string(map->items[i].name, arena);
        items[i].bytes = arena_strndup(arena, map->items[i].bytes, map->items[i].length);
        items[i].length = map->items[i].length;
    }
    map->items = items;
}

static void copy_quantity_map(struct quantity_map *map, struct arena *arena)
{
    struct quantity_pair *items = arena_array(arena, struct quantity_pair, map->count);

    for (size_t i = 0; i < map->count; i++) {
        items[i].name = copy_string(map->items[i].name, arena);
        items[i].quantity = map->items[i].quantity;
    }
    map->items = items;
}

static void *copy_bytes(const void *bytes, size_t length, struct arena *arena)
{
    return memcpy(arena_alloc(arena, length), bytes, length);
}

static void copy_members(const struct schema *schema, void *structure, struct arena *arena);

static void copy_list(const struct schema *schema, struct any_list *list, struct arena *arena)
{
    list->items = copy_bytes(list->items, list->count * schema->size, arena);
    for (size_t i = 0; i < list->count; i++)
        copy_members(schema, list->items + i * schema->size, arena);
}

static void copy_pointer(const struct schema *schema, void **pointer, struct arena *arena)
{
    *pointer = copy_bytes(*pointer, schema->size, arena);
    copy_members(schema, *pointer, arena);
}

/* `at` holds the original's bytes: what it points at is replaced by a copy. */
static void copy_field(const struct field *field, void *at, struct arena *arena)
{
    const struct any_list *list = at;

    switch ((enum field_type)field->type) {
    case FIELD_STRING:
    case FIELD_OPT_STRING:
        *(const char **)at = copy_string(*(const char **)at, arena);
        break;
    case FIELD_INT_OR_STRING:
        ((struct int_or_string *)at)->string =
            copy_string(((struct int_or_string *)at)->string, arena);
        break;
    case FIELD_QUANTITY:
        if (*(void **)at)
            *(void **)at = copy_bytes(*(void **)at, sizeof(struct quantity), arena);
        break;
    case FIELD_STRUCT:
        copy_members(field->of, at, arena);
        break;
    case FIELD_POINTER:
        if (*(void **)at)
            copy_pointer(field->of, at, arena);
        break;
    case FIELD_LIST:
        if (list->items)
            copy_list(field->of, at, arena);
        break;
    case FIELD_STRINGS:
        if (list->items)
            copy_strings(at, arena);
        break;
    case FIELD_INT32S:
        if (list->items)
            *(void **)at = copy_bytes(list->items, list->count * sizeof(int32_t), arena);
        break;
    case FIELD_INT64S:
        if (list->items)
            *(void **)at = copy_bytes(list->items, list->count * sizeof(int64_t), arena);
        break;
    case FIELD_STRING_MAP:
        if (list->items)
            copy_string_map(at, arena);
        break;
    case FIELD_TEXT_MAP:
    case FIELD_BYTES_MAP:
        if (list->items)
            copy_bytes_map(at, arena);
        break;
    case FIELD_QUANTITY_MAP:
        if (list->items)
            copy_quantity_map(at, arena);
        break;
    case FIELD_BOOL:
    case FIELD_OPT_BOOL:
    case FIELD_INT32:
    case FIELD_OPT_INT32:
    case FIELD_INT64:
    case FIELD_OPT_INT64:
    case FIELD_TIME:
    case FIELD_MICRO_TIME:
    case FIELD_IGNORED:
        break;
    }
}

static void copy_members(const struct schema *schema, void *structure, struct arena *arena)
{
    for (size_t i = 0; i < schema->field_count; i++)
        copy_field(&schema->fields[i], (char *)structure + schema->fields[i].offset, arena);
}

void schema_copy(const struct schema *schema, void *to, const void *from, struct arena *arena)
{
    memcpy(to, from, schema->size);
    copy_members(schema, to, arena);
}
