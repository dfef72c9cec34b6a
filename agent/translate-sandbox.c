/* From a pod to the sandbox that its containers share. */
#include "translate-internal.h"

#include "nodeagent/objects/names.h"

#include <errno.h>
#include <string.h>

enum {
    FQDN_BYTES_MAX = 64, /* what the kernel takes for a host name */
};

/* ports */

static Cri__Protocol protocol_of(const char *protocol)
{
    if (str_equal(protocol, "UDP"))
        return CRI__PROTOCOL__UDP;
    return str_equal(protocol, "SCTP") ? CRI__PROTOCOL__SCTP : CRI__PROTOCOL__TCP;
}

/* What must not come twice in one container. */
static const char *port_key(struct arena *arena, const struct container_port *port)
{
    const char *ip = wire_text(port->host_ip);
    const char *family = !*ip ? "any" : ip_is_v6(ip) ? "v6" : "v4";

    if (!str_empty(port->name))
        return port->name;
    return arena_printf(arena, "%s-%s-%s:%d:%d", family, wire_text(port->protocol), ip,
                        port->container_port, port->host_port);
}

static Cri__PortMapping *port_new(struct arena *arena, const struct container_port *port)
{
    Cri__PortMapping *mapping = message_new(arena, &cri__port_mapping__descriptor);

    mapping->protocol = protocol_of(port->protocol);
    mapping->container_port = port->container_port;
    mapping->host_port = port->host_port;
    mapping->host_ip = wire_text(port->host_ip);
    return mapping;
}

static void add_container_ports(struct arena *arena, const struct container *container,
                                Cri__PodSandboxConfig *sandbox)
{
    _cleanup_(map_deinit) struct map seen = MAP_INIT;

    array_for_each (port, container->ports) {
        if (!map_put(&seen, port_key(arena, port), port))
            sandbox->port_mappings[sandbox->n_port_mappings++] = port_new(arena, port);
    }
}

static void add_ports(const struct translation *translation, Cri__PodSandboxConfig *sandbox)
{
    const struct container_list *containers = &translation->pod->spec.containers;
    size_t count = 0;

    array_for_each (container, *containers)
        count += container->ports.count;
    if (!count)
        return;
    sandbox->port_mappings = arena_array(translation->arena, Cri__PortMapping *, count);
    array_for_each (container, *containers)
        add_container_ports(translation->arena, container, sandbox);
}

/* the host name */

static int set_hostname(const struct translation *translation, Cri__PodSandboxConfig *sandbox,
                        struct err *err)
{
    const struct pod_spec *spec = &translation->pod->spec;
    const char *host, *domain;
    int r = translate_hostname(translation, &host, &domain, err);

    if (r < 0 || spec->host_network)
        return r;
    if (spec->set_hostname_as_fqdn == OPT_TRUE && *domain) {
        host = arena_printf(translation->arena, "%s.%s", host, domain);
        if (strlen(host) > FQDN_BYTES_MAX)
            return err_set(err, -ENAMETOOLONG,
                           "failed to construct FQDN from pod hostname and cluster domain, FQDN "
                           "%s is too long (%d characters is the max, %zu characters requested)",
                           host, FQDN_BYTES_MAX, strlen(host));
    }
    sandbox->hostname = wire_text(host);
    return 0;
}

/* the kernel's parameters */

/* A name may be written with "/" between its parts and "." within them; the runtime wants dots. */
static const char *sysctl_name(struct arena *arena, const char *name)
{
    size_t first = strcspn(name, "./");
    char *swapped;

    if (name[first] != '/')
        return name;
    swapped = arena_strdup(arena, name);
    for (char *c = swapped; *c; c++) {
        if (*c == '/')
            *c = '.';
        else if (*c == '.')
            *c = '/';
    }
    return swapped;
}

static void set_sysctls(const struct translation *translation, Cri__LinuxPodSandboxConfig *part)
{
    const struct pod_security_context *context = translation->pod->spec.security_context;
    struct string_map sysctls = {0};

    if (!context)
        return;
    sysctls.items = arena_array(translation->arena, struct string_pair, context->sysctls.count);
    array_for_each (sysctl, context->sysctls)
        sysctls.items[sysctls.count++] =
            (struct string_pair){sysctl_name(translation->arena, sysctl->name), sysctl->value};
    part->n_sysctls = sysctls.count;
    part->sysctls = wire_pairs(translation->arena, &sysctls);
}

/* the sandbox */

static Cri__PodSandboxMetadata *metadata_new(const struct translation *translation,
                                             uint32_t attempt)
{
    const struct object_meta *meta = &translation->pod->object.metadata;
    Cri__PodSandboxMetadata *metadata =
        message_new(translation->arena, &cri__pod_sandbox_metadata__descriptor);

    metadata->name = wire_text(meta->name);
    metadata->namespace_ = wire_text(meta->name_space);
    metadata->uid = wire_text(meta->uid);
    metadata->attempt = attempt;
    return metadata;
}

static void set_identity(const struct translation *translation, Cri__PodSandboxConfig *sandbox)
{
    const struct object_meta *meta = &translation->pod->object.metadata;
    struct string_map labels = translate_sandbox_labels(translation);

    sandbox->log_directory =
        arena_printf(translation->arena, "%s/%s_%s_%s", translation->node->config->pod_logs_dir,
                     wire_text(meta->name_space), wire_text(meta->name), wire_text(meta->uid));
    sandbox->n_labels = labels.count;
    sandbox->labels = wire_pairs(translation->arena, &labels);
    sandbox->n_annotations = meta->annotations.count;
    sandbox->annotations = wire_pairs(translation->arena, &meta->annotations);
}

static int set_linux(const struct translation *translation, Cri__PodSandboxConfig *sandbox,
                     struct err *err)
{
    Cri__LinuxPodSandboxConfig *part =
        message_new(translation->arena, &cri__linux_pod_sandbox_config__descriptor);

    sandbox->linux_config = part;
    part->cgroup_parent = wire_text(translate_cgroup_parent(translation));
    part->overhead = translate_overhead(translation);
    part->resources = translate_sandbox_resources(translation);
    set_sysctls(translation, part);
    return translate_sandbox_security(translation, &part->security_context, err);
}

int translate_sandbox(const struct translation *translation, const struct resolv_conf *host,
                      uint32_t attempt, Cri__PodSandboxConfig **result, struct string_map *warnings,
                      struct err *err)
{
    Cri__PodSandboxConfig *sandbox =
        message_new(translation->arena, &cri__pod_sandbox_config__descriptor);
    int r;

    *result = sandbox;
    sandbox->metadata = metadata_new(translation, attempt);
    set_identity(translation, sandbox);
    sandbox->dns_config = translate_dns(translation, host, warnings);
    add_ports(translation, sandbox);
    r = set_hostname(translation, sandbox, err);
    return r < 0 ? r : set_linux(translation, sandbox, err);
}
