/* The rules for amounts of resources: of containers, of pods and of a pod's overhead. */
#include "nodeagent/objects/resources.h"
#include "pod-rules.h"

#include <stdio.h>
#include <string.h>

#define HUGEPAGES "hugepages-"

static const char *const container_resources[] = {"cpu", "memory", "ephemeral-storage", NULL};
static const char *const pod_resources[] = {"cpu", "memory", NULL};

/* Counted things besides extended resources: never fractions. */
static const char *const counted_resources[] = {
    "pods",
    "services",
    "replicationcontrollers",
    "resourcequotas",
    "secrets",
    "configmaps",
    "persistentvolumeclaims",
    "services.nodeports",
    "services.loadbalancers",
    NULL,
};

bool resource_is_hugepages(const char *name)
{
    return str_has_prefix(name, HUGEPAGES);
}

static bool is_native(const char *name)
{
    return !strchr(name, '/') || strstr(name, "kubernetes.io/");
}

bool resource_is_extended(const char *name)
{
    char quota_name[512];

    if (is_native(name) || str_has_prefix(name, "requests."))
        return false;
    snprintf(quota_name, sizeof(quota_name), "requests.%s", name);
    return !name_check_qualified(quota_name);
}

bool resource_is_counted(const char *name)
{
    return str_one_of(name, counted_resources) || resource_is_extended(name);
}

static bool may_overcommit(const char *name)
{
    return is_native(name) && !resource_is_hugepages(name);
}

static void validate_resource_name(const char *name, const struct path *path, struct report *report)
{
    require(report, path, name, name_check_qualified(name));
    if (!strchr(name, '/')) {
        if (!str_one_of(name, container_resources) && !resource_is_hugepages(name))
            report_error(report, path, FINDING_INVALID,
                         "must be cpu, memory, ephemeral-storage, hugepages-<size> or an "
                         "extended resource such as example.com/gpu");
    } else if (!is_native(name) && !resource_is_extended(name)) {
        report_error(report, path, FINDING_INVALID,
                     "is not a valid extended resource: <domain>/<name>, at most 244 bytes "
                     "before the slash, not beginning with \"requests.\"");
    }
}

static void validate_hugepages(const char *name, const struct quantity *quantity,
                               const struct path *path, struct report *report)
{
    const char *size_text = name + strlen(HUGEPAGES);
    struct quantity size;
    int64_t page;

    if (quantity_parse(size_text, strlen(size_text), &size, NULL) < 0 ||
        quantity_sign(&size) <= 0 || !quantity_is_whole(&size)) {
        report_error(report, path, FINDING_INVALID,
                     "\"%.64s\" must be the size of a page, such as 2Mi", size_text);
        return;
    }
    page = quantity_value(&size);
    if (!quantity_is_whole(quantity) || quantity_value(quantity) % page)
        report_error(report, path, FINDING_INVALID, "must be a multiple of the page size %.64s",
                     size_text);
}

void validate_amount(const char *name, const struct quantity *quantity, const struct path *path,
                     struct report *report)
{
    if (quantity_sign(quantity) < 0)
        report_error(report, path, FINDING_INVALID, "must not be negative");
    if (resource_is_counted(name) && !quantity_is_whole(quantity))
        report_error(report, path, FINDING_INVALID, "must be a whole number");
}

static void validate_container_resource(const char *name, const struct quantity *quantity,
                                        const struct path *path, struct report *report)
{
    validate_resource_name(name, path, report);
    validate_amount(name, quantity, path, report);
    if (resource_is_hugepages(name))
        validate_hugepages(name, quantity, path, report);
}

static void validate_pod_resource(const char *name, const struct quantity *quantity,
                                  const struct path *path, struct report *report)
{
    require(report, path, name, name_check_qualified(name));
    if (!str_one_of(name, pod_resources) && !resource_is_hugepages(name))
        report_error(report, path, FINDING_NOT_SUPPORTED,
                     "must be cpu, memory or hugepages-<size> for a whole pod");
    validate_amount(name, quantity, path, report);
    if (resource_is_hugepages(name))
        validate_hugepages(name, quantity, path, report);
}

static void validate_side(const struct quantity_map *side, const struct path *path,
                          enum resource_level level, struct report *report)
{
    array_for_each (pair, *side) {
        struct path key = path_key(path, pair->name);

        if (level == RESOURCES_OF_POD)
            validate_pod_resource(pair->name, &pair->quantity, &key, report);
        else
            validate_container_resource(pair->name, &pair->quantity, &key, report);
    }
}

static void validate_request_against_limit(const struct resources *resources,
                                           const struct path *limits, const struct path *requests,
                                           struct report *report)
{
    struct quantity_sum by_name;

    quantity_sum_init(&by_name, &resources->limits, &report->arena);
    array_for_each (request, resources->requests) {
        const struct quantity *limit = quantity_sum_get(&by_name, request->name);

        if (!limit) {
            if (!may_overcommit(request->name))
                report_error(report, limits, FINDING_REQUIRED,
                             "must have %.128s too: it cannot be overcommitted", request->name);
        } else if (may_overcommit(request->name)) {
            if (quantity_compare(&request->quantity, limit) > 0)
                report_error(report, requests, FINDING_INVALID,
                             "%.128s must not be more than its limit", request->name);
        } else if (quantity_compare(&request->quantity, limit) != 0) {
            report_error(report, requests, FINDING_INVALID,
                         "%.128s must equal its limit: it cannot be overcommitted", request->name);
        }
    }
    quantity_sum_finish(&by_name);
}

struct presence {
    bool hugepages;
    bool cpu_or_memory;
};

static void note_presence(const struct quantity_map *map, struct presence *presence)
{
    array_for_each (pair, *map) {
        presence->hugepages |= resource_is_hugepages(pair->name);
        presence->cpu_or_memory |= str_one_of(pair->name, pod_resources);
    }
}

/* The claims that a container uses. */
struct used_claims {
    struct seen names; /* whichever request of them */
    struct seen pairs; /* names with requests */
};

/* Is it listed before? A claim taken whole covers each of its requests. */
static bool claim_used_before(const struct resource_claim *claim, struct used_claims *used,
                              struct arena *arena)
{
    bool name_used = seen_before(&used->names, claim->name);
    bool pair_used = seen_before(&used->pairs, seen_pair(claim->name, claim->request, arena));

    if (str_empty(claim->request))
        return name_used;
    return pair_used || (name_used && seen_has(&used->pairs, seen_pair(claim->name, "", arena)));
}

static void validate_used_claim(const struct resource_claim *claim, const struct pod_view *view,
                                struct used_claims *used, const struct path *item,
                                struct report *report)
{
    struct path request = path_name(item, "request");

    if (!str_empty(claim->request))
        require(report, &request, claim->request, name_check_label(claim->request));
    if (!require_some(report, item, claim->name))
        return;
    if (!seen_has(&view->claims, claim->name))
        report_error(report, item, FINDING_NOT_FOUND,
                     "\"%.128s\" must be declared in spec.resourceClaims", claim->name);
    if (claim_used_before(claim, used, &report->arena))
        report_error(report, item, FINDING_DUPLICATE, "\"%.128s\" is listed twice", claim->name);
}

static void validate_claims(const struct resources *resources, const struct pod_view *view,
                            const struct path *path, struct report *report)
{
    struct used_claims used = {.names = SEEN_INIT, .pairs = SEEN_INIT};

    for (size_t i = 0; i < resources->claims.count; i++) {
        struct path item = path_index(path, i);

        validate_used_claim(&resources->claims.items[i], view, &used, &item, report);
    }
    seen_deinit(&used.names);
    seen_deinit(&used.pairs);
}

void validate_resources(const struct resources *resources, enum resource_level level,
                        const struct path *path, struct report *report)
{
    struct path limits = path_name(path, "limits"), requests = path_name(path, "requests");
    struct presence presence = {0};

    validate_side(&resources->limits, &limits, level, report);
    validate_side(&resources->requests, &requests, level, report);
    if (level != RESOURCES_OVERHEAD)
        validate_request_against_limit(resources, &limits, &requests, report);
    note_presence(&resources->limits, &presence);
    note_presence(&resources->requests, &presence);
    if (presence.hugepages && !presence.cpu_or_memory)
        report_error(report, path, FINDING_FORBIDDEN, "hugepages need cpu or memory beside them");
    if (level == RESOURCES_OF_POD && resources->claims.items)
        report_error_in(report, path, "claims", FINDING_FORBIDDEN,
                        "must not be set for a whole pod");
}

void validate_container_resources(const struct resources *resources, const struct pod_view *view,
                                  const struct path *path, struct report *report)
{
    struct path claims = path_name(path, "claims");

    validate_resources(resources, RESOURCES_OF_CONTAINER, path, report);
    validate_claims(resources, view, &claims, report);
}

/* A pod's own amounts must be at least what its containers' add up to. */
static void validate_pod_total(const struct pod_spec *spec, enum resource_side side,
                               const struct path *path, struct report *report)
{
    const struct quantity_map *own =
        side == RESOURCE_LIMITS ? &spec->resources->limits : &spec->resources->requests;
    struct quantity_map total = pod_containers_total(spec, side, &report->arena);
    struct quantity_sum by_name;

    quantity_sum_init(&by_name, &total, &report->arena);
    array_for_each (pair, *own) {
        const struct quantity *needed = quantity_sum_get(&by_name, pair->name);
        struct path key = path_key(path, pair->name);

        if (!needed || quantity_compare(needed, &pair->quantity) <= 0)
            continue;
        if (side == RESOURCE_REQUESTS)
            report_error(report, &key, FINDING_INVALID,
                         "must be at least what the containers request together");
        else if (resource_is_hugepages(pair->name))
            report_error(report, &key, FINDING_INVALID,
                         "must be at least the containers' limits together");
    }
    quantity_sum_finish(&by_name);
}

static void validate_container_limits(const struct pod_spec *spec, const struct path *path,
                                      struct report *report)
{
    struct path containers = path_name(path, "containers");
    struct quantity_sum own;

    quantity_sum_init(&own, &spec->resources->limits, &report->arena);
    for (size_t i = 0; i < spec->containers.count; i++) {
        array_for_each (limit, spec->containers.items[i].resources.limits) {
            const struct quantity *most = quantity_sum_get(&own, limit->name);
            struct path item = path_index(&containers, i), key = path_key(&item, limit->name);

            if (most && quantity_compare(&limit->quantity, most) > 0)
                report_error_in(report, &key, "limits", FINDING_INVALID,
                                "must not be more than the pod's own limit");
        }
    }
    quantity_sum_finish(&own);
}

void validate_pod_resources(const struct pod_spec *spec, const struct path *path,
                            struct report *report)
{
    struct path limits = path_name(path, "limits"), requests = path_name(path, "requests");

    validate_resources(spec->resources, RESOURCES_OF_POD, path, report);
    validate_pod_total(spec, RESOURCE_REQUESTS, &requests, report);
    validate_pod_total(spec, RESOURCE_LIMITS, &limits, report);
    validate_container_limits(spec, path, report);
}
