/*
 * ConfigMaps: text and bytes by key.
 */
#pragma once

#include "nodeagent/objects/object.h"

struct config_map {
    struct object object;
    struct bytes_map data;        /* text */
    struct bytes_map binary_data; /* decoded */
    uint8_t immutable;            /* enum opt_bool */
};

static inline struct config_map *config_map_of(struct object *object)
{
    assert_that(object->kind == &object_kind_config_map);
    return container_of(object, struct config_map, object);
}
