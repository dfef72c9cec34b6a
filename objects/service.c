/* The Service kind: its fields and defaults. */
#include "defaults.h"
#include "kinds.h"
#include "service-rules.h"

enum {
    AFFINITY_SECONDS_DEFAULT = 10800, /* three hours */
};

static const struct field service_port_fields[] = {
    FIELD("name", STRING, service_port, name),
    FIELD("protocol", STRING, service_port, protocol),
    FIELD("appProtocol", OPT_STRING, service_port, app_protocol),
    FIELD_ALWAYS("port", INT32, service_port, port),
    FIELD("targetPort", INT_OR_STRING, service_port, target_port),
    FIELD("nodePort", INT32, service_port, node_port),
};
static const struct schema service_port_schema = SCHEMA(service_port, service_port_fields);

static const struct field client_ip_affinity_fields[] = {
    FIELD("timeoutSeconds", OPT_INT32, client_ip_affinity, timeout_seconds),
};
static const struct schema client_ip_affinity_schema =
    SCHEMA(client_ip_affinity, client_ip_affinity_fields);

static const struct field session_affinity_config_fields[] = {
    FIELD_OF("clientIP", POINTER, session_affinity_config, client_ip, client_ip_affinity_schema),
};
static const struct schema session_affinity_config_schema =
    SCHEMA(session_affinity_config, session_affinity_config_fields);

static const struct field service_spec_fields[] = {
    FIELD_OF("ports", LIST, service_spec, ports, service_port_schema),
    FIELD("selector", STRING_MAP, service_spec, selector),
    FIELD("clusterIP", STRING, service_spec, cluster_ip),
    FIELD("clusterIPs", STRINGS, service_spec, cluster_ips),
    FIELD("type", STRING, service_spec, type),
    FIELD("externalIPs", STRINGS, service_spec, external_ips),
    FIELD("sessionAffinity", STRING, service_spec, session_affinity),
    FIELD("loadBalancerIP", STRING, service_spec, load_balancer_ip),
    FIELD("loadBalancerSourceRanges", STRINGS, service_spec, load_balancer_source_ranges),
    FIELD("externalName", STRING, service_spec, external_name),
    FIELD("externalTrafficPolicy", STRING, service_spec, external_traffic_policy),
    FIELD("healthCheckNodePort", INT32, service_spec, health_check_node_port),
    FIELD("publishNotReadyAddresses", BOOL, service_spec, publish_not_ready_addresses),
    FIELD_OF("sessionAffinityConfig", POINTER, service_spec, session_affinity_config,
             session_affinity_config_schema),
    FIELD("ipFamilies", STRINGS, service_spec, ip_families),
    FIELD("ipFamilyPolicy", OPT_STRING, service_spec, ip_family_policy),
    FIELD("allocateLoadBalancerNodePorts", OPT_BOOL, service_spec,
          allocate_load_balancer_node_ports),
    FIELD("loadBalancerClass", OPT_STRING, service_spec, load_balancer_class),
    FIELD("internalTrafficPolicy", OPT_STRING, service_spec, internal_traffic_policy),
    FIELD("trafficDistribution", OPT_STRING, service_spec, traffic_distribution),
};
static const struct schema service_spec_schema = SCHEMA(service_spec, service_spec_fields);

static const struct field ingress_port_fields[] = {
    FIELD_ALWAYS("port", INT32, ingress_port, port),
    FIELD_ALWAYS("protocol", STRING, ingress_port, protocol),
    FIELD("error", OPT_STRING, ingress_port, error),
};
static const struct schema ingress_port_schema = SCHEMA(ingress_port, ingress_port_fields);

static const struct field load_balancer_ingress_fields[] = {
    FIELD("ip", STRING, load_balancer_ingress, ip),
    FIELD("hostname", STRING, load_balancer_ingress, hostname),
    FIELD("ipMode", OPT_STRING, load_balancer_ingress, ip_mode),
    FIELD_OF("ports", LIST, load_balancer_ingress, ports, ingress_port_schema),
};
static const struct schema load_balancer_ingress_schema =
    SCHEMA(load_balancer_ingress, load_balancer_ingress_fields);

static const struct field load_balancer_status_fields[] = {
    FIELD_OF("ingress", LIST, load_balancer_status, ingress, load_balancer_ingress_schema),
};
static const struct schema load_balancer_status_schema =
    SCHEMA(load_balancer_status, load_balancer_status_fields);

static const struct field service_condition_fields[] = {
    FIELD_ALWAYS("type", STRING, service_condition, type),
    FIELD_ALWAYS("status", STRING, service_condition, status),
    FIELD("observedGeneration", INT64, service_condition, observed_generation),
    FIELD("lastTransitionTime", TIME, service_condition, last_transition_time),
    FIELD_ALWAYS("reason", STRING, service_condition, reason),
    FIELD_ALWAYS("message", STRING, service_condition, message),
};
static const struct schema service_condition_schema =
    SCHEMA(service_condition, service_condition_fields);

static const struct field service_status_fields[] = {
    FIELD_OF("loadBalancer", STRUCT, service_status, load_balancer, load_balancer_status_schema),
    FIELD_OF("conditions", LIST, service_status, conditions, service_condition_schema),
};
static const struct schema service_status_schema = SCHEMA(service_status, service_status_fields);

static const struct field service_fields[] = {
    FIELDS_OF_OBJECT(service),
    FIELD_OF("spec", STRUCT, service, spec, service_spec_schema),
    FIELD_OF("status", STRUCT, service, status, service_status_schema),
};
static const struct schema service_schema = SCHEMA(service, service_fields);

/* defaults */

/* A configuration without affinity means nothing; affinity without a timeout lasts three hours. */
static void default_affinity(struct service_spec *spec, struct arena *arena)
{
    struct session_affinity_config *config = spec->session_affinity_config;

    default_string(&spec->session_affinity, "None");
    if (str_equal(spec->session_affinity, "None")) {
        spec->session_affinity_config = NULL;
    } else if (str_equal(spec->session_affinity, "ClientIP") &&
               (!config || !config->client_ip || !config->client_ip->timeout_seconds.set)) {
        config = arena_new(arena, struct session_affinity_config);
        config->client_ip = arena_new(arena, struct client_ip_affinity);
        config->client_ip->timeout_seconds = (struct opt_int32){AFFINITY_SECONDS_DEFAULT, true};
        spec->session_affinity_config = config;
    }
}

static void default_port(struct service_port *port)
{
    bool unset = port->target_port.string ? !*port->target_port.string : !port->target_port.number;

    default_string(&port->protocol, "TCP");
    if (unset)
        port->target_port = (struct int_or_string){.number = port->port};
}

static void service_set_defaults(struct object *object)
{
    static const char *const routed[] = {"ClusterIP", "NodePort", "LoadBalancer", NULL};
    struct service_spec *spec = &service_of(object)->spec;

    default_affinity(spec, &object->arena);
    default_string(&spec->type, "ClusterIP");
    array_for_each (port, spec->ports)
        default_port(port);
    if (service_is_external(spec))
        default_string(&spec->external_traffic_policy, "Cluster");
    if (!spec->internal_traffic_policy && str_one_of(spec->type, routed))
        spec->internal_traffic_policy = "Cluster";
    if (str_equal(spec->type, "LoadBalancer") &&
        spec->allocate_load_balancer_node_ports == OPT_UNSET)
        spec->allocate_load_balancer_node_ports = OPT_TRUE;
}

const struct object_kind object_kind_service = {
    .api_version = "v1",
    .name = "Service",
    .namespaced = true,
    .size = sizeof(struct service),
    .schema = &service_schema,
    .set_defaults = service_set_defaults,
    .validate = service_validate,
};
