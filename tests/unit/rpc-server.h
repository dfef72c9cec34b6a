/*
 * A gRPC server in the test's own process: one call at a time, answered by a function of the test.
 */
#pragma once

#include "test.h"

#include "nodeagent/base/mem.h"

#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/support/alloc.h>
#include <grpc/support/time.h>
#include <pthread.h>
#include <stdatomic.h>

/* Answers one call, whose first messages were not looked at yet. */
struct server;
typedef void server_answer_fn(struct server *server, grpc_call *call, const char *method);

struct server {
    server_answer_fn *answer;
    grpc_server *server;
    grpc_completion_queue *queue;
    pthread_t thread;
    int port; /* 1 unless it is one of TCP's */
    atomic_uint calls;
    atomic_uint cancelled;
};

static inline void server_wait(struct server *server)
{
    grpc_completion_queue_next(server->queue, gpr_inf_future(GPR_CLOCK_REALTIME), NULL);
}

static inline void server_batch(struct server *server, grpc_call *call, const grpc_op *ops,
                                size_t count)
{
    assert_int_equal(grpc_call_start_batch(call, ops, count, server, NULL), GRPC_CALL_OK);
    server_wait(server);
}

static inline void server_send(struct server *server, grpc_call *call, grpc_slice slice)
{
    grpc_byte_buffer *message = grpc_raw_byte_buffer_create(&slice, 1);
    grpc_op op = {.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = message};

    server_batch(server, call, &op, 1);
    grpc_byte_buffer_destroy(message);
    grpc_slice_unref(slice);
}

static inline void server_finish(struct server *server, grpc_call *call, grpc_status_code status,
                                 const char *text)
{
    grpc_slice details = grpc_slice_from_copied_string(text);
    int cancelled = 0;
    grpc_op ops[] = {
        {.op = GRPC_OP_SEND_STATUS_FROM_SERVER,
         .data.send_status_from_server = {.status = status, .status_details = &details}},
        {.op = GRPC_OP_RECV_CLOSE_ON_SERVER, .data.recv_close_on_server.cancelled = &cancelled},
    };

    server_batch(server, call, ops, array_size(ops));
    server->cancelled += cancelled != 0;
    grpc_slice_unref(details);
}

/* Until the client goes away: the batch that tells of it is the only one under way. */
static inline void server_hang(struct server *server, grpc_call *call)
{
    int cancelled = 0;
    grpc_op op = {.op = GRPC_OP_RECV_CLOSE_ON_SERVER,
                  .data.recv_close_on_server.cancelled = &cancelled};

    server_batch(server, call, &op, 1);
    server->cancelled += cancelled != 0;
}

static inline void *server_run(void *data)
{
    struct server *server = data;

    for (;;) {
        grpc_metadata_array metadata;
        grpc_call_details details;
        grpc_call *call = NULL;
        grpc_event event;

        grpc_metadata_array_init(&metadata);
        grpc_call_details_init(&details);
        grpc_server_request_call(server->server, &call, &details, &metadata, server->queue,
                                 server->queue, &call);
        event = grpc_completion_queue_next(server->queue, gpr_inf_future(GPR_CLOCK_REALTIME), NULL);
        if (event.success && call) {
            char *method = grpc_slice_to_c_string(details.method);

            server->calls++;
            server->answer(server, call, method);
            gpr_free(method);
            grpc_call_unref(call);
        }
        grpc_metadata_array_destroy(&metadata);
        grpc_call_details_destroy(&details);
        if (!event.success)
            return NULL;
    }
}

static inline void server_start(struct server *server, const char *target, server_answer_fn *answer)
{
    grpc_server_credentials *plain = grpc_insecure_server_credentials_create();
    grpc_arg limit = {.type = GRPC_ARG_INTEGER,
                      .key = (char *)GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH,
                      .value.integer = -1};
    grpc_channel_args arguments = {.num_args = 1, .args = &limit};

    server->answer = answer;
    server->queue = grpc_completion_queue_create_for_next(NULL);
    server->server = grpc_server_create(&arguments, NULL);
    grpc_server_register_completion_queue(server->server, server->queue, NULL);
    server->port = grpc_server_add_http2_port(server->server, target, plain);
    assert_int_not_equal(server->port, 0);
    grpc_server_credentials_release(plain);
    grpc_server_start(server->server);
    assert_int_equal(pthread_create(&server->thread, NULL, server_run, server), 0);
}

static inline void server_stop(struct server *server)
{
    grpc_completion_queue *queue = grpc_completion_queue_create_for_next(NULL);

    grpc_server_shutdown_and_notify(server->server, queue, NULL);
    grpc_server_cancel_all_calls(server->server);
    pthread_join(server->thread, NULL);
    grpc_completion_queue_next(queue, gpr_inf_future(GPR_CLOCK_REALTIME), NULL);
    grpc_completion_queue_shutdown(queue);
    grpc_completion_queue_destroy(queue);
    grpc_server_destroy(server->server);
    grpc_completion_queue_shutdown(server->queue);
    while (
        grpc_completion_queue_next(server->queue, gpr_inf_future(GPR_CLOCK_REALTIME), NULL).type !=
        GRPC_QUEUE_SHUTDOWN)
        ;
    grpc_completion_queue_destroy(server->queue);
}
