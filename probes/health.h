/*
 * gRPC's health service over HTTP/2: the one message that is sent, and what an answer's bytes and
 * head say. gRPC puts five bytes before a message (compressed or not, its length), and the status
 * of a call into the trailers.
 */
#pragma once

#include "nodeagent/base/arena.h"

#include <stdbool.h>
#include <stdint.h>

struct health_status {
    bool set; /* there is one */
    int code;
    const char *message; /* "": none */
};

const void *health_request(struct arena *arena, const char *service, size_t *length);

/* From the lines of a head with its trailers. */
struct health_status health_status_read(struct arena *arena, const char *head);

/* 0, or -EBADMSG if it is no such answer. */
int health_answer_read(const char *bytes, size_t length, int32_t *status);

/* "SERVING"; a number that has no name is written as one. */
const char *health_name(struct arena *arena, int32_t status);
