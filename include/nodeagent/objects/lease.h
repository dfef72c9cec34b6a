/*
 * Leases: who holds something, and since when; a node's heartbeat is one.
 */
#pragma once

#include "nodeagent/objects/object.h"

struct lease_spec {
    const char *holder_identity; /* NULL: absent */
    struct opt_int32 lease_duration_seconds;
    struct opt_time acquire_time;
    struct opt_time renew_time;
    struct opt_int32 lease_transitions;
    const char *strategy; /* of coordinated election, as the next: read to be written back */
    const char *preferred_holder;
};

struct lease {
    struct object object;
    struct lease_spec spec;
};

static inline struct lease *lease_of(struct object *object)
{
    assert_that(object->kind == &object_kind_lease);
    return container_of(object, struct lease, object);
}
