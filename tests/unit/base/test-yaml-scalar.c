/* base/yaml-scalar: what a plain scalar means in YAML 1.1 as the reference reads it. */
#include "test.h"

#include "yaml-scalar.h"

#include <string.h>

/* In the order of the table's letters. */
static const char *const kinds[] = {
    [YAML_SCALAR_STRING] = "string", [YAML_SCALAR_NULL] = "null",
    [YAML_SCALAR_BOOL] = "bool",     [YAML_SCALAR_INT] = "int",
    [YAML_SCALAR_FLOAT] = "float",   [YAML_SCALAR_NOT_FINITE] = "inf",
};

static void assert_scalar(const char *text, enum yaml_scalar kind, const char *expected)
{
    struct arena arena = ARENA_INIT_DOCUMENT;
    struct json value = {0};
    enum yaml_scalar got = yaml_scalar_read(&arena, text, strlen(text), &value);

    if (got != kind)
        fail_msg("%s is a %s, not a %s", text, kinds[got], kinds[kind]);
    if (kind == YAML_SCALAR_STRING)
        expected = text;
    if (kind == YAML_SCALAR_INT || kind == YAML_SCALAR_FLOAT || kind == YAML_SCALAR_STRING) {
        assert_int_equal(value.type, kind == YAML_SCALAR_STRING ? JSON_STRING : JSON_NUMBER);
        if (value.length != strlen(expected) || memcmp(value.text, expected, value.length) != 0)
            fail_msg("%s became %.*s, not %s", text, (int)value.length, value.text, expected);
    }
    arena_deinit(&arena);
}

static void test_null_has_five_spellings(void **state)
{
    static const char *const words[] = {"", "~", "null", "Null", "NULL"};

    for (size_t i = 0; i < array_size(words); i++) {
        struct json value;

        assert_int_equal(yaml_scalar_read(NULL, words[i], strlen(words[i]), &value),
                         YAML_SCALAR_NULL);
        assert_int_equal(value.type, JSON_NULL);
    }
}

static void test_booleans_have_three_cases(void **state)
{
    static const char *const words[][2] = {
        {"n", "y"},    {"N", "Y"},        {"no", "yes"},     {"No", "Yes"},
        {"NO", "YES"}, {"false", "true"}, {"False", "True"}, {"FALSE", "TRUE"},
        {"off", "on"}, {"Off", "On"},     {"OFF", "ON"},
    };

    for (size_t i = 0; i < array_size(words); i++) {
        for (int boolean = 0; boolean < 2; boolean++) {
            const char *word = words[i][boolean];
            struct json value;

            assert_int_equal(yaml_scalar_read(NULL, word, strlen(word), &value), YAML_SCALAR_BOOL);
            assert_int_equal(value.type, JSON_BOOL);
            assert_int_equal(value.boolean, boolean);
        }
    }
}

static void test_other_spellings_are_strings(void **state)
{
    static const char *const words[] = {
        "nUll",
        "nULL",
        "yEs",
        "tRue",
        "oN",
        "oFF",
        "none",
        "t",
        "f",
        "true ",
        " ",
        "-",
        "+",
        ".",
        "..",
        "...",
        "--",
        "+-1",
        "=",
        "<<",
        "infinity",
        "inf",
        "nan",
        ".INf",
        "~~",
        "abc",
        "_1",
        "0x",
        "0X",
        "0b",
        "0o",
        "-0x",
        "0xg",
        "0b2",
        "0o8",
        "0x1.8",
        "0x1p3",
        "1e",
        "1e+",
        "e3",
        "1.2.3",
        "1,000",
        "1 000",
        "12a",
        "+.",
        "-.",
        ".e3",
        "1-2",
        "1+2",
        "2026-01-02",
        "2026-1-2",
        "2026-01-02T03:04:05Z",
        "2026-01-02 03:04:05",
        "1:30",
        "1:30:00",
        "190:20:30.15",
        "10.0.0.1",
        "1.0.0",
        "100m",
        "1Gi",
        "0x_",
        "._5",
        ".5_",
        ".5__5",
        "._",
        "1e400",
        "-1e400",
        "1e99999999999",
        ".5p3",
    };

    for (size_t i = 0; i < array_size(words); i++)
        assert_scalar(words[i], YAML_SCALAR_STRING, NULL);
}

static void test_integers_have_many_bases(void **state)
{
    static const char *const cases[][2] = {
        {"0", "0"},
        {"-0", "0"},
        {"+0", "0"},
        {"5", "5"},
        {"+5", "5"},
        {"-5", "-5"},
        {"0755", "493"},
        {"-0755", "-493"},
        {"00", "0"},
        {"0o17", "15"},
        {"0O17", "15"},
        {"0b11", "3"},
        {"0B11", "3"},
        {"-0b11", "-3"},
        {"0x1F", "31"},
        {"0X1f", "31"},
        {"-0x1f", "-31"},
        {"+0x1f", "31"},
        {"1_000", "1000"},
        {"1__0_", "10"},
        {"0_7", "7"},
        {"0x_f", "15"},
        {"9223372036854775807", "9223372036854775807"},
        {"9223372036854775808", "9223372036854775808"},
        {"18446744073709551615", "18446744073709551615"},
        {"-9223372036854775808", "-9223372036854775808"},
        {"0xffffffffffffffff", "18446744073709551615"},
        {"-0x8000000000000000", "-9223372036854775808"},
        {"01777777777777777777777", "18446744073709551615"},
    };

    for (size_t i = 0; i < array_size(cases); i++)
        assert_scalar(cases[i][0], YAML_SCALAR_INT, cases[i][1]);
}

static void test_floats_are_written_as_go_writes_them(void **state)
{
    static const char *const cases[][2] = {
        {"1.0", "1"},
        {"1.", "1"},
        {"1.50", "1.5"},
        {".5", "0.5"},
        {"-.5", "-0.5"},
        {"+.5", "0.5"},
        {".5_0", "0.5"},
        {"0.1", "0.1"},
        {"1_0.5_0", "10.5"},
        {"1e3", "1000"},
        {"1E3", "1000"},
        {"1e+3", "1000"},
        {"1e-3", "0.001"},
        {"-0.0", "-0"},
        {"0e0", "0"},
        {"0.0", "0"},
        {"08", "8"}, /* not octal, so decimal after all */
        {"-09", "-9"},
        {"019", "19"},
        {"0.000001", "0.000001"},
        {"0.0000001", "1e-7"},
        {"0.00000123", "0.00000123"},
        {"0.000000123", "1.23e-7"},
        {"1e20", "100000000000000000000"},
        {"1e21", "1e+21"},
        {"123456789e15", "1.23456789e+23"},
        {"18446744073709551616", "18446744073709552000"},
        {"-9223372036854775809", "-9223372036854776000"},
        {"+9223372036854775808", "9223372036854776000"},
        {"123456789012345678901", "123456789012345680000"},
        {"12345678901234567890123", "1.2345678901234568e+22"},
        {"0.30000000000000004", "0.30000000000000004"},
        {"2.2250738585072014e-308", "2.2250738585072014e-308"},
        {"5e-324", "5e-324"},
        {"1e-400", "0"},
        {"1.7976931348623157e308", "1.7976931348623157e+308"},
        {"9007199254740993.0", "9007199254740992"},
    };

    for (size_t i = 0; i < array_size(cases); i++)
        assert_scalar(cases[i][0], YAML_SCALAR_FLOAT, cases[i][1]);
}

static void test_what_is_not_finite_is_known(void **state)
{
    static const char *const words[] = {".nan",  ".NaN",  ".NAN",  ".inf",  ".Inf",  ".INF",
                                        "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF"};

    for (size_t i = 0; i < array_size(words); i++)
        assert_scalar(words[i], YAML_SCALAR_NOT_FINITE, NULL);
}

static void test_a_nul_makes_a_string(void **state)
{
    struct json value;

    assert_int_equal(yaml_scalar_read(NULL, "5\0", 2, &value), YAML_SCALAR_STRING);
    assert_int_equal(value.length, 2);
    assert_int_equal(yaml_scalar_read(NULL, "\0", 1, &value), YAML_SCALAR_STRING);
    assert_int_equal(yaml_scalar_read(NULL, "~x", 1, &value), YAML_SCALAR_NULL);
}

static void test_long_digits_stay_within_their_buffer(void **state)
{
    char digits[1000];

    memset(digits, '1', sizeof(digits));
    for (size_t length = 290; length < sizeof(digits); length++) {
        struct arena arena = ARENA_INIT_DOCUMENT;
        struct json value = {0};
        enum yaml_scalar kind = yaml_scalar_read(&arena, digits, length, &value);

        /* 309 digits are 1.1e308 */
        assert_int_equal(kind, length <= 309 ? YAML_SCALAR_FLOAT : YAML_SCALAR_STRING);
        assert_true(kind == YAML_SCALAR_FLOAT ? value.length < 25 : value.length == length);
        arena_deinit(&arena);
    }
}

static void test_an_integer_can_become_a_float(void **state)
{
    static const char *const cases[][2] = {
        {"5", "5"},
        {"-5", "-5"},
        {"9007199254740993", "9007199254740992"},
        {"18446744073709551615", "18446744073709552000"},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        struct arena arena = ARENA_INIT_DOCUMENT;
        struct json value = {
            .type = JSON_NUMBER, .text = cases[i][0], .length = (uint32_t)strlen(cases[i][0])};

        yaml_scalar_as_float(&arena, &value);
        assert_true(json_text_is(&value, cases[i][1]));
        arena_deinit(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_null_has_five_spellings),
        cmocka_unit_test(test_booleans_have_three_cases),
        cmocka_unit_test(test_other_spellings_are_strings),
        cmocka_unit_test(test_integers_have_many_bases),
        cmocka_unit_test(test_floats_are_written_as_go_writes_them),
        cmocka_unit_test(test_what_is_not_finite_is_known),
        cmocka_unit_test(test_a_nul_makes_a_string),
        cmocka_unit_test(test_long_digits_stay_within_their_buffer),
        cmocka_unit_test(test_an_integer_can_become_a_float),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
