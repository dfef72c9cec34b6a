/* net/http: requests to a real server that misbehaves on demand. */
#include "http-place.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>

static bool answer(struct http_server *server, int fd, const char *path, const char *request)
{
    unsigned number;
    char text[256], line[32];

    if (!strcmp(path, "/text"))
        return http_reply_with(fd, "200 OK", "", "hello");
    if (!strcmp(path, "/empty"))
        return http_reply_with(fd, "200 OK", "", "");
    if (!strcmp(path, "/echo"))
        return http_reply_with(fd, "200 OK", "", request);
    if (!strcmp(path, "/hang"))
        return true;
    if (!strcmp(path, "/close"))
        return false;
    if (!strcmp(path, "/nonsense"))
        return http_send(fd, "220 mail.example.com\r\n") && false;
    if (!strcmp(path, "/length"))
        return http_send(fd, "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
    if (!strcmp(path, "/cut"))
        return http_send(fd, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfive5") && false;
    if (!strcmp(path, "/endless")) {
        http_send(fd, "HTTP/1.1 200 OK\r\n\r\n");
        while (http_send(fd, "0123456789012345678901234567890123456789"))
            ;
        return false;
    }
    if (!strcmp(path, "/slow")) {
        http_send(fd, "HTTP/1.1 200 OK\r\n\r\n");
        while (http_send(fd, "x"))
            usleep(5000);
        return false;
    }
    if (sscanf(path, "/redirect/%u", &number) == 1) {
        snprintf(text, sizeof(text), number ? "Location: /redirect/%u\r\n" : "Location: /echo\r\n",
                 number - 1);
        return http_reply_with(fd, "302 Found", text, "not this");
    }
    if (!strcmp(path, "/away") || !strcmp(path, "/port") || !strcmp(path, "/file")) {
        snprintf(text, sizeof(text),
                 !strcmp(path, "/away")   ? "Location: http://user:secret@localhost:%u/text\r\n"
                 : !strcmp(path, "/port") ? "Location: http://127.0.0.1:1/text\r\n"
                                          : "Location: file:///etc/passwd\r\n",
                 server->port);
        return http_reply_with(fd, "301 Moved Permanently", text, "");
    }
    if (sscanf(path, "/same-host/%u", &number) == 1) {
        snprintf(text, sizeof(text), "Location: http://127.0.0.1:%u/%s\r\n", server->port,
                 number ? "same-host" : "echo");
        if (number)
            snprintf(text + strlen(text) - 2, 16, "/%u\r\n", number - 1);
        return http_reply_with(fd, "301 Moved Permanently", text, "");
    }
    if (sscanf(path, "/again/%u", &number) == 1) {
        snprintf(text, sizeof(text), "Location: /echo\r\n");
        snprintf(line, sizeof(line), "%u Again", number);
        return http_reply_with(fd, line, text, "");
    }
    if (!strcmp(path, "/redirect-and-hang"))
        return http_send(fd, "HTTP/1.1 302 Found\r\nLocation: /echo\r\n"
                             "Content-Length: 1000000\r\n\r\n");
    if (!strcmp(path, "/redirect-to-hang"))
        return http_reply_with(fd, "302 Found", "Location: /hang\r\n", "");
    if (!strcmp(path, "/redirect-to-slow"))
        return http_reply_with(fd, "302 Found", "Location: /slow\r\n", "");
    if (!strcmp(path, "/nonsense-location"))
        return http_reply_with(fd, "302 Found", "Location: http://127.0.0.1:99999/\r\n", "");
    if (!strcmp(path, "/nowhere"))
        return http_reply_with(fd, "302 Found", "", "no location");
    return http_reply_with(fd, "404 Not Found", "", "no such thing");
}

static int set_up(void **state)
{
    return place_set_up(state, answer);
}

static void begin_at(struct place *place, const char *host, const char *path, usec_t timeout)
{
    char *url = mem_printf("http://%s:%u%s", host, place->server.port, path);
    struct http_request request = {.url = url, .timeout = timeout, .answer_max = 100000};
    struct err err;

    if (http_begin(&place->call, place->http, &request, take, place, &err) < 0)
        fail_msg("%s", err.text);
    free(url);
}

static void get_at(struct place *place, const char *host, const char *path)
{
    unsigned before = place->done;

    begin_at(place, host, path, PATIENCE);
    assert_int_equal(place->done, before); /* never from within */
    turn_until_done(place, before + 1);
}

static void get(struct place *place, const char *path)
{
    get_at(place, "127.0.0.1", path);
}

static void assert_failed(struct place *place, int code, const char *sentence)
{
    char *url = mem_printf("http://127.0.0.1:%u", place->server.port);

    if (place->err.code != code || !strstr(place->err.text, sentence) ||
        strncmp(place->err.text, url, strlen(url)) != 0)
        fail_msg("%d %s", place->err.code, place->err.text);
    free(url);
}

static unsigned threads_now(void)
{
    DIR *tasks = opendir("/proc/self/task");
    unsigned count = 0;

    while (readdir(tasks))
        count++;
    closedir(tasks);
    return count;
}

/* answers */

static void test_answers(void **state)
{
    struct place *place = *state;

    get(place, "/text");
    assert_int_equal(place->status, 200);
    assert_string_equal(place->body, "hello");
    assert_int_equal(place->err.code, 0);
    get(place, "/empty");
    assert_int_equal(place->status, 200);
    assert_int_equal(place->length, 0);
    get(place, "/missing");
    assert_int_equal(place->status, 404);
    assert_string_equal(place->body, "no such thing");
    get(place, "/nowhere");
    assert_int_equal(place->status, 302);
    assert_int_equal(place->server.count, 1); /* one connection for all */
}

static void test_headers_and_userinfo(void **state)
{
    static const char *const headers[] = {"X-One: 1", "Accept: application/json", NULL};
    struct place *place = *state;
    char *url = mem_printf("http://me:secret@127.0.0.1:%u/echo", place->server.port);
    struct http_request request = {
        .url = url, .headers = headers, .timeout = PATIENCE, .answer_max = 100000};

    setenv("http_proxy", "http://127.0.0.1:1", 1);
    setenv("all_proxy", "http://127.0.0.1:1", 1);
    assert_int_equal(http_begin(&place->call, place->http, &request, take, place, NULL), 0);
    turn_until_done(place, 1);
    unsetenv("http_proxy");
    unsetenv("all_proxy");
    assert_int_equal(place->status, 200);
    assert_non_null(strstr(place->body, "X-One: 1\r\n"));
    assert_non_null(strstr(place->body, "Accept: application/json\r\n"));
    assert_non_null(strstr(place->body, "Authorization: Basic bWU6c2VjcmV0\r\n"));
    assert_non_null(strstr(place->body, "User-Agent: nodeagent\r\n"));
    free(url);
}

static void test_many_at_once(void **state)
{
    struct place *place = *state;
    struct err err;
    struct http_request request = {
        .url = "http://127.0.0.1/", .timeout = PATIENCE, .answer_max = 1000};

    for (int i = 0; i < CALLS_MAX; i++)
        begin_at(place, i % 2 ? "localhost" : "127.0.0.1", "/text", PATIENCE);
    assert_int_equal(http_begin(&place->call, place->http, &request, take, place, &err), -EBUSY);
    assert_string_equal(err.text, "http://127.0.0.1/: 64 requests are under way already");
    turn_until_done(place, CALLS_MAX);
    assert_int_equal(place->status, 200);
}

/* names */

static void test_names_are_looked_up_without_threads(void **state)
{
    struct place *place = *state;
    unsigned before = threads_now();

    begin_at(place, "localhost", "/hang", PATIENCE);
    while (!place->server.requests)
        assert_true(loop_turn(place->loop, 10 * USEC_PER_MSEC, NULL) >= 0);
    assert_int_equal(threads_now(), before + 1); /* the server's for the connection */
    http_cancel(place->call);
    get_at(place, "LocalHost.", "/text");
    assert_int_equal(place->status, 200);
    assert_string_equal(place->body, "hello");
}

static void test_a_name_that_is_none(void **state)
{
    struct place *place = *state;
    struct http_request request = {
        .url = "http://me:secret@nobody.invalid/x?y", .timeout = PATIENCE, .answer_max = 1000};

    assert_int_equal(http_begin(&place->call, place->http, &request, take, place, NULL), 0);
    turn_until_done(place, 1);
    assert_int_equal(place->status, 0);
    assert_non_null(
        strstr(place->err.text, "http://nobody.invalid/x?y: its name cannot be resolved: "));
    assert_null(strstr(place->err.text, "secret"));
}

/* failures */

static void test_failures_in_words(void **state)
{
    struct place *place = *state;
    struct http_request request = {
        .url = "http://127.0.0.1:1/x", .timeout = PATIENCE, .answer_max = 1000};

    get(place, "/close");
    assert_failed(place, -EIO, "/close: Empty reply from server");
    get(place, "/nonsense");
    assert_failed(place, -EIO, "/nonsense: Received HTTP/0.9 when not allowed");
    get(place, "/cut");
    assert_failed(place, -EIO, "/cut: transfer closed with 5 bytes remaining to read");
    assert_int_equal(http_begin(&place->call, place->http, &request, take, place, NULL), 0);
    turn_until_done(place, 4);
    assert_int_equal(place->err.code, -ECONNREFUSED);
    assert_string_equal(place->err.text,
                        "http://127.0.0.1:1/x: cannot connect: Connection refused");
}

static void test_tls_failures(void **state)
{
    struct place *place = *state;
    char *url = mem_printf("https://127.0.0.1:%u/text", place->server.port);
    struct http_request request = {.url = url, .timeout = PATIENCE, .answer_max = 1000};

    /* The server's answer to a handshake is none. */
    assert_int_equal(http_begin(&place->call, place->http, &request, take, place, NULL), 0);
    while (!place->server.count)
        assert_true(loop_turn(place->loop, 10 * USEC_PER_MSEC, NULL) >= 0);
    shutdown(place->server.connections[0], SHUT_RDWR);
    turn_until_done(place, 1);
    assert_int_equal(place->status, 0);
    assert_non_null(strstr(place->err.text, "SSL"));
    free(url);
}

static void test_long_answers(void **state)
{
    struct place *place = *state;

    get(place, "/endless");
    assert_failed(place, -EFBIG, "/endless: the answer has more than the 100000 bytes allowed");
    get(place, "/length");
    assert_failed(place, -EFBIG, "/length: the answer has more than the 100000 bytes allowed");
}

static void test_timeouts(void **state)
{
    struct place *place = *state;
    usec_t start = clock_boottime();

    begin_at(place, "127.0.0.1", "/hang", 100 * USEC_PER_MSEC);
    turn_until_done(place, 1);
    assert_true(clock_boottime() >= start + 100 * USEC_PER_MSEC);
    assert_failed(place, -ETIMEDOUT, "/hang: no answer within 0.1 s");
    /* Also of an answer that never ends */
    begin_at(place, "127.0.0.1", "/slow", 100 * USEC_PER_MSEC);
    turn_until_done(place, 2);
    assert_failed(place, -ETIMEDOUT, "/slow: no whole answer within 0.1 s");
    ask(place, "/hang",
        (struct http_request){.timeout = PATIENCE, .head_timeout = 100 * USEC_PER_MSEC});
    assert_failed(place, -ETIMEDOUT, "/hang: no answer within 0.1 s");
    get(place, "/text");
    assert_int_equal(place->status, 200);
}

static void count_bytes(void *owner, const char *bytes, size_t length)
{
    *(size_t *)owner += length;
}

struct stream {
    size_t told; /* what count_bytes() sees */
    size_t told_before;
    bool over;
};

static void stream_over(void *owner, const struct http_reply *reply)
{
    struct stream *stream = owner;

    assert_int_equal(reply->trouble, NET_BODY_TIMEOUT);
    stream->over = true;
}

/* The loop sleeps, and comes to their deadlines before it comes to their sockets. */
static void test_streams_that_end_while_nobody_looked(void **state)
{
    struct place *place = *state;
    struct wheel_timer *timer;
    char *url = mem_printf("http://127.0.0.1:%u/slow", place->server.port);
    struct http_request request = {
        .url = url, .timeout = 200 * USEC_PER_MSEC, .answer_max = 1000, .data = count_bytes};
    struct stream streams[3] = {0};

    for (size_t i = 0; i < array_size(streams); i++)
        assert_int_equal(
            http_begin(&place->call, place->http, &request, stream_over, &streams[i], NULL), 0);
    turn_for(place, 100 * USEC_PER_MSEC);
    for (size_t i = 0; i < array_size(streams); i++)
        streams[i].told_before = streams[i].told;
    usleep(150 * USEC_PER_MSEC);
    while ((timer = wheel_pop(place->wheel, clock_boottime())))
        timer->fire(timer);
    turn_for(place, 100 * USEC_PER_MSEC);
    for (size_t i = 0; i < array_size(streams); i++) {
        assert_true(streams[i].over);
        assert_true(streams[i].told > streams[i].told_before);
    }
    free(url);
}

static void test_what_is_refused_at_once(void **state)
{
    static const struct {
        const char *url, *header, *sentence;
    } cases[] = {
        {"", NULL, ": is not a URL: "},
        {"example.com/x", NULL, "example.com/x: is not a URL: "},
        {"ftp://u:p@example.com/x", NULL, "ftp://example.com/x: must begin with http:// or https"},
        {"file:///etc/passwd", NULL, "file:///etc/passwd: must begin with http:// or https"},
        {"http://b\xc3\xbc"
         "cher.example/",
         NULL, "the host must be an address, or a name in ASCII"},
        {"http://example.com/", "no colon", "a header must be one line \"Name: value\""},
        {"http://example.com/", ": value", "a header must be one line \"Name: value\""},
        {"http://example.com/", "A: b\r\nC: d", "a header must be one line \"Name: value\""},
    };
    struct place *place = *state;

    for (size_t i = 0; i < array_size(cases); i++) {
        const char *const headers[] = {cases[i].header, NULL};
        struct http_request request = {
            .url = cases[i].url, .headers = headers, .timeout = PATIENCE, .answer_max = 1000};
        struct err err;

        assert_int_equal(http_begin(&place->call, place->http, &request, take, place, &err),
                         -EINVAL);
        if (!strstr(err.text, cases[i].sentence))
            fail_msg("%s", err.text);
    }
}

/* redirections */

static void test_redirections(void **state)
{
    struct place *place = *state;

    get(place, "/redirect/3");
    assert_int_equal(place->status, 200);
    assert_true(!strncmp(place->body, "GET /echo ", strlen("GET /echo ")));
    get(place, "/redirect/20");
    assert_failed(place, -ELOOP, ": redirects more than 10 times");
    get(place, "/away");
    assert_failed(place, -EXDEV, "/away: redirects to http://localhost:");
    assert_null(strstr(place->err.text, "secret"));
    get(place, "/port");
    assert_failed(place, -EXDEV, "/port: redirects to http://127.0.0.1:1/text, which is not");
    get(place, "/file");
    assert_failed(place, -EINVAL, "/file: redirects: file:///etc/passwd: must begin with http");
    get_at(place, "localhost", "/redirect/2");
    assert_int_equal(place->status, 200);
}

static void test_redirections_of_probes(void **state)
{
    struct http_request probe = {.redirects = HTTP_FOLLOW_SAME_HOST, .once = true};
    struct place *place = *state;

    ask(place, "/redirect/8", probe); /* and with /redirect/0 and /echo, 10 requests */
    assert_int_equal(place->status, 200);
    assert_non_null(strstr(place->url, "/echo"));
    assert_non_null(strstr(place->body, "/redirect/0\r\n")); /* the referer */
    ask(place, "/redirect/9", probe);
    assert_failed(place, -ELOOP, "/redirect/0: stopped after 10 redirects");
    assert_int_equal(place->trouble, NET_PROTOCOL);
    ask(place, "/port", probe);
    assert_int_equal(place->trouble, NET_REFUSED);
    assert_string_equal(place->url, "http://127.0.0.1:1/text");
    ask(place, "/away", probe);
    assert_int_equal(place->trouble, NET_ANSWERED);
    assert_int_equal(place->status, 301);
    assert_true(place->left);
    assert_non_null(strstr(place->url, "/away"));
    ask(place, "/file", probe);
    assert_true(place->left);
    ask(place, "/nonsense-location", probe);
    assert_failed(place, -EINVAL, "/nonsense-location: redirects: http://127.0.0.1:99999/");
    ask(place, "/nowhere", probe);
    assert_int_equal(place->status, 302);
    assert_false(place->left);
    ask(place, "/redirect-and-hang", probe); /* nobody waits for its body */
    assert_int_equal(place->status, 200);
}

/* The head that is waited for is that of the last answer. */
static void test_redirections_take_of_the_same_time(void **state)
{
    struct http_request request = {.timeout = 2 * USEC_PER_SEC,
                                   .head_timeout = 200 * USEC_PER_MSEC};
    struct place *place = *state;

    ask(place, "/redirect-to-hang", request);
    assert_failed(place, -ETIMEDOUT, "/hang: no answer within 0.2 s");
    assert_int_equal(place->trouble, NET_RESPONSE_TIMEOUT);
    assert_true(place->times.ended < USEC_PER_SEC);
    ask(place, "/redirect-and-hang", request);
    assert_failed(place, -ETIMEDOUT, "/redirect-and-hang: no whole answer within 0.2 s");
    assert_true(place->times.ended < USEC_PER_SEC);
    ask(place, "/redirect-to-slow", request);
    assert_failed(place, -ETIMEDOUT, "/slow: no whole answer within 2 s");
}

static void test_a_host_of_its_own(void **state)
{
    static const char *const headers[] = {"Host: other", "X-One: 1", "X-Empty;", "Accept:", NULL};
    struct http_request probe = {
        .redirects = HTTP_FOLLOW_SAME_HOST, .headers = headers, .once = true};
    struct place *place = *state;

    ask(place, "/redirect/1", probe);
    assert_non_null(strstr(place->body, "Host: other\r\n"));
    assert_non_null(strstr(place->body, "X-One: 1\r\n"));
    assert_non_null(strstr(place->body, "X-Empty:\r\n"));
    assert_null(strstr(place->body, "Accept:"));
    ask(place, "/same-host/1", probe);
    assert_non_null(strstr(place->body, "Host: 127.0.0.1:"));
    assert_null(strstr(place->body, "other"));
    assert_non_null(strstr(place->body, "X-One: 1\r\n"));
}

static void test_posts(void **state)
{
    struct http_request post = {.body = "some\0bytes", .body_length = 10};
    struct place *place = *state;

    ask(place, "/echo", post);
    assert_true(str_has_prefix(place->body, "POST /echo "));
    assert_non_null(strstr(place->body, "Content-Length: 10\r\n"));
    ask(place, "/again/307", post);
    assert_true(str_has_prefix(place->body, "POST /echo "));
    ask(place, "/again/303", post);
    assert_true(str_has_prefix(place->body, "GET /echo "));
    get(place, "/echo"); /* handles are used again */
    assert_true(str_has_prefix(place->body, "GET /echo "));
    assert_null(strstr(place->body, "Referer"));
}

/* lifetime */

static void test_cancelled_at_any_time(void **state)
{
    struct place *place = *state;

    begin_at(place, "localhost", "/text", PATIENCE);
    http_cancel(place->call);
    begin_at(place, "127.0.0.1", "/text", PATIENCE);
    http_cancel(place->call);
    for (unsigned turns = 0; turns < 12; turns++) {
        begin_at(place, turns % 2 ? "localhost" : "127.0.0.1", "/redirect/1", PATIENCE);
        for (unsigned i = 0; i < turns / 2 && !place->done; i++)
            assert_true(loop_turn(place->loop, 5 * USEC_PER_MSEC, NULL) >= 0);
        if (!place->done)
            http_cancel(place->call);
        place->done = 0;
    }
    turn_for(place, 50 * USEC_PER_MSEC);
    assert_int_equal(place->done, 0);
    get(place, "/text");
    assert_int_equal(place->status, 200);
}

static void test_cancelled_from_a_callback(void **state)
{
    struct place *place = *state;

    begin_at(place, "127.0.0.1", "/hang", PATIENCE);
    place->cancel_too = place->call;
    begin_at(place, "127.0.0.1", "/text", PATIENCE);
    turn_until_done(place, 1);
    turn_for(place, 50 * USEC_PER_MSEC);
    assert_int_equal(place->done, 1);
    assert_int_equal(place->status, 200);
}

static void test_freed_with_calls_under_way(void **state)
{
    struct place *place = *state;

    begin_at(place, "localhost", "/text", PATIENCE);
    begin_at(place, "127.0.0.1", "/hang", PATIENCE);
    begin_at(place, "127.0.0.1", "/slow", PATIENCE);
    turn_for(place, 30 * USEC_PER_MSEC);
    place->http = http_free(place->http);
    turn_for(place, 30 * USEC_PER_MSEC);
    assert_true(place->done <= 1);
    assert_null(http_free(NULL));
}

static void test_freed_from_a_callback(void **state)
{
    struct place *place = *state;

    begin_at(place, "127.0.0.1", "/hang", PATIENCE);
    begin_at(place, "127.0.0.1", "/text", PATIENCE);
    place->free_at_once = true;
    turn_until_done(place, 1);
    assert_null(place->http);
    assert_string_equal(place->body, "hello");
}

#define in_place(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_place(test_answers),
        in_place(test_headers_and_userinfo),
        in_place(test_many_at_once),
        in_place(test_names_are_looked_up_without_threads),
        in_place(test_a_name_that_is_none),
        in_place(test_failures_in_words),
        in_place(test_tls_failures),
        in_place(test_long_answers),
        in_place(test_timeouts),
        in_place(test_streams_that_end_while_nobody_looked),
        in_place(test_what_is_refused_at_once),
        in_place(test_redirections),
        in_place(test_redirections_of_probes),
        in_place(test_redirections_take_of_the_same_time),
        in_place(test_a_host_of_its_own),
        in_place(test_posts),
        in_place(test_cancelled_at_any_time),
        in_place(test_cancelled_from_a_callback),
        in_place(test_freed_with_calls_under_way),
        in_place(test_freed_from_a_callback),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
