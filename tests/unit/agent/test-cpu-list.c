/* agent/cpu-list: how many CPUs a list names. */
#include "test.h"

#include "cpu-list.h"

#include <errno.h>
#include <string.h>

static void test_counts(void **state)
{
    static const struct {
        const char *text;
        int count;
    } cases[] = {
        {"", 0},        {"0", 1},     {"0-3", 4},   {"0-3,8", 5},       {"1,3,5-6", 4},
        {"0-3,2-5", 6}, {"7,7,7", 1}, {"65535", 1}, {"0-65535", 65536},
    };
    struct err err;

    for (size_t i = 0; i < array_size(cases); i++)
        assert_int_equal(cpu_list_count(cases[i].text, &err), cases[i].count);
}

static void test_what_is_no_list(void **state)
{
    static const char *const texts[] = {
        ",",  "0,",  ",0",    "a",       "0-",  "-1",  "3-1",  "0-3-5",
        " 0", "0 1", "65536", "1-65536", "0x1", "1;2", "0,,1", "99999999999999999999999",
    };
    char longer[CPU_LIST_LENGTH_MAX + 2];
    struct err err;

    for (size_t i = 0; i < array_size(texts); i++) {
        assert_int_equal(cpu_list_count(texts[i], &err), -EINVAL);
        assert_non_null(strstr(err.text, "must be a list of CPUs"));
    }
    memset(longer, '1', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    assert_int_equal(cpu_list_count(longer, &err), -E2BIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_what_is_no_list),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
