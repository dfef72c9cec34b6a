/* Sums of resources. */
#include "resources.h"
#include "nodeagent/base/str.h"

#include <string.h>

bool container_is_sidecar(const struct container *container)
{
    return str_equal(container->restart_policy, "Always");
}

void quantity_map_append(struct quantity_map *map, const char *name,
                         const struct quantity *quantity, struct arena *arena)
{
    struct quantity_pair *items = arena_array(arena, struct quantity_pair, map->count + 1);

    if (map->count)
        memcpy(items, map->items, map->count * sizeof(*items));
    items[map->count] = (struct quantity_pair){.name = name, .quantity = *quantity};
    map->items = items;
    map->count++;
}

static const struct quantity_map *side_of(const struct container *container,
                                          enum resource_side side)
{
    return side == RESOURCE_LIMITS ? &container->resources.limits : &container->resources.requests;
}

static void map_add(struct quantity_map *sum, const struct quantity_map *more, struct arena *arena)
{
    array_for_each (pair, *more) {
        struct quantity *quantity = quantity_map_get(sum, pair->name);

        if (quantity)
            quantity_add(quantity, &pair->quantity);
        else
            quantity_map_append(sum, pair->name, &pair->quantity, arena);
    }
}

static void map_raise(struct quantity_map *highest, const struct quantity_map *other,
                      struct arena *arena)
{
    array_for_each (pair, *other) {
        struct quantity *quantity = quantity_map_get(highest, pair->name);

        if (!quantity)
            quantity_map_append(highest, pair->name, &pair->quantity, arena);
        else if (quantity_compare(&pair->quantity, quantity) > 0)
            *quantity = pair->quantity;
    }
}

struct quantity_map pod_containers_total(const struct pod_spec *spec, enum resource_side side,
                                         struct arena *arena)
{
    struct quantity_map running = {0}, sidecars = {0}, starting = {0};

    array_for_each (container, spec->containers)
        map_add(&running, side_of(container, side), arena);
    array_for_each (container, spec->init_containers) {
        struct quantity_map step = {0};

        if (container_is_sidecar(container)) {
            map_add(&running, side_of(container, side), arena);
            map_add(&sidecars, side_of(container, side), arena);
            map_add(&step, &sidecars, arena);
        } else {
            map_add(&step, side_of(container, side), arena);
            map_add(&step, &sidecars, arena);
        }
        map_raise(&starting, &step, arena);
    }
    map_raise(&running, &starting, arena);
    return running;
}
