/* The model runtime: its calls and what they are about. */
#include "runtime.h"
#include "bugs.h"
#include "checks.h"
#include "manifests.h"
#include "nodeagent/base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* methods */

static const struct method methods[] = {
    {"Version", METHOD_NODE, &cri__version_request__descriptor, serve_version},
    {"Status", METHOD_NODE, &cri__status_request__descriptor, serve_status},
    {"RuntimeConfig", METHOD_NODE, &cri__runtime_config_request__descriptor, serve_runtime_config},
    {"UpdateRuntimeConfig", METHOD_NODE, &cri__update_runtime_config_request__descriptor,
     serve_update_runtime_config},
    {"RunPodSandbox", METHOD_CHANGE, &cri__run_pod_sandbox_request__descriptor, serve_run_sandbox},
    {"StopPodSandbox", METHOD_CHANGE, &cri__stop_pod_sandbox_request__descriptor,
     serve_stop_sandbox},
    {"RemovePodSandbox", METHOD_CHANGE, &cri__remove_pod_sandbox_request__descriptor,
     serve_remove_sandbox},
    {"PodSandboxStatus", METHOD_STATUS, &cri__pod_sandbox_status_request__descriptor,
     serve_sandbox_status},
    {"ListPodSandbox", METHOD_NODE, &cri__list_pod_sandbox_request__descriptor,
     serve_list_sandboxes},
    {"CreateContainer", METHOD_CHANGE, &cri__create_container_request__descriptor,
     serve_create_container},
    {"StartContainer", METHOD_CHANGE, &cri__start_container_request__descriptor,
     serve_start_container},
    {"StopContainer", METHOD_CHANGE, &cri__stop_container_request__descriptor,
     serve_stop_container},
    {"RemoveContainer", METHOD_CHANGE, &cri__remove_container_request__descriptor,
     serve_remove_container},
    {"ListContainers", METHOD_NODE, &cri__list_containers_request__descriptor,
     serve_list_containers},
    {"ContainerStatus", METHOD_STATUS, &cri__container_status_request__descriptor,
     serve_container_status},
    {"UpdateContainerResources", METHOD_CHANGE,
     &cri__update_container_resources_request__descriptor, serve_nothing},
    {"ReopenContainerLog", METHOD_CHANGE, &cri__reopen_container_log_request__descriptor,
     serve_nothing},
    {"ExecSync", METHOD_CHANGE, &cri__exec_sync_request__descriptor, serve_exec},
    {"GetContainerEvents", METHOD_STREAM, &cri__get_events_request__descriptor, serve_events},
    {"ListImages", METHOD_NODE, &cri__list_images_request__descriptor, serve_list_images},
    {"ImageStatus", METHOD_IMAGE, &cri__image_status_request__descriptor, serve_image_status},
    {"PullImage", METHOD_IMAGE, &cri__pull_image_request__descriptor, serve_pull_image},
    {"RemoveImage", METHOD_IMAGE, &cri__remove_image_request__descriptor, serve_remove_image},
    {"ImageFsInfo", METHOD_IMAGE, &cri__image_fs_info_request__descriptor, serve_image_fs_info},
};

const struct method *runtime_method(const char *path)
{
    const char *name = strrchr(path, '/') + 1;

    for (size_t i = 0; i < array_size(methods); i++)
        if (!strcmp(methods[i].name, name))
            return &methods[i];
    return NULL;
}

/* What a request is about: its first field is the id, but for those that make something. */
static const char *subject_of(const struct call *call, const char **uid)
{
    const char *id = "";

    *uid = "";
    if (call->method->begin == serve_run_sandbox) {
        const Cri__RunPodSandboxRequest *request = (const void *)call->request;

        *uid = request->config->metadata->uid;
        return *uid;
    }
    if (call->method->begin == serve_create_container) {
        const Cri__CreateContainerRequest *request = (const void *)call->request;
        const struct sandbox *sandbox = sandbox_find(request->pod_sandbox_id);

        *uid = sandbox ? sandbox->metadata->uid : "";
        return request->config->metadata->name;
    }
    if (call->method->begin == serve_image_status)
        return ((const Cri__ImageStatusRequest *)call->request)->image->image;
    if (call->method->begin == serve_pull_image)
        return ((const Cri__PullImageRequest *)call->request)->image->image;
    if (call->method->kind == METHOD_CHANGE || call->method->kind == METHOD_STATUS) {
        const struct container *container;
        const struct sandbox *sandbox;

        /* pod_sandbox_id and container_id are the first field of all of these. */
        id = ((const Cri__StopPodSandboxRequest *)call->request)->pod_sandbox_id;
        container = container_find(id);
        sandbox = sandbox_find(id);
        *uid = container ? container->uid : sandbox ? sandbox->metadata->uid : "";
    }
    return id;
}

void runtime_name_call(struct call *call)
{
    const char *uid, *subject = subject_of(call, &uid);

    snprintf(call->uid, sizeof(call->uid), "%s", uid);
    if (call->method->begin == serve_create_container)
        snprintf(call->key, sizeof(call->key), "%s %s/%s", call->method->name, uid, subject);
    else
        snprintf(call->key, sizeof(call->key), "%s%s%s", call->method->name, *subject ? " " : "",
                 subject);
}

/* calls */

void runtime_free_call(struct call *call)
{
    list_unlink(&call->link);
    event_cancel(call->event);
    if (call->request)
        protobuf_c_message_free_unpacked(call->request, NULL);
    free(call);
}

/* Names and objects it holds are the handler's to give back before. */
static void call_end(struct call *call)
{
    if (*call->reserved)
        name_release(call->reserved);
    runtime_free_call(call);
}

static void call_continues(void *data)
{
    struct call *call = data;

    call->event = NULL;
    call->next(call);
}

void call_after(struct call *call, usec_t delay, call_fn *next)
{
    call->next = next;
    call->event =
        event_add(delay + call->takes_longer, "runtime:", call->key, call_continues, call);
    call->takes_longer = 0;
}

void runtime_begin(struct call *call)
{
    assert_that(!world->runtime->down);
    call->method->begin(call);
}

void call_reply(struct call *call, const ProtobufCMessage *response)
{
    net_reply(call, RPC_OK, "", response);
    call_end(call);
}

void call_fail(struct call *call, enum rpc_status status, const char *format, ...)
{
    char text[REPLY_TEXT_MAX];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    trace("  runtime: %s fails: %s", call->key, text);
    net_reply(call, status, text, NULL);
    call_end(call);
}

bool call_is_abandoned(struct call *call)
{
    if (call->client || !call->rolls_back)
        return false;
    trace("  runtime: %s is given up and rolled back", call->key);
    call_end(call);
    return true;
}

/* names */

bool name_reserve(struct call *call, const char *what, const char *name)
{
    const char *owner = map_get(&world->runtime->names, name);

    if (owner && world->bug != BUG_LISTS_HIDE_SANDBOXES) {
        call_fail(call, RPC_UNKNOWN,
                  "failed to reserve %s name \"%s\": name \"%s\" is reserved for \"%s\"", what,
                  name, name, owner);
        return false;
    }
    snprintf(call->reserved, sizeof(call->reserved), "%s", name);
    map_put(&world->runtime->names, name, (void *)"a call");
    return true;
}

void name_give(struct call *call, const char *id)
{
    map_put(&world->runtime->names, call->reserved, (void *)id);
    *call->reserved = '\0';
}

void name_release(const char *name)
{
    map_remove(&world->runtime->names, name);
}

/* objects */

struct sandbox *sandbox_find(const char *id)
{
    list_for_each (node, &world->runtime->sandboxes) {
        struct sandbox *sandbox = list_entry(node, struct sandbox, link);

        if (!strcmp(sandbox->id, id))
            return sandbox;
    }
    return NULL;
}

struct container *container_find(const char *id)
{
    list_for_each (node, &world->runtime->containers) {
        struct container *container = list_entry(node, struct container, link);

        if (!strcmp(container->id, id))
            return container;
    }
    return NULL;
}

int64_t runtime_now(void)
{
    return (int64_t)world_wall() * 1000;
}

/* the whole */

struct runtime *runtime_new(void)
{
    struct runtime *runtime = mem_new(struct runtime);

    runtime->flavour = (enum flavour)draw(SITE_WORLD, "flavour", FLAVOUR_COUNT);
    runtime->network_ready = true;
    list_init(&runtime->sandboxes);
    list_init(&runtime->containers);
    list_init(&runtime->images);
    list_init(&runtime->calls);
    return runtime;
}

struct runtime *runtime_free(struct runtime *runtime)
{
    while (!list_empty(&runtime->calls))
        runtime_free_call(list_first(&runtime->calls, struct call, link));
    while (!list_empty(&runtime->containers))
        container_drop(list_first(&runtime->containers, struct container, link));
    while (!list_empty(&runtime->sandboxes))
        sandbox_drop(list_first(&runtime->sandboxes, struct sandbox, link));
    while (!list_empty(&runtime->images)) {
        struct image *image = list_first(&runtime->images, struct image, link);

        list_unlink(&image->link);
        free(image);
    }
    map_deinit(&runtime->names);
    free(runtime);
    return NULL;
}

/* All calls are lost; what they had reserved is, too. Names of objects are read again. */
void runtime_dies(void)
{
    trace("the runtime is killed");
    world->runtime->down = true;
    world_disturb();
    net_runtime_died();
    list_for_each_safe (node, &world->runtime->calls) {
        struct call *call = list_entry(node, struct call, link);

        if (call->container)
            call->container->starting = call->container->removing = false;
        if (call->sandbox)
            call->sandbox->removing = false;
        call_end(call);
    }
}

/*
 * What it finds again: processes that went on; ends that nobody saw, some without their exit
 * status; and containers of which it cannot tell.
 */
void runtime_returns(void)
{
    trace("the runtime is back");
    world->runtime->down = false;
    world_disturb();
    list_for_each (node, &world->runtime->containers) {
        struct container *container = list_entry(node, struct container, link);

        if (container->alive && container->state == CRI__CONTAINER_STATE__CONTAINER_RUNNING &&
            !manifests_is_clean(container->uid) && choose(SITE_STATE_IS_LOST, container->id, 500)) {
            container->state = CRI__CONTAINER_STATE__CONTAINER_UNKNOWN;
            container->ever_unknown = true;
            if (container->spec && container->spec->manifest->policy == RESTART_NEVER)
                container->spec->manifest->disturbed = true;
            world->runtime->changes++;
        }
    }
}

void runtime_machine_boots(void)
{
    world->runtime->down = false;
    list_for_each (node, &world->runtime->containers) {
        struct container *container = list_entry(node, struct container, link);

        if (container->alive)
            container_ends(container, 255, "Unknown");
        /* With the records gone nobody knows any more that this was not its own end. */
        else if (container->spec && container->asked_to_end && !container->exit_code &&
                 container->spec->manifest->policy == RESTART_ON_FAILURE)
            container->spec->manifest->disturbed = true;
    }
    list_for_each (node, &world->runtime->sandboxes)
        sandbox_ends(list_entry(node, struct sandbox, link));
}
