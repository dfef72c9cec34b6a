/*
 * An insertion-ordered hash map: entries lie in an array in order of insertion, and an index of
 * slots (open addressing, linear probing) finds them. Removing leaves a hole in the array, which
 * the next rebuild closes.
 */
#include "nodeagent/base/map.h"
#include "nodeagent/base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

enum {
    SLOTS_MIN = 16,
};

#define SLOT_REMOVED UINT32_MAX

static uint64_t rotate(uint64_t value, int bits)
{
    return value << bits | value >> (64 - bits);
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] = rotate(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] = rotate(v[2], 32);
}

uint64_t map_hash(const void *key, size_t length)
{
    /* The kernel gives each program 16 random bytes. */
    const uint64_t *random =
        (const void *)getauxval(AT_RANDOM); // NOLINT(performance-no-int-to-ptr)
    const unsigned char *bytes = key;
    uint64_t k[2], word = 0;

    memcpy(k, random, sizeof(k));
    uint64_t v[4] = {k[0] ^ 0x736f6d6570736575, k[1] ^ 0x646f72616e646f6d,
                     k[0] ^ 0x6c7967656e657261, k[1] ^ 0x7465646279746573};
    size_t whole = length & ~(size_t)7;

    for (size_t i = 0; i < whole; i += 8) {
        memcpy(&word, bytes + i, 8);
        v[3] ^= word;
        sip_round(v);
        v[0] ^= word;
    }
    word = 0;
    if (length > whole)
        memcpy(&word, bytes + whole, length - whole);
    word |= (uint64_t)length << 56;
    v[3] ^= word;
    sip_round(v);
    v[0] ^= word;
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void map_deinit(struct map *map)
{
    for (size_t i = 0; i < map->used; i++)
        free(map->entries[i].key);
    free(map->entries);
    free(map->slots);
    *map = MAP_INIT;
}

/* The slot of the key, or NULL. */
static uint32_t *map_find(const struct map *map, const void *key, size_t length, uint64_t hash)
{
    if (!map->slot_count)
        return NULL;
    for (size_t at = hash;; at++) {
        uint32_t *slot = &map->slots[at & (map->slot_count - 1)];

        if (!*slot)
            return NULL;
        if (*slot == SLOT_REMOVED)
            continue;
        struct map_entry *entry = &map->entries[*slot - 1];

        if (entry->hash == hash && entry->key_length == length && !memcmp(entry->key, key, length))
            return slot;
    }
}

static void map_index(struct map *map, size_t entry)
{
    size_t at = map->entries[entry].hash;

    while (map->slots[at & (map->slot_count - 1)])
        at++;
    map->slots[at & (map->slot_count - 1)] = (uint32_t)entry + 1;
}

/* Closes the holes and makes room for one more; at most half of the slots are in use. */
static void map_rebuild(struct map *map)
{
    size_t live = 0;

    for (size_t i = 0; i < map->used; i++)
        if (map->entries[i].key)
            map->entries[live++] = map->entries[i];
    map->used = live;

    map->slot_count = SLOTS_MIN;
    while (map->slot_count < live * 4)
        map->slot_count *= 2;
    assert_that(map->slot_count < SLOT_REMOVED);
    map->space = map->slot_count / 2;
    map->entries = mem_resize(map->entries, map->space * sizeof(*map->entries));
    free(map->slots);
    map->slots = mem_zalloc(map->slot_count * sizeof(*map->slots));
    for (size_t i = 0; i < live; i++)
        map_index(map, i);
}

void *map_get_bytes(const struct map *map, const void *key, size_t length)
{
    uint32_t *slot = map_find(map, key, length, map_hash(key, length));

    return slot ? map->entries[*slot - 1].value : NULL;
}

void *map_get(const struct map *map, const char *key)
{
    return map_get_bytes(map, key, strlen(key));
}

void *map_put_bytes(struct map *map, const void *key, size_t length, void *value)
{
    uint64_t hash = map_hash(key, length);
    uint32_t *slot = map_find(map, key, length, hash);

    assert_that(value);
    if (slot) {
        struct map_entry *entry = &map->entries[*slot - 1];
        void *before = entry->value;

        entry->value = value;
        return before;
    }
    if (map->used == map->space)
        map_rebuild(map);
    map->entries[map->used] = (struct map_entry){
        .key = mem_strndup(key, length),
        .key_length = length,
        .hash = hash,
        .value = value,
    };
    map_index(map, map->used++);
    map->count++;
    return NULL;
}

void *map_put(struct map *map, const char *key, void *value)
{
    return map_put_bytes(map, key, strlen(key), value);
}

void *map_remove_bytes(struct map *map, const void *key, size_t length)
{
    uint32_t *slot = map_find(map, key, length, map_hash(key, length));

    if (!slot)
        return NULL;
    struct map_entry *entry = &map->entries[*slot - 1];

    free(entry->key);
    entry->key = NULL;
    map->count--;
    *slot = SLOT_REMOVED;
    return entry->value;
}

void *map_remove(struct map *map, const char *key)
{
    return map_remove_bytes(map, key, strlen(key));
}

struct map_entry *map_next(const struct map *map, size_t *position)
{
    while (*position < map->used) {
        struct map_entry *entry = &map->entries[(*position)++];

        if (entry->key)
            return entry;
    }
    return NULL;
}
