/*
 * The containers of a pod: regular, init and ephemeral ones share one structure.
 */
#pragma once

#include "nodeagent/objects/meta.h"

/* environment */

struct field_reference {
    const char *api_version;
    const char *field_path;
};

struct resource_reference {
    const char *container_name;
    const char *resource;
    struct quantity *divisor; /* NULL: 1 */
};

struct key_reference { /* into a ConfigMap or Secret */
    const char *name;
    const char *key;
    uint8_t optional; /* enum opt_bool */
};

struct file_key_reference {
    const char *volume_name;
    const char *path;
    const char *key;
    uint8_t optional;
};

struct env_source {
    struct field_reference *field_ref;
    struct resource_reference *resource_field_ref;
    struct key_reference *config_map_key_ref;
    struct key_reference *secret_key_ref;
    struct file_key_reference *file_key_ref;
};

struct env_var {
    const char *name;
    const char *value;
    struct env_source *value_from;
};

struct object_reference_optional { /* to a whole ConfigMap or Secret */
    const char *name;
    uint8_t optional;
};

struct env_from {
    const char *prefix;
    struct object_reference_optional *config_map_ref;
    struct object_reference_optional *secret_ref;
};

/* resources */

struct resource_claim {
    const char *name;
    const char *request;
};

struct resources {
    struct quantity_map limits;
    struct quantity_map requests;
    list_of(struct resource_claim) claims;
};

struct resize_policy {
    const char *resource_name;
    const char *restart_policy;
};

/* probes and hooks */

struct exec_action {
    struct string_list command;
};

struct http_header {
    const char *name;
    const char *value;
};

struct http_get_action {
    const char *path;
    struct int_or_string port;
    const char *host;
    const char *scheme;
    list_of(struct http_header) http_headers;
};

struct tcp_socket_action {
    struct int_or_string port;
    const char *host;
};

struct grpc_action {
    int32_t port;
    const char *service;
};

struct sleep_action {
    int64_t seconds;
};

/* What a probe or a hook does: exactly one; grpc only in probes, sleep only in hooks. */
struct handler {
    struct exec_action *exec;
    struct http_get_action *http_get;
    struct tcp_socket_action *tcp_socket;
    struct grpc_action *grpc;
    struct sleep_action *sleep;
};

struct probe {
    struct handler handler;
    int32_t initial_delay_seconds;
    int32_t timeout_seconds;
    int32_t period_seconds;
    int32_t success_threshold;
    int32_t failure_threshold;
    struct opt_int64 termination_grace_period_seconds;
};

struct lifecycle {
    struct handler *post_start;
    struct handler *pre_stop;
    const char *stop_signal;
};

/* security */

struct se_linux_options {
    const char *user;
    const char *role;
    const char *type;
    const char *level;
};

struct windows_options {
    const char *gmsa_credential_spec_name;
    const char *gmsa_credential_spec;
    const char *run_as_user_name;
    uint8_t host_process;
};

struct confinement { /* a seccomp or AppArmor profile */
    const char *type;
    const char *localhost_profile;
};

struct capabilities {
    struct string_list add;
    struct string_list drop;
};

struct security_context {
    struct capabilities *capabilities;
    uint8_t privileged; /* enum opt_bool, as all here */
    uint8_t run_as_non_root;
    uint8_t read_only_root_filesystem;
    uint8_t allow_privilege_escalation;
    struct se_linux_options *se_linux_options;
    struct windows_options *windows_options;
    struct opt_int64 run_as_user;
    struct opt_int64 run_as_group;
    const char *proc_mount;
    struct confinement *seccomp_profile;
    struct confinement *app_armor_profile;
};

/* the container */

struct container_port {
    const char *name;
    int32_t host_port;
    int32_t container_port;
    const char *protocol;
    const char *host_ip;
};

struct volume_mount {
    const char *name;
    bool read_only;
    const char *recursive_read_only;
    const char *mount_path;
    const char *sub_path;
    const char *mount_propagation;
    const char *sub_path_expr;
};

struct volume_device {
    const char *name;
    const char *device_path;
};

struct restart_rule_exit_codes {
    const char *operator_;
    struct int32_list values;
};

struct restart_rule {
    const char *action;
    struct restart_rule_exit_codes *exit_codes;
};

struct container {
    const char *name;
    const char *image;
    struct string_list command;
    struct string_list args;
    const char *working_dir;
    list_of(struct container_port) ports;
    list_of(struct env_from) env_from;
    list_of(struct env_var) env;
    struct resources resources;
    list_of(struct resize_policy) resize_policy;
    const char *restart_policy; /* NULL: the pod's */
    list_of(struct restart_rule) restart_policy_rules;
    list_of(struct volume_mount) volume_mounts;
    list_of(struct volume_device) volume_devices;
    struct probe *liveness_probe;
    struct probe *readiness_probe;
    struct probe *startup_probe;
    struct lifecycle *lifecycle;
    const char *termination_message_path;
    const char *termination_message_policy;
    const char *image_pull_policy;
    struct security_context *security_context;
    bool stdin_open;
    bool stdin_once;
    bool tty;
    const char *target_container_name; /* of an ephemeral container */
};

/* parts that are written by themselves */
extern const struct schema handler_schema; /* of a hook */
extern const struct schema container_port_schema;
