/* The model runtime: sandboxes. */
#include "checks.h"
#include "manifests.h"
#include "nodeagent/base/mem.h"
#include "runtime.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RUN_MIN (30 * USEC_PER_MSEC)
#define RUN_MAX (900 * USEC_PER_MSEC)
#define STOP_MIN (10 * USEC_PER_MSEC)
#define STOP_MAX (400 * USEC_PER_MSEC)

enum {
    RATE_FAILS = 300, /* of 10,000 */
};

static usec_t stop_takes(const struct call *call)
{
    return draw_usec(SITE_DURATION, call->key, STOP_MIN, STOP_MAX);
}

/* making */

static struct sandbox *sandbox_make(struct call *call)
{
    struct runtime *runtime = world->runtime;
    struct sandbox *sandbox = mem_new(struct sandbox);
    const Cri__LinuxPodSandboxConfig *config;

    sandbox->request = (Cri__RunPodSandboxRequest *)call->request;
    call->request = NULL;
    sandbox->metadata = sandbox->request->config->metadata;
    snprintf(sandbox->id, sizeof(sandbox->id), "s%u-%s", ++runtime->next_id,
             sandbox->metadata->uid);
    snprintf(sandbox->name, sizeof(sandbox->name), "%s", call->reserved);
    name_give(call, sandbox->id);
    sandbox->created_at = runtime_now();
    config = sandbox->request->config->linux_config;
    sandbox->host_network =
        config && config->security_context && config->security_context->namespace_options &&
        config->security_context->namespace_options->network == CRI__NAMESPACE_MODE__NODE;
    if (!sandbox->host_network)
        snprintf(sandbox->ip, sizeof(sandbox->ip), "10.88.%u.%u", runtime->next_ip / 250,
                 runtime->next_ip % 250 + 2);
    runtime->next_ip++;
    list_push_back(&runtime->sandboxes, &sandbox->link);
    runtime->changes++;
    return sandbox;
}

static void run_ends(struct call *call)
{
    Cri__RunPodSandboxResponse response = CRI__RUN_POD_SANDBOX_RESPONSE__INIT;
    struct sandbox *sandbox;

    if (call_is_abandoned(call))
        return;
    if (!manifests_is_clean(call->key) && choose(SITE_SANDBOX_FAILS, call->key, RATE_FAILS)) {
        /* The older ones leave what they had made so far, and its name with it. */
        if (world->runtime->flavour != FLAVOUR_2 && draw(SITE_DETAIL, call->key, 2))
            sandbox_make(call);
        call_fail(call, RPC_UNKNOWN, "failed to create containerd task: OCI runtime create failed");
        return;
    }
    sandbox = sandbox_make(call);
    sandbox->ready = true;
    sandbox->made = world->now;
    trace("  runtime: sandbox %s runs, attempt %u", sandbox->id, sandbox->metadata->attempt);
    response.pod_sandbox_id = sandbox->id;
    checks_sandbox_runs(sandbox, call->sent);
    call_reply(call, &response.base);
}

void serve_run_sandbox(struct call *call)
{
    const Cri__PodSandboxConfig *config = ((Cri__RunPodSandboxRequest *)call->request)->config;
    const Cri__PodSandboxMetadata *metadata = config->metadata;
    _cleanup_(mem_free_at) char *name = mem_printf(
        "%s_%s_%s_%u", metadata->name, metadata->namespace_, metadata->uid, metadata->attempt);
    const Cri__LinuxSandboxSecurityContext *security =
        config->linux_config ? config->linux_config->security_context : NULL;
    bool host = security && security->namespace_options &&
                security->namespace_options->network == CRI__NAMESPACE_MODE__NODE;

    if (!name_reserve(call, "sandbox", name))
        return;
    if (!world->runtime->network_ready && !host) {
        call_fail(call, RPC_UNKNOWN,
                  "failed to setup network for sandbox: cni plugin not initialized");
        return;
    }
    call_after(call, draw_usec(SITE_DURATION, call->key, RUN_MIN, RUN_MAX), run_ends);
}

/* stopping */

static void kill_containers(const struct sandbox *sandbox)
{
    list_for_each_safe (node, &world->runtime->containers) {
        struct container *container = list_entry(node, struct container, link);

        if (container->sandbox == sandbox && container->alive) {
            checks_told_to_end(container);
            container->asked_to_end = true;
            container_ends(container, 137, "Error");
        }
    }
}

void sandbox_ends(struct sandbox *sandbox)
{
    if (!sandbox->ready)
        return;
    trace("  runtime: sandbox %s ends", sandbox->id);
    sandbox->ready = false;
    *sandbox->ip = '\0';
    world->runtime->changes++;
}

/* Calls do not hold objects: another may have removed it meanwhile. */
static void stop_ends(struct call *call)
{
    const Cri__StopPodSandboxRequest *request = (const void *)call->request;
    Cri__StopPodSandboxResponse response = CRI__STOP_POD_SANDBOX_RESPONSE__INIT;
    struct sandbox *sandbox = sandbox_find(request->pod_sandbox_id);

    if (call_is_abandoned(call))
        return;
    if (sandbox) {
        kill_containers(sandbox);
        sandbox_ends(sandbox);
        sandbox->stopped = true;
    }
    call_reply(call, &response.base);
}

void serve_stop_sandbox(struct call *call)
{
    const Cri__StopPodSandboxRequest *request = (const void *)call->request;
    struct sandbox *sandbox = sandbox_find(request->pod_sandbox_id);
    Cri__StopPodSandboxResponse response = CRI__STOP_POD_SANDBOX_RESPONSE__INIT;

    if (!sandbox && world->runtime->flavour == FLAVOUR_1_6) {
        call_fail(call, RPC_NOT_FOUND,
                  "an error occurred when try to find sandbox \"%s\": not found",
                  request->pod_sandbox_id);
    } else if (!sandbox) {
        call_reply(call, &response.base);
    } else {
        kill_containers(sandbox);
        call_after(call, stop_takes(call), stop_ends);
    }
}

/* removing */

void sandbox_drop(struct sandbox *sandbox)
{
    struct manifest *manifest = manifests_find(sandbox->metadata->uid);

    list_for_each (node, &world->runtime->calls) {
        struct call *call = list_entry(node, struct call, link);

        if (call->sandbox == sandbox)
            call->sandbox = NULL;
    }
    list_unlink(&sandbox->link);
    name_release(sandbox->name);
    trace("  runtime: sandbox %s is removed", sandbox->id);
    cri__run_pod_sandbox_request__free_unpacked(sandbox->request, NULL);
    free(sandbox);
    world->runtime->changes++;
    checks_may_forget(manifest);
}

static void remove_ends(struct call *call)
{
    Cri__RemovePodSandboxResponse response = CRI__REMOVE_POD_SANDBOX_RESPONSE__INIT;
    struct sandbox *sandbox = call->sandbox;

    if (!sandbox) { /* the machine was started anew, or another call was quicker */
        call_reply(call, &response.base);
        return;
    }
    if (call_is_abandoned(call)) {
        sandbox->removing = false;
        return;
    }
    kill_containers(sandbox);
    sandbox_ends(sandbox);
    list_for_each_safe (node, &world->runtime->containers) {
        struct container *container = list_entry(node, struct container, link);

        if (container->sandbox == sandbox)
            container_drop(container);
    }
    sandbox_drop(sandbox);
    call_reply(call, &response.base);
}

void serve_remove_sandbox(struct call *call)
{
    const Cri__RemovePodSandboxRequest *request = (const void *)call->request;
    struct sandbox *sandbox = sandbox_find(request->pod_sandbox_id);
    Cri__RemovePodSandboxResponse response = CRI__REMOVE_POD_SANDBOX_RESPONSE__INIT;

    if (!sandbox) {
        call_reply(call, &response.base);
        return;
    }
    if (sandbox->removing) {
        call_fail(call, RPC_UNKNOWN, "failed to remove sandbox \"%s\": it is being removed",
                  sandbox->id);
        return;
    }
    sandbox->removing = true;
    call->sandbox = sandbox;
    call_after(call, stop_takes(call), remove_ends);
}
