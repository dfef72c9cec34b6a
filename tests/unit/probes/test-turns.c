/* probes/turns: when attempts begin, and which verdicts count. */
#include "prober-world.h"

#define HTTP "'httpGet':{'port':80}"
#define LIVENESS ",'livenessProbe':{" HTTP ",'periodSeconds':1,'timeoutSeconds':5}"

/* P12 */
static void test_attempts_of_one_probe_never_overlap(void **state)
{
    world_pod("", LIVENESS);
    world.answer_after = 3000 * USEC_PER_MSEC;
    world_run("one");
    world_pass(20 * USEC_PER_SEC);
    assert_int_equal(world.in_flight_most, 1);
    assert_in_range(world_count(), 7, 7);
    for (unsigned i = 1; i < 6; i++) /* the next begins with the end of the one before */
        assert_in_range(world.begun[i] - world.begun[i - 1], 3000000, 3001000);
}

static void test_the_phase_is_kept(void **state)
{
    usec_t start = world.now;

    world_pod("", LIVENESS);
    world.answer_after = 300 * USEC_PER_MSEC;
    world_run("one");
    world_pass(10 * USEC_PER_SEC);
    for (unsigned i = 1; i < 10; i++)
        assert_int_equal(world.begun[i], start + i * USEC_PER_SEC);
}

static void watch_many(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        char uid[16];

        snprintf(uid, sizeof(uid), "u%u", i);
        world_run_as(uid, uid, world.now, false, NULL);
    }
}

static void test_attempts_in_flight_are_bounded_and_all_get_a_turn(void **state)
{
    world_pod("", ",'livenessProbe':{" HTTP ",'periodSeconds':10}");
    world.answer_after = 10 * USEC_PER_MSEC;
    watch_many(1000);
    world_pass(100 * USEC_PER_MSEC);
    assert_int_equal(world.in_flight_most, PROBE_ATTEMPTS_MAX);
    assert_int_equal(world_count(), 1000);
}

/* P42: those that answer are not kept waiting by those that never do. */
static void test_slow_ones_leave_room_for_the_others(void **state)
{
    usec_t began;

    world_pod("", ",'readinessProbe':{" HTTP ",'periodSeconds':10}");
    world.answer_after = USEC_PER_SEC;
    world.verdict = PROBE_CONNECT_TIMEOUT;
    watch_many(1000);
    world_pass(9 * USEC_PER_SEC);
    assert_int_equal(world_count(), 1000);
    world_pass(1500 * USEC_PER_MSEC); /* all are due again */
    assert_int_equal(world.in_flight, PROBE_SLOW_MAX);
    began = world.now;
    world_count();
    world.count = 0;
    world_run_as("quick", "quick", world.now, false, NULL);
    world_pass(2 * USEC_PER_MSEC);
    assert_true(world.count == 1 && world.begun[0] <= began + 2 * USEC_PER_MSEC);
}

static void test_commands_in_flight_are_fewer(void **state)
{
    world_pod("", ",'livenessProbe':{'exec':{'command':['true']}}");
    world.answer_after = 100 * USEC_PER_MSEC;
    watch_many(10);
    world_pass(490 * USEC_PER_MSEC);
    assert_int_equal(world.in_flight_most, 2);
    world_pass(100 * USEC_PER_MSEC);
    assert_int_equal(world_count(), 10);
}

/* P19, P35 */
static void test_what_cannot_be_attempted_is_tried_three_times_and_does_not_count(void **state)
{
    world_pod("", ",'livenessProbe':{" HTTP ",'periodSeconds':10,'failureThreshold':1}");
    world.verdict = PROBE_ERRORED;
    world_run("one");
    world_pass(9 * USEC_PER_SEC);
    assert_int_equal(world_count(), 3);
    assert_int_equal(world_result("one", PROBE_LIVENESS), PROBE_UNDECIDED);
    assert_string_equal(world.events,
                        "Unhealthy c Liveness probe errored and resulted in unknown state: so the "
                        "test wants it\n");
}

static void test_events_say_what_failed(void **state)
{
    static const struct {
        enum probe_verdict verdict;
        const char *events;
    } cases[] = {
        {PROBE_SUCCESS, ""},
        {PROBE_WARNING, "ProbeWarning c Readiness probe warning: so the test wants it\n"},
        {PROBE_REFUSED, "Unhealthy c Readiness probe failed: so the test wants it\n"},
        {PROBE_EXEC_EXIT, "Unhealthy c Readiness probe failed: so the test wants it\n"},
    };

    world_pod("", ",'readinessProbe':{" HTTP "}");
    for (size_t i = 0; i < array_size(cases); i++) {
        *world.events = '\0';
        world.verdict = cases[i].verdict;
        world_run("one");
        world_pass(100 * USEC_PER_MSEC);
        assert_string_equal(world.events, cases[i].events);
        probers_forget(world.probers, "u");
    }
}

static void test_what_a_command_left_is_told(void **state)
{
    world_pod("", ",'readinessProbe':{'exec':{'command':['x']}}");
    world.verdict = PROBE_EXEC_TIMEOUT;
    world.left = "1 process: 4711 (sleep)";
    world_run("one");
    world_pass(100 * USEC_PER_MSEC);
    assert_non_null(strstr(world.events, "\nProbeLeftovers c Readiness probe: its command took too "
                                         "long, was killed, and left running: 1 process: 4711"));
}

static void test_what_failed_while_the_agent_was_held_up_does_not_count(void **state)
{
    static const struct {
        enum probe_verdict verdict;
        usec_t connected; /* in milliseconds; 0: never */
        bool counts;
    } cases[] = {
        {PROBE_RESPONSE_TIMEOUT, 0, false}, {PROBE_RESPONSE_TIMEOUT, 800, false},
        {PROBE_RESPONSE_TIMEOUT, 1, true}, /* the request had been sent: who asked may sleep */
        {PROBE_CONNECT_TIMEOUT, 0, true},  /* the system connects */
        {PROBE_BROKEN, 0, false},           {PROBE_BROKEN, 1, true},
        {PROBE_EXEC_TIMEOUT, 0, true}, /* the runtime counts its time */
        {PROBE_REFUSED, 0, true},           {PROBE_BAD_STATUS, 800, true},
        {PROBE_EXEC_EXIT, 0, true},         {PROBE_TLS, 800, true},
    };

    world_pod("", ",'livenessProbe':{" HTTP ",'failureThreshold':1}");
    for (size_t i = 0; i < array_size(cases); i++) {
        world.verdict = cases[i].verdict;
        world.connected = cases[i].connected * USEC_PER_MSEC;
        world.answer_after = 400 * USEC_PER_MSEC;
        world_run("one");
        world_pass(100 * USEC_PER_MSEC);
        *world.events = '\0';
        world_stall(700 * USEC_PER_MSEC);
        world_pass(400 * USEC_PER_MSEC);
        assert_int_equal(world_result("one", PROBE_LIVENESS),
                         cases[i].counts ? PROBE_NOT_PASSED : PROBE_UNDECIDED);
        assert_int_equal(*world.events != '\0', cases[i].counts);
        probers_forget(world.probers, "u");
    }
}

/* It goes on for seconds after its time, when it left something running: that the agent was held up
 * a little now and then meanwhile is no excuse. Only what is less than a second is counted here. */
static void test_a_command_that_took_too_long_counts_by_the_runtimes_clock(void **state)
{
    static const struct {
        const char *timeout;
        bool counts;
    } cases[] = {
        {"", true},
        {"'nodeagent.dev/probe.c.liveness':'timeout=2s'", true},
        {"'nodeagent.dev/probe.c.liveness':'timeout=500ms'", false},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        world_pod(cases[i].timeout,
                  ",'livenessProbe':{'exec':{'command':['x']},'failureThreshold':1}");
        world.verdict = PROBE_EXEC_TIMEOUT;
        world.connected = 0;
        world.answer_after = 4 * USEC_PER_SEC;
        world_run("one");
        world_pass(10 * USEC_PER_MSEC);
        for (int j = 0; j < 10; j++) {
            world_stall(60 * USEC_PER_MSEC);
            world_pass(300 * USEC_PER_MSEC);
        }
        world_pass(USEC_PER_SEC);
        assert_int_equal(world_result("one", PROBE_LIVENESS),
                         cases[i].counts ? PROBE_NOT_PASSED : PROBE_UNDECIDED);
        probers_forget(world.probers, "u");
    }
}

static void test_what_is_late_but_answers_is_a_success(void **state)
{
    world_pod("", LIVENESS);
    world_run("one");
    world_pass(500 * USEC_PER_MSEC);
    world_stall(2500 * USEC_PER_MSEC);
    world_pass(10 * USEC_PER_MSEC);
    assert_int_equal(world_count(), 2); /* three ticks were missed, and made up for once */
    assert_int_equal(world_result("one", PROBE_LIVENESS), PROBE_PASSED);
}

/* Whatever held up its beginning may go on to hold up the rest. */
static void test_what_began_late_and_failed_does_not_count(void **state)
{
    world_pod("", ",'livenessProbe':{" HTTP ",'failureThreshold':1,'periodSeconds':1}");
    world.verdict = PROBE_RESPONSE_TIMEOUT;
    world_run("one");
    world_stall(110 * USEC_PER_MSEC);
    world_pass(100 * USEC_PER_MSEC);
    assert_int_equal(world_count(), 1);
    assert_int_equal(world_result("one", PROBE_LIVENESS), PROBE_UNDECIDED);
    world_pass(USEC_PER_SEC);
    assert_int_equal(world_result("one", PROBE_LIVENESS), PROBE_NOT_PASSED);
}

/* A tick that came while another attempt went on was seen when it could be. */
static void test_what_began_late_for_the_one_before_it_counts(void **state)
{
    world_pod("", ",'livenessProbe':{" HTTP
                  ",'failureThreshold':2,'timeoutSeconds':2,'periodSeconds':1}");
    world.verdict = PROBE_RESPONSE_TIMEOUT;
    world.answer_after = 1500 * USEC_PER_MSEC;
    world_run("one");
    world_pass(1600 * USEC_PER_MSEC);
    assert_int_equal(world_result("one", PROBE_LIVENESS), PROBE_UNDECIDED);
    world_pass(1600 * USEC_PER_MSEC);
    assert_int_equal(world_result("one", PROBE_LIVENESS), PROBE_NOT_PASSED);
}

/* An attempt may lose a tenth of its time to the agent, and a tenth of a second. */
static void test_short_stalls_are_summed(void **state)
{
    static const struct {
        const char *timeout;
        unsigned stall, times;
        bool counts;
    } cases[] = {
        {"", 60, 1, true},
        {"", 45, 2, true},
        {"", 60, 3, false},
        {"", 4, 30, true}, /* every loop is late by so little now and then */
        {"'nodeagent.dev/probe.c.liveness':'timeout=300ms'", 60, 1, false},
        {"'nodeagent.dev/probe.c.liveness':'timeout=9s'", 60, 3, false},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        world_pod(cases[i].timeout, ",'livenessProbe':{" HTTP ",'failureThreshold':1}");
        world.verdict = PROBE_RESPONSE_TIMEOUT;
        world.connected = 800 * USEC_PER_MSEC;
        world.answer_after = 900 * USEC_PER_MSEC;
        world_run("one");
        world_pass(10 * USEC_PER_MSEC);
        for (unsigned j = 0; j < cases[i].times; j++) {
            world_stall(cases[i].stall * USEC_PER_MSEC);
            world_pass(20 * USEC_PER_MSEC);
        }
        world_pass(USEC_PER_SEC);
        assert_int_equal(world_result("one", PROBE_LIVENESS),
                         cases[i].counts ? PROBE_NOT_PASSED : PROBE_UNDECIDED);
        probers_forget(world.probers, "u");
    }
}

static void test_a_short_stall_is_no_excuse(void **state)
{
    world_pod("", ",'livenessProbe':{" HTTP ",'failureThreshold':1}");
    world.verdict = PROBE_RESPONSE_TIMEOUT;
    world.answer_after = 400 * USEC_PER_MSEC;
    world_run("one");
    world_pass(100 * USEC_PER_MSEC);
    world_stall(90 * USEC_PER_MSEC);
    world_pass(400 * USEC_PER_MSEC);
    assert_int_equal(world_result("one", PROBE_LIVENESS), PROBE_NOT_PASSED);
}

static void test_nothing_beats_while_nothing_is_in_flight(void **state)
{
    world_pod("", ",'livenessProbe':{" HTTP ",'periodSeconds':10}");
    world_run("one");
    world_pass(100 * USEC_PER_MSEC);
    assert_true(wheel_next(world.wheel) > world.now + 5 * USEC_PER_SEC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(test_attempts_of_one_probe_never_overlap),
        world_test(test_the_phase_is_kept),
        world_test(test_attempts_in_flight_are_bounded_and_all_get_a_turn),
        world_test(test_slow_ones_leave_room_for_the_others),
        world_test(test_commands_in_flight_are_fewer),
        world_test(test_what_cannot_be_attempted_is_tried_three_times_and_does_not_count),
        world_test(test_events_say_what_failed),
        world_test(test_what_a_command_left_is_told),
        world_test(test_what_failed_while_the_agent_was_held_up_does_not_count),
        world_test(test_a_command_that_took_too_long_counts_by_the_runtimes_clock),
        world_test(test_what_is_late_but_answers_is_a_success),
        world_test(test_what_began_late_and_failed_does_not_count),
        world_test(test_what_began_late_for_the_one_before_it_counts),
        world_test(test_short_stalls_are_summed),
        world_test(test_a_short_stall_is_no_excuse),
        world_test(test_nothing_beats_while_nothing_is_in_flight),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
