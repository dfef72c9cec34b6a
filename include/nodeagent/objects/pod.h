/*
 * Pods: what is declared, and the status that a node agent reports.
 */
#pragma once

#include "nodeagent/objects/container.h"
#include "nodeagent/objects/object.h"
#include "nodeagent/objects/volume.h"

/* affinity */

/* Of a pod and its sandboxes: who told of it, "api", "file" or "http". */
#define POD_ANNOTATION_SOURCE "kubernetes.io/config.source"
/* Of a static pod whose UID was made here, and how: "v1". */
#define POD_ANNOTATION_STATIC_UID "nodeagent.dev/static-uid"

struct node_requirement {
    const char *key;
    const char *operator_;
    struct string_list values;
};

struct node_selector_term {
    list_of(struct node_requirement) match_expressions;
    list_of(struct node_requirement) match_fields;
};

struct node_selector {
    list_of(struct node_selector_term) node_selector_terms;
};

struct preferred_term {
    int32_t weight;
    struct node_selector_term preference;
};

struct node_affinity {
    struct node_selector *required;
    list_of(struct preferred_term) preferred;
};

struct pod_affinity_term {
    struct label_selector *label_selector;
    struct string_list namespaces;
    const char *topology_key;
    struct label_selector *namespace_selector;
    struct string_list match_label_keys;
    struct string_list mismatch_label_keys;
};

struct weighted_pod_affinity_term {
    int32_t weight;
    struct pod_affinity_term term;
};

struct pod_affinity {
    list_of(struct pod_affinity_term) required;
    list_of(struct weighted_pod_affinity_term) preferred;
};

struct affinity {
    struct node_affinity *node_affinity;
    struct pod_affinity *pod_affinity;
    struct pod_affinity *pod_anti_affinity;
};

struct topology_spread_constraint {
    int32_t max_skew;
    const char *topology_key;
    const char *when_unsatisfiable;
    struct label_selector *label_selector;
    struct opt_int32 min_domains;
    const char *node_affinity_policy;
    const char *node_taints_policy;
    struct string_list match_label_keys;
};

/* the specification */

struct sysctl {
    const char *name;
    const char *value;
};

struct pod_security_context {
    struct se_linux_options *se_linux_options;
    struct windows_options *windows_options;
    struct opt_int64 run_as_user;
    struct opt_int64 run_as_group;
    uint8_t run_as_non_root; /* enum opt_bool */
    struct int64_list supplemental_groups;
    const char *supplemental_groups_policy;
    struct opt_int64 fs_group;
    list_of(struct sysctl) sysctls;
    const char *fs_group_change_policy;
    struct confinement *seccomp_profile;
    struct confinement *app_armor_profile;
    const char *se_linux_change_policy;
};

struct host_alias {
    const char *ip;
    struct string_list hostnames;
};

struct dns_option {
    const char *name;
    const char *value;
};

struct dns_config {
    struct string_list nameservers;
    struct string_list searches;
    list_of(struct dns_option) options;
};

struct readiness_gate {
    const char *condition_type;
};

struct pod_os {
    const char *name;
};

struct scheduling_gate {
    const char *name;
};

struct pod_resource_claim {
    const char *name;
    const char *resource_claim_name;
    const char *resource_claim_template_name;
};

struct container_list {
    struct container *items;
    size_t count;
};

struct pod_spec {
    list_of(struct volume) volumes;
    struct container_list init_containers;
    struct container_list containers;
    struct container_list ephemeral_containers;
    const char *restart_policy;
    struct opt_int64 termination_grace_period_seconds;
    struct opt_int64 active_deadline_seconds;
    const char *dns_policy;
    struct string_map node_selector;
    const char *service_account_name;
    const char *service_account;             /* the older name of the same */
    uint8_t automount_service_account_token; /* enum opt_bool */
    const char *node_name;
    bool host_network;
    bool host_pid;
    bool host_ipc;
    uint8_t share_process_namespace;
    uint8_t enable_service_links;
    uint8_t set_hostname_as_fqdn;
    uint8_t host_users;
    struct pod_security_context *security_context;
    list_of(struct local_reference) image_pull_secrets;
    const char *hostname;
    const char *subdomain;
    struct affinity *affinity;
    const char *scheduler_name;
    list_of(struct toleration) tolerations;
    list_of(struct host_alias) host_aliases;
    const char *priority_class_name;
    struct opt_int32 priority;
    struct dns_config *dns_config;
    list_of(struct readiness_gate) readiness_gates;
    const char *runtime_class_name;
    const char *preemption_policy;
    struct quantity_map overhead;
    list_of(struct topology_spread_constraint) topology_spread_constraints;
    struct pod_os *os;
    list_of(struct scheduling_gate) scheduling_gates;
    list_of(struct pod_resource_claim) resource_claims;
    struct resources *resources;
    const char *hostname_override;
};

/* the status */

struct pod_condition {
    const char *type;
    int64_t observed_generation;
    const char *status;
    struct opt_time last_probe_time;
    struct opt_time last_transition_time;
    const char *reason;
    const char *message;
};

struct ip_entry {
    const char *ip;
};

struct state_waiting {
    const char *reason;
    const char *message;
};

struct state_running {
    struct opt_time started_at;
};

struct state_terminated {
    int32_t exit_code;
    int32_t signal;
    const char *reason;
    const char *message;
    struct opt_time started_at;
    struct opt_time finished_at;
    const char *container_id;
};

struct container_state { /* at most one */
    struct state_waiting *waiting;
    struct state_running *running;
    struct state_terminated *terminated;
};

struct image_volume_status {
    const char *image_ref;
};

struct volume_status {
    struct image_volume_status *image;
};

struct volume_mount_status {
    const char *name;
    const char *mount_path;
    bool read_only;
    const char *recursive_read_only;
    struct volume_status *volume_status;
};

struct linux_container_user {
    int64_t uid;
    int64_t gid;
    struct int64_list supplemental_groups;
};

struct container_user {
    struct linux_container_user *linux_user;
};

struct resource_health {
    const char *resource_id;
    const char *health;
    const char *message;
};

struct resource_status {
    const char *name;
    list_of(struct resource_health) resources;
};

struct container_status {
    const char *name;
    struct container_state state;
    struct container_state last_state;
    bool ready;
    int32_t restart_count;
    const char *image;
    const char *image_id;
    const char *container_id;
    uint8_t started; /* enum opt_bool */
    struct quantity_map allocated_resources;
    struct resources *resources;
    list_of(struct volume_mount_status) volume_mounts;
    struct container_user *user;
    list_of(struct resource_status) allocated_resources_status;
    const char *stop_signal;
};

struct container_status_list {
    struct container_status *items;
    size_t count;
};

struct pod_claim_status {
    const char *name;
    const char *resource_claim_name;
};

struct pod_status {
    int64_t observed_generation;
    const char *phase;
    list_of(struct pod_condition) conditions;
    const char *message;
    const char *reason;
    const char *nominated_node_name;
    const char *host_ip;
    list_of(struct ip_entry) host_ips;
    const char *pod_ip;
    list_of(struct ip_entry) pod_ips;
    struct opt_time start_time;
    struct container_status_list init_container_statuses;
    struct container_status_list container_statuses;
    const char *qos_class;
    struct container_status_list ephemeral_container_statuses;
    list_of(struct pod_claim_status) resource_claim_statuses;
    struct quantity_map allocated_resources;
    struct resources *resources;
};

extern const struct schema pod_status_schema;

struct pod {
    struct object object;
    struct pod_spec spec;
    struct pod_status status;
};

static inline struct pod *pod_of(struct object *object)
{
    assert_that(object->kind == &object_kind_pod);
    return container_of(object, struct pod, object);
}

/* What a static pod may refer to: nothing, or what a manifest directory can hold as well. */
enum static_references { STATIC_REFERS_TO_NOTHING, STATIC_REFERS_TO_CONFIG };

/*
 * What the API allows and a static pod may not contain, because nothing on a node can resolve it
 * (references to other API objects). `level` is FINDING_ERROR to refuse, FINDING_WARNING to tell.
 */
void pod_check_static(const struct pod *pod, enum static_references allowed,
                      enum finding_level level, struct report *report);
