/* The rules for a pod's specification as a whole. */
#include "pod-rules.h"

#include <stdio.h>
#include <string.h>

enum {
    HOSTNAME_MAX = 64, /* what Linux allows */
};

static void validate_names(const struct pod_spec *spec, const struct path *path,
                           struct report *report)
{
    /* Empty is absent for the first group; in the second even an empty string must be a name. */
    const struct {
        const char *name;
        const char *value;
        const char *(*check)(const char *);
        bool optional;
    } names[] = {
        {"nodeName", spec->node_name, name_check_subdomain, true},
        {"serviceAccountName", spec->service_account_name, name_check_subdomain, true},
        {"priorityClassName", spec->priority_class_name, name_check_subdomain, true},
        {"hostname", spec->hostname, name_check_label, true},
        {"subdomain", spec->subdomain, name_check_label, true},
        {"runtimeClassName", spec->runtime_class_name, name_check_subdomain, false},
        {"hostnameOverride", spec->hostname_override, name_check_subdomain, false},
    };

    for (size_t i = 0; i < array_size(names); i++) {
        struct path at = path_name(path, names[i].name);

        if (names[i].value && (*names[i].value || !names[i].optional))
            require(report, &at, names[i].value, names[i].check(names[i].value));
    }
}

static void validate_hostname_override(const struct pod_spec *spec, const struct path *path,
                                       struct report *report)
{
    struct path override = path_name(path, "hostnameOverride");

    if (!spec->hostname_override)
        return;
    if (strlen(spec->hostname_override) > HOSTNAME_MAX)
        report_error(report, &override, FINDING_TOO_LONG, "must have at most %d bytes",
                     HOSTNAME_MAX);
    if (spec->set_hostname_as_fqdn == OPT_TRUE)
        report_error(report, &override, FINDING_FORBIDDEN,
                     "must not be set when setHostnameAsFQDN is true");
    if (spec->host_network)
        report_error(report, &override, FINDING_FORBIDDEN,
                     "must not be set when hostNetwork is true");
}

static void validate_policies(const struct pod_spec *spec, const struct path *path,
                              struct report *report)
{
    static const char *const restarts[] = {"Always", "OnFailure", "Never", NULL};
    static const char *const preemptions[] = {"PreemptLowerPriority", "Never", NULL};
    struct path restart = path_name(path, "restartPolicy"),
                preemption = path_name(path, "preemptionPolicy"),
                deadline = path_name(path, "activeDeadlineSeconds");

    require_one_of(report, &restart, spec->restart_policy, restarts);
    if (spec->preemption_policy && require_some(report, &preemption, spec->preemption_policy))
        require_one_of(report, &preemption, spec->preemption_policy, preemptions);
    if (spec->active_deadline_seconds.set && (spec->active_deadline_seconds.value < 1 ||
                                              spec->active_deadline_seconds.value > INT32_MAX))
        report_error(report, &deadline, FINDING_INVALID, "must be from 1 to %d", INT32_MAX);
}

static void validate_host_aliases(const struct pod_spec *spec, const struct path *path,
                                  struct report *report)
{
    struct path list = path_name(path, "hostAliases");

    for (size_t i = 0; i < spec->host_aliases.count; i++) {
        const struct host_alias *alias = &spec->host_aliases.items[i];
        struct path item = path_index(&list, i), ip = path_name(&item, "ip"),
                    names = path_name(&item, "hostnames");

        require(report, &ip, alias->ip, name_check_ip(alias->ip));
        for (size_t j = 0; j < alias->hostnames.count; j++) {
            struct path name = path_index(&names, j);

            require(report, &name, alias->hostnames.items[j],
                    name_check_subdomain(alias->hostnames.items[j]));
        }
    }
}

static void validate_gates(const struct pod_spec *spec, const struct path *path,
                           struct report *report)
{
    struct path readiness = path_name(path, "readinessGates"),
                scheduling = path_name(path, "schedulingGates");
    _cleanup_(seen_deinit) struct seen seen = SEEN_INIT;

    for (size_t i = 0; i < spec->readiness_gates.count; i++) {
        const char *type = spec->readiness_gates.items[i].condition_type;
        struct path item = path_index(&readiness, i), at = path_name(&item, "conditionType");

        require(report, &at, type, name_check_qualified(type));
    }
    for (size_t i = 0; i < spec->scheduling_gates.count; i++) {
        const char *name = spec->scheduling_gates.items[i].name;
        struct path item = path_index(&scheduling, i);

        require(report, &item, name, name_check_qualified(name));
        if (seen_before(&seen, name))
            report_error(report, &item, FINDING_DUPLICATE, "\"%.64s\" is listed twice",
                         name ? name : "");
    }
    if (spec->scheduling_gates.count && !str_empty(spec->node_name))
        report_error_in(report, path, "nodeName", FINDING_FORBIDDEN,
                        "must not be set while schedulingGates hold the pod back");
}

static void validate_claim_source(const struct pod_resource_claim *claim, const struct path *path,
                                  struct report *report)
{
    struct path direct = path_name(path, "resourceClaimName"),
                template = path_name(path, "resourceClaimTemplateName");

    if (!claim->resource_claim_name == !claim->resource_claim_template_name)
        report_error(report, path, FINDING_INVALID,
                     "must have either resourceClaimName or resourceClaimTemplateName");
    if (claim->resource_claim_name)
        require(report, &direct, claim->resource_claim_name,
                name_check_subdomain(claim->resource_claim_name));
    if (claim->resource_claim_template_name)
        require(report, &template, claim->resource_claim_template_name,
                name_check_subdomain(claim->resource_claim_template_name));
}

static void validate_resource_claims(const struct pod_spec *spec, const struct path *path,
                                     struct report *report)
{
    _cleanup_(seen_deinit) struct seen names = SEEN_INIT;
    struct path list = path_name(path, "resourceClaims");

    for (size_t i = 0; i < spec->resource_claims.count; i++) {
        const struct pod_resource_claim *claim = &spec->resource_claims.items[i];
        struct path item = path_index(&list, i), name = path_name(&item, "name");

        require_named(report, &name, claim->name, name_check_label);
        if (seen_before(&names, claim->name))
            report_error(report, &name, FINDING_DUPLICATE, "\"%.64s\" names two claims",
                         claim->name ? claim->name : "");
        validate_claim_source(claim, &item, report);
    }
}

static void validate_pod_amounts(const struct pod_spec *spec, const struct path *path,
                                 struct report *report)
{
    struct path overhead_path = path_name(path, "overhead"),
                resources = path_name(path, "resources");
    struct resources overhead = {.limits = spec->overhead};

    validate_resources(&overhead, RESOURCES_OVERHEAD, &overhead_path, report);
    if (spec->resources && !(spec->os && str_equal(spec->os->name, "windows")))
        validate_pod_resources(spec, &resources, report);
}

static void pod_view_init(struct pod_view *view, const struct pod *pod)
{
    *view = (struct pod_view){.pod = pod, .spec = &pod->spec};
    array_for_each (claim, pod->spec.resource_claims)
        seen_before(&view->claims, claim->name);
}

static void pod_view_deinit(struct pod_view *view)
{
    seen_deinit(&view->volumes);
    seen_deinit(&view->valid_volumes);
    seen_deinit(&view->claims);
}

static void validate_spec(const struct pod *pod, struct report *report)
{
    const struct pod_spec *spec = &pod->spec;
    struct path path = path_name(NULL, "spec"), selector = path_name(&path, "nodeSelector"),
                tolerations = path_name(&path, "tolerations");
    _cleanup_(pod_view_deinit) struct pod_view view;

    pod_view_init(&view, pod);
    validate_volumes(&view, &path, report);
    validate_containers(&view, &path, report);
    validate_policies(spec, &path, report);
    validate_dns(spec, &path, report);
    validate_labels(&spec->node_selector, &selector, report);
    validate_names(spec, &path, report);
    validate_hostname_override(spec, &path, report);
    validate_pod_security(spec, &path, report);
    validate_windows_host_process(spec, &path, report);
    validate_os(spec, &path, report);
    validate_affinity(pod, &path, report);
    validate_topology_spread(pod, &path, report);
    validate_tolerations(spec->tolerations.items, spec->tolerations.count, &tolerations, report);
    validate_host_aliases(spec, &path, report);
    validate_gates(spec, &path, report);
    validate_resource_claims(spec, &path, report);
    validate_pod_amounts(spec, &path, report);
}

void pod_validate(const struct object *object, struct report *report)
{
    const struct pod *pod = container_of(object, struct pod, object);

    validate_meta(object, NAME_SUBDOMAIN, FINALIZERS_QUALIFIED, report);
    validate_pod_annotations(pod, report);
    validate_spec(pod, report);
}
