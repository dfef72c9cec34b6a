/* probes/judge: ticks, thresholds, and what a verdict means. */
#include "test.h"

#include "nodeagent/probes/judge.h"

#include <stdlib.h>

#define S USEC_PER_SEC

static const struct probe_timing timing = {
    .delay = 3 * S,
    .period = 10 * S,
    .timeout = S,
    .success_threshold = 1,
    .failure_threshold = 3,
};

static struct judge new_judge(enum probe_type type, enum probe_result remembered, bool gated,
                              usec_t now)
{
    struct judge judge;

    judge_init(&judge, type, &timing, 100 * S, remembered, gated, now);
    return judge;
}

static void test_ticks_are_at_start_plus_delay_plus_periods(void **state)
{
    struct judge judge = new_judge(PROBE_READINESS, PROBE_UNDECIDED, false, 100 * S + 40000);

    assert_int_equal(judge.due, 103 * S);
    judge_begin(&judge, 103 * S + 2000); /* a little late */
    assert_int_equal(judge.due, 113 * S);
    judge_begin(&judge, 113 * S);
    assert_int_equal(judge.due, 123 * S);
    judge_begin(&judge, 158 * S); /* three were missed: they are made up for once */
    assert_int_equal(judge.due, 163 * S);
}

static void test_a_new_one_makes_up_for_what_was_missed(void **state)
{
    struct judge judge = new_judge(PROBE_LIVENESS, PROBE_UNDECIDED, false, 127 * S);

    assert_int_equal(judge.due, 127 * S);
    judge_begin(&judge, 127 * S);
    assert_int_equal(judge.due, 133 * S);
}

/* P13: after a restart of the agent. */
static void test_a_remembered_one_goes_on_with_its_next_tick(void **state)
{
    struct judge judge = new_judge(PROBE_READINESS, PROBE_PASSED, false, 127 * S);

    assert_int_equal(judge.due, 133 * S);
    assert_int_equal(judge.result, PROBE_PASSED);
}

static void test_what_was_decided_is_held(void **state)
{
    static const struct {
        enum probe_type type;
        enum probe_result result;
        bool held;
    } cases[] = {
        {PROBE_STARTUP, PROBE_PASSED, true},    {PROBE_STARTUP, PROBE_NOT_PASSED, true},
        {PROBE_LIVENESS, PROBE_PASSED, false},  {PROBE_LIVENESS, PROBE_NOT_PASSED, true},
        {PROBE_READINESS, PROBE_PASSED, false}, {PROBE_READINESS, PROBE_NOT_PASSED, false},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        struct judge judge = new_judge(cases[i].type, cases[i].result, false, 127 * S);

        assert_int_equal(judge.held, cases[i].held);
        assert_int_equal(judge.due == USEC_NEVER, cases[i].held);
        judge_open(&judge, 127 * S);
        assert_int_equal(judge.due == USEC_NEVER, cases[i].held);
    }
}

/* P06 */
static void test_readiness_is_tried_at_once_when_the_container_has_started_up(void **state)
{
    struct judge readiness = new_judge(PROBE_READINESS, PROBE_UNDECIDED, true, 101 * S),
                 liveness = new_judge(PROBE_LIVENESS, PROBE_UNDECIDED, true, 101 * S);

    assert_int_equal(readiness.due, USEC_NEVER);
    judge_open(&readiness, 127 * S);
    judge_open(&liveness, 127 * S);
    assert_int_equal(readiness.due, 127 * S);
    assert_int_equal(liveness.due, 133 * S);
    judge_begin(&readiness, 127 * S);
    assert_int_equal(readiness.due, 133 * S);
}

static void test_the_delay_holds_after_startup_too(void **state)
{
    struct judge judge = new_judge(PROBE_READINESS, PROBE_UNDECIDED, true, 100 * S);

    judge_open(&judge, 101 * S);
    assert_int_equal(judge.due, 103 * S);
}

/* `verdicts`: "+" success, "-" failure, "L" agent late, "E" errored. `results`: after each, "."
 * for undecided. */
static void test_thresholds(void **state)
{
    static const struct {
        enum probe_type type;
        uint32_t success, failure;
        const char *verdicts, *results;
    } cases[] = {
        {PROBE_READINESS, 1, 3, "+--+---+", "++++++-+"},
        {PROBE_READINESS, 3, 1, "++-+++", "..---+"},
        {PROBE_READINESS, 1, 3, "+--L-", "++++-"}, /* what is neither breaks no run */
        {PROBE_READINESS, 1, 3, "+--E-", "++++-"},
        {PROBE_READINESS, 1, 1, "LLEE", "...."},
        {PROBE_LIVENESS, 1, 3, "--+---", "..+++-"},
        {PROBE_STARTUP, 1, 3, "--+", "..+"},
        {PROBE_STARTUP, 1, 3, "---", "..-"},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        struct probe_timing own = timing;
        struct judge judge;
        enum probe_result before = PROBE_UNDECIDED;

        own.success_threshold = cases[i].success;
        own.failure_threshold = cases[i].failure;
        judge_init(&judge, cases[i].type, &own, 0, PROBE_UNDECIDED, false, 0);
        for (size_t j = 0; cases[i].verdicts[j]; j++) {
            char c = cases[i].verdicts[j];
            enum probe_verdict verdict = c == '+'   ? PROBE_SUCCESS
                                         : c == '-' ? PROBE_REFUSED
                                         : c == 'L' ? PROBE_AGENT_LATE
                                                    : PROBE_ERRORED;
            bool changed = judge_take(&judge, verdict);

            assert_int_equal(".+-"[judge.result], cases[i].results[j]);
            assert_int_equal(changed, judge.result != before);
            before = judge.result;
        }
    }
}

static void test_a_warning_is_a_success(void **state)
{
    struct judge judge = new_judge(PROBE_READINESS, PROBE_UNDECIDED, false, 0);

    assert_true(judge_take(&judge, PROBE_WARNING));
    assert_int_equal(judge.result, PROBE_PASSED);
}

static void test_figures_out_of_range_are_made_sane(void **state)
{
    static const struct probe probe = {
        .initial_delay_seconds = -1,
        .period_seconds = 0,
        .timeout_seconds = INT32_MAX,
    };
    struct probe_timing own = probe_timing_of(&probe);
    struct judge judge;

    assert_int_equal(own.delay, 0);
    assert_int_equal(own.period, S);
    assert_int_equal(own.timeout, INT32_MAX * S);
    assert_int_equal(own.success_threshold, 1);
    judge_init(&judge, PROBE_LIVENESS, &own, UINT64_MAX - 5, PROBE_UNDECIDED, false, 0);
    assert_int_equal(judge.due, UINT64_MAX - 5);
}

static void test_events(void **state)
{
    static const struct {
        enum probe_verdict verdict;
        const char *reason, *message;
    } cases[] = {
        {PROBE_SUCCESS, NULL, NULL},
        {PROBE_AGENT_LATE, NULL, NULL},
        {PROBE_WARNING, "ProbeWarning", "Startup probe warning: why"},
        {PROBE_REFUSED, "Unhealthy", "Startup probe failed: why"},
        {PROBE_ERRORED, "Unhealthy", "Startup probe errored and resulted in unknown state: why"},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        const char *reason = NULL;
        char *message = judge_event(PROBE_STARTUP, cases[i].verdict, "why", &reason);

        assert_int_equal(message != NULL, cases[i].message != NULL);
        if (message) {
            assert_string_equal(message, cases[i].message);
            assert_string_equal(reason, cases[i].reason);
        }
        free(message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ticks_are_at_start_plus_delay_plus_periods),
        cmocka_unit_test(test_a_new_one_makes_up_for_what_was_missed),
        cmocka_unit_test(test_a_remembered_one_goes_on_with_its_next_tick),
        cmocka_unit_test(test_what_was_decided_is_held),
        cmocka_unit_test(test_readiness_is_tried_at_once_when_the_container_has_started_up),
        cmocka_unit_test(test_the_delay_holds_after_startup_too),
        cmocka_unit_test(test_thresholds),
        cmocka_unit_test(test_a_warning_is_a_success),
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_figures_out_of_range_are_made_sane),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
