/* The model runtime: containers, and commands in them. */
#include "bugs.h"
#include "checks.h"
#include "manifests.h"
#include "nodeagent/base/mem.h"
#include "runtime.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CREATE_MIN (10 * USEC_PER_MSEC)
#define CREATE_MAX (200 * USEC_PER_MSEC)
#define START_MIN (10 * USEC_PER_MSEC)
#define START_MAX (300 * USEC_PER_MSEC)
#define REMOVE_MIN (5 * USEC_PER_MSEC)
#define REMOVE_MAX (100 * USEC_PER_MSEC)
#define EXEC_MIN (5 * USEC_PER_MSEC)
#define EXEC_MAX (8 * USEC_PER_SEC)

enum {
    RATE_CREATE_FAILS = 200, /* of 10,000 */
    RATE_START_FAILS = 200,
    RATE_EXEC_FAILS = 500,
};

static const char *label_of(const Cri__ContainerConfig *config, const char *key)
{
    for (size_t i = 0; i < config->n_labels; i++)
        if (!strcmp(config->labels[i]->key, key))
            return config->labels[i]->value;
    return "";
}

static bool fails(enum site site, const struct call *call, unsigned rate)
{
    return !manifests_is_clean(call->key) && choose(site, call->key, rate);
}

static void not_found(struct call *call, const char *id)
{
    call_fail(call, RPC_NOT_FOUND, "an error occurred when try to find container \"%s\": not found",
              id);
}

/* creating */

static void create_ends(struct call *call)
{
    Cri__CreateContainerRequest *request = (Cri__CreateContainerRequest *)call->request;
    Cri__CreateContainerResponse response = CRI__CREATE_CONTAINER_RESPONSE__INIT;
    struct runtime *runtime = world->runtime;
    struct sandbox *sandbox = sandbox_find(request->pod_sandbox_id);
    struct container *container;

    if (call_is_abandoned(call))
        return;
    if (!sandbox || world->bug == BUG_RETRIES_AT_ONCE ||
        fails(SITE_CREATE_FAILS, call, RATE_CREATE_FAILS)) {
        call_fail(call, RPC_UNKNOWN, "failed to create containerd container: snapshot: not found");
        return;
    }
    container = mem_new(struct container);
    container->request = request;
    call->request = NULL;
    container->config = request->config;
    container->sandbox = sandbox;
    container->uid = label_of(container->config, "io.kubernetes.pod.uid");
    snprintf(container->sandbox_id, sizeof(container->sandbox_id), "%s", sandbox->id);
    snprintf(container->id, sizeof(container->id), "c%u-%s-%s", ++runtime->next_id, container->uid,
             container->config->metadata->name);
    snprintf(container->name, sizeof(container->name), "%s", call->reserved);
    name_give(call, container->id);
    container->state = CRI__CONTAINER_STATE__CONTAINER_CREATED;
    container->created_at = runtime_now();
    container->reason = container->message = "";
    container->spec = manifests_container(container->uid, container->config->metadata->name);
    list_push_back(&runtime->containers, &container->link);
    runtime->changes++;
    trace("  runtime: container %s is created, attempt %u", container->id,
          container->config->metadata->attempt);
    net_hint(container, CRI__CONTAINER_EVENT_TYPE__CONTAINER_CREATED_EVENT);
    response.container_id = container->id;
    call_reply(call, &response.base);
}

void serve_create_container(struct call *call)
{
    const Cri__CreateContainerRequest *request = (const void *)call->request;
    const struct sandbox *sandbox = sandbox_find(request->pod_sandbox_id);
    const Cri__ContainerMetadata *metadata = request->config->metadata;
    _cleanup_(mem_free_at) char *name = NULL;

    if (!sandbox) {
        call_fail(call, RPC_NOT_FOUND, "failed to find sandbox id \"%s\": not found",
                  request->pod_sandbox_id);
        return;
    }
    if (!sandbox->ready) {
        call_fail(call, RPC_NOT_FOUND,
                  "failed to get sandbox container task: no running task found");
        return;
    }
    name = mem_printf("%s_%s_%s_%s_%u", metadata->name, sandbox->metadata->name,
                      sandbox->metadata->namespace_, sandbox->metadata->uid, metadata->attempt);
    if (!name_reserve(call, "container", name))
        return;
    if (!runtime_image(request->config->image->image)) {
        call_fail(call, RPC_NOT_FOUND, "failed to resolve image \"%s\": not found",
                  request->config->image->image);
        return;
    }
    call_after(call, draw_usec(SITE_DURATION, call->key, CREATE_MIN, CREATE_MAX), create_ends);
}

/* starting */

static void start_fails(struct container *container)
{
    container->state = CRI__CONTAINER_STATE__CONTAINER_EXITED;
    container->finished_at = runtime_now();
    container->finished = world->now;
    container->exit_code = 128;
    container->reason = "StartError";
    container->message = "failed to create containerd task: OCI runtime create failed";
    world->runtime->changes++;
    checks_container_ended(container);
}

static void start_ends(struct call *call)
{
    Cri__StartContainerResponse response = CRI__START_CONTAINER_RESPONSE__INIT;
    struct container *container = call->container;

    if (!container) {
        call_fail(call, RPC_NOT_FOUND, "the container was removed meanwhile");
        return;
    }
    container->starting = false;
    if (call_is_abandoned(call)) {
        start_fails(container);
        return;
    }
    if (!container->sandbox->ready || fails(SITE_START_FAILS, call, RATE_START_FAILS)) {
        start_fails(container);
        call_fail(call, RPC_UNKNOWN, "%s", container->message);
        return;
    }
    container_begins(container);
    call_reply(call, &response.base);
}

static const char *not_startable(const struct container *container)
{
    if (container->starting)
        return "container is already in starting state";
    if (container->removing)
        return "container is in removing state, can't be started";
    switch (container->state) {
    case CRI__CONTAINER_STATE__CONTAINER_CREATED:
        return NULL;
    case CRI__CONTAINER_STATE__CONTAINER_RUNNING:
        return "container is in CONTAINER_RUNNING state";
    case CRI__CONTAINER_STATE__CONTAINER_EXITED:
        return "container is in CONTAINER_EXITED state";
    default:
        return "container is in CONTAINER_UNKNOWN state";
    }
}

void serve_start_container(struct call *call)
{
    const Cri__StartContainerRequest *request = (const void *)call->request;
    struct container *container = container_find(request->container_id);
    const char *why_not;

    if (!container) {
        not_found(call, request->container_id);
        return;
    }
    why_not = not_startable(container);
    if (why_not) {
        call_fail(call, RPC_UNKNOWN, "failed to set starting state for container \"%s\": %s",
                  container->id, why_not);
        return;
    }
    if (!container->sandbox->ready) {
        call_fail(call, RPC_UNKNOWN, "sandbox container \"%s\" is not running",
                  container->sandbox_id);
        return;
    }
    container->starting = true;
    container->start_sent = call->sent;
    call->container = container;
    call_after(call, draw_usec(SITE_DURATION, call->key, START_MIN, START_MAX), start_ends);
}

/* stopping */

/* When the container has ended: runtime-life.c calls it. */
void container_stop_ends(struct call *call)
{
    Cri__StopContainerResponse response = CRI__STOP_CONTAINER_RESPONSE__INIT;

    if (!call_is_abandoned(call))
        call_reply(call, &response.base);
}

void serve_stop_container(struct call *call)
{
    const Cri__StopContainerRequest *request = (const void *)call->request;
    struct container *container = container_find(request->container_id);

    if (!container && world->runtime->flavour == FLAVOUR_1_6) {
        not_found(call, request->container_id);
    } else if (!container || !container->alive) {
        if (container)
            checks_stopped_after_end(container);
        container_stop_ends(call);
    } else {
        call->container = container;
        container_asked_to_end(container, (usec_t)MAX(request->timeout, 0) * USEC_PER_SEC);
    }
}

/* removing */

static void remove_ends(struct call *call)
{
    Cri__RemoveContainerResponse response = CRI__REMOVE_CONTAINER_RESPONSE__INIT;
    const Cri__RemoveContainerRequest *request = (const void *)call->request;
    struct container *container = container_find(request->container_id);

    /* Its sandbox may have been removed meanwhile, and the container with it. */
    if (!container) {
        call_reply(call, &response.base);
        return;
    }
    if (call_is_abandoned(call)) {
        container->removing = false;
        return;
    }
    if (container->alive) {
        container->asked_to_end = true;
        container_ends(container, 137, "Error");
    }
    net_hint(container, CRI__CONTAINER_EVENT_TYPE__CONTAINER_DELETED_EVENT);
    container_drop(container);
    call_reply(call, &response.base);
}

void serve_remove_container(struct call *call)
{
    const Cri__RemoveContainerRequest *request = (const void *)call->request;
    struct container *container = container_find(request->container_id);
    Cri__RemoveContainerResponse response = CRI__REMOVE_CONTAINER_RESPONSE__INIT;

    if (!container) {
        call_reply(call, &response.base);
        return;
    }
    if (container->starting || container->removing) {
        call_fail(call, RPC_UNKNOWN,
                  "failed to set removing state for container \"%s\": container is %s",
                  container->id,
                  container->starting ? "in starting state, can't be removed"
                                      : "already in removing state");
        return;
    }
    container->removing = true;
    call->container = container;
    call_after(call, draw_usec(SITE_DURATION, call->key, REMOVE_MIN, REMOVE_MAX), remove_ends);
}

/* commands in it */

void container_hook_failed(const Cri__ExecSyncRequest *request)
{
    struct container *container = container_find(request->container_id);

    if (container && str_equal(request->cmd[0], "postStart"))
        container->hook_failed = true;
}

static void exec_ends(struct call *call)
{
    const Cri__ExecSyncRequest *request = (const void *)call->request;
    Cri__ExecSyncResponse response = CRI__EXEC_SYNC_RESPONSE__INIT;

    if (fails(SITE_EXEC_FAILS, call, RATE_EXEC_FAILS))
        response.exit_code = 1;
    if (response.exit_code)
        container_hook_failed(request);
    call_reply(call, &response.base);
}

static void exec_times_out(struct call *call)
{
    call_fail(call, RPC_DEADLINE_EXCEEDED, "context deadline exceeded");
}

void serve_exec(struct call *call)
{
    const Cri__ExecSyncRequest *request = (const void *)call->request;
    struct container *container = container_find(request->container_id);
    usec_t takes = draw_usec_wide(SITE_DURATION, call->key, EXEC_MIN, EXEC_MAX),
           limit = (usec_t)request->timeout * USEC_PER_SEC;

    if (!container) {
        not_found(call, request->container_id);
        return;
    }
    if (container->state != CRI__CONTAINER_STATE__CONTAINER_RUNNING) {
        call_fail(call, RPC_UNKNOWN, "container is in CONTAINER_EXITED state");
        return;
    }
    if (limit && takes > limit)
        call_after(call, limit, exec_times_out);
    else
        call_after(call, takes, exec_ends);
}

/* Answers without fields look alike on the wire. */
void serve_nothing(struct call *call)
{
    Cri__ReopenContainerLogResponse response = CRI__REOPEN_CONTAINER_LOG_RESPONSE__INIT;

    call_reply(call, &response.base);
}
