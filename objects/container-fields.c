/* The fields of containers and of what they are made of. */
#include "container-fields.h"
#include "kinds.h"

static const struct field field_reference_fields[] = {
    FIELD("apiVersion", STRING, field_reference, api_version),
    FIELD("fieldPath", STRING, field_reference, field_path),
};
const struct schema field_reference_schema = SCHEMA(field_reference, field_reference_fields);

static const struct field resource_reference_fields[] = {
    FIELD("containerName", STRING, resource_reference, container_name),
    FIELD("resource", STRING, resource_reference, resource),
    FIELD("divisor", QUANTITY, resource_reference, divisor),
};
const struct schema resource_reference_schema =
    SCHEMA(resource_reference, resource_reference_fields);

static const struct field key_reference_fields[] = {
    FIELD("name", STRING, key_reference, name),
    FIELD_ALWAYS("key", STRING, key_reference, key),
    FIELD("optional", OPT_BOOL, key_reference, optional),
};
static const struct schema key_reference_schema = SCHEMA(key_reference, key_reference_fields);

static const struct field file_key_reference_fields[] = {
    FIELD_ALWAYS("volumeName", STRING, file_key_reference, volume_name),
    FIELD_ALWAYS("path", STRING, file_key_reference, path),
    FIELD_ALWAYS("key", STRING, file_key_reference, key),
    FIELD("optional", OPT_BOOL, file_key_reference, optional),
};
static const struct schema file_key_reference_schema =
    SCHEMA(file_key_reference, file_key_reference_fields);

static const struct field env_source_fields[] = {
    FIELD_OF("fieldRef", POINTER, env_source, field_ref, field_reference_schema),
    FIELD_OF("resourceFieldRef", POINTER, env_source, resource_field_ref,
             resource_reference_schema),
    FIELD_OF("configMapKeyRef", POINTER, env_source, config_map_key_ref, key_reference_schema),
    FIELD_OF("secretKeyRef", POINTER, env_source, secret_key_ref, key_reference_schema),
    FIELD_OF("fileKeyRef", POINTER, env_source, file_key_ref, file_key_reference_schema),
};
static const struct schema env_source_schema = SCHEMA(env_source, env_source_fields);

static const struct field env_var_fields[] = {
    FIELD_ALWAYS("name", STRING, env_var, name),
    FIELD("value", STRING, env_var, value),
    FIELD_OF("valueFrom", POINTER, env_var, value_from, env_source_schema),
};
static const struct schema env_var_schema = SCHEMA(env_var, env_var_fields);

static const struct field object_reference_optional_fields[] = {
    FIELD("name", STRING, object_reference_optional, name),
    FIELD("optional", OPT_BOOL, object_reference_optional, optional),
};
static const struct schema object_reference_optional_schema =
    SCHEMA(object_reference_optional, object_reference_optional_fields);

static const struct field env_from_fields[] = {
    FIELD("prefix", STRING, env_from, prefix),
    FIELD_OF("configMapRef", POINTER, env_from, config_map_ref, object_reference_optional_schema),
    FIELD_OF("secretRef", POINTER, env_from, secret_ref, object_reference_optional_schema),
};
static const struct schema env_from_schema = SCHEMA(env_from, env_from_fields);

static const struct field resource_claim_fields[] = {
    FIELD_ALWAYS("name", STRING, resource_claim, name),
    FIELD("request", STRING, resource_claim, request),
};
static const struct schema resource_claim_schema = SCHEMA(resource_claim, resource_claim_fields);

static const struct field resources_fields[] = {
    FIELD("limits", QUANTITY_MAP, resources, limits),
    FIELD("requests", QUANTITY_MAP, resources, requests),
    FIELD_OF("claims", LIST, resources, claims, resource_claim_schema),
};
const struct schema resources_schema = SCHEMA(resources, resources_fields);

static const struct field resize_policy_fields[] = {
    FIELD_ALWAYS("resourceName", STRING, resize_policy, resource_name),
    FIELD_ALWAYS("restartPolicy", STRING, resize_policy, restart_policy),
};
static const struct schema resize_policy_schema = SCHEMA(resize_policy, resize_policy_fields);

static const struct field exec_action_fields[] = {
    FIELD("command", STRINGS, exec_action, command),
};
static const struct schema exec_action_schema = SCHEMA(exec_action, exec_action_fields);

static const struct field http_header_fields[] = {
    FIELD_ALWAYS("name", STRING, http_header, name),
    FIELD_ALWAYS("value", STRING, http_header, value),
};
static const struct schema http_header_schema = SCHEMA(http_header, http_header_fields);

static const struct field http_get_action_fields[] = {
    FIELD("path", STRING, http_get_action, path),
    FIELD_ALWAYS("port", INT_OR_STRING, http_get_action, port),
    FIELD("host", STRING, http_get_action, host),
    FIELD("scheme", STRING, http_get_action, scheme),
    FIELD_OF("httpHeaders", LIST, http_get_action, http_headers, http_header_schema),
};
static const struct schema http_get_action_schema = SCHEMA(http_get_action, http_get_action_fields);

static const struct field tcp_socket_action_fields[] = {
    FIELD_ALWAYS("port", INT_OR_STRING, tcp_socket_action, port),
    FIELD("host", STRING, tcp_socket_action, host),
};
static const struct schema tcp_socket_action_schema =
    SCHEMA(tcp_socket_action, tcp_socket_action_fields);

static const struct field grpc_action_fields[] = {
    FIELD_ALWAYS("port", INT32, grpc_action, port),
    FIELD("service", OPT_STRING, grpc_action, service),
};
static const struct schema grpc_action_schema = SCHEMA(grpc_action, grpc_action_fields);

static const struct field sleep_action_fields[] = {
    FIELD_ALWAYS("seconds", INT64, sleep_action, seconds),
};
static const struct schema sleep_action_schema = SCHEMA(sleep_action, sleep_action_fields);

/* A hook knows no gRPC, a probe no sleep. */
static const struct field handler_fields[] = {
    FIELD_OF("exec", POINTER, handler, exec, exec_action_schema),
    FIELD_OF("httpGet", POINTER, handler, http_get, http_get_action_schema),
    FIELD_OF("tcpSocket", POINTER, handler, tcp_socket, tcp_socket_action_schema),
    FIELD_OF("sleep", POINTER, handler, sleep, sleep_action_schema),
};
const struct schema handler_schema = SCHEMA(handler, handler_fields);

static const struct field probe_fields[] = {
    FIELD_OF("exec", POINTER, probe, handler.exec, exec_action_schema),
    FIELD_OF("httpGet", POINTER, probe, handler.http_get, http_get_action_schema),
    FIELD_OF("tcpSocket", POINTER, probe, handler.tcp_socket, tcp_socket_action_schema),
    FIELD_OF("grpc", POINTER, probe, handler.grpc, grpc_action_schema),
    FIELD("initialDelaySeconds", INT32, probe, initial_delay_seconds),
    FIELD("timeoutSeconds", INT32, probe, timeout_seconds),
    FIELD("periodSeconds", INT32, probe, period_seconds),
    FIELD("successThreshold", INT32, probe, success_threshold),
    FIELD("failureThreshold", INT32, probe, failure_threshold),
    FIELD("terminationGracePeriodSeconds", OPT_INT64, probe, termination_grace_period_seconds),
};
static const struct schema probe_schema = SCHEMA(probe, probe_fields);

static const struct field lifecycle_fields[] = {
    FIELD_OF("postStart", POINTER, lifecycle, post_start, handler_schema),
    FIELD_OF("preStop", POINTER, lifecycle, pre_stop, handler_schema),
    FIELD("stopSignal", OPT_STRING, lifecycle, stop_signal),
};
static const struct schema lifecycle_schema = SCHEMA(lifecycle, lifecycle_fields);

static const struct field se_linux_options_fields[] = {
    FIELD("user", STRING, se_linux_options, user),
    FIELD("role", STRING, se_linux_options, role),
    FIELD("type", STRING, se_linux_options, type),
    FIELD("level", STRING, se_linux_options, level),
};
const struct schema se_linux_options_schema = SCHEMA(se_linux_options, se_linux_options_fields);

static const struct field windows_options_fields[] = {
    FIELD("gmsaCredentialSpecName", OPT_STRING, windows_options, gmsa_credential_spec_name),
    FIELD("gmsaCredentialSpec", OPT_STRING, windows_options, gmsa_credential_spec),
    FIELD("runAsUserName", OPT_STRING, windows_options, run_as_user_name),
    FIELD("hostProcess", OPT_BOOL, windows_options, host_process),
};
const struct schema windows_options_schema = SCHEMA(windows_options, windows_options_fields);

static const struct field confinement_fields[] = {
    FIELD_ALWAYS("type", STRING, confinement, type),
    FIELD("localhostProfile", OPT_STRING, confinement, localhost_profile),
};
const struct schema confinement_schema = SCHEMA(confinement, confinement_fields);

static const struct field capabilities_fields[] = {
    FIELD("add", STRINGS, capabilities, add),
    FIELD("drop", STRINGS, capabilities, drop),
};
static const struct schema capabilities_schema = SCHEMA(capabilities, capabilities_fields);

static const struct field security_context_fields[] = {
    FIELD_OF("capabilities", POINTER, security_context, capabilities, capabilities_schema),
    FIELD("privileged", OPT_BOOL, security_context, privileged),
    FIELD_OF("seLinuxOptions", POINTER, security_context, se_linux_options,
             se_linux_options_schema),
    FIELD_OF("windowsOptions", POINTER, security_context, windows_options, windows_options_schema),
    FIELD("runAsUser", OPT_INT64, security_context, run_as_user),
    FIELD("runAsGroup", OPT_INT64, security_context, run_as_group),
    FIELD("runAsNonRoot", OPT_BOOL, security_context, run_as_non_root),
    FIELD("readOnlyRootFilesystem", OPT_BOOL, security_context, read_only_root_filesystem),
    FIELD("allowPrivilegeEscalation", OPT_BOOL, security_context, allow_privilege_escalation),
    FIELD("procMount", OPT_STRING, security_context, proc_mount),
    FIELD_OF("seccompProfile", POINTER, security_context, seccomp_profile, confinement_schema),
    FIELD_OF("appArmorProfile", POINTER, security_context, app_armor_profile, confinement_schema),
};
static const struct schema security_context_schema =
    SCHEMA(security_context, security_context_fields);

static const struct field container_port_fields[] = {
    FIELD("name", STRING, container_port, name),
    FIELD("hostPort", INT32, container_port, host_port),
    FIELD_ALWAYS("containerPort", INT32, container_port, container_port),
    FIELD("protocol", STRING, container_port, protocol),
    FIELD("hostIP", STRING, container_port, host_ip),
};
const struct schema container_port_schema = SCHEMA(container_port, container_port_fields);

static const struct field volume_mount_fields[] = {
    FIELD_ALWAYS("name", STRING, volume_mount, name),
    FIELD("readOnly", BOOL, volume_mount, read_only),
    FIELD("recursiveReadOnly", OPT_STRING, volume_mount, recursive_read_only),
    FIELD_ALWAYS("mountPath", STRING, volume_mount, mount_path),
    FIELD("subPath", STRING, volume_mount, sub_path),
    FIELD("mountPropagation", OPT_STRING, volume_mount, mount_propagation),
    FIELD("subPathExpr", STRING, volume_mount, sub_path_expr),
};
static const struct schema volume_mount_schema = SCHEMA(volume_mount, volume_mount_fields);

static const struct field volume_device_fields[] = {
    FIELD_ALWAYS("name", STRING, volume_device, name),
    FIELD_ALWAYS("devicePath", STRING, volume_device, device_path),
};
static const struct schema volume_device_schema = SCHEMA(volume_device, volume_device_fields);

static const struct field restart_rule_exit_codes_fields[] = {
    FIELD_ALWAYS("operator", STRING, restart_rule_exit_codes, operator_),
    FIELD("values", INT32S, restart_rule_exit_codes, values),
};
static const struct schema restart_rule_exit_codes_schema =
    SCHEMA(restart_rule_exit_codes, restart_rule_exit_codes_fields);

static const struct field restart_rule_fields[] = {
    FIELD("action", STRING, restart_rule, action),
    FIELD_OF("exitCodes", POINTER, restart_rule, exit_codes, restart_rule_exit_codes_schema),
};
static const struct schema restart_rule_schema = SCHEMA(restart_rule, restart_rule_fields);

/* Ephemeral containers decode what the others have, too: the rules say what they may not set. */
#define CONTAINER_FIELDS                                                                           \
    FIELD_ALWAYS("name", STRING, container, name), FIELD("image", STRING, container, image),       \
        FIELD("command", STRINGS, container, command), FIELD("args", STRINGS, container, args),    \
        FIELD("workingDir", STRING, container, working_dir),                                       \
        FIELD_OF("ports", LIST, container, ports, container_port_schema),                          \
        FIELD_OF("envFrom", LIST, container, env_from, env_from_schema),                           \
        FIELD_OF("env", LIST, container, env, env_var_schema),                                     \
        FIELD_OF("resources", STRUCT, container, resources, resources_schema),                     \
        FIELD_OF("resizePolicy", LIST, container, resize_policy, resize_policy_schema),            \
        FIELD("restartPolicy", OPT_STRING, container, restart_policy),                             \
        FIELD_OF("restartPolicyRules", LIST, container, restart_policy_rules,                      \
                 restart_rule_schema),                                                             \
        FIELD_OF("volumeMounts", LIST, container, volume_mounts, volume_mount_schema),             \
        FIELD_OF("volumeDevices", LIST, container, volume_devices, volume_device_schema),          \
        FIELD_OF("livenessProbe", POINTER, container, liveness_probe, probe_schema),               \
        FIELD_OF("readinessProbe", POINTER, container, readiness_probe, probe_schema),             \
        FIELD_OF("startupProbe", POINTER, container, startup_probe, probe_schema),                 \
        FIELD_OF("lifecycle", POINTER, container, lifecycle, lifecycle_schema),                    \
        FIELD("terminationMessagePath", STRING, container, termination_message_path),              \
        FIELD("terminationMessagePolicy", STRING, container, termination_message_policy),          \
        FIELD("imagePullPolicy", STRING, container, image_pull_policy),                            \
        FIELD_OF("securityContext", POINTER, container, security_context,                          \
                 security_context_schema),                                                         \
        FIELD("stdin", BOOL, container, stdin_open),                                               \
        FIELD("stdinOnce", BOOL, container, stdin_once), FIELD("tty", BOOL, container, tty)

static const struct field container_fields[] = {CONTAINER_FIELDS};
const struct schema container_schema = SCHEMA(container, container_fields);

static const struct field ephemeral_container_fields[] = {
    CONTAINER_FIELDS,
    FIELD("targetContainerName", STRING, container, target_container_name),
};
const struct schema ephemeral_container_schema = SCHEMA(container, ephemeral_container_fields);
