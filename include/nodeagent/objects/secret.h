/*
 * Secrets: bytes by key, and what they are for.
 */
#pragma once

#include "nodeagent/objects/object.h"

struct secret {
    struct object object;
    struct bytes_map data;        /* decoded, stringData merged in */
    struct bytes_map string_data; /* empty once decoded */
    const char *type;
    uint8_t immutable; /* enum opt_bool */
};

static inline struct secret *secret_of(struct object *object)
{
    assert_that(object->kind == &object_kind_secret);
    return container_of(object, struct secret, object);
}
