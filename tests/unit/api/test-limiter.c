/* api/limiter: a burst, then a steady rate, which may be borrowed from. */
#include "test.h"

#include "limiter.h"

static void test_a_burst_and_then_a_rate(void **state)
{
    usec_t now = 1000 * USEC_PER_SEC;
    struct limiter limiter;

    limiter_init(&limiter, 50, 100, now);
    for (int i = 0; i < 100; i++)
        assert_true(limiter_take(&limiter, now) == now);
    for (usec_t i = 1; i <= 50; i++)
        assert_in_range(limiter_take(&limiter, now), now + i * 20000 - 1, now + i * 20000 + 1);
    now += 2 * USEC_PER_SEC; /* half of it pays for what was taken in advance */
    for (int i = 0; i < 50; i++)
        assert_true(limiter_take(&limiter, now) == now);
    assert_true(limiter_take(&limiter, now) > now);
}

static void test_what_is_saved_is_bounded(void **state)
{
    struct limiter limiter;

    limiter_init(&limiter, 1, 2, 0);
    for (int i = 0; i < 2; i++)
        assert_true(limiter_take(&limiter, 3600 * USEC_PER_SEC) == 3600 * USEC_PER_SEC);
    assert_true(limiter_take(&limiter, 3600 * USEC_PER_SEC) == 3601 * USEC_PER_SEC);
}

static void test_what_is_not_used_is_given_back(void **state)
{
    struct limiter limiter;

    limiter_init(&limiter, 1, 2, 0);
    for (int i = 0; i < 4; i++)
        limiter_take(&limiter, 0);
    for (int i = 0; i < 3; i++)
        limiter_give_back(&limiter);
    assert_true(limiter_take(&limiter, 0) == 0);
    assert_true(limiter_take(&limiter, 0) == USEC_PER_SEC);
    for (int i = 0; i < 10; i++)
        limiter_give_back(&limiter); /* never more than there were */
    for (int i = 0; i < 2; i++)
        assert_true(limiter_take(&limiter, 0) == 0);
    assert_true(limiter_take(&limiter, 0) == USEC_PER_SEC);
}

static void test_no_limit(void **state)
{
    struct limiter limiter;

    limiter_init(&limiter, 0, 0, 0);
    for (int i = 0; i < 10000; i++)
        assert_true(limiter_take(&limiter, 7) == 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_burst_and_then_a_rate),
        cmocka_unit_test(test_what_is_saved_is_bounded),
        cmocka_unit_test(test_what_is_not_used_is_given_back),
        cmocka_unit_test(test_no_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
