/* net/http-curl: connections and what comes over them. */
#include "http-place.h"
#include "socket-table.h"

#include <errno.h>
#include <signal.h>

static bool answer(struct http_server *server, int fd, const char *path, const char *request)
{
    char text[1024];
    unsigned number;

    if (sscanf(path, "/status/%u", &number) == 1) {
        snprintf(text, sizeof(text), "%03u Whatever", number);
        return http_reply_with(fd, text, "", "text");
    }
    if (!strcmp(path, "/switch"))
        return http_send(fd, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n");
    if (!strcmp(path, "/interim"))
        return http_send(fd, "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
                             "HTTP/1.1 200 OK\r\nX-Last: 1\r\nTransfer-Encoding: chunked\r\n\r\n"
                             "2\r\nok\r\n0\r\nX-Trailer: 2\r\n\r\n");
    if (!strcmp(path, "/stall"))
        return http_send(fd, "HTTP/1.1 200 OK\r\n\r\n0123456789");
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

    for (size_t i = 0; i < array_size(paths); i++)
        ask(place, paths[i], request);
    assert_int_equal(place->server.count, 4);
    wait_for_peers(place);
    assert_int_equal(sockets_to(place->server.port, SOCKET_TABLE_TIME_WAIT), 0);
    request.close = true;
    ask(place, "/text", request);
    wait_for_peers(place);
    turn_for(place, 20 * USEC_PER_MSEC);
    assert_int_equal(sockets_to(place->server.port, SOCKET_TABLE_TIME_WAIT), 1);
}

/* HTTP/2 itself is for the integration tests: here is whether it is spoken. */
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
    unsigned port, before;
    int fd = socket_bound(AF_INET, 64, &port);
    char *url = mem_printf("http://127.0.0.1:%u/", port);

    assert_int_equal(pthread_create(&thread, NULL, answer_one_by_one, &fd), 0);
    ask_url(place, url, (struct http_request){.once = true});
    usleep(10000);
    before = descriptors_now();
    for (unsigned i = 0; i < 1000; i++) {
        ask_url(place, url, (struct http_request){.once = true});
        assert_int_equal(place->trouble, NET_ANSWERED);
    }
    usleep(10000);
    assert_int_equal(descriptors_now(), before);
    assert_int_equal(sockets_to(port, SOCKET_TABLE_TIME_WAIT), 0);
    shutdown(fd, SHUT_RDWR);
    pthread_join(thread, NULL);
    close(fd);
    free(url);
}

#define in_place(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_place(test_any_status),          in_place(test_heads),    in_place(test_cut),
        in_place(test_reset_or_closed),     in_place(test_versions), in_place(test_six),
        in_place(test_descriptors_of_many),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
