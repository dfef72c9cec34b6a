/*
 * The messages between the agent and its helper, and their transport: a message of any size goes
 * as consecutive frames over a SOCK_SEQPACKET socket, so that no socket buffer has to hold it
 * whole. Both ends are one program image, so structures travel as they are; lengths are checked
 * all the same, because the helper has privileges that the agent gave up.
 */
#pragma once

#include "nodeagent/base/list.h"
#include "nodeagent/base/str.h"
#include "nodeagent/sys/child.h"

enum {
    WIRE_FRAME_MAX = 32 * 1024,    /* several fit the smallest usual socket buffer, 208 KiB */
    WIRE_MESSAGE_MAX = 768 * 1024, /* two outputs, or a request, with room for what is around */
};

enum wire_kind {
    WIRE_SPAWN = 1, /* struct wire_spawn: directory, argv, environment (each ends in NUL), input */
    WIRE_KILL,      /* nothing */
    WIRE_KEEP,      /* nothing, and sockets */
    WIRE_RESULT,    /* struct wire_result: stdout, NUL, stderr, NUL, sentence, NUL */
};

struct wire_spawn {
    usec_t deadline; /* CLOCK_MONOTONIC, so that waiting in the socket counts */
    uint32_t argument_count;
    uint32_t environment_count;
    uint32_t input_length;
    uint32_t output_max[2];
    uint32_t ends_with_agent;
};

struct wire_result {
    int32_t outcome;
    int32_t status;
    int32_t pid;
    int32_t code; /* of the sentence */
    uint32_t output_length[2];
    uint64_t output_dropped[2];
    usec_t wall_usec;
    usec_t user_usec;
    usec_t system_usec;
};

struct wire_sockets {
    int fds[CHILD_KEPT_MAX];
    size_t count;
};

struct wire {
    int fd;          /* owned; non-blocking by MSG_DONTWAIT */
    struct list out; /* struct wire_out */
    struct strbuf in;
    struct wire_sockets in_sockets;
};

struct wire_message {
    uint64_t id;
    uint32_t kind;
    struct strbuf payload; /* the receiver's */
    struct wire_sockets sockets;
};

void wire_sockets_close(struct wire_sockets *sockets);

void wire_init(struct wire *wire, int fd);
void wire_deinit(struct wire *wire);

/* Takes the text out of `payload` (NULL: none). */
void wire_queue(struct wire *wire, uint64_t id, enum wire_kind kind, struct strbuf *payload);
/* Copies of these go with the message. */
void wire_queue_sockets(struct wire *wire, uint64_t id, enum wire_kind kind, const int *sockets,
                        size_t count);
bool wire_idle(const struct wire *wire);

/* Sends what the socket takes; 0, or a negative errno when the other end is gone. */
int wire_flush(struct wire *wire);

/* 1 and a message, 0 when there is none yet, or a negative errno (-EPIPE: the end). */
int wire_receive(struct wire *wire, struct wire_message *message);
