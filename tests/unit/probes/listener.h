/* A socket that listens on loopback, and accepts nobody. */
#pragma once

#include "test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    LISTENER_FILLERS = 8, /* connections that fill a queue of one and what the kernel adds */
};

struct listener {
    int fd;
    int port;
    int fillers[LISTENER_FILLERS];
    int count;
};

static inline void listener_start(struct listener *listener, int queue)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);

    *listener = (struct listener){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    assert_int_equal(bind(listener->fd, (struct sockaddr *)&address, length), 0);
    assert_int_equal(listen(listener->fd, queue), 0);
    assert_int_equal(getsockname(listener->fd, (struct sockaddr *)&address, &length), 0);
    listener->port = ntohs(address.sin_port);
}

/* Nobody else gets an answer from it. */
static inline void listener_start_full(struct listener *listener)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    listener_start(listener, 0);
    address.sin_port = htons((uint16_t)listener->port);
    while (listener->count < LISTENER_FILLERS) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        connect(fd, (struct sockaddr *)&address, sizeof(address));
        listener->fillers[listener->count++] = fd;
    }
    usleep(10000);
}

static inline void listener_stop(struct listener *listener)
{
    for (int i = 0; i < listener->count; i++)
        close(listener->fillers[i]);
    close(listener->fd);
}
