/* pod/collect: what a pod does not need any more goes while it lives. */
#include "machine.h"

#define ONE "containers: [{name: c, image: x}]"

static void test_check_56_two_records_of_each_container(void **state)
{
    struct machine machine;

    machine_spec(&machine, ONE);
    machine_start(&machine);
    for (unsigned i = 0; i < 5; i++) {
        machine_exit(&machine, "c", 1);
        machine_sleep(&machine, 200 * USEC_PER_SEC);
        assert_runs(&machine, "c", true);
        assert_int_equal(machine.container_count, 2);
    }
    assert_int_equal(machine_status(&machine, "c")->restart_count, 5);
    machine.desired.removed = true;
    machine_run(&machine);
    assert_int_equal(machine.container_count, 0);
    machine_deinit(&machine);
}

/* The sandbox that a dead record is in stays with it. */
static void test_old_sandboxes_go_with_their_last_record(void **state)
{
    struct machine machine;

    machine_spec(&machine, ONE);
    machine_start(&machine);
    machine.sandboxes[0].ready = false;
    machine_exit(&machine, "c", 1);
    machine_run(&machine);
    assert_int_equal(machine.sandbox_count, 2);
    assert_actions(&machine, "stopbox sandbox#1 image:c start:c#1");
    machine_exit(&machine, "c", 1);
    machine_run(&machine);
    assert_actions(&machine, "remove:c removebox");
    assert_int_equal(machine.sandbox_count, 1);
    machine_deinit(&machine);
}

/* One that somebody else stopped still has its network. */
static void test_a_sandbox_is_stopped_before_it_is_removed(void **state)
{
    struct machine machine;

    machine_spec(&machine, ONE);
    machine_start(&machine);
    machine.sandboxes[1] = machine.sandboxes[0];
    machine.sandboxes[1].id = "old";
    machine.sandboxes[1].ready = false;
    machine.sandbox_count = 2;
    machine_run(&machine);
    assert_actions(&machine, "stopbox removebox");
    assert_int_equal(machine.plan.blockers.count, 0);
    assert_runs(&machine, "c", true);
    machine_deinit(&machine);
}

static void test_a_pod_that_ended_keeps_its_records(void **state)
{
    struct machine machine;

    machine_api(&machine, "restartPolicy: OnFailure, " ONE);
    machine_start(&machine);
    machine_exit(&machine, "c", 1);
    machine_sleep(&machine, 60 * USEC_PER_SEC);
    machine_exit(&machine, "c", 0);
    machine_run(&machine);
    assert_phase(&machine, "Succeeded");
    assert_int_equal(machine.container_count, 1);
    assert_int_equal(machine.sandbox_count, 1);
    machine_restart(&machine);
    strbuf_truncate(&machine.log, 0);
    machine_run(&machine);
    assert_actions(&machine, "");
    machine_deinit(&machine);
}

/* Made, and never started, before one that was. */
static void test_an_older_one_that_was_only_created(void **state)
{
    struct machine machine;

    machine_spec(&machine, ONE);
    machine_start(&machine);
    machine.containers[1] = machine.containers[0];
    machine.containers[1].id = "old";
    machine.containers[1].state = POD_CREATED;
    machine.container_count = 2;
    machine_run(&machine);
    assert_actions(&machine, "remove:c");
    assert_int_equal(machine.container_count, 1);
    assert_runs(&machine, "c", true);
    machine_deinit(&machine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check_56_two_records_of_each_container),
        cmocka_unit_test(test_old_sandboxes_go_with_their_last_record),
        cmocka_unit_test(test_a_sandbox_is_stopped_before_it_is_removed),
        cmocka_unit_test(test_a_pod_that_ended_keeps_its_records),
        cmocka_unit_test(test_an_older_one_that_was_only_created),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
