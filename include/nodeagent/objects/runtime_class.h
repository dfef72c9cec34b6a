/*
 * RuntimeClasses: a handler of the runtime, what it costs, and where it can run.
 */
#pragma once

#include "nodeagent/objects/object.h"

struct runtime_class_overhead {
    struct quantity_map pod_fixed;
};

struct runtime_class_scheduling {
    struct string_map node_selector;
    list_of(struct toleration) tolerations;
};

struct runtime_class {
    struct object object;
    const char *handler;
    struct runtime_class_overhead *overhead;
    struct runtime_class_scheduling *scheduling;
};

static inline struct runtime_class *runtime_class_of(struct object *object)
{
    assert_that(object->kind == &object_kind_runtime_class);
    return container_of(object, struct runtime_class, object);
}
