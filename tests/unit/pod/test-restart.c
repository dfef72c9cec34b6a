/* pod/restart: what policies and their rules say of an exit. */
#include "machine.h"

#include "model.h"

#define RULE(action, operator, values)                                                             \
    "restartPolicyRules: [{action: " action ", exitCodes: {operator: " operator", values: "        \
                                                                               "[" values "]}}]"

struct restart_case {
    const char *spec;
    const char *name;
    bool after_0, after_1, after_42;
};

static const struct restart_case restarts[] = {
    {"containers: [{name: c, image: a}]", "c", true, true, true},
    {"restartPolicy: OnFailure, containers: [{name: c, image: a}]", "c", false, true, true},
    {"restartPolicy: Never, containers: [{name: c, image: a}]", "c", false, false, false},
    /* check 47: a container's own policy, and its rules before that */
    {"restartPolicy: Never, containers: [{name: c, image: a, restartPolicy: Always}]", "c", true,
     true, true},
    {"containers: [{name: c, image: a, restartPolicy: Never}]", "c", false, false, false},
    {"containers: [{name: c, image: a, restartPolicy: Never, " RULE("Restart", "In", "42") "}]",
     "c", false, false, true},
    {"containers: [{name: c, image: a, restartPolicy: Never, " RULE("Restart", "NotIn",
                                                                    "0, 42") "}]",
     "c", false, true, false},
    {"containers: [{name: c, image: a, restartPolicy: OnFailure, " RULE("Restart", "In", "0") "}]",
     "c", true, true, true},
    {"containers: [{name: c, image: a, restartPolicy: Never, " RULE("RestartAllContainers", "In",
                                                                    "1, 42") "}]",
     "c", false, true, true},
    /* init containers */
    {"restartPolicy: Never, initContainers: [{name: i, image: a}], containers: [{name: c, image: "
     "a}]",
     "i", false, false, false},
    {"restartPolicy: Never, initContainers: [{name: s, image: a, restartPolicy: Always}], "
     "containers: [{name: c, image: a}]",
     "s", true, true, true},
    {"initContainers: [{name: i, image: a, restartPolicy: Never}], containers: [{name: c, image: "
     "a}]",
     "i", false, false, false},
    {"containers: [{name: c, image: a}]", "e", false, false, false},
};

static void test_checks_12_and_47_restart_policies(void **state)
{
    for (size_t i = 0; i < array_size(restarts); i++) {
        const struct restart_case *test = &restarts[i];
        struct pod_container_ref ref;
        struct machine machine;

        machine_spec(&machine, test->spec);
        machine_add_ephemeral(&machine, "e");
        ref = pod_container_find(machine.desired.pod, test->name);
        if (restart_wanted(machine.desired.pod, ref, 0) != test->after_0 ||
            restart_wanted(machine.desired.pod, ref, 1) != test->after_1 ||
            restart_wanted(machine.desired.pod, ref, 42) != test->after_42)
            fail_msg("%s", test->spec);
        machine_deinit(&machine);
    }
}

static void test_who_asks_to_restart_all(void **state)
{
    static const struct {
        const char *rules;
        int32_t exit_code;
        bool asked;
    } cases[] = {
        {RULE("RestartAllContainers", "In", "42"), 42, true},
        {RULE("RestartAllContainers", "In", "42"), 1, false},
        {RULE("RestartAllContainers", "NotIn", "42"), 1, true},
        {RULE("Restart", "In", "42"), 42, false},
        /* the first rule that matches counts */
        {"restartPolicyRules: [{action: Restart, exitCodes: {operator: In, values: [42]}}, "
         "{action: RestartAllContainers, exitCodes: {operator: NotIn, values: [0]}}]",
         42, false},
        {"restartPolicyRules: [{action: Restart, exitCodes: {operator: In, values: [42]}}, "
         "{action: RestartAllContainers, exitCodes: {operator: NotIn, values: [0]}}]",
         41, true},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        char *spec = mem_printf("containers: [{name: c, image: a, restartPolicy: Never, %s}]",
                                cases[i].rules);
        struct machine machine;

        machine_spec(&machine, spec);
        assert_int_equal(restart_all_asked(machine.desired.pod,
                                           pod_container_find(machine.desired.pod, "c"),
                                           cases[i].exit_code),
                         cases[i].asked);
        machine_deinit(&machine);
        free(spec);
    }
}

static void test_an_init_container_killed_for_its_memory_failed(void **state)
{
    static const struct {
        int32_t exit_code;
        const char *reason;
        bool failed;
    } cases[] = {{0, "Completed", false}, {1, "Error", true}, {0, "OOMKilled", true}};
    struct machine machine;
    struct pod_container_ref ref;

    for (size_t i = 0; i < array_size(cases); i++) {
        struct seen_container seen = {.exit_code = cases[i].exit_code, .reason = cases[i].reason};

        assert_int_equal(init_failed(&seen), cases[i].failed);
    }
    machine_spec(&machine, "restartPolicy: OnFailure, initContainers: [{name: i, image: a}], "
                           "containers: [{name: c, image: a}]");
    ref = pod_container_find(machine.desired.pod, "i");
    assert_true(init_restarts(machine.desired.pod, ref, 0));
    assert_true(restart_on_change(machine.desired.pod, ref));
    machine_deinit(&machine);
}

static void play(struct machine *machine, const char *policy)
{
    char *spec = mem_printf("restartPolicy: %s, containers: [{name: c, image: a}]", policy);

    machine_api(machine, spec);
    machine_start(machine);
    free(spec);
    machine_exit(machine, "c", 1);
    machine_sleep(machine, 30 * USEC_PER_SEC);
    if (machine_container(machine, "c")->state != POD_RUNNING)
        return;
    machine_exit(machine, "c", 0);
    machine_sleep(machine, 30 * USEC_PER_SEC);
}

/* Fails, then succeeds, then stays. */
static void test_check_13_a_script_under_each_policy(void **state)
{
    static const struct {
        const char *policy;
        const char *phase;
        const char *ready;
        int32_t restarts;
    } cases[] = {
        {"Always", "Running", "True", 2},
        {"OnFailure", "Succeeded", "False", 1},
        {"Never", "Failed", "False", 0},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        struct machine machine;

        play(&machine, cases[i].policy);
        assert_phase(&machine, cases[i].phase);
        assert_int_equal(machine_status(&machine, "c")->restart_count, cases[i].restarts);
        assert_string_equal(machine_condition(&machine, "Ready")->status, cases[i].ready);
        machine_deinit(&machine);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_checks_12_and_47_restart_policies),
        cmocka_unit_test(test_who_asks_to_restart_all),
        cmocka_unit_test(test_an_init_container_killed_for_its_memory_failed),
        cmocka_unit_test(test_check_13_a_script_under_each_policy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
