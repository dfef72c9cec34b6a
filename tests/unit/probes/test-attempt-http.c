/* probes/attempt-http: verdicts and words. P22 to P31 of the reference's checks. */
#include "http-server.h"
#include "listener.h"
#include "place.h"
#include "tls-server.h"

static unsigned other_port; /* of a server that has all the others have */

static bool answer_status(int fd, unsigned status, const char *headers, const char *body)
{
    char line[32];

    snprintf(line, sizeof(line), "%03u Words", status);
    return http_reply_with(fd, line, headers, body);
}

static bool answer_redirect(struct http_server *server, int fd, const char *path)
{
    char text[128];

    if (!strcmp(path, "/redirect/port"))
        snprintf(text, sizeof(text), "Location: http://127.0.0.1:%u/text\r\n", other_port);
    else if (!strcmp(path, "/redirect/host"))
        snprintf(text, sizeof(text), "Location: http://localhost:%u/text\r\n", server->port);
    else if (!strcmp(path, "/redirect/refused"))
        snprintf(text, sizeof(text), "Location: http://127.0.0.1:1/gone\r\n");
    else
        snprintf(text, sizeof(text), "Location: %s\r\n", path);
    return http_reply_with(fd, "302 Found", text, "go there");
}

static bool answer_long(int fd, const char *status)
{
    static char body[20 << 10];

    memset(body, 'x', sizeof(body) - 1);
    return http_reply_with(fd, status, "", body);
}

static bool answer(struct http_server *server, int fd, const char *path, const char *request)
{
    unsigned status;

    if (sscanf(path, "/status/%u", &status) == 1)
        return answer_status(fd, status, "", "the body");
    if (str_has_prefix(path, "/redirect/"))
        return answer_redirect(server, fd, path);
    if (!strcmp(path, "/echo"))
        return http_reply_with(fd, "200 OK", "X-Head: yes\r\n", request);
    if (!strcmp(path, "/long"))
        return answer_long(fd, "200 OK");
    if (!strcmp(path, "/long-500"))
        return answer_long(fd, "500 Broken");
    if (!strcmp(path, "/continue"))
        return http_send(fd, "HTTP/1.1 103 Early\r\n\r\n") && answer_status(fd, 200, "", "late");
    if (!strcmp(path, "/hang"))
        return true;
    if (!strcmp(path, "/close"))
        return false;
    if (!strcmp(path, "/nonsense"))
        return http_send(fd, "220 mail.example.com\r\n") && false;
    if (!strcmp(path, "/stall"))
        return http_send(fd, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfive5");
    if (!strcmp(path, "/cut"))
        return http_send(fd, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfive5") && false;
    return answer_status(fd, 200, "", "text");
}

/* servers */

struct servers {
    struct http_server one, other;
};

static struct servers servers;

static int set_up(void **state)
{
    http_server_start(&servers.one, answer, NULL);
    http_server_start(&servers.other, answer, NULL);
    other_port = servers.other.port;
    return 0;
}

static int tear_down(void **state)
{
    http_server_stop(&servers.one);
    http_server_stop(&servers.other);
    return 0;
}

static void ask_by(struct place *place, struct http_get_action get, usec_t timeout, bool keep_head)
{
    struct handler handler = {.http_get = &get};

    if (!get.port.string && !get.port.number)
        get.port.number = (int32_t)servers.one.port;
    attempt(place, (struct probe_order){&handler, .ip = "127.0.0.1", .timeout = timeout},
            keep_head);
}

static void ask(struct place *place, const char *path, usec_t timeout)
{
    ask_by(place, (struct http_get_action){.path = path}, timeout, false);
}

/* `%u` in the text is the port of the server. */
static void assert_words(struct place *place, enum probe_verdict verdict, const char *format)
{
    const char *port = strstr(format, "%u");
    char text[512];

    if (port)
        snprintf(text, sizeof(text), "%.*s%u%s", (int)(port - format), format, servers.one.port,
                 port + 2);
    else
        snprintf(text, sizeof(text), "%s", format);
    assert_outcome(place, verdict, text);
}

static void test_status(void **state)
{
    static const struct {
        const char *path;
        int32_t code;
        enum probe_verdict verdict;
        const char *text;
    } cases[] = {
        {"/text", 200, PROBE_SUCCESS, ""},
        {"/status/200", 200, PROBE_SUCCESS, ""},
        {"/status/299", 299, PROBE_SUCCESS, ""},
        {"/continue", 200, PROBE_SUCCESS, ""},
        {"/status/300", 300, PROBE_WARNING, "Probe terminated redirects, Response body: the body"},
        {"/status/302", 302, PROBE_WARNING, /* P25: without Location */
         "Probe terminated redirects, Response body: the body"},
        {"/status/399", 399, PROBE_WARNING, "Probe terminated redirects, Response body: the body"},
        {"/status/304", 304, PROBE_WARNING, "Probe terminated redirects, Response body: "},
        {"/status/400", 400, PROBE_BAD_STATUS, "HTTP probe failed with statuscode: 400"},
        {"/status/600", 600, PROBE_BAD_STATUS, "HTTP probe failed with statuscode: 600"},
        {"/long-500", 500, PROBE_BAD_STATUS, "HTTP probe failed with statuscode: 500"}, /* P26 */
        {"/redirect/port", 200, PROBE_SUCCESS, ""},                                     /* P22 */
        {"/redirect/host", 302, PROBE_WARNING,                                          /* P23 */
         "Probe terminated redirects, Response body: go there"},
    };
    struct place *place = *state;

    for (size_t i = 0; i < array_size(cases); i++) {
        ask(place, cases[i].path, 0);
        assert_outcome(place, cases[i].verdict, cases[i].text);
        assert_int_equal(place->outcome.code, cases[i].code);
        assert_true(place->outcome.times.first_byte > 0);
    }
}

static void test_failures(void **state)
{
    static const struct {
        const char *path;
        usec_t timeout;
        enum probe_verdict verdict;
        const char *text;
    } cases[] = {
        {"/close", 0, PROBE_BROKEN, "Get \"http://127.0.0.1:%u/close\": EOF"},
        {"/nonsense", 0, PROBE_BROKEN,
         "Get \"http://127.0.0.1:%u/nonsense\": net/http: HTTP/1.x transport connection broken: "
         "malformed HTTP response: Received HTTP/0.9 when not allowed"},
        {"/hang", SHORTLY, PROBE_RESPONSE_TIMEOUT,
         "Get \"http://127.0.0.1:%u/hang\": context deadline exceeded (Client.Timeout exceeded "
         "while awaiting headers)"},
        {"/stall", SHORTLY, PROBE_RESPONSE_TIMEOUT, /* P28, as it should be */
         "context deadline exceeded (Client.Timeout or context cancellation while reading body)"},
        {"/cut", 0, PROBE_BROKEN, "unexpected EOF"},
        {"/redirect/loop", 0, PROBE_BROKEN, /* P24 */
         "Get \"http://127.0.0.1:%u/redirect/loop\": stopped after 10 redirects"},
        {"/redirect/refused", 0, PROBE_REFUSED,
         "Get \"http://127.0.0.1:1/gone\": dial tcp 127.0.0.1:1: connect: connection refused"},
        {"//u:p@h/close", 0, PROBE_BROKEN, "Get \"http://u:***@127.0.0.1:%u/close\": EOF"},
        {"a:b", 0, PROBE_BROKEN, "Get \"http:b\": http: no Host in request URL"},
    };
    struct place *place = *state;

    for (size_t i = 0; i < array_size(cases); i++) {
        unsigned before = servers.one.requests;

        ask(place, cases[i].path, cases[i].timeout);
        assert_words(place, cases[i].verdict, cases[i].text);
        if (!strcmp(cases[i].path, "/redirect/loop"))
            assert_int_equal(servers.one.requests - before, 10);
    }
}

static void test_no_connection(void **state)
{
    static const struct {
        struct http_get_action get;
        enum probe_verdict verdict;
        const char *text;
    } cases[] = {
        {{.port = {.number = 1}},
         PROBE_REFUSED,
         "Get \"http://127.0.0.1:1/\": dial tcp 127.0.0.1:1: connect: connection refused"},
        {{.port = {.number = 80}, .host = "nowhere.invalid"},
         PROBE_BROKEN,
         "Get \"http://nowhere.invalid:80/\": dial tcp: lookup nowhere.invalid: no such host"},
        {{.port = {.number = 80}, .host = "[::1]"},
         PROBE_ERRORED,
         "parse \"http://[[::1]]:80/\": invalid IP-literal"},
        {{.port = {.string = "web"}},
         PROBE_ERRORED,
         "strconv.Atoi: parsing \"web\": invalid syntax"},
    };
    struct place *place = *state;

    for (size_t i = 0; i < array_size(cases); i++) {
        ask_by(place, cases[i].get, 0, false);
        assert_outcome(place, cases[i].verdict, cases[i].text);
    }
}

static void test_silence(void **state)
{
    struct place *place = *state;
    struct listener listener;
    char text[256];

    listener_start_full(&listener);
    ask_by(place, (struct http_get_action){.port = {.number = listener.port}}, SHORTLY, false);
    snprintf(text, sizeof(text),
             "Get \"http://127.0.0.1:%d/\": context deadline exceeded (Client.Timeout exceeded "
             "while awaiting headers)",
             listener.port);
    assert_outcome(place, PROBE_CONNECT_TIMEOUT, text);
    listener_stop(&listener);
}

static void test_tls(void **state) /* P29 */
{
    static const struct {
        const char *protocol, *host;
        bool named;
        const char *request; /* begins so */
    } cases[] = {
        {"h2", "127.0.0.1", false, "PRI * HTTP/2.0\r\n"},
        {"http/1.1", "127.0.0.1", false, "GET /x HTTP/1.1\r\n"},
        {"http/1.1", "localhost", true, "GET /x HTTP/1.1\r\n"},
    };
    struct place *place = *state;

    for (size_t i = 0; i < array_size(cases); i++) {
        struct tls_server server = {.protocol = cases[i].protocol};
        struct http_get_action get = {.path = "/x", .scheme = "HTTPS", .host = cases[i].host};

        tls_server_start(&server);
        get.port.number = server.listener.port;
        ask_by(place, get, 0, false);
        tls_server_stop(&server);
        assert_outcome(place, PROBE_SUCCESS, "");
        assert_int_equal(place->outcome.code, 200);
        assert_true(place->outcome.times.secured > 0);
        assert_int_equal(server.named, cases[i].named);
        assert_memory_equal(server.request, cases[i].request, strlen(cases[i].request));
    }
}

static void test_tls_to_a_plain_server(void **state)
{
    struct place *place = *state;
    struct http_server plain = {0};
    struct http_get_action get = {.scheme = "HTTPS"};
    char text[256];

    http_server_start(&plain, answer, NULL);
    get.port.number = (int32_t)plain.port;
    ask_by(place, get, SHORTLY, false);
    /* this server waits for the end of a line, which a handshake has not */
    snprintf(text, sizeof(text),
             "Get \"https://127.0.0.1:%u/\": context deadline exceeded (Client.Timeout exceeded "
             "while awaiting headers)",
             plain.port);
    assert_outcome(place, PROBE_RESPONSE_TIMEOUT, text);
    http_server_stop(&plain);
}

static void *say_400(void *data)
{
    struct listener *listener = data;
    int fd = accept(listener->fd, NULL, NULL);
    char bytes[1024];

    recv(fd, bytes, sizeof(bytes), 0);
    http_send(fd, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    recv(fd, bytes, sizeof(bytes), 0);
    close(fd);
    return NULL;
}

static void test_tls_answered_in_the_clear(void **state)
{
    struct place *place = *state;
    struct listener listener;
    pthread_t thread;
    char text[128];

    listener_start(&listener, 1);
    pthread_create(&thread, NULL, say_400, &listener);
    ask_by(place, (struct http_get_action){.scheme = "HTTPS", .port = {.number = listener.port}}, 0,
           false);
    pthread_join(thread, NULL);
    snprintf(text, sizeof(text),
             "Get \"https://127.0.0.1:%d/\": http: server gave HTTP response to HTTPS client",
             listener.port);
    assert_outcome(place, PROBE_TLS, text);
    listener_stop(&listener);
}

static void test_long_bodies(void **state) /* P27 */
{
    struct place *place = *state;

    ask(place, "/long", 0);
    assert_outcome(place, PROBE_SUCCESS, "");
    assert_int_equal(place->outcome.body_length, PROBE_OUTPUT_MAX);
    assert_true(place->outcome.body_cut);
}

static void test_paths(void **state)
{
    static const struct {
        const char *path, *line;
    } cases[] = {
        {"echo", "GET /echo HTTP/1.1\r\n"},
        {"//foo/echo", "GET /echo HTTP/1.1\r\n"},
        {"http://evil/echo#x", "GET /echo HTTP/1.1\r\n"},
        {"http://u:p@evil/echo", "Authorization: Basic dTpw\r\n"},
    };
    struct place *place = *state;

    for (size_t i = 0; i < array_size(cases); i++) {
        ask(place, cases[i].path, 0);
        assert_outcome(place, PROBE_SUCCESS, "");
        assert_non_null(strstr(place->outcome.body, cases[i].line));
    }
    ask(place, "/echo?a=b c&d=%zz", 0);
    assert_outcome(place, PROBE_SUCCESS, "");
    assert_string_equal(strchr(place->outcome.target, '?'), "?a=b%20c&d=%zz");
}

static void test_headers(void **state)
{
    struct http_header ours[] = {{"Host", "a.example"}, {"Accept", ""}, {"x-a", "1"}, {"X-A", ""}};
    struct http_header broken[] = {{"x-a", "1\r\nX-B: 2"}};
    struct place *place = *state;
    struct http_get_action get = {.path = "/echo"};
    char host[64];

    ask_by(place, get, 0, false);
    snprintf(host, sizeof(host), "Host: 127.0.0.1:%u\r\n", servers.one.port);
    assert_non_null(strstr(place->outcome.body, host));
    assert_non_null(strstr(place->outcome.body, "User-Agent: kube-probe/1.36\r\n"));
    assert_non_null(strstr(place->outcome.body, "Accept: */*\r\n"));
    assert_non_null(strstr(place->outcome.body, "Connection: close\r\n"));
    assert_null(strstr(place->outcome.body, "Accept-Encoding"));
    assert_string_equal(place->outcome.head, "");

    get.http_headers.items = ours; /* P31 */
    get.http_headers.count = array_size(ours);
    ask_by(place, get, 0, true);
    assert_non_null(strstr(place->outcome.body, "Host: a.example\r\n"));
    assert_null(strstr(place->outcome.body, "Accept:"));
    assert_non_null(strstr(place->outcome.body, "X-A: 1\r\n"));
    assert_non_null(strstr(place->outcome.body, "X-A:\r\n"));
    assert_non_null(strstr(place->outcome.head, "X-Head: yes"));

    get.http_headers.items = broken;
    get.http_headers.count = 1;
    ask_by(place, get, 0, false);
    assert_words(place, PROBE_BROKEN,
                 "Get \"http://127.0.0.1:%u/echo\": net/http: invalid header field value for "
                 "\"X-A\"");
}

static void test_no_proxy(void **state) /* P30 */
{
    struct place *place = *state;

    setenv("http_proxy", "http://127.0.0.1:1", 1);
    setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
    ask(place, "/text", 0);
    unsetenv("http_proxy");
    unsetenv("ALL_PROXY");
    assert_outcome(place, PROBE_SUCCESS, "");
}

static void test_cancel(void **state)
{
    struct place *place = *state;
    struct http_get_action get = {.path = "/hang", .port = {.number = (int32_t)servers.one.port}};
    struct handler handler = {.http_get = &get};
    struct probe_order order = {&handler, .ip = "127.0.0.1", .timeout = PATIENCE};
    struct probe_attempt *attempt = probe_attempt_begin(place->engine, &order, false, take, place);

    for (int i = 0; i < 5; i++)
        loop_turn(place->loop, 10 * USEC_PER_MSEC, NULL);
    probe_attempt_cancel(attempt);
    assert_int_equal(place->done, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_place(test_status),
        in_place(test_failures),
        in_place(test_no_connection),
        in_place(test_silence),
        in_place(test_tls),
        in_place(test_tls_to_a_plain_server),
        in_place(test_tls_answered_in_the_clear),
        in_place(test_long_bodies),
        in_place(test_paths),
        in_place(test_headers),
        in_place(test_no_proxy),
        in_place(test_cancel),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
