/* What ConfigMaps and Secrets have in common: bytes by key. */
#pragma once

#include "nodeagent/objects/report.h"
#include "nodeagent/objects/values.h"

enum {
    CONFIG_DATA_BYTES_MAX = 1 << 20, /* of all values: what the API server's store takes */
};

size_t config_data_size(const struct bytes_map *map);
void validate_config_keys(const struct bytes_map *map, const struct path *path,
                          struct report *report);

/* A key of `map` that `other` has as well is reported at `path`. */
void report_shared_keys(const struct bytes_map *map, const struct bytes_map *other,
                        const struct path *path, struct report *report);

/* Puts the entries of `more` over those of `map`. */
void config_data_merge(struct bytes_map *map, const struct bytes_map *more, struct arena *arena);
