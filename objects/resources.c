/* Sums of resources. */
#include "nodeagent/objects/resources.h"
#include "nodeagent/base/str.h"

#include <string.h>

bool container_is_sidecar(const struct container *container)
{
    return str_equal(container->restart_policy, "Always");
}

enum {
    SHORT_MAP = 16, /* up to here a walk beats a hash */
};

static void note_place(struct quantity_sum *sum, size_t index)
{
    map_put(&sum->places, sum->map.items[index].name, (void *)(uintptr_t)(index + 1));
}

static void note_places(struct quantity_sum *sum)
{
    for (size_t i = map_count(&sum->places); i < sum->map.count; i++)
        note_place(sum, i);
}

void quantity_sum_init(struct quantity_sum *sum, const struct quantity_map *from,
                       struct arena *arena)
{
    *sum = (struct quantity_sum){.map = *from, .space = from->count, .arena = arena};
    if (sum->map.count > SHORT_MAP)
        note_places(sum);
}

struct quantity_map quantity_sum_finish(struct quantity_sum *sum)
{
    map_deinit(&sum->places);
    return sum->map;
}

struct quantity *quantity_sum_get(const struct quantity_sum *sum, const char *name)
{
    uintptr_t place;

    if (sum->map.count <= SHORT_MAP)
        return quantity_map_get(&sum->map, name);
    place = (uintptr_t)map_get(&sum->places, name);
    return place ? &sum->map.items[place - 1].quantity : NULL;
}

void quantity_sum_append(struct quantity_sum *sum, const char *name,
                         const struct quantity *quantity)
{
    if (sum->map.count == sum->space) {
        struct quantity_pair *items;

        sum->space = MAX(2 * sum->space, (size_t)4);
        items = arena_array(sum->arena, struct quantity_pair, sum->space);
        if (sum->map.count)
            memcpy(items, sum->map.items, sum->map.count * sizeof(*items));
        sum->map.items = items;
    }
    sum->map.items[sum->map.count++] = (struct quantity_pair){.name = name, .quantity = *quantity};
    if (sum->map.count > SHORT_MAP)
        note_places(sum);
}

static const struct quantity_map *side_of(const struct container *container,
                                          enum resource_side side)
{
    return side == RESOURCE_LIMITS ? &container->resources.limits : &container->resources.requests;
}

static void add(struct quantity_sum *sum, const struct quantity_map *more)
{
    array_for_each (pair, *more) {
        struct quantity *quantity = quantity_sum_get(sum, pair->name);

        if (quantity)
            quantity_add(quantity, &pair->quantity);
        else
            quantity_sum_append(sum, pair->name, &pair->quantity);
    }
}

static void raise_to(struct quantity_sum *highest, const char *name, const struct quantity *other)
{
    struct quantity *quantity = quantity_sum_get(highest, name);

    if (!quantity)
        quantity_sum_append(highest, name, other);
    else if (quantity_compare(other, quantity) > 0)
        *quantity = *other;
}

struct quantity_map pod_containers_total(const struct pod_spec *spec, enum resource_side side,
                                         struct arena *arena)
{
    static const struct quantity_map nothing;
    struct quantity_sum running, sidecars, starting;

    quantity_sum_init(&running, &nothing, arena);
    quantity_sum_init(&sidecars, &nothing, arena);
    quantity_sum_init(&starting, &nothing, arena);
    array_for_each (container, spec->containers)
        add(&running, side_of(container, side));
    array_for_each (container, spec->init_containers) {
        if (container_is_sidecar(container)) {
            add(&running, side_of(container, side));
            add(&sidecars, side_of(container, side));
            continue;
        }
        /* What only the sidecars need is part of what runs. */
        array_for_each (pair, *side_of(container, side)) {
            const struct quantity *beside = quantity_sum_get(&sidecars, pair->name);
            struct quantity amount = pair->quantity;

            if (beside)
                quantity_add(&amount, beside);
            raise_to(&starting, pair->name, &amount);
        }
    }
    array_for_each (pair, starting.map)
        raise_to(&running, pair->name, &pair->quantity);
    quantity_sum_finish(&starting);
    quantity_sum_finish(&sidecars);
    return quantity_sum_finish(&running);
}
