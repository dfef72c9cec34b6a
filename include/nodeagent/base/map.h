/*
 * A hash map from byte strings to pointers. Iteration follows insertion, so nothing that is
 * observable depends on the hash; the hash is keyed per process, so nobody outside can aim
 * collisions at it.
 */
#pragma once

#include "nodeagent/base/macros.h"

#include <stdbool.h>

struct map {
    struct map_entry *entries; /* in order of insertion; a removed one has no key */
    uint32_t *slots;           /* index + 1 into entries, 0 = free */
    size_t used;               /* entries in use, removed ones included */
    size_t space;              /* of entries */
    size_t slot_count;         /* a power of two, or 0 */
    size_t count;              /* live entries */
};

struct map_entry {
    char *key; /* owned by the map, ends in NUL */
    size_t key_length;
    uint64_t hash;
    void *value;
};

#define MAP_INIT                                                                                   \
    (struct map)                                                                                   \
    {                                                                                              \
        0                                                                                          \
    }

void map_deinit(struct map *map); /* values are the caller's */

static inline size_t map_count(const struct map *map)
{
    return map->count;
}

void *map_get(const struct map *map, const char *key);
void *map_get_bytes(const struct map *map, const void *key, size_t length);

/* Return the value that was there, or NULL. A NULL value is not allowed. */
void *map_put(struct map *map, const char *key, void *value);
void *map_put_bytes(struct map *map, const void *key, size_t length, void *value);
void *map_remove(struct map *map, const char *key);
void *map_remove_bytes(struct map *map, const void *key, size_t length);

/*
 * Walks the entries: `size_t at = 0; while ((entry = map_next(map, &at)))`. Removing the entry
 * that was returned is allowed.
 */
struct map_entry *map_next(const struct map *map, size_t *position);

/* SipHash-1-3 under the process's key. */
uint64_t map_hash(const void *key, size_t length);
