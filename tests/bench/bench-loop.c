/*
 * 8,000 sockets that are ready at once, on one nested set. Prints `name value unit` lines.
 */
#include "nodeagent/base/mem.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/loop.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    SOCKETS = 8000, /* with their peers 16,000 descriptors, below a limit of 20,000 */
    ROUNDS = 5,
};

struct bench {
    struct loop *loop;
    struct loop_set *set;
    unsigned served;
    usec_t best; /* round */
    struct pair {
        struct loop_socket socket;
        int peer;
        struct bench *bench;
    } * pairs;
};

static void socket_ready(struct loop_socket *socket, uint32_t events)
{
    struct bench *bench = container_of(socket, struct pair, socket)->bench;
    char byte;

    if (read(socket->fd, &byte, 1) == 1)
        bench->served++;
}

static int open_pairs(struct bench *bench, struct err *err)
{
    struct rlimit limit;

    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    for (unsigned i = 0; i < SOCKETS; i++) {
        struct pair *pair = &bench->pairs[i];
        int fds[2], r;

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) < 0)
            return err_set(err, -errno, "socket pair %u: %m", i);
        pair->bench = bench;
        pair->peer = fds[1];
        r = loop_set_add(bench->set, &pair->socket, fds[0], EPOLLIN, socket_ready, err);
        if (r < 0)
            return r;
    }
    return 0;
}

static int one_round(struct bench *bench, struct err *err)
{
    usec_t begin;
    int r;

    for (unsigned i = 0; i < SOCKETS; i++)
        if (write(bench->pairs[i].peer, "x", 1) != 1)
            return err_set(err, -errno, "socket pair %u: %m", i);
    bench->served = 0;
    begin = clock_monotonic();
    while (bench->served < SOCKETS) {
        r = loop_turn(bench->loop, USEC_PER_SEC, err);
        if (r < 0)
            return r;
    }
    bench->best = MIN(bench->best, clock_monotonic() - begin);
    return 0;
}

static int bench_ready_at_once(struct bench *bench, struct err *err)
{
    int r;

    r = loop_new(&bench->loop, err);
    if (r < 0)
        return r;
    r = loop_set_new(&bench->set, bench->loop, LOOP_API, err);
    if (r < 0)
        return r;
    r = open_pairs(bench, err);
    if (r < 0)
        return r;
    for (unsigned i = 0; i < ROUNDS; i++) {
        r = one_round(bench, err);
        if (r < 0)
            return r;
    }
    printf("loop-8000-ready %.3f us/event\n", (double)bench->best / SOCKETS);
    printf("loop-8000-turn-longest %.2f ms\n", (double)loop_turns(bench->loop)->longest / 1000);
    return 0;
}

int main(void)
{
    struct bench bench = {.best = USEC_NEVER, .pairs = mem_zalloc(SOCKETS * sizeof(struct pair))};
    struct err err;

    if (bench_ready_at_once(&bench, &err) < 0) {
        fprintf(stderr, "bench-loop: %s\n", err.text);
        return 1;
    }
    for (unsigned i = 0; i < SOCKETS; i++) {
        loop_set_remove(&bench.pairs[i].socket);
        close(bench.pairs[i].socket.fd);
        close(bench.pairs[i].peer);
    }
    loop_set_free(bench.set);
    loop_free(bench.loop);
    free(bench.pairs);
    return 0;
}
