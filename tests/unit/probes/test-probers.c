/* probes/probers: which probes are attempted, and what is known of them. */
#include "prober-world.h"

#define HTTP "'httpGet':{'port':80}"

/* P05, P06, P08 */
static void test_startup_gates_the_others_and_is_not_attempted_again(void **state)
{
    world_pod("", ",'startupProbe':{" HTTP ",'periodSeconds':1,'failureThreshold':9},"
                  "'readinessProbe':{" HTTP ",'periodSeconds':60},"
                  "'livenessProbe':{" HTTP ",'periodSeconds':60}");
    world.verdict = PROBE_BAD_STATUS;
    world_run("one");
    world_pass(3500 * USEC_PER_MSEC);
    assert_int_equal(world_count(), 4); /* at 0, 1, 2 and 3 s */
    world.verdict = PROBE_SUCCESS;
    world_pass(1000 * USEC_PER_MSEC);
    assert_int_equal(world_count(), 2); /* it passed at 4 s, and readiness was tried at once */
    assert_int_equal(world_result("one", PROBE_STARTUP), PROBE_PASSED);
    assert_int_equal(world_result("one", PROBE_READINESS), PROBE_PASSED);
    assert_int_equal(world_result("one", PROBE_LIVENESS), PROBE_UNDECIDED);
    world_pass(54 * USEC_PER_SEC);
    assert_int_equal(world_count(), 0);
    world_pass(3 * USEC_PER_SEC);
    assert_int_equal(world_count(), 2); /* both at 60 s */
    assert_string_equal(world.changes, "u,u,u,");
}

/* P07, P09 */
static void test_what_is_to_be_killed_is_not_attempted_any_more(void **state)
{
    static const char *const types[] = {"livenessProbe", "startupProbe"};

    for (size_t i = 0; i < array_size(types); i++) {
        char *probes = mem_printf(",'%s':{" HTTP ",'periodSeconds':1}", types[i]);
        enum probe_type type = i ? PROBE_STARTUP : PROBE_LIVENESS;

        world_pod("", probes);
        world.verdict = PROBE_REFUSED;
        world_run("one");
        world_pass(10 * USEC_PER_SEC);
        assert_int_equal(world_count(), 3);
        assert_int_equal(world_result("one", type), PROBE_NOT_PASSED);
        world_run("two");
        assert_int_equal(world_result("two", type), PROBE_UNDECIDED);
        world_pass(1500 * USEC_PER_MSEC);
        assert_int_equal(world_count(), 2);
        assert_int_equal(world_result("two", type), PROBE_UNDECIDED);
        probers_forget(world.probers, "u");
        free(probes);
    }
}

/* P10: two failures of the one before are not those of the next. */
static void test_a_new_container_begins_afresh(void **state)
{
    world_pod("", ",'livenessProbe':{" HTTP ",'periodSeconds':1}");
    world.verdict = PROBE_REFUSED;
    world_run("one");
    world_pass(1500 * USEC_PER_MSEC);
    world_run("two");
    world_pass(1500 * USEC_PER_MSEC);
    assert_int_equal(world_result("two", PROBE_LIVENESS), PROBE_UNDECIDED);
    world_pass(1000 * USEC_PER_MSEC);
    assert_int_equal(world_result("two", PROBE_LIVENESS), PROBE_NOT_PASSED);
}

/* A manifest that is written again is another document under the same UID. */
static void test_a_container_keeps_the_document_that_it_was_told_of_with(void **state)
{
    static const char *const ids[] = {"one", "two", "two"};

    for (size_t i = 0; i < array_size(ids); i++) {
        world_pod("", ",'readinessProbe':{" HTTP ",'periodSeconds':1}");
        world_run(ids[i]);
        world_pass(1500 * USEC_PER_MSEC);
    }
    assert_int_equal(world_result("two", PROBE_READINESS), PROBE_PASSED);
    world.answer_after = USEC_NEVER;
    world_pass(USEC_PER_SEC);
    assert_string_equal(
        list_first(&world.attempts, struct probe_attempt, link)->order.container->name, "c");
}

/* P11 */
static void test_the_delay_counts_from_the_containers_own_start(void **state)
{
    world_pod("", ",'readinessProbe':{" HTTP ",'initialDelaySeconds':30}");
    world_run("one");
    world_pass(29999 * USEC_PER_MSEC);
    assert_int_equal(world_count(), 0);
    world_pass(2 * USEC_PER_MSEC);
    assert_int_equal(world_count(), 1);
    world_run("two");
    world_pass(29999 * USEC_PER_MSEC);
    assert_int_equal(world_count(), 0);
    world_pass(2 * USEC_PER_MSEC);
    assert_int_equal(world_count(), 1);
}

/* P16: readiness goes on. */
static void test_of_a_pod_that_ends_only_readiness_matters(void **state)
{
    world_pod("", ",'readinessProbe':{" HTTP ",'periodSeconds':1},'livenessProbe':{" HTTP
                  ",'periodSeconds':1}");
    world_run("one");
    world_pass(500 * USEC_PER_MSEC);
    assert_int_equal(world_count(), 2);
    world_run_as("u", "one", world.now, true, NULL);
    world_pass(USEC_PER_SEC);
    assert_int_equal(world_count(), 1);
    world_run_as("u", "two", world.now, true, NULL); /* new to this agent, and ending */
    world_pass(100 * USEC_PER_MSEC);
    assert_int_equal(world_count(), 1);
}

/* P17 */
static void test_what_runs_no_more_is_forgotten(void **state)
{
    enum probe_result results[PROBE_TYPES];

    world_pod("", ",'readinessProbe':{" HTTP "}");
    world_run("one");
    world_pass(100 * USEC_PER_MSEC);
    world_run_as("u", NULL, 0, false, NULL);
    assert_false(probers_results(world.probers, "u", "one", results));
    world_pass(30 * USEC_PER_SEC);
    assert_int_equal(world_count(), 1);
}

static void test_results_on_record_are_taken_up(void **state)
{
    static const enum probe_result results[PROBE_TYPES] = {
        [PROBE_STARTUP] = PROBE_PASSED,
        [PROBE_READINESS] = PROBE_PASSED,
    };

    world_pod("", ",'startupProbe':{" HTTP "},'readinessProbe':{" HTTP ",'periodSeconds':10}");
    world_run_as("u", "one", world.now - 103 * USEC_PER_SEC, false, results);
    assert_int_equal(world_result("one", PROBE_STARTUP), PROBE_PASSED);
    assert_int_equal(world_result("one", PROBE_READINESS), PROBE_PASSED);
    world_pass(6900 * USEC_PER_MSEC);
    assert_int_equal(world_count(), 0);
    world_pass(200 * USEC_PER_MSEC);
    assert_int_equal(world_count(), 1);
    assert_string_equal(world.changes, "");
}

static void test_explanations(void **state)
{
    struct arena arena = ARENA_INIT_DOCUMENT;

    world_pod("", ",'readinessProbe':{" HTTP ",'initialDelaySeconds':1,'periodSeconds':1,"
                  "'successThreshold':2}");
    world_run("one");
#define explained probers_explain(world.probers, "u", "one", PROBE_READINESS, &arena)
    assert_string_equal(explained, "not attempted yet");
    world.answer_after = 500 * USEC_PER_MSEC;
    world_pass(1100 * USEC_PER_MSEC);
    assert_string_equal(explained, "attempting for the first time");
    world_pass(500 * USEC_PER_MSEC);
    assert_string_equal(explained, "succeeded 1 of 2 times in a row");
    world.verdict = PROBE_BAD_STATUS;
    world_pass(USEC_PER_SEC);
    assert_string_equal(explained, "failing 1 of 3: so the test wants it");
    world.verdict = PROBE_SUCCESS;
    world_pass(2 * USEC_PER_SEC);
    assert_null(explained);
    assert_null(probers_explain(world.probers, "u", "one", PROBE_LIVENESS, &arena));
    assert_null(probers_explain(world.probers, "u", "other", PROBE_READINESS, &arena));
    arena_deinit(&arena);
}

static void test_annotations_make_it_quick_within_a_budget(void **state)
{
    world_pod("'nodeagent.dev/probe.c.readiness':'period=50ms,timeout=50ms'",
              ",'readinessProbe':{" HTTP "}");
    world_run("one");
    world_pass(USEC_PER_SEC);
    assert_in_range(world_count(), 19, 21);
    for (unsigned i = 0; i < PROBE_QUICK_RATE_MAX / 20; i++) {
        char uid[16];

        snprintf(uid, sizeof(uid), "u%u", i);
        assert_string_equal(world.events, "");
        world_run_as(uid, "other", world.now, false, NULL);
    }
    assert_non_null(strstr(world.events, "InvalidProbeAnnotation c Readiness probe: its period of "
                                         "50 ms is not granted"));
    probers_forget(world.probers, "u0");
    *world.events = '\0';
    world_run_as("u0", "other", world.now, false, NULL);
    assert_string_equal(world.events, "");
}

static void test_wrong_annotations_are_told_once(void **state)
{
    world_pod("'nodeagent.dev/probe.c.readiness':'period=1ms','nodeagent.dev/probe.x':''",
              ",'readinessProbe':{" HTTP ",'periodSeconds':1}");
    for (int i = 0; i < 3; i++)
        world_run_as("u", "one", world.now, false, NULL);
    assert_string_equal(
        world.events,
        "InvalidProbeAnnotation - annotation nodeagent.dev/probe.x: the pod has no such probe: it "
        "must end in <container>.liveness, .readiness or .startup\n"
        "InvalidProbeAnnotation c annotation nodeagent.dev/probe.c.readiness: 1ms is too short: at "
        "least 50 ms\n");
    world_pass(3500 * USEC_PER_MSEC);
    assert_int_equal(world_count(), 4);
}

/* Connections in flight and pooled handles apart. */
static void test_a_prober_is_small(void **state)
{
    assert_true(sizeof(struct prober) + sizeof(struct probed) + sizeof(struct watched) <= 2048);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(test_startup_gates_the_others_and_is_not_attempted_again),
        world_test(test_what_is_to_be_killed_is_not_attempted_any_more),
        world_test(test_a_new_container_begins_afresh),
        world_test(test_a_container_keeps_the_document_that_it_was_told_of_with),
        world_test(test_the_delay_counts_from_the_containers_own_start),
        world_test(test_of_a_pod_that_ends_only_readiness_matters),
        world_test(test_what_runs_no_more_is_forgotten),
        world_test(test_results_on_record_are_taken_up),
        world_test(test_explanations),
        world_test(test_annotations_make_it_quick_within_a_budget),
        world_test(test_wrong_annotations_are_told_once),
        world_test(test_a_prober_is_small),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
