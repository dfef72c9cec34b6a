/* net/http-trouble: what failures are, by the step at which they happen. */
#include "http-place.h"
#include "hung-lookup.h"
#include "socket-table.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>

#define SHORT (60 * USEC_PER_MSEC)

static bool reset(int fd)
{
    const struct linger linger = {.l_onoff = 1, .l_linger = 0};

    /* The server keeps the descriptor: disconnecting resets it. */
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
    connect(fd, &(struct sockaddr){.sa_family = AF_UNSPEC}, sizeof(struct sockaddr));
    return false;
}

static bool answer(struct http_server *server, int fd, const char *path, const char *request)
{
    char line[1024];

    if (!strcmp(path, "/hang"))
        return true;
    if (!strcmp(path, "/interim"))
        return http_send(fd, "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n");
    if (!strcmp(path, "/head"))
        return http_send(fd, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n");
    if (!strcmp(path, "/close"))
        return false;
    if (!strcmp(path, "/reset"))
        return reset(fd);
    if (!strcmp(path, "/half-head"))
        return http_send(fd, "HTTP/1.1 200 OK\r\nContent-Le") && false;
    if (!strcmp(path, "/cut"))
        return http_send(fd, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfive5") && false;
    if (!strcmp(path, "/cut-chunk"))
        return http_send(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nfive5") &&
               false;
    if (!strcmp(path, "/nonsense"))
        return http_send(fd, "hello\r\n") && false;
    if (!strcmp(path, "/endless-head") || !strcmp(path, "/endless-line")) {
        memset(line, 'x', sizeof(line));
        snprintf(line, sizeof(line), "X: ");
        line[3] = 'x';
        snprintf(line + sizeof(line) - 3, 3, !strcmp(path, "/endless-head") ? "\r\n" : "xx");
        http_send(fd, "HTTP/1.1 200 OK\r\n");
        while (http_send(fd, line))
            ;
        return false;
    }
    return http_reply_with(fd, "200 OK", "", "hello");
}

static int set_up(void **state)
{
    return place_set_up(state, answer);
}

static void assert_trouble(struct place *place, enum net_trouble trouble, int code, int status,
                           const char *sentence)
{
    if (place->trouble != trouble || place->err.code != code || place->status != status ||
        !strstr(place->err.text, sentence))
        fail_msg("trouble %d, code %d, status %d: %s", place->trouble, place->err.code,
                 place->status, place->err.text);
}

static void test_names(void **state)
{
    struct place *place = *state;

    ask_url(place, "http://nobody.invalid/", (struct http_request){.once = true});
    assert_int_equal(place->trouble, NET_NAME);
    assert_int_equal(place->times.resolved, 0);
}

static void test_names_that_hang(void **state)
{
    struct place *place = *state;
    struct hung_lookup hung;

    hung_lookup_begin(&hung, place->work, "slow.example", 3 * SHORT);
    ask_url(place, "http://slow.example/", (struct http_request){.timeout = SHORT});
    assert_trouble(place, NET_NAME, -ETIMEDOUT, 0, ", its name servers do not answer");
    turn_for(place, 4 * SHORT);
    ask_url(place, "http://slow.example/", (struct http_request){.timeout = SHORT});
    assert_int_equal(place->trouble, NET_NAME); /* it is stuck, which is known at once */
    hung_lookup_end(&hung);
    while (work_stats(place->work)->stuck)
        turn_for(place, 10 * USEC_PER_MSEC);
    hung_lookup_close(&hung);
}

static void test_connecting(void **state)
{
    struct place *place = *state;
    struct rlimit limit, none;

    ask_url(place, "http://127.0.0.1:1/x", (struct http_request){.once = true});
    assert_trouble(place, NET_REFUSED, -ECONNREFUSED, 0,
                   "http://127.0.0.1:1/x: cannot connect: Connection refused");
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = limit;
    none.rlim_cur = 3;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    ask_url(place, "http://127.0.0.1:1/x", (struct http_request){.once = true});
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_trouble(place, NET_LOCAL, -EMFILE, 0, ": cannot connect: Too many open files");
}

/* A full backlog: the kernel drops what comes. */
static void test_nobody_answers(void **state)
{
    struct place *place = *state;
    unsigned port;
    int fd = socket_bound(AF_INET, 0, &port), others[3];
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    char *url = mem_printf("http://127.0.0.1:%u/", port);

    for (size_t i = 0; i < 3; i++) {
        others[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        connect(others[i], (struct sockaddr *)&address, sizeof(address));
    }
    ask_url(place, url, (struct http_request){.timeout = SHORT, .once = true});
    assert_trouble(place, NET_CONNECT_TIMEOUT, -ETIMEDOUT, 0, "/: cannot connect within 0.06 s");
    assert_int_equal(place->times.connected, 0);
    for (size_t i = 0; i < 3; i++)
        close(others[i]);
    close(fd);
    free(url);
}

static void test_too_late(void **state)
{
    struct place *place = *state;
    struct http_request request = {.timeout = SHORT, .once = true};
    char *url = mem_printf("https://127.0.0.1:%u/", place->server.port);

    ask(place, "/hang", request);
    assert_trouble(place, NET_RESPONSE_TIMEOUT, -ETIMEDOUT, 0, "/hang: no answer within 0.06 s");
    assert_true(place->times.connected > 0);
    assert_int_equal(place->times.first_byte, 0);
    ask(place, "/interim", request);
    assert_trouble(place, NET_RESPONSE_TIMEOUT, -ETIMEDOUT, 0, "/interim: no answer within");
    ask(place, "/head", request);
    assert_trouble(place, NET_BODY_TIMEOUT, -ETIMEDOUT, 200, "/head: no whole answer within");
    assert_true(place->times.first_byte >= place->times.connected);
    ask_url(place, url, request); /* the server waits for a line's end */
    assert_trouble(place, NET_RESPONSE_TIMEOUT, -ETIMEDOUT, 0, "/: no TLS handshake within");
    free(url);
}

static void test_no_encryption(void **state)
{
    struct place *place = *state;
    struct http_request request = {
        .timeout = PATIENCE, .answer_max = 10, .once = true, .unverified = true};
    char *url = mem_printf("https://127.0.0.1:%u/", place->server.port);

    request.url = url;
    assert_int_equal(http_begin(&place->call, place->http, &request, take, place, NULL), 0);
    while (!place->server.count)
        turn_for(place, 10 * USEC_PER_MSEC);
    http_send(place->server.connections[0], "HTTP/1.1 400 Bad Request\r\n\r\n");
    turn_until_done(place, 1);
    assert_int_equal(place->trouble, NET_TLS);
    assert_int_equal(place->status, 0);
    free(url);
}

static void test_closed(void **state)
{
    struct place *place = *state;
    struct http_request request = {.once = true};

    ask(place, "/close", request);
    assert_trouble(place, NET_CLOSED, -EIO, 0, "/close: Empty reply from server");
    ask(place, "/reset", request);
    assert_trouble(place, NET_CLOSED, -ECONNRESET, 0, "/reset: Recv failure: Connection reset");
    ask(place, "/half-head", request);
    assert_trouble(place, NET_CLOSED, -EIO, 0, "/half-head: closed amid the head of the answer");
    ask(place, "/cut", request);
    assert_trouble(place, NET_BODY_CLOSED, -EIO, 200, "/cut: transfer closed with 5 bytes");
    assert_string_equal(place->body, "five5");
    ask(place, "/cut-chunk", request);
    assert_trouble(place, NET_BODY_CLOSED, -EIO, 200, "/cut-chunk: ");
}

static void test_not_the_protocol(void **state)
{
    struct place *place = *state;
    struct http_request request = {.once = true};

    ask(place, "/nonsense", request);
    assert_trouble(place, NET_PROTOCOL, -EIO, 0, "/nonsense: ");
    ask(place, "/endless-head", request);
    assert_trouble(place, NET_PROTOCOL, -EFBIG, 0, ": the head of the answer is too long");
    ask(place, "/endless-line", request);
    assert_trouble(place, NET_PROTOCOL, -EFBIG, 0, ": the head of the answer is too long");
    request.answer_max = 3;
    ask(place, "/text", request);
    assert_trouble(place, NET_PROTOCOL, -EFBIG, 200, "/text: the answer has more than the 3 bytes");
}

#define in_place(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_place(test_names),      in_place(test_names_that_hang),
        in_place(test_connecting), in_place(test_nobody_answers),
        in_place(test_too_late),   in_place(test_no_encryption),
        in_place(test_closed),     in_place(test_not_the_protocol),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
