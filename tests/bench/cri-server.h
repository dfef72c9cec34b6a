/* A gRPC server of one thread, whose calls are answered by a function. */
#pragma once

#include "nodeagent/base/arena.h"

#include <grpc/grpc.h>
#include <protobuf-c/protobuf-c.h>

struct cri_exchange {
    const char *path;
    const uint8_t *bytes;
    size_t length;
    ProtobufCMessage *request; /* freed afterwards, unless it was taken */
    grpc_status_code status;
    const ProtobufCMessage *response; /* if the status is OK */
    struct arena arena;               /* for the response */
};

typedef void cri_answer_fn(void *owner, struct cri_exchange *exchange);

/* At the unix socket, until the process ends. */
_Noreturn void cri_serve(const char *path, cri_answer_fn *answer, void *owner);
