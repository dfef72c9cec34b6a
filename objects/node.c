/* The Node kind: its fields and defaults. */
#include "nodeagent/objects/node.h"
#include "kinds.h"
#include "node-rules.h"
#include "nodeagent/base/str.h"

static const struct field taint_fields[] = {
    FIELD_ALWAYS("key", STRING, taint, key),
    FIELD("value", STRING, taint, value),
    FIELD_ALWAYS("effect", STRING, taint, effect),
    FIELD("timeAdded", TIME, taint, time_added),
};
static const struct schema taint_schema = SCHEMA(taint, taint_fields);

static const struct field node_spec_fields[] = {
    FIELD("podCIDR", STRING, node_spec, pod_cidr),
    FIELD("podCIDRs", STRINGS, node_spec, pod_cidrs),
    FIELD("providerID", STRING, node_spec, provider_id),
    FIELD("unschedulable", BOOL, node_spec, unschedulable),
    FIELD_OF("taints", LIST, node_spec, taints, taint_schema),
    FIELD_SKIP("configSource"),
    FIELD_SKIP("externalID"),
};
static const struct schema node_spec_schema = SCHEMA(node_spec, node_spec_fields);

static const struct field node_condition_fields[] = {
    FIELD_ALWAYS("type", STRING, node_condition, type),
    FIELD_ALWAYS("status", STRING, node_condition, status),
    FIELD("lastHeartbeatTime", TIME, node_condition, last_heartbeat_time),
    FIELD("lastTransitionTime", TIME, node_condition, last_transition_time),
    FIELD("reason", STRING, node_condition, reason),
    FIELD("message", STRING, node_condition, message),
};
static const struct schema node_condition_schema = SCHEMA(node_condition, node_condition_fields);

static const struct field node_address_fields[] = {
    FIELD_ALWAYS("type", STRING, node_address, type),
    FIELD_ALWAYS("address", STRING, node_address, address),
};
static const struct schema node_address_schema = SCHEMA(node_address, node_address_fields);

static const struct field daemon_endpoint_fields[] = {
    FIELD_ALWAYS("Port", INT32, daemon_endpoint, port),
};
static const struct schema daemon_endpoint_schema = SCHEMA(daemon_endpoint, daemon_endpoint_fields);

static const struct field daemon_endpoints_fields[] = {
    FIELD_OF("kubeletEndpoint", STRUCT, daemon_endpoints, kubelet, daemon_endpoint_schema),
};
static const struct schema daemon_endpoints_schema =
    SCHEMA(daemon_endpoints, daemon_endpoints_fields);

static const struct field node_swap_fields[] = {
    FIELD("capacity", OPT_INT64, node_swap, capacity),
};
static const struct schema node_swap_schema = SCHEMA(node_swap, node_swap_fields);

static const struct field node_info_fields[] = {
    FIELD_ALWAYS("machineID", STRING, node_info, machine_id),
    FIELD_ALWAYS("systemUUID", STRING, node_info, system_uuid),
    FIELD_ALWAYS("bootID", STRING, node_info, boot_id),
    FIELD_ALWAYS("kernelVersion", STRING, node_info, kernel_version),
    FIELD_ALWAYS("osImage", STRING, node_info, os_image),
    FIELD_ALWAYS("containerRuntimeVersion", STRING, node_info, container_runtime_version),
    FIELD_ALWAYS("kubeletVersion", STRING, node_info, kubelet_version),
    FIELD_ALWAYS("kubeProxyVersion", STRING, node_info, kube_proxy_version),
    FIELD_ALWAYS("operatingSystem", STRING, node_info, operating_system),
    FIELD_ALWAYS("architecture", STRING, node_info, architecture),
    FIELD_OF("swap", POINTER, node_info, swap, node_swap_schema),
};
static const struct schema node_info_schema = SCHEMA(node_info, node_info_fields);

static const struct field node_image_fields[] = {
    FIELD_ALWAYS("names", STRINGS, node_image, names),
    FIELD("sizeBytes", INT64, node_image, size_bytes),
};
static const struct schema node_image_schema = SCHEMA(node_image, node_image_fields);

static const struct field attached_volume_fields[] = {
    FIELD_ALWAYS("name", STRING, attached_volume, name),
    FIELD_ALWAYS("devicePath", STRING, attached_volume, device_path),
};
static const struct schema attached_volume_schema = SCHEMA(attached_volume, attached_volume_fields);

static const struct field runtime_handler_features_fields[] = {
    FIELD("recursiveReadOnlyMounts", OPT_BOOL, runtime_handler_features,
          recursive_read_only_mounts),
    FIELD("userNamespaces", OPT_BOOL, runtime_handler_features, user_namespaces),
};
static const struct schema runtime_handler_features_schema =
    SCHEMA(runtime_handler_features, runtime_handler_features_fields);

static const struct field runtime_handler_fields[] = {
    FIELD_ALWAYS("name", STRING, runtime_handler, name),
    FIELD_OF("features", POINTER, runtime_handler, features, runtime_handler_features_schema),
};
static const struct schema runtime_handler_schema = SCHEMA(runtime_handler, runtime_handler_fields);

static const struct field node_features_fields[] = {
    FIELD("supplementalGroupsPolicy", OPT_BOOL, node_features, supplemental_groups_policy),
};
static const struct schema node_features_schema = SCHEMA(node_features, node_features_fields);

static const struct field node_status_fields[] = {
    FIELD("capacity", QUANTITY_MAP, node_status, capacity),
    FIELD("allocatable", QUANTITY_MAP, node_status, allocatable),
    FIELD("phase", STRING, node_status, phase),
    FIELD_OF("conditions", LIST, node_status, conditions, node_condition_schema),
    FIELD_OF("addresses", LIST, node_status, addresses, node_address_schema),
    FIELD_OF("daemonEndpoints", STRUCT, node_status, daemon_endpoints, daemon_endpoints_schema),
    FIELD_OF("nodeInfo", STRUCT, node_status, node_info, node_info_schema),
    FIELD_OF("images", LIST, node_status, images, node_image_schema),
    FIELD("volumesInUse", STRINGS, node_status, volumes_in_use),
    FIELD_OF("volumesAttached", LIST, node_status, volumes_attached, attached_volume_schema),
    FIELD_SKIP("config"),
    FIELD_OF("runtimeHandlers", LIST, node_status, runtime_handlers, runtime_handler_schema),
    FIELD_OF("features", POINTER, node_status, features, node_features_schema),
    FIELD("declaredFeatures", STRINGS, node_status, declared_features),
};
static const struct schema node_status_schema = SCHEMA(node_status, node_status_fields);

static const struct field node_fields[] = {
    FIELDS_OF_OBJECT(node),
    FIELD_OF("spec", STRUCT, node, spec, node_spec_schema),
    FIELD_OF("status", STRUCT, node, status, node_status_schema),
};
static const struct schema node_schema = SCHEMA(node, node_fields);

/* Of the single range and the list the single one wins, unless only the list is there. */
static void default_pod_cidrs(struct node_spec *spec, struct arena *arena)
{
    bool listed = spec->pod_cidrs.count;

    if (str_empty(spec->pod_cidr)) {
        spec->pod_cidr = listed ? spec->pod_cidrs.items[0] : NULL;
    } else if (!listed || !str_equal(spec->pod_cidr, spec->pod_cidrs.items[0])) {
        spec->pod_cidrs.items = arena_array(arena, const char *, 1);
        spec->pod_cidrs.items[0] = spec->pod_cidr;
        spec->pod_cidrs.count = 1;
    }
}

static void node_set_defaults(struct object *object)
{
    struct node *node = node_of(object);
    struct node_status *status = &node->status;

    quantity_map_round_up(&status->capacity);
    quantity_map_round_up(&status->allocatable);
    if (!status->allocatable.items)
        status->allocatable = status->capacity;
    default_pod_cidrs(&node->spec, &object->arena);
}

const struct object_kind object_kind_node = {
    .api_version = "v1",
    .name = "Node",
    .size = sizeof(struct node),
    .schema = &node_schema,
    .set_defaults = node_set_defaults,
    .validate = node_validate,
};
