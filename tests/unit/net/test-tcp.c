/* net/tcp: connecting to ports that listen, refuse, and say nothing. */
#include "socket-table.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/base/str.h"
#include "nodeagent/net/tcp.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/loop.h"
#include "nodeagent/sys/wheel.h"
#include "nodeagent/sys/work.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define PATIENCE (20 * USEC_PER_SEC)

struct place {
    struct loop *loop;
    struct wheel *wheel;
    struct wheel_driver *driver;
    struct work *work;
    struct tcp *tcp;
    int listener;
    unsigned port;
    struct tcp_call *call;
    struct tcp_call *cancel_too;
    unsigned done;
    struct tcp_reply reply;
};

static int set_up(void **state)
{
    struct place *place = mem_new(struct place);

    place->wheel = wheel_new(clock_boottime());
    assert_int_equal(loop_new(&place->loop, NULL), 0);
    assert_int_equal(wheel_driver_new(&place->driver, place->wheel, place->loop, NULL), 0);
    assert_int_equal(work_new(&place->work, place->loop, place->wheel, NULL), 0);
    assert_int_equal(tcp_new(&place->tcp, place->loop, place->wheel, place->work, NULL), 0);
    place->listener = socket_bound(AF_INET, 4096, &place->port);
    *state = place;
    return 0;
}

static int tear_down(void **state)
{
    struct place *place = *state;

    assert_null(tcp_free(place->tcp));
    work_free(place->work);
    wheel_driver_free(place->driver);
    wheel_free(place->wheel);
    loop_free(place->loop);
    close(place->listener);
    free(place);
    return 0;
}

static void take(void *owner, const struct tcp_reply *reply)
{
    struct place *place = owner;

    place->done++;
    place->reply = *reply;
    if (place->cancel_too)
        tcp_cancel(place->cancel_too);
    place->cancel_too = NULL;
}

static void turn(struct place *place)
{
    assert_true(loop_turn(place->loop, 10 * USEC_PER_MSEC, NULL) >= 0);
}

static void ask(struct place *place, struct tcp_request request)
{
    usec_t patience = clock_boottime() + PATIENCE;
    unsigned before = place->done;

    request.timeout = request.timeout ? request.timeout : PATIENCE;
    place->call = tcp_connect(place->tcp, &request, take, place);
    assert_int_equal(place->done, before); /* never from within */
    while (place->done == before) {
        assert_true(clock_boottime() < patience);
        turn(place);
    }
    assert_true(place->reply.times.ended > 0);
}

static void assert_trouble(struct place *place, enum net_trouble trouble, int code,
                           const char *sentence)
{
    if (place->reply.trouble != trouble || place->reply.err.code != code ||
        !strstr(place->reply.err.text, sentence))
        fail_msg("%d, %d %s", place->reply.trouble, place->reply.err.code, place->reply.err.text);
}

static void test_connected(void **state)
{
    struct place *place = *state;
    unsigned port;
    int six = socket_bound(AF_INET6, 8, &port);

    ask(place, (struct tcp_request){.host = "127.0.0.1", .port = (uint16_t)place->port});
    assert_trouble(place, NET_ANSWERED, 0, "");
    assert_true(place->reply.times.resolved <= place->reply.times.connected);
    assert_true(place->reply.times.connected <= place->reply.times.ended);
    ask(place, (struct tcp_request){.host = "::1", .port = (uint16_t)port});
    assert_trouble(place, NET_ANSWERED, 0, "");
    /* One of its addresses refuses. */
    ask(place, (struct tcp_request){.host = "localhost", .port = (uint16_t)place->port});
    assert_trouble(place, NET_ANSWERED, 0, "");
    close(six);
}

static void test_reset_or_closed(void **state)
{
    struct place *place = *state;
    struct tcp_request request = {.host = "127.0.0.1", .port = (uint16_t)place->port};
    unsigned before = sockets_to(place->port, SOCKET_TABLE_TIME_WAIT);
    int peer;
    char byte;

    ask(place, request);
    peer = accept4(place->listener, NULL, NULL, SOCK_CLOEXEC);
    assert_int_equal(recv(peer, &byte, 1, 0), -1);
    assert_int_equal(errno, ECONNRESET);
    close(peer);
    assert_true(sockets_to(place->port, SOCKET_TABLE_TIME_WAIT) <= before);
    request.close = true;
    ask(place, request);
    peer = accept4(place->listener, NULL, NULL, SOCK_CLOEXEC);
    assert_int_equal(recv(peer, &byte, 1, 0), 0);
    close(peer);
    assert_true(sockets_to(place->port, SOCKET_TABLE_TIME_WAIT) > 0);
}

static void test_refused(void **state)
{
    struct place *place = *state;
    unsigned port;
    int fd = socket_bound(AF_INET, -1, &port);
    char *sentence = mem_printf("127.0.0.1:%u: cannot connect: Connection refused", port);

    ask(place, (struct tcp_request){.host = "127.0.0.1", .port = (uint16_t)port});
    assert_trouble(place, NET_REFUSED, -ECONNREFUSED, sentence);
    ask(place, (struct tcp_request){.host = "localhost", .port = (uint16_t)port});
    assert_trouble(place, NET_REFUSED, -ECONNREFUSED, "localhost:");
    ask(place, (struct tcp_request){.host = "::1", .port = 1});
    assert_trouble(place, NET_REFUSED, -ECONNREFUSED, "[::1]:1: cannot connect: ");
    free(sentence);
    close(fd);
}

/* A full backlog: the kernel drops what comes. */
static void test_nobody_answers(void **state)
{
    struct place *place = *state;
    struct tcp_request request = {.host = "127.0.0.1", .timeout = 50 * USEC_PER_MSEC};
    unsigned port;
    int fd = socket_bound(AF_INET, 0, &port), others[3];
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    usec_t began;

    for (size_t i = 0; i < 3; i++) {
        others[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        connect(others[i], (struct sockaddr *)&address, sizeof(address));
    }
    request.port = (uint16_t)port;
    began = clock_boottime();
    ask(place, request);
    assert_trouble(place, NET_CONNECT_TIMEOUT, -ETIMEDOUT, ": cannot connect within 0.05 s");
    assert_true(clock_boottime() - began >= request.timeout);
    assert_int_equal(place->reply.times.connected, 0);
    for (size_t i = 0; i < 3; i++)
        close(others[i]);
    close(fd);
}

/* The loop slept meanwhile, and comes to the deadline before it comes to the socket. */
static void test_connected_in_time_but_not_looked_at(void **state)
{
    struct place *place = *state;
    struct tcp_request request = {
        .host = "127.0.0.1", .port = (uint16_t)place->port, .timeout = 20 * USEC_PER_MSEC};
    struct wheel_timer *timer;

    place->call = tcp_connect(place->tcp, &request, take, place);
    usleep(40 * USEC_PER_MSEC);
    while ((timer = wheel_pop(place->wheel, clock_boottime())))
        timer->fire(timer);
    while (!place->done)
        turn(place);
    assert_trouble(place, NET_ANSWERED, 0, "");
}

static void test_names_that_are_none(void **state)
{
    struct place *place = *state;

    ask(place, (struct tcp_request){.host = "nobody.invalid", .port = 80});
    assert_int_equal(place->reply.trouble, NET_NAME);
    assert_true(str_has_prefix(place->reply.err.text, "nobody.invalid:80: its name cannot be "));
    assert_int_equal(place->reply.times.resolved, 0);
    ask(place, (struct tcp_request){.host = "", .port = 80});
    assert_int_equal(place->reply.trouble, NET_NAME);
}

static void test_this_machine_has_no_socket_left(void **state)
{
    struct place *place = *state;
    struct rlimit limit, none;

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = limit;
    none.rlim_cur = 3;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    ask(place, (struct tcp_request){.host = "127.0.0.1", .port = (uint16_t)place->port});
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_trouble(place, NET_LOCAL, -EMFILE, ": cannot connect: Too many open files");
}

static void test_no_way(void **state)
{
    struct place *place = *state;

    ask(place, (struct tcp_request){.host = "255.255.255.255", .port = 80});
    assert_true(place->reply.trouble == NET_UNREACHABLE || place->reply.trouble == NET_LOCAL);
}

static void test_many(void **state)
{
    struct place *place = *state;
    unsigned waiting = sockets_to(place->port, SOCKET_TABLE_TIME_WAIT), before;

    ask(place, (struct tcp_request){.host = "127.0.0.1", .port = (uint16_t)place->port});
    before = descriptors_now();
    for (unsigned i = 0; i < 1000; i++)
        ask(place, (struct tcp_request){.host = "127.0.0.1", .port = (uint16_t)place->port});
    assert_int_equal(place->done, 1001);
    assert_int_equal(descriptors_now(), before);
    assert_true(sockets_to(place->port, SOCKET_TABLE_TIME_WAIT) <= waiting);
}

static void test_cancelled_at_any_time(void **state)
{
    static const char *const hosts[] = {"127.0.0.1", "localhost", "::1"};
    struct place *place = *state;
    struct tcp_request request = {.port = (uint16_t)place->port, .timeout = PATIENCE};

    for (unsigned i = 0; i < 24; i++) {
        request.host = hosts[i % 3];
        place->call = tcp_connect(place->tcp, &request, take, place);
        for (unsigned turns = 0; turns < i / 6 && !place->done; turns++)
            turn(place);
        if (!place->done)
            tcp_cancel(place->call);
        place->done = 0;
    }
    for (unsigned turns = 0; turns < 5; turns++)
        turn(place);
    assert_int_equal(place->done, 0);
    /* Freed with some under way, and one that was told to end by another. */
    request.host = "127.0.0.1";
    place->cancel_too = tcp_connect(place->tcp, &request, take, place);
    request.host = "::1";
    tcp_connect(place->tcp, &request, take, place);
    request.host = "localhost";
    tcp_connect(place->tcp, &request, take, place);
    while (!place->done) {
        if (place->cancel_too)
            tcp_cancel(place->cancel_too);
        place->cancel_too = NULL;
        turn(place);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_connected, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_reset_or_closed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_nobody_answers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_connected_in_time_but_not_looked_at, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_names_that_are_none, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_this_machine_has_no_socket_left, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_way, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_many, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_cancelled_at_any_time, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
