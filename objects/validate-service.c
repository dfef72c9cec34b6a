/* The rules of services, besides those of allocation and of ports. */
#include "service-rules.h"

#include <string.h>

enum {
    AFFINITY_SECONDS_MAX = 86400, /* a day */
};

#define BLANKS " \t\n\v\f\r"

static bool is_type(const struct service_spec *spec, const char *type)
{
    return str_equal(spec->type, type);
}

bool service_is_external(const struct service_spec *spec)
{
    return is_type(spec, "NodePort") || is_type(spec, "LoadBalancer") ||
           (is_type(spec, "ClusterIP") && spec->external_ips.count);
}

/* types */

static void validate_type(const struct service_check *check)
{
    static const char *const types[] = {"ClusterIP", "NodePort", "LoadBalancer", "ExternalName",
                                        NULL};
    const struct service_spec *spec = check->spec;
    struct path ips = path_name(check->path, "clusterIPs"), first = path_index(&ips, 0);

    require_one_of_in(check->report, check->path, "type", spec->type, types);
    if (service_is_headless(check) && (is_type(spec, "LoadBalancer") || is_type(spec, "NodePort")))
        report_error(check->report, &first, FINDING_INVALID,
                     "None is not possible for a service of type %s", spec->type);
}

/* One dot may end the name. */
static void validate_external_name(const struct service_check *check)
{
    struct path path = path_name(check->path, "externalName");
    const char *given = check->spec->external_name ? check->spec->external_name : "";
    size_t length = strlen(given);
    const char *name = arena_strndup(&check->report->arena, given,
                                     length && given[length - 1] == '.' ? length - 1 : length);

    require_named(check->report, &path, name, name_check_subdomain);
}

static void validate_external_name_type(const struct service_check *check)
{
    const struct service_spec *spec = check->spec;
    const struct {
        const char *name;
        bool set;
    } fields[] = {
        {"clusterIPs", check->cluster_ips.count || !str_empty(spec->cluster_ip)},
        {"ipFamilies", spec->ip_families.count},
        {"ipFamilyPolicy", spec->ip_family_policy},
    };

    for (size_t i = 0; i < array_size(fields); i++)
        if (fields[i].set)
            report_error_in(check->report, check->path, fields[i].name, FINDING_FORBIDDEN,
                            "must not be set for type ExternalName");
    validate_external_name(check);
}

/* clients */

static void validate_affinity_of_clients(const struct service_check *check)
{
    static const char *const affinities[] = {"ClientIP", "None", NULL};
    const struct service_spec *spec = check->spec;
    struct path config = path_name(check->path, "sessionAffinityConfig"),
                client = path_name(&config, "clientIP");
    int32_t seconds;

    require_one_of_in(check->report, check->path, "sessionAffinity", spec->session_affinity,
                      affinities);
    if (!str_equal(spec->session_affinity, "ClientIP"))
        return;
    seconds = spec->session_affinity_config->client_ip->timeout_seconds.value;
    if (seconds <= 0 || seconds > AFFINITY_SECONDS_MAX)
        report_error_in(check->report, &client, "timeoutSeconds", FINDING_INVALID,
                        "%d must be from 1 to %d", seconds, AFFINITY_SECONDS_MAX);
}

static void validate_external_ips(const struct service_check *check)
{
    const struct string_list *ips = &check->spec->external_ips;
    struct path path = path_name(check->path, "externalIPs");

    for (size_t i = 0; i < ips->count; i++) {
        struct path item = path_index(&path, i);

        require(check->report, &item, ips->items[i], name_check_reachable_ip(ips->items[i]));
    }
}

/* load balancers */

static void require_range(const char *text, size_t length, const struct path *path,
                          struct report *report)
{
    size_t blanks = strspn(text, BLANKS);
    char *range;

    blanks = MIN(blanks, length);
    range = arena_strndup(&report->arena, text + blanks, length - blanks);
    length = strlen(range);
    while (length && strchr(BLANKS, range[length - 1]))
        range[--length] = '\0';
    require(report, path, range, name_check_cidr(range));
}

static void forbid_unless_load_balancer(const struct service_check *check, const struct path *path)
{
    if (!is_type(check->spec, "LoadBalancer"))
        report_error(check->report, path, FINDING_FORBIDDEN,
                     "must not be set unless the type is LoadBalancer");
}

/* The older way to give the ranges, when the field is empty. */
static void validate_range_annotation(const struct service_check *check,
                                      const struct object_meta *meta)
{
    const char *name = "service.beta.kubernetes.io/load-balancer-source-ranges";
    const char *ranges = string_map_get(&meta->annotations, name);
    struct path metadata = path_name(NULL, "metadata"),
                annotations = path_name(&metadata, "annotations"),
                path = path_key(&annotations, name);

    if (!ranges)
        return;
    forbid_unless_load_balancer(check, &path);
    if (!ranges[strspn(ranges, BLANKS)])
        return;
    for (;;) {
        size_t length = strcspn(ranges, ",");

        require_range(ranges, length, &path, check->report);
        if (!ranges[length])
            return;
        ranges += length + 1;
    }
}

static void validate_source_ranges(const struct service_check *check,
                                   const struct object_meta *meta)
{
    const struct string_list *ranges = &check->spec->load_balancer_source_ranges;
    struct path path = path_name(check->path, "LoadBalancerSourceRanges"); /* the server's */

    if (!ranges->count) {
        validate_range_annotation(check, meta);
        return;
    }
    forbid_unless_load_balancer(check, &path);
    for (size_t i = 0; i < ranges->count; i++) {
        struct path item = path_index(&path, i);

        require_range(ranges->items[i], strlen(ranges->items[i]), &item, check->report);
    }
}

static void validate_load_balancer(const struct service_check *check,
                                   const struct object_meta *meta)
{
    const struct service_spec *spec = check->spec;
    struct path allocate = path_name(check->path, "allocateLoadBalancerNodePorts"),
                class = path_name(check->path, "loadBalancerClass");

    validate_source_ranges(check, meta);
    if (spec->allocate_load_balancer_node_ports != OPT_UNSET)
        forbid_unless_load_balancer(check, &allocate);
    if (spec->load_balancer_class) {
        forbid_unless_load_balancer(check, &class);
        if (is_type(spec, "LoadBalancer"))
            require(check->report, &class, spec->load_balancer_class,
                    name_check_qualified(spec->load_balancer_class));
    }
}

/* traffic */

static void validate_external_traffic(const struct service_check *check)
{
    static const char *const policies[] = {"Cluster", "Local", NULL};
    const struct service_spec *spec = check->spec;
    struct path path = path_name(check->path, "externalTrafficPolicy");
    int32_t port = spec->health_check_node_port;

    if (!service_is_external(spec)) {
        if (!str_empty(spec->external_traffic_policy))
            report_error(check->report, &path, FINDING_INVALID,
                         "must not be set for a service that is not reachable from outside");
    } else {
        require_one_of(check->report, &path, spec->external_traffic_policy, policies);
    }
    if (port && !service_has_health_check(spec))
        report_error_in(check->report, check->path, "healthCheckNodePort", FINDING_INVALID,
                        "must not be set unless the type is LoadBalancer and "
                        "externalTrafficPolicy is Local");
}

static void validate_traffic(const struct service_check *check)
{
    static const char *const policies[] = {"Cluster", "Local", NULL};
    static const char *const distributions[] = {"PreferClose", "PreferSameZone", "PreferSameNode",
                                                NULL};
    const struct service_spec *spec = check->spec;

    validate_external_traffic(check);
    if (spec->internal_traffic_policy)
        require_one_of_in(check->report, check->path, "internalTrafficPolicy",
                          spec->internal_traffic_policy, policies);
    if (spec->traffic_distribution)
        require_one_of_in(check->report, check->path, "trafficDistribution",
                          spec->traffic_distribution, distributions);
}

/* Two annotations for one thing. */
static void validate_topology_annotations(const struct object_meta *meta, struct report *report)
{
    const char *name = "service.kubernetes.io/topology-mode";
    const char *mode = string_map_get(&meta->annotations, name);
    const char *hints =
        string_map_get(&meta->annotations, "service.kubernetes.io/topology-aware-hints");
    struct path metadata = path_name(NULL, "metadata"),
                annotations = path_name(&metadata, "annotations"),
                path = path_key(&annotations, name);

    if (mode && hints && !str_equal(mode, hints))
        report_error(report, &path, FINDING_INVALID,
                     "must equal service.kubernetes.io/topology-aware-hints, or stand alone");
}

/* the service */

static void validate_spec(const struct service_check *check, const struct object_meta *meta)
{
    struct path selector = path_name(check->path, "selector");

    validate_type(check);
    if (is_type(check->spec, "ExternalName"))
        validate_external_name_type(check);
    validate_service_ports(check);
    validate_labels(&check->spec->selector, &selector, check->report);
    validate_affinity_of_clients(check);
    validate_external_ips(check);
    validate_load_balancer(check, meta);
    validate_traffic(check);
}

void service_validate(const struct object *object, struct report *report)
{
    const struct service *service = container_of(object, struct service, object);
    const char *single = service->spec.cluster_ip;
    struct path path = path_name(NULL, "spec");
    struct service_check check = {
        .spec = &service->spec,
        .cluster_ips = service->spec.cluster_ips,
        .path = &path,
        .report = report,
    };

    if (!check.cluster_ips.count && !str_empty(single))
        check.cluster_ips = (struct string_list){.items = &single, .count = 1};
    if (!validate_service_allocation(&check))
        return;
    validate_meta(object, NAME_LABEL, FINALIZERS_QUALIFIED, report);
    validate_topology_annotations(&object->metadata, report);
    validate_spec(&check, &object->metadata);
}
