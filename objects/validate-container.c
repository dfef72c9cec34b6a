/* The rules for containers: names, ports, resize and restart policies, and where each may stand. */
#include "nodeagent/objects/resources.h"
#include "pod-rules.h"

#include <string.h>

enum {
    RESTART_RULES_MAX = 20,
    EXIT_CODES_MAX = 255,
};

/* ports */

static void validate_port(const struct container_port *port, const struct path *path,
                          struct report *report)
{
    static const char *const protocols[] = {"TCP", "UDP", "SCTP", NULL};
    struct path number = path_name(path, "containerPort"), host = path_name(path, "hostPort"),
                protocol = path_name(path, "protocol");

    if (!port->container_port)
        report_error(report, &number, FINDING_REQUIRED, "must be set");
    else
        require_number(report, &number, port->container_port,
                       name_check_port_number(port->container_port));
    if (port->host_port)
        require_number(report, &host, port->host_port, name_check_port_number(port->host_port));
    require_one_of(report, &protocol, port->protocol, protocols);
}

static void validate_port_name(const char *text, struct seen *names, const struct path *path,
                               struct report *report)
{
    struct path name = path_name(path, "name");
    const char *complaint;

    if (str_empty(text))
        return;
    complaint = name_check_port_name(text);
    require(report, &name, text, complaint);
    if (!complaint && seen_before(names, text))
        report_error(report, &name, FINDING_DUPLICATE, "\"%.64s\" names two ports", text);
}

static void validate_ports(const struct container *container, const struct path *path,
                           struct report *report)
{
    _cleanup_(seen_deinit) struct seen names = SEEN_INIT;
    struct path ports = path_name(path, "ports");

    for (size_t i = 0; i < container->ports.count; i++) {
        const struct container_port *port = &container->ports.items[i];
        struct path item = path_index(&ports, i);

        validate_port_name(port->name, &names, &item, report);
        validate_port(port, &item, report);
    }
}

/* The port of the host as one name: protocol, address and number. */
static const char *host_port_name(const struct container_port *port, struct arena *arena)
{
    return arena_printf(arena, "%d %s", port->host_port,
                        seen_pair(port->protocol, port->host_ip, arena));
}

static void validate_host_ports(const struct container *containers, size_t count,
                                const struct path *list, struct report *report)
{
    _cleanup_(seen_deinit) struct seen taken = SEEN_INIT;

    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < containers[i].ports.count; j++) {
            const struct container_port *port = &containers[i].ports.items[j];
            struct path item = path_index(list, i), ports = path_name(&item, "ports"),
                        at = path_index(&ports, j);

            if (port->host_port && seen_before(&taken, host_port_name(port, &report->arena)))
                report_error_in(report, &at, "hostPort", FINDING_DUPLICATE, "%d/%s is used twice",
                                port->host_port, port->protocol ? port->protocol : "");
        }
    }
}

static void validate_host_network_ports(const struct pod_spec *spec, const struct path *list,
                                        struct report *report)
{
    for (size_t i = 0; spec->host_network && i < spec->containers.count; i++) {
        const struct container *container = &spec->containers.items[i];

        for (size_t j = 0; j < container->ports.count; j++) {
            const struct container_port *port = &container->ports.items[j];
            struct path item = path_index(list, i), ports = path_name(&item, "ports"),
                        at = path_index(&ports, j);

            if (port->host_port != port->container_port)
                report_error_in(report, &at, "hostPort", FINDING_INVALID,
                                "must equal containerPort with hostNetwork");
        }
    }
}

/* resize and restart policies */

static void validate_resize_policies(const struct container *container, const struct pod_spec *spec,
                                     const struct path *path, struct report *report)
{
    static const char *const resources[] = {"cpu", "memory", NULL};
    static const char *const policies[] = {"NotRequired", "RestartContainer", NULL};
    _cleanup_(seen_deinit) struct seen seen = SEEN_INIT;
    struct path list = path_name(path, "resizePolicy");

    for (size_t i = 0; i < container->resize_policy.count; i++) {
        const struct resize_policy *policy = &container->resize_policy.items[i];
        struct path item = path_index(&list, i);

        if (seen_before(&seen, policy->resource_name))
            report_error(report, &item, FINDING_DUPLICATE, "%.64s has a policy already",
                         policy->resource_name ? policy->resource_name : "");
        if (require_some(report, &list, policy->resource_name))
            require_one_of(report, &list, policy->resource_name, resources);
        if (require_some(report, &list, policy->restart_policy))
            require_one_of(report, &list, policy->restart_policy, policies);
        if (str_equal(spec->restart_policy, "Never") &&
            !str_equal(policy->restart_policy, "NotRequired"))
            report_error(report, &list, FINDING_INVALID,
                         "must be NotRequired when the pod's restartPolicy is Never");
    }
}

static void validate_init_resize(const struct container *container, const struct path *path,
                                 struct report *report)
{
    struct path list = path_name(path, "resizePolicy");

    for (size_t i = 0; i < container->resize_policy.count; i++) {
        struct path item = path_index(&list, i);

        if (str_equal(container->resize_policy.items[i].restart_policy, "RestartContainer"))
            report_error_in(report, &item, "restartPolicy", FINDING_INVALID,
                            "must be NotRequired in an init container that is not restarted");
    }
}

static void validate_restart_rule(const struct restart_rule *rule, const struct path *path,
                                  struct report *report)
{
    static const char *const actions[] = {"Restart", "RestartAllContainers", NULL};
    static const char *const operators[] = {"In", "NotIn", NULL};
    struct path action = path_name(path, "action"), codes = path_name(path, "exitCodes"),
                operator_path = path_name(&codes, "operator");

    require_one_of(report, &action, rule->action, actions);
    if (!rule->exit_codes) {
        report_error(report, &codes, FINDING_REQUIRED, "must be set");
        return;
    }
    require_one_of(report, &operator_path, rule->exit_codes->operator_, operators);
    if (rule->exit_codes->values.count > EXIT_CODES_MAX)
        report_error_in(report, &codes, "values", FINDING_TOO_MANY, "must have at most %d entries",
                        EXIT_CODES_MAX);
}

static void validate_restart(const struct container *container, enum container_role role,
                             const struct path *path, struct report *report)
{
    static const char *const policies[] = {"Always", "OnFailure", "Never", NULL};
    struct path policy = path_name(path, "restartPolicy"),
                rules = path_name(path, "restartPolicyRules");

    if (container->restart_policy) {
        require_one_of(report, &policy, container->restart_policy, policies);
    } else if (container->restart_policy_rules.count) {
        report_error(report, &policy, FINDING_REQUIRED, "must be set beside restartPolicyRules");
        if (role == CONTAINER_INIT)
            return;
    }
    if (container->restart_policy_rules.count > RESTART_RULES_MAX)
        report_error(report, &rules, FINDING_TOO_MANY, "must have at most %d entries",
                     RESTART_RULES_MAX);
    for (size_t i = 0; i < container->restart_policy_rules.count; i++) {
        struct path item = path_index(&rules, i);

        validate_restart_rule(&container->restart_policy_rules.items[i], &item, report);
    }
}

/* what all containers share */

static bool is_blank(const char *c)
{
    /* ASCII space, and the Unicode spaces that the server trims as well. */
    static const char *const spaces[] = {" ",
                                         "\t",
                                         "\n",
                                         "\v",
                                         "\f",
                                         "\r",
                                         "\xc2\x85",
                                         "\xc2\xa0",
                                         "\xe1\x9a\x80",
                                         "\xe2\x80\xa8",
                                         "\xe2\x80\xa9",
                                         "\xe2\x80\xaf",
                                         "\xe2\x81\x9f",
                                         "\xe3\x80\x80"};

    for (size_t i = 0; i < array_size(spaces); i++)
        if (str_has_prefix(c, spaces[i]))
            return true;
    return !strncmp(c, "\xe2\x80", 2) && (unsigned char)c[2] >= 0x80 && (unsigned char)c[2] <= 0x8a;
}

static bool is_padded(const char *string)
{
    const char *last = string + strlen(string) - 1;

    while (last > string && ((unsigned char)*last & 0xc0) == 0x80)
        last--;
    return is_blank(string) || is_blank(last);
}

static void validate_common(const struct container *container, enum container_role role,
                            const struct pod_view *view, const struct path *path,
                            struct report *report)
{
    static const char *const message_policies[] = {"File", "FallbackToLogsOnError", NULL};
    static const char *const pull_policies[] = {"Always", "IfNotPresent", "Never", NULL};
    struct path name = path_name(path, "name"), image = path_name(path, "image"),
                message = path_name(path, "terminationMessagePolicy"),
                pull = path_name(path, "imagePullPolicy"), resources = path_name(path, "resources");

    require_named(report, &name, container->name, name_check_label);
    if (require_some(report, &image, container->image) && is_padded(container->image))
        report_error(report, &image, FINDING_INVALID, "must not begin or end with white space");
    require_one_of(report, &message, container->termination_message_policy, message_policies);
    require_one_of(report, &pull, container->image_pull_policy, pull_policies);
    validate_ports(container, path, report);
    validate_env(container, view, path, report);
    validate_mounts(container, view, path, report);
    validate_container_security(container, view, path, report);
    validate_container_resources(&container->resources, view, &resources, report);
    validate_resize_policies(container, view->spec, path, report);
    if (role != CONTAINER_EPHEMERAL)
        validate_restart(container, role, path, report);
}

static void duplicate_name(const struct container *container, const struct path *path,
                           struct report *report)
{
    report_error_in(report, path, "name", FINDING_DUPLICATE, "\"%.64s\" names two containers",
                    container->name ? container->name : "");
}

/* kinds of containers */

/* `names` are those of the containers so far; each kind adds its own. */
static void validate_regular(const struct pod_view *view, const struct path *spec_path,
                             struct seen *names, struct report *report)
{
    const struct container_list *containers = &view->spec->containers;
    struct path list = path_name(spec_path, "containers");

    if (!containers->count)
        report_error(report, &list, FINDING_REQUIRED, "must hold at least one container");
    for (size_t i = 0; i < containers->count; i++) {
        const struct container *container = &containers->items[i];
        struct path item = path_index(&list, i), lifecycle = path_name(&item, "lifecycle");

        validate_common(container, CONTAINER_REGULAR, view, &item, report);
        if (seen_before(names, container->name))
            duplicate_name(container, &item, report);
        if (container->lifecycle)
            validate_lifecycle(container->lifecycle, view->spec, &lifecycle, report);
        validate_probes(container, &item, report);
    }
    validate_host_ports(containers->items, containers->count, &list, report);
    validate_host_network_ports(view->spec, &list, report);
}

/* An init container that ends has nothing to probe and no life to hook into. */
static void forbid_for_init(const struct container *container, const struct path *path,
                            struct report *report)
{
    const struct {
        const char *name;
        const void *value;
    } forbidden[] = {
        {"lifecycle", container->lifecycle},
        {"livenessProbe", container->liveness_probe},
        {"readinessProbe", container->readiness_probe},
        {"startupProbe", container->startup_probe},
    };

    for (size_t i = 0; i < array_size(forbidden); i++)
        if (forbidden[i].value)
            report_error_in(report, path, forbidden[i].name, FINDING_FORBIDDEN,
                            "must not be set in an init container unless its restartPolicy is "
                            "Always");
}

static void validate_init(const struct pod_view *view, const struct path *spec_path,
                          struct seen *names, struct report *report)
{
    const struct container_list *init = &view->spec->init_containers;
    struct path list = path_name(spec_path, "initContainers");

    for (size_t i = 0; i < init->count; i++) {
        const struct container *container = &init->items[i];
        struct path item = path_index(&list, i), lifecycle = path_name(&item, "lifecycle");

        validate_common(container, CONTAINER_INIT, view, &item, report);
        /* Two without a name are not told that they share it. */
        if (str_empty(container->name) ? seen_has(names, container->name)
                                       : seen_before(names, container->name))
            duplicate_name(container, &item, report);
        if (container_is_sidecar(container)) {
            if (container->lifecycle)
                validate_lifecycle(container->lifecycle, view->spec, &lifecycle, report);
            validate_probes(container, &item, report);
        } else {
            forbid_for_init(container, &item, report);
            validate_init_resize(container, &item, report);
        }
        /* The server checks each init container alone and always names the first. */
        validate_host_ports(container, 1, &list, report);
    }
    array_for_each (container, *init)
        seen_before(names, container->name);
}

/* A list or map that was written counts, even when it is empty. */
static void forbid_for_ephemeral(const struct container *container, const struct path *path,
                                 struct report *report)
{
    const struct {
        const char *name;
        bool set;
    } forbidden[] = {
        {"ports", container->ports.items},
        {"resources", container->resources.limits.items || container->resources.requests.items ||
                          container->resources.claims.items},
        {"resizePolicy", container->resize_policy.items},
        {"restartPolicy", container->restart_policy},
        {"restartPolicyRules", container->restart_policy_rules.items},
        {"livenessProbe", container->liveness_probe},
        {"readinessProbe", container->readiness_probe},
        {"startupProbe", container->startup_probe},
        {"lifecycle", container->lifecycle},
    };
    struct path mounts = path_name(path, "volumeMounts");

    for (size_t i = 0; i < array_size(forbidden); i++)
        if (forbidden[i].set)
            report_error_in(report, path, forbidden[i].name, FINDING_FORBIDDEN,
                            "must not be set in an ephemeral container");
    for (size_t i = 0; i < container->volume_mounts.count; i++) {
        const struct volume_mount *mount = &container->volume_mounts.items[i];
        struct path item = path_index(&mounts, i);

        if (!str_empty(mount->sub_path))
            report_error_in(report, &item, "subPath", FINDING_FORBIDDEN,
                            "must not be set in an ephemeral container");
        if (!str_empty(mount->sub_path_expr))
            report_error_in(report, &item, "subPathExpr", FINDING_FORBIDDEN,
                            "must not be set in an ephemeral container");
    }
}

static void validate_ephemeral(const struct pod_view *view, const struct path *spec_path,
                               const struct seen *names, struct report *report)
{
    const struct container_list *ephemeral = &view->spec->ephemeral_containers;
    _cleanup_(seen_deinit) struct seen own_names = SEEN_INIT;
    struct path list = path_name(spec_path, "ephemeralContainers");

    if (ephemeral->count)
        report_error(report, &list, FINDING_FORBIDDEN,
                     "must not be set when a pod is created; they are added to a running pod");
    for (size_t i = 0; i < ephemeral->count; i++) {
        const struct container *container = &ephemeral->items[i];
        const char *target = container->target_container_name;
        struct path item = path_index(&list, i);

        validate_common(container, CONTAINER_EPHEMERAL, view, &item, report);
        if (seen_has(names, container->name) || seen_before(&own_names, container->name))
            duplicate_name(container, &item, report);
        if (!str_empty(target) && !seen_has(names, target))
            report_error_in(report, &item, "targetContainerName", FINDING_NOT_FOUND,
                            "\"%.64s\" names no container of the pod", target);
        forbid_for_ephemeral(container, &item, report);
    }
}

void validate_containers(const struct pod_view *view, const struct path *spec,
                         struct report *report)
{
    _cleanup_(seen_deinit) struct seen names = SEEN_INIT;

    validate_regular(view, spec, &names, report);
    validate_init(view, spec, &names, report);
    validate_ephemeral(view, spec, &names, report);
}
