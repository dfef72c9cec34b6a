/*
 * The gRPC client. A call has one batch of operations under way at a time, so one tag and one post
 * belong to it: the completion thread posts the call to the loop, and the loop's thread looks at
 * what came and starts the next batch.
 *
 *     unary    [all operations] ─► done
 *     stream   [send, first message] ─► message ─► [next message] … ─► [status] ─► done
 *
 * A call that its owner gave up lives on without callbacks until its batch has come back.
 */
#include "nodeagent/net/rpc.h"
#include "nodeagent/base/list.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/sys/loop.h"

#include <dirent.h>
#include <errno.h>
#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/support/log.h>
#include <grpc/support/time.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

enum {
    RECONNECT_FIRST_MSEC = 100,
    RECONNECT_LAST_MSEC = 3000,
    CONNECT_MSEC = 5000, /* patience with one attempt */
    WINDOW_BYTES = 1 << 20,
};

#define UNIX_SCHEME "unix://"

struct rpc {
    struct loop *loop;
    grpc_completion_queue *queue;
    pthread_t thread;
    struct list given_up; /* calls that wait for their batch to come back */
};

struct rpc_channel {
    struct rpc *rpc;
    grpc_channel *channel;
    struct list calls;
    size_t in_flight;
    char *path;    /* of a unix socket; NULL */
    bool answered; /* by the connection of now */
    rpc_connected_fn *on_connected;
    void *owner;
};

enum rpc_stage { STAGE_WHOLE, STAGE_MESSAGES, STAGE_STATUS };

struct rpc_call {
    struct loop_post post;
    struct list link;
    struct rpc_channel *channel; /* NULL: given up */
    enum rpc_stage stage;
    atomic_bool handed_over; /* to the completion thread, by way of gRPC */
    grpc_call *call;
    grpc_metadata_array initial;
    grpc_metadata_array trailing;
    grpc_byte_buffer *message;
    grpc_status_code status;
    grpc_slice details;
    rpc_message_fn *on_message;
    rpc_done_fn *on_done;
    void *owner;
};

const char *rpc_status_name(enum rpc_status status)
{
    static const char *const names[] = {
        "OK",
        "Canceled",
        "Unknown",
        "InvalidArgument",
        "DeadlineExceeded",
        "NotFound",
        "AlreadyExists",
        "PermissionDenied",
        "ResourceExhausted",
        "FailedPrecondition",
        "Aborted",
        "OutOfRange",
        "Unimplemented",
        "Internal",
        "Unavailable",
        "DataLoss",
        "Unauthenticated",
    };

    return (size_t)status < array_size(names) ? names[status] : "Unknown";
}

/* the completion thread */

static void *wait_for_completions(void *data)
{
    struct rpc *rpc = data;
    gpr_timespec never = gpr_inf_future(GPR_CLOCK_MONOTONIC);
    grpc_event event;

    while ((event = grpc_completion_queue_next(rpc->queue, never, NULL)).type !=
           GRPC_QUEUE_SHUTDOWN) {
        struct rpc_call *call = event.tag;

        assert_that(atomic_load_explicit(&call->handed_over, memory_order_acquire));
        loop_post(rpc->loop, &call->post);
    }
    return NULL;
}

/* What gRPC would write to stderr reaches the caller as the status of a call. */
static void keep_quiet(gpr_log_func_args *arguments)
{
    (void)arguments;
}

int rpc_new(struct rpc **result, struct loop *loop, struct err *err)
{
    struct rpc *rpc = mem_new(struct rpc);
    sigset_t all, before;
    int r;

    gpr_set_log_function(keep_quiet);
    /* For so few sockets poll() is the cheaper: epoll wakes up for each write that was read. */
    setenv("GRPC_POLL_STRATEGY", "poll", 0);
    grpc_init();
    rpc->loop = loop;
    list_init(&rpc->given_up);
    rpc->queue = grpc_completion_queue_create_for_next(NULL);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    r = pthread_create(&rpc->thread, NULL, wait_for_completions, rpc);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (r == 0) {
        *result = rpc;
        return 0;
    }
    grpc_completion_queue_shutdown(rpc->queue);
    grpc_completion_queue_destroy(rpc->queue);
    grpc_shutdown_blocking();
    free(rpc);
    return err_set(err, -r, "cannot start the thread for gRPC: %s", strerror(r));
}

static void call_free(struct rpc_call *call)
{
    list_unlink(&call->link);
    grpc_metadata_array_destroy(&call->initial);
    grpc_metadata_array_destroy(&call->trailing);
    grpc_slice_unref(call->details);
    if (call->message)
        grpc_byte_buffer_destroy(call->message);
    grpc_call_unref(call->call);
    free(call);
}

struct rpc *rpc_free(struct rpc *rpc)
{
    if (!rpc)
        return NULL;
    /* The thread ends when all batches have come back, cancelled. */
    grpc_completion_queue_shutdown(rpc->queue);
    pthread_join(rpc->thread, NULL);
    list_for_each_safe (node, &rpc->given_up) {
        struct rpc_call *call = list_entry(node, struct rpc_call, link);

        loop_post_cancel(rpc->loop, &call->post);
        call_free(call);
    }
    grpc_completion_queue_destroy(rpc->queue);
    grpc_shutdown_blocking();
    free(rpc);
    return NULL;
}

/* channels */

static grpc_arg number_option(const char *key, int value)
{
    return (grpc_arg){
        .type = GRPC_ARG_INTEGER,
        .key = (char *)key,
        .value.integer = value,
    };
}

int rpc_channel_new(struct rpc_channel **result, struct rpc *rpc, const char *target,
                    struct err *err)
{
    grpc_arg authority = {
        .type = GRPC_ARG_STRING,
        .key = (char *)GRPC_ARG_DEFAULT_AUTHORITY,
        .value.string = (char *)"localhost",
    };
    grpc_arg options[] = {
        authority,
        number_option(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, RPC_MESSAGE_MAX),
        number_option(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, RECONNECT_FIRST_MSEC),
        number_option(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, RECONNECT_LAST_MSEC),
        number_option(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, CONNECT_MSEC),
        number_option(GRPC_ARG_ENABLE_RETRIES, 0),
        number_option(GRPC_ARG_ENABLE_HTTP_PROXY, 0),
        /* Nobody asks for its counts, and runtimes do not compress; each has a price per call. */
        number_option(GRPC_ARG_ENABLE_CHANNELZ, 0),
        number_option(GRPC_ARG_ENABLE_PER_MESSAGE_COMPRESSION, 0),
        number_option(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0),
        /* A ping for each answer is a third of the system calls; a wide window needs none. */
        number_option(GRPC_ARG_HTTP2_BDP_PROBE, 0),
        number_option(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, WINDOW_BYTES),
        number_option(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1),
    };
    grpc_channel_args arguments = {.num_args = array_size(options), .args = options};
    grpc_channel_credentials *plain = grpc_insecure_credentials_create();
    struct rpc_channel *channel = mem_new(struct rpc_channel);

    channel->rpc = rpc;
    list_init(&channel->calls);
    channel->channel = grpc_channel_create(target, plain, &arguments);
    grpc_channel_credentials_release(plain);
    if (!channel->channel) {
        free(channel);
        return err_set(err, -EINVAL, "\"%.128s\" is not an address that gRPC can connect to",
                       target);
    }
    if (!strncmp(target, UNIX_SCHEME, strlen(UNIX_SCHEME)))
        channel->path = mem_strdup(target + strlen(UNIX_SCHEME));
    *result = channel;
    return 0;
}

struct rpc_channel *rpc_channel_free(struct rpc_channel *channel)
{
    if (!channel)
        return NULL;
    list_for_each_safe (node, &channel->calls)
        rpc_cancel(list_entry(node, struct rpc_call, link));
    grpc_channel_destroy(channel->channel);
    free(channel->path);
    free(channel);
    return NULL;
}

size_t rpc_channel_in_flight(const struct rpc_channel *channel)
{
    return channel->in_flight;
}

/* connections */

void rpc_channel_watch(struct rpc_channel *channel, rpc_connected_fn *connected, void *owner)
{
    channel->on_connected = connected;
    channel->owner = owner;
}

/* The server may have made its socket by another name of the same path. */
static bool leads_to(int fd, const struct stat *socket)
{
    struct sockaddr_un peer = {0};
    socklen_t length = sizeof(peer) - 1;
    struct stat status;

    return getpeername(fd, (struct sockaddr *)&peer, &length) == 0 && peer.sun_family == AF_UNIX &&
           stat(peer.sun_path, &status) == 0 && status.st_dev == socket->st_dev &&
           status.st_ino == socket->st_ino;
}

/* gRPC does not say which sockets are its own: they are told by where they lead. */
static size_t find_sockets(const char *path, int sockets[RPC_SOCKETS_MAX])
{
    DIR *directory = opendir("/proc/self/fd");
    struct dirent *entry;
    struct stat socket;
    size_t count = 0;

    if (stat(path, &socket) < 0)
        socket = (struct stat){0};
    while (directory && count < RPC_SOCKETS_MAX && (entry = readdir(directory))) {
        int fd = atoi(entry->d_name);

        if (leads_to(fd, &socket))
            sockets[count++] = fd;
    }
    if (directory)
        closedir(directory);
    return count;
}

/* A call that came to its deadline tells nothing of the connection, which may not be there yet. */
static bool tells_nothing(grpc_status_code status)
{
    return status == GRPC_STATUS_DEADLINE_EXCEEDED || status == GRPC_STATUS_CANCELLED;
}

/* The server was heard of, or `status` says that there is none. */
static void note_connection(struct rpc_channel *channel, grpc_status_code status)
{
    bool before = channel->answered;
    int sockets[RPC_SOCKETS_MAX];
    size_t count;

    if (tells_nothing(status))
        return;
    channel->answered = status != GRPC_STATUS_UNAVAILABLE;
    if (before || !channel->answered || !channel->on_connected || !channel->path)
        return;
    count = find_sockets(channel->path, sockets);
    channel->on_connected(channel->owner, sockets, count);
}

/* batches */

static void call_start(struct rpc_call *call, const grpc_op *operations, size_t count)
{
    /* gRPC orders this as well, but where the thread sanitizer cannot see it. */
    atomic_store_explicit(&call->handed_over, true, memory_order_release);
    /* It fails only for a wrong combination of operations. */
    assert_that(grpc_call_start_batch(call->call, operations, count, call, NULL) == GRPC_CALL_OK);
}

static void start_call(struct rpc_call *call, const struct rpc_request *request)
{
    grpc_slice slice = grpc_slice_from_copied_buffer(request->bytes, request->length);
    grpc_byte_buffer *message = grpc_raw_byte_buffer_create(&slice, 1);
    grpc_op operations[] = {
        {.op = GRPC_OP_SEND_INITIAL_METADATA},
        {.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = message},
        {.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT},
        {.op = GRPC_OP_RECV_INITIAL_METADATA,
         .data.recv_initial_metadata.recv_initial_metadata = &call->initial},
        {.op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &call->message},
        {.op = GRPC_OP_RECV_STATUS_ON_CLIENT,
         .data.recv_status_on_client = {.trailing_metadata = &call->trailing,
                                        .status = &call->status,
                                        .status_details = &call->details}},
    };

    call_start(call, operations,
               call->stage == STAGE_WHOLE ? array_size(operations) : array_size(operations) - 1);
    grpc_byte_buffer_destroy(message);
    grpc_slice_unref(slice);
}

static void start_message(struct rpc_call *call)
{
    grpc_op operation = {
        .op = GRPC_OP_RECV_MESSAGE,
        .data.recv_message.recv_message = &call->message,
    };

    call_start(call, &operation, 1);
}

static void start_status(struct rpc_call *call)
{
    grpc_op operation = {
        .op = GRPC_OP_RECV_STATUS_ON_CLIENT,
        .data.recv_status_on_client = {.trailing_metadata = &call->trailing,
                                       .status = &call->status,
                                       .status_details = &call->details},
    };

    call->stage = STAGE_STATUS;
    call_start(call, &operation, 1);
}

/* completions */

/* The message in one piece; empty when there is none. */
static grpc_slice take_message(struct rpc_call *call)
{
    grpc_slice slice = grpc_empty_slice();
    grpc_byte_buffer_reader reader;

    if (!call->message)
        return slice;
    if (grpc_byte_buffer_reader_init(&reader, call->message)) {
        slice = grpc_byte_buffer_reader_readall(&reader);
        grpc_byte_buffer_reader_destroy(&reader);
    }
    grpc_byte_buffer_destroy(call->message);
    call->message = NULL;
    return slice;
}

static void call_leave(struct rpc_call *call)
{
    call->channel->in_flight--;
    list_unlink(&call->link);
    call->channel = NULL;
}

static void call_done(struct rpc_call *call)
{
    grpc_slice slice = take_message(call);
    size_t length = MIN(GRPC_SLICE_LENGTH(call->details), (size_t)RPC_STATUS_TEXT_MAX);
    char *text = mem_strndup((const char *)GRPC_SLICE_START_PTR(call->details), length);
    struct rpc_reply reply = {
        .status = (enum rpc_status)call->status,
        .text = call->status == GRPC_STATUS_OK ? "" : text,
        .bytes = call->status == GRPC_STATUS_OK ? GRPC_SLICE_START_PTR(slice) : NULL,
        .length = call->status == GRPC_STATUS_OK ? GRPC_SLICE_LENGTH(slice) : 0,
    };

    note_connection(call->channel, call->status);
    call_leave(call);
    call->on_done(call->owner, &reply);
    grpc_slice_unref(slice);
    free(text);
    call_free(call);
}

/* A message, or none: the server has no more to say but its status. */
static void call_message(struct rpc_call *call)
{
    grpc_slice slice;

    if (!call->message) {
        start_status(call);
        return;
    }
    note_connection(call->channel, GRPC_STATUS_OK);
    slice = take_message(call);
    call->on_message(call->owner, GRPC_SLICE_START_PTR(slice), GRPC_SLICE_LENGTH(slice));
    grpc_slice_unref(slice);
    if (call->channel)
        start_message(call);
    else
        call_free(call);
}

static void call_posted(struct loop_post *post)
{
    struct rpc_call *call = container_of(post, struct rpc_call, post);

    if (!call->channel)
        call_free(call);
    else if (call->stage == STAGE_MESSAGES)
        call_message(call);
    else
        call_done(call);
}

/* calls */

static gpr_timespec deadline_of(usec_t timeout)
{
    if (timeout > INT64_MAX / 2)
        return gpr_inf_future(GPR_CLOCK_MONOTONIC);
    return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                        gpr_time_from_micros((int64_t)timeout, GPR_TIMESPAN));
}

static int call_new(struct rpc_call **result, struct rpc_channel *channel,
                    const struct rpc_request *request, struct rpc_call template, struct err *err)
{
    struct rpc_call *call;

    if (channel->in_flight == RPC_CALLS_MAX)
        return err_set(err, -EBUSY, "%s: %d calls are in flight already", request->method,
                       RPC_CALLS_MAX);
    call = mem_new(struct rpc_call);
    *call = template;
    loop_post_init(&call->post, call_posted);
    list_push_back(&channel->calls, &call->link);
    channel->in_flight++;
    call->channel = channel;
    call->details = grpc_empty_slice();
    grpc_metadata_array_init(&call->initial);
    grpc_metadata_array_init(&call->trailing);

    grpc_slice method = grpc_slice_from_copied_string(request->method);

    call->call = grpc_channel_create_call(channel->channel, NULL, GRPC_PROPAGATE_DEFAULTS,
                                          channel->rpc->queue, method, NULL,
                                          deadline_of(request->timeout), NULL);
    grpc_slice_unref(method);
    start_call(call, request);
    *result = call;
    return 0;
}

int rpc_unary(struct rpc_call **result, struct rpc_channel *channel,
              const struct rpc_request *request, rpc_done_fn *done, void *owner, struct err *err)
{
    struct rpc_call template = {.stage = STAGE_WHOLE, .on_done = done, .owner = owner};

    return call_new(result, channel, request, template, err);
}

int rpc_stream(struct rpc_call **result, struct rpc_channel *channel,
               const struct rpc_request *request, rpc_message_fn *message, rpc_done_fn *done,
               void *owner, struct err *err)
{
    struct rpc_call template = {
        .stage = STAGE_MESSAGES,
        .on_message = message,
        .on_done = done,
        .owner = owner,
    };

    return call_new(result, channel, request, template, err);
}

/* Its batch is under way, or its message is being delivered: whoever comes back frees it. */
void rpc_cancel(struct rpc_call *call)
{
    struct rpc *rpc = call->channel->rpc;

    call_leave(call);
    list_push_back(&rpc->given_up, &call->link);
    grpc_call_cancel(call->call, NULL);
}
