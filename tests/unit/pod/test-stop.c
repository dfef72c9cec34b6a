/* pod/stop: hooks, turns and grace of what ends. */
#include "machine.h"

#define PRE_STOP "lifecycle: {preStop: {exec: {command: [x]}}}"
#define SIDECAR(name) "{name: " name ", image: x, restartPolicy: Always}"
#define SIDECAR_HOOK(name) "{name: " name ", image: x, restartPolicy: Always, " PRE_STOP "}"

static void test_check_7_sidecars_end_last_and_in_reverse(void **state)
{
    static const int codes[] = {0, 1, 137};

    for (size_t i = 0; i < array_size(codes); i++) {
        struct machine machine;

        machine_api(&machine, "restartPolicy: Never, initContainers: [" SIDECAR("s1") ", " SIDECAR(
                                  "s2") ", " SIDECAR("s3") "], containers: [{name: c, image: x}]");
        machine_start(&machine);
        machine_exit(&machine, "c", 0);
        machine.hold = "stop";
        machine_run(&machine);
        assert_actions(&machine, "stop:s3/30");
        assert_non_null(machine_blocker(&machine, "SidecarOrder"));
        machine_finish(&machine, "stop");
        machine_exit(&machine, "s3", codes[i]);
        machine.hold = NULL;
        machine_run(&machine);
        assert_actions(&machine, "stop:s2/30 stop:s1/30 stopbox release");
        assert_phase(&machine, "Succeeded");
        machine_deinit(&machine);
    }
}

static void test_check_8_all_hooks_begin_at_once(void **state)
{
    struct machine machine;

    machine_api(&machine, "initContainers: [" SIDECAR_HOOK("s1") ", " SIDECAR_HOOK(
                              "s2") "], containers: [{name: c, image: x, " PRE_STOP "}]");
    machine_start(&machine);
    machine_delete(&machine, 30);
    machine.hold = "prestop";
    machine_plan(&machine);
    assert_actions(&machine, "prestop:c/30 prestop:s2/30 prestop:s1/30");
    machine.hold = NULL;
    machine_run(&machine);
    assert_actions(&machine, "stop:c/30 stop:s2/30 stop:s1/30 stopbox removebox "
                             "clean");
    machine_deinit(&machine);
}

/* Hooks that never end take the whole grace; what is left is two seconds, for all together. */
static void test_check_9_hooks_that_never_end(void **state)
{
    struct machine machine;

    machine_api(&machine, "initContainers: [" SIDECAR_HOOK("s1") ", " SIDECAR_HOOK(
                              "s2") "], containers: [{name: c, image: x}]");
    machine_start(&machine);
    machine_delete(&machine, 30);
    machine.hold = "prestop";
    machine_run(&machine);
    assert_actions(&machine, "stop:c/30 prestop:s2/30 prestop:s1/30");
    assert_true(machine.plan.wake == machine.now.boot + 30 * USEC_PER_SEC - 2);
    machine_advance(&machine, 30 * USEC_PER_SEC);
    machine.hold = "stop";
    machine_plan(&machine);
    assert_actions(&machine, "stop:s2/2 stop:s1/2");
    assert_null(machine_operation(&machine, "prestop"));
    machine_deinit(&machine);
}

static void test_check_10_a_sidecar_whose_time_is_over_does_not_wait(void **state)
{
    struct machine machine;

    machine_api(&machine, "terminationGracePeriodSeconds: 5, initContainers: [" SIDECAR(
                              "s1") ", " SIDECAR("s2") "], containers: [{name: c, image: x}]");
    machine_start(&machine);
    machine_delete(&machine, 5);
    machine.hold = "stop";
    machine_run(&machine);
    assert_actions(&machine, "stop:c/5");
    machine_advance(&machine, 5 * USEC_PER_SEC);
    machine_run(&machine);
    assert_actions(&machine, "stop:s2/2 stop:s1/2");
    machine_exit(&machine, "c", 137);
    machine_exit(&machine, "s1", 0);
    machine_exit(&machine, "s2", 137);
    machine.hold = NULL;
    machine_run(&machine);
    assert_phase(&machine, "Failed");
    assert_int_equal(machine_status(&machine, "c")->state.terminated->exit_code, 137);
    assert_int_equal(machine_status(&machine, "s1")->state.terminated->exit_code, 0);
    machine_deinit(&machine);
}

/* Regular init containers neither wait nor are they waited for. */
static void test_init_containers_have_no_turn(void **state)
{
    struct machine machine;

    machine_api(&machine, "initContainers: [" SIDECAR("s") ", {name: i, image: x}], containers: "
                                                           "[{name: c, image: x}]");
    machine_start(&machine);
    assert_runs(&machine, "i", true);
    machine_delete(&machine, 9);
    machine_plan(&machine);
    assert_actions(&machine, "stop:i/9 stop:s/9");
    machine_deinit(&machine);
}

/* The hook's time is taken from the grace; two seconds are left in any case. */
static void test_checks_27_and_28_a_hook_takes_its_time(void **state)
{
    static const struct {
        usec_t took;
        const char *actions;
    } cases[] = {
        {0, "stop:c/30"},
        {3500 * USEC_PER_MSEC, "stop:c/27"},
        {25 * USEC_PER_SEC, "stop:c/5"},
        {29 * USEC_PER_SEC, "stop:c/2"},
        {30 * USEC_PER_SEC, "stop:c/2"},
        {10000 * USEC_PER_SEC, "stop:c/2"},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        struct machine machine;

        machine_api(&machine, "containers: [{name: c, image: x, " PRE_STOP "}]");
        machine_start(&machine);
        machine_delete(&machine, 30);
        machine.hold = "prestop";
        machine_run(&machine);
        assert_actions(&machine, "prestop:c/30");
        machine_advance(&machine, cases[i].took);
        if (cases[i].took < 30 * USEC_PER_SEC)
            machine_finish(&machine, "prestop");
        machine_plan(&machine);
        assert_actions(&machine, cases[i].actions);
        machine_deinit(&machine);
    }
}

static void test_check_28_no_hook_of_what_exited(void **state)
{
    struct machine machine;

    machine_api(&machine, "restartPolicy: Never, containers: [{name: c, image: x, " PRE_STOP
                          "}, {name: d, image: x}]");
    machine_start(&machine);
    machine_exit(&machine, "c", 0);
    machine_delete(&machine, 30);
    machine_run(&machine);
    assert_actions(&machine, "stop:d/30 stopbox removebox clean");
    machine_deinit(&machine);
}

static void test_check_30_a_hook_that_fails(void **state)
{
    struct machine machine;

    machine_api(&machine, "containers: [{name: c, image: x, " PRE_STOP "}]");
    machine_start(&machine);
    machine_delete(&machine, 30);
    machine.hold = "prestop";
    machine_run(&machine);
    machine_fail(&machine, "prestop", NULL, "connection refused");
    machine_plan(&machine);
    assert_event(&machine, "Warning FailedPreStopHook c: PreStopHook failed\n");
    assert_actions(&machine, "prestop:c/30 stop:c/30");
    machine_deinit(&machine);
}

/* Whose grace it is. */

struct grace_case {
    const char *spec;
    int64_t deletion; /* negative: not deleted, but its probe fails */
    const char *actions;
};

#define LIVENESS(grace) "livenessProbe: {exec: {command: [x]}" grace "}"

static const struct grace_case graces[] = {
    {"containers: [{name: c, image: x}]", 7, "stop:c/7"},
    {"terminationGracePeriodSeconds: 60, containers: [{name: c, image: x}]", 60, "stop:c/60"},
    {"containers: [{name: c, image: x}]", 1, "stop:c/2"},
    {"containers: [{name: c, image: x}]", 0, "stop:c/2"},
    /* check 32, probes: P37 */
    {"terminationGracePeriodSeconds: 60, containers: [{name: c, image: x, " LIVENESS(
         ", terminationGracePeriodSeconds: 5") "}]",
     -1, "stop:c/5"},
    {"terminationGracePeriodSeconds: 60, containers: [{name: c, image: x, " LIVENESS(
         ", terminationGracePeriodSeconds: 5") "}]",
     60, "stop:c/60"},
    {"terminationGracePeriodSeconds: 60, containers: [{name: c, image: x, " LIVENESS(
         ", terminationGracePeriodSeconds: 500") "}]",
     -1, "stop:c/500"},
    {"terminationGracePeriodSeconds: 60, containers: [{name: c, image: x, " LIVENESS("") "}]", -1,
     "stop:c/60"},
    {"terminationGracePeriodSeconds: 1, containers: [{name: c, image: x, " LIVENESS("") "}]", -1,
     "stop:c/2"},
};

static void test_check_32_whose_grace_it_is(void **state)
{
    for (size_t i = 0; i < array_size(graces); i++) {
        struct machine machine;

        machine_api(&machine, graces[i].spec);
        machine_start(&machine);
        if (graces[i].deletion < 0)
            machine_probe(&machine, "c", (struct seen_probes){.liveness = POD_PROBE_FAILURE});
        else
            machine_delete(&machine, graces[i].deletion);
        machine_plan(&machine);
        assert_actions(&machine, graces[i].actions);
        machine_deinit(&machine);
    }
}

/* A kill for a probe goes on when the probe recovers, and when the pod is deleted. */
static void test_a_kill_goes_on(void **state)
{
    struct machine machine;

    machine_api(&machine, "containers: [{name: c, image: x, " PRE_STOP ", " LIVENESS("") "}]");
    machine_start(&machine);
    machine.hold = "prestop";
    machine_probe(&machine, "c", (struct seen_probes){.liveness = POD_PROBE_FAILURE});
    machine_run(&machine);
    machine_probe(&machine, "c", (struct seen_probes){.liveness = POD_PROBE_SUCCESS});
    machine_run(&machine);
    assert_actions(&machine, "prestop:c/30");
    machine_delete(&machine, 9);
    machine_run(&machine);
    assert_actions(&machine, "");
    machine_advance(&machine, 9 * USEC_PER_SEC);
    machine_run(&machine);
    assert_actions(&machine, "stop:c/2 stopbox removebox clean");
    machine_deinit(&machine);
}

/* A stop that failed is repeated with the grace that is left. */
static void test_a_stop_that_failed(void **state)
{
    struct machine machine;

    machine_api(&machine, "containers: [{name: c, image: x, " PRE_STOP "}]");
    machine_start(&machine);
    machine_delete(&machine, 30);
    machine.hold = "stop";
    machine_run(&machine);
    machine_advance(&machine, 10 * USEC_PER_SEC);
    machine_fail(&machine, "stop", NULL, "deaf");
    machine_run(&machine);
    assert_event(&machine, "Warning FailedKillPod: error killing pod: deaf\n");
    assert_actions(&machine, "prestop:c/30 stop:c/30");
    assert_true(machine.plan.wake == machine.now.boot + POD_RETRY_FIRST);
    assert_non_null(machine_blocker(&machine, "Retry"));
    machine_advance(&machine, POD_RETRY_FIRST);
    machine_run(&machine);
    assert_actions(&machine, "stop:c/19");
    machine_deinit(&machine);
}

/* One that was done, says the runtime, and runs on: not again at once. */
static void test_a_stop_that_was_none(void **state)
{
    struct machine machine;

    machine_api(&machine, "containers: [{name: c, image: x}]");
    machine_start(&machine);
    machine_delete(&machine, 30);
    machine.hold = "stop";
    machine_run(&machine);
    machine_finish(&machine, "stop");
    machine_container(&machine, "c")->state = POD_RUNNING;
    strbuf_truncate(&machine.log, 0);
    machine_run(&machine);
    assert_actions(&machine, "");
    machine_advance(&machine, POD_RETRY_FIRST);
    machine_run(&machine);
    assert_actions(&machine, "stop:c/29");
    machine_deinit(&machine);
}

/* A restarted agent goes on with what is left of the grace; hooks that were done are done. */
static void test_a_kill_outlives_the_agent(void **state)
{
    struct machine machine;

    machine_api(&machine, "containers: [{name: c, image: x, " PRE_STOP "}]");
    machine_start(&machine);
    machine_delete(&machine, 30);
    machine.hold = "stop";
    machine_run(&machine);
    machine_advance(&machine, 10 * USEC_PER_SEC);
    machine_restart(&machine);
    machine_run(&machine);
    machine_advance(&machine, POD_RETRY_FIRST);
    machine_run(&machine);
    assert_actions(&machine, "prestop:c/30 stop:c/30 stop:c/19");
    machine_deinit(&machine);

    machine_api(&machine, "containers: [{name: c, image: x, " PRE_STOP "}]");
    machine_start(&machine);
    machine_delete(&machine, 30);
    machine.hold = "prestop";
    machine_run(&machine);
    machine_advance(&machine, 10 * USEC_PER_SEC);
    machine_restart(&machine);
    machine_run(&machine);
    assert_actions(&machine, "prestop:c/30 prestop:c/20"); /* nobody knows whether it was done */
    machine_deinit(&machine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check_7_sidecars_end_last_and_in_reverse),
        cmocka_unit_test(test_check_8_all_hooks_begin_at_once),
        cmocka_unit_test(test_check_9_hooks_that_never_end),
        cmocka_unit_test(test_check_10_a_sidecar_whose_time_is_over_does_not_wait),
        cmocka_unit_test(test_init_containers_have_no_turn),
        cmocka_unit_test(test_checks_27_and_28_a_hook_takes_its_time),
        cmocka_unit_test(test_check_28_no_hook_of_what_exited),
        cmocka_unit_test(test_check_30_a_hook_that_fails),
        cmocka_unit_test(test_check_32_whose_grace_it_is),
        cmocka_unit_test(test_a_kill_goes_on),
        cmocka_unit_test(test_a_stop_that_failed),
        cmocka_unit_test(test_a_stop_that_was_none),
        cmocka_unit_test(test_a_kill_outlives_the_agent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
