/* pod/run: a pod that is wanted, by the order and the rules of the reference. */
#include "machine.h"

#define TWO "containers: [{name: a, image: x}, {name: b, image: x}]"
#define POST_START "lifecycle: {postStart: {exec: {command: [x]}}}"
#define PROBE(name) name ": {exec: {command: [x]}}"

static void test_check_1_post_start_comes_before_the_next(void **state)
{
    struct machine machine;

    machine_spec(&machine,
                 "containers: [{name: a, image: x, " POST_START "}, {name: b, image: x}]");
    machine.hold = "poststart";
    machine_run(&machine);
    assert_actions(&machine, "prepare sandbox#0 image:a start:a#0 poststart:a");
    assert_waiting(&machine, "a", "ContainerCreating");
    machine_finish(&machine, "poststart");
    machine_run(&machine);
    assert_actions(&machine, "image:b start:b#0");
    assert_non_null(machine_status(&machine, "a")->state.running);
    machine_deinit(&machine);
}

static void test_check_2_init_containers_run_in_turn(void **state)
{
    struct machine machine;

    machine_spec(&machine, "initContainers: [{name: i1, image: x}, {name: i2, image: x}, {name: "
                           "i3, image: x}], containers: [{name: c, image: x}]");
    machine_run(&machine);
    assert_actions(&machine, "prepare sandbox#0 image:i1 start:i1#0");
    machine_exit(&machine, "i1", 0);
    machine_run(&machine);
    assert_actions(&machine, "image:i2 start:i2#0");
    machine_exit(&machine, "i2", 0);
    machine_run(&machine);
    assert_actions(&machine, "image:i3 start:i3#0");
    assert_phase(&machine, "Pending");
    assert_waiting(&machine, "c", "PodInitializing");
    assert_non_null(machine_blocker(&machine, "InitContainer"));
    machine_exit(&machine, "i3", 0);
    machine_run(&machine);
    assert_actions(&machine, "image:c start:c#0");
    assert_phase(&machine, "Running");
    machine_deinit(&machine);
}

static void test_check_3_a_failing_init_container(void **state)
{
    struct machine machine;

    machine_spec(&machine, "initContainers: [{name: init1, image: x}, {name: init2, image: x}], "
                           "containers: [{name: c, image: x}]");
    machine_run(&machine);
    for (int i = 1; i <= 3; i++) {
        machine_exit(&machine, "init1", 1);
        machine_sleep(&machine, 60 * USEC_PER_SEC);
        assert_runs(&machine, "init1", true);
        assert_int_equal(machine_status(&machine, "init1")->restart_count, i);
        assert_phase(&machine, "Pending");
        assert_condition(&machine, "Initialized", "False", "ContainersNotInitialized",
                         "containers with incomplete status: [init1 init2]");
        assert_waiting(&machine, "c", "PodInitializing");
    }
    machine_deinit(&machine);
}

static void test_check_4_an_init_container_that_failed_for_good(void **state)
{
    struct machine machine;

    machine_api(&machine, "restartPolicy: Never, initContainers: [{name: init1, image: x}, {name: "
                          "init2, image: x}], containers: [{name: c, image: x}]");
    machine_run(&machine);
    machine_exit(&machine, "init1", 0);
    machine_run(&machine);
    machine_exit(&machine, "init2", 1);
    machine_run(&machine);
    assert_phase(&machine, "Failed");
    assert_int_equal(machine.memory.stage, POD_STAGE_ENDED);
    assert_condition(&machine, "Initialized", "False", "ContainersNotInitialized",
                     "containers with incomplete status: [init2]");
    assert_waiting(&machine, "c", "PodInitializing");
    assert_int_equal(machine.memory.published->init_container_statuses.count, 2);
    machine_deinit(&machine);
}

static void test_check_5_a_sidecar_has_to_start_up(void **state)
{
    struct machine machine;

    machine_spec(&machine,
                 "initContainers: [{name: s, image: x, restartPolicy: Always, "
                 "lifecycle: {preStop: {exec: {command: [x]}}}, " PROBE(
                     "startupProbe") "}, {name: i, image: x}], containers: [{name: c, image: x}]");
    machine_run(&machine);
    assert_actions(&machine, "prepare sandbox#0 image:s start:s#0");
    assert_non_null(machine_blocker(&machine, "StartupProbe"));
    machine_probe(&machine, "s", (struct seen_probes){.startup = POD_PROBE_FAILURE});
    machine_run(&machine);
    assert_actions(&machine, "prestop:s/30 stop:s/30 image:s start:s#1");
    assert_event(&machine, "Killing s: Init container s failed startup probe\n");
    machine_probe(&machine, "s", (struct seen_probes){.startup = POD_PROBE_SUCCESS});
    machine_run(&machine);
    assert_actions(&machine, "image:i start:i#0");
    machine_deinit(&machine);
}

static void test_check_6_a_sidecar_that_is_not_alive_holds_up_nothing(void **state)
{
    struct machine machine;

    machine_spec(&machine,
                 "initContainers: [{name: s, image: x, restartPolicy: Always, " PROBE(
                     "startupProbe") ", " PROBE("livenessProbe") "}, {name: i, image: x}], "
                                                                 "containers: [{name: c, image: "
                                                                 "x}]");
    machine_start(&machine);
    machine_probe(
        &machine, "s",
        (struct seen_probes){.startup = POD_PROBE_SUCCESS, .liveness = POD_PROBE_FAILURE});
    machine_plan(&machine);
    assert_actions(&machine, "stop:s/30 image:i");
    assert_event(&machine, "Killing s: Init container s failed liveness probe\n");
    machine_run(&machine);
    assert_actions(&machine, "image:s start:s#1");
    machine_probe(
        &machine, "s",
        (struct seen_probes){.startup = POD_PROBE_SUCCESS, .liveness = POD_PROBE_FAILURE});
    machine_plan(&machine);
    assert_actions(&machine, "stop:s/30 start:i#0");
    machine_deinit(&machine);
}

static void test_check_14_another_image_for_what_runs(void **state)
{
    static const char *const policies[] = {"Always", "OnFailure", "Never"};

    for (size_t i = 0; i < array_size(policies); i++) {
        char *spec = mem_printf("restartPolicy: %s, " TWO, policies[i]);
        struct machine machine;

        machine_api(&machine, spec);
        machine_start(&machine);
        machine_change_image(&machine, "a", "y");
        machine_run(&machine);
        assert_actions(&machine, "stop:a/30 image:a start:a#1");
        assert_event(&machine, "Killing a: Container a definition changed, will be restarted\n");
        assert_int_equal(machine_status(&machine, "a")->restart_count, 1);
        assert_int_equal(machine_status(&machine, "b")->restart_count, 0);
        assert_phase(&machine, "Running");
        machine_deinit(&machine);
        free(spec);
    }
}

static void test_check_15_another_image_for_init_containers(void **state)
{
    struct machine machine;

    machine_spec(&machine, "initContainers: [{name: i, image: x}, {name: j, image: x}], "
                           "containers: [{name: c, image: x}]");
    machine_start(&machine);
    machine_change_image(&machine, "i", "y");
    machine_run(&machine);
    assert_actions(&machine, "");
    machine_exit(&machine, "i", 0);
    machine_run(&machine);
    assert_actions(&machine, "image:j start:j#0");
    machine_change_image(&machine, "i", "z");
    machine_run(&machine);
    assert_actions(&machine, "");
    machine_deinit(&machine);
}

/* Its exit code may be that of success. */
static void test_an_init_container_killed_for_its_memory(void **state)
{
    static const struct {
        const char *policy;
        const char *actions;
    } cases[] = {{"Never", "stopbox release"}, {"OnFailure", "image:i start:i#1"}};

    for (size_t i = 0; i < array_size(cases); i++) {
        char *spec = mem_printf("restartPolicy: %s, initContainers: [{name: i, image: x}], " TWO,
                                cases[i].policy);
        struct machine machine;

        machine_api(&machine, spec);
        machine_start(&machine);
        machine_exit(&machine, "i", 0);
        machine_container(&machine, "i")->reason = "OOMKilled";
        machine_run(&machine);
        assert_actions(&machine, cases[i].actions);
        machine_deinit(&machine);
        free(spec);
    }
}

static void test_another_image_does_not_revive(void **state)
{
    struct machine machine;

    machine_api(&machine, "restartPolicy: OnFailure, " TWO);
    machine_start(&machine);
    machine_exit(&machine, "a", 0);
    machine_change_image(&machine, "a", "y");
    machine_run(&machine);
    assert_actions(&machine, "");
    machine_deinit(&machine);
}

/* What is resolved for another image than the container has now is not what it starts from. */
static void test_another_image_while_the_first_is_pulled(void **state)
{
    struct machine machine;

    machine_spec(&machine, "containers: [{name: c, image: x}]");
    machine.hold = "image";
    machine_run(&machine);
    strbuf_truncate(&machine.log, 0);
    machine_change_image(&machine, "c", "y");
    machine_finish(&machine, "image");
    machine.hold = NULL;
    machine_run(&machine);
    assert_actions(&machine, "image:c start:c#0");
    machine_run(&machine);
    assert_actions(&machine, "");
    machine_deinit(&machine);
}

/* regular containers that run */

struct probe_case {
    const char *policy;
    struct seen_probes probes;
    const char *actions; /* of the whole restart */
    const char *event;
};

static const struct probe_case probe_cases[] = {
    {"Always",
     {.liveness = POD_PROBE_FAILURE},
     "stop:a/7 image:a start:a#1",
     "Container a failed liveness probe, will be restarted\n"},
    {"OnFailure",
     {.liveness = POD_PROBE_FAILURE},
     "stop:a/7 image:a start:a#1",
     "Container a failed liveness probe, will be restarted\n"},
    {"Always",
     {.startup = POD_PROBE_FAILURE},
     "stop:a/30 image:a start:a#1",
     "Container a failed startup probe, will be restarted\n"},
    {"Always",
     {.startup = POD_PROBE_FAILURE, .liveness = POD_PROBE_FAILURE},
     "stop:a/7 image:a start:a#1",
     "Container a failed liveness probe, will be restarted\n"},
    {"Never", {.liveness = POD_PROBE_FAILURE}, "stop:a/7", "Container a failed liveness probe\n"},
    {"Never", {.startup = POD_PROBE_FAILURE}, "stop:a/30", "Container a failed startup probe\n"},
    {"Always", {.readiness = POD_PROBE_FAILURE}, "", NULL},
};

static void test_failed_probes(void **state)
{
    for (size_t i = 0; i < array_size(probe_cases); i++) {
        char *spec = mem_printf(
            "restartPolicy: %s, containers: [{name: a, image: x, readinessProbe: {exec: {command: "
            "[x]}}, startupProbe: {exec: {command: [x]}}, livenessProbe: {exec: {command: [x]}, "
            "terminationGracePeriodSeconds: 7}}, {name: b, image: x}]",
            probe_cases[i].policy);
        struct machine machine;

        machine_api(&machine, spec);
        machine_start(&machine);
        machine_probe(&machine, "a", probe_cases[i].probes);
        machine_plan(&machine);
        if (*probe_cases[i].actions) {
            machine_finish(&machine, "stop");
            machine_container(&machine, "a")->exit_code = 0; /* it ends well when asked to */
        }
        machine_run(&machine);
        assert_actions(&machine, probe_cases[i].actions);
        if (probe_cases[i].event)
            assert_event(&machine, probe_cases[i].event);
        assert_phase(&machine, "Running");
        machine_deinit(&machine);
        free(spec);
    }
}

/* The last one that is kept is ended with the pod: by its name, with the pod's grace. */
static void test_the_last_one_that_fails_its_probe(void **state)
{
    struct machine machine;

    machine_api(&machine, "restartPolicy: Never, containers: [{name: a, image: x, livenessProbe: "
                          "{exec: {command: [x]}, terminationGracePeriodSeconds: 7}}]");
    machine_start(&machine);
    machine_probe(&machine, "a", (struct seen_probes){.liveness = POD_PROBE_FAILURE});
    machine_run(&machine);
    assert_actions(&machine, "stop:a/30 stopbox release");
    assert_event(&machine, "Killing a: Stopping container a\n");
    assert_phase(&machine, "Failed");
    machine_deinit(&machine);
}

static void test_check_31_a_post_start_hook_that_fails(void **state)
{
    struct machine machine;

    machine_spec(&machine, "containers: [{name: c, image: x, lifecycle: {postStart: {exec: "
                           "{command: [x]}}, preStop: {exec: {command: [x]}}}}]");
    machine.hold = "poststart";
    machine_run(&machine);
    strbuf_truncate(&machine.log, 0);
    machine_fail(&machine, "poststart", NULL, "exit 1");
    machine_plan(&machine);
    assert_waiting(&machine, "c", "PostStartHookError");
    assert_string_equal(machine_condition(&machine, "Ready")->status, "False");
    machine_run(&machine);
    assert_actions(&machine, "prestop:c/30 stop:c/30 image:c start:c#1 poststart:c");
    assert_event(&machine, "Warning FailedPostStartHook c: PostStartHook failed\n");
    assert_event(&machine, "Killing c: FailedPostStartHook\n");
    machine_fail(&machine, "poststart", NULL, "exit 1");
    machine_run(&machine);
    assert_actions(&machine, "prestop:c/30 stop:c/30 remove:c");
    assert_waiting(&machine, "c", "CrashLoopBackOff");
    machine_deinit(&machine);
}

/* A hook that was begun before the agent was restarted is not run again. */
static void test_a_post_start_hook_of_unknown_fate(void **state)
{
    struct machine machine;

    machine_spec(&machine,
                 "containers: [{name: a, image: x, " POST_START "}, {name: b, image: x}]");
    machine.hold = "poststart";
    machine_start(&machine);
    machine_restart(&machine);
    machine_run(&machine);
    assert_actions(&machine, "prepare image:b start:b#0");
    assert_non_null(machine_status(&machine, "a")->state.running);
    machine_deinit(&machine);
}

static void test_a_hook_ends_with_its_container(void **state)
{
    struct machine machine;

    machine_spec(&machine,
                 "containers: [{name: a, image: x, " POST_START "}, {name: b, image: x}]");
    machine.hold = "poststart";
    machine_start(&machine);
    machine_exit(&machine, "a", 1);
    machine_run(&machine);
    assert_actions(&machine, "image:a start:a#1 poststart:a");
    machine_deinit(&machine);
}

/* states nobody knows */

static const struct {
    const char *spec;
    const char *name;
    const char *actions;
    const char *event;
} unknowns[] = {
    {TWO, "a", "stop:a/30 image:a start:a#1",
     "Container is in \"unknown\" state, try killing it before restart\n"},
    {"restartPolicy: OnFailure, " TWO, "a", "stop:a/30 image:a start:a#1",
     "Container is in \"unknown\" state, try killing it before restart\n"},
    {"restartPolicy: Never, " TWO, "a", "stop:a/30",
     "Container is in \"unknown\" state, try killing it before restart\n"},
    {"initContainers: [{name: i, image: x}], " TWO, "i", "stop:i/30 image:i start:i#1",
     "Init container is in \"unknown\" state, try killing it before restart\n"},
    {"restartPolicy: Never, initContainers: [{name: i, image: x}], " TWO, "i",
     "stop:i/30 stopbox release", "Stopping container i\n"},
    {"restartPolicy: Never, initContainers: [{name: s, image: x, restartPolicy: Always}], " TWO,
     "s", "stop:s/30 image:s start:s#1",
     "Init container is in \"unknown\" state, try killing it before restart\n"},
};

static void test_unknown_containers_are_stopped_first(void **state)
{
    for (size_t i = 0; i < array_size(unknowns); i++) {
        struct machine machine;

        machine_api(&machine, unknowns[i].spec);
        machine_start(&machine);
        machine_container(&machine, unknowns[i].name)->state = POD_UNKNOWN;
        if (i >= 3)
            machine.memory.published = NULL; /* it was not known to run either */
        machine_plan(&machine);
        machine_finish(&machine, "stop");
        machine_container(&machine, unknowns[i].name)->exit_code = 0;
        machine_run(&machine);
        assert_actions(&machine, unknowns[i].actions);
        assert_event(&machine, unknowns[i].event);
        machine_deinit(&machine);
    }
}

/* init containers: records of those that are through may be gone */

static void test_check_40_init_containers_whose_records_are_gone(void **state)
{
    struct machine machine;

    machine_spec(&machine, "initContainers: [{name: i, image: x}, {name: s, image: x, "
                           "restartPolicy: Always}], containers: [{name: c, image: x}]");
    machine_run(&machine);
    machine_exit(&machine, "i", 0);
    machine_run(&machine);
    strbuf_truncate(&machine.log, 0);
    machine_remove_container(&machine, machine_container(&machine, "i")->id);
    machine.memory.published = NULL;
    machine_restart(&machine);
    machine_run(&machine);
    assert_actions(&machine, "");
    assert_string_equal(machine_status(&machine, "i")->state.terminated->reason, "Completed");
    assert_true(machine_status(&machine, "i")->ready);

    machine_remove_container(&machine, machine_container(&machine, "s")->id);
    machine_run(&machine);
    assert_actions(&machine, "prepare image:s start:s#1");
    machine_deinit(&machine);
}

static void test_sidecars_start_again_whatever_they_say(void **state)
{
    struct machine machine;

    machine_spec(&machine, "restartPolicy: Never, initContainers: [{name: s, image: x, "
                           "restartPolicy: Always}], containers: [{name: c, image: x}]");
    machine_start(&machine);
    machine_exit(&machine, "s", 0);
    machine_run(&machine);
    assert_actions(&machine, "image:s start:s#1");
    assert_runs(&machine, "c", true);
    machine_change_image(&machine, "s", "y");
    machine_run(&machine);
    assert_actions(&machine, "stop:s/30 image:s remove:s start:s#2");
    assert_event(&machine, "Killing s: Init container s definition changed\n");
    machine_deinit(&machine);
}

/* RestartAllContainers */

#define ALL                                                                                        \
    "restartPolicy: Never, initContainers: [{name: i, image: x}, {name: s, image: x, "             \
    "restartPolicy: Always}], containers: [{name: a, image: x, restartPolicy: Never, "             \
    "restartPolicyRules: [{action: RestartAllContainers, exitCodes: {operator: In, values: "       \
    "[42]}}]}, {name: b, image: x, lifecycle: {preStop: {exec: {command: [x]}}}}]"

static void assert_all_wait(const struct machine *machine)
{
    static const char *const names[] = {"i", "s", "a", "b"};

    for (size_t i = 0; i < array_size(names); i++) {
        const struct container_status *status = machine_status(machine, names[i]);

        assert_waiting(machine, names[i], "RestartingAllContainers");
        assert_int_equal(status->restart_count, 1);
        assert_int_equal(status->last_state.terminated->exit_code, 137);
        assert_string_equal(status->last_state.terminated->reason, "RestartingAllContainers");
        assert_string_equal(status->last_state.terminated->message,
                            "The container is removed because RestartAllContainers in place");
    }
}

static void play_restart_all(struct machine *machine, const char *restart_at)
{
    const char *sandbox;

    machine_api(machine, ALL);
    machine_run(machine);
    machine_exit(machine, "i", 0);
    machine_add_ephemeral(machine, "e");
    machine_start(machine);
    sandbox = machine->sandboxes[0].id;
    machine_exit(machine, "a", 42);
    machine_plan(machine);
    assert_condition(machine, "AllContainersRestarting", "True", "RestartAllContainersStarted",
                     "container exited with restart policy rule");
    assert_int_equal(machine_condition(machine, "AllContainersRestarting")->observed_generation, 0);
    machine->hold = restart_at;
    machine_run(machine);
    machine_restart(machine);
    machine->hold = "image";
    machine_sleep(machine, 3 * USEC_PER_SEC);
    assert_phase(machine, "Running");
    assert_all_wait(machine);
    assert_string_equal(machine_condition(machine, "Initialized")->status, "True");
    machine->hold = NULL;
    machine_run(machine);
    machine_exit(machine, "i", 0);
    machine_run(machine);
    assert_string_equal(machine->sandboxes[0].id, sandbox);
    assert_phase(machine, "Running");
    assert_condition(machine, "AllContainersRestarting", "False", NULL, NULL);
}

static void test_check_48_restart_all_containers(void **state)
{
    static const char *const names[] = {"i", "s", "a", "b"};
    static const char *const restart_at[] = {"stop", "remove", "image"};

    for (size_t i = 0; i < array_size(restart_at); i++) {
        struct machine machine;

        play_restart_all(&machine, restart_at[i]);
        for (size_t j = 0; j < array_size(names); j++)
            assert_int_equal(machine_status(&machine, names[j])->restart_count, 1);
        assert_int_equal(machine.container_count, 5);
        assert_int_equal(machine_status(&machine, "e")->restart_count, 0);
        assert_null(strstr(machine.log.text, "prestop"));
        assert_no_event(&machine, "BackOff");
        machine_deinit(&machine);
    }
}

/* Also when it is not one of the regular containers that asks: they are ended, and not for good. */
static void test_a_sidecar_asks_to_restart_all(void **state)
{
    struct machine machine;

    machine_api(&machine,
                "restartPolicy: Never, initContainers: [{name: s, image: x, restartPolicy: Always, "
                "restartPolicyRules: [{action: RestartAllContainers, exitCodes: {operator: In, "
                "values: [42]}}]}], containers: [{name: a, image: x}]");
    machine_start(&machine);
    machine_exit(&machine, "s", 42);
    machine_run(&machine);
    assert_actions(&machine, "stop:a/2 remove:s remove:a image:s start:s#1 image:a start:a#1");
    assert_phase(&machine, "Running");
    assert_runs(&machine, "a", true);
    machine_deinit(&machine);
}

/* An end that is the agent's own doing is not an exit that a rule is asked about. */
static void test_an_end_by_us_does_not_restart_all(void **state)
{
    struct machine machine;

    machine_spec(&machine, "containers: [{name: a, image: x, restartPolicy: Always, "
                           "restartPolicyRules: [{action: RestartAllContainers, exitCodes: "
                           "{operator: In, values: [143]}}]}, {name: b, image: x}]");
    machine_start(&machine);
    machine_change_image(&machine, "a", "y");
    machine_run(&machine);
    assert_actions(&machine, "stop:a/30 image:a start:a#1");
    machine_deinit(&machine);
}

/* ephemeral containers */

static void test_check_49_an_ephemeral_container(void **state)
{
    struct machine machine;

    machine_spec(&machine, TWO);
    machine_start(&machine);
    machine_add_ephemeral(&machine, "e");
    machine_run(&machine);
    assert_actions(&machine, "image:e start:e#0");
    assert_int_equal(machine_status(&machine, "e")->started, OPT_UNSET);
    assert_false(machine_status(&machine, "e")->ready);
    machine_exit(&machine, "e", 1);
    machine_run(&machine);
    assert_actions(&machine, "");
    assert_phase(&machine, "Running");
    assert_string_equal(machine_condition(&machine, "Ready")->status, "True");
    assert_int_equal(machine_status(&machine, "e")->state.terminated->exit_code, 1);
    machine_deinit(&machine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check_1_post_start_comes_before_the_next),
        cmocka_unit_test(test_check_2_init_containers_run_in_turn),
        cmocka_unit_test(test_check_3_a_failing_init_container),
        cmocka_unit_test(test_check_4_an_init_container_that_failed_for_good),
        cmocka_unit_test(test_check_5_a_sidecar_has_to_start_up),
        cmocka_unit_test(test_check_6_a_sidecar_that_is_not_alive_holds_up_nothing),
        cmocka_unit_test(test_check_14_another_image_for_what_runs),
        cmocka_unit_test(test_check_15_another_image_for_init_containers),
        cmocka_unit_test(test_an_init_container_killed_for_its_memory),
        cmocka_unit_test(test_another_image_does_not_revive),
        cmocka_unit_test(test_another_image_while_the_first_is_pulled),
        cmocka_unit_test(test_failed_probes),
        cmocka_unit_test(test_the_last_one_that_fails_its_probe),
        cmocka_unit_test(test_check_31_a_post_start_hook_that_fails),
        cmocka_unit_test(test_a_post_start_hook_of_unknown_fate),
        cmocka_unit_test(test_a_hook_ends_with_its_container),
        cmocka_unit_test(test_unknown_containers_are_stopped_first),
        cmocka_unit_test(test_check_40_init_containers_whose_records_are_gone),
        cmocka_unit_test(test_sidecars_start_again_whatever_they_say),
        cmocka_unit_test(test_check_48_restart_all_containers),
        cmocka_unit_test(test_a_sidecar_asks_to_restart_all),
        cmocka_unit_test(test_an_end_by_us_does_not_restart_all),
        cmocka_unit_test(test_check_49_an_ephemeral_container),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
