/* base/quantity: Kubernetes' quantities as the API reads, writes and rounds them. */
#include "test.h"

#include "nodeagent/base/quantity.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct quantity parse(const char *text)
{
    struct quantity quantity;
    struct err err = {0};

    if (quantity_parse(text, strlen(text), &quantity, &err) < 0)
        fail_msg("%s: %s", text, err.text);
    return quantity;
}

static void test_the_canonical_form_is_the_apis(void **state)
{
    static const struct {
        const char *text, *canonical;
    } cases[] = {
        {"0", "0"},
        {"00", "0"},
        {"-0", "0"},
        {"0Gi", "0"},
        {"0e5", "0"},
        {"0.000", "0"},
        {"1", "1"},
        {"007", "7"},
        {"+5G", "5G"},
        {"0.5", "500m"},
        {".5", "500m"},
        {"5.", "5"},
        {"1.", "1"},
        {"100m", "100m"},
        {"1000m", "1"},
        {"1500m", "1500m"},
        {"1000", "1k"},
        {"1000k", "1M"},
        {"1000000", "1M"},
        {"1234567", "1234567"},
        {"1000000000000000000", "1E"},
        {"1000E", "1000E"},
        {"10000000000000000000000", "10000E"},
        {"1u", "1u"},
        {"1000u", "1m"},
        {"1n", "1n"},
        {"0.1n", "1n"},
        {"0.00000000001", "1n"},
        {"1.1n", "2n"},
        {"-0.1n", "-1n"},
        {"-1.1n", "-2n"},
        {"0.0000000000000000000000000000001", "1n"},
        {"1.0000000000000000000000000000000", "1"},
        {"1e3", "1e3"},
        {"12E6", "12e6"},
        {"1E3", "1e3"},
        {"1000e0", "1e3"},
        {"10e1", "100"},
        {"1e-3", "1e-3"},
        {"1.5e3", "1500"},
        {"100e-2", "1"},
        {"1e-10", "1e-9"},
        {"1e-1000000000000", "1e-9"},
        {"1e+3", "1e3"},
        {"1e28", "10e27"},
        {"1Ki", "1Ki"},
        {"1024", "1024"},
        {"1024Ki", "1Mi"},
        {"1024Mi", "1Gi"},
        {"1.5Gi", "1536Mi"},
        {"0.5Ki", "512"},
        {"0.5Mi", "512Ki"},
        {"1000Ki", "1000Ki"},
        {"1025Ki", "1025Ki"},
        {"1023.5Ki", "1048064"},
        {"1.0001Ki", "1024102400u"}, /* not whole: exact, in decimal */
        {"0.0001Ki", "102400u"},
        {"0.0001Gi", "107374182400u"},
        {"-1.5Gi", "-1536Mi"},
        {"-0.5Ki", "-512"},
        {"-1000", "-1k"},
        {"7Ei", "7Ei"},
        {"8Ei", "9223372036854775807"},
        {"9Ei", "9223372036854775807"},
        {"-9Ei", "-9223372036854775807"},
        {"99999999999999999999999999999999999999999Ki", "9223372036854775807"},
        {"9223372036854775807", "9223372036854775807"},
        {"9223372036854775808", "9223372036854775808"},
        {"99999999999999999999", "99999999999999999999"},
        {"123456789012345678901234567.123456789", "123456789012345678901234567123456789n"},
    };
    char text[QUANTITY_TEXT_MAX];

    for (size_t i = 0; i < array_size(cases); i++) {
        struct quantity quantity = parse(cases[i].text), again;

        assert_string_equal(quantity_format(&quantity, text), cases[i].canonical);
        again = parse(text);
        assert_int_equal(quantity_compare(&quantity, &again), 0);
        assert_string_equal(quantity_format(&again, text), cases[i].canonical);
    }
}

static void test_what_is_no_quantity_is_refused(void **state)
{
    static const struct {
        const char *text, *words;
    } cases[] = {
        {"", "must be a quantity"},
        {".", "must be a quantity"},
        {"-", "must be a quantity"},
        {"+", "must be a quantity"},
        {"m", "must be a quantity"},
        {"Gi", "must be a quantity"},
        {"e3", "must be a quantity"},
        {"--1", "must be a quantity"},
        {" 1", "must be a quantity"},
        {"x", "must be a quantity"},
        {"1 ", "unknown suffix \" \""},
        {"1x", "unknown suffix \"x\""},
        {"1K", "unknown suffix \"K\""},
        {"1ki", "unknown suffix \"ki\""},
        {"1mi", "unknown suffix \"mi\""},
        {"1Gib", "unknown suffix \"Gib\""},
        {"1GB", "unknown suffix"},
        {"1e", "unknown suffix \"e\""},
        {"1e+", "unknown suffix \"e+\""},
        {"1e3.5", "unknown suffix"},
        {"1e3k", "unknown suffix"},
        {"1.2.3", "unknown suffix \".3\""},
        {"1_0", "unknown suffix"},
        {"0x10", "unknown suffix"},
        {"1,5", "unknown suffix"},
        {"1\x1b[31m", "unknown suffix \"?[31m\""},
        {"1aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
         "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\""},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        struct quantity quantity;
        struct err err = {0};

        assert_int_equal(quantity_parse(cases[i].text, strlen(cases[i].text), &quantity, &err),
                         -EINVAL);
        if (!strstr(err.text, cases[i].words))
            fail_msg("%s: \"%s\"", cases[i].text, err.text);
    }
}

static void test_the_length_counts_not_the_nul(void **state)
{
    struct quantity quantity;
    struct err err = {0};

    assert_int_equal(quantity_parse("15Gi", 2, &quantity, &err), 0);
    assert_int_equal(quantity_value(&quantity), 15);
    assert_int_equal(quantity_parse("1\0", 2, &quantity, &err), -EINVAL);
}

static void test_values_are_rounded_away_from_zero(void **state)
{
    static const struct {
        const char *text;
        int64_t value, milli;
    } cases[] = {
        {"0", 0, 0},
        {"1", 1, 1000},
        {"1n", 1, 1},
        {"999u", 1, 1},
        {"1m", 1, 1},
        {"1001u", 1, 2},
        {"1500m", 2, 1500},
        {"1999m", 2, 1999},
        {"-1n", -1, -1},
        {"-1500m", -2, -1500},
        {"-1001u", -1, -2},
        {"1.5Gi", 1610612736, 1610612736000},
        {"9223372036854775807", INT64_MAX, INT64_MAX},
        {"9223372036854775807.1", INT64_MAX, INT64_MAX},
        {"-9223372036854775808", INT64_MIN, INT64_MIN},
        {"-9223372036854775808.1", INT64_MIN, INT64_MIN},
        {"9223372036854775.807", 9223372036854776, INT64_MAX},
        {"9223372036854775806m", 9223372036854776, INT64_MAX - 1},
        {"1e100", INT64_MAX, INT64_MAX},
        {"-1e100", INT64_MIN, INT64_MIN},
        {"8Ei", INT64_MAX, INT64_MAX},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        struct quantity quantity = parse(cases[i].text);

        assert_true(quantity_value(&quantity) == cases[i].value);
        assert_true(quantity_milli_value(&quantity) == cases[i].milli);
    }
}

static void test_rounding_to_thousandths_goes_away_from_zero(void **state)
{
    static const struct {
        const char *text, *rounded;
    } cases[] = {
        {"0", "0"},   {"1n", "1m"},    {"-1n", "-1m"},
        {"1m", "1m"}, {"1001u", "2m"}, {"1.0009", "1001m"},
    };
    char text[QUANTITY_TEXT_MAX];

    for (size_t i = 0; i < array_size(cases); i++) {
        struct quantity quantity = parse(cases[i].text);

        quantity_round_up_milli(&quantity);
        assert_string_equal(quantity_format(&quantity, text), cases[i].rounded);
    }
}

static void test_order_is_that_of_the_numbers(void **state)
{
    static const char *const rising[] = {
        "-1e100",
        "-1e28",
        "-9Ei",
        "-1Gi",
        "-1",
        "-1m",
        "-1n",
        "0",
        "1n",
        "1u",
        "1m",
        "0.5",
        "1",
        "1Ki",
        "1025",
        "1M",
        "1Mi",
        "1G",
        "1Gi",
        "1E",
        "1Ei",
        "9Ei",
        "9999999999999999999",
        "1e28",
        "1e29",
    };

    for (size_t i = 0; i < array_size(rising); i++) {
        struct quantity a = parse(rising[i]);

        assert_int_equal(quantity_sign(&a), (i > 7) - (i < 7));
        for (size_t j = 0; j < array_size(rising); j++) {
            struct quantity b = parse(rising[j]);

            assert_int_equal(quantity_compare(&a, &b), (i > j) - (i < j));
        }
    }
}

static void test_format_does_not_change_the_number(void **state)
{
    static const char *const equal[] = {"1024", "1Ki", "1024000m", "1024e0", "1.024k", "+1024."};

    for (size_t i = 1; i < array_size(equal); i++) {
        struct quantity a = parse(equal[0]), b = parse(equal[i]);

        assert_int_equal(quantity_compare(&a, &b), 0);
    }
}

static void test_whole_means_without_fraction(void **state)
{
    static const struct {
        const char *text;
        bool whole;
    } cases[] = {
        {"0", true},    {"1", true},     {"-3", true},     {"1000m", true},
        {"1Gi", true},  {"1m", false},   {"1500m", false}, {"1n", false},
        {"-1n", false}, {"0.5Ki", true}, {"1e-9", false},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        struct quantity quantity = parse(cases[i].text);

        assert_int_equal(quantity_is_whole(&quantity), cases[i].whole);
    }
}

static void test_a_sum_keeps_the_first_format(void **state)
{
    static const struct {
        const char *a, *b, *sum;
    } cases[] = {
        {"1", "1", "2"},       {"1Gi", "1G", "2073741824"}, {"1Gi", "512Mi", "1536Mi"},
        {"1k", "1Ki", "2024"}, {"0", "1Ki", "1Ki"},         {"0Gi", "1k", "1k"},
        {"1", "-1", "0"},      {"1.5", "-2", "-500m"},      {"1e3", "1", "1001"},
        {"1n", "1n", "2n"},
    };
    char text[QUANTITY_TEXT_MAX];

    for (size_t i = 0; i < array_size(cases); i++) {
        struct quantity sum = parse(cases[i].a), more = parse(cases[i].b);

        quantity_add(&sum, &more);
        assert_string_equal(quantity_format(&sum, text), cases[i].sum);
    }
}

static void test_a_difference_keeps_the_first_format(void **state)
{
    static const struct {
        const char *a, *b, *difference;
    } cases[] = {
        {"4", "200m", "3800m"}, {"1Gi", "24Mi", "1000Mi"}, {"1Gi", "1G", "73741824"},
        {"1", "2", "-1"},       {"0", "1Ki", "-1Ki"},
    };
    char text[QUANTITY_TEXT_MAX];

    for (size_t i = 0; i < array_size(cases); i++) {
        struct quantity difference = parse(cases[i].a), less = parse(cases[i].b);

        quantity_subtract(&difference, &less);
        assert_string_equal(quantity_format(&difference, text), cases[i].difference);
    }
}

static void test_sums_saturate(void **state)
{
    struct quantity most = parse("1e100"), least = parse("-1e100"), sum = most;

    for (int i = 0; i < 3; i++) {
        quantity_add(&sum, &most);
        assert_int_equal(quantity_compare(&sum, &most), 0);
    }
    sum = least;
    quantity_add(&sum, &least);
    assert_int_equal(quantity_compare(&sum, &least), 0);
    quantity_add(&sum, &most);
    assert_int_equal(quantity_sign(&sum), 0);
}

static void test_integers_become_quantities(void **state)
{
    static const struct {
        int64_t value;
        enum quantity_format format;
        const char *text;
    } cases[] = {
        {0, QUANTITY_BINARY, "0"},
        {1000, QUANTITY_DECIMAL, "1k"},
        {1000, QUANTITY_EXPONENT, "1e3"},
        {1000, QUANTITY_BINARY, "1k"},
        {1 << 20, QUANTITY_BINARY, "1Mi"},
        {-(1 << 20), QUANTITY_BINARY, "-1Mi"},
        {INT64_MAX, QUANTITY_DECIMAL, "9223372036854775807"},
        {INT64_MIN, QUANTITY_DECIMAL, "-9223372036854775808"},
        {INT64_MIN, QUANTITY_BINARY, "-8Ei"},
    };
    char text[QUANTITY_TEXT_MAX];

    for (size_t i = 0; i < array_size(cases); i++) {
        struct quantity quantity = quantity_from_int(cases[i].value, cases[i].format);

        assert_string_equal(quantity_format(&quantity, text), cases[i].text);
        assert_true(quantity_value(&quantity) == cases[i].value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_canonical_form_is_the_apis),
        cmocka_unit_test(test_what_is_no_quantity_is_refused),
        cmocka_unit_test(test_the_length_counts_not_the_nul),
        cmocka_unit_test(test_values_are_rounded_away_from_zero),
        cmocka_unit_test(test_rounding_to_thousandths_goes_away_from_zero),
        cmocka_unit_test(test_order_is_that_of_the_numbers),
        cmocka_unit_test(test_format_does_not_change_the_number),
        cmocka_unit_test(test_whole_means_without_fraction),
        cmocka_unit_test(test_a_sum_keeps_the_first_format),
        cmocka_unit_test(test_a_difference_keeps_the_first_format),
        cmocka_unit_test(test_sums_saturate),
        cmocka_unit_test(test_integers_become_quantities),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
