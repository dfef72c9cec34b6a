/*
 * A container runtime without containers: it answers at once and starts nothing, so that what is
 * measured against it is the agent. `model-runtime SOCKET [IMAGE]...` has these images, and serves
 * until it is ended.
 */
#include "cri-server.h"
#include "nodeagent/base/arena.h"
#include "nodeagent/base/macros.h"
#include "nodeagent/base/map.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/base/str.h"
#include "runtime.pb-c.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    IP_TEXT_MAX = 24,
    ID_TEXT_MAX = 24,
};

struct model {
    char **images;
    size_t image_count;
    unsigned made; /* numbers of sandboxes and containers */
    struct map sandboxes;
    struct map containers;
};

struct sandbox {
    char id[ID_TEXT_MAX];
    char ip[IP_TEXT_MAX];
    Cri__RunPodSandboxRequest *request;
    Cri__PodSandboxState state;
    int64_t created_at;
};

struct container {
    char id[ID_TEXT_MAX];
    Cri__CreateContainerRequest *request;
    Cri__ContainerState state;
    int64_t created_at, started_at, finished_at;
};

static int64_t now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_REALTIME, &time);
    return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

/* A message of the answer. */
static void *make(struct cri_exchange *exchange, const ProtobufCMessageDescriptor *descriptor)
{
    void *message = arena_alloc(&exchange->arena, descriptor->sizeof_message);

    protobuf_c_message_init(descriptor, message);
    return message;
}

/* itself */

static const ProtobufCMessage *version(struct model *model, struct cri_exchange *exchange)
{
    Cri__VersionResponse *response = make(exchange, &cri__version_response__descriptor);

    response->version = (char *)"0.1.0";
    response->runtime_name = (char *)"model";
    response->runtime_version = (char *)"1.0.0";
    response->runtime_api_version = (char *)"v1";
    return &response->base;
}

static const ProtobufCMessage *status(struct model *model, struct cri_exchange *exchange)
{
    Cri__RuntimeCondition *runtime = make(exchange, &cri__runtime_condition__descriptor),
                          *network = make(exchange, &cri__runtime_condition__descriptor),
                          **conditions = arena_array(&exchange->arena, Cri__RuntimeCondition *, 2);
    Cri__RuntimeStatus *status = make(exchange, &cri__runtime_status__descriptor);
    Cri__StatusResponse *response = make(exchange, &cri__status_response__descriptor);

    runtime->type = (char *)"RuntimeReady";
    network->type = (char *)"NetworkReady";
    runtime->status = network->status = true;
    conditions[0] = runtime;
    conditions[1] = network;
    status->conditions = conditions;
    status->n_conditions = 2;
    response->status = status;
    return &response->base;
}

static const ProtobufCMessage *runtime_config(struct model *model, struct cri_exchange *exchange)
{
    Cri__LinuxRuntimeConfiguration *config =
        make(exchange, &cri__linux_runtime_configuration__descriptor);
    Cri__RuntimeConfigResponse *response =
        make(exchange, &cri__runtime_config_response__descriptor);

    config->cgroup_driver = CRI__CGROUP_DRIVER__CGROUPFS;
    response->linux_config = config;
    return &response->base;
}

/* images */

static Cri__Image *image_of(struct cri_exchange *exchange, char *name)
{
    Cri__Image *image = make(exchange, &cri__image__descriptor);
    char **tags = arena_array(&exchange->arena, char *, 1);

    image->id = arena_printf(&exchange->arena, "sha256:%064llx",
                             (unsigned long long)map_hash(name, strlen(name)));
    tags[0] = name;
    image->repo_tags = tags;
    image->n_repo_tags = 1;
    image->size = 1 << 20;
    return image;
}

static const ProtobufCMessage *image_status(struct model *model, struct cri_exchange *exchange)
{
    Cri__ImageStatusRequest *request = (Cri__ImageStatusRequest *)exchange->request;
    Cri__ImageStatusResponse *response = make(exchange, &cri__image_status_response__descriptor);

    for (size_t i = 0; i < model->image_count; i++)
        if (str_equal(request->image->image, model->images[i]))
            response->image = image_of(exchange, model->images[i]);
    return &response->base;
}

static const ProtobufCMessage *list_images(struct model *model, struct cri_exchange *exchange)
{
    Cri__ListImagesResponse *response = make(exchange, &cri__list_images_response__descriptor);

    response->images = arena_array(&exchange->arena, Cri__Image *, model->image_count);
    for (; response->n_images < model->image_count; response->n_images++)
        response->images[response->n_images] =
            image_of(exchange, model->images[response->n_images]);
    return &response->base;
}

static const ProtobufCMessage *image_fs_info(struct model *model, struct cri_exchange *exchange)
{
    Cri__ImageFsInfoResponse *response = make(exchange, &cri__image_fs_info_response__descriptor);

    return &response->base;
}

/* sandboxes */

static struct sandbox *find_sandbox(struct model *model, struct cri_exchange *exchange,
                                    const char *id)
{
    struct sandbox *sandbox = map_get(&model->sandboxes, id);

    if (!sandbox)
        exchange->status = GRPC_STATUS_NOT_FOUND;
    return sandbox;
}

static const ProtobufCMessage *run_sandbox(struct model *model, struct cri_exchange *exchange)
{
    Cri__RunPodSandboxResponse *response =
        make(exchange, &cri__run_pod_sandbox_response__descriptor);
    struct sandbox *sandbox = mem_new(struct sandbox);
    unsigned number = ++model->made;

    snprintf(sandbox->id, sizeof(sandbox->id), "sandbox-%u", number);
    snprintf(sandbox->ip, sizeof(sandbox->ip), "10.88.%u.%u", number / 250 % 250, number % 250 + 1);
    sandbox->request = (Cri__RunPodSandboxRequest *)exchange->request;
    exchange->request = NULL;
    sandbox->created_at = now();
    map_put(&model->sandboxes, sandbox->id, sandbox);
    response->pod_sandbox_id = sandbox->id;
    return &response->base;
}

static const ProtobufCMessage *list_sandboxes(struct model *model, struct cri_exchange *exchange)
{
    Cri__ListPodSandboxRequest *request = (Cri__ListPodSandboxRequest *)exchange->request;
    Cri__ListPodSandboxResponse *response =
        make(exchange, &cri__list_pod_sandbox_response__descriptor);
    const char *id = request->filter ? request->filter->id : NULL;
    struct map_entry *entry;

    response->items =
        arena_array(&exchange->arena, Cri__PodSandbox *, map_count(&model->sandboxes) + 1);
    for (size_t at = 0; (entry = map_next(&model->sandboxes, &at));) {
        struct sandbox *sandbox = entry->value;
        Cri__PodSandboxConfig *config = sandbox->request->config;
        Cri__PodSandbox *item;

        if (!str_empty(id) && !str_equal(id, sandbox->id))
            continue;
        item = make(exchange, &cri__pod_sandbox__descriptor);
        item->id = sandbox->id;
        item->metadata = config->metadata;
        item->state = sandbox->state;
        item->created_at = sandbox->created_at;
        item->labels = config->labels;
        item->n_labels = config->n_labels;
        item->annotations = config->annotations;
        item->n_annotations = config->n_annotations;
        response->items[response->n_items++] = item;
    }
    return &response->base;
}

static const ProtobufCMessage *sandbox_status(struct model *model, struct cri_exchange *exchange)
{
    Cri__PodSandboxNetworkStatus *network =
        make(exchange, &cri__pod_sandbox_network_status__descriptor);
    Cri__PodSandboxStatus *status = make(exchange, &cri__pod_sandbox_status__descriptor);
    Cri__PodSandboxStatusResponse *response =
        make(exchange, &cri__pod_sandbox_status_response__descriptor);
    Cri__PodSandboxStatusRequest *request = (Cri__PodSandboxStatusRequest *)exchange->request;
    struct sandbox *sandbox = find_sandbox(model, exchange, request->pod_sandbox_id);
    Cri__PodSandboxConfig *config;

    if (!sandbox)
        return NULL;
    config = sandbox->request->config;
    network->ip = sandbox->ip;
    status->id = sandbox->id;
    status->metadata = config->metadata;
    status->state = sandbox->state;
    status->created_at = sandbox->created_at;
    status->network = network;
    status->labels = config->labels;
    status->n_labels = config->n_labels;
    status->annotations = config->annotations;
    status->n_annotations = config->n_annotations;
    response->status = status;
    return &response->base;
}

static const ProtobufCMessage *stop_sandbox(struct model *model, struct cri_exchange *exchange)
{
    Cri__StopPodSandboxResponse *response =
        make(exchange, &cri__stop_pod_sandbox_response__descriptor);
    Cri__StopPodSandboxRequest *request = (Cri__StopPodSandboxRequest *)exchange->request;
    struct sandbox *sandbox = find_sandbox(model, exchange, request->pod_sandbox_id);

    if (sandbox)
        sandbox->state = CRI__POD_SANDBOX_STATE__SANDBOX_NOTREADY;
    return &response->base;
}

/* containers */

static struct container *find_container(struct model *model, struct cri_exchange *exchange,
                                        const char *id)
{
    struct container *container = map_get(&model->containers, id);

    if (!container)
        exchange->status = GRPC_STATUS_NOT_FOUND;
    return container;
}

static void free_container(struct model *model, struct container *container)
{
    map_remove(&model->containers, container->id);
    cri__create_container_request__free_unpacked(container->request, NULL);
    free(container);
}

static const ProtobufCMessage *remove_sandbox(struct model *model, struct cri_exchange *exchange)
{
    Cri__RemovePodSandboxResponse *response =
        make(exchange, &cri__remove_pod_sandbox_response__descriptor);
    Cri__RemovePodSandboxRequest *request = (Cri__RemovePodSandboxRequest *)exchange->request;
    struct sandbox *sandbox = map_remove(&model->sandboxes, request->pod_sandbox_id);
    struct map_entry *entry;

    for (size_t at = 0; (entry = map_next(&model->containers, &at));) {
        struct container *container = entry->value;

        if (str_equal(container->request->pod_sandbox_id, request->pod_sandbox_id))
            free_container(model, container);
    }
    if (sandbox)
        cri__run_pod_sandbox_request__free_unpacked(sandbox->request, NULL);
    free(sandbox);
    return &response->base;
}

static const ProtobufCMessage *create_container(struct model *model, struct cri_exchange *exchange)
{
    Cri__CreateContainerResponse *response =
        make(exchange, &cri__create_container_response__descriptor);
    struct container *container = mem_new(struct container);

    snprintf(container->id, sizeof(container->id), "container-%u", ++model->made);
    container->request = (Cri__CreateContainerRequest *)exchange->request;
    exchange->request = NULL;
    container->created_at = now();
    map_put(&model->containers, container->id, container);
    response->container_id = container->id;
    return &response->base;
}

static const ProtobufCMessage *start_container(struct model *model, struct cri_exchange *exchange)
{
    Cri__StartContainerResponse *response =
        make(exchange, &cri__start_container_response__descriptor);
    Cri__StartContainerRequest *request = (Cri__StartContainerRequest *)exchange->request;
    struct container *container = find_container(model, exchange, request->container_id);

    if (container) {
        container->state = CRI__CONTAINER_STATE__CONTAINER_RUNNING;
        container->started_at = now();
    }
    return &response->base;
}

static const ProtobufCMessage *stop_container(struct model *model, struct cri_exchange *exchange)
{
    Cri__StopContainerResponse *response =
        make(exchange, &cri__stop_container_response__descriptor);
    Cri__StopContainerRequest *request = (Cri__StopContainerRequest *)exchange->request;
    struct container *container = find_container(model, exchange, request->container_id);

    if (container && container->state == CRI__CONTAINER_STATE__CONTAINER_RUNNING) {
        container->state = CRI__CONTAINER_STATE__CONTAINER_EXITED;
        container->finished_at = now();
    }
    return &response->base;
}

static const ProtobufCMessage *remove_container(struct model *model, struct cri_exchange *exchange)
{
    Cri__RemoveContainerResponse *response =
        make(exchange, &cri__remove_container_response__descriptor);
    Cri__RemoveContainerRequest *request = (Cri__RemoveContainerRequest *)exchange->request;
    struct container *container = map_get(&model->containers, request->container_id);

    if (container)
        free_container(model, container);
    return &response->base;
}

static bool is_meant(const Cri__ContainerFilter *filter, const struct container *container)
{
    return !filter || ((str_empty(filter->id) || str_equal(filter->id, container->id)) &&
                       (str_empty(filter->pod_sandbox_id) ||
                        str_equal(filter->pod_sandbox_id, container->request->pod_sandbox_id)));
}

static const ProtobufCMessage *list_containers(struct model *model, struct cri_exchange *exchange)
{
    Cri__ListContainersRequest *request = (Cri__ListContainersRequest *)exchange->request;
    Cri__ListContainersResponse *response =
        make(exchange, &cri__list_containers_response__descriptor);
    struct map_entry *entry;

    response->containers =
        arena_array(&exchange->arena, Cri__Container *, map_count(&model->containers) + 1);
    for (size_t at = 0; (entry = map_next(&model->containers, &at));) {
        struct container *container = entry->value;
        Cri__ContainerConfig *config = container->request->config;
        Cri__Container *item;

        if (!is_meant(request->filter, container))
            continue;
        item = make(exchange, &cri__container__descriptor);
        item->id = container->id;
        item->pod_sandbox_id = container->request->pod_sandbox_id;
        item->metadata = config->metadata;
        item->image = config->image;
        item->image_ref = config->image->image;
        item->state = container->state;
        item->created_at = container->created_at;
        item->labels = config->labels;
        item->n_labels = config->n_labels;
        item->annotations = config->annotations;
        item->n_annotations = config->n_annotations;
        response->containers[response->n_containers++] = item;
    }
    return &response->base;
}

static const ProtobufCMessage *container_status(struct model *model, struct cri_exchange *exchange)
{
    Cri__ContainerStatus *status = make(exchange, &cri__container_status__descriptor);
    Cri__ContainerStatusResponse *response =
        make(exchange, &cri__container_status_response__descriptor);
    Cri__ContainerStatusRequest *request = (Cri__ContainerStatusRequest *)exchange->request;
    struct container *container = find_container(model, exchange, request->container_id);
    Cri__ContainerConfig *config;

    if (!container)
        return NULL;
    config = container->request->config;
    status->id = container->id;
    status->metadata = config->metadata;
    status->state = container->state;
    status->created_at = container->created_at;
    status->started_at = container->started_at;
    status->finished_at = container->finished_at;
    status->image = config->image;
    status->image_ref = config->image->image;
    status->labels = config->labels;
    status->n_labels = config->n_labels;
    status->annotations = config->annotations;
    status->n_annotations = config->n_annotations;
    status->log_path = config->log_path;
    response->status = status;
    return &response->base;
}

#define RUNTIME "/runtime.v1.RuntimeService/"
#define IMAGES "/runtime.v1.ImageService/"

static const struct method {
    const char *path;
    const ProtobufCMessageDescriptor *request;
    const ProtobufCMessage *(*answer)(struct model *model, struct cri_exchange *exchange);
} methods[] = {
    {RUNTIME "Version", &cri__version_request__descriptor, version},
    {RUNTIME "Status", &cri__status_request__descriptor, status},
    {RUNTIME "RuntimeConfig", &cri__runtime_config_request__descriptor, runtime_config},
    {RUNTIME "RunPodSandbox", &cri__run_pod_sandbox_request__descriptor, run_sandbox},
    {RUNTIME "StopPodSandbox", &cri__stop_pod_sandbox_request__descriptor, stop_sandbox},
    {RUNTIME "RemovePodSandbox", &cri__remove_pod_sandbox_request__descriptor, remove_sandbox},
    {RUNTIME "PodSandboxStatus", &cri__pod_sandbox_status_request__descriptor, sandbox_status},
    {RUNTIME "ListPodSandbox", &cri__list_pod_sandbox_request__descriptor, list_sandboxes},
    {RUNTIME "CreateContainer", &cri__create_container_request__descriptor, create_container},
    {RUNTIME "StartContainer", &cri__start_container_request__descriptor, start_container},
    {RUNTIME "StopContainer", &cri__stop_container_request__descriptor, stop_container},
    {RUNTIME "RemoveContainer", &cri__remove_container_request__descriptor, remove_container},
    {RUNTIME "ListContainers", &cri__list_containers_request__descriptor, list_containers},
    {RUNTIME "ContainerStatus", &cri__container_status_request__descriptor, container_status},
    {IMAGES "ImageStatus", &cri__image_status_request__descriptor, image_status},
    {IMAGES "ListImages", &cri__list_images_request__descriptor, list_images},
    {IMAGES "ImageFsInfo", &cri__image_fs_info_request__descriptor, image_fs_info},
};

static void answer(void *owner, struct cri_exchange *exchange)
{
    for (const struct method *one = methods; one < methods + array_size(methods); one++)
        if (str_equal(one->path, exchange->path)) {
            exchange->request =
                protobuf_c_message_unpack(one->request, NULL, exchange->length, exchange->bytes);
            if (!exchange->request) {
                exchange->status = GRPC_STATUS_INVALID_ARGUMENT;
                return;
            }
            exchange->response = one->answer(owner, exchange);
            return;
        }
    exchange->status = GRPC_STATUS_UNIMPLEMENTED;
}

int main(int argc, char **argv)
{
    struct model model = {.images = argv + 2, .image_count = (size_t)MAX(argc - 2, 0)};

    if (argc < 2) {
        fprintf(stderr, "Usage: model-runtime SOCKET [IMAGE]...\n");
        return 2;
    }
    cri_serve(argv[1], answer, &model);
}
