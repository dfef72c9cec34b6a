/* pod/plan: from nothing to running, through faults, to nothing again. */
#include "machine.h"

#define ONE                                                                                        \
    "{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {containers: [{name: web, image: "   \
    "\"web:1\"}]}}"

static void test_a_pod_starts(void **state)
{
    struct machine machine;

    machine_init(&machine, ONE);
    machine_run(&machine);
    assert_actions(&machine, "prepare sandbox#0 image:web start:web#0");
    assert_phase(&machine, "Running");
    assert_string_equal(machine_condition(&machine, "Ready")->status, "True");
    assert_int_equal(machine.plan.blockers.count, 0);
    assert_true(machine.plan.wake == USEC_NEVER);
    machine_plan(&machine);
    assert_actions(&machine, "");
    machine_deinit(&machine);
}

static void test_a_pod_that_is_removed_leaves_nothing(void **state)
{
    struct machine machine;

    machine_init(&machine, ONE);
    machine_run(&machine);
    assert_actions(&machine, "prepare sandbox#0 image:web start:web#0");
    machine.desired.removed = true;
    machine_run(&machine);
    assert_actions(&machine, "stop:web/30 stopbox removebox clean");
    assert_int_equal(machine.memory.stage, POD_STAGE_GONE);
    machine_deinit(&machine);
}

/* What was done counts only together with a look that began later. */
static void test_an_operation_is_waited_for_until_it_was_seen(void **state)
{
    struct machine machine;
    struct pod_operation *operation;

    machine_init(&machine, ONE);
    machine_plan(&machine);
    machine_finish(&machine, "prepare");
    machine_plan(&machine);
    operation = machine_operation(&machine, "sandbox");
    assert_non_null(operation);
    strbuf_truncate(&machine.log, 0);

    operation->state = POD_OPERATION_UNKNOWN;
    operation->ended = machine.now.boot + 10;
    machine.now.boot += 20;
    machine_plan(&machine);
    assert_actions(&machine, ""); /* the look is from before */
    machine.looked = machine.now.boot;
    machine_plan(&machine);
    assert_actions(&machine, ""); /* it came to nothing: after a pause, again */
    machine_advance(&machine, POD_RETRY_FIRST);
    machine_plan(&machine);
    assert_actions(&machine, "sandbox#0");
    machine_deinit(&machine);
}

static void test_check_17_crash_loop(void **state)
{
    static const unsigned waits[] = {0, 10, 20, 40, 80, 160, 300, 300};
    struct machine machine;

    machine_init(&machine, ONE);
    machine_run(&machine);
    for (size_t i = 0; i < array_size(waits); i++) {
        strbuf_truncate(&machine.log, 0);
        machine_advance(&machine, 5 * USEC_PER_SEC);
        machine_exit(&machine, "web", 1);
        machine_run(&machine);
        if (waits[i]) {
            assert_false(machine_container(&machine, "web")->state == POD_RUNNING);
            assert_waiting(&machine, "web", "CrashLoopBackOff");
            machine_advance(&machine, waits[i] * USEC_PER_SEC - USEC_PER_SEC);
            machine_run(&machine);
            assert_false(machine_container(&machine, "web")->state == POD_RUNNING);
            assert_true(machine.plan.wake > machine.now.boot);
            machine_advance(&machine, USEC_PER_SEC);
            machine_run(&machine);
        }
        assert_true(machine_container(&machine, "web")->state == POD_RUNNING);
        assert_int_equal(machine_status(&machine, "web")->restart_count, i + 1);
    }
    machine_deinit(&machine);
}

static void test_check_2_init_containers_run_in_turn(void **state)
{
    struct machine machine;

    machine_init(
        &machine,
        "{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {initContainers: [{name: "
        "i1, image: a}, {name: i2, image: a}], containers: [{name: c, image: a}]}}");
    machine_run(&machine);
    assert_actions(&machine, "prepare sandbox#0 image:i1 start:i1#0");
    assert_phase(&machine, "Pending");
    assert_waiting(&machine, "c", "PodInitializing");
    machine_exit(&machine, "i1", 0);
    machine_run(&machine);
    assert_actions(&machine, "image:i2 start:i2#0");
    machine_exit(&machine, "i2", 0);
    machine_run(&machine);
    assert_actions(&machine, "image:c start:c#0");
    assert_phase(&machine, "Running");
    machine_deinit(&machine);
}

static void test_check_7_sidecars_end_last_in_reverse(void **state)
{
    struct machine machine;

    machine_init(&machine,
                 "{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {restartPolicy: Never, "
                 "initContainers: [{name: s1, image: a, restartPolicy: Always}, {name: s2, image: "
                 "a, restartPolicy: Always}], containers: [{name: c, image: a}]}}");
    machine_run(&machine);
    assert_actions(&machine, "prepare sandbox#0 image:s1 start:s1#0 image:s2 start:s2#0 image:c "
                             "start:c#0");
    machine_exit(&machine, "c", 0);
    machine_run(&machine);
    assert_actions(&machine, "stop:s2/30 stop:s1/30 stopbox release");
    assert_phase(&machine, "Succeeded");
    assert_int_equal(machine.memory.stage, POD_STAGE_ENDED);
    machine_deinit(&machine);
}

static void test_check_42_sandbox_stopped_by_another(void **state)
{
    struct machine machine;

    machine_init(&machine, ONE);
    machine_run(&machine);
    strbuf_truncate(&machine.log, 0);
    machine.sandboxes[0].ready = false;
    machine_exit(&machine, "web", 137);
    machine_run(&machine);
    assert_actions(&machine, "stopbox sandbox#1 image:web start:web#1");
    assert_event(&machine, "SandboxChanged");
    machine_deinit(&machine);
}

static void test_check_27_hooks(void **state)
{
    struct machine machine;

    machine_init(&machine,
                 "{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {containers: [{name: a, "
                 "image: a, lifecycle: {postStart: {exec: {command: [x]}}, preStop: {sleep: "
                 "{seconds: 30}}}}, {name: b, image: a}]}}");
    machine.hold = "poststart";
    machine_run(&machine);
    assert_actions(&machine, "prepare sandbox#0 image:a start:a#0 poststart:a");
    assert_waiting(&machine, "a", "ContainerCreating"); /* check 1 */
    machine_finish(&machine, "poststart");
    machine_run(&machine);
    assert_actions(&machine, "image:b start:b#0");

    machine.desired.removed = true;
    machine.hold = "prestop";
    machine_run(&machine);
    assert_actions(&machine, "stop:b/30 prestop:a/30");
    machine_advance(&machine, 30 * USEC_PER_SEC);
    machine_run(&machine);
    assert_actions(&machine, "stop:a/2 stopbox removebox clean");
    machine_deinit(&machine);
}

static void test_an_orphan_ends_without_hooks(void **state)
{
    struct machine machine;

    machine_init(&machine, ONE);
    machine_run(&machine);
    strbuf_truncate(&machine.log, 0);
    machine.memory = (struct pod_memory){0};
    machine.desired.pod = NULL;
    machine_run(&machine);
    assert_actions(&machine, "stop:web/2 stopbox removebox clean");
    machine_deinit(&machine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_pod_starts),
        cmocka_unit_test(test_a_pod_that_is_removed_leaves_nothing),
        cmocka_unit_test(test_an_operation_is_waited_for_until_it_was_seen),
        cmocka_unit_test(test_check_17_crash_loop),
        cmocka_unit_test(test_check_2_init_containers_run_in_turn),
        cmocka_unit_test(test_check_7_sidecars_end_last_in_reverse),
        cmocka_unit_test(test_check_42_sandbox_stopped_by_another),
        cmocka_unit_test(test_check_27_hooks),
        cmocka_unit_test(test_an_orphan_ends_without_hooks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
