/* pod/sandbox: which sandbox a pod has, and whether it gets another. */
#include "machine.h"

#include "model.h"

#define ONE "containers: [{name: c, image: x}]"

struct choice_case {
    struct seen_sandbox sandboxes[2]; /* newest first */
    size_t count;
    bool host_network;
    bool keep;
    uint32_t attempt;
    const char *old_id;
};

#define READY(number)                                                                              \
    {                                                                                              \
        .id = "s" #number, .attempt = number, .ready = true, .network_known = true, .ip_count = 1  \
    }
#define STOPPED(number)                                                                            \
    {                                                                                              \
        .id = "s" #number, .attempt = number                                                       \
    }

static const struct choice_case choices[] = {
    {.count = 0, .attempt = 0},
    {.sandboxes = {READY(0)}, .count = 1, .keep = true, .attempt = 1},
    {.sandboxes = {READY(3), STOPPED(2)}, .count = 2, .keep = true, .attempt = 4},
    {.sandboxes = {READY(3), READY(2)}, .count = 2, .attempt = 4, .old_id = "s3"},
    {.sandboxes = {STOPPED(3)}, .count = 1, .attempt = 4, .old_id = "s3"},
    {.sandboxes = {STOPPED(3), READY(2)}, .count = 2, .attempt = 4, .old_id = "s3"},
    /* its network is another one: no event */
    {.sandboxes = {READY(0)}, .count = 1, .host_network = true, .attempt = 1},
    {.sandboxes = {{.id = "s0", .ready = true, .host_network = true}}, .count = 1, .attempt = 1},
    {.sandboxes = {{.id = "s0", .ready = true, .host_network = true}},
     .count = 1,
     .host_network = true,
     .keep = true,
     .attempt = 1},
    /* check 43: no address */
    {.sandboxes = {{.id = "s0", .ready = true, .network_known = true}},
     .count = 1,
     .attempt = 1,
     .old_id = "s0"},
    {.sandboxes = {{.id = "s0", .ready = true}}, .count = 1, .keep = true, .attempt = 1},
};

static void test_each_row(void **state)
{
    for (size_t i = 0; i < array_size(choices); i++) {
        const struct choice_case *test = &choices[i];
        struct pod pod = {.spec.host_network = test->host_network};
        struct pod_observed observed = {.looked = 1};
        struct sandbox_choice choice;

        observed.sandboxes.items = (struct seen_sandbox *)test->sandboxes;
        observed.sandboxes.count = test->count;
        choice = sandbox_choose(&pod, &observed);
        assert_int_equal(choice.keep != NULL, test->keep);
        assert_int_equal(choice.attempt, test->attempt);
        assert_true(str_equal(choice.old_id, test->old_id));
    }
}

/* Stopped by another: what becomes of the pod. */

struct loss_case {
    const char *spec;
    int code; /* of all its containers; -1: they run on */
    const char *actions;
    const char *phase;
    bool told;
};

static const struct loss_case losses[] = {
    {ONE, 137, "stopbox sandbox#1 image:c start:c#1", "Running", true},
    {"restartPolicy: OnFailure, " ONE, 137, "stopbox sandbox#1 image:c start:c#1", "Running", true},
    {"restartPolicy: OnFailure, " ONE, 0, "stopbox release", "Succeeded", false},
    {"restartPolicy: Never, " ONE, 137, "stopbox release", "Failed", false}, /* check 42 */
    {"restartPolicy: Never, " ONE, 0, "stopbox release", "Succeeded", false},
    {"restartPolicy: Never, containers: [{name: c, image: x, restartPolicy: Always}]", 137,
     "stopbox release", "Failed", false},
    {ONE, -1, "stop:c/30 stopbox sandbox#1 image:c start:c#1", "Running", true},
    {"restartPolicy: OnFailure, " ONE, -1, "stop:c/30 stopbox sandbox#1 image:c start:c#1",
     "Running", true},
    {"restartPolicy: Never, " ONE, -1, "stop:c/30 stopbox release", "Failed", false},
};

static void test_check_42_a_sandbox_that_is_stopped(void **state)
{
    for (size_t i = 0; i < array_size(losses); i++) {
        struct machine machine;

        machine_api(&machine, losses[i].spec);
        machine_start(&machine);
        machine.sandboxes[0].ready = false;
        if (losses[i].code >= 0)
            machine_exit(&machine, "c", losses[i].code);
        machine_run(&machine);
        assert_actions(&machine, losses[i].actions);
        assert_phase(&machine, losses[i].phase);
        if (losses[i].told)
            assert_event(&machine,
                         "SandboxChanged: Pod sandbox changed, it will be killed and re-created.");
        else
            assert_no_event(&machine, "SandboxChanged");
        machine_deinit(&machine);
    }
}

/* One that ends well because it was told to has not done its work. */
static void test_what_is_stopped_with_its_sandbox_runs_again(void **state)
{
    struct machine machine;

    machine_api(&machine, "restartPolicy: OnFailure, " ONE);
    machine_start(&machine);
    machine.sandboxes[0].ip_count = 0;
    machine.hold = "stop";
    machine_run(&machine);
    machine_exit(&machine, "c", 0);
    machine.hold = NULL;
    machine_run(&machine);
    assert_actions(&machine, "stop:c/30 stopbox sandbox#1 image:c start:c#1");
    assert_phase(&machine, "Running");
    machine_deinit(&machine);
}

static void test_check_42_init_containers_run_again(void **state)
{
    struct machine machine;

    machine_api(&machine, "initContainers: [{name: i, image: x}, {name: s, image: x, "
                          "restartPolicy: Always}], " ONE);
    machine_start(&machine);
    machine_exit(&machine, "i", 0);
    machine_start(&machine);
    machine.sandboxes[0].ready = false;
    machine_exit(&machine, "c", 137);
    machine_exit(&machine, "s", 137);
    machine_run(&machine);
    assert_actions(&machine, "stopbox remove:s remove:i sandbox#1 image:i start:i#1");
    assert_phase(&machine, "Pending");
    assert_event(&machine, "SandboxChanged");
    machine_exit(&machine, "i", 0);
    machine_run(&machine);
    assert_actions(&machine, "image:s start:s#1 image:c start:c#1");
    assert_phase(&machine, "Running");
    machine_deinit(&machine);
}

static void test_check_41_everything_is_lost(void **state)
{
    static const struct {
        const char *policy;
        const char *actions;
        const char *phase;
        const char *last;
        int32_t restarts;
    } cases[] = {
        {"Never", "release", "Failed", "ContainerStatusUnknown", 1},
        {"Always", "sandbox#0 image:c", "Running", "ContainerStatusUnknown", 1},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        char *spec = mem_printf("restartPolicy: %s, " ONE, cases[i].policy);
        const struct container_status *status;
        struct machine machine;

        machine_api(&machine, spec);
        machine_start(&machine);
        machine_lose_containers(&machine);
        machine.sandbox_count = 0;
        machine.hold = "image";
        machine_run(&machine);
        assert_actions(&machine, cases[i].actions);
        assert_phase(&machine, cases[i].phase);
        status = machine_status(&machine, "c");
        assert_string_equal(status->last_state.terminated->reason, cases[i].last);
        assert_int_equal(status->last_state.terminated->exit_code, 137);
        assert_int_equal(status->restart_count, cases[i].restarts);
        machine_deinit(&machine);
        free(spec);
    }
}

static void test_check_43_a_sandbox_without_address(void **state)
{
    struct machine machine;

    machine_spec(&machine, ONE);
    machine_start(&machine);
    machine.sandboxes[0].ip_count = 0;
    machine_run(&machine);
    assert_actions(&machine, "stop:c/30 stopbox sandbox#1 image:c start:c#1");
    assert_condition(&machine, "PodReadyToStartContainers", "True", NULL, NULL);
    machine_deinit(&machine);
}

/* Without a network nothing is begun that needs one. */
static void test_no_network(void **state)
{
    struct machine machine;

    machine_spec(&machine, ONE);
    machine.network_trouble = "no plugin";
    machine_run(&machine);
    assert_actions(&machine, "");
    assert_string_equal(machine_blocker(&machine, "NetworkNotReady")->text,
                        "network is not ready: no plugin");
    machine.network_trouble = NULL;
    machine_run(&machine);
    assert_actions(&machine, "prepare sandbox#0 image:c start:c#0");
    machine_deinit(&machine);

    machine_spec(&machine, "hostNetwork: true, " ONE);
    machine.network_trouble = "no plugin";
    machine_run(&machine);
    assert_actions(&machine, "prepare sandbox#0 image:c start:c#0");
    machine_deinit(&machine);
}

static void test_a_sandbox_that_cannot_be_made(void **state)
{
    struct machine machine;

    machine_spec(&machine, ONE);
    machine.hold = "sandbox";
    machine_run(&machine);
    machine_fail(&machine, "sandbox", NULL, "no address");
    machine_run(&machine);
    assert_event(&machine,
                 "Warning FailedCreatePodSandBox: Failed to create pod sandbox: no address\n");
    assert_condition(&machine, "PodReadyToStartContainers", "False", NULL, NULL);
    machine_advance(&machine, POD_RETRY_FIRST);
    machine_run(&machine);
    assert_actions(&machine, "prepare sandbox#0 sandbox#0");

    strbuf_truncate(&machine.events, 0);
    machine_delete(&machine, 30);
    machine_fail(&machine, "sandbox", NULL, "no address");
    machine_run(&machine);
    assert_no_event(&machine, "FailedCreatePodSandBox"); /* no wonder */
    assert_int_equal(machine.memory.stage, POD_STAGE_GONE);
    machine_deinit(&machine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_row),
        cmocka_unit_test(test_check_42_a_sandbox_that_is_stopped),
        cmocka_unit_test(test_what_is_stopped_with_its_sandbox_runs_again),
        cmocka_unit_test(test_check_42_init_containers_run_again),
        cmocka_unit_test(test_check_41_everything_is_lost),
        cmocka_unit_test(test_check_43_a_sandbox_without_address),
        cmocka_unit_test(test_no_network),
        cmocka_unit_test(test_a_sandbox_that_cannot_be_made),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
