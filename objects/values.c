/*
 * Looking into the maps and lists of API objects for one name, and adding to a list. Many names of
 * one map are looked up through seen.h or a quantity_sum: anybody may write a long map.
 */
#include "nodeagent/objects/values.h"
#include "nodeagent/base/arena.h"
#include "nodeagent/base/str.h"

#include <string.h>

const char *string_map_get(const struct string_map *map, const char *name)
{
    for (size_t i = 0; i < map->count; i++)
        if (!strcmp(map->items[i].name, name))
            return map->items[i].value;
    return NULL;
}

struct quantity *quantity_map_get(const struct quantity_map *map, const char *name)
{
    for (size_t i = 0; i < map->count; i++)
        if (!strcmp(map->items[i].name, name))
            return &map->items[i].quantity;
    return NULL;
}

const struct bytes_pair *bytes_map_get(const struct bytes_map *map, const char *name)
{
    for (size_t i = 0; i < map->count; i++)
        if (!strcmp(map->items[i].name, name))
            return &map->items[i];
    return NULL;
}

bool string_list_has(const struct string_list *list, const char *string)
{
    for (size_t i = 0; i < list->count; i++)
        if (str_equal(list->items[i], string))
            return true;
    return false;
}

bool strings_equal(const struct string_list *a, const struct string_list *b)
{
    bool equal = a->count == b->count;

    for (size_t i = 0; equal && i < a->count; i++)
        equal = str_equal(a->items[i], b->items[i]);
    return equal;
}

void strings_add(struct arena *arena, struct string_list *list, const char *string)
{
    const char **items = arena_array(arena, const char *, list->count + 1);

    if (list->count)
        memcpy(items, list->items, list->count * sizeof(*items));
    items[list->count++] = string;
    list->items = items;
}

void quantity_map_round_up(struct quantity_map *map)
{
    array_for_each (pair, *map)
        quantity_round_up_milli(&pair->quantity);
}
