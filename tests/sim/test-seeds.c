/* A few seeds with the agent as it is, and with a deliberate bug for each invariant. */
#include "test.h"

#include "bugs.h"
#include "nodeagent/base/mem.h"
#include "run.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    SEEDS = 40, /* ./dev sim runs as many as one has time for */
    JOBS = 2,
};

static void test_seeds_violate_nothing(void **state)
{
    struct runs runs = {.from = 1, .count = SEEDS, .jobs = JOBS};
    struct outcome *outcome = mem_new(struct outcome);
    struct totals totals = {0};

    if (!run_all(&runs, &totals, outcome))
        print_error("seed %llu violates %s: %s\n", (unsigned long long)outcome->seed,
                    invariant_name(outcome->violated), outcome->violation);
    assert_int_equal(outcome->violated, INVARIANT_NONE);
    assert_int_equal(totals.seeds, SEEDS);
    assert_int_equal(totals.short_seeds, 0);
    free(outcome);
}

static void test_a_bug_for_each_invariant_is_found(void **state)
{
    struct outcome *outcome = mem_new(struct outcome);
    bool broken[INVARIANT_COUNT] = {false};

    for (unsigned bug = BUG_NONE + 1; bug < BUG_COUNT; bug++) {
        if (!bug_is_found(bug, outcome)) {
            print_error("%s: not found\n", bug_name(bug));
            fail();
        }
        broken[bug_breaks(bug)] = true;
    }
    for (unsigned invariant = INVARIANT_NONE + 1; invariant < INVARIANT_COUNT; invariant++)
        assert_true(broken[invariant]);
    free(outcome);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_seeds_violate_nothing),
        cmocka_unit_test(test_a_bug_for_each_invariant_is_found),
    };

    return cmocka_run_group_tests_name("sim/seeds", tests, NULL, NULL);
}
