/* Bytes by key: the rules for keys, sizes, and merging. */
#include "config-data.h"
#include "nodeagent/base/map.h"
#include "validate.h"

#include <string.h>

size_t config_data_size(const struct bytes_map *map)
{
    size_t bytes = 0;

    array_for_each (pair, *map)
        bytes += pair->length;
    return bytes;
}

void validate_config_keys(const struct bytes_map *map, const struct path *path,
                          struct report *report)
{
    array_for_each (pair, *map) {
        struct path key = path_key(path, pair->name);

        require(report, &key, pair->name, name_check_config_key(pair->name));
    }
}

/* A manifest may hold many thousand keys, hence no walk through one list for each of the other. */
static void index_keys(struct map *keys, const struct bytes_map *map)
{
    array_for_each (pair, *map)
        map_put(keys, pair->name, pair);
}

void report_shared_keys(const struct bytes_map *map, const struct bytes_map *other,
                        const struct path *path, struct report *report)
{
    _cleanup_(map_deinit) struct map keys = MAP_INIT;

    index_keys(&keys, other);
    array_for_each (pair, *map) {
        struct path key = path_key(path, pair->name);

        if (map_get(&keys, pair->name))
            report_error(report, &key, FINDING_INVALID, "is a key of binaryData too");
    }
}

void config_data_merge(struct bytes_map *map, const struct bytes_map *more, struct arena *arena)
{
    _cleanup_(map_deinit) struct map keys = MAP_INIT;
    struct bytes_map merged = {
        .items = arena_array(arena, struct bytes_pair, map->count + more->count),
        .count = map->count,
    };

    if (map->count)
        memcpy(merged.items, map->items, map->count * sizeof(*map->items));
    index_keys(&keys, &merged);
    array_for_each (pair, *more) {
        struct bytes_pair *earlier = map_get(&keys, pair->name);

        if (!earlier)
            earlier = &merged.items[merged.count++];
        *earlier = *pair;
    }
    *map = merged;
}
