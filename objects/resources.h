/*
 * Arithmetic on the resources of a pod: what its containers add up to.
 */
#pragma once

#include "nodeagent/objects/pod.h"

enum resource_side { RESOURCE_LIMITS, RESOURCE_REQUESTS };

/*
 * What the pod's containers need together: regular containers and sidecars run side by side; init
 * containers run one after the other, each beside the sidecars before it. One entry a resource.
 */
struct quantity_map pod_containers_total(const struct pod_spec *spec, enum resource_side side,
                                         struct arena *arena);

bool container_is_sidecar(const struct container *container); /* of an init container */

/* Adds an entry that the map has not; the map's items move to the arena. */
void quantity_map_append(struct quantity_map *map, const char *name,
                         const struct quantity *quantity, struct arena *arena);
