/*
 * What the node has, and what of it pods may use.
 */
#pragma once

#include "config.h"
#include "node-machine.h"

struct quantity_map node_capacity(const struct config *config, const struct node_machine *machine,
                                  struct arena *arena);

/* The capacity without what is reserved, what must stay free, and (of memory) huge pages. */
struct quantity_map node_allocatable(const struct config *config,
                                     const struct quantity_map *capacity, struct arena *arena);

/* More must not be kept back than there is. */
int node_check_reservations(const struct config *config, const struct node_machine *machine,
                            struct err *err);

/* Swap is there only for who asks for it, and only where cgroups share it out. */
int node_check_swap(const struct config *config, const struct node_machine *machine, bool cgroup_v2,
                    struct err *err);

/* With the resources that others wrote into the Node; `forget`: none of its devices are here. */
struct quantity_map node_capacity_with(const struct quantity_map *own,
                                       const struct quantity_map *seen, bool forget,
                                       struct arena *arena);
