/* Who comes in, and when. */
#pragma once

#include "nodeagent/base/err.h"

#include <stdbool.h>
#include <sys/socket.h>

struct door;
struct loop;
struct wheel;

/* Takes the descriptor over. False: it was closed. */
typedef bool door_take_fn(void *owner, int fd, const struct sockaddr *address, socklen_t length);

struct door_options {
    struct loop *loop;
    struct wheel *wheel;
    int socket;          /* listens; the caller's */
    unsigned inside_max; /* those who wait for their turn included; others wait to be accepted */
    bool handshakes;     /* are made, and so counted */
    door_take_fn *take;
    void *owner;
};

int door_new(struct door **result, const struct door_options *options, struct err *err);
struct door *door_free(struct door *door); /* closes those who wait */

/* Who was taken is inside, and is not any more. */
void door_entered(struct door *door);
void door_left(struct door *door);
bool door_is_full(const struct door *door); /* nobody else is accepted until somebody has left */
