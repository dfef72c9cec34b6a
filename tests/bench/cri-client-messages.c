/*
 * What the plain client asks the runtime for: the same as the agent asks for with a pod that says
 * nothing but its image. Confinement, cgroups and mounts cost the runtime time, so who asked for
 * less would look quicker. pods.py checks that the runtime makes the same of both.
 */
#include "cri-client.h"
#include "nodeagent/base/macros.h"

#include <string.h>

#define PREFIX "io.kubernetes."

struct pair {
    const char *name;
    const char *value;
};

static void *message_new(struct arena *arena, const ProtobufCMessageDescriptor *descriptor)
{
    void *message = arena_zalloc(arena, descriptor->sizeof_message);

    protobuf_c_message_init(descriptor, message);
    return message;
}

static Cri__Pair **pairs(struct arena *arena, const struct pair *items, size_t count)
{
    Cri__Pair **messages = arena_array(arena, Cri__Pair *, count);

    for (size_t i = 0; i < count; i++) {
        messages[i] = message_new(arena, &cri__pair__descriptor);
        messages[i]->key = (char *)items[i].name;
        messages[i]->value = (char *)items[i].value;
    }
    return messages;
}

static Cri__SecurityProfile *profile(struct arena *arena, Cri__SecurityProfile__ProfileType type)
{
    Cri__SecurityProfile *message = message_new(arena, &cri__security_profile__descriptor);

    message->profile_type = type;
    return message;
}

static Cri__NamespaceOption *namespaces(const struct order *order)
{
    Cri__NamespaceOption *message = message_new(order->arena, &cri__namespace_option__descriptor);

    message->pid = CRI__NAMESPACE_MODE__CONTAINER;
    if (order->options->host_network)
        message->network = CRI__NAMESPACE_MODE__NODE;
    message->userns_options = message_new(order->arena, &cri__user_namespace__descriptor);
    message->userns_options->mode = CRI__NAMESPACE_MODE__NODE;
    return message;
}

static Cri__LinuxContainerResources *resources(struct arena *arena)
{
    Cri__LinuxContainerResources *message =
        message_new(arena, &cri__linux_container_resources__descriptor);

    message->cpu_period = 100000;
    message->cpu_shares = 2;
    return message;
}

/* sandboxes */

static Cri__DNSConfig *dns(struct arena *arena)
{
    static char *servers[] = {(char *)"192.0.2.10"};
    static char *searches[] = {(char *)"default.svc.cluster.local", (char *)"svc.cluster.local",
                               (char *)"cluster.local", (char *)"example.org"};
    static char *options[] = {(char *)"ndots:5"};
    Cri__DNSConfig *message = message_new(arena, &cri__dnsconfig__descriptor);

    message->servers = servers;
    message->n_servers = array_size(servers);
    message->searches = searches;
    message->n_searches = array_size(searches);
    message->options = options;
    message->n_options = array_size(options);
    return message;
}

static Cri__LinuxPodSandboxConfig *sandbox_linux(const struct order *order)
{
    struct arena *arena = order->arena;
    Cri__LinuxPodSandboxConfig *message =
        message_new(arena, &cri__linux_pod_sandbox_config__descriptor);
    Cri__LinuxSandboxSecurityContext *security =
        message_new(arena, &cri__linux_sandbox_security_context__descriptor);

    security->namespace_options = namespaces(order);
    security->seccomp = profile(arena, CRI__SECURITY_PROFILE__PROFILE_TYPE__RuntimeDefault);
    message->security_context = security;
    message->resources = resources(arena);
    if (order->options->cgroup_parent)
        message->cgroup_parent = arena_printf(arena, "%s/kubepods/besteffort/pod%s",
                                              order->options->cgroup_parent, order->uid);
    return message;
}

Cri__PodSandboxConfig *order_sandbox(const struct order *order)
{
    const struct pair labels[] = {
        {PREFIX "pod.name", order->name},
        {PREFIX "pod.namespace", "default"},
        {PREFIX "pod.uid", order->uid},
    };
    const struct pair annotations[] = {
        {"kubernetes.io/config.hash", order->uid},
        {"kubernetes.io/config.seen", "2026-01-02T03:04:05.678901234Z"},
        {"kubernetes.io/config.source", "file"},
    };
    struct arena *arena = order->arena;
    Cri__PodSandboxConfig *message = message_new(arena, &cri__pod_sandbox_config__descriptor);

    message->metadata = message_new(arena, &cri__pod_sandbox_metadata__descriptor);
    message->metadata->name = (char *)order->name;
    message->metadata->uid = (char *)order->uid;
    message->metadata->namespace_ = (char *)"default";
    if (!order->options->host_network)
        message->hostname = (char *)order->name;
    if (order->directory)
        message->log_directory = (char *)order->directory;
    message->dns_config = dns(arena);
    message->labels = pairs(arena, labels, array_size(labels));
    message->n_labels = array_size(labels);
    message->annotations = pairs(arena, annotations, array_size(annotations));
    message->n_annotations = array_size(annotations);
    message->linux_config = sandbox_linux(order);
    return message;
}

/* containers */

static void set_mounts(const struct order *order, Cri__ContainerConfig *config)
{
    static const struct pair places[] = {
        {"hosts", "/etc/hosts"},
        {"termination-log", "/dev/termination-log"},
    };

    config->mounts = arena_array(order->arena, Cri__Mount *, array_size(places));
    config->n_mounts = array_size(places);
    for (size_t i = 0; i < array_size(places); i++) {
        config->mounts[i] = message_new(order->arena, &cri__mount__descriptor);
        config->mounts[i]->host_path =
            arena_printf(order->arena, "%s/%s", order->directory, places[i].name);
        config->mounts[i]->container_path = (char *)places[i].value;
    }
}

static void set_paths(Cri__LinuxContainerSecurityContext *security)
{
    static const char *const masked[] = {
        "/proc/asound",     "/proc/acpi",        "/proc/interrupts",
        "/proc/kcore",      "/proc/keys",        "/proc/latency_stats",
        "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug",
        "/proc/scsi",       "/sys/firmware",     "/sys/devices/virtual/powercap",
    };
    static const char *const readonly[] = {
        "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
    };

    security->masked_paths = (char **)masked;
    security->n_masked_paths = array_size(masked);
    security->readonly_paths = (char **)readonly;
    security->n_readonly_paths = array_size(readonly);
}

static Cri__LinuxContainerConfig *container_linux(const struct order *order)
{
    struct arena *arena = order->arena;
    Cri__LinuxContainerConfig *message =
        message_new(arena, &cri__linux_container_config__descriptor);
    Cri__LinuxContainerSecurityContext *security =
        message_new(arena, &cri__linux_container_security_context__descriptor);

    security->namespace_options = namespaces(order);
    security->run_as_user = message_new(arena, &cri__int64_value__descriptor);
    security->seccomp = profile(arena, CRI__SECURITY_PROFILE__PROFILE_TYPE__Unconfined);
    set_paths(security);
    message->security_context = security;
    message->resources = resources(arena);
    message->resources->oom_score_adj = 1000;
    return message;
}

Cri__ContainerConfig *order_container(const struct order *order)
{
    const struct pair labels[] = {
        {PREFIX "pod.name", order->name},
        {PREFIX "pod.namespace", "default"},
        {PREFIX "pod.uid", order->uid},
        {PREFIX "container.name", "main"},
    };
    static const struct pair annotations[] = {
        {PREFIX "container.hash", "0123abcd"},
        {PREFIX "container.restartCount", "0"},
        {PREFIX "container.terminationMessagePath", "/dev/termination-log"},
        {PREFIX "container.terminationMessagePolicy", "File"},
        {PREFIX "pod.terminationGracePeriod", "30"},
    };
    struct arena *arena = order->arena;
    Cri__ContainerConfig *message = message_new(arena, &cri__container_config__descriptor);

    message->metadata = message_new(arena, &cri__container_metadata__descriptor);
    message->metadata->name = (char *)"main";
    message->image = message_new(arena, &cri__image_spec__descriptor);
    message->image->image = (char *)order->options->image;
    message->command = order->options->command;
    while (message->command[message->n_command])
        message->n_command++;
    message->labels = pairs(arena, labels, array_size(labels));
    message->n_labels = array_size(labels);
    message->annotations = pairs(arena, annotations, array_size(annotations));
    message->n_annotations = array_size(annotations);
    if (order->directory) {
        message->log_path = (char *)"main/0.log";
        set_mounts(order, message);
    }
    message->linux_config = container_linux(order);
    return message;
}
