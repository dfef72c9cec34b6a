/* The arithmetic of capacity and allocatable. */
#include "node-resources.h"

#include "nodeagent/base/str.h"
#include "nodeagent/objects/resources.h"

#include <errno.h>

static void add(struct quantity_map *map, const char *name, struct quantity quantity)
{
    map->items[map->count++] = (struct quantity_pair){name, quantity};
}

static int64_t pods_of(const struct config *config, int32_t cpus)
{
    int64_t pods = config->max_pods;

    if (config->pods_per_core > 0)
        pods = MIN(pods, (int64_t)cpus * config->pods_per_core);
    return pods;
}

/* "hugepages-2Mi" */
static const char *huge_pages_name(const struct huge_pages *pages, struct arena *arena)
{
    struct quantity size = quantity_from_int(pages->size_bytes, QUANTITY_BINARY);
    char text[QUANTITY_TEXT_MAX];

    return arena_printf(arena, "hugepages-%s", quantity_format(&size, text));
}

struct quantity_map node_capacity(const struct config *config, const struct node_machine *machine,
                                  struct arena *arena)
{
    struct quantity_map map = {0};

    map.items = arena_array(arena, struct quantity_pair, machine->huge_pages.count + 4);
    add(&map, "cpu", quantity_from_int(machine->cpus, QUANTITY_DECIMAL));
    if (config->local_storage_isolation && machine->storage_bytes)
        add(&map, "ephemeral-storage", quantity_from_int(machine->storage_bytes, QUANTITY_BINARY));
    array_for_each (pages, machine->huge_pages)
        add(&map, huge_pages_name(pages, arena),
            quantity_from_int(pages->size_bytes * pages->count, QUANTITY_BINARY));
    add(&map, "memory", quantity_from_int(machine->memory_bytes, QUANTITY_BINARY));
    add(&map, "pods", quantity_from_int(pods_of(config, machine->cpus), QUANTITY_DECIMAL));
    return map;
}

/* what is kept back */

static struct quantity threshold_amount(const struct eviction_threshold *threshold,
                                        const struct quantity *capacity)
{
    double share = (double)quantity_value(capacity) * (double)threshold->ratio;

    if (threshold->ratio > 0)
        return quantity_from_int((int64_t)share, QUANTITY_BINARY);
    return threshold->amount;
}

static struct quantity kept_back(const struct config *config, const struct quantity_pair *capacity)
{
    const struct quantity_map *const reserved[] = {&config->system_reserved,
                                                   &config->kube_reserved};
    struct quantity sum = {0}, free = {0};

    for (size_t i = 0; i < array_size(reserved); i++) {
        const struct quantity *more = quantity_map_get(reserved[i], capacity->name);

        if (more)
            quantity_add(&sum, more);
    }
    if (str_equal(capacity->name, "memory"))
        free = threshold_amount(&config->memory_threshold, &capacity->quantity);
    if (str_equal(capacity->name, "ephemeral-storage"))
        free = threshold_amount(&config->storage_threshold, &capacity->quantity);
    quantity_add(&sum, &free);
    return sum;
}

static void take(struct quantity *from, const struct quantity *amount)
{
    quantity_subtract(from, amount);
    if (quantity_sign(from) < 0)
        *from = quantity_from_int(0, from->format);
}

struct quantity_map node_allocatable(const struct config *config,
                                     const struct quantity_map *capacity, struct arena *arena)
{
    struct quantity_map map = {.count = capacity->count};
    struct quantity *memory;

    map.items = arena_array(arena, struct quantity_pair, capacity->count);
    for (size_t i = 0; i < capacity->count; i++) {
        struct quantity kept = kept_back(config, &capacity->items[i]);

        map.items[i] = capacity->items[i];
        take(&map.items[i].quantity, &kept);
    }
    memory = quantity_map_get(&map, "memory");
    array_for_each (one, *capacity)
        if (memory && resource_is_hugepages(one->name))
            take(memory, &one->quantity);
    /* As the server keeps it: what it rounded would look like a change in each turn. */
    quantity_map_round_up(&map);
    return map;
}

int node_check_reservations(const struct config *config, const struct node_machine *machine,
                            struct err *err)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    struct quantity_map capacity = node_capacity(config, machine, &arena);
    char has[QUANTITY_TEXT_MAX], wants[QUANTITY_TEXT_MAX];

    array_for_each (one, capacity) {
        struct quantity kept = kept_back(config, one);

        if (quantity_compare(&kept, &one->quantity) > 0)
            return err_set(err, -EINVAL,
                           "invalid Node Allocatable configuration. Resource \"%s\" has a "
                           "reservation of %s but capacity of %s. Expected capacity >= "
                           "reservation: lower systemReserved, kubeReserved or evictionHard",
                           one->name, quantity_format(&kept, wants),
                           quantity_format(&one->quantity, has));
    }
    return 0;
}

int node_check_swap(const struct config *config, const struct node_machine *machine, bool cgroup_v2,
                    struct err *err)
{
    if (machine->swap_bytes > 0 && config->fail_swap_on)
        return err_set(
            err, -ENOTSUP,
            "running with swap on is not supported, please disable swap (swapoff -a, and "
            "in /etc/fstab) or set failSwapOn: false (--fail-swap-on=false)");
    if (config->limited_swap && !cgroup_v2)
        return err_set(err, -ENOTSUP,
                       "memorySwap.swapBehavior: LimitedSwap needs cgroup v2, and this host has "
                       "cgroup v1: mount cgroup v2, or set NoSwap");
    return 0;
}

/* what others wrote */

static bool is_own(const char *name)
{
    static const char *const names[] = {"cpu", "ephemeral-storage", "memory", "pods", NULL};

    return str_one_of(name, names) || resource_is_hugepages(name);
}

struct quantity_map node_capacity_with(const struct quantity_map *own,
                                       const struct quantity_map *seen, bool forget,
                                       struct arena *arena)
{
    struct quantity_map map = {0};

    map.items = arena_array(arena, struct quantity_pair, own->count + seen->count);
    array_for_each (one, *own)
        add(&map, one->name, one->quantity);
    array_for_each (one, *seen) {
        bool gone = forget && resource_is_extended(one->name);

        if (!is_own(one->name))
            add(&map, one->name, gone ? quantity_from_int(0, QUANTITY_DECIMAL) : one->quantity);
    }
    return map;
}
