/* net/http-curl: connections and what comes over them. */
#include "http-place.h"
#include "http-private.h"
#include "rpc-server.h"
#include "socket-table.h"

#include <errno.h>
#include <signal.h>

static atomic_uint tunnels; /* to api.example, that the server as a proxy was asked for */

static bool answer(struct http_server *server, int fd, const char *path, const char *request)
{
    char text[1024];
    unsigned number;

    if (sscanf(path, "/status/%u", &number) == 1) {
        snprintf(text, sizeof(text), "%03u Whatever", number);
        return http_reply_with(fd, text, "", "text");
    }
    if (!strcmp(path, "/soon"))
        usleep(100 * USEC_PER_MSEC);
    if (!strcmp(path, "/switch"))
        return http_send(fd, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n");
    if (!strcmp(path, "/interim"))
        return http_send(fd, "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
                             "HTTP/1.1 200 OK\r\nX-Last: 1\r\nTransfer-Encoding: chunked\r\n\r\n"
                             "2\r\nok\r\n0\r\nX-Trailer: 2\r\n\r\n");
    if (!strcmp(path, "/stall"))
        return http_send(fd, "HTTP/1.1 200 OK\r\n\r\n0123456789");
    if (!strcmp(path, "/hang"))
        return true;
    if (!strcmp(path, "/ten"))
        return http_reply_with(fd, "200 OK", "", "0123456789");
    if (!strcmp(path, "/long-head")) {
        memset(text, 'x', sizeof(text));
        memcpy(text, "X: ", 3);
        memcpy(text + sizeof(text) - 3, "\r\n", 3);
        http_send(fd, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n");
        for (number = 0; number < 200; number++)
            http_send(fd, text);
        return http_send(fd, "\r\n");
    }
    if (!strncmp(request, "CONNECT ", strlen("CONNECT "))) {
        tunnels += !strcmp(path, "api.example:6443");
        return http_reply_with(fd, "502 Bad Gateway", "", "");
    }
    if (!strcmp(path, "/close"))
        return http_reply_with(fd, "200 OK", "Connection: close\r\n", "bye") && false;
    return http_reply_with(fd, "200 OK", "", "hello");
}

static int set_up(void **state)
{
    return place_set_up(state, answer);
}

static void test_any_status(void **state)
{
    struct place *place = *state;
    struct http_request request = {.once = true};

    ask(place, "/status/600", request);
    assert_int_equal(place->status, 600);
    ask(place, "/status/999", request);
    assert_int_equal(place->status, 999);
    ask(place, "/switch", request);
    assert_int_equal(place->trouble, NET_ANSWERED);
    assert_int_equal(place->status, 101);
}

static void test_heads(void **state)
{
    struct place *place = *state;
    struct http_request request = {.once = true, .keep_head = true};

    ask(place, "/interim", request);
    assert_int_equal(place->status, 200);
    assert_string_equal(place->body, "ok");
    assert_string_equal(place->head, "HTTP/1.1 200 OK\r\nX-Last: 1\r\n"
                                     "Transfer-Encoding: chunked\r\nX-Trailer: 2\r\n");
    ask(place, "/long-head", request);
    assert_int_equal(place->status, 200);
    assert_true(strlen(place->head) > 60 * 1024 && strlen(place->head) <= 64 * 1024);
    request.keep_head = false;
    ask(place, "/interim", request);
    assert_string_equal(place->head, "");
}

static void test_cut(void **state)
{
    struct place *place = *state;
    struct http_request request = {.once = true, .cut = true, .answer_max = 4};

    ask(place, "/ten", request);
    assert_int_equal(place->trouble, NET_ANSWERED);
    assert_int_equal(place->status, 200);
    assert_string_equal(place->body, "0123");
    assert_true(place->cut);
    request.answer_max = 10;
    ask(place, "/ten", request);
    assert_string_equal(place->body, "0123456789");
    assert_false(place->cut);
    ask(place, "/stall", request); /* who knows whether there is more? */
    assert_string_equal(place->body, "0123456789");
    assert_true(place->cut);
}

static void wait_for_peers(struct place *place)
{
    usec_t patience = clock_boottime() + PATIENCE;

    while (sockets_to(place->server.port, SOCKET_TABLE_ESTABLISHED)) {
        assert_true(clock_boottime() < patience);
        usleep(1000);
    }
}

static void test_reset_or_closed(void **state)
{
    struct place *place = *state;
    struct http_request request = {.once = true, .cut = true, .answer_max = 10};
    static const char *const paths[] = {"/text", "/close", "/stall", "/switch"};
    unsigned before = sockets_to(place->server.port, SOCKET_TABLE_TIME_WAIT);

    for (size_t i = 0; i < array_size(paths); i++)
        ask(place, paths[i], request);
    assert_int_equal(place->server.requests, 4);
    wait_for_peers(place);
    assert_true(sockets_to(place->server.port, SOCKET_TABLE_TIME_WAIT) <= before);
    request.close = true;
    ask(place, "/text", request);
    wait_for_peers(place);
    turn_for(place, 20 * USEC_PER_MSEC);
    assert_true(sockets_to(place->server.port, SOCKET_TABLE_TIME_WAIT) > 0);
}

/* Echoes what it is asked, as gRPC: a stream of HTTP/2 that ends in trailers. */
static void echo(struct server *server, grpc_call *call, const char *method)
{
    grpc_byte_buffer *request = NULL;
    grpc_op begin[] = {
        {.op = GRPC_OP_SEND_INITIAL_METADATA},
        {.op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &request},
    };

    server_batch(server, call, begin, array_size(begin));
    if (request) {
        grpc_op send = {.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = request};

        server_batch(server, call, &send, 1);
        grpc_byte_buffer_destroy(request);
    }
    server_finish(server, call, GRPC_STATUS_ABORTED, "echoed");
}

static void test_http_2(void **state)
{
    static const char *const headers[] = {"Content-Type: application/grpc", "TE: trailers", NULL};
    struct place *place = *state;
    struct http_request request = {.headers = headers,
                                   .body = "\0\0\0\0\2hi",
                                   .body_length = 7,
                                   .version = HTTP_VERSION_2,
                                   .keep_head = true,
                                   .once = true};
    struct server server = {0};
    unsigned port;
    int fd = socket_bound(AF_INET, -1, &port);
    char *target = mem_printf("127.0.0.1:%u", port);
    char *url = mem_printf("http://127.0.0.1:%u/test/Echo", port);

    close(fd);
    grpc_init();
    server_start(&server, target, echo);
    for (unsigned i = 0; i < 3; i++) {
        ask_url(place, url, request);
        assert_int_equal(place->trouble, NET_ANSWERED);
        assert_int_equal(place->status, 200);
        assert_int_equal(place->length, 7);
        assert_memory_equal(place->body, request.body, 7);
        assert_true(str_has_prefix(place->head, "HTTP/2 200"));
        assert_non_null(strstr(place->head, "grpc-status: 10\r\n"));
        assert_non_null(strstr(place->head, "grpc-message: echoed\r\n"));
    }
    server_stop(&server);
    grpc_shutdown_blocking();
    free(target);
    free(url);
}

/* Of a server that is known to speak HTTP/2: more than one connection at a time is not begun. */
static void test_calls_wait_for_a_connection_that_is_made(void **state)
{
    struct place *place = *state;
    struct http_options options = {
        .loop = place->loop,
        .wheel = place->wheel,
        .work = place->work,
        .class = LOOP_API,
        .calls_max = 8,
        .lasting = true,
    };
    char *url = mem_printf("http://127.0.0.1:%u/soon", place->server.port);
    struct http_request request = {.url = url, .timeout = PATIENCE, .answer_max = 10};
    struct http_call *calls[4];

    http_free(place->http);
    assert_int_equal(http_new(&place->http, &options, NULL), 0);
    place->http->multiplexes = true;
    for (size_t i = 0; i < array_size(calls); i++)
        assert_int_equal(http_begin(&calls[i], place->http, &request, take, place, NULL), 0);
    assert_ptr_equal(place->http->opening, calls[0]);
    assert_ptr_equal(list_first(&place->http->held, struct http_call, hold), calls[1]);
    http_cancel(calls[0]);
    assert_null(place->http->opening);
    http_cancel(calls[1]);
    turn_until_done(place, 2);
    assert_int_equal(place->status, 200);
    assert_false(place->http->multiplexes); /* now it is known better */
    place->http->multiplexes = true;
    for (size_t i = 0; i < array_size(calls); i++)
        assert_int_equal(http_begin(&calls[i], place->http, &request, take, place, NULL), 0);
    place->http = http_free(place->http);
    free(url);
}

static void test_versions(void **state)
{
    struct place *place = *state;
    unsigned port;
    int fd = socket_bound(AF_INET, 8, &port), peer;
    char *url = mem_printf("http://127.0.0.1:%u/", port), bytes[25] = "";
    struct http_request request = {
        .url = url, .timeout = PATIENCE, .answer_max = 10, .version = HTTP_VERSION_2, .once = true};

    assert_int_equal(http_begin(&place->call, place->http, &request, take, place, NULL), 0);
    turn_for(place, 20 * USEC_PER_MSEC);
    peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
    assert_int_equal(recv(peer, bytes, 24, MSG_WAITALL), 24);
    assert_string_equal(bytes, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    http_send(peer, "HTTP/1.1 400 Bad Request\r\n\r\n");
    turn_until_done(place, 1);
    assert_int_equal(place->trouble, NET_CLOSED);
    assert_non_null(strstr(place->err.text, "/: no answer in HTTP/2"));
    close(peer);
    request.version = HTTP_VERSION_ANY;
    assert_int_equal(http_begin(&place->call, place->http, &request, take, place, NULL), 0);
    turn_for(place, 20 * USEC_PER_MSEC);
    peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
    assert_int_equal(recv(peer, bytes, 14, MSG_WAITALL), 14);
    assert_memory_equal(bytes, "GET / HTTP/1.1", 14);
    http_cancel(place->call);
    close(peer);
    close(fd);
    free(url);
}

static void test_six(void **state)
{
    struct place *place = *state;

    ask_url(place, "http://[::1]:1/", (struct http_request){.once = true});
    assert_int_equal(place->trouble, NET_REFUSED);
    assert_string_equal(place->url, "http://[::1]:1/");
}

/* Connected to, be it by a proxy, is the host of the URL; the name is for TLS alone. */
static void test_servers_of_other_names(void **state)
{
    static const char *const names[] = {"kubernetes", "10.0.0.1", "fd00::1"};
    struct place *place = *state;
    char *proxy = mem_printf("http://127.0.0.1:%u", place->server.port);
    char *url = mem_printf("https://127.0.0.1:%u/text", place->server.port);
    struct http_request request = {.timeout = PATIENCE, .answer_max = 10};

    for (size_t i = 0; i < array_size(names); i++) {
        unsigned connections = place->server.count;

        request.identity = &(struct http_identity){.server_name = names[i]};
        request.proxy = NULL;
        request.url = url;
        assert_int_equal(http_begin(&place->call, place->http, &request, take, place, NULL), 0);
        while (place->server.count == connections)
            turn_for(place, USEC_PER_MSEC);
        assert_string_equal(place->call->url.host, "127.0.0.1");
        http_cancel(place->call);
        request.proxy = proxy;
        ask_url(place, "https://api.example:6443/text", request);
        assert_int_equal(tunnels, i + 1);
    }
    free(proxy);
    free(url);
}

static void *answer_one_by_one(void *data)
{
    int fd;
    char bytes[4096];

    while ((fd = accept4(*(int *)data, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
        if (recv(fd, bytes, sizeof(bytes), 0) > 0)
            http_reply_with(fd, "200 OK", "Connection: close\r\n", "hello");
        close(fd);
    }
    return NULL;
}

static void test_descriptors_of_many(void **state)
{
    struct place *place = *state;
    pthread_t thread;
    unsigned port, before, waiting;
    int fd = socket_bound(AF_INET, 64, &port);
    char *url = mem_printf("http://127.0.0.1:%u/", port);

    assert_int_equal(pthread_create(&thread, NULL, answer_one_by_one, &fd), 0);
    ask_url(place, url, (struct http_request){.once = true});
    usleep(10000);
    waiting = sockets_to(port, SOCKET_TABLE_TIME_WAIT);
    before = descriptors_now();
    for (unsigned i = 0; i < 1000; i++) {
        ask_url(place, url, (struct http_request){.once = true});
        assert_int_equal(place->trouble, NET_ANSWERED);
    }
    usleep(10000);
    assert_int_equal(descriptors_now(), before);
    assert_true(sockets_to(port, SOCKET_TABLE_TIME_WAIT) <= waiting);
    shutdown(fd, SHUT_RDWR);
    pthread_join(thread, NULL);
    close(fd);
    free(url);
}

static void test_cancelled_in_each_phase(void **state)
{
    static const struct {
        const char *begin, *path;
    } urls[] = {
        {"http://localhost", "/hang"},
        {"http://127.0.0.1", "/hang"},
        {"http://127.0.0.1", "/stall"},
        {"https://127.0.0.1", "/text"},
    };
    struct place *place = *state;
    struct http_request request = {.timeout = PATIENCE, .answer_max = 100, .once = true};
    unsigned waiting = sockets_to(place->server.port, SOCKET_TABLE_TIME_WAIT);
    unsigned before = descriptors_now();

    for (unsigned i = 0; i < 2 * array_size(urls); i++) {
        char *url = mem_printf("%s:%u%s", urls[i / 2].begin, place->server.port, urls[i / 2].path);

        request.url = url;
        assert_int_equal(http_begin(&place->call, place->http, &request, take, place, NULL), 0);
        if (i % 2)
            turn_for(place, 20 * USEC_PER_MSEC);
        http_cancel(place->call);
        free(url);
    }
    turn_for(place, 20 * USEC_PER_MSEC);
    assert_int_equal(place->done, 0);
    /* What the server has accepted is in this process, too. */
    assert_true(descriptors_now() <= before + place->server.count);
    assert_true(sockets_to(place->server.port, SOCKET_TABLE_TIME_WAIT) <= waiting);
}

/* The loop sleeps when the answer comes, and comes to the deadline before it comes to the socket.
 */
static void test_answered_in_time_but_not_looked_at(void **state)
{
    struct place *place = *state;
    struct http_request request = {.timeout = 150 * USEC_PER_MSEC, .answer_max = 10, .once = true};
    char *url = mem_printf("http://127.0.0.1:%u/soon", place->server.port);
    struct wheel_timer *timer;

    request.url = url;
    assert_int_equal(http_begin(&place->call, place->http, &request, take, place, NULL), 0);
    turn_for(place, 50 * USEC_PER_MSEC);
    assert_int_equal(place->done, 0);
    usleep(130 * USEC_PER_MSEC); /* curl's own first timer is at 200 */
    while ((timer = wheel_pop(place->wheel, clock_boottime())))
        timer->fire(timer);
    turn_until_done(place, 1);
    assert_int_equal(place->trouble, NET_ANSWERED);
    assert_int_equal(place->status, 200);
    free(url);
}

#define in_place(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_place(test_any_status),
        in_place(test_heads),
        in_place(test_cut),
        in_place(test_reset_or_closed),
        in_place(test_versions),
        in_place(test_http_2),
        in_place(test_calls_wait_for_a_connection_that_is_made),
        in_place(test_six),
        in_place(test_servers_of_other_names),
        in_place(test_descriptors_of_many),
        in_place(test_answered_in_time_but_not_looked_at),
        in_place(test_cancelled_in_each_phase),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
