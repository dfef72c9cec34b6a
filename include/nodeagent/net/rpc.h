/*
 * A gRPC client on the loop: calls are started from the loop's thread and answered on it. One
 * thread of its own waits in gRPC's completion queue.
 */
#pragma once

#include "nodeagent/base/err.h"
#include "nodeagent/base/time.h"

#include <stddef.h>

struct loop;
struct rpc;
struct rpc_channel;
struct rpc_call;

enum {
    RPC_CALLS_MAX = 1024,          /* in flight on one channel; more are refused */
    RPC_MESSAGE_MAX = 16 << 20,    /* received; what container runtimes send at most */
    RPC_STATUS_TEXT_MAX = 4 << 10, /* of what a server says to a failure; the rest is cut */
    RPC_SOCKETS_MAX = 8,           /* told of at once */
};

/* gRPC's own numbers. */
enum rpc_status {
    RPC_OK = 0,
    RPC_CANCELLED = 1,
    RPC_UNKNOWN = 2,
    RPC_INVALID_ARGUMENT = 3,
    RPC_DEADLINE_EXCEEDED = 4,
    RPC_NOT_FOUND = 5,
    RPC_ALREADY_EXISTS = 6,
    RPC_PERMISSION_DENIED = 7,
    RPC_RESOURCE_EXHAUSTED = 8,
    RPC_FAILED_PRECONDITION = 9,
    RPC_ABORTED = 10,
    RPC_OUT_OF_RANGE = 11,
    RPC_UNIMPLEMENTED = 12,
    RPC_INTERNAL = 13,
    RPC_UNAVAILABLE = 14,
    RPC_DATA_LOSS = 15,
    RPC_UNAUTHENTICATED = 16,
};

const char *rpc_status_name(enum rpc_status status); /* "NotFound" */

/* gRPC and its thread; drop privileges and start helpers before. Free the channels first. */
int rpc_new(struct rpc **result, struct loop *loop, struct err *err);
struct rpc *rpc_free(struct rpc *rpc);

/*
 * A channel connects by itself, and again after a failure (100 ms, growing to 3 s); a call made
 * while there is no connection fails at once with RPC_UNAVAILABLE. The target is gRPC's:
 * "unix:///run/containerd/containerd.sock". Freeing cancels what is in flight.
 */
int rpc_channel_new(struct rpc_channel **result, struct rpc *rpc, const char *target,
                    struct err *err);
struct rpc_channel *rpc_channel_free(struct rpc_channel *channel);
size_t rpc_channel_in_flight(const struct rpc_channel *channel);

/*
 * `connected` is told, from the loop, of the sockets that lead to the channel's server, when the
 * server first answers after a call was told that there is none (so keep one in flight, such as a
 * stream). Other channels to the same path share the list. Only for unix sockets.
 */
typedef void rpc_connected_fn(void *owner, const int *sockets, size_t count);
void rpc_channel_watch(struct rpc_channel *channel, rpc_connected_fn *connected, void *owner);

struct rpc_request {
    const char *method; /* "/runtime.v1.RuntimeService/Version" */
    const void *bytes;
    size_t length;
    usec_t timeout; /* USEC_NEVER: none */
};

struct rpc_reply {
    enum rpc_status status;
    const char *text;  /* what the server says to a failure, else "" */
    const void *bytes; /* of a unary call that is RPC_OK; valid during the callback */
    size_t length;
};

typedef void rpc_message_fn(void *owner, const void *bytes, size_t length);
typedef void rpc_done_fn(void *owner, const struct rpc_reply *reply);

/*
 * Start a call; `done` comes exactly once, from the loop and never from within these functions,
 * unless the call is cancelled. A stream asks for its next message when `message` has returned,
 * so a slow reader slows its server.
 */
int rpc_unary(struct rpc_call **result, struct rpc_channel *channel,
              const struct rpc_request *request, rpc_done_fn *done, void *owner, struct err *err);
int rpc_stream(struct rpc_call **result, struct rpc_channel *channel,
               const struct rpc_request *request, rpc_message_fn *message, rpc_done_fn *done,
               void *owner, struct err *err);

/* No callback comes after this; also from within `message`. The call is gone. */
void rpc_cancel(struct rpc_call *call);
