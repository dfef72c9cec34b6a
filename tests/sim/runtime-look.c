/* The model runtime: what it says of itself and of what it has. */
#include "bugs.h"
#include "nodeagent/base/mem.h"
#include "runtime.h"

#include <stdlib.h>
#include <string.h>

/* itself */

void serve_version(struct call *call)
{
    Cri__VersionResponse response = CRI__VERSION_RESPONSE__INIT;
    static const char *const versions[] = {"1.6.20", "1.7.24", "2.1.3"};

    response.version = (char *)"0.1.0";
    response.runtime_name = (char *)"containerd";
    response.runtime_version = (char *)versions[world->runtime->flavour];
    response.runtime_api_version = (char *)"v1";
    call_reply(call, &response.base);
}

void serve_status(struct call *call)
{
    Cri__RuntimeCondition runtime = CRI__RUNTIME_CONDITION__INIT,
                          network = CRI__RUNTIME_CONDITION__INIT,
                          *conditions[] = {&runtime, &network};
    Cri__RuntimeStatus status = CRI__RUNTIME_STATUS__INIT;
    Cri__StatusResponse response = CRI__STATUS_RESPONSE__INIT;

    runtime.type = (char *)"RuntimeReady";
    runtime.status = true;
    network.type = (char *)"NetworkReady";
    network.status = world->runtime->network_ready;
    if (!network.status) {
        network.reason = (char *)"NetworkPluginNotReady";
        network.message = (char *)"Network plugin returns error: cni plugin not initialized";
    }
    status.conditions = conditions;
    status.n_conditions = array_size(conditions);
    response.status = &status;
    call_reply(call, &response.base);
}

void serve_runtime_config(struct call *call)
{
    Cri__LinuxRuntimeConfiguration config = CRI__LINUX_RUNTIME_CONFIGURATION__INIT;
    Cri__RuntimeConfigResponse response = CRI__RUNTIME_CONFIG_RESPONSE__INIT;

    if (world->runtime->flavour != FLAVOUR_2) {
        call_fail(call, RPC_UNIMPLEMENTED, "unknown method RuntimeConfig");
        return;
    }
    config.cgroup_driver = CRI__CGROUP_DRIVER__CGROUPFS;
    response.linux_config = &config;
    call_reply(call, &response.base);
}

void serve_update_runtime_config(struct call *call)
{
    Cri__UpdateRuntimeConfigResponse response = CRI__UPDATE_RUNTIME_CONFIG_RESPONSE__INIT;

    call_reply(call, &response.base);
}

/* The call stays: hints go to all that are open. */
static void stream_ends(struct call *call)
{
    call_fail(call, RPC_UNAVAILABLE, "transport is closing");
}

void serve_events(struct call *call)
{
    if (world->runtime->flavour == FLAVOUR_1_6)
        call_fail(call, RPC_UNIMPLEMENTED, "unknown method GetContainerEvents");
    else if (choose(SITE_STREAM_ENDS, call->key, 3000))
        call_after(call, draw_usec(SITE_DURATION, call->key, 0, 100 * USEC_PER_SEC), stream_ends);
}

/* lists */

static bool labels_match(Cri__Pair **wanted, size_t wanted_count, Cri__Pair **labels, size_t count)
{
    for (size_t i = 0; i < wanted_count; i++) {
        size_t j = 0;

        while (j < count && strcmp(labels[j]->key, wanted[i]->key))
            j++;
        if (j == count || strcmp(labels[j]->value, wanted[i]->value))
            return false;
    }
    return true;
}

static Cri__PodSandboxState state_of(const struct sandbox *sandbox)
{
    return sandbox->ready ? CRI__POD_SANDBOX_STATE__SANDBOX_READY
                          : CRI__POD_SANDBOX_STATE__SANDBOX_NOTREADY;
}

static bool sandbox_matches(const struct sandbox *sandbox, const Cri__PodSandboxFilter *filter)
{
    const Cri__PodSandboxConfig *config = sandbox->request->config;

    if (!filter)
        return true;
    if (*filter->id && strcmp(filter->id, sandbox->id))
        return false;
    if (filter->state && filter->state->state != state_of(sandbox))
        return false;
    return labels_match(filter->label_selector, filter->n_label_selector, config->labels,
                        config->n_labels);
}

void serve_list_sandboxes(struct call *call)
{
    const Cri__ListPodSandboxRequest *request = (const void *)call->request;
    size_t space = list_count(&world->runtime->sandboxes) + 1;
    _cleanup_(mem_free_at) Cri__PodSandbox *items = mem_alloc(sizeof(*items) * space);
    _cleanup_(mem_free_at) Cri__PodSandbox **pointers = mem_alloc(sizeof(*pointers) * space);
    Cri__ListPodSandboxResponse response = CRI__LIST_POD_SANDBOX_RESPONSE__INIT;

    response.items = pointers;
    list_for_each (node, &world->runtime->sandboxes) {
        const struct sandbox *sandbox = list_entry(node, struct sandbox, link);
        const Cri__PodSandboxConfig *config = sandbox->request->config;
        Cri__PodSandbox *item = &items[response.n_items];

        if (!sandbox_matches(sandbox, request->filter) ||
            bug_shows(BUG_LISTS_HIDE_SANDBOXES, sandbox->id))
            continue;
        cri__pod_sandbox__init(item);
        item->id = (char *)sandbox->id;
        item->metadata = (Cri__PodSandboxMetadata *)sandbox->metadata;
        item->state = state_of(sandbox);
        item->created_at = sandbox->created_at;
        item->labels = config->labels;
        item->n_labels = config->n_labels;
        item->annotations = config->annotations;
        item->n_annotations = config->n_annotations;
        item->runtime_handler = sandbox->request->runtime_handler;
        pointers[response.n_items++] = item;
    }
    call_reply(call, &response.base);
}

static Cri__ContainerState state_told(const struct container *container)
{
    if (world->bug == BUG_EXITS_ARE_HIDDEN &&
        container->state == CRI__CONTAINER_STATE__CONTAINER_EXITED)
        return CRI__CONTAINER_STATE__CONTAINER_RUNNING;
    return container->state;
}

static bool container_matches(const struct container *container, const Cri__ContainerFilter *filter)
{
    const Cri__ContainerConfig *config = container->config;

    if (!filter)
        return true;
    if (*filter->id && strcmp(filter->id, container->id))
        return false;
    if (*filter->pod_sandbox_id && strcmp(filter->pod_sandbox_id, container->sandbox_id))
        return false;
    if (filter->state && filter->state->state != container->state)
        return false;
    return labels_match(filter->label_selector, filter->n_label_selector, config->labels,
                        config->n_labels);
}

static void change_hash(const struct container *container)
{
    const Cri__ContainerConfig *config = container->config;

    for (size_t i = 0; i < config->n_annotations; i++)
        if (!strcmp(config->annotations[i]->key, "io.kubernetes.container.hash"))
            *config->annotations[i]->value = '#';
}

void serve_list_containers(struct call *call)
{
    const Cri__ListContainersRequest *request = (const void *)call->request;
    size_t space = list_count(&world->runtime->containers) + 1;
    _cleanup_(mem_free_at) Cri__Container *items = mem_alloc(sizeof(*items) * space);
    _cleanup_(mem_free_at) Cri__Container **pointers = mem_alloc(sizeof(*pointers) * space);
    Cri__ListContainersResponse response = CRI__LIST_CONTAINERS_RESPONSE__INIT;

    response.containers = pointers;
    list_for_each (node, &world->runtime->containers) {
        const struct container *container = list_entry(node, struct container, link);
        const Cri__ContainerConfig *config = container->config;
        Cri__Container *item = &items[response.n_containers];

        if (!container_matches(container, request->filter) ||
            bug_shows(BUG_LISTS_HIDE_CONTAINERS, container->id))
            continue;
        if (world->life.number > 1 && bug_shows(BUG_HASHES_CHANGE, container->id))
            change_hash(container);
        cri__container__init(item);
        item->id = (char *)container->id;
        item->pod_sandbox_id = (char *)container->sandbox_id;
        item->metadata = config->metadata;
        item->image = config->image;
        item->image_ref = config->image->image;
        item->state = state_told(container);
        item->created_at = container->created_at;
        if (world->bug == BUG_STATUSES_FLAP)
            item->state = draw(SITE_BUG, container->id, 2) ? CRI__CONTAINER_STATE__CONTAINER_EXITED
                                                           : container->state;
        item->labels = config->labels;
        item->n_labels = config->n_labels;
        item->annotations = config->annotations;
        item->n_annotations = config->n_annotations;
        pointers[response.n_containers++] = item;
    }
    call_reply(call, &response.base);
}

/* statuses */

void serve_sandbox_status(struct call *call)
{
    const Cri__PodSandboxStatusRequest *request = (const void *)call->request;
    const struct sandbox *sandbox = sandbox_find(request->pod_sandbox_id);
    Cri__PodSandboxStatusResponse response = CRI__POD_SANDBOX_STATUS_RESPONSE__INIT;
    Cri__PodSandboxStatus status = CRI__POD_SANDBOX_STATUS__INIT;
    Cri__PodSandboxNetworkStatus network = CRI__POD_SANDBOX_NETWORK_STATUS__INIT;
    Cri__NamespaceOption options = CRI__NAMESPACE_OPTION__INIT;
    Cri__Namespace namespaces = CRI__NAMESPACE__INIT;
    Cri__LinuxPodSandboxStatus linux_status = CRI__LINUX_POD_SANDBOX_STATUS__INIT;
    const Cri__PodSandboxConfig *config;

    if (!sandbox) {
        call_fail(call, RPC_NOT_FOUND,
                  "an error occurred when try to find sandbox \"%s\": not found",
                  request->pod_sandbox_id);
        return;
    }
    config = sandbox->request->config;
    status.id = (char *)sandbox->id;
    status.metadata = (Cri__PodSandboxMetadata *)sandbox->metadata;
    status.state = state_of(sandbox);
    status.created_at = sandbox->created_at;
    network.ip = (char *)sandbox->ip;
    status.network = &network;
    options.network = sandbox->host_network ? CRI__NAMESPACE_MODE__NODE : CRI__NAMESPACE_MODE__POD;
    namespaces.options = &options;
    linux_status.namespaces = &namespaces;
    status.linux_status = &linux_status;
    status.labels = config->labels;
    status.n_labels = config->n_labels;
    status.annotations = config->annotations;
    status.n_annotations = config->n_annotations;
    status.runtime_handler = sandbox->request->runtime_handler;
    response.status = &status;
    call_reply(call, &response.base);
}

void serve_container_status(struct call *call)
{
    const Cri__ContainerStatusRequest *request = (const void *)call->request;
    const struct container *container = container_find(request->container_id);
    Cri__ContainerStatusResponse response = CRI__CONTAINER_STATUS_RESPONSE__INIT;
    Cri__ContainerStatus status = CRI__CONTAINER_STATUS__INIT;
    Cri__ImageSpec image = CRI__IMAGE_SPEC__INIT;
    _cleanup_(mem_free_at) char *log_path = NULL;
    const Cri__ContainerConfig *config;

    if (!container) {
        call_fail(call, RPC_NOT_FOUND,
                  "an error occurred when try to find container \"%s\": not found",
                  request->container_id);
        return;
    }
    config = container->config;
    log_path =
        mem_printf("%s/%s", container->request->sandbox_config->log_directory, config->log_path);
    status.id = (char *)container->id;
    status.metadata = config->metadata;
    status.state = state_told(container);
    status.created_at = container->created_at;
    if (container->state != CRI__CONTAINER_STATE__CONTAINER_UNKNOWN) {
        status.started_at = container->started_at;
        status.finished_at = container->finished_at;
        status.exit_code = container->exit_code + (world->bug == BUG_EXIT_CODES_DIFFER);
        status.reason = (char *)container->reason;
        status.message = (char *)container->message;
    }
    image.image = *config->image->user_specified_image ? config->image->user_specified_image
                                                       : config->image->image;
    status.image = &image;
    status.image_ref = config->image->image;
    status.labels = config->labels;
    status.n_labels = config->n_labels;
    status.annotations = config->annotations;
    status.n_annotations = config->n_annotations;
    status.mounts = config->mounts;
    status.n_mounts = config->n_mounts;
    status.log_path = log_path;
    response.status = &status;
    call_reply(call, &response.base);
}
