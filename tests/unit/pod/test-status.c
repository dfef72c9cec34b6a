/* pod/status: what is said of a pod as a whole. */
#include "machine.h"

#define ONE "containers: [{name: c, image: x}]"

static void test_check_54_a_deadline(void **state)
{
    static const int codes[] = {0, 143};

    for (size_t i = 0; i < array_size(codes); i++) {
        struct machine machine;

        machine_api(&machine, "activeDeadlineSeconds: 5, terminationGracePeriodSeconds: 9, " ONE);
        machine_start(&machine);
        assert_true(machine.plan.wake <= machine.now.boot + 5 * USEC_PER_SEC);
        machine_advance(&machine, 4 * USEC_PER_SEC);
        machine_run(&machine);
        assert_actions(&machine, "");
        machine_advance(&machine, USEC_PER_SEC);
        machine.hold = "stop";
        machine_run(&machine);
        assert_actions(&machine, "stop:c/9");
        assert_event(&machine, "Normal DeadlineExceeded: Pod was active on the node longer than "
                               "the specified deadline\n");
        assert_phase(&machine, "Running");
        machine_exit(&machine, "c", codes[i]);
        machine.hold = NULL;
        machine_run(&machine);
        assert_phase(&machine, "Failed");
        assert_string_equal(machine.memory.published->reason, "DeadlineExceeded");
        assert_string_equal(machine.memory.published->message,
                            "Pod was active on the node longer than the specified deadline");
        machine_deinit(&machine);
    }
}

static void test_a_pod_that_ended_before_has_no_deadline(void **state)
{
    struct machine machine;

    machine_api(&machine, "activeDeadlineSeconds: 5, restartPolicy: Never, " ONE);
    machine_start(&machine);
    machine_exit(&machine, "c", 0);
    machine_run(&machine);
    machine_advance(&machine, 10 * USEC_PER_SEC);
    machine_run(&machine);
    assert_phase(&machine, "Succeeded");
    assert_null(machine.memory.published->reason);
    machine_deinit(&machine);
}

/* A pod that the node ended keeps that reason, unless all went well. */
static void test_what_the_node_ended(void **state)
{
    static const struct {
        int code;
        const char *phase;
        const char *reason;
    } cases[] = {{0, "Succeeded", ""}, {1, "Failed", "Evicted"}};

    for (size_t i = 0; i < array_size(cases); i++) {
        const char *reason;
        struct machine machine;

        machine_api(&machine, ONE);
        machine_start(&machine);
        machine.memory.end_reason = "Evicted";
        machine.memory.end_message = "The node was low on resource: memory. ";
        machine_delete(&machine, 1);
        machine_exit(&machine, "c", cases[i].code);
        machine_run(&machine);
        assert_phase(&machine, cases[i].phase);
        reason = machine.memory.published->reason;
        assert_string_equal(reason ? reason : "", cases[i].reason);
        machine_deinit(&machine);
    }
}

/* Check 55: not before everything was stopped, and never with Ready. */
static void test_check_55_a_final_phase_comes_last(void **state)
{
    struct machine machine;

    machine_api(&machine, "restartPolicy: Never, initContainers: [{name: s, image: x, "
                          "restartPolicy: Always}], " ONE);
    machine_start(&machine);
    machine_exit(&machine, "c", 1);
    machine.hold = "stop";
    machine_run(&machine);
    assert_phase(&machine, "Running");
    machine.hold = NULL;
    machine_run(&machine);
    assert_phase(&machine, "Failed");
    assert_condition(&machine, "Ready", "False", "PodFailed", NULL);
    assert_condition(&machine, "ContainersReady", "False", "PodFailed", NULL);
    machine_deinit(&machine);
}

/* A static pod has no final phase by being stopped; one that is not always has. */
static void test_the_phase_of_a_pod_that_is_stopped(void **state)
{
    static const struct {
        const char *spec;
        const char *hold;
        bool static_pod;
        const char *phase;
    } cases[] = {
        {ONE, NULL, true, "Running"},
        {ONE, NULL, false, "Failed"},
        {ONE, "image", true, "Pending"},
        {ONE, "image", false, "Failed"},
        {"restartPolicy: Never, " ONE, NULL, true, "Failed"},
        {"initContainers: [{name: i, image: x}], " ONE, NULL, true, "Pending"},
        {"initContainers: [{name: i, image: x}], " ONE, NULL, false, "Failed"},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        struct machine machine;

        machine_api(&machine, cases[i].spec);
        machine.desired.static_pod = cases[i].static_pod;
        machine.hold = cases[i].hold;
        machine_run(&machine);
        machine.desired.removed = true;
        machine.hold = NULL;
        machine_run(&machine);
        assert_int_equal(machine.memory.stage, POD_STAGE_GONE);
        assert_phase(&machine, cases[i].phase);
        machine_deinit(&machine);
    }
}

/* The first init container is through, the second never began: the pod is deleted, and Failed. */
static void test_a_deleted_pod_has_a_final_phase(void **state)
{
    struct machine machine;

    machine_api(&machine, "initContainers: [{name: i, image: x}, {name: j, image: x}], " ONE);
    machine_start(&machine);
    machine.hold = "image";
    machine_exit(&machine, "i", 0);
    machine_run(&machine);
    machine_delete(&machine, 30);
    machine_run(&machine);
    assert_phase(&machine, "Failed");
    assert_int_equal(machine_status(&machine, "i")->state.terminated->exit_code, 0);
    assert_waiting(&machine, "j", "PodInitializing");
    machine_deinit(&machine);
}

static void test_check_60_generations(void **state)
{
    struct machine machine;

    machine_api(&machine, ONE);
    machine_pod(&machine)->object.metadata.generation = 1;
    machine_start(&machine);
    assert_int_equal(machine.memory.published->observed_generation, 1);
    assert_int_equal(machine_condition(&machine, "Ready")->observed_generation, 1);
    machine_pod(&machine)->object.metadata.generation = 2;
    machine_run(&machine);
    assert_int_equal(machine.memory.published->observed_generation, 2);
    assert_int_equal(machine_condition(&machine, "Ready")->observed_generation, 2);
    machine_pod(&machine)->object.metadata.generation = 1; /* an older look at the API */
    machine_run(&machine);
    assert_int_equal(machine.memory.published->observed_generation, 2);
    machine_deinit(&machine);
}

static void test_when_it_began_and_of_which_class(void **state)
{
    struct machine machine;
    int64_t began;

    machine_api(&machine, ONE);
    began = machine.now.wall;
    machine_run(&machine);
    machine_advance(&machine, 100 * USEC_PER_SEC);
    machine_restart(&machine);
    machine_run(&machine);
    assert_true(machine.memory.published->start_time.usec == began);
    assert_string_equal(machine.memory.published->qos_class, "BestEffort");
    machine_deinit(&machine);

    machine_api(&machine, ONE); /* another agent told when it began */
    machine_pod(&machine)->status.start_time = (struct opt_time){.usec = 77, .set = true};
    machine_run(&machine);
    assert_true(machine.memory.published->start_time.usec == 77);
    machine_deinit(&machine);
}

/* addresses */

struct address_case {
    const char *node[3];
    const char *sandbox[3];
    const char *expected; /* of the pod */
};

static const struct address_case addresses[] = {
    {{"192.0.2.1"}, {"10.0.0.2"}, "10.0.0.2"},
    {{"192.0.2.1"}, {"10.0.0.2", "fd00::2"}, "10.0.0.2 fd00::2"},
    {{"192.0.2.1"}, {"fd00::2", "10.0.0.2"}, "10.0.0.2 fd00::2"},
    {{"2001:db8::1"}, {"10.0.0.2", "fd00::2"}, "fd00::2 10.0.0.2"},
    {{"192.0.2.1"}, {"10.0.0.2", "10.0.0.3", "fd00::2"}, "10.0.0.2 fd00::2"},
    {{"192.0.2.1"}, {"fd00::2"}, "fd00::2"},
    {{NULL}, {"fd00::2", "10.0.0.2"}, "fd00::2 10.0.0.2"},
    {{"192.0.2.1"}, {NULL}, ""},
};

static void assert_addresses(const struct machine *machine, const char *expected)
{
    const struct pod_status *status = machine->memory.published;
    struct strbuf text = STRBUF_INIT;

    array_for_each (entry, status->pod_ips)
        strbuf_printf(&text, "%s%s", text.length ? " " : "", entry->ip);
    assert_string_equal(text.text ? text.text : "", expected);
    if (status->pod_ips.count)
        assert_string_equal(status->pod_ip, status->pod_ips.items[0].ip);
    strbuf_deinit(&text);
}

static void test_addresses(void **state)
{
    for (size_t i = 0; i < array_size(addresses); i++) {
        const char *nodes[4] = {0};
        struct machine machine;

        memcpy(nodes, addresses[i].node, sizeof(addresses[i].node));
        machine_api(&machine, ONE);
        machine.desired.node_ips = nodes;
        machine.sandboxes[0] = (struct seen_sandbox){.id = "s", .ready = true};
        machine.sandboxes[0].ips = addresses[i].sandbox;
        while (machine.sandboxes[0].ip_count < 3 &&
               addresses[i].sandbox[machine.sandboxes[0].ip_count])
            machine.sandboxes[0].ip_count++;
        machine.sandbox_count = 1;
        machine_plan(&machine);
        assert_addresses(&machine, addresses[i].expected);
        machine_deinit(&machine);
    }
}

static void test_addresses_stay(void **state)
{
    static const char *const moved[] = {"192.0.2.9", NULL};
    struct machine machine;

    machine_api(&machine, ONE);
    machine_start(&machine);
    assert_addresses(&machine, "10.0.0.2");
    machine_delete(&machine, 1);
    machine_run(&machine);
    assert_addresses(&machine, "10.0.0.2"); /* its sandbox is gone */
    machine_deinit(&machine);

    machine_api(&machine, "hostNetwork: true, " ONE);
    machine_start(&machine);
    assert_addresses(&machine, "192.0.2.1");
    machine.desired.node_ips = moved;
    machine_run(&machine);
    assert_addresses(&machine, "192.0.2.1");
    assert_string_equal(machine.memory.published->host_ip, "192.0.2.9");
    machine_deinit(&machine);
}

static void test_what_a_status_explains(void **state)
{
    struct machine machine;

    machine_api(&machine,
                "readinessGates: [{conditionType: example.com/gate}], containers: [{name: "
                "c, image: x, startupProbe: {exec: {command: [x]}}, readinessProbe: "
                "{exec: {command: [x]}}}]");
    machine_start(&machine);
    assert_string_equal(machine_blocker(&machine, "StartupProbe")->container, "c");
    machine_probe(&machine, "c", (struct seen_probes){.startup = POD_PROBE_SUCCESS});
    machine_run(&machine);
    assert_string_equal(machine_blocker(&machine, "ReadinessProbe")->container, "c");
    machine_probe(
        &machine, "c",
        (struct seen_probes){.startup = POD_PROBE_SUCCESS, .readiness = POD_PROBE_SUCCESS});
    machine_run(&machine);
    assert_non_null(machine_blocker(&machine, "ReadinessGatesNotReady"));
    machine_deinit(&machine);

    machine_api(&machine, "activeDeadlineSeconds: 1, " ONE);
    machine_start(&machine);
    machine_sleep(&machine, 5 * USEC_PER_SEC);
    assert_non_null(machine_blocker(&machine, "DeadlineExceeded"));
    machine_deinit(&machine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check_54_a_deadline),
        cmocka_unit_test(test_a_pod_that_ended_before_has_no_deadline),
        cmocka_unit_test(test_what_the_node_ended),
        cmocka_unit_test(test_check_55_a_final_phase_comes_last),
        cmocka_unit_test(test_the_phase_of_a_pod_that_is_stopped),
        cmocka_unit_test(test_a_deleted_pod_has_a_final_phase),
        cmocka_unit_test(test_check_60_generations),
        cmocka_unit_test(test_when_it_began_and_of_which_class),
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_addresses_stay),
        cmocka_unit_test(test_what_a_status_explains),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
