/* base/time: saturating arithmetic, RFC 3339, Go's durations. */
#include "test.h"

#include "nodeagent/base/time.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void test_arithmetic_saturates(void **state)
{
    assert_true(usec_add(1, 2) == 3);
    assert_true(usec_add(USEC_NEVER, 0) == USEC_NEVER && usec_add(5, USEC_NEVER) == USEC_NEVER);
    assert_true(usec_add(USEC_NEVER - 1, 1) == USEC_NEVER);
    assert_true(usec_add(USEC_NEVER - 1, 2) == USEC_NEVER);
    assert_true(usec_add(USEC_NEVER - 2, 1) == USEC_NEVER - 1);

    assert_true(usec_sub(5, 3) == 2 && usec_sub(3, 3) == 0 && usec_sub(3, 5) == 0);
    assert_true(usec_sub(USEC_NEVER, 5) == USEC_NEVER);
    assert_true(usec_sub(USEC_NEVER, USEC_NEVER) == USEC_NEVER);
    assert_true(usec_sub(5, USEC_NEVER) == 0);

    assert_true(usec_mul(USEC_PER_SEC, 60) == 60000000 && usec_mul(5, 0) == 0);
    assert_true(usec_mul(USEC_NEVER, 0) == USEC_NEVER && usec_mul(USEC_NEVER, 1) == USEC_NEVER);
    assert_true(usec_mul((usec_t)1 << 63, 2) == USEC_NEVER);
    assert_true(usec_mul(((usec_t)1 << 63) - 1, 2) == USEC_NEVER - 1);
}

static void test_rfc3339_is_read(void **state)
{
    static const struct {
        const char *text;
        int64_t usec;
    } cases[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"1970-01-01T00:00:00.000001Z", 1},
        {"1969-12-31T23:59:59.999999Z", -1},
        {"2026-01-02T03:04:05Z", 1767323045000000},
        {"2026-01-02T03:04:05.123456Z", 1767323045123456},
        {"2026-01-02T03:04:05.1Z", 1767323045100000},
        {"2026-01-02T03:04:05.123456789Z", 1767323045123456},
        {"2026-01-02T03:04:05.99999999999999999999999Z", 1767323045999999},
        {"2026-01-02T05:04:05+02:00", 1767323045000000},
        {"2026-01-01T21:34:05-05:30", 1767323045000000},
        {"2026-01-02T03:04:05-00:00", 1767323045000000},
        {"2000-02-29T00:00:00Z", 951782400000000},
        {"2024-02-29T23:59:59Z", 1709251199000000},
        {"0000-01-01T00:00:00Z", -62167219200000000},
        {"0001-01-01T00:00:00Z", -62135596800000000}, /* Go's zero time */
        {"1900-03-01T00:00:00Z", -2203891200000000},
        {"9999-12-31T23:59:59.999999Z", 253402300799999999},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        int64_t usec = 42;

        assert_int_equal(time_parse_rfc3339(cases[i].text, &usec), 0);
        assert_true(usec == cases[i].usec);
    }
}

static void test_what_is_not_rfc3339_is_refused(void **state)
{
    static const char *const cases[] = {
        "",
        "2026",
        "2026-01-02",
        "2026-01-02T03:04:05",
        "2026-01-02T03:04Z",
        "2026-01-02 03:04:05Z",
        "2026-01-02t03:04:05Z",
        "2026-01-02T03:04:05z",
        "2026-01-02T03:04:05Zx",
        "2026-01-02T03:04:05Z ",
        " 2026-01-02T03:04:05Z",
        "2026-1-2T03:04:05Z",
        "02026-01-02T03:04:05Z",
        "-026-01-02T03:04:05Z",
        "2026-00-02T03:04:05Z",
        "2026-13-02T03:04:05Z",
        "2026-01-00T03:04:05Z",
        "2026-01-32T03:04:05Z",
        "2026-04-31T03:04:05Z",
        "2026-02-29T03:04:05Z",
        "1900-02-29T03:04:05Z",
        "2026-01-02T24:04:05Z",
        "2026-01-02T03:60:05Z",
        "2026-01-02T03:04:60Z",
        "2026-01-02T03:04:05.Z",
        "2026-01-02T03:04:05,5Z",
        "2026-01-02T03:04:05.5",
        "2026-01-02T03:04:05+0100",
        "2026-01-02T03:04:05+01",
        "2026-01-02T03:04:05+1:00",
        "2026-01-02T03:04:05+24:00",
        "2026-01-02T03:04:05+01:60",
        "2026-01-02T03:04:05 01:00",
        "2026-01-02T+3:04:05Z",
        "2026x01-02T03:04:05Z",
        "2026-01x02T03:04:05Z",
        "2026-01-02T03x04:05Z",
        "2026-01-02T03:04x05Z",
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        int64_t usec = 42;

        assert_int_equal(time_parse_rfc3339(cases[i], &usec), -EINVAL);
        assert_true(usec == 42);
    }
}

static void test_rfc3339_is_written(void **state)
{
    static const struct {
        int64_t usec;
        const char *text, *micro;
    } cases[] = {
        {0, "1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000000Z"},
        {-1, "1969-12-31T23:59:59Z", "1969-12-31T23:59:59.999999Z"},
        {1767323045123456, "2026-01-02T03:04:05Z", "2026-01-02T03:04:05.123456Z"},
        {-62135596800000000, "0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000000Z"},
        {253402300799999999, "9999-12-31T23:59:59Z", "9999-12-31T23:59:59.999999Z"},
        {INT64_MAX, "294247-01-10T04:00:54Z", "294247-01-10T04:00:54.775807Z"},
        {INT64_MIN, "-290308-12-21T19:59:05Z", "-290308-12-21T19:59:05.224192Z"},
    };
    char text[TIME_TEXT_MAX];

    for (size_t i = 0; i < array_size(cases); i++) {
        assert_string_equal(time_format_rfc3339(cases[i].usec, text), cases[i].text);
        assert_string_equal(time_format_rfc3339_micro(cases[i].usec, text), cases[i].micro);
    }
}

static void test_each_day_of_the_calendar_reads_back(void **state)
{
    const int64_t day = 86400 * (int64_t)USEC_PER_SEC;
    char text[TIME_TEXT_MAX];
    int64_t usec;

    /* 0000-01-01 to 9999-12-31, every eleventh day, each at another time */
    for (int64_t i = -719528; i < 2932897; i += 11) {
        int64_t point = i * day + (i & 0xffff) * 1000003;

        assert_int_equal(time_parse_rfc3339(time_format_rfc3339_micro(point, text), &usec), 0);
        assert_true(usec == point);
    }
}

static void test_durations_are_read_as_go_does(void **state)
{
    static const struct {
        const char *text;
        int result;
        int64_t nanoseconds;
    } cases[] = {
        {"0", 0, 0},
        {"+0", 0, 0},
        {"-0", 0, 0},
        {"0s", 0, 0},
        {"5s", 0, 5000000000},
        {"+5s", 0, 5000000000},
        {"1h30m", 0, 5400000000000},
        {"1.5s", 0, 1500000000},
        {".5s", 0, 500000000},
        {"5.s", 0, 5000000000},
        {"100ms", 0, 100000000},
        {"-2us", 0, -2000},
        {"-2\xc2\xb5s", 0, -2000},
        {"-2\xce\xbcs", 0, -2000},
        {"1m1m", 0, 120000000000},
        {"1s1h", 0, 3601000000000},
        {"0.000000001s", 0, 1},
        {"0.0000000019s", 0, 1},
        {"0.9ns", 0, 0},
        {"0.3333333333333333333333h", 0, 1199999999999},
        {"9223372036854775807ns", 0, INT64_MAX},
        {"-9223372036854775807ns", 0, -INT64_MAX},
        {"-9223372036854775808ns", 0, INT64_MIN},
        {"-2562047h47m16.854775808s", 0, INT64_MIN},
        {"9223372036854775808ns", -ERANGE, 0},
        {"-9223372036854775809ns", -ERANGE, 0},
        {"2562047h47m16.854775808s", -ERANGE, 0},
        {"18446744073.709551615s", -ERANGE, 0},
        {"18446744073.9s", -EINVAL, 0}, /* beyond 64 bits on the way */
        {"18446744073709551616ns", -EINVAL, 0},
        {"18446744073709551615ns1ns", -EINVAL, 0},
        {"5124096h", -EINVAL, 0},
        {"", -EINVAL, 0},
        {"-", -EINVAL, 0},
        {"+", -EINVAL, 0},
        {"5", -EINVAL, 0},
        {"00", -EINVAL, 0},
        {".s", -EINVAL, 0},
        {"s", -EINVAL, 0},
        {"5x", -EINVAL, 0},
        {"5S", -EINVAL, 0},
        {"5 s", -EINVAL, 0},
        {"5s ", -EINVAL, 0},
        {"5s5", -EINVAL, 0},
        {"--5s", -EINVAL, 0},
        {"5s-5s", -EINVAL, 0},
        {"1..5s", -EINVAL, 0},
        {"1d", -EINVAL, 0},
        {"1e3s", -EINVAL, 0},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        int64_t nanoseconds = 42;
        int result = duration_parse(cases[i].text, &nanoseconds);

        if (result != cases[i].result || nanoseconds != (result ? 42 : cases[i].nanoseconds))
            fail_msg("%s: %d, %lld", cases[i].text, result, (long long)nanoseconds);
    }
}

static void test_durations_are_written_as_go_does(void **state)
{
    static const struct {
        int64_t nanoseconds;
        const char *text;
    } cases[] = {
        {0, "0s"},
        {1, "1ns"},
        {-1, "-1ns"},
        {999, "999ns"},
        {1000, "1\xc2\xb5s"},
        {1500, "1.5\xc2\xb5s"},
        {999999, "999.999\xc2\xb5s"},
        {1000000, "1ms"},
        {100000000, "100ms"},
        {999999999, "999.999999ms"},
        {1000000000, "1s"},
        {1000000001, "1.000000001s"},
        {59900000000, "59.9s"},
        {60000000000, "1m0s"},
        {3600000000000, "1h0m0s"},
        {5400000000000, "1h30m0s"},
        {3661500000000, "1h1m1.5s"},
        {-90000000000, "-1m30s"},
        {INT64_MAX, "2562047h47m16.854775807s"},
        {INT64_MIN, "-2562047h47m16.854775808s"},
    };
    char text[TIME_TEXT_MAX];

    for (size_t i = 0; i < array_size(cases); i++)
        assert_string_equal(duration_format(cases[i].nanoseconds, text), cases[i].text);
}

static void test_any_duration_reads_back(void **state)
{
    char text[TIME_TEXT_MAX];
    int64_t nanoseconds;

    srand(3);
    for (int i = 0; i < 50000; i++) {
        uint64_t bits = (uint64_t)rand() << 62 ^ (uint64_t)rand() << 31 ^ (uint64_t)rand();
        int64_t wanted = (int64_t)(bits >> rand() % 64) * (rand() % 2 ? 1 : -1);

        assert_int_equal(duration_parse(duration_format(wanted, text), &nanoseconds), 0);
        assert_true(nanoseconds == wanted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arithmetic_saturates),
        cmocka_unit_test(test_rfc3339_is_read),
        cmocka_unit_test(test_what_is_not_rfc3339_is_refused),
        cmocka_unit_test(test_rfc3339_is_written),
        cmocka_unit_test(test_each_day_of_the_calendar_reads_back),
        cmocka_unit_test(test_durations_are_read_as_go_does),
        cmocka_unit_test(test_durations_are_written_as_go_does),
        cmocka_unit_test(test_any_duration_reads_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
