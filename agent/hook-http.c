/*
 * Lifecycle hooks over HTTP. Any answer is a success, whatever its status. One that is to come over
 * TLS and comes in the clear is asked for again in the clear, without what is secret.
 */
#include "shell.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/probes/attempt.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The reference has no limit: a preStop hook is given up when its grace is over. */
#define HOOK_LIMIT_USEC (24 * 3600 * USEC_PER_SEC)

struct hook_request {
    struct task *task;
    struct arena arena;
    struct object *object;             /* the pod's, as it was when the hook began */
    const struct container *container; /* of that */
    struct http_get_action get;
    struct handler handler;
    struct probe_attempt *attempt;
    bool again; /* in the clear */
};

static void request_free(struct hook_request *request)
{
    request->task->hook = NULL;
    object_unref(request->object);
    arena_deinit(&request->arena);
    free(request);
}

void hook_request_cancel(struct hook_request *request)
{
    if (request->attempt)
        probe_attempt_cancel(request->attempt);
    request_free(request);
}

static const char *pod_ip(struct hook_request *request)
{
    struct agent_pod *pod = request->task->pod;
    struct translation translation =
        pod_translation(pod, &request->arena, cri_cache_pod(pod->agent->cache, pod->uid));

    return translation.pod_ips.count ? translation.pod_ips.items[0] : NULL;
}

static void begin(struct hook_request *request);

static bool is_answered_in_the_clear(const struct hook_request *request,
                                     const struct probe_outcome *outcome)
{
    return !request->again && str_equal(request->get.scheme, "HTTPS") &&
           strstr(outcome->text, "server gave HTTP response to HTTPS client");
}

static void ask_in_the_clear(struct hook_request *request)
{
    const struct http_get_action *get = &request->get;
    struct http_header *headers =
        arena_array(&request->arena, struct http_header, get->http_headers.count);
    size_t count = 0;

    array_for_each (header, get->http_headers)
        if (strcasecmp(header->name, "Authorization"))
            headers[count++] = *header;
    request->get.http_headers.items = headers;
    request->get.http_headers.count = count;
    request->get.scheme = "HTTP";
    request->again = true;
    begin(request);
}

static void tell_of_fallback(const struct hook_request *request, const char *target)
{
    const char *authority = strstr(target, "://");
    char *message;

    authority = authority ? authority + strlen("://") : target;
    message = mem_printf("request to HTTPS lifecycle hook %.*s got HTTP response, retry with HTTP "
                         "succeeded",
                         (int)strcspn(authority, "/?"), authority);
    pod_event(request->task->pod, request->container->name, true, "LifecycleHTTPFallback", message);
    free(message);
}

static void on_outcome(void *owner, const struct probe_outcome *outcome)
{
    static const struct outcome good = {.state = POD_OPERATION_DONE};
    struct hook_request *request = owner;
    struct task *task = request->task;
    bool answered = probe_succeeded(outcome->verdict) || outcome->verdict == PROBE_BAD_STATUS;
    struct err err;

    request->attempt = NULL;
    if (!answered && is_answered_in_the_clear(request, outcome)) {
        ask_in_the_clear(request);
        return;
    }
    if (answered && request->again)
        tell_of_fallback(request, outcome->target);
    err_set(&err, -EIO, "%s", outcome->text);
    request_free(request);
    if (answered)
        task_done(task, &good);
    else
        task_failed(task, "HookError", &err);
}

static void begin(struct hook_request *request)
{
    struct probe_order order = {
        .handler = &request->handler,
        .container = request->container,
        .ip = pod_ip(request),
        .container_id = "",
        .timeout = HOOK_LIMIT_USEC,
        .close = true,
    };

    request->attempt = probe_attempt_begin(probing_hook_engine(request->task->pod->agent), &order,
                                           false, on_outcome, request);
}

void hook_request_begin(struct task *task, const struct container *container,
                        const struct http_get_action *get)
{
    struct hook_request *request;
    struct err err;

    if (!probing_hook_engine(task->pod->agent)) {
        err_set(&err, -EMFILE, "no HTTP hook can be run");
        task_failed(task, "HookError", &err);
        return;
    }
    request = task->hook = mem_new(struct hook_request);
    request->task = task;
    request->arena = ARENA_INIT(256, 1024);
    request->object = object_ref(task->pod->object);
    request->container = container;
    request->get = *get;
    request->handler.http_get = &request->get;
    begin(request);
}
