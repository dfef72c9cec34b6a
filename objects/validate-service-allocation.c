/*
 * What the API server checks of a service while it allocates addresses and node ports. This comes
 * first there: when it fails, nothing else of the service is reported. What depends on the
 * cluster (its address ranges and families, what is taken) cannot be known from a document.
 */
#include "nodeagent/base/map.h"
#include "service-rules.h"

enum {
    CLUSTER_IPS_MAX = 2,
    NODE_PORT_MIN = 30000, /* the server's default range */
    NODE_PORT_MAX = 32767,
};

/* addresses */

/* The list and its first entry's own field must agree. */
static void validate_first_cluster_ip(const struct service_check *check)
{
    const char *single = check->spec->cluster_ip;
    const struct string_list *list = &check->cluster_ips;

    if (str_empty(single) && list->count)
        report_error_in(check->report, check->path, "clusterIPs", FINDING_INVALID,
                        "must be empty when clusterIP is");
    else if (list->count && !str_equal(single, list->items[0]))
        report_error_in(check->report, check->path, "clusterIPs", FINDING_INVALID,
                        "must begin with clusterIP, \"%.64s\"", single);
}

static void validate_families(const struct service_check *check)
{
    static const char *const known[] = {"IPv4", "IPv6", NULL};
    const struct string_list *families = &check->spec->ip_families;
    struct path path = path_name(check->path, "ipFamilies");
    _cleanup_(seen_deinit) struct seen seen = SEEN_INIT;

    for (size_t i = 0; i < families->count; i++) {
        struct path item = path_index(&path, i);

        require_one_of(check->report, &item, families->items[i], known);
        if (seen_before(&seen, families->items[i]))
            report_error(check->report, &item, FINDING_DUPLICATE, "\"%.64s\" is listed twice",
                         families->items[i]);
    }
}

static void validate_family_policy(const struct service_check *check)
{
    static const char *const policies[] = {"SingleStack", "PreferDualStack", "RequireDualStack",
                                           NULL};

    if (check->spec->ip_family_policy)
        require_one_of_in(check->report, check->path, "ipFamilyPolicy",
                          check->spec->ip_family_policy, policies);
}

/* Returns whether every entry is an address, or the list is just None. */
static bool validate_addresses(const struct service_check *check, const struct path *path)
{
    const struct string_list *list = &check->cluster_ips;
    bool headless = list->count && str_equal(list->items[0], "None");
    size_t errors = check->report->errors;

    if (headless && list->count > 1)
        report_error(check->report, path, FINDING_INVALID, "None must stand alone");
    for (size_t i = headless ? 1 : 0; i < list->count; i++) {
        struct path item = path_index(path, i);

        require(check->report, &item, list->items[i], name_check_ip(list->items[i]));
    }
    return check->report->errors == errors;
}

static void validate_address_families(const struct service_check *check, const struct path *path)
{
    const struct string_list *list = &check->cluster_ips, *families = &check->spec->ip_families;

    if (list->count == CLUSTER_IPS_MAX && ip_is_v6(list->items[0]) == ip_is_v6(list->items[1]))
        report_error(check->report, path, FINDING_INVALID,
                     "must be one IPv4 and one IPv6 address when there are two");
    if (service_is_headless(check))
        return;
    for (size_t i = 0; i < list->count && i < families->count; i++) {
        struct path item = path_index(path, i);

        if (str_equal(families->items[i], ip_is_v6(list->items[i]) ? "IPv4" : "IPv6"))
            require(check->report, &item, list->items[i],
                    "must be of the family in ipFamilies at the same place");
    }
}

static void validate_cluster_ips(const struct service_check *check)
{
    struct path path = path_name(check->path, "clusterIPs");
    bool addresses;

    validate_first_cluster_ip(check);
    validate_families(check);
    validate_family_policy(check);
    addresses = validate_addresses(check, &path);
    if (check->cluster_ips.count > CLUSTER_IPS_MAX)
        report_error(check->report, &path, FINDING_INVALID, "must have at most %d entries",
                     CLUSTER_IPS_MAX);
    if (addresses)
        validate_address_families(check, &path);
}

/* Without a policy a service has one family, unless nothing chooses one for it. */
static void validate_stack(const struct service_check *check)
{
    const char *policy = check->spec->ip_family_policy;
    bool unselected = service_is_headless(check) && !check->spec->selector.count;

    if (policy ? !str_equal(policy, "SingleStack") : unselected)
        return;
    if (check->cluster_ips.count > 1 || check->spec->ip_families.count > 1)
        report_error_in(check->report, check->path, "ipFamilyPolicy", FINDING_INVALID,
                        "must be PreferDualStack or RequireDualStack for two %s",
                        check->cluster_ips.count > 1 ? "clusterIPs" : "ipFamilies");
}

/* node ports */

/* The server's memory while it goes through the ports. */
struct node_ports {
    struct map wanted; /* by port: the first entry of that port which names a node port */
    struct map begun;  /* by port: entries that were looked at */
    struct map taken;  /* by node port */
};

static void node_ports_deinit(struct node_ports *ports)
{
    map_deinit(&ports->wanted);
    map_deinit(&ports->begun);
    map_deinit(&ports->taken);
}

static void *put_number(struct map *map, int32_t number, const void *value)
{
    return map_put_bytes(map, &number, sizeof(number), (void *)value);
}

static struct service_port *get_port(const struct map *map, int32_t number)
{
    return map_get_bytes(map, &number, sizeof(number));
}

/*
 * The node port to allocate at this entry, 0 for none in particular. One port number, whatever
 * its protocol, has one node port: it is allocated where the number first appears.
 */
static int32_t next_node_port(struct node_ports *ports, const struct service_port *port)
{
    const struct service_port *wanted = get_port(&ports->wanted, port->port);

    if (!put_number(&ports->begun, port->port, port))
        return wanted ? wanted->node_port : 0;
    return wanted && wanted->node_port == port->node_port ? 0 : port->node_port;
}

/* NULL when the node port could be taken, else why not. */
static const char *take_node_port(struct node_ports *ports, int32_t number, const void *owner)
{
    if (number < NODE_PORT_MIN || number > NODE_PORT_MAX)
        return "is outside of the node ports, 30000 to 32767";
    return put_number(&ports->taken, number, owner) ? "is taken by another port" : NULL;
}

/* The server stops at the first mistake. */
static void validate_node_ports(const struct service_check *check, struct node_ports *ports)
{
    bool chosen_by_server = str_equal(check->spec->type, "NodePort") ||
                            check->spec->allocate_load_balancer_node_ports == OPT_TRUE;
    struct path path = path_name(check->path, "ports");

    array_for_each (port, check->spec->ports)
        if (port->node_port && !get_port(&ports->wanted, port->port))
            put_number(&ports->wanted, port->port, port);
    for (size_t i = 0; i < check->spec->ports.count; i++) {
        const struct service_port *port = &check->spec->ports.items[i];
        struct path item = path_index(&path, i), node_port = path_name(&item, "nodePort");
        int32_t number;
        const char *complaint;

        if (!port->node_port && !chosen_by_server)
            continue;
        number = next_node_port(ports, port);
        complaint = number ? take_node_port(ports, number, port) : NULL;
        require_number(check->report, &node_port, number, complaint);
        if (complaint)
            return;
    }
}

/* The server's answer to this one names no field. */
static void validate_health_check_port(const struct service_check *check, struct node_ports *ports)
{
    int32_t number = check->spec->health_check_node_port;
    const char *complaint = NULL;

    if (service_has_health_check(check->spec) && number)
        complaint = take_node_port(ports, number, check);
    if (complaint)
        report_error(check->report, NULL, FINDING_INVALID, "spec.healthCheckNodePort %d %s", number,
                     complaint);
}

static void validate_allocated_ports(const struct service_check *check)
{
    static const char *const with_node_ports[] = {"NodePort", "LoadBalancer", NULL};
    struct node_ports ports = {.wanted = MAP_INIT, .begun = MAP_INIT, .taken = MAP_INIT};
    size_t errors = check->report->errors;

    if (str_one_of(check->spec->type, with_node_ports))
        validate_node_ports(check, &ports);
    if (check->report->errors == errors)
        validate_health_check_port(check, &ports);
    node_ports_deinit(&ports);
}

bool validate_service_allocation(const struct service_check *check)
{
    size_t errors = check->report->errors;

    if (str_equal(check->spec->type, "ExternalName"))
        return true;
    validate_cluster_ips(check);
    if (check->report->errors == errors)
        validate_stack(check);
    if (check->report->errors == errors)
        validate_allocated_ports(check);
    return check->report->errors == errors;
}
