/*
 * Nodes: what is declared, and the status that a node agent reports.
 */
#pragma once

#include "nodeagent/objects/object.h"

struct taint {
    const char *key;
    const char *value;
    const char *effect;
    struct opt_time time_added;
};

struct node_spec {
    const char *pod_cidr; /* the first of pod_cidrs */
    struct string_list pod_cidrs;
    const char *provider_id;
    bool unschedulable;
    list_of(struct taint) taints;
};

struct node_condition {
    const char *type;
    const char *status;
    struct opt_time last_heartbeat_time;
    struct opt_time last_transition_time;
    const char *reason;
    const char *message;
};

struct node_address {
    const char *type;
    const char *address;
};

struct daemon_endpoint {
    int32_t port;
};

struct daemon_endpoints {
    struct daemon_endpoint kubelet;
};

struct node_swap {
    struct opt_int64 capacity;
};

struct node_info {
    const char *machine_id;
    const char *system_uuid;
    const char *boot_id;
    const char *kernel_version;
    const char *os_image;
    const char *container_runtime_version;
    const char *kubelet_version;
    const char *kube_proxy_version;
    const char *operating_system;
    const char *architecture;
    struct node_swap *swap;
};

struct node_image {
    struct string_list names;
    int64_t size_bytes;
};

struct attached_volume {
    const char *name;
    const char *device_path;
};

struct runtime_handler_features {
    uint8_t recursive_read_only_mounts; /* enum opt_bool */
    uint8_t user_namespaces;
};

struct runtime_handler {
    const char *name;
    struct runtime_handler_features *features;
};

struct node_features {
    uint8_t supplemental_groups_policy; /* enum opt_bool */
};

struct node_status {
    struct quantity_map capacity;
    struct quantity_map allocatable;
    const char *phase;
    list_of(struct node_condition) conditions;
    list_of(struct node_address) addresses;
    struct daemon_endpoints daemon_endpoints;
    struct node_info node_info;
    list_of(struct node_image) images;
    struct string_list volumes_in_use;
    list_of(struct attached_volume) volumes_attached;
    list_of(struct runtime_handler) runtime_handlers;
    struct node_features *features;
    struct string_list declared_features;
};

struct node {
    struct object object;
    struct node_spec spec;
    struct node_status status;
};

static inline struct node *node_of(struct object *object)
{
    assert_that(object->kind == &object_kind_node);
    return container_of(object, struct node, object);
}
