/* pod/status-conditions: each condition, its order, its time, and those of others. */
#include "machine.h"

#define ONE "containers: [{name: c, image: x}]"
#define WITH_INIT                                                                                  \
    "initContainers: [{name: i, image: x}, {name: s, image: x, restartPolicy: Always, "            \
    "startupProbe: {exec: {command: [x]}}}], " ONE

static void test_conditions_and_their_order(void **state)
{
    static const char *const types[] = {"PodReadyToStartContainers", "Initialized", "Ready",
                                        "ContainersReady", "PodScheduled"};
    struct machine machine;

    machine_api(&machine, ONE);
    machine_run(&machine);
    assert_int_equal(machine.memory.published->conditions.count, array_size(types));
    for (size_t i = 0; i < array_size(types); i++) {
        assert_string_equal(machine.memory.published->conditions.items[i].type, types[i]);
        assert_condition(&machine, types[i], "True", NULL, NULL);
    }
    machine_deinit(&machine);
}

static void test_check_24_before_anything_runs(void **state)
{
    struct machine machine;

    machine_api(&machine, ONE);
    machine.hold = "prepare";
    machine_run(&machine);
    assert_condition(&machine, "PodScheduled", "True", NULL, NULL);
    assert_condition(&machine, "PodReadyToStartContainers", "False", NULL, NULL);
    assert_condition(&machine, "Initialized", "True", NULL, NULL);
    assert_condition(&machine, "ContainersReady", "False", "ContainersNotReady",
                     "containers with unready status: [c]");
    assert_condition(&machine, "Ready", "False", "ContainersNotReady",
                     "containers with unready status: [c]");
    machine_deinit(&machine);
}

static void test_initialized_step_by_step(void **state)
{
    struct machine machine;

    machine_api(&machine, WITH_INIT);
    machine_run(&machine);
    assert_condition(&machine, "Initialized", "False", "ContainersNotInitialized",
                     "containers with incomplete status: [i s]");
    machine_exit(&machine, "i", 0);
    machine_run(&machine);
    assert_condition(&machine, "Initialized", "False", "ContainersNotInitialized",
                     "containers with incomplete status: [s]");
    assert_condition(&machine, "ContainersReady", "False", "ContainersNotReady",
                     "containers with unready status: [s c]");
    machine_probe(&machine, "s", (struct seen_probes){.startup = POD_PROBE_SUCCESS});
    machine_run(&machine);
    assert_condition(&machine, "Initialized", "True", NULL, NULL);
    machine_exit(&machine, "s", 1); /* once it was, it is */
    machine.hold = "image";
    machine_run(&machine);
    assert_condition(&machine, "Initialized", "True", NULL, NULL);
    assert_condition(&machine, "Ready", "False", "ContainersNotReady",
                     "containers with unready status: [s]");
    machine_deinit(&machine);
}

/* Names are in the order of the specification, unlike statuses. */
static void test_unready_names_in_order(void **state)
{
    struct machine machine;

    machine_api(&machine, "containers: [{name: z, image: x}, {name: a, image: x}]");
    machine.hold = "image";
    machine_run(&machine);
    assert_condition(&machine, "Ready", "False", "ContainersNotReady",
                     "containers with unready status: [z a]");
    machine_deinit(&machine);
}

static void test_conditions_of_a_pod_that_ended(void **state)
{
    static const struct {
        int code;
        const char *reason;
        const char *initialized;
    } cases[] = {{0, "PodCompleted", "PodCompleted"}, {1, "PodFailed", NULL}};

    for (size_t i = 0; i < array_size(cases); i++) {
        struct machine machine;

        machine_api(&machine, "restartPolicy: Never, " ONE);
        machine_run(&machine);
        machine_exit(&machine, "c", cases[i].code);
        machine_run(&machine);
        assert_condition(&machine, "Initialized", "True", cases[i].initialized, NULL);
        assert_condition(&machine, "Ready", "False", cases[i].reason, NULL);
        assert_condition(&machine, "ContainersReady", "False", cases[i].reason, NULL);
        assert_condition(&machine, "PodReadyToStartContainers", "False", NULL, NULL);
        assert_condition(&machine, "PodScheduled", "True", NULL, NULL);
        machine_deinit(&machine);
    }
}

static int64_t since(const struct machine *machine, const char *type)
{
    return machine_condition(machine, type)->last_transition_time.usec;
}

/* One operation at a time, with a second between: who comes before whom. */
static void walk(struct machine *machine)
{
    for (int i = 0; i < 40; i++) {
        const struct pod_operation *next = NULL;

        machine_advance(machine, USEC_PER_SEC);
        machine_plan(machine);
        array_for_each (operation, machine->memory.operations)
            next = operation;
        if (next)
            machine_finish(machine, machine_word(next));
        else if (machine_container(machine, "i") &&
                 machine_container(machine, "i")->state == POD_RUNNING)
            machine_exit(machine, "i", 0);
    }
    assert_condition(machine, "Ready", "True", NULL, NULL);
}

static void test_check_25_transition_times(void **state)
{
    static const char *const with[] = {"PodScheduled", "PodReadyToStartContainers", "Initialized",
                                       "ContainersReady", "Ready"};
    static const char *const without[] = {"PodScheduled", "Initialized",
                                          "PodReadyToStartContainers", "ContainersReady", "Ready"};
    struct machine machine;

    machine_api(&machine, "initContainers: [{name: i, image: x}], " ONE);
    walk(&machine);
    for (size_t i = 1; i < array_size(with); i++)
        assert_true(since(&machine, with[i - 1]) <= since(&machine, with[i]));
    assert_true(since(&machine, "PodScheduled") < since(&machine, "Ready"));
    machine_deinit(&machine);

    machine_api(&machine, ONE);
    walk(&machine);
    for (size_t i = 1; i < array_size(without); i++)
        assert_true(since(&machine, without[i - 1]) <= since(&machine, without[i]));
    machine_deinit(&machine);
}

static void test_a_time_changes_with_its_status_only(void **state)
{
    struct machine machine;
    int64_t ready;

    machine_api(&machine, "containers: [{name: c, image: x, readinessProbe: {exec: {command: "
                          "[x]}}}]");
    machine_run(&machine);
    ready = since(&machine, "Ready");
    machine_advance(&machine, USEC_PER_SEC);
    machine_run(&machine);
    assert_true(since(&machine, "Ready") == ready);
    machine_probe(&machine, "c", (struct seen_probes){.readiness = POD_PROBE_SUCCESS});
    machine_run(&machine);
    assert_true(since(&machine, "Ready") == ready + 1000000);
    machine_deinit(&machine);
}

static void test_check_50_readiness_gates(void **state)
{
    static struct pod_condition gates[] = {{.type = "a.b/one", .status = "False"},
                                           {.type = "other", .status = "True"}};
    struct machine machine;

    machine_api(&machine,
                "readinessGates: [{conditionType: a.b/one}, {conditionType: a.b/two}], " ONE);
    machine_start(&machine);
    assert_condition(&machine, "ContainersReady", "True", NULL, NULL);
    assert_condition(
        &machine, "Ready", "False", "ReadinessGatesNotReady",
        "corresponding condition of pod readiness gate \"a.b/one\" does not exist., corresponding "
        "condition of pod readiness gate \"a.b/two\" does not exist.");

    machine_pod(&machine)->status.conditions.items = gates;
    machine_pod(&machine)->status.conditions.count = 1;
    machine_pod(&machine)->spec.readiness_gates.count = 1;
    machine_run(&machine);
    assert_condition(&machine, "Ready", "False", "ReadinessGatesNotReady",
                     "the status of pod readiness gate \"a.b/one\" is not \"True\", but False");

    gates[0].status = "True";
    machine_pod(&machine)->status.conditions.count = 2;
    machine_run(&machine);
    assert_actions(&machine, "");
    assert_condition(&machine, "Ready", "True", NULL, NULL);
    assert_string_equal(machine.memory.published->conditions.items[0].type, "a.b/one");
    assert_string_equal(machine.memory.published->conditions.items[1].type, "other");
    machine_deinit(&machine);
}

/* Nobody writes conditions into what a manifest declares. */
static void test_a_gate_of_a_static_pod(void **state)
{
    struct machine machine;

    machine_spec(&machine, "readinessGates: [{conditionType: gate}], " ONE);
    machine_run(&machine);
    assert_condition(&machine, "Ready", "False", "ReadinessGatesNotReady",
                     "corresponding condition of pod readiness gate \"gate\" does not exist.");
    machine_deinit(&machine);
}

/* Only pods that have such a rule are said not to restart all. */
static void test_restarting_all(void **state)
{
    struct machine machine;

    machine_api(&machine, "restartPolicy: Never, containers: [{name: c, image: x, restartPolicy: "
                          "Never, restartPolicyRules: [{action: RestartAllContainers, exitCodes: "
                          "{operator: In, values: [42]}}]}]");
    machine_run(&machine);
    assert_condition(&machine, "AllContainersRestarting", "False", NULL, NULL);
    machine_exit(&machine, "c", 42);
    machine_plan(&machine);
    assert_condition(&machine, "AllContainersRestarting", "True", "RestartAllContainersStarted",
                     "container exited with restart policy rule");
    machine_run(&machine);
    assert_condition(&machine, "AllContainersRestarting", "False", NULL, NULL);
    machine_exit(&machine, "c", 1);
    machine_run(&machine);
    assert_condition(&machine, "AllContainersRestarting", "False", "PodFailed", NULL);
    machine_deinit(&machine);

    machine_api(&machine,
                "restartPolicy: OnFailure, initContainers: [{name: s, image: x, "
                "restartPolicy: Always, restartPolicyRules: [{action: "
                "RestartAllContainers, exitCodes: {operator: In, values: [42]}}]}], " ONE);
    machine_run(&machine);
    machine_exit(&machine, "c", 0);
    machine_run(&machine);
    assert_condition(&machine, "AllContainersRestarting", "False", "PodCompleted", NULL);
    machine_deinit(&machine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conditions_and_their_order),
        cmocka_unit_test(test_check_24_before_anything_runs),
        cmocka_unit_test(test_initialized_step_by_step),
        cmocka_unit_test(test_unready_names_in_order),
        cmocka_unit_test(test_conditions_of_a_pod_that_ended),
        cmocka_unit_test(test_check_25_transition_times),
        cmocka_unit_test(test_a_time_changes_with_its_status_only),
        cmocka_unit_test(test_check_50_readiness_gates),
        cmocka_unit_test(test_a_gate_of_a_static_pod),
        cmocka_unit_test(test_restarting_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
