/* The fields of a pod's status, and the pod as a whole. */
#include "container-fields.h"
#include "kinds.h"
#include "pod-fields.h"

static const struct field pod_condition_fields[] = {
    FIELD_ALWAYS("type", STRING, pod_condition, type),
    FIELD("observedGeneration", INT64, pod_condition, observed_generation),
    FIELD_ALWAYS("status", STRING, pod_condition, status),
    FIELD_ALWAYS("lastProbeTime", TIME, pod_condition, last_probe_time),
    FIELD_ALWAYS("lastTransitionTime", TIME, pod_condition, last_transition_time),
    FIELD("reason", STRING, pod_condition, reason),
    FIELD("message", STRING, pod_condition, message),
};
static const struct schema pod_condition_schema = SCHEMA(pod_condition, pod_condition_fields);

static const struct field ip_entry_fields[] = {
    FIELD_ALWAYS("ip", STRING, ip_entry, ip),
};
static const struct schema ip_entry_schema = SCHEMA(ip_entry, ip_entry_fields);

static const struct field state_waiting_fields[] = {
    FIELD("reason", STRING, state_waiting, reason),
    FIELD("message", STRING, state_waiting, message),
};
static const struct schema state_waiting_schema = SCHEMA(state_waiting, state_waiting_fields);

static const struct field state_running_fields[] = {
    FIELD_ALWAYS("startedAt", TIME, state_running, started_at),
};
static const struct schema state_running_schema = SCHEMA(state_running, state_running_fields);

static const struct field state_terminated_fields[] = {
    FIELD_ALWAYS("exitCode", INT32, state_terminated, exit_code),
    FIELD("signal", INT32, state_terminated, signal),
    FIELD("reason", STRING, state_terminated, reason),
    FIELD("message", STRING, state_terminated, message),
    FIELD_ALWAYS("startedAt", TIME, state_terminated, started_at),
    FIELD_ALWAYS("finishedAt", TIME, state_terminated, finished_at),
    FIELD("containerID", STRING, state_terminated, container_id),
};
static const struct schema state_terminated_schema =
    SCHEMA(state_terminated, state_terminated_fields);

static const struct field container_state_fields[] = {
    FIELD_OF("waiting", POINTER, container_state, waiting, state_waiting_schema),
    FIELD_OF("running", POINTER, container_state, running, state_running_schema),
    FIELD_OF("terminated", POINTER, container_state, terminated, state_terminated_schema),
};
static const struct schema container_state_schema = SCHEMA(container_state, container_state_fields);

static const struct field image_volume_status_fields[] = {
    FIELD_ALWAYS("imageRef", STRING, image_volume_status, image_ref),
};
static const struct schema image_volume_status_schema =
    SCHEMA(image_volume_status, image_volume_status_fields);

static const struct field volume_status_fields[] = {
    FIELD_OF("image", POINTER, volume_status, image, image_volume_status_schema),
};
static const struct schema volume_status_schema = SCHEMA(volume_status, volume_status_fields);

static const struct field volume_mount_status_fields[] = {
    FIELD_ALWAYS("name", STRING, volume_mount_status, name),
    FIELD_ALWAYS("mountPath", STRING, volume_mount_status, mount_path),
    FIELD("readOnly", BOOL, volume_mount_status, read_only),
    FIELD("recursiveReadOnly", OPT_STRING, volume_mount_status, recursive_read_only),
    FIELD_OF("volumeStatus", POINTER, volume_mount_status, volume_status, volume_status_schema),
};
static const struct schema volume_mount_status_schema =
    SCHEMA(volume_mount_status, volume_mount_status_fields);

static const struct field linux_container_user_fields[] = {
    FIELD_ALWAYS("uid", INT64, linux_container_user, uid),
    FIELD_ALWAYS("gid", INT64, linux_container_user, gid),
    FIELD("supplementalGroups", INT64S, linux_container_user, supplemental_groups),
};
static const struct schema linux_container_user_schema =
    SCHEMA(linux_container_user, linux_container_user_fields);

static const struct field container_user_fields[] = {
    FIELD_OF("linux", POINTER, container_user, linux_user, linux_container_user_schema),
};
static const struct schema container_user_schema = SCHEMA(container_user, container_user_fields);

static const struct field resource_health_fields[] = {
    FIELD_ALWAYS("resourceID", STRING, resource_health, resource_id),
    FIELD("health", STRING, resource_health, health),
    FIELD("message", OPT_STRING, resource_health, message),
};
static const struct schema resource_health_schema = SCHEMA(resource_health, resource_health_fields);

static const struct field resource_status_fields[] = {
    FIELD_ALWAYS("name", STRING, resource_status, name),
    FIELD_OF("resources", LIST, resource_status, resources, resource_health_schema),
};
static const struct schema resource_status_schema = SCHEMA(resource_status, resource_status_fields);

static const struct field container_status_fields[] = {
    FIELD_ALWAYS("name", STRING, container_status, name),
    FIELD_OF("state", STRUCT, container_status, state, container_state_schema),
    FIELD_OF("lastState", STRUCT, container_status, last_state, container_state_schema),
    FIELD_ALWAYS("ready", BOOL, container_status, ready),
    FIELD_ALWAYS("restartCount", INT32, container_status, restart_count),
    FIELD_ALWAYS("image", STRING, container_status, image),
    FIELD_ALWAYS("imageID", STRING, container_status, image_id),
    FIELD("containerID", STRING, container_status, container_id),
    FIELD("started", OPT_BOOL, container_status, started),
    FIELD("allocatedResources", QUANTITY_MAP, container_status, allocated_resources),
    FIELD_OF("resources", POINTER, container_status, resources, resources_schema),
    FIELD_OF("volumeMounts", LIST, container_status, volume_mounts, volume_mount_status_schema),
    FIELD_OF("user", POINTER, container_status, user, container_user_schema),
    FIELD_OF("allocatedResourcesStatus", LIST, container_status, allocated_resources_status,
             resource_status_schema),
    FIELD("stopSignal", OPT_STRING, container_status, stop_signal),
};
static const struct schema container_status_schema =
    SCHEMA(container_status, container_status_fields);

static const struct field pod_claim_status_fields[] = {
    FIELD_ALWAYS("name", STRING, pod_claim_status, name),
    FIELD("resourceClaimName", OPT_STRING, pod_claim_status, resource_claim_name),
};
static const struct schema pod_claim_status_schema =
    SCHEMA(pod_claim_status, pod_claim_status_fields);

static const struct field pod_status_fields[] = {
    FIELD("observedGeneration", INT64, pod_status, observed_generation),
    FIELD("phase", STRING, pod_status, phase),
    FIELD_OF("conditions", LIST, pod_status, conditions, pod_condition_schema),
    FIELD("message", STRING, pod_status, message),
    FIELD("reason", STRING, pod_status, reason),
    FIELD("nominatedNodeName", STRING, pod_status, nominated_node_name),
    FIELD("hostIP", STRING, pod_status, host_ip),
    FIELD_OF("hostIPs", LIST, pod_status, host_ips, ip_entry_schema),
    FIELD("podIP", STRING, pod_status, pod_ip),
    FIELD_OF("podIPs", LIST, pod_status, pod_ips, ip_entry_schema),
    FIELD("startTime", TIME, pod_status, start_time),
    FIELD_OF("initContainerStatuses", LIST, pod_status, init_container_statuses,
             container_status_schema),
    FIELD_OF("containerStatuses", LIST, pod_status, container_statuses, container_status_schema),
    FIELD("qosClass", STRING, pod_status, qos_class),
    FIELD_OF("ephemeralContainerStatuses", LIST, pod_status, ephemeral_container_statuses,
             container_status_schema),
    FIELD_SKIP("resize"),
    FIELD_OF("resourceClaimStatuses", LIST, pod_status, resource_claim_statuses,
             pod_claim_status_schema),
    FIELD_SKIP("extendedResourceClaimStatus"),
    FIELD("allocatedResources", QUANTITY_MAP, pod_status, allocated_resources),
    FIELD_OF("resources", POINTER, pod_status, resources, resources_schema),
    FIELD_SKIP("nodeAllocatableResourceClaimStatuses"),
};
const struct schema pod_status_schema = SCHEMA(pod_status, pod_status_fields);
