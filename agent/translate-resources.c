/*
 * What a container or a sandbox may use of the node, in the kernel's terms. Amounts come from
 * outside: every product of them is saturating.
 */
#include "nodeagent/objects/resources.h"
#include "translate-internal.h"

#include <stdio.h>
#include <string.h>

enum {
    SHARES_MIN = 2, /* the kernel's limits of cpu.shares */
    SHARES_MAX = 262144,
    QUOTA_MIN = 1000, /* microseconds; the kernel takes no less */
    SYSTEM_PRIORITY_MIN = 2000000000,
    OOM_GUARANTEED = -997,
    OOM_BEST_EFFORT = 1000,
    PAGE_NAME_MAX = 32,
};

static const struct quantity *find(const struct quantity_map *map, const char *name)
{
    return quantity_map_get(map, name);
}

static bool is_set(const struct quantity *quantity)
{
    return quantity && quantity_sign(quantity) > 0;
}

static int64_t milli(const struct quantity *quantity)
{
    return is_set(quantity) ? quantity_milli_value(quantity) : 0;
}

static int64_t bytes(const struct quantity *quantity)
{
    return is_set(quantity) ? quantity_value(quantity) : 0;
}

/* A share of `whole`: part / of, in integers. */
static int64_t scale(int64_t whole, int64_t part, int64_t of)
{
    __int128 product = (__int128)whole * part / of;

    return product > INT64_MAX ? INT64_MAX : (int64_t)product;
}

/* CPU and memory */

struct amounts {
    const struct quantity *cpu_request; /* NULL: as the limit */
    const struct quantity *cpu_limit;
    const struct quantity *memory_limit;
};

static int64_t shares(int64_t cpu_milli)
{
    int64_t value = scale(1024, cpu_milli, 1000);

    return MAX(MIN(value, (int64_t)SHARES_MAX), (int64_t)SHARES_MIN);
}

static int64_t quota(int64_t cpu_milli, int64_t period)
{
    return cpu_milli ? MAX(scale(period, cpu_milli, 1000), (int64_t)QUOTA_MIN) : 0;
}

static void add_unified(const struct translation *translation,
                        Cri__LinuxContainerResources *resources, const char *name,
                        const char *value)
{
    struct string_map map = {0};

    for (size_t i = 0; i < resources->n_unified; i++)
        pairs_add(translation->arena, &map, resources->unified[i]->key,
                  resources->unified[i]->value);
    pairs_add(translation->arena, &map, name, value);
    resources->unified = wire_pairs(translation->arena, &map);
    resources->n_unified = map.count;
}

static Cri__LinuxContainerResources *resources_new(const struct translation *translation,
                                                   const struct amounts *amounts)
{
    const struct config *config = translation->node->config;
    Cri__LinuxContainerResources *resources =
        message_new(translation->arena, &cri__linux_container_resources__descriptor);

    resources->cpu_shares =
        shares(milli(amounts->cpu_request ? amounts->cpu_request : amounts->cpu_limit));
    resources->memory_limit_in_bytes = bytes(amounts->memory_limit);
    if (config->cpu_cfs_quota) {
        resources->cpu_period = (int64_t)config->cpu_cfs_quota_period;
        resources->cpu_quota = quota(milli(amounts->cpu_limit), resources->cpu_period);
    }
    /* One process that is killed for want of memory takes all of its container with it. */
    if (translation->node->cgroup_v2 && config->single_process_oom_kill != OPT_TRUE)
        add_unified(translation, resources, "memory.oom.group", "1");
    return resources;
}

/* sandboxes */

Cri__LinuxContainerResources *translate_overhead(const struct translation *translation)
{
    const struct quantity_map *overhead = &translation->pod->spec.overhead;
    struct amounts amounts = {
        .cpu_limit = find(overhead, "cpu"),
        .memory_limit = find(overhead, "memory"),
    };

    if (!overhead->count)
        return message_new(translation->arena, &cri__linux_container_resources__descriptor);
    return resources_new(translation, &amounts);
}

/* The pod's own amount where it has one, else what its containers add up to. */
static const struct quantity *pod_amount(const struct quantity_map *own,
                                         const struct quantity_map *total, const char *name)
{
    const struct quantity *quantity = own ? find(own, name) : NULL;

    return quantity ? quantity : find(total, name);
}

Cri__LinuxContainerResources *translate_sandbox_resources(const struct translation *translation)
{
    const struct pod_spec *spec = &translation->pod->spec;
    const struct quantity_map *requests = spec->resources ? &spec->resources->requests : NULL;
    const struct quantity_map *limits = spec->resources ? &spec->resources->limits : NULL;
    struct quantity_map requested =
        pod_containers_total(spec, RESOURCE_REQUESTS, translation->arena);
    struct quantity_map limited = pod_containers_total(spec, RESOURCE_LIMITS, translation->arena);
    struct amounts amounts = {
        .cpu_request = pod_amount(requests, &requested, "cpu"),
        .cpu_limit = pod_amount(limits, &limited, "cpu"),
        .memory_limit = pod_amount(limits, &limited, "memory"),
    };

    return resources_new(translation, &amounts);
}

/* out of memory: who is killed first */

static bool is_critical(const struct translation *translation)
{
    const struct pod *pod = translation->pod;

    return translation->static_pod ||
           string_map_get(&pod->object.metadata.annotations, "kubernetes.io/config.mirror") ||
           (pod->spec.priority.set && pod->spec.priority.value >= SYSTEM_PRIORITY_MIN);
}

/* What the pod asks for beyond its containers, for each of them. */
static int64_t unassigned_share(const struct translation *translation)
{
    const struct pod_spec *spec = &translation->pod->spec;
    const struct quantity *own =
        spec->resources ? find(&spec->resources->requests, "memory") : NULL;
    struct quantity_map total;

    if (!is_set(own))
        return 0;
    total = pod_containers_total(spec, RESOURCE_REQUESTS, translation->arena);
    return (bytes(own) - bytes(find(&total, "memory"))) /
           (int64_t)(spec->containers.count + spec->init_containers.count);
}

static int64_t adjustment(const struct translation *translation, int64_t request, int64_t share)
{
    int64_t memory = translation->node->memory_bytes;
    int64_t sum;

    if (memory <= 0)
        return OOM_BEST_EFFORT;
    if (__builtin_add_overflow(request, share, &sum) || sum >= memory)
        return 0;
    return 1000 - 1000 * (__int128)sum / memory;
}

static int64_t smallest_request(const struct pod_spec *spec)
{
    int64_t smallest = INT64_MAX;

    array_for_each (container, spec->containers)
        smallest = MIN(smallest, bytes(find(&container->resources.requests, "memory")));
    return smallest;
}

static int64_t burstable_adjustment(const struct translation *translation,
                                    const struct container *container)
{
    const struct pod_spec *spec = &translation->pod->spec;
    int64_t share = unassigned_share(translation);
    int64_t value =
        adjustment(translation, bytes(find(&container->resources.requests, "memory")), share);

    /* A sidecar outlives the containers that need it. */
    if (pod_container_find(translation->pod, container->name).kind == POD_CONTAINER_SIDECAR)
        value = MIN(value, adjustment(translation, smallest_request(spec), share));
    value = MAX(value, (int64_t)(OOM_BEST_EFFORT + OOM_GUARANTEED));
    return value >= OOM_BEST_EFFORT ? OOM_BEST_EFFORT - 1 : value;
}

static int64_t oom_score_adj(const struct translation *translation,
                             const struct container *container)
{
    const char *class = pod_qos_class(translation->pod);

    if (is_critical(translation) &&
        str_equal(translation->pod->spec.priority_class_name, "system-node-critical"))
        return OOM_GUARANTEED;
    if (str_equal(class, "Guaranteed"))
        return OOM_GUARANTEED;
    if (str_equal(class, "BestEffort"))
        return OOM_BEST_EFFORT;
    return burstable_adjustment(translation, container);
}

/* huge pages */

/* "hugepages-2Mi" and "hugepages-2048Ki" are of the pages that the runtime calls "2MB". */
static bool is_of_page(const char *resource, const char *page)
{
    char text[PAGE_NAME_MAX];
    struct quantity wanted, found;
    struct err err;

    if (!str_has_prefix(resource, "hugepages-") || str_empty(page) || strlen(page) >= sizeof(text))
        return false;
    snprintf(text, sizeof(text), "%s", page);
    text[strlen(text) - 1] = 'i';
    resource += strlen("hugepages-");
    return quantity_parse(text, strlen(text), &wanted, &err) == 0 &&
           quantity_parse(resource, strlen(resource), &found, &err) == 0 &&
           quantity_compare(&wanted, &found) == 0;
}

static uint64_t page_limit(const struct quantity_map *limits, const char *page, uint64_t limit)
{
    array_for_each (pair, *limits)
        if (is_of_page(pair->name, page))
            limit = (uint64_t)bytes(&pair->quantity);
    return limit;
}

static void add_huge_pages(const struct translation *translation, const struct container *container,
                           Cri__LinuxContainerResources *resources)
{
    const struct resources *pod = translation->pod->spec.resources;
    const struct string_list *sizes = &translation->node->hugepage_sizes;

    resources->hugepage_limits =
        arena_array(translation->arena, Cri__HugepageLimit *, sizes->count);
    for (size_t i = 0; i < sizes->count; i++) {
        Cri__HugepageLimit *limit =
            message_new(translation->arena, &cri__hugepage_limit__descriptor);

        limit->page_size = wire_text(sizes->items[i]);
        limit->limit = pod ? page_limit(&pod->limits, sizes->items[i], 0) : 0;
        limit->limit = page_limit(&container->resources.limits, sizes->items[i], limit->limit);
        resources->hugepage_limits[resources->n_hugepage_limits++] = limit;
    }
}

/* swap */

/* Only what asks for less memory than it may have gets any. */
static int64_t swap_share(const struct translation *translation, const struct container *container)
{
    const struct node_facts *node = translation->node;
    int64_t request = bytes(find(&container->resources.requests, "memory"));

    if (!node->config->limited_swap || is_critical(translation) || node->memory_bytes <= 0 ||
        !str_equal(pod_qos_class(translation->pod), "Burstable") ||
        request == bytes(find(&container->resources.limits, "memory")))
        return 0;
    return scale(request, node->swap_bytes, node->memory_bytes);
}

static void add_swap(const struct translation *translation, const struct container *container,
                     Cri__LinuxContainerResources *resources)
{
    int64_t share;

    if (!translation->node->swap_accounting)
        return;
    if (!translation->node->cgroup_v2) {
        resources->memory_swap_limit_in_bytes = resources->memory_limit_in_bytes;
        return;
    }
    share = swap_share(translation, container);
    add_unified(translation, resources, "memory.swap.max",
                arena_printf(translation->arena, "%lld", (long long)share));
}

/* containers */

static const struct quantity *own_or_pods_limit(const struct translation *translation,
                                                const struct container *container, const char *name)
{
    const struct resources *pod = translation->pod->spec.resources;
    const struct quantity *own = find(&container->resources.limits, name);

    return is_set(own) || !pod ? own : find(&pod->limits, name);
}

Cri__LinuxContainerResources *translate_container_resources(const struct translation *translation,
                                                            const struct container *container)
{
    struct amounts amounts = {
        .cpu_request = find(&container->resources.requests, "cpu"),
        .cpu_limit = own_or_pods_limit(translation, container, "cpu"),
        .memory_limit = own_or_pods_limit(translation, container, "memory"),
    };
    Cri__LinuxContainerResources *resources = resources_new(translation, &amounts);

    resources->oom_score_adj = oom_score_adj(translation, container);
    add_huge_pages(translation, container, resources);
    add_swap(translation, container, resources);
    return resources;
}
