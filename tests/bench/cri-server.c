#include "cri-server.h"
#include "nodeagent/base/mem.h"

#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc_security.h>
#include <grpc/support/alloc.h>
#include <grpc/support/time.h>
#include <stdio.h>
#include <stdlib.h>

enum stage { AWAITED, READING, ANSWERED };

struct served {
    enum stage stage;
    grpc_call *call;
    grpc_call_details details;
    grpc_metadata_array metadata;
    grpc_byte_buffer *message;
    int cancelled;
};

struct server {
    grpc_server *server;
    grpc_completion_queue *queue;
    cri_answer_fn *answer;
    void *owner;
};

static void await_call(struct server *server)
{
    struct served *served = mem_new(struct served);

    grpc_call_details_init(&served->details);
    grpc_metadata_array_init(&served->metadata);
    grpc_server_request_call(server->server, &served->call, &served->details, &served->metadata,
                             server->queue, server->queue, served);
}

static void served_free(struct served *served)
{
    if (served->message)
        grpc_byte_buffer_destroy(served->message);
    if (served->call)
        grpc_call_unref(served->call);
    grpc_call_details_destroy(&served->details);
    grpc_metadata_array_destroy(&served->metadata);
    free(served);
}

static void read_request(struct served *served)
{
    grpc_op op = {.op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &served->message};

    served->stage = READING;
    grpc_call_start_batch(served->call, &op, 1, served, NULL);
}

static grpc_byte_buffer *pack(const ProtobufCMessage *message)
{
    grpc_slice slice = grpc_slice_malloc(protobuf_c_message_get_packed_size(message));
    grpc_byte_buffer *buffer;

    protobuf_c_message_pack(message, GRPC_SLICE_START_PTR(slice));
    buffer = grpc_raw_byte_buffer_create(&slice, 1);
    grpc_slice_unref(slice);
    return buffer;
}

static void reply(struct served *served, const struct cri_exchange *exchange)
{
    grpc_slice details = grpc_slice_from_static_string("as the model sees it");
    grpc_op ops[4] = {
        {.op = GRPC_OP_SEND_INITIAL_METADATA},
        {.op = GRPC_OP_SEND_STATUS_FROM_SERVER,
         .data.send_status_from_server = {.status = exchange->status, .status_details = &details}},
        {.op = GRPC_OP_RECV_CLOSE_ON_SERVER,
         .data.recv_close_on_server.cancelled = &served->cancelled},
    };
    grpc_byte_buffer *message = NULL;
    size_t count = 3;

    if (exchange->status == GRPC_STATUS_OK) {
        message = pack(exchange->response);
        ops[count++] =
            (grpc_op){.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = message};
    }
    served->stage = ANSWERED;
    grpc_call_start_batch(served->call, ops, count, served, NULL);
    if (message)
        grpc_byte_buffer_destroy(message);
}

static void answer_request(struct server *server, struct served *served)
{
    struct cri_exchange exchange = {.arena = ARENA_INIT_DOCUMENT};
    char *path = grpc_slice_to_c_string(served->details.method);
    grpc_byte_buffer_reader reader;
    grpc_slice bytes;

    if (!served->message || !grpc_byte_buffer_reader_init(&reader, served->message)) {
        served_free(served); /* the client is gone */
        gpr_free(path);
        return;
    }
    bytes = grpc_byte_buffer_reader_readall(&reader);
    grpc_byte_buffer_reader_destroy(&reader);
    exchange.path = path;
    exchange.bytes = GRPC_SLICE_START_PTR(bytes);
    exchange.length = GRPC_SLICE_LENGTH(bytes);
    server->answer(server->owner, &exchange);
    reply(served, &exchange);
    if (exchange.request)
        protobuf_c_message_free_unpacked(exchange.request, NULL);
    arena_deinit(&exchange.arena);
    grpc_slice_unref(bytes);
    gpr_free(path);
}

void cri_serve(const char *path, cri_answer_fn *answer, void *owner)
{
    grpc_server_credentials *plain = grpc_insecure_server_credentials_create();
    struct server server = {.answer = answer, .owner = owner};
    char *target = mem_printf("unix://%s", path);

    grpc_init();
    server.queue = grpc_completion_queue_create_for_next(NULL);
    server.server = grpc_server_create(NULL, NULL);
    grpc_server_register_completion_queue(server.server, server.queue, NULL);
    if (!grpc_server_add_http2_port(server.server, target, plain)) {
        fprintf(stderr, "%s: nothing can listen there\n", target);
        exit(1);
    }
    grpc_server_start(server.server);
    await_call(&server);
    for (;;) {
        grpc_event event =
            grpc_completion_queue_next(server.queue, gpr_inf_future(GPR_CLOCK_REALTIME), NULL);
        struct served *served = event.tag;

        if (served->stage == AWAITED) {
            await_call(&server);
            read_request(served);
        } else if (served->stage == READING) {
            answer_request(&server, served);
        } else {
            served_free(served);
        }
    }
}
