/*
 * What probes are aimed at. For each port an argument KIND:PORT[-PORT][:DELAY]
 *
 *     http   answers every request after DELAY milliseconds, and closes
 *     tcp    takes connections, and closes them
 *     grpc   answers every call of HTTP/2 as gRPC's health service does: it is serving
 *
 * Prints "ready" when all of them are open.
 */
#include "nodeagent/base/err.h"
#include "nodeagent/base/list.h"
#include "nodeagent/base/mem.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    BACKLOG = 4096,
    ACCEPTS = 64, /* a turn */
    EVENTS = 256,
    INPUT = 4096, /* bytes of a request */
};

enum kind { LISTENER = 1, HTTP = 2, TCP = 4, GRPC = 8 };

struct place {        /* a listener, or a connection to one */
    struct list link; /* in server->delayed */
    unsigned kind;
    int fd;
    int64_t delay; /* milliseconds */
    int64_t due;
    bool begun; /* of HTTP/2: its preface came */
    size_t used;
    char input[];
};

struct server {
    int epoll;
    struct list delayed;
};

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static struct place *place_new(struct server *server, unsigned kind, int fd, size_t input)
{
    struct place *place = mem_zalloc(sizeof(*place) + input);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = place};

    list_init(&place->link);
    place->kind = kind;
    place->fd = fd;
    epoll_ctl(server->epoll, EPOLL_CTL_ADD, fd, &event);
    return place;
}

static void place_free(struct place *place)
{
    list_unlink(&place->link);
    close(place->fd);
    free(place);
}

/* A peer that is gone already wants no answer. */
static void put(const struct place *place, const void *bytes, size_t length)
{
    (void)!send(place->fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* HTTP */

static void answer_http(struct place *place)
{
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
                                 "Content-Length: 2\r\nConnection: close\r\n\r\nok";

    put(place, answer, strlen(answer));
    place_free(place);
}

static void read_http(struct server *server, struct place *place)
{
    if (!memmem(place->input, place->used, "\r\n\r\n", 4))
        return;
    if (!place->delay) {
        answer_http(place);
        return;
    }
    epoll_ctl(server->epoll, EPOLL_CTL_DEL, place->fd, NULL);
    place->due = now_ms() + place->delay;
    list_push_back(&server->delayed, &place->link);
}

/* HTTP/2 (RFC 9113): a frame is 3 bytes of length, a type, flags, and the number of its stream */

enum {
    PREFACE = 24,
    HEAD = 9,
    DATA = 0,
    HEADERS = 1,
    SETTINGS = 4,
    PING = 6,
    ACK = 1,
    END_STREAM = 1,
    END_HEADERS = 4,
};

/* What is said for one request. */
struct answer {
    char bytes[512];
    size_t length;
};

/* A frame that does not fit is left out: a client that asks for so much at once is none of ours. */
static void say(struct answer *answer, char type, char flags, const char *stream,
                const char *payload, size_t length)
{
    char head[HEAD] = {0, (char)(length >> 8), (char)length, type, flags};
    char *out = answer->bytes + answer->length;

    if (answer->length + HEAD + length > sizeof(answer->bytes))
        return;
    memcpy(head + 5, stream, 4);
    memcpy(out, head, HEAD);
    memcpy(out + HEAD, payload, length);
    answer->length += HEAD + length;
}

static void answer_grpc(struct answer *answer, const char *stream)
{
    /* HPACK: what is indexed, or literal and not to be indexed */
    static const char head[] =
        "\x88\x0f\x10\x10" /* :status 200, content-type */ "application/grpc";
    static const char health[] = {0, 0, 0, 0, 2, 8, 1}; /* a message of 2 bytes: field 1 is 1 */
    static const char end[] = "\0\x0bgrpc-status\x01"
                              "0";

    say(answer, HEADERS, END_HEADERS, stream, head, strlen(head));
    say(answer, DATA, 0, stream, health, sizeof(health));
    say(answer, HEADERS, END_HEADERS | END_STREAM, stream, end, sizeof(end) - 1);
}

static void take_frame(struct answer *answer, const char *head, size_t length)
{
    char type = head[3], flags = head[4];

    if (type == SETTINGS && !(flags & ACK))
        say(answer, SETTINGS, ACK, "\0\0\0", "", 0);
    else if (type == PING && !(flags & ACK) && length == 8)
        say(answer, PING, ACK, "\0\0\0", head + HEAD, length);
    else if ((type == DATA || type == HEADERS) && flags & END_STREAM)
        answer_grpc(answer, head + 5);
}

static void read_grpc(struct place *place)
{
    const unsigned char *at = (unsigned char *)place->input, *end = at + place->used;
    struct answer answer = {0};

    if (!place->begun) {
        if (place->used < PREFACE)
            return;
        say(&answer, SETTINGS, 0, "\0\0\0", "", 0);
        place->begun = true;
        at += PREFACE;
    }
    while (end - at >= HEAD) {
        size_t length = (size_t)at[0] << 16 | (size_t)at[1] << 8 | at[2];

        if ((size_t)(end - at) < HEAD + length)
            break;
        take_frame(&answer, (const char *)at, length);
        at += HEAD + length;
    }
    place->used = (size_t)(end - at);
    memmove(place->input, at, place->used);
    if (answer.length)
        put(place, answer.bytes, answer.length);
}

/* turns */

static void accept_some(struct server *server, const struct place *listener)
{
    for (unsigned i = 0; i < ACCEPTS; i++) {
        int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd < 0)
            return;
        if (listener->kind & TCP)
            close(fd);
        else
            place_new(server, listener->kind & ~LISTENER, fd, INPUT)->delay = listener->delay;
    }
}

static void read_some(struct server *server, struct place *place)
{
    ssize_t got = read(place->fd, place->input + place->used, INPUT - place->used);

    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0) {
        place_free(place);
        return;
    }
    place->used += (size_t)got;
    if (place->kind == HTTP)
        read_http(server, place);
    else
        read_grpc(place);
}

/* How long until the next. */
static int answer_delayed(const struct server *server)
{
    int64_t now = now_ms(), next = INT32_MAX;

    list_for_each_safe (node, &server->delayed) {
        struct place *place = list_entry(node, struct place, link);

        if (place->due <= now)
            answer_http(place);
        else
            next = MIN(next, place->due - now);
    }
    return next == INT32_MAX ? -1 : (int)next;
}

static void serve(struct server *server)
{
    struct epoll_event events[EVENTS];

    for (;;) {
        int count = epoll_wait(server->epoll, events, EVENTS, answer_delayed(server));

        for (int i = 0; i < count; i++) {
            struct place *place = events[i].data.ptr;

            if (place->kind & LISTENER)
                accept_some(server, place);
            else
                read_some(server, place);
        }
    }
}

/* the beginning */

static int listen_at(struct server *server, unsigned kind, unsigned port, int64_t delay)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)port),
    };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)) < 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int)) < 0 ||
        bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
        listen(fd, BACKLOG) < 0) {
        fprintf(stderr, "probe-server: port %u: %m\n", port);
        return -errno;
    }
    place_new(server, kind | LISTENER, fd, 0)->delay = delay;
    return 0;
}

static int listen_as_told(struct server *server, const char *text)
{
    char kind[8];
    unsigned first, last;
    long delay = 0;

    if (sscanf(text, "%7[a-z]:%u-%u:%ld", kind, &first, &last, &delay) < 3) {
        if (sscanf(text, "%7[a-z]:%u:%ld", kind, &first, &delay) < 2) {
            fprintf(stderr, "probe-server: %s: must be KIND:PORT[-PORT][:DELAY]\n", text);
            return -EINVAL;
        }
        last = first;
    }
    for (unsigned port = first; port <= last; port++)
        if (listen_at(server,
                      !strcmp(kind, "http")  ? HTTP
                      : !strcmp(kind, "tcp") ? TCP
                                             : GRPC,
                      port, delay) < 0)
            return -EINVAL;
    return 0;
}

int main(int argc, char **argv)
{
    struct server server = {.epoll = epoll_create1(EPOLL_CLOEXEC)};
    struct rlimit limit;

    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    list_init(&server.delayed);
    for (int i = 1; i < argc; i++)
        if (listen_as_told(&server, argv[i]) < 0)
            return 2;
    puts("ready");
    fflush(stdout);
    serve(&server);
    return 0;
}
