/*
 * Services: what a node agent tells containers about in their environment.
 */
#pragma once

#include "nodeagent/objects/object.h"

struct service_port {
    const char *name;
    const char *protocol;
    const char *app_protocol; /* NULL: absent */
    int32_t port;
    struct int_or_string target_port;
    int32_t node_port;
};

struct client_ip_affinity {
    struct opt_int32 timeout_seconds;
};

struct session_affinity_config {
    struct client_ip_affinity *client_ip;
};

struct service_spec {
    list_of(struct service_port) ports;
    struct string_map selector;
    const char *cluster_ip; /* the first of cluster_ips; "None": headless */
    struct string_list cluster_ips;
    const char *type;
    struct string_list external_ips;
    const char *session_affinity;
    const char *load_balancer_ip;
    struct string_list load_balancer_source_ranges;
    const char *external_name;
    const char *external_traffic_policy;
    int32_t health_check_node_port;
    bool publish_not_ready_addresses;
    struct session_affinity_config *session_affinity_config;
    struct string_list ip_families;
    const char *ip_family_policy;
    uint8_t allocate_load_balancer_node_ports; /* enum opt_bool */
    const char *load_balancer_class;
    const char *internal_traffic_policy;
    const char *traffic_distribution;
};

struct ingress_port {
    int32_t port;
    const char *protocol;
    const char *error;
};

struct load_balancer_ingress {
    const char *ip;
    const char *hostname;
    const char *ip_mode;
    list_of(struct ingress_port) ports;
};

struct load_balancer_status {
    list_of(struct load_balancer_ingress) ingress;
};

struct service_condition {
    const char *type;
    const char *status;
    int64_t observed_generation;
    struct opt_time last_transition_time;
    const char *reason;
    const char *message;
};

struct service_status {
    struct load_balancer_status load_balancer;
    list_of(struct service_condition) conditions;
};

struct service {
    struct object object;
    struct service_spec spec;
    struct service_status status;
};

static inline struct service *service_of(struct object *object)
{
    assert_that(object->kind == &object_kind_service);
    return container_of(object, struct service, object);
}
