/*
 * Resources: what kinds of them there are, and what the containers of a pod add up to.
 */
#pragma once

#include "nodeagent/base/map.h"
#include "nodeagent/objects/pod.h"

bool resource_is_extended(const char *name); /* example.com/gpu */
bool resource_is_hugepages(const char *name);

enum resource_side { RESOURCE_LIMITS, RESOURCE_REQUESTS };

/*
 * What the pod's containers need together: regular containers and sidecars run side by side; init
 * containers run one after the other, each beside the sidecars before it. One entry a resource.
 */
struct quantity_map pod_containers_total(const struct pod_spec *spec, enum resource_side side,
                                         struct arena *arena);

bool container_is_sidecar(const struct container *container); /* of an init container */

/*
 * A map of quantities while it grows: its items move to the arena and double there, and a long one
 * is found by hash. Anybody may write ten thousand resources into a pod.
 */
struct quantity_sum {
    struct quantity_map map;
    size_t space;
    struct map places; /* of names in the map; empty while the map is short */
    struct arena *arena;
};

void quantity_sum_init(struct quantity_sum *sum, const struct quantity_map *from,
                       struct arena *arena);
struct quantity_map quantity_sum_finish(struct quantity_sum *sum);

/* The pointer is good until something is appended. */
struct quantity *quantity_sum_get(const struct quantity_sum *sum, const char *name); /* or NULL */

/* The name must not be there yet. */
void quantity_sum_append(struct quantity_sum *sum, const char *name,
                         const struct quantity *quantity);
