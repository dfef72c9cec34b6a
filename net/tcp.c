/*
 * Connecting to a TCP port. A call goes
 *
 *     [look the name up, in the pool] ─► address ─► [the next one] ─► done
 *
 * Addresses are written-down ones, or those of a name, one after the other. What comes of them is
 * told by the set of sockets, by the wheel, or, when there was nothing to wait for, by a post.
 */
#include "nodeagent/net/tcp.h"
#include "nodeagent/base/list.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/net/address.h"
#include "nodeagent/net/lookup.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/loop.h"
#include "nodeagent/sys/wheel.h"
#include "nodeagent/sys/work.h"
#include "trouble.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    /* From here on the kernel takes ports for those who connect; one of them may get the very port
     * that it connects to, and so be connected to itself. */
    PORTS_TAKEN_FROM = 32768,
};

struct tcp {
    struct loop *loop;
    struct wheel *wheel;
    struct work *work;
    struct loop_set *set;
    struct list calls;
};

struct tcp_call {
    struct tcp *tcp;
    struct list link;
    struct loop_socket socket; /* in the set: there is one, and it is connecting */
    struct wheel_timer timer;  /* the deadline, or when it is the next address's turn */
    struct loop_post post;
    struct work_job *lookup;
    char *names;      /* addresses of a name, "10.0.0.1,[fd00::1]"; NULL: it was an address */
    const char *next; /* of them; NULL: there is no other */
    char *host;       /* a name */
    union net_address address;
    uint16_t port;
    bool close;
    usec_t timeout;
    usec_t began;
    struct tcp_reply reply;
    tcp_done_fn *done;
    void *owner;
};

static void call_go_on(struct tcp_call *call);

/* addresses */

/* "10.0.0.1:80", "[fd00::1]:80", "name:80" */
static const char *call_shown(const struct tcp_call *call, char *text, size_t size)
{
    char address[INET6_ADDRSTRLEN];

    if (call->host)
        snprintf(text, size, "%s:%u", call->host, call->port);
    else if (call->address.any.sa_family == AF_INET)
        snprintf(text, size, "%s:%u",
                 inet_ntop(AF_INET, &call->address.v4.sin_addr, address, sizeof(address)),
                 call->port);
    else
        snprintf(text, size, "[%s]:%u",
                 inet_ntop(AF_INET6, &call->address.v6.sin6_addr, address, sizeof(address)),
                 call->port);
    return text;
}

/* The next of "10.0.0.1,[fd00::1]". */
static bool call_take_address(struct tcp_call *call)
{
    char text[INET6_ADDRSTRLEN + 1];
    const char *from = call->next;
    size_t length;

    if (!from)
        return false;
    length = strcspn(from, ",");
    call->next = from[length] ? from + length + 1 : NULL;
    if (from[0] == '[') {
        from++;
        length -= 2;
    }
    snprintf(text, sizeof(text), "%.*s", (int)length, from);
    return net_address_parse(&call->address, text, call->port);
}

/* the end of a call */

static void call_disconnect(struct tcp_call *call)
{
    int fd = call->socket.fd;

    if (!call->socket.set)
        return;
    loop_set_remove(&call->socket);
    close(fd);
}

/* Reset: else the port would stay in use for a minute. */
static void call_reset(struct tcp_call *call)
{
    const struct linger linger = {.l_onoff = 1, .l_linger = 0};

    if (!call->close)
        setsockopt(call->socket.fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
    call_disconnect(call);
}

static void call_stop(struct tcp_call *call)
{
    struct work_job *lookup = call->lookup;

    call->lookup = NULL;
    if (lookup)
        work_cancel(lookup);
    wheel_cancel(&call->timer);
    if (call->socket.set)
        call_reset(call); /* it may have been connected meanwhile */
}

static void call_free(struct tcp_call *call)
{
    list_unlink(&call->link);
    free(call->names);
    free(call->host);
    free(call);
}

static usec_t call_age(const struct tcp_call *call)
{
    return MAX(usec_sub(clock_boottime(), call->began), 1);
}

static void call_end(struct tcp_call *call)
{
    call->reply.times.ended = call_age(call);
    call_stop(call);
    list_unlink(&call->link); /* whoever is told may end the rest */
    call->done(call->owner, &call->reply);
    call_free(call);
}

static void call_posted(struct loop_post *post)
{
    call_end(container_of(post, struct tcp_call, post));
}

static void call_fail(struct tcp_call *call, enum net_trouble trouble, int code, const char *text)
{
    char shown[512];

    call->reply.trouble = trouble;
    err_set(&call->reply.err, code, "%s: %s", call_shown(call, shown, sizeof(shown)), text);
}

/* The attempt at the address at hand has failed. */
static void call_fail_address(struct tcp_call *call, int code)
{
    char text[128];

    snprintf(text, sizeof(text), "cannot connect: %s", strerror(-code));
    call_fail(call, net_trouble_of_connect(code), code, text);
}

static void call_expire(struct tcp_call *call)
{
    bool name = call->lookup;
    char text[128];

    snprintf(text, sizeof(text), "cannot connect within %g s%s",
             (double)call->timeout / (double)USEC_PER_SEC,
             name ? ", its name servers do not answer" : "");
    call_fail(call, name ? NET_NAME : NET_CONNECT_TIMEOUT, -ETIMEDOUT, text);
    call_end(call);
}

/* connecting */

static bool is_itself(const struct tcp_call *call)
{
    union net_address ours;
    socklen_t length = sizeof(ours);

    if (call->port < PORTS_TAKEN_FROM || getsockname(call->socket.fd, &ours.any, &length) < 0)
        return false;
    return net_address_port(&ours) == call->port && net_address_is_same_host(&ours, &call->address);
}

static int socket_result(const struct loop_socket *socket, uint32_t events)
{
    int code = 0;
    socklen_t length = sizeof(code);

    if (!(events & (EPOLLERR | EPOLLHUP)))
        return 0;
    if (getsockopt(socket->fd, SOL_SOCKET, SO_ERROR, &code, &length) < 0)
        return -errno;
    return -code;
}

static void socket_ready(struct loop_socket *socket, uint32_t events)
{
    struct tcp_call *call = container_of(socket, struct tcp_call, socket);
    int code = socket_result(socket, events);

    if (code == 0 && is_itself(call))
        code = -ECONNREFUSED; /* nobody else listens there */
    if (code == 0) {
        call->reply.trouble = NET_ANSWERED;
        call->reply.err.code = 0; /* of an address before this one */
        call->reply.err.text[0] = '\0';
        call->reply.times.connected = call_age(call);
        call_end(call);
        return;
    }
    call_fail_address(call, code);
    call_disconnect(call);
    if (call->next)
        call_go_on(call);
    else
        call_end(call);
}

/* 0: it is under way. */
static int call_connect(struct tcp_call *call)
{
    const union net_address *address = &call->address;
    int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), r = 0;

    if (fd < 0)
        return -errno;
    if (connect(fd, &address->any, net_address_length(address)) < 0 && errno != EINPROGRESS)
        r = -errno;
    /* One that is connected at once is ready at once. */
    else
        r = loop_set_add(call->tcp->set, &call->socket, fd, EPOLLOUT, socket_ready,
                         &call->reply.err);
    if (r < 0)
        close(fd);
    return r;
}

/* The last has the rest of the time. */
static void call_arm(struct tcp_call *call)
{
    usec_t deadline = usec_add(call->began, call->timeout);

    if (call->next)
        deadline = MIN(deadline, usec_add(clock_boottime(), TCP_NEXT_ADDRESS_USEC));
    wheel_arm(call->tcp->wheel, &call->timer, deadline);
}

/* To the next address that can be tried. What fails at once is told later. */
static void call_go_on(struct tcp_call *call)
{
    while (call_take_address(call)) {
        int r = call_connect(call);

        if (r == 0) {
            call_arm(call);
            return;
        }
        call_fail_address(call, r);
    }
    wheel_cancel(&call->timer);
    loop_post(call->tcp->loop, &call->post);
}

/* A busy machine may have let this one sleep since it was connected. */
static bool call_look(struct tcp_call *call)
{
    struct pollfd ready = {.fd = call->socket.fd, .events = POLLOUT};

    if (!call->socket.set || poll(&ready, 1, 0) <= 0)
        return false;
    socket_ready(&call->socket, (uint32_t)ready.revents);
    return true;
}

static void timer_fired(struct wheel_timer *timer)
{
    struct tcp_call *call = container_of(timer, struct tcp_call, timer);

    if (call_look(call))
        return;
    if (!call->next || clock_boottime() >= usec_add(call->began, call->timeout)) {
        call_expire(call);
        return;
    }
    call_disconnect(call);
    call_go_on(call);
}

/* names */

static void call_looked_up(void *owner, const char *addresses, const struct err *err)
{
    struct tcp_call *call = owner;

    if (err->code == -ECANCELED)
        return; /* by call_stop() */
    call->lookup = NULL;
    if (!addresses) {
        call_fail(call, net_trouble_of_lookup(err->code), err->code, err->text);
        call_end(call);
        return;
    }
    call->reply.times.resolved = call_age(call);
    call->next = call->names = mem_strdup(addresses);
    call_go_on(call);
}

static void call_look_up(struct tcp_call *call, const char *host)
{
    struct err err;

    call->host = mem_strdup(host);
    if (lookup_start(call->tcp->work, host, call->timeout, call_looked_up, call, &call->lookup,
                     &err) == 0) {
        call_arm(call);
        return;
    }
    call_fail(call, net_trouble_of_lookup(err.code), err.code, err.text);
    loop_post(call->tcp->loop, &call->post);
}

/* calls */

static void call_begin(struct tcp_call *call)
{
    int r = call_connect(call);

    call->reply.times.resolved = 1;
    if (r == 0) {
        call_arm(call);
        return;
    }
    call_fail_address(call, r);
    loop_post(call->tcp->loop, &call->post);
}

struct tcp_call *tcp_connect(struct tcp *tcp, const struct tcp_request *request, tcp_done_fn *done,
                             void *owner)
{
    struct tcp_call *call = mem_new(struct tcp_call);

    assert_that(request->timeout && request->timeout != USEC_NEVER);
    call->tcp = tcp;
    call->port = request->port;
    call->close = request->close;
    call->timeout = request->timeout;
    call->began = clock_boottime();
    call->done = done;
    call->owner = owner;
    wheel_timer_init(&call->timer, timer_fired);
    loop_post_init(&call->post, call_posted);
    list_push_back(&tcp->calls, &call->link);
    if (net_address_parse(&call->address, request->host, request->port))
        call_begin(call);
    else
        call_look_up(call, request->host);
    return call;
}

void tcp_cancel(struct tcp_call *call)
{
    call_stop(call);
    loop_post_cancel(call->tcp->loop, &call->post);
    call_free(call);
}

/* all of them */

int tcp_new(struct tcp **result, struct loop *loop, struct wheel *wheel, struct work *work,
            struct err *err)
{
    struct tcp *tcp = mem_new(struct tcp);
    int r = loop_set_new(&tcp->set, loop, LOOP_COMPLETIONS, err);

    if (r < 0) {
        free(tcp);
        return r;
    }
    tcp->loop = loop;
    tcp->wheel = wheel;
    tcp->work = work;
    list_init(&tcp->calls);
    *result = tcp;
    return 0;
}

struct tcp *tcp_free(struct tcp *tcp)
{
    if (!tcp)
        return NULL;
    list_for_each_safe (node, &tcp->calls)
        tcp_cancel(list_entry(node, struct tcp_call, link));
    loop_set_free(tcp->set);
    free(tcp);
    return NULL;
}
