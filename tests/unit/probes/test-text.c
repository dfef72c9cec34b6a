/* probes/text: words as Go writes them. */
#include "test.h"

#include "text.h"

#include <errno.h>

static struct arena arena = ARENA_INIT(1024, 1024);

static int tear_down(void **state)
{
    arena_deinit(&arena);
    return 0;
}

static void test_quoted(void **state)
{
    static const struct {
        const char *text;
        const char *expected;
    } cases[] = {
        {"", "\"\""},
        {"http://10.0.0.1:80/", "\"http://10.0.0.1:80/\""},
        {"say \"x\"", "\"say \\\"x\\\"\""},
        {"a\\b", "\"a\\\\b\""},
        {"\a\b\f\n\r\t\v", "\"\\a\\b\\f\\n\\r\\t\\v\""},
        {"\x01\x7f", "\"\\x01\\x7f\""},
        {"\xc3\xa4\xff", "\"\xc3\xa4\\xff\""},
    };

    for (size_t i = 0; i < array_size(cases); i++)
        assert_string_equal(text_quoted(&arena, cases[i].text), cases[i].expected);
}

static void test_durations(void **state)
{
    static const struct {
        usec_t usec;
        const char *expected;
    } cases[] = {
        {USEC_PER_SEC, "1s"},
        {1500 * USEC_PER_MSEC, "1.5s"},
        {100 * USEC_PER_MSEC, "100ms"},
        {90 * USEC_PER_SEC, "1m30s"},
    };

    for (size_t i = 0; i < array_size(cases); i++)
        assert_string_equal(text_duration(&arena, cases[i].usec), cases[i].expected);
}

static void test_connections(void **state)
{
    static const struct {
        int code;
        const char *expected;
    } cases[] = {
        {-ECONNREFUSED, "dial tcp 10.0.0.1:80: connect: connection refused"},
        {-EHOSTUNREACH, "dial tcp 10.0.0.1:80: connect: no route to host"},
        {-ENETUNREACH, "dial tcp 10.0.0.1:80: connect: network is unreachable"},
        {-100000, "dial tcp 10.0.0.1:80: connect: errno 100000"},
    };

    for (size_t i = 0; i < array_size(cases); i++)
        assert_string_equal(text_dial(&arena, "10.0.0.1:80", cases[i].code), cases[i].expected);
    assert_string_equal(text_lookup(&arena, "db", -ENOENT), "dial tcp: lookup db: no such host");
    assert_string_equal(text_lookup(&arena, "db", -ETIMEDOUT), "dial tcp: lookup db: i/o timeout");
}

static void test_repaired(void **state)
{
    assert_string_equal(text_repaired(&arena, "a\xff\xc3\xa4zz", 4), "a?\xc3\xa4");
}

static void test_escapes(void **state)
{
    char byte = 'x';

    assert_true(text_escape_read("%4a!", &byte));
    assert_int_equal(byte, 'J');
    assert_true(text_escape_read("%fF", &byte));
    assert_int_equal((unsigned char)byte, 0xff);
    assert_false(text_escape_read("%4", &byte));
    assert_false(text_escape_read("%", &byte));
    assert_false(text_escape_read("%g0", &byte));
    assert_false(text_escape_read("41", &byte));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quoted),      cmocka_unit_test(test_durations),
        cmocka_unit_test(test_connections), cmocka_unit_test(test_repaired),
        cmocka_unit_test(test_escapes),
    };

    return cmocka_run_group_tests(tests, NULL, tear_down);
}
