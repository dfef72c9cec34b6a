/* sys/chance: numbers between two others. */
#include "test.h"

#include "nodeagent/sys/chance.h"

static void test_all_between_are_drawn(void **state)
{
    unsigned drawn = 0;

    for (int i = 0; i < 1000; i++) {
        usec_t number = chance_between(3, 8);

        assert_in_range(number, 3, 7);
        drawn |= 1U << number;
    }
    assert_int_equal(drawn, 0xf8);
}

static void test_nothing_between(void **state)
{
    assert_int_equal(chance_between(5, 5), 5);
    assert_int_equal(chance_between(5, 1), 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_between_are_drawn),
        cmocka_unit_test(test_nothing_between),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
