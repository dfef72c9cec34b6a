/* Typed calls to the runtime: packing requests, unpacking responses. */
#include "nodeagent/cri/client.h"
#include "endpoint.h"
#include "method.h"
#include "nodeagent/base/list.h"
#include "nodeagent/base/mem.h"

#include <errno.h>
#include <stdlib.h>

/* Two channels, as the reference has: a pull that fills one does not delay the pods' calls. */
struct cri {
    struct rpc_channel *runtime;
    struct rpc_channel *images;
    struct list calls;
};

struct cri_call {
    struct list link;
    struct rpc_call *rpc;
    const struct cri_method *method;
    cri_event_fn *event;
    cri_done_fn *done;
    void *owner;
};

static int connect_to(struct rpc_channel **channel, struct rpc *rpc, const char *endpoint,
                      struct err *err)
{
    char *target;
    int r = cri_endpoint_target(endpoint, &target, err);

    if (r < 0)
        return r;
    r = rpc_channel_new(channel, rpc, target, err);
    free(target);
    return r;
}

int cri_new(struct cri **result, struct rpc *rpc, const char *runtime_endpoint,
            const char *image_endpoint, struct err *err)
{
    struct cri *cri = mem_new(struct cri);
    int r;

    list_init(&cri->calls);
    r = connect_to(&cri->runtime, rpc, runtime_endpoint, err);
    if (r == 0)
        r = connect_to(&cri->images, rpc, image_endpoint ? image_endpoint : runtime_endpoint, err);
    if (r < 0) {
        cri_free(cri);
        return r;
    }
    *result = cri;
    return 0;
}

struct cri *cri_free(struct cri *cri)
{
    if (!cri)
        return NULL;
    list_for_each_safe (node, &cri->calls)
        cri_cancel(list_entry(node, struct cri_call, link));
    rpc_channel_free(cri->runtime);
    rpc_channel_free(cri->images);
    free(cri);
    return NULL;
}

void cri_watch_connection(struct cri *cri, rpc_connected_fn *connected, void *owner)
{
    rpc_channel_watch(cri->runtime, connected, owner);
}

/* calls */

static void call_free(struct cri_call *call)
{
    list_unlink(&call->link);
    free(call);
}

static ProtobufCMessage *unpack(const struct cri_call *call, const void *bytes, size_t length)
{
    return protobuf_c_message_unpack(call->method->response, NULL, length, bytes);
}

static void on_done(void *owner, const struct rpc_reply *rpc)
{
    struct cri_call *call = owner;
    struct cri_reply reply = {.status = rpc->status, .text = rpc->text};
    ProtobufCMessage *message = NULL;

    if (rpc->status == RPC_OK && !call->event) {
        message = unpack(call, rpc->bytes, rpc->length);
        reply.message = message;
        if (!message) {
            reply.status = RPC_INTERNAL;
            reply.text = "the runtime's answer cannot be decoded";
        }
    }
    list_unlink(&call->link); /* the owner may free the connection now */
    call->done(call->owner, &reply);
    if (message)
        protobuf_c_message_free_unpacked(message, NULL);
    free(call);
}

/* An event that cannot be decoded is passed over: events are hints. */
static void on_event(void *owner, const void *bytes, size_t length)
{
    struct cri_call *call = owner;
    ProtobufCMessage *message = unpack(call, bytes, length);

    if (!message)
        return;
    call->event(call->owner, message);
    protobuf_c_message_free_unpacked(message, NULL);
}

static int call_start(struct cri_call **result, struct cri *cri, struct cri_call template,
                      const ProtobufCMessage *request, usec_t timeout, struct err *err)
{
    const struct cri_method *method = template.method;
    struct rpc_channel *channel = method->service == CRI_RUNTIME ? cri->runtime : cri->images;
    size_t length = protobuf_c_message_get_packed_size(request);
    _cleanup_(mem_free_at) uint8_t *bytes = mem_alloc(length);
    struct rpc_request rpc = {
        .method = method->path,
        .bytes = bytes,
        .length = length,
        .timeout = timeout,
    };
    struct cri_call *call = mem_new(struct cri_call);
    int r;

    assert_that(request->descriptor == method->request);
    protobuf_c_message_pack(request, bytes);
    *call = template;
    list_push_back(&cri->calls, &call->link);
    if (call->event)
        r = rpc_stream(&call->rpc, channel, &rpc, on_event, on_done, call, err);
    else
        r = rpc_unary(&call->rpc, channel, &rpc, on_done, call, err);
    if (r < 0) {
        call_free(call);
        return r;
    }
    *result = call;
    return 0;
}

int cri_call(struct cri_call **result, struct cri *cri, const struct cri_method *method,
             const ProtobufCMessage *request, usec_t timeout, cri_done_fn *done, void *owner,
             struct err *err)
{
    struct cri_call template = {.method = method, .done = done, .owner = owner};

    return call_start(result, cri, template, request, timeout, err);
}

int cri_watch(struct cri_call **result, struct cri *cri, const struct cri_method *method,
              const ProtobufCMessage *request, cri_event_fn *event, cri_done_fn *done, void *owner,
              struct err *err)
{
    struct cri_call template = {.method = method, .event = event, .done = done, .owner = owner};

    return call_start(result, cri, template, request, USEC_NEVER, err);
}

void cri_cancel(struct cri_call *call)
{
    rpc_cancel(call->rpc);
    call_free(call);
}
