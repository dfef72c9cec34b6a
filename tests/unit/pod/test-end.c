/* pod/end: a pod that goes, and what is left of it: nothing. */
#include "machine.h"

#define ONE "containers: [{name: c, image: x}]"

static void assert_gone(const struct machine *machine)
{
    assert_int_equal(machine->memory.stage, POD_STAGE_GONE);
    assert_int_equal(machine->container_count, 0);
    assert_int_equal(machine->sandbox_count, 0);
    assert_int_equal(machine->memory.operations.count, 0);
}

static void test_check_11_deleted_while_it_begins(void **state)
{
    struct machine machine;

    machine_api(&machine, "initContainers: [{name: i, image: x}, {name: s, image: x, "
                          "restartPolicy: Always}], " ONE);
    machine_start(&machine);
    machine_delete(&machine, 3);
    machine_run(&machine);
    assert_actions(&machine, "stop:i/3 stopbox removebox clean");
    assert_gone(&machine);
    assert_phase(&machine, "Failed");
    assert_waiting(&machine, "c", "PodInitializing");
    assert_waiting(&machine, "s", "PodInitializing");
    machine_deinit(&machine);
}

static void test_check_16_another_image_after_the_deletion(void **state)
{
    struct machine machine;

    machine_api(&machine, ONE);
    machine_start(&machine);
    machine_delete(&machine, 30);
    machine_change_image(&machine, "c", "y");
    machine_run(&machine);
    assert_actions(&machine, "stop:c/30 stopbox removebox clean");
    assert_gone(&machine);
    machine_deinit(&machine);
}

static void test_check_22_deleted_without_its_image(void **state)
{
    struct machine machine;
    const struct container_status *status;

    machine_api(&machine, ONE);
    machine.hold = "image";
    machine_start(&machine);
    machine_delete(&machine, 30);
    machine_run(&machine);
    assert_actions(&machine, "stopbox removebox clean");
    assert_gone(&machine);
    assert_phase(&machine, "Failed");
    status = machine_status(&machine, "c");
    assert_int_equal(status->state.terminated->exit_code, 137);
    assert_string_equal(status->state.terminated->reason, "ContainerStatusUnknown");
    assert_string_equal(status->state.terminated->message,
                        "The container could not be located when the pod was terminated");
    machine_deinit(&machine);
}

static void test_checks_23_and_24_a_volume_that_is_not_there(void **state)
{
    struct machine machine;

    machine_api(&machine, ONE);
    machine.hold = "prepare";
    machine_run(&machine);
    machine_fail(&machine, "prepare", NULL, "Unable to attach or mount volumes: no secret x");
    machine_run(&machine);
    assert_event(&machine, "Warning FailedMount: Unable to attach or mount volumes: no secret x\n");
    assert_condition(&machine, "PodScheduled", "True", NULL, NULL);
    assert_condition(&machine, "PodReadyToStartContainers", "False", NULL, NULL);
    assert_condition(&machine, "Initialized", "True", NULL, NULL);
    assert_phase(&machine, "Pending");
    machine_delete(&machine, 30);
    machine_run(&machine);
    assert_actions(&machine, "prepare clean");
    assert_gone(&machine);
    machine_deinit(&machine);

    machine_api(&machine, "initContainers: [{name: i, image: x}], " ONE);
    machine.hold = "prepare";
    machine_run(&machine);
    machine_fail(&machine, "prepare", NULL, "no secret x");
    machine_run(&machine);
    assert_condition(&machine, "Initialized", "False", "ContainersNotInitialized",
                     "containers with incomplete status: [i]");
    machine.hold = NULL;
    machine_sleep(&machine, 2 * USEC_PER_SEC);
    machine_exit(&machine, "i", 0);
    machine_run(&machine);
    assert_condition(&machine, "Ready", "True", NULL, NULL);
    machine_deinit(&machine);
}

static void test_check_26_the_exit_is_in_the_final_status(void **state)
{
    struct machine machine;

    machine_api(&machine, ONE);
    machine_start(&machine);
    machine_delete(&machine, 5);
    machine.hold = "stop";
    machine_run(&machine);
    machine_exit(&machine, "c", 137);
    machine.hold = NULL;
    machine_run(&machine);
    assert_gone(&machine);
    assert_int_equal(machine_status(&machine, "c")->state.terminated->exit_code, 137);
    assert_string_equal(machine_status(&machine, "c")->state.terminated->reason, "Error");
    machine_deinit(&machine);
}

/* effective grace: only ever less */

static const struct {
    int64_t spec;
    int64_t deletions[3]; /* -1: none */
    int64_t effective;
} graces[] = {
    {30, {-1, -1, -1}, 30},   {0, {-1, -1, -1}, 1}, {60, {60, 5, 100}, 5}, {60, {5, 60, -1}, 5},
    {30, {100, -1, -1}, 100}, {30, {0, -1, -1}, 1}, {30, {30, 0, -1}, 1},  {30, {1, -1, -1}, 1},
};

static void test_check_33_the_grace_only_shrinks(void **state)
{
    for (size_t i = 0; i < array_size(graces); i++) {
        struct machine machine;

        machine_api(&machine, ONE);
        machine_pod(&machine)->spec.termination_grace_period_seconds.value = graces[i].spec;
        machine_start(&machine);
        machine.desired.removed = graces[i].deletions[0] < 0;
        for (size_t j = 0; j < array_size(graces[i].deletions); j++) {
            if (graces[i].deletions[j] >= 0)
                machine_delete(&machine, graces[i].deletions[j]);
            machine_plan(&machine);
        }
        assert_int_equal(machine.memory.grace_seconds, graces[i].effective);
        machine_deinit(&machine);
    }
}

static void test_check_33_a_shorter_grace_before_the_stop(void **state)
{
    struct machine machine;

    machine_api(&machine, "containers: [{name: c, image: x, lifecycle: {preStop: {exec: {command: "
                          "[x]}}}}]");
    machine_start(&machine);
    machine.hold = "prestop";
    machine_delete(&machine, 60);
    machine_run(&machine);
    machine_delete(&machine, 5);
    machine_run(&machine);
    machine_delete(&machine, 100);
    machine_run(&machine);
    assert_true(machine.plan.wake <= machine.now.boot + 5 * USEC_PER_SEC);
    machine_finish(&machine, "prestop");
    machine_plan(&machine);
    assert_actions(&machine, "prestop:c/60 stop:c/5");
    machine_deinit(&machine);
}

static void test_check_34_a_forced_deletion(void **state)
{
    struct machine machine;

    machine_api(&machine, "terminationGracePeriodSeconds: 45, " ONE);
    machine_start(&machine);
    machine.desired.removed = true;
    machine_run(&machine);
    assert_actions(&machine, "stop:c/45 stopbox removebox clean");
    assert_gone(&machine);
    machine_deinit(&machine);
}

static void test_check_35_what_nobody_knows(void **state)
{
    struct machine machine;

    machine_spec(&machine, "initContainers: [{name: s, image: x, restartPolicy: Always}], "
                           "containers: [{name: c, image: x, lifecycle: {preStop: {exec: "
                           "{command: [x]}}}}]");
    machine_start(&machine);
    machine.desired.pod = NULL;
    machine.memory = (struct pod_memory){0};
    machine_run(&machine);
    assert_actions(&machine, "stop:c/2 stop:s/2 stopbox removebox clean");
    assert_gone(&machine);
    machine_deinit(&machine);
}

/* The pod ended, and the agent was restarted before the API heard of it. */
static void test_check_37_an_end_outlives_the_agent(void **state)
{
    struct machine machine;

    machine_api(&machine, "restartPolicy: Never, " ONE);
    machine_start(&machine);
    machine_exit(&machine, "c", 0);
    machine_run(&machine);
    assert_phase(&machine, "Succeeded");
    machine_delete(&machine, 30);
    machine_restart(&machine);
    machine_run(&machine);
    assert_actions(&machine, "stopbox release removebox clean");
    assert_gone(&machine);
    assert_phase(&machine, "Succeeded");
    machine_deinit(&machine);
}

/* The machine was restarted: nothing is on record, and nothing in the runtime. */
static void test_what_the_api_knows_as_ended_is_not_run_again(void **state)
{
    static const char *const phases[] = {"Succeeded", "Failed"};

    for (size_t i = 0; i < array_size(phases); i++) {
        struct machine machine;

        machine_api(&machine, ONE);
        machine_pod(&machine)->status.phase = phases[i];
        machine_run(&machine);
        assert_actions(&machine, "release");
        assert_phase(&machine, phases[i]);
        assert_int_equal(machine.memory.stage, POD_STAGE_ENDED);
        machine_delete(&machine, 30);
        machine_run(&machine);
        assert_actions(&machine, "clean");
        assert_gone(&machine);
        machine_deinit(&machine);
    }
}

/* API check 35: whatever somebody writes there, the pod runs, and that is told. */
static void test_a_final_phase_that_somebody_wrote_is_put_right(void **state)
{
    struct machine machine;

    machine_api(&machine, ONE);
    machine_start(&machine);
    machine_pod(&machine)->status.phase = "Failed";
    machine_run(&machine);
    assert_actions(&machine, "");
    assert_phase(&machine, "Running");
    machine_deinit(&machine);
}

/* To an agent that has told nothing of it, the pod is what the API says. */
static void test_a_pod_that_was_over_is_not_begun_again(void **state)
{
    struct machine machine;

    machine_api(&machine, ONE);
    machine_pod(&machine)->status.phase = "Failed";
    machine_run(&machine);
    assert_actions(&machine, "release");
    assert_phase(&machine, "Failed");
    machine_deinit(&machine);
}

static void test_check_39_a_refused_pod_is_deleted(void **state)
{
    struct machine machine;

    machine_api(&machine, ONE);
    machine.memory.admitted = false;
    machine.desired.refusal_reason = "NodeAffinity";
    machine.desired.refusal_message = "Predicate NodeAffinity failed: why";
    machine_run(&machine);
    assert_actions(&machine, "release");
    assert_string_equal(machine.events.text,
                        "Warning NodeAffinity: Predicate NodeAffinity failed: why\n");
    assert_phase(&machine, "Failed");
    assert_string_equal(machine.memory.published->reason, "NodeAffinity");
    assert_string_equal(machine.memory.published->message,
                        "Pod was rejected: Predicate NodeAffinity failed: why");
    assert_int_equal(machine.memory.published->conditions.count, 0);
    assert_int_equal(machine.memory.published->container_statuses.count, 0);
    assert_string_equal(machine.memory.published->qos_class, "BestEffort");
    assert_true(machine.memory.published->start_time.set);
    machine_delete(&machine, 30);
    machine_run(&machine);
    assert_actions(&machine, "clean");
    assert_gone(&machine);
    assert_phase(&machine, "Failed");
    machine_deinit(&machine);
}

/* A pod that waits for the end of another one of its name goes without having been anything. */
static void test_a_waiting_pod_is_removed(void **state)
{
    struct machine machine;

    machine_spec(&machine, ONE);
    machine.desired.waits_for = "uid-0";
    machine_run(&machine);
    assert_actions(&machine, "");
    assert_non_null(machine_blocker(&machine, "NameInUse"));
    machine.desired.removed = true;
    machine_run(&machine);
    assert_actions(&machine, "clean");
    assert_gone(&machine);
    machine_deinit(&machine);
}

/* What is under way when a pod goes. */
static void test_what_is_under_way_is_waited_for_or_given_up(void **state)
{
    static const struct {
        const char *word;
        const char *actions; /* once it ended */
        bool waits;
    } cases[] = {
        {"prepare", "clean", false},
        {"sandbox", "stopbox removebox clean", true},
        {"image", "stopbox removebox clean", false},
        {"start", "stop:c/30 stopbox removebox clean", true},
        {"poststart", "stop:c/30 stopbox removebox clean", false},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        struct machine machine;

        machine_api(&machine, "containers: [{name: c, image: x, lifecycle: {postStart: {exec: "
                              "{command: [x]}}}}]");
        machine.hold = cases[i].word;
        machine_start(&machine);
        machine_delete(&machine, 30);
        machine_run(&machine);
        assert_int_equal(machine_operation(&machine, cases[i].word) != NULL, cases[i].waits);
        if (cases[i].waits) {
            assert_actions(&machine, "");
            assert_non_null(machine_blocker(&machine, "Working"));
            machine_finish(&machine, cases[i].word);
            machine_run(&machine);
        }
        assert_actions(&machine, cases[i].actions);
        assert_gone(&machine);
        machine_deinit(&machine);
    }
}

/* An agent that was killed had asked for its start: the runtime may be about it, and then it does
 * not remove it. The end of its sandbox would be its end, unasked. */
static void test_what_is_being_started_is_told_to_end(void **state)
{
    struct machine machine;

    machine_api(&machine, ONE);
    machine_start(&machine);
    machine_container(&machine, "c")->state = POD_CREATED;
    machine.hold = "remove";
    machine_restart(&machine);
    machine_delete(&machine, 30);
    machine_run(&machine);
    machine_fail(&machine, "remove", NULL, "container is in starting state, can't be removed");
    machine.hold = NULL;
    machine_container(&machine, "c")->state = POD_RUNNING;
    machine_look_again(&machine);
    machine_run(&machine);
    assert_actions(&machine, "remove:c stop:c/30 stopbox removebox clean");
    assert_gone(&machine);
    machine_deinit(&machine);
}

/* A runtime that refuses for so long is not about to start it: the end of the pod goes on. */
static void test_what_cannot_be_removed_goes_with_its_sandbox(void **state)
{
    struct machine machine;
    usec_t asked;

    machine_api(&machine, ONE);
    machine_start(&machine);
    machine_container(&machine, "c")->state = POD_CREATED;
    machine.hold = "remove";
    machine_delete(&machine, 30);
    asked = machine.now.boot;
    while (machine.memory.stage != POD_STAGE_GONE && machine.now.boot < asked + 60 * USEC_PER_SEC) {
        machine_run(&machine);
        if (machine_operation(&machine, "remove"))
            machine_fail(&machine, "remove", NULL, "container is in starting state");
        machine_run(&machine);
        machine_advance(&machine, USEC_PER_SEC);
    }
    machine.hold = NULL;
    machine_run(&machine);
    assert_actions(&machine,
                   "remove:c remove:c remove:c remove:c remove:c stopbox removebox clean");
    assert_true(machine.now.boot - asked >= 15 * USEC_PER_SEC);
    assert_true(machine.now.boot - asked < 30 * USEC_PER_SEC);
    assert_gone(&machine);
    machine_deinit(&machine);
}

static void test_what_never_started_goes_before_its_sandbox(void **state)
{
    struct machine machine;

    machine_api(&machine, ONE);
    machine_start(&machine);
    machine_container(&machine, "c")->state = POD_CREATED;
    machine_delete(&machine, 30);
    machine_run(&machine);
    assert_actions(&machine, "remove:c stopbox removebox clean");
    assert_gone(&machine);
    machine_deinit(&machine);
}

/* Their sandboxes are gone: somebody else removed them. */
static void test_containers_without_their_sandbox(void **state)
{
    struct machine machine;

    machine_api(&machine, ONE);
    machine_start(&machine);
    machine_exit(&machine, "c", 1);
    machine.sandbox_count = 0;
    machine_delete(&machine, 30);
    machine.hold = "remove";
    machine_run(&machine);
    machine_fail(&machine, "remove", NULL, "busy");
    machine.hold = NULL;
    machine_sleep(&machine, POD_RETRY_MAX);
    assert_actions(&machine, "remove:c remove:c clean");
    assert_gone(&machine);
    machine_deinit(&machine);
}

/* Each removal may fail, and is tried again. */
static void test_what_fails_at_the_end_is_repeated(void **state)
{
    static const char *const words[] = {"stop", "stopbox", "removebox", "clean"};

    for (size_t i = 0; i < array_size(words); i++) {
        struct machine machine;

        machine_api(&machine, ONE);
        machine_start(&machine);
        machine_delete(&machine, 30);
        machine.hold = words[i];
        machine_run(&machine);
        for (unsigned j = 0; j < 6; j++) {
            usec_t wait;

            machine_fail(&machine, words[i], NULL, "busy");
            machine_run(&machine);
            assert_null(machine_operation(&machine, words[i]));
            wait = usec_sub(machine.plan.wake, machine.now.boot);
            assert_true(wait >= POD_RETRY_FIRST && wait <= POD_RETRY_MAX);
            machine_advance(&machine, wait);
            machine_run(&machine);
            assert_non_null(machine_operation(&machine, words[i]));
        }
        machine.hold = NULL;
        machine_run(&machine);
        assert_gone(&machine);
        machine_deinit(&machine);
    }
}

/* It was asked for by an agent that was killed, and made when all was gone; the server is yet to be
 * told of the end. */
static void test_a_sandbox_that_comes_late_is_stopped(void **state)
{
    struct pod_operation late = {.attempt = 1};
    struct machine machine;

    machine_api(&machine, ONE);
    machine_start(&machine);
    machine_delete(&machine, 1);
    machine_run(&machine);
    assert_gone(&machine);
    strbuf_truncate(&machine.log, 0);
    machine_effect_sandbox(&machine, &late);
    machine_advance(&machine, USEC_PER_SEC);
    machine_run(&machine);
    assert_actions(&machine, "stopbox removebox");
    assert_gone(&machine);
    assert_phase(&machine, "Failed");
    machine_deinit(&machine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check_11_deleted_while_it_begins),
        cmocka_unit_test(test_check_16_another_image_after_the_deletion),
        cmocka_unit_test(test_check_22_deleted_without_its_image),
        cmocka_unit_test(test_checks_23_and_24_a_volume_that_is_not_there),
        cmocka_unit_test(test_check_26_the_exit_is_in_the_final_status),
        cmocka_unit_test(test_check_33_the_grace_only_shrinks),
        cmocka_unit_test(test_check_33_a_shorter_grace_before_the_stop),
        cmocka_unit_test(test_check_34_a_forced_deletion),
        cmocka_unit_test(test_check_35_what_nobody_knows),
        cmocka_unit_test(test_check_37_an_end_outlives_the_agent),
        cmocka_unit_test(test_what_the_api_knows_as_ended_is_not_run_again),
        cmocka_unit_test(test_a_final_phase_that_somebody_wrote_is_put_right),
        cmocka_unit_test(test_a_pod_that_was_over_is_not_begun_again),
        cmocka_unit_test(test_check_39_a_refused_pod_is_deleted),
        cmocka_unit_test(test_a_waiting_pod_is_removed),
        cmocka_unit_test(test_what_is_under_way_is_waited_for_or_given_up),
        cmocka_unit_test(test_what_is_being_started_is_told_to_end),
        cmocka_unit_test(test_what_cannot_be_removed_goes_with_its_sandbox),
        cmocka_unit_test(test_what_never_started_goes_before_its_sandbox),
        cmocka_unit_test(test_containers_without_their_sandbox),
        cmocka_unit_test(test_what_fails_at_the_end_is_repeated),
        cmocka_unit_test(test_a_sandbox_that_comes_late_is_stopped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
