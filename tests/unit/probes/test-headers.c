/* probes/headers: what a document's headers become. P31 of the reference's checks. */
#include "test.h"

#include "headers.h"

static struct probe_engine engine = {
    .plain_headers = {"User-Agent: kube-probe/1.36", "Accept: */*", "Connection: close"},
};

static void test_lines(void **state)
{
    static const struct {
        struct http_header headers[4];
        struct target target;
        const char *expected[8];
    } cases[] = {
        {{}, {.port = 1}, {"User-Agent: kube-probe/1.36", "Accept: */*", "Connection: close"}},
        {{},
         {.port = 80, .authority = "10.0.0.1:80"},
         {"Host: 10.0.0.1:80", "User-Agent: kube-probe/1.36", "Accept: */*", "Connection: close"}},
        {{},
         {.port = 443, .secure = true, .authority = "10.0.0.1:443"},
         {"Host: 10.0.0.1:443", "User-Agent: kube-probe/1.36", "Accept: */*", "Connection: close"}},
        {{{"Host", "a.example"}, {"host", "b.example"}, {"Accept", ""}},
         {.port = 1},
         {"Host: a.example", "User-Agent: kube-probe/1.36", "Accept:", "Connection: close"}},
        {{{"user-agent", "mine"}, {"User-Agent", "other"}, {"accept", "text/plain"}},
         {.port = 1},
         {"User-Agent: mine", "Accept: text/plain", "Connection: close"}},
        {{{"User-Agent", ""}, {"Host", ""}},
         {.port = 1},
         {"User-Agent:", "Accept: */*", "Connection: close"}},
        {{{"x-a", "1"}, {"X-A", "2"}, {"x-EMPTY", NULL}, {"X-B", " \tblank "}},
         {.port = 1},
         {"User-Agent: kube-probe/1.36", "Accept: */*", "X-A: 1", "X-A: 2", "X-Empty;",
          "X-B: blank", "Connection: close"}},
        {{{"content-length", "5"}, {"Transfer-Encoding", "chunked"}, {"Trailer", "x"}},
         {.port = 1},
         {"User-Agent: kube-probe/1.36", "Accept: */*", "Connection: close"}},
        {{{"Connection", "keep-alive"}},
         {.port = 1},
         {"User-Agent: kube-probe/1.36", "Accept: */*", "Connection: keep-alive",
          "Connection: close"}},
        {{{"connection", "Close"}},
         {.port = 1},
         {"User-Agent: kube-probe/1.36", "Accept: */*", "Connection: Close"}},
        {{},
         {.port = 1, .user = "u", .password = "p"},
         {"User-Agent: kube-probe/1.36", "Accept: */*", "Authorization: Basic dTpw",
          "Connection: close"}},
        {{},
         {.port = 1, .user = "u"},
         {"User-Agent: kube-probe/1.36", "Accept: */*",
          "Authorization: Basic dTo=", "Connection: close"}},
        {{{"authorization", "Bearer x"}},
         {.port = 1, .user = "u"},
         {"User-Agent: kube-probe/1.36", "Accept: */*", "Authorization: Bearer x",
          "Connection: close"}},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        struct probe_attempt attempt = {
            .engine = &engine, .arena = ARENA_INIT(1024, 1024), .target = cases[i].target};
        struct http_get_action get = {.http_headers.items = (void *)cases[i].headers};
        const char *const *lines;
        struct err err;
        size_t count = 0;

        while (get.http_headers.count < 4 && cases[i].headers[get.http_headers.count].name)
            get.http_headers.count++;
        assert_int_equal(headers_of(&lines, &attempt, &get, &err), 0);
        for (; cases[i].expected[count]; count++) {
            assert_non_null(lines[count]);
            assert_string_equal(lines[count], cases[i].expected[count]);
        }
        assert_null(lines[count]);
        arena_deinit(&attempt.arena);
    }
}

static void test_values_that_are_none(void **state)
{
    static const char *const values[] = {"a\r\nX-B: c", "a\n", "a\rb", "\x01", "\x7f"};

    for (size_t i = 0; i < array_size(values); i++) {
        struct probe_attempt attempt = {.engine = &engine, .arena = ARENA_INIT(1024, 1024)};
        struct http_header headers[] = {{"X-Good", "a\tb"}, {"x-bad", values[i]}};
        struct http_get_action get = {.http_headers = {headers, 2}};
        const char *const *lines;
        struct err err;

        assert_true(headers_of(&lines, &attempt, &get, &err) < 0);
        assert_string_equal(err.text, "net/http: invalid header field value for \"X-Bad\"");
        arena_deinit(&attempt.arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_values_that_are_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
