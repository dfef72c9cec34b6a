/* Whether a node can take a pod: the first reason against it wins. */
#include "model.h"
#include "nodeagent/objects/resources.h"

#include <string.h>

struct question {
    const struct pod *pod;
    bool static_pod;
    const struct pod_node *node;
    const struct pod *const *others;
    size_t other_count;
    struct arena *arena;
    const char *message;
};

/* sysctls */

static const char *const safe_sysctls[] = {
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.ping_group_range",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_wmem",
    NULL,
};

static const char *dotted(const char *name, struct arena *arena)
{
    char *copy = arena_strdup(arena, name);
    const char *first = strpbrk(name, "./");

    /* Names whose first separator is a slash have both exchanged. */
    if (first && *first == '/')
        for (char *c = copy; *c; c++)
            *c = *c == '/' ? '.' : *c == '.' ? '/' : *c;
    return copy;
}

static bool sysctl_allowed(const struct question *question, const char *name)
{
    array_for_each (pattern, question->node->allowed_unsafe_sysctls) {
        size_t length = strlen(*pattern);

        if (length && (*pattern)[length - 1] == '*' ? !strncmp(name, *pattern, length - 1)
                                                    : !strcmp(name, *pattern))
            return true;
    }
    return str_one_of(name, safe_sysctls);
}

static const char *host_namespace_of(const struct pod_spec *spec, const char *name)
{
    static const char *const ipc[] = {"kernel.shm", "kernel.msg", "fs.mqueue.", NULL};

    if (spec->host_network && str_has_prefix(name, "net."))
        return "Net";
    if (spec->host_ipc && (!strcmp(name, "kernel.sem") || str_has_prefix(name, ipc[0]) ||
                           str_has_prefix(name, ipc[1]) || str_has_prefix(name, ipc[2])))
        return "IPC";
    return NULL;
}

static const char *refuse_sysctls(struct question *question)
{
    const struct pod_spec *spec = &question->pod->spec;

    if (!spec->security_context)
        return NULL;
    array_for_each (sysctl, spec->security_context->sysctls) {
        const char *name = dotted(sysctl->name, question->arena);
        const char *host = host_namespace_of(spec, name);

        if (host)
            question->message = arena_printf(
                question->arena, "forbidden sysctl: \"%s\" not allowed with host %s enabled", name,
                host);
        else if (!sysctl_allowed(question, name))
            question->message =
                arena_printf(question->arena, "forbidden sysctl: \"%s\" not allowlisted", name);
        if (question->message)
            return "SysctlForbidden";
    }
    return NULL;
}

/* the system */

static const char *refuse_system(struct question *question)
{
    const struct pod *pod = question->pod;
    const char *label = string_map_get(&pod->object.metadata.labels, "kubernetes.io/os");

    if (label && !str_equal(label, "linux")) {
        question->message =
            "Failed to admit pod as the `kubernetes.io/os` label doesn't match node label";
        return "PodOSSelectorNodeLabelDoesNotMatch";
    }
    if (pod->spec.os && !str_equal(pod->spec.os->name, "linux")) {
        question->message = "Failed to admit pod as the OS field doesn't match node OS";
        return "PodOSNotSupported";
    }
    if (pod->spec.security_context &&
        str_equal(pod->spec.security_context->supplemental_groups_policy, "Strict") &&
        !question->node->supplemental_groups_policy) {
        question->message = "SupplementalGroupsPolicy=Strict is not supported in this node";
        return "SupplementalGroupsPolicyNotSupported";
    }
    return NULL;
}

/* resources */

static int64_t amount(const struct quantity_map *map, const char *name, bool milli)
{
    const struct quantity *quantity = quantity_map_get(map, name);

    if (!quantity)
        return 0;
    return milli ? quantity_milli_value(quantity) : quantity_value(quantity);
}

static int64_t request_of(const struct container *container, const char *name, bool milli)
{
    return amount(&container->resources.requests, name, milli);
}

/*
 * The most a pod asks for at any time: its containers and sidecars together, or an init container
 * with the sidecars that started before it.
 */
static int64_t pod_request(const struct pod *pod, const char *name, bool milli)
{
    int64_t regular = 0, sidecars = 0, init = 0;

    array_for_each (container, pod->spec.containers)
        regular += request_of(container, name, milli);
    array_for_each (container, pod->spec.init_containers) {
        int64_t request = request_of(container, name, milli);

        if (str_equal(container->restart_policy, "Always"))
            sidecars += request;
        else
            init = MAX(init, request + sidecars);
    }
    regular = MAX(regular + sidecars, init);
    if (pod->spec.resources && quantity_map_get(&pod->spec.resources->requests, name))
        regular = amount(&pod->spec.resources->requests, name, milli);
    return regular + amount(&pod->spec.overhead, name, milli);
}

static const char *refuse_amount(struct question *question, const char *name, bool milli)
{
    int64_t capacity = amount(&question->node->allocatable, name, milli), used = 0;
    int64_t wanted = pod_request(question->pod, name, milli);

    if (!wanted || !quantity_map_get(&question->node->allocatable, name))
        return NULL; /* what the node does not know is somebody else's */
    for (size_t i = 0; i < question->other_count; i++)
        used += pod_request(question->others[i], name, milli);
    if (wanted <= capacity - used)
        return NULL;
    question->message = arena_printf(question->arena,
                                     "Node didn't have enough resource: %s, requested: %lld, used: "
                                     "%lld, capacity: %lld",
                                     name, (long long)wanted, (long long)used, (long long)capacity);
    return arena_printf(question->arena, "OutOf%s", name);
}

static const char *refuse_resources(struct question *question)
{
    const char *reason;

    if (question->node->pods_max > 0 &&
        (int64_t)question->other_count + 1 > question->node->pods_max) {
        question->message =
            arena_printf(question->arena,
                         "Node didn't have enough resource: pods, requested: 1, used: %zu, "
                         "capacity: %lld",
                         question->other_count, (long long)question->node->pods_max);
        return "OutOfpods";
    }
    reason = refuse_amount(question, "cpu", true);
    if (!reason)
        reason = refuse_amount(question, "memory", false);
    return reason ? reason : refuse_amount(question, "ephemeral-storage", false);
}

/* host ports */

static bool same_host_port(const struct container_port *a, const struct container_port *b)
{
    static const char *const any = "0.0.0.0";
    const char *ip_a = str_empty(a->host_ip) ? any : a->host_ip;
    const char *ip_b = str_empty(b->host_ip) ? any : b->host_ip;

    return a->host_port > 0 && a->host_port == b->host_port &&
           str_equal(a->protocol, b->protocol) &&
           (str_equal(ip_a, ip_b) || str_equal(ip_a, any) || str_equal(ip_b, any));
}

static bool has_port(const struct container *container, const struct container_port *port)
{
    array_for_each (other, container->ports)
        if (same_host_port(other, port))
            return true;
    return false;
}

/* By what runs as long as the pod: an init container that ends keeps no port. */
static bool takes_port(const struct pod *pod, const struct container_port *port)
{
    array_for_each (container, pod->spec.init_containers)
        if (container_is_sidecar(container) && has_port(container, port))
            return true;
    array_for_each (container, pod->spec.containers)
        if (has_port(container, port))
            return true;
    return false;
}

static bool is_free(const struct question *question, const struct container *container)
{
    array_for_each (port, container->ports)
        for (size_t i = 0; i < question->other_count; i++)
            if (takes_port(question->others[i], port))
                return false;
    return true;
}

static bool ports_are_free(const struct question *question)
{
    array_for_each (container, question->pod->spec.init_containers)
        if (container_is_sidecar(container) && !is_free(question, container))
            return false;
    array_for_each (container, question->pod->spec.containers)
        if (!is_free(question, container))
            return false;
    return true;
}

static const char *refuse_placement(struct question *question)
{
    const struct pod *pod = question->pod;

    if (!str_empty(pod->spec.node_name) && !str_equal(pod->spec.node_name, question->node->name)) {
        question->message =
            "Predicate NodeName failed: node(s) didn't match the requested node name";
        return "NodeName";
    }
    if (!ports_are_free(question)) {
        question->message = "Predicate NodePorts failed: node(s) didn't have free ports for the "
                            "requested pod ports";
        return "NodePorts";
    }
    return NULL;
}

bool pod_admit(const struct pod *pod, bool static_pod, const struct pod_node *node,
               const struct pod *const *others, size_t other_count, struct arena *arena,
               const char **reason, const char **message)
{
    static const char *(*const rules[])(struct question *) = {
        refuse_sysctls,
        refuse_system,
        refuse_resources,
        refuse_placement,
    };
    struct question question = {
        .pod = pod,
        .static_pod = static_pod,
        .node = node,
        .others = others,
        .other_count = other_count,
        .arena = arena,
    };

    for (size_t i = 0; i < array_size(rules); i++) {
        *reason = rules[i](&question);
        if (*reason) {
            *message = question.message;
            return false;
        }
    }
    return true;
}
