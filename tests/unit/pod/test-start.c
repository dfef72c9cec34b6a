/* pod/start: what precedes a start, what becomes of one that fails, under which number it is. */
#include "machine.h"

#define ONE "containers: [{name: c, image: x}]"
#define TWO "containers: [{name: a, image: x}, {name: b, image: x}]"
#define HOOKED "containers: [{name: c, image: x, lifecycle: {postStart: {exec: {command: [x]}}}}]"
#define ON_FAILURE                                                                                 \
    "restartPolicy: OnFailure, containers: [{name: c, image: x, livenessProbe: {exec: {command: "  \
    "[x]}}}]"

static void test_a_start_that_fails(void **state)
{
    struct machine machine;

    machine_spec(&machine, TWO);
    machine.hold = "start";
    machine_run(&machine);
    strbuf_truncate(&machine.log, 0);
    machine_fail(&machine, "start", "CreateContainerError", "no");
    machine_run(&machine);
    assert_event(&machine, "Warning Failed a: Error: no\n");
    assert_waiting(&machine, "a", "CreateContainerError");
    assert_string_equal(machine_status(&machine, "a")->state.waiting->message, "no");
    assert_string_equal(machine_blocker(&machine, "CreateContainerError")->text, "no");
    assert_actions(&machine, "image:b start:b#0"); /* it holds up no other */
    machine.hold = NULL;
    machine_sleep(&machine, POD_RETRY_FIRST);
    assert_runs(&machine, "a", true);
    assert_int_equal(machine_status(&machine, "a")->restart_count, 0);
    assert_event(&machine, "Normal Created a: Container created\nNormal Started a: Container "
                           "started\n");
    machine_deinit(&machine);
}

static void test_an_init_container_that_cannot_start_holds_up_the_others(void **state)
{
    struct machine machine;

    machine_spec(&machine, "initContainers: [{name: s, image: x, restartPolicy: Always}, {name: i, "
                           "image: x}], " ONE);
    machine.hold = "start";
    machine_run(&machine);
    machine_finish(&machine, "start");
    machine_run(&machine);
    machine_fail(&machine, "start", "CreateContainerConfigError", "no");
    strbuf_truncate(&machine.log, 0);
    machine_run(&machine);
    assert_actions(&machine, "");
    assert_waiting(&machine, "i", "CreateContainerConfigError");
    machine_deinit(&machine);
}

/* Retries of a start slow down, to ten seconds. */
static void test_how_often_a_start_is_tried(void **state)
{
    static const unsigned waits[] = {1, 2, 4, 8, 10, 10};
    struct machine machine;

    machine_spec(&machine, ONE);
    machine.hold = "start";
    machine_run(&machine);
    for (size_t i = 0; i < array_size(waits); i++) {
        machine_fail(&machine, "start", "RunContainerError", "no");
        machine_run(&machine);
        assert_int_equal(usec_sub(machine.plan.wake, machine.now.boot) / USEC_PER_SEC, waits[i]);
        machine_advance(&machine, waits[i] * USEC_PER_SEC);
        machine_run(&machine);
        assert_non_null(machine_operation(&machine, "start"));
    }
    machine_deinit(&machine);
}

static void create(struct machine *machine)
{
    struct pod_operation *operation = machine_operation(machine, "start");

    assert_non_null(operation);
    machine_effect(machine, operation);
    machine->containers[0].state = POD_CREATED;
}

/* One that was created by an interrupted start is started; by one that failed, made anew. */
static void test_what_was_created_before(void **state)
{
    struct machine machine;

    machine_spec(&machine, ONE);
    machine.hold = "start";
    machine_run(&machine);
    create(&machine);
    machine_restart(&machine);
    strbuf_truncate(&machine.log, 0);
    machine.hold = NULL;
    machine_sleep(&machine, POD_RETRY_FIRST);
    assert_actions(&machine, "start:c#0");
    assert_int_equal(machine.container_count, 1);
    assert_phase(&machine, "Running");
    machine_deinit(&machine);

    machine_spec(&machine, ONE);
    machine.hold = "start";
    machine_run(&machine);
    create(&machine);
    machine_fail(&machine, "start", "RunContainerError", "no");
    strbuf_truncate(&machine.log, 0);
    machine.hold = NULL;
    machine_sleep(&machine, POD_RETRY_FIRST);
    assert_actions(&machine, "remove:c image:c start:c#0");
    machine_deinit(&machine);
}

static void test_what_was_created_for_another_image(void **state)
{
    struct machine machine;

    machine_spec(&machine, ONE);
    machine.hold = "start";
    machine_run(&machine);
    create(&machine);
    machine_lose(&machine, "start", false);
    machine_change_image(&machine, "c", "y");
    strbuf_truncate(&machine.log, 0);
    machine.hold = NULL;
    machine_sleep(&machine, POD_RETRY_FIRST);
    assert_actions(&machine, "remove:c image:c start:c#0");
    machine_deinit(&machine);
}

/* Until one is seen, the number is the same: a start of unknown fate cannot make a second. */
static void test_a_start_of_unknown_fate(void **state)
{
    struct machine machine;

    machine_spec(&machine, ONE);
    machine.hold = "start";
    machine_run(&machine);
    strbuf_truncate(&machine.log, 0);
    machine_lose(&machine, "start", false);
    machine_run(&machine);
    assert_actions(&machine, "");
    assert_non_null(strstr(machine_blocker(&machine, "Working")->text, "is not known yet"));
    assert_true(machine.plan.wake <= machine.now.boot + POD_RETRY_FIRST);
    machine_advance(&machine, POD_RETRY_FIRST);
    machine_run(&machine);
    assert_actions(&machine, "image:c start:c#0");
    machine_lose(&machine, "start", true);
    machine_run(&machine);
    assert_actions(&machine, "");
    assert_event(&machine, "Normal Started c: Container started\n");
    assert_phase(&machine, "Running");
    machine_deinit(&machine);
}

/* The agent was killed within a start: the runtime goes on with it. */
static void start_comes_late(struct machine *machine)
{
    machine->hold = "start";
    machine_run(machine);
    create(machine);
    machine_restart(machine);
    machine_run(machine);
    machine->hold = NULL;
    strbuf_truncate(&machine->log, 0);
    machine_container(machine, "c")->state = POD_RUNNING;
    machine_look_again(machine);
    machine_run(machine);
}

static void test_a_start_that_comes_late_is_one_of_ours(void **state)
{
    struct machine machine;

    machine_spec(&machine, HOOKED);
    start_comes_late(&machine);
    assert_actions(&machine, "poststart:c");
    assert_event(&machine, "Normal Started c: Container started\n");
    machine_deinit(&machine);
}

/* It was killed because its probe failed, and started again: that was the restart. */
static void test_a_restart_that_comes_late_is_the_only_one(void **state)
{
    struct machine machine;

    machine_spec(&machine, ON_FAILURE);
    machine_start(&machine);
    machine_probe(&machine, "c", (struct seen_probes){.liveness = POD_PROBE_FAILURE});
    machine.hold = "stop";
    machine_run(&machine);
    machine_exit(&machine, "c", 0);
    machine_finish(&machine, "stop");
    start_comes_late(&machine);
    machine_exit(&machine, "c", 0);
    machine_run(&machine);
    machine_sleep(&machine, 600 * USEC_PER_SEC);
    assert_null(strstr(machine.log.text ? machine.log.text : "", "start:c"));
    assert_phase(&machine, "Succeeded");
    machine_deinit(&machine);
}

/* The retry is refused, as it runs already. */
static void test_a_start_that_is_retried_while_it_comes(void **state)
{
    struct machine machine;

    machine_spec(&machine, HOOKED);
    machine.hold = "start";
    machine_run(&machine);
    create(&machine);
    machine_lose(&machine, "start", false);
    machine_sleep(&machine, POD_RETRY_FIRST);
    machine_container(&machine, "c")->state = POD_RUNNING;
    strbuf_truncate(&machine.log, 0);
    machine_fail(&machine, "start", "RunContainerError", "it runs");
    machine.hold = NULL;
    machine_run(&machine);
    assert_actions(&machine, "poststart:c");
    machine_deinit(&machine);
}

static void test_numbers_go_on_when_nothing_is_left(void **state)
{
    struct machine machine;

    machine_spec(&machine, ONE);
    machine_start(&machine);
    machine_exit(&machine, "c", 1);
    machine_run(&machine);
    assert_actions(&machine, "image:c start:c#1");
    machine_lose_containers(&machine);
    machine_run(&machine);
    assert_actions(&machine, "image:c start:c#2");
    assert_int_equal(machine_status(&machine, "c")->restart_count, 2);
    machine_deinit(&machine);
}

/* A restarted agent makes directories and volumes sure before it starts anything. */
static void test_each_agent_prepares(void **state)
{
    struct machine machine;

    machine_spec(&machine, ONE);
    machine_start(&machine);
    machine_restart(&machine);
    machine_run(&machine);
    assert_actions(&machine, "");
    machine_exit(&machine, "c", 1);
    machine.hold = "prepare";
    machine_run(&machine);
    assert_actions(&machine, "prepare");
    machine_fail(&machine, "prepare", NULL, "no disk");
    machine_run(&machine);
    assert_actions(&machine, "");
    assert_string_equal(machine_blocker(&machine, "Retry")->text,
                        "preparing directories and volumes failed: no disk");
    machine.hold = NULL;
    machine_sleep(&machine, POD_RETRY_FIRST);
    assert_actions(&machine, "prepare image:c start:c#1");
    machine_deinit(&machine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_start_that_fails),
        cmocka_unit_test(test_an_init_container_that_cannot_start_holds_up_the_others),
        cmocka_unit_test(test_how_often_a_start_is_tried),
        cmocka_unit_test(test_what_was_created_before),
        cmocka_unit_test(test_what_was_created_for_another_image),
        cmocka_unit_test(test_a_start_of_unknown_fate),
        cmocka_unit_test(test_a_start_that_comes_late_is_one_of_ours),
        cmocka_unit_test(test_a_restart_that_comes_late_is_the_only_one),
        cmocka_unit_test(test_a_start_that_is_retried_while_it_comes),
        cmocka_unit_test(test_numbers_go_on_when_nothing_is_left),
        cmocka_unit_test(test_each_agent_prepares),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
