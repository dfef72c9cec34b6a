/* agent/config-eviction.c: what a threshold says. */
#include "test.h"

#include "config-private.h"

#include <string.h>

static void test_thresholds(void **state)
{
    static const struct {
        const char *value;
        float ratio;
        const char *amount;
    } cases[] = {
        {"10%", 10.0f / 100, "0"}, {"0.5%", 0.5f / 100, "0"}, {"0%", 0, "0"},
        {"100%", 0, "0"},          {"100Mi", 0, "100Mi"},     {"1e3", 0, "1e3"},
    };
    char text[QUANTITY_TEXT_MAX];

    for (size_t i = 0; i < array_size(cases); i++) {
        struct string_pair pair = {"memory.available", cases[i].value};
        struct eviction_threshold threshold;
        struct err err;

        assert_int_equal(config_threshold(&pair, &threshold, &err), 0);
        assert_true(threshold.ratio == cases[i].ratio);
        assert_string_equal(quantity_format(&threshold.amount, text), cases[i].amount);
    }
}

static void test_what_is_none(void **state)
{
    static const char *const cases[][3] = {
        {"memory.available", "-1%", "eviction threshold memory.available: must be a percentage"},
        {"memory.available", "101%", "must be a percentage from 0% to 100%, not 101%"},
        {"memory.available", "%", "must be a percentage"},
        {"memory.available", "nan%", "must be a percentage"},
        {"memory.available", "5%%", "must be a percentage"},
        {"memory.available", "0", "eviction threshold memory.available must be positive: 0"},
        {"memory.available", "-1Gi", "must be positive: -1Gi"},
        {"memory.available", "lots", "eviction threshold memory.available: must be a quantity"},
        {"memory.free", "1Gi", "unsupported eviction signal memory.free"},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        struct string_pair pair = {cases[i][0], cases[i][1]};
        struct eviction_threshold threshold;
        struct err err;

        assert_true(config_threshold(&pair, &threshold, &err) < 0);
        if (!strstr(err.text, cases[i][2]))
            fail_msg("%s", err.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_thresholds),
        cmocka_unit_test(test_what_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
