/*
 * A server on a loop, and clients that are plain sockets. Time is the test's: the wheel is turned
 * by place_wait(), so that nobody waits for real.
 */
#pragma once

#include "test.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/server.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/loop.h"
#include "nodeagent/sys/wheel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    PLACE_ANSWER_MAX = 64 << 10,
    PLACE_CONNECTIONS_MAX = 4,
    PLACE_PER_CLIENT_MAX = 3,
    PLACE_HEAD_MAX = 4096,
};

#define PLACE_PATIENCE (10 * USEC_PER_SEC)

struct place {
    struct loop *loop;
    struct wheel *wheel;
    struct server *server;
    usec_t ahead; /* of the clock */
    unsigned asked;
    char answer[PLACE_ANSWER_MAX];
};

/* With the TLS, the answer and the brevity of `options`. */
static inline void place_open_with(struct place *place, struct server_options options)
{
    struct err err;

    options.address = "127.0.0.1";
    options.connections_max = PLACE_CONNECTIONS_MAX;
    options.connections_per_client_max = PLACE_PER_CLIENT_MAX;
    options.head_max = PLACE_HEAD_MAX;
    options.owner = place;

    signal(SIGPIPE, SIG_IGN);
    *place = (struct place){0};
    assert_int_equal(loop_new(&place->loop, &err), 0);
    place->wheel = wheel_new(clock_boottime());
    options.loop = place->loop;
    options.wheel = place->wheel;
    if (server_new(&place->server, &options, &err) < 0)
        fail_msg("%s", err.text);
}

static inline void place_open(struct place *place, const struct server_tls *tls,
                              server_answer_fn *answer)
{
    place_open_with(place, (struct server_options){.tls = tls, .answer = answer});
}

static inline void place_close(struct place *place)
{
    server_free(place->server);
    wheel_free(place->wheel);
    loop_free(place->loop);
}

/* What is due now fires, and the loop makes its turns until there is nothing more to do. */
static inline void place_turn(struct place *place)
{
    struct wheel_timer *timer;
    struct err err;

    do {
        while ((timer = wheel_pop(place->wheel, usec_add(clock_boottime(), place->ahead))))
            timer->fire(timer);
    } while (loop_turn(place->loop, USEC_PER_MSEC, &err) > 0);
}

static inline void place_wait(struct place *place, usec_t usec)
{
    place->ahead += usec;
    place_turn(place);
}

static inline int place_connect(const struct place *place, const char *from)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(server_port(place->server)),
        .sin_addr = {htonl(INADDR_LOOPBACK)},
    };
    struct sockaddr_in own = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(inet_pton(AF_INET, from, &own.sin_addr), 1);
    assert_int_equal(bind(fd, (struct sockaddr *)&own, sizeof(own)), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static inline void place_send(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* What has come until the connection ended, or `end` is in it. NULL: neither happened. */
static inline const char *place_receive(struct place *place, int fd, const char *end)
{
    usec_t until = usec_add(clock_boottime(), PLACE_PATIENCE);
    size_t length = 0;

    while (clock_boottime() < until) {
        ssize_t more;

        place_turn(place);
        more = recv(fd, place->answer + length, sizeof(place->answer) - 1 - length, MSG_DONTWAIT);
        length += more > 0 ? (size_t)more : 0;
        place->answer[length] = '\0';
        if (more == 0 || (more < 0 && errno != EAGAIN) || (end && strstr(place->answer, end)))
            return place->answer;
    }
    return NULL;
}

/* It is still there, and nothing has come. */
static inline bool place_is_silent(struct place *place, int fd)
{
    char byte;

    place_turn(place);
    return recv(fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) < 0 && errno == EAGAIN;
}
