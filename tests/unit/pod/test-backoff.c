/* pod/backoff: how long a container waits that crashed, and one whose image cannot be had. */
#include "machine.h"

#define ONE "containers: [{name: c, image: a}]"
#define PROBED                                                                                     \
    "containers: [{name: c, image: a, livenessProbe: {exec: {command: [x]}}, startupProbe: "       \
    "{exec: {command: [x]}}}]"

/* Until it runs again: seconds. */
static unsigned wait_for(struct machine *machine, const char *name)
{
    usec_t began = machine->now.boot;

    machine_run(machine);
    while (machine_container(machine, name)->state != POD_RUNNING) {
        assert_true(machine->plan.wake > machine->now.boot);
        assert_true(machine->plan.wake != USEC_NEVER);
        machine_advance(machine, usec_sub(machine->plan.wake, machine->now.boot));
        machine_run(machine);
    }
    return (unsigned)((machine->now.boot - began + USEC_PER_SEC / 2) / USEC_PER_SEC);
}

static unsigned wait_after_crash(struct machine *machine, usec_t lived)
{
    machine_advance(machine, lived);
    machine_exit(machine, "c", 1);
    return wait_for(machine, "c");
}

static void test_checks_17_and_19_crash_loops(void **state)
{
    static const struct {
        usec_t max;
        unsigned waits[9];
    } cases[] = {
        {0, {0, 10, 20, 40, 80, 160, 300, 300, 300}},
        {30 * USEC_PER_SEC, {0, 10, 20, 30, 30, 30, 30, 30, 30}},
        {1 * USEC_PER_SEC, {0, 1, 1, 1, 1, 1, 1, 1, 1}},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        struct machine machine;

        machine_spec(&machine, ONE);
        machine.desired.crash_delay_max = cases[i].max;
        machine_start(&machine);
        for (size_t j = 0; j < array_size(cases[i].waits); j++)
            assert_int_equal(wait_after_crash(&machine, 5 * USEC_PER_SEC), cases[i].waits[j]);
        machine_deinit(&machine);
    }
}

/* Whatever kind of container, and whatever it says at its exit. */
static void test_exit_codes_and_kinds_do_not_matter(void **state)
{
    static const char *const specs[] = {
        "containers: [{name: c, image: a}]",
        "initContainers: [{name: c, image: a, restartPolicy: Always}], containers: [{name: b, "
        "image: a}]",
    };

    for (size_t i = 0; i < array_size(specs); i++) {
        struct machine machine;

        machine_spec(&machine, specs[i]);
        machine_start(&machine);
        machine_exit(&machine, "c", 0);
        assert_int_equal(wait_for(&machine, "c"), 0);
        machine_exit(&machine, "c", 137);
        assert_int_equal(wait_for(&machine, "c"), 10);
        machine_exit(&machine, "c", 0);
        assert_int_equal(wait_for(&machine, "c"), 20);
        machine_deinit(&machine);
    }
}

static void test_check_18_another_image_starts_afresh(void **state)
{
    struct machine machine;

    machine_spec(&machine, ONE);
    machine_start(&machine);
    for (unsigned i = 0; i < 4; i++)
        wait_after_crash(&machine, USEC_PER_SEC);
    machine_exit(&machine, "c", 1);
    machine_run(&machine);
    assert_waiting(&machine, "c", "CrashLoopBackOff");
    machine_change_image(&machine, "c", "b");
    assert_int_equal(wait_for(&machine, "c"), 0);
    assert_int_equal(wait_after_crash(&machine, USEC_PER_SEC), 10);
    machine_deinit(&machine);
}

static void test_other_resources_start_afresh(void **state)
{
    struct quantity_pair limit = {.name = "cpu"};
    struct container *container;
    struct machine machine;
    struct err err;

    machine_spec(&machine, ONE);
    machine_start(&machine);
    wait_after_crash(&machine, USEC_PER_SEC);
    machine_exit(&machine, "c", 1);
    machine_run(&machine);
    assert_runs(&machine, "c", false);
    assert_int_equal(quantity_parse("1", 1, &limit.quantity, &err), 0);
    container = (struct container *)pod_container_find(machine.desired.pod, "c").container;
    container->resources.limits.items = &limit;
    container->resources.limits.count = 1;
    assert_int_equal(wait_for(&machine, "c"), 0);
    machine_deinit(&machine);
}

static void test_check_20_ten_minutes_forgive(void **state)
{
    struct machine machine;

    machine_spec(&machine, ONE);
    machine_start(&machine);
    for (unsigned i = 0; i < 7; i++)
        wait_after_crash(&machine, USEC_PER_SEC);
    assert_int_equal(wait_after_crash(&machine, 601 * USEC_PER_SEC), 0);
    assert_int_equal(wait_after_crash(&machine, USEC_PER_SEC), 10);
    machine_deinit(&machine);
}

/* The delay is forgotten 600 s after it was chosen, also while something waits for it. */
static void test_a_delay_is_forgotten_while_it_lasts(void **state)
{
    struct machine machine;

    machine_spec(&machine, ONE);
    machine_start(&machine);
    for (unsigned i = 0; i < 7; i++)
        wait_after_crash(&machine, USEC_PER_SEC);
    assert_int_equal(wait_after_crash(&machine, 400 * USEC_PER_SEC), 200);
    assert_int_equal(wait_after_crash(&machine, USEC_PER_SEC), 10);
    machine_deinit(&machine);
}

/* One that is killed for its probe is judged by the end before: none, then that of each kill. */
static void test_failed_probes_back_off_as_well(void **state)
{
    static const unsigned waits[] = {0, 0, 0, 0, 40, 80};
    struct machine machine;

    machine_spec(&machine, PROBED);
    machine_start(&machine);
    for (size_t i = 0; i < array_size(waits); i++) {
        machine_advance(&machine, 30 * USEC_PER_SEC);
        machine_probe(&machine, "c", (struct seen_probes){.liveness = POD_PROBE_FAILURE});
        machine_plan(&machine);
        machine_finish(&machine, "stop");
        assert_int_equal(wait_for(&machine, "c"), waits[i]);
        assert_int_equal(machine_status(&machine, "c")->restart_count, i + 1);
    }
    machine_deinit(&machine);
}

static void test_what_is_said_of_a_crash_loop(void **state)
{
    const struct pod_blocker *blocker;
    struct machine machine;

    machine_spec(&machine, ONE);
    machine_start(&machine);
    for (unsigned i = 0; i < 4; i++)
        wait_after_crash(&machine, USEC_PER_SEC);
    machine_exit(&machine, "c", 1);
    strbuf_truncate(&machine.events, 0);
    machine_run(&machine);
    machine_run(&machine);
    assert_string_equal(
        machine.events.text,
        "Warning BackOff c: Back-off restarting failed container c in pod web_default(uid-1)\n");
    assert_waiting(&machine, "c", "CrashLoopBackOff");
    assert_string_equal(machine_status(&machine, "c")->state.waiting->message,
                        "back-off 1m20s restarting failed container=c pod=web_default(uid-1)");
    assert_int_equal(machine_status(&machine, "c")->last_state.terminated->exit_code, 1);
    blocker = machine_blocker(&machine, "CrashLoopBackOff");
    assert_true(blocker->until == machine.plan.wake);
    assert_true(usec_sub(blocker->until, blocker->since) == 80 * USEC_PER_SEC);
    machine_deinit(&machine);
}

static void test_a_restarted_agent_waits_as_long(void **state)
{
    struct machine machine;

    machine_spec(&machine, ONE);
    machine_start(&machine);
    for (unsigned i = 0; i < 3; i++)
        wait_after_crash(&machine, USEC_PER_SEC);
    machine_exit(&machine, "c", 1);
    machine_sleep(&machine, 30 * USEC_PER_SEC);
    machine_restart(&machine);
    assert_int_equal(wait_for(&machine, "c"), 10);
    machine_deinit(&machine);
}

/* images */

static void fail_pull(struct machine *machine)
{
    machine_plan(machine);
    machine_fail(machine, "image", "ErrImagePull", "not found");
    machine_plan(machine);
}

static void test_check_21_an_image_that_does_not_exist(void **state)
{
    static const unsigned waits[] = {10, 20, 40, 80, 160, 300, 300};
    struct machine machine;

    machine_api(&machine, ONE);
    machine.hold = "image";
    machine_run(&machine);
    for (size_t i = 0; i < array_size(waits); i++) {
        usec_t failed = machine.now.boot;

        strbuf_truncate(&machine.events, 0);
        fail_pull(&machine);
        assert_string_equal(machine.events.text,
                            "Warning Failed c: Failed to pull image \"a\": not found\n"
                            "Warning Failed c: Error: ErrImagePull\n");
        assert_waiting(&machine, "c", "ErrImagePull");
        assert_string_equal(machine_status(&machine, "c")->state.waiting->message, "not found");
        strbuf_truncate(&machine.events, 0);
        machine_advance(&machine, POD_IMAGE_FAILURE_SHOWN);
        machine_run(&machine);
        machine_run(&machine);
        assert_string_equal(machine.events.text, "Normal BackOff c: Back-off pulling image \"a\"\n"
                                                 "Warning Failed c: Error: ImagePullBackOff\n");
        assert_waiting(&machine, "c", "ImagePullBackOff");
        assert_string_equal(machine_status(&machine, "c")->state.waiting->message,
                            "Back-off pulling image \"a\": ErrImagePull: not found");
        assert_phase(&machine, "Pending");
        machine_advance(&machine, usec_sub(machine.plan.wake, machine.now.boot));
        strbuf_truncate(&machine.log, 0);
        machine_plan(&machine);
        assert_actions(&machine, "image:c");
        assert_int_equal((machine.now.boot - failed) / USEC_PER_SEC, waits[i]);
    }
    machine_deinit(&machine);
}

static void test_what_the_runtime_says_of_an_image(void **state)
{
    static const struct {
        const char *reason;
        const char *event;
        bool backs_off;
    } cases[] = {
        {"ErrImagePull", "Failed to pull image \"a\": why", true},
        {"RegistryUnavailable", "Failed to pull image \"a\": why", true},
        {"SignatureValidationFailed", "Failed to pull image \"a\": why", true},
        {"ErrImageNeverPull", "Warning ErrImageNeverPull c: why", false},
        {"InvalidImageName", "Warning InspectFailed c: why", false},
        {"ImageInspectError", "Warning InspectFailed c: why", false},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        struct machine machine;

        machine_spec(&machine, ONE);
        machine.hold = "image";
        machine_run(&machine);
        machine_fail(&machine, "image", cases[i].reason, "why");
        machine_run(&machine);
        assert_event(&machine, cases[i].event);
        assert_waiting(&machine, "c", cases[i].reason);
        assert_int_equal(machine.memory.images.count, cases[i].backs_off);
        assert_null(machine_operation(&machine, "image"));
        assert_true(machine.plan.wake <= machine.now.boot + 10 * USEC_PER_SEC);
        machine_deinit(&machine);
    }
}

/* It is the image that is waited for: another one is asked for at once. */
static void test_another_image_does_not_wait(void **state)
{
    struct machine machine;

    machine_spec(&machine, ONE);
    machine.hold = "image";
    machine_run(&machine);
    fail_pull(&machine);
    machine_change_image(&machine, "c", "b");
    machine.hold = NULL;
    machine_run(&machine);
    assert_runs(&machine, "c", true);
    machine_advance(&machine, POD_IMAGE_FORGET + USEC_PER_SEC);
    machine_run(&machine);
    assert_int_equal(machine.memory.images.count, 0);
    machine_deinit(&machine);
}

/* Two containers, one image that is not there: the second waits as well, and says so at once. */
static void test_an_image_of_two_containers(void **state)
{
    struct machine machine;

    machine_spec(&machine, "containers: [{name: c, image: a}, {name: d, image: a}]");
    machine.hold = "image";
    machine_run(&machine);
    fail_pull(&machine);
    assert_waiting(&machine, "c", "ErrImagePull");
    assert_waiting(&machine, "d", "ImagePullBackOff");
    assert_null(machine_operation(&machine, "image"));
    machine_deinit(&machine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_checks_17_and_19_crash_loops),
        cmocka_unit_test(test_exit_codes_and_kinds_do_not_matter),
        cmocka_unit_test(test_check_18_another_image_starts_afresh),
        cmocka_unit_test(test_other_resources_start_afresh),
        cmocka_unit_test(test_check_20_ten_minutes_forgive),
        cmocka_unit_test(test_a_delay_is_forgotten_while_it_lasts),
        cmocka_unit_test(test_failed_probes_back_off_as_well),
        cmocka_unit_test(test_what_is_said_of_a_crash_loop),
        cmocka_unit_test(test_a_restarted_agent_waits_as_long),
        cmocka_unit_test(test_check_21_an_image_that_does_not_exist),
        cmocka_unit_test(test_what_the_runtime_says_of_an_image),
        cmocka_unit_test(test_another_image_does_not_wait),
        cmocka_unit_test(test_an_image_of_two_containers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
