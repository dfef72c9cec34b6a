/* server/healthz.c: well whenever it is asked, and nothing else. */
#include "place.h"

static void test_paths(void **state)
{
    static const struct {
        const char *request;
        const char *status;
        const char *body;
    } cases[] = {
        {"GET /healthz", "200 OK", "ok"},
        {"GET /healthz/ping", "200 OK", "ok"},
        {"GET /healthz?verbose", "200 OK", "[+]ping ok\nhealthz check passed\n"},
        {"GET /healthz?verbose=1&x=y", "200 OK", "[+]ping ok\nhealthz check passed\n"},
        {"GET /healthz/ping?verbose", "200 OK", "ok"},
        {"POST /healthz", "200 OK", "ok"},
        {"GET /", "404 Not Found", "404 page not found\n"},
        {"GET /metrics", "404 Not Found", "404 page not found\n"},
        {"GET /healthz/", "404 Not Found", "404 page not found\n"},
        {"GET /healthz/log", "404 Not Found", "404 page not found\n"},
    };
    struct place place;

    place_open(&place, NULL, server_answer_health);
    for (size_t i = 0; i < array_size(cases); i++) {
        int fd = place_connect(&place, "127.0.0.1");
        const char *answer, *body;
        char head[128];

        snprintf(head, sizeof(head), "%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
                 cases[i].request);
        place_send(fd, head);
        answer = place_receive(&place, fd, NULL);
        assert_non_null(answer);
        snprintf(head, sizeof(head), "HTTP/1.1 %s\r\n", cases[i].status);
        assert_memory_equal(answer, head, strlen(head));
        assert_non_null(strstr(answer, "Content-Type: text/plain; charset=utf-8\r\n"));
        assert_non_null(strstr(answer, "X-Content-Type-Options: nosniff\r\n"));
        body = strstr(answer, "\r\n\r\n");
        assert_non_null(body);
        assert_string_equal(body + 4, cases[i].body);
        close(fd);
    }
    place_close(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
