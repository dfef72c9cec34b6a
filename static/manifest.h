/*
 * What one text holds: a manifest file, or the answer of a URL. It is taken as a whole or not at
 * all. Reading happens on a thread of the pool; a manifest is then handed to the loop.
 */
#pragma once

#include "identity.h"
#include "nodeagent/base/err.h"
#include "nodeagent/static.h"

enum {
    MANIFEST_OBJECTS_MAX = 4096, /* of one text; many times what a node can run */
    MANIFEST_PROBLEMS_MAX = 50,  /* of one text; the rest is counted */
};

enum manifest_form {
    MANIFEST_FILE, /* one object; several if ConfigMaps and Secrets are allowed */
    MANIFEST_URL,  /* a Pod or a PodList */
};

struct manifest_origin {
    enum manifest_form form;
    const char *place; /* the path or the URL, as it may be shown */
    const char *node_name;
    int64_t seen; /* now, in microseconds since 1970 */
    bool config_objects;
};

struct manifest_object {
    struct object *object;
    const char *digest; /* of what was written: it tells whether anything changed */
    const char *place;  /* where it stands */
};

struct manifest {
    struct arena arena;
    bool good; /* else it has no objects, and a problem says why */
    list_of(struct manifest_object) objects;
    list_of(struct static_problem) problems;
    size_t object_space;
    size_t problem_space;
};

struct manifest *manifest_read(const struct manifest_origin *origin, const char *text,
                               size_t length);

/* One that has nothing but a problem; it is good if that is only a warning. */
struct manifest *manifest_problem(const char *place, bool refused, const char *format, ...)
    _printf_(3, 4);
struct manifest *manifest_free(struct manifest *manifest);

/* Objects that are as they were before become those that were before. */
void manifest_keep_same(struct manifest *manifest, struct manifest *before);
