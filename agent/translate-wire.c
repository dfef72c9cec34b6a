/* The runtime's messages, made in an arena. */
#include "translate-internal.h"

#include <string.h>

void *message_new(struct arena *arena, const ProtobufCMessageDescriptor *descriptor)
{
    void *message = arena_zalloc(arena, descriptor->sizeof_message);

    protobuf_c_message_init(descriptor, message);
    return message;
}

char *wire_text(const char *text)
{
    return text ? (char *)text : (char *)protobuf_c_empty_string;
}

char **wire_texts(const struct string_list *list)
{
    return list->count ? (char **)list->items : NULL;
}

Cri__Pair **wire_pairs(struct arena *arena, const struct string_map *map)
{
    Cri__Pair **pairs;

    if (!map->count)
        return NULL;
    pairs = arena_array(arena, Cri__Pair *, map->count);
    for (size_t i = 0; i < map->count; i++) {
        pairs[i] = message_new(arena, &cri__pair__descriptor);
        pairs[i]->key = wire_text(map->items[i].name);
        pairs[i]->value = wire_text(map->items[i].value);
    }
    return pairs;
}

Cri__Int64Value *wire_int64(struct arena *arena, int64_t value)
{
    Cri__Int64Value *message = message_new(arena, &cri__int64_value__descriptor);

    message->value = value;
    return message;
}

void pairs_add(struct arena *arena, struct string_map *map, const char *name, const char *value)
{
    struct string_pair *items = arena_array(arena, struct string_pair, map->count + 1);

    if (map->count)
        memcpy(items, map->items, map->count * sizeof(*items));
    items[map->count++] = (struct string_pair){name, value};
    map->items = items;
}
