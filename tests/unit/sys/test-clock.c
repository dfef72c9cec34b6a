/* sys/clock: the kernel's clocks. */
#include "test.h"

#include "nodeagent/sys/clock.h"

#include <time.h>

static void test_never_goes_back(void **state)
{
    usec_t monotonic = clock_monotonic(), boottime = clock_boottime();

    for (unsigned i = 0; i < 1000; i++) {
        usec_t now = clock_monotonic();

        assert_true(now >= monotonic);
        monotonic = now;
        now = clock_boottime();
        assert_true(now >= boottime);
        boottime = now;
    }
    assert_true(clock_boottime() >= monotonic);
}

static void test_wall_clock_is_since_1970(void **state)
{
    usec_t before = (usec_t)time(NULL) * USEC_PER_SEC;

    assert_true(clock_wall() >= before);
    assert_true(clock_wall() < before + 60 * USEC_PER_SEC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_never_goes_back),
        cmocka_unit_test(test_wall_clock_is_since_1970),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
