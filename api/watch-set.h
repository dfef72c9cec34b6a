/* Objects by name, held, and how much memory they take. */
#pragma once

#include "nodeagent/base/map.h"
#include "nodeagent/objects/object.h"

enum {
    WATCH_SET_BYTES_MAX = 256 << 20, /* of all together: 10,000 Services are some 40 MiB */
};

struct watch_set {
    struct map objects; /* "namespace/name" to struct object */
    size_t bytes;
};

#define WATCH_SET_INIT                                                                             \
    {                                                                                              \
        .objects = MAP_INIT                                                                        \
    }

void watch_set_clear(struct watch_set *set);

/* The caller frees it. */
char *watch_set_key(const char *name_space, const char *name);
char *watch_set_key_of(const struct object *object);

/* Whether this one may be put: else there is no end to it. */
bool watch_set_has_room(const struct watch_set *set, const char *key, const struct object *object);

/* Takes the reference; returns the one of what had that name before, or NULL. */
struct object *watch_set_put(struct watch_set *set, const char *key, struct object *object);
struct object *watch_set_remove(struct watch_set *set, const char *key);

/* The set keeps the reference. NULL: it is not there. */
struct object *watch_set_find(const struct watch_set *set, const char *key);
struct object *watch_set_find_like(const struct watch_set *set, const struct object *object);

/* Walks all of them, as map_next() does. NULL: there are no more. */
struct object *watch_set_next(const struct watch_set *set, size_t *position);
