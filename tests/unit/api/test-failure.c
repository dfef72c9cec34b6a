/* api/failure: what an API server says when it refuses. */
#include "test.h"

#include "nodeagent/api/failure.h"

#include <errno.h>
#include <string.h>

static struct api_failure read_failure(int code, const char *head, const char *body)
{
    struct api_failure failure;

    api_failure_read(&failure, "PATCH pod default/web", code, head, body, strlen(body));
    return failure;
}

static void test_a_status_says_why(void **state)
{
    struct api_failure failure =
        read_failure(409, "",
                     "{\"kind\":\"Status\",\"reason\":\"AlreadyExists\",\"message\":\"nodes "
                     "\\\"n\\\" already exists\",\"code\":409}");

    assert_int_equal(failure.code, 409);
    assert_int_equal(failure.err.code, -EEXIST);
    assert_string_equal(failure.reason, "AlreadyExists");
    assert_string_equal(
        failure.err.text,
        "PATCH pod default/web: the API server answers 409: nodes \"n\" already exists");
    assert_true(failure.retry_after == 0);
}

static void test_when_to_ask_again(void **state)
{
    static const char *const details =
        "{\"kind\":\"Status\",\"details\":{\"retryAfterSeconds\":7}}";
    static const struct {
        const char *head, *body;
        usec_t after;
    } cases[] = {
        {"HTTP/2 429\r\nretry-after: 2\r\n", "{}", 2 * USEC_PER_SEC},
        {"HTTP/1.1 429 Too Many\r\nRetry-After:3\r\nX: y\r\n", details, 3 * USEC_PER_SEC},
        {"HTTP/1.1 429\r\nX-Retry-After: 3\r\n", details, 7 * USEC_PER_SEC},
        {"Retry-After: tomorrow\r\n", "", 0},
        {"Retry-After: -1\r\n", "", 0},
        {"Retry-After: 99999999999999999999\r\n", "", 3600 * USEC_PER_SEC},
        {"Retry-After", "", 0},
    };

    for (size_t i = 0; i < array_size(cases); i++)
        assert_true(read_failure(429, cases[i].head, cases[i].body).retry_after == cases[i].after);
}

static void test_what_is_no_status_is_a_number(void **state)
{
    static const char *const bodies[] = {
        "",
        "<html>502</html>",
        "[]",
        "{\"kind\":\"Pod\",\"message\":\"x\"}",
        "{\"kind\":\"Status\",\"message\":3,\"details\":[]}",
        "{\"kind\":\"Status\",\"message\":\"\"}",
        "{\"kind\":\"Stat",
        "\xff\xfe",
        "text\x01",
    };

    for (size_t i = 0; i < array_size(bodies); i++) {
        struct api_failure failure = read_failure(502, "", bodies[i]);

        assert_string_equal(failure.err.text, "PATCH pod default/web: the API server answers 502");
        assert_string_equal(failure.reason, "");
    }
}

static void test_a_line_of_text_is_shown(void **state)
{
    char text[1000];

    assert_string_equal(
        read_failure(400, "", "Client sent an HTTP request to an HTTPS server.\n").err.text,
        "PATCH pod default/web: the API server answers 400: Client sent an HTTP request to an "
        "HTTPS server.");
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    assert_true(strlen(read_failure(503, "", text).err.text) < 200);
}

static void test_codes_are_told_apart(void **state)
{
    static const struct {
        int code, expected;
    } cases[] = {{401, -EACCES}, {403, -EACCES}, {404, -ENOENT},
                 {410, -ESTALE}, {422, -EIO},    {500, -EIO}};

    for (size_t i = 0; i < array_size(cases); i++)
        assert_int_equal(read_failure(cases[i].code, "", "").err.code, cases[i].expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_status_says_why),
        cmocka_unit_test(test_when_to_ask_again),
        cmocka_unit_test(test_what_is_no_status_is_a_number),
        cmocka_unit_test(test_a_line_of_text_is_shown),
        cmocka_unit_test(test_codes_are_told_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
