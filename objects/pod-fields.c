/* The fields of a pod's specification. */
#include "pod-fields.h"
#include "container-fields.h"
#include "kinds.h"
#include "volume-fields.h"

static const struct field node_requirement_fields[] = {
    FIELD_ALWAYS("key", STRING, node_requirement, key),
    FIELD_ALWAYS("operator", STRING, node_requirement, operator_),
    FIELD("values", STRINGS, node_requirement, values),
};
static const struct schema node_requirement_schema =
    SCHEMA(node_requirement, node_requirement_fields);

static const struct field node_selector_term_fields[] = {
    FIELD_OF("matchExpressions", LIST, node_selector_term, match_expressions,
             node_requirement_schema),
    FIELD_OF("matchFields", LIST, node_selector_term, match_fields, node_requirement_schema),
};
static const struct schema node_selector_term_schema =
    SCHEMA(node_selector_term, node_selector_term_fields);

static const struct field node_selector_fields[] = {
    FIELD_OF("nodeSelectorTerms", LIST, node_selector, node_selector_terms,
             node_selector_term_schema),
};
static const struct schema node_selector_schema = SCHEMA(node_selector, node_selector_fields);

static const struct field preferred_term_fields[] = {
    FIELD_ALWAYS("weight", INT32, preferred_term, weight),
    FIELD_OF("preference", STRUCT, preferred_term, preference, node_selector_term_schema),
};
static const struct schema preferred_term_schema = SCHEMA(preferred_term, preferred_term_fields);

static const struct field node_affinity_fields[] = {
    FIELD_OF("requiredDuringSchedulingIgnoredDuringExecution", POINTER, node_affinity, required,
             node_selector_schema),
    FIELD_OF("preferredDuringSchedulingIgnoredDuringExecution", LIST, node_affinity, preferred,
             preferred_term_schema),
};
static const struct schema node_affinity_schema = SCHEMA(node_affinity, node_affinity_fields);

static const struct field pod_affinity_term_fields[] = {
    FIELD_OF("labelSelector", POINTER, pod_affinity_term, label_selector, label_selector_schema),
    FIELD("namespaces", STRINGS, pod_affinity_term, namespaces),
    FIELD_ALWAYS("topologyKey", STRING, pod_affinity_term, topology_key),
    FIELD_OF("namespaceSelector", POINTER, pod_affinity_term, namespace_selector,
             label_selector_schema),
    FIELD("matchLabelKeys", STRINGS, pod_affinity_term, match_label_keys),
    FIELD("mismatchLabelKeys", STRINGS, pod_affinity_term, mismatch_label_keys),
};
static const struct schema pod_affinity_term_schema =
    SCHEMA(pod_affinity_term, pod_affinity_term_fields);

static const struct field weighted_pod_affinity_term_fields[] = {
    FIELD_ALWAYS("weight", INT32, weighted_pod_affinity_term, weight),
    FIELD_OF("podAffinityTerm", STRUCT, weighted_pod_affinity_term, term, pod_affinity_term_schema),
};
static const struct schema weighted_pod_affinity_term_schema =
    SCHEMA(weighted_pod_affinity_term, weighted_pod_affinity_term_fields);

static const struct field pod_affinity_fields[] = {
    FIELD_OF("requiredDuringSchedulingIgnoredDuringExecution", LIST, pod_affinity, required,
             pod_affinity_term_schema),
    FIELD_OF("preferredDuringSchedulingIgnoredDuringExecution", LIST, pod_affinity, preferred,
             weighted_pod_affinity_term_schema),
};
static const struct schema pod_affinity_schema = SCHEMA(pod_affinity, pod_affinity_fields);

static const struct field affinity_fields[] = {
    FIELD_OF("nodeAffinity", POINTER, affinity, node_affinity, node_affinity_schema),
    FIELD_OF("podAffinity", POINTER, affinity, pod_affinity, pod_affinity_schema),
    FIELD_OF("podAntiAffinity", POINTER, affinity, pod_anti_affinity, pod_affinity_schema),
};
static const struct schema affinity_schema = SCHEMA(affinity, affinity_fields);

static const struct field topology_spread_constraint_fields[] = {
    FIELD_ALWAYS("maxSkew", INT32, topology_spread_constraint, max_skew),
    FIELD_ALWAYS("topologyKey", STRING, topology_spread_constraint, topology_key),
    FIELD_ALWAYS("whenUnsatisfiable", STRING, topology_spread_constraint, when_unsatisfiable),
    FIELD_OF("labelSelector", POINTER, topology_spread_constraint, label_selector,
             label_selector_schema),
    FIELD("minDomains", OPT_INT32, topology_spread_constraint, min_domains),
    FIELD("nodeAffinityPolicy", OPT_STRING, topology_spread_constraint, node_affinity_policy),
    FIELD("nodeTaintsPolicy", OPT_STRING, topology_spread_constraint, node_taints_policy),
    FIELD("matchLabelKeys", STRINGS, topology_spread_constraint, match_label_keys),
};
static const struct schema topology_spread_constraint_schema =
    SCHEMA(topology_spread_constraint, topology_spread_constraint_fields);

static const struct field sysctl_fields[] = {
    FIELD_ALWAYS("name", STRING, sysctl, name),
    FIELD_ALWAYS("value", STRING, sysctl, value),
};
static const struct schema sysctl_schema = SCHEMA(sysctl, sysctl_fields);

static const struct field pod_security_context_fields[] = {
    FIELD_OF("seLinuxOptions", POINTER, pod_security_context, se_linux_options,
             se_linux_options_schema),
    FIELD_OF("windowsOptions", POINTER, pod_security_context, windows_options,
             windows_options_schema),
    FIELD("runAsUser", OPT_INT64, pod_security_context, run_as_user),
    FIELD("runAsGroup", OPT_INT64, pod_security_context, run_as_group),
    FIELD("runAsNonRoot", OPT_BOOL, pod_security_context, run_as_non_root),
    FIELD("supplementalGroups", INT64S, pod_security_context, supplemental_groups),
    FIELD("supplementalGroupsPolicy", OPT_STRING, pod_security_context, supplemental_groups_policy),
    FIELD("fsGroup", OPT_INT64, pod_security_context, fs_group),
    FIELD_OF("sysctls", LIST, pod_security_context, sysctls, sysctl_schema),
    FIELD("fsGroupChangePolicy", OPT_STRING, pod_security_context, fs_group_change_policy),
    FIELD_OF("seccompProfile", POINTER, pod_security_context, seccomp_profile, confinement_schema),
    FIELD_OF("appArmorProfile", POINTER, pod_security_context, app_armor_profile,
             confinement_schema),
    FIELD("seLinuxChangePolicy", OPT_STRING, pod_security_context, se_linux_change_policy),
};
static const struct schema pod_security_context_schema =
    SCHEMA(pod_security_context, pod_security_context_fields);

static const struct field host_alias_fields[] = {
    FIELD_ALWAYS("ip", STRING, host_alias, ip),
    FIELD("hostnames", STRINGS, host_alias, hostnames),
};
static const struct schema host_alias_schema = SCHEMA(host_alias, host_alias_fields);

static const struct field dns_option_fields[] = {
    FIELD("name", STRING, dns_option, name),
    FIELD("value", OPT_STRING, dns_option, value),
};
static const struct schema dns_option_schema = SCHEMA(dns_option, dns_option_fields);

static const struct field dns_config_fields[] = {
    FIELD("nameservers", STRINGS, dns_config, nameservers),
    FIELD("searches", STRINGS, dns_config, searches),
    FIELD_OF("options", LIST, dns_config, options, dns_option_schema),
};
static const struct schema dns_config_schema = SCHEMA(dns_config, dns_config_fields);

static const struct field readiness_gate_fields[] = {
    FIELD_ALWAYS("conditionType", STRING, readiness_gate, condition_type),
};
static const struct schema readiness_gate_schema = SCHEMA(readiness_gate, readiness_gate_fields);

static const struct field pod_os_fields[] = {
    FIELD_ALWAYS("name", STRING, pod_os, name),
};
static const struct schema pod_os_schema = SCHEMA(pod_os, pod_os_fields);

static const struct field scheduling_gate_fields[] = {
    FIELD_ALWAYS("name", STRING, scheduling_gate, name),
};
static const struct schema scheduling_gate_schema = SCHEMA(scheduling_gate, scheduling_gate_fields);

static const struct field pod_resource_claim_fields[] = {
    FIELD_ALWAYS("name", STRING, pod_resource_claim, name),
    FIELD("resourceClaimName", OPT_STRING, pod_resource_claim, resource_claim_name),
    FIELD("resourceClaimTemplateName", OPT_STRING, pod_resource_claim,
          resource_claim_template_name),
};
static const struct schema pod_resource_claim_schema =
    SCHEMA(pod_resource_claim, pod_resource_claim_fields);

static const struct field pod_spec_fields[] = {
    FIELD_OF("volumes", LIST, pod_spec, volumes, volume_schema),
    FIELD_OF("initContainers", LIST, pod_spec, init_containers, container_schema),
    FIELD_OF("containers", LIST, pod_spec, containers, container_schema),
    FIELD_OF("ephemeralContainers", LIST, pod_spec, ephemeral_containers,
             ephemeral_container_schema),
    FIELD("restartPolicy", STRING, pod_spec, restart_policy),
    FIELD("terminationGracePeriodSeconds", OPT_INT64, pod_spec, termination_grace_period_seconds),
    FIELD("activeDeadlineSeconds", OPT_INT64, pod_spec, active_deadline_seconds),
    FIELD("dnsPolicy", STRING, pod_spec, dns_policy),
    FIELD("nodeSelector", STRING_MAP, pod_spec, node_selector),
    FIELD("serviceAccountName", STRING, pod_spec, service_account_name),
    FIELD("serviceAccount", STRING, pod_spec, service_account),
    FIELD("automountServiceAccountToken", OPT_BOOL, pod_spec, automount_service_account_token),
    FIELD("nodeName", STRING, pod_spec, node_name),
    FIELD("hostNetwork", BOOL, pod_spec, host_network),
    FIELD("hostPID", BOOL, pod_spec, host_pid),
    FIELD("hostIPC", BOOL, pod_spec, host_ipc),
    FIELD("shareProcessNamespace", OPT_BOOL, pod_spec, share_process_namespace),
    FIELD_OF("securityContext", POINTER, pod_spec, security_context, pod_security_context_schema),
    FIELD_OF("imagePullSecrets", LIST, pod_spec, image_pull_secrets, local_reference_schema),
    FIELD("hostname", STRING, pod_spec, hostname),
    FIELD("subdomain", STRING, pod_spec, subdomain),
    FIELD_OF("affinity", POINTER, pod_spec, affinity, affinity_schema),
    FIELD("schedulerName", STRING, pod_spec, scheduler_name),
    FIELD_OF("tolerations", LIST, pod_spec, tolerations, toleration_schema),
    FIELD_OF("hostAliases", LIST, pod_spec, host_aliases, host_alias_schema),
    FIELD("priorityClassName", STRING, pod_spec, priority_class_name),
    FIELD("priority", OPT_INT32, pod_spec, priority),
    FIELD_OF("dnsConfig", POINTER, pod_spec, dns_config, dns_config_schema),
    FIELD_OF("readinessGates", LIST, pod_spec, readiness_gates, readiness_gate_schema),
    FIELD("runtimeClassName", OPT_STRING, pod_spec, runtime_class_name),
    FIELD("enableServiceLinks", OPT_BOOL, pod_spec, enable_service_links),
    FIELD("preemptionPolicy", OPT_STRING, pod_spec, preemption_policy),
    FIELD("overhead", QUANTITY_MAP, pod_spec, overhead),
    FIELD_OF("topologySpreadConstraints", LIST, pod_spec, topology_spread_constraints,
             topology_spread_constraint_schema),
    FIELD("setHostnameAsFQDN", OPT_BOOL, pod_spec, set_hostname_as_fqdn),
    FIELD_OF("os", POINTER, pod_spec, os, pod_os_schema),
    FIELD("hostUsers", OPT_BOOL, pod_spec, host_users),
    FIELD_OF("schedulingGates", LIST, pod_spec, scheduling_gates, scheduling_gate_schema),
    FIELD_OF("resourceClaims", LIST, pod_spec, resource_claims, pod_resource_claim_schema),
    FIELD_OF("resources", POINTER, pod_spec, resources, resources_schema),
    FIELD("hostnameOverride", OPT_STRING, pod_spec, hostname_override),
    FIELD_SKIP("schedulingGroup"),
};
const struct schema pod_spec_schema = SCHEMA(pod_spec, pod_spec_fields);
