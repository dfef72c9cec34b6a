/* probes/health: messages of gRPC's health service, and the status of its calls. */
#include "test.h"

#include "health.h"

#include <string.h>

static struct arena arena = ARENA_INIT(1024, 1024);

static int tear_down(void **state)
{
    arena_deinit(&arena);
    return 0;
}

static void test_requests(void **state)
{
    size_t length;
    const void *bytes = health_request(&arena, "db", &length);

    assert_int_equal(length, 9);
    assert_memory_equal(bytes, "\0\0\0\0\4\x0a\2db", 9);
    bytes = health_request(&arena, NULL, &length);
    assert_int_equal(length, 5);
    assert_memory_equal(bytes, "\0\0\0\0\0", 5);
}

static void test_answers(void **state)
{
    static const struct {
        const char *bytes;
        size_t length;
        int32_t status; /* -1: it is no answer */
    } cases[] = {
        {"\0\0\0\0\2\x08\1", 7, 1},
        {"\0\0\0\0\2\x08\2", 7, 2},
        {"\0\0\0\0\2\x08\7", 7, 7},
        {"\0\0\0\0\0", 5, 0},
        {"\0\0\0\0\4\x08\1\x10\5", 9, 1}, /* a field that is not known */
        {"", 0, -1},
        {"\0\0\0\0", 4, -1},
        {"\1\0\0\0\2\x08\1", 7, -1}, /* compressed */
        {"\0\0\0\0\3\x08\1", 7, -1}, /* cut */
        {"\0\0\0\0\1\x08\1", 7, -1},
        {"\0\xff\xff\xff\xff\x08\1", 7, -1},
        {"\0\0\0\0\1\x08", 6, -1}, /* no such message */
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        int32_t status = -1;
        int r = health_answer_read(cases[i].bytes, cases[i].length, &status);

        assert_int_equal(r == 0, cases[i].status >= 0);
        assert_int_equal(status, cases[i].status);
    }
}

static void test_names(void **state)
{
    assert_string_equal(health_name(&arena, 0), "UNKNOWN");
    assert_string_equal(health_name(&arena, 1), "SERVING");
    assert_string_equal(health_name(&arena, 2), "NOT_SERVING");
    assert_string_equal(health_name(&arena, 3), "SERVICE_UNKNOWN");
    assert_string_equal(health_name(&arena, 7), "7");
}

static void test_status(void **state)
{
    static const struct {
        const char *head;
        int code; /* -1: there is none */
        const char *message;
    } cases[] = {
        {"HTTP/2 200 \r\ncontent-type: application/grpc\r\n\r\ngrpc-status: 0\r\n\r\n", 0, ""},
        {"HTTP/2 200\r\ngrpc-status: 5\r\ngrpc-message: unknown service\r\n", 5, "unknown service"},
        {"Grpc-Status:12\nGrpc-Message:a%20b%C3%A4%zz%4\n", 12, "a b\xc3\xa4%zz%4"},
        {"grpc-status: 3\r\ngrpc-message:\r\n", 3, ""},
        {"grpc-status: 3\r\ngrpc-message: %FF%00x\r\n", 3, "?"},
        {"grpc-status: 1\r\ngrpc-status: 2\r\n", 2, ""}, /* that of the trailers */
        {"grpc-status: 99", 99, ""},
        {"HTTP/2 200\r\n", -1, ""},
        {"", -1, ""},
        {"grpc-status:\r\n", -1, ""},
        {"grpc-status: x\r\n", -1, ""},
        {"grpc-status: -1\r\n", -1, ""},
        {"grpc-status: 99999999999\r\n", -1, ""},
        {"x-grpc-status: 0\r\ngrpc-statuses: 0\r\n", -1, ""},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        struct health_status status = health_status_read(&arena, cases[i].head);

        assert_int_equal(status.set, cases[i].code >= 0);
        if (status.set)
            assert_int_equal(status.code, cases[i].code);
        assert_true(!strncmp(status.message, cases[i].message, strlen(cases[i].message)));
        assert_int_equal(strlen(status.message) == 0, !*cases[i].message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_status),
    };

    return cmocka_run_group_tests(tests, NULL, tear_down);
}
