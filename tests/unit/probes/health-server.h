/* gRPC's health service, in many conditions: each name that is asked for has its own answer. */
#pragma once

#include "rpc-server.h"

#include <stdio.h>
#include <string.h>

struct health_server {
    struct server server;
    char method[512]; /* of the last call, and which service it asked for */
    char service[64];
};

static inline void health_read(struct health_server *health, grpc_call *call)
{
    grpc_byte_buffer *message = NULL;
    grpc_op ops[] = {
        {.op = GRPC_OP_SEND_INITIAL_METADATA},
        {.op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &message},
    };
    grpc_byte_buffer_reader reader;
    grpc_slice slice;

    server_batch(&health->server, call, ops, array_size(ops));
    grpc_byte_buffer_reader_init(&reader, message);
    slice = grpc_byte_buffer_reader_readall(&reader);
    health->service[0] = '\0';
    if (GRPC_SLICE_LENGTH(slice) > 2) /* field 1, and its length */
        snprintf(health->service, sizeof(health->service), "%.*s",
                 (int)GRPC_SLICE_LENGTH(slice) - 2, (const char *)GRPC_SLICE_START_PTR(slice) + 2);
    grpc_slice_unref(slice);
    grpc_byte_buffer_reader_destroy(&reader);
    grpc_byte_buffer_destroy(message);
}

static inline void health_answer(struct server *server, grpc_call *call, const char *method)
{
    static const struct {
        const char *service;
        const char *bytes; /* NULL: no message */
        grpc_status_code status;
        const char *text;
    } answers[] = {
        {"", "\x08\x01", GRPC_STATUS_OK, ""},
        {"down", "\x08\x02", GRPC_STATUS_OK, ""},
        {"unknown", "", GRPC_STATUS_OK, ""},
        {"strange", "\x08\x09", GRPC_STATUS_OK, ""},
        {"garbage", "\x08", GRPC_STATUS_OK, ""},
        {"nothing", NULL, GRPC_STATUS_OK, ""},
        {"missing", NULL, GRPC_STATUS_NOT_FOUND, "unknown service"},
        {"unimplemented", NULL, GRPC_STATUS_UNIMPLEMENTED, "unknown method \xc3\xa4 100%"},
        {"late", NULL, GRPC_STATUS_DEADLINE_EXCEEDED, "too late"},
    };
    struct health_server *health = container_of(server, struct health_server, server);

    snprintf(health->method, sizeof(health->method), "%s", method);
    health_read(health, call);
    if (!strcmp(health->service, "hang")) {
        server_hang(server, call);
        return;
    }
    for (size_t i = 0; i < array_size(answers); i++) {
        if (strcmp(health->service, answers[i].service))
            continue;
        if (answers[i].bytes)
            server_send(server, call, grpc_slice_from_copied_string(answers[i].bytes));
        server_finish(server, call, answers[i].status, answers[i].text);
    }
}
