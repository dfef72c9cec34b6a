/* pod/phase: each row of the reference's table. */
#include "machine.h"

#include "status.h"

#define REGULAR(policy)                                                                            \
    "restartPolicy: " policy ", containers: [{name: a, image: a}, {name: b, image: a}]"
#define INIT(policy)                                                                               \
    "restartPolicy: " policy ", initContainers: [{name: i, image: a}], containers: [{name: a, "    \
    "image: a}]"
#define SIDECAR(policy)                                                                            \
    "restartPolicy: " policy ", initContainers: [{name: s, image: a, restartPolicy: Always}], "    \
    "containers: [{name: a, image: a}]"

enum {
    IS_STATIC = 1,
    IS_ENDED = 2,       /* everything was stopped */
    IS_INITIALIZED = 4, /* a regular container is in the sandbox */
    IS_ENDING = 8,
};

struct phase_case {
    const char *spec;
    const char *states; /* run, cold (not started), exitN, wait, waitN (after an exit), all */
    const char *phase;
    unsigned flags;
};

static const struct phase_case cases[] = {
    /* 1: an init container failed for good */
    {INIT("Never"), "i=exit1 a=wait", "Failed"},
    {INIT("Never"), "i=wait1 a=wait", "Failed"},
    {INIT("Always"), "i=exit1 a=wait", "Failed", IS_ENDING},
    {INIT("Always"), "i=exit1 a=wait", "Failed", IS_ENDED},
    /* 2: something to do before the regular containers */
    {INIT("Always"), "i=wait a=wait", "Pending"},
    {INIT("Always"), "i=run a=wait", "Pending"},
    {INIT("Always"), "i=exit1 a=wait", "Pending"},
    {INIT("Always"), "i=wait1 a=wait", "Pending"},
    {INIT("OnFailure"), "i=wait1 a=wait", "Pending"},
    {INIT("Always"), "i=wait1 a=exit1", "Running"},
    {INIT("Always"), "i=run a=exit1", "Pending"}, /* check 42: again, in a new sandbox */
    {SIDECAR("Always"), "s=wait a=wait", "Pending"},
    {SIDECAR("Always"), "s=cold a=wait", "Pending"},
    {SIDECAR("Always"), "s=cold a=exit1", "Pending"},
    {SIDECAR("Always"), "s=cold a=exit1", "Running", IS_INITIALIZED},
    {SIDECAR("Always"), "s=cold a=run", "Running", IS_INITIALIZED},
    /* 3: a regular container never ran */
    {REGULAR("Always"), "a=wait b=wait", "Pending"},
    {REGULAR("Always"), "a=run b=wait", "Pending"},
    {REGULAR("Always"), "a=exit0 b=wait", "Pending"},
    {INIT("Always"), "i=exit0 a=wait", "Pending"},
    {SIDECAR("Always"), "s=run a=wait", "Pending"},
    /* 4: something runs */
    {REGULAR("Always"), "a=run b=run", "Running"},
    {REGULAR("Never"), "a=run b=exit1", "Running"},
    {REGULAR("Always"), "a=run b=wait1", "Running"},
    {INIT("Always"), "i=exit0 a=run", "Running"},
    {INIT("Never"), "i=exit0 a=run", "Running"},
    {REGULAR("Never"), "a=run b=exit0", "Running", IS_ENDING},
    /* 5: everything stopped; a: for good */
    {REGULAR("Always"), "a=exit0 b=exit0", "Succeeded", IS_ENDED},
    {REGULAR("Always"), "a=exit0 b=exit1", "Failed", IS_ENDED},
    {REGULAR("Always"), "a=exit0 b=wait0", "Failed", IS_ENDED},
    {SIDECAR("Always"), "s=exit137 a=exit0", "Succeeded", IS_ENDED},
    {SIDECAR("Always"), "s=wait1 a=exit0", "Succeeded", IS_ENDED},
    /* b: some may be started again */
    {REGULAR("Always"), "a=exit0 b=exit0", "Running"},
    {REGULAR("Always"), "a=wait1 b=wait0", "Running"},
    {REGULAR("OnFailure"), "a=exit0 b=exit1", "Running"},
    {REGULAR("Never"), "a=exit0 b=all", "Running"},
    {REGULAR("Always"), "a=exit0 b=exit0", "Running", IS_ENDED | IS_STATIC},
    /* c and d: none may */
    {REGULAR("OnFailure"), "a=exit0 b=exit0", "Succeeded"},
    {REGULAR("Never"), "a=exit0 b=exit0", "Succeeded"},
    {REGULAR("Never"), "a=exit0 b=exit1", "Failed"},
    {REGULAR("Never"), "a=exit0 b=wait0", "Failed"},
    {SIDECAR("Never"), "s=exit1 a=exit0", "Succeeded"},
    {SIDECAR("Never"), "s=run a=exit0", "Succeeded"},
    {REGULAR("Never"), "a=exit0 b=exit0", "Succeeded", IS_ENDED | IS_STATIC},
    /* RestartAllContainers: what was removed has not failed */
    {INIT("Never"), "i=all a=all", "Running"},
    {REGULAR("Never"), "a=all b=all", "Running"},
};

static struct state_terminated exits[8];

static struct container_state exited(const char *state, size_t index)
{
    exits[index] = (struct state_terminated){.exit_code = atoi(state)};
    return (struct container_state){.terminated = &exits[index]};
}

static void set_state(struct container_status *status, const char *state, size_t index)
{
    static struct state_running running;
    static struct state_waiting waiting;

    status->started = strncmp(state, "run", 3) ? OPT_FALSE : OPT_TRUE;
    if (!strncmp(state, "exit", 4)) {
        status->state = exited(state + 4, index);
    } else if (!strncmp(state, "run", 3) || !strncmp(state, "cold", 4)) {
        status->state.running = &running;
    } else if (!strncmp(state, "all", 3)) {
        status->state.waiting = &waiting;
        status->last_state = exited("137", index);
        status->last_state.terminated->reason = "RestartingAllContainers";
    } else {
        status->state.waiting = &waiting;
        if (state[4] >= '0' && state[4] <= '9')
            status->last_state = exited(state + 4, index);
    }
}

static void set_states(struct container_status_list *list, struct container_status *items,
                       const struct container_list *containers, const char *states)
{
    *list = (struct container_status_list){.items = items, .count = containers->count};
    for (size_t i = 0; i < containers->count; i++) {
        const char *found = states;

        items[i] = (struct container_status){.name = containers->items[i].name};
        while (strncmp(found, items[i].name, 1) || found[1] != '=')
            found++;
        set_state(&items[i], found + 2, (size_t)(found - states) / 4);
    }
}

static void play(const struct phase_case *test)
{
    static const struct pod_status none;
    struct container_status init[2], regular[2];
    struct pod_observed observed;
    struct pod_status status = {0};
    struct machine machine;
    struct reporter reporter;
    const char *phase;

    machine_spec(&machine, test->spec);
    machine.desired.static_pod = test->flags & IS_STATIC;
    machine.memory.stage = test->flags & IS_ENDED    ? POD_STAGE_ENDED
                           : test->flags & IS_ENDING ? POD_STAGE_END
                                                     : POD_STAGE_RUN;
    machine.sandboxes[0] = (struct seen_sandbox){.id = "s1", .ready = true};
    machine.containers[0] = (struct seen_container){
        .id = "c1", .name = test->flags & IS_INITIALIZED ? "a" : "s", .sandbox_id = "s1"};
    machine.sandbox_count = machine.container_count = 1;
    set_states(&status.init_container_statuses, init, &machine.desired.pod->spec.init_containers,
               test->states);
    set_states(&status.container_statuses, regular, &machine.desired.pod->spec.containers,
               test->states);
    observed = machine_observed(&machine);
    reporter = (struct reporter){
        .desired = &machine.desired,
        .pod = machine.desired.pod,
        .observed = &observed,
        .memory = &machine.memory,
        .previous = &none,
        .status = &status,
        .ended = test->flags & IS_ENDED,
    };
    phase = report_phase(&reporter);
    if (!str_equal(phase, test->phase))
        fail_msg("%s: %s\nexpected: %s\nfound:    %s", test->spec, test->states, test->phase,
                 phase);
    machine_deinit(&machine);
}

static void test_each_row(void **state)
{
    for (size_t i = 0; i < array_size(cases); i++)
        play(&cases[i]);
}

static void test_final_phases(void **state)
{
    assert_true(pod_phase_is_final("Succeeded"));
    assert_true(pod_phase_is_final("Failed"));
    assert_false(pod_phase_is_final("Running"));
    assert_false(pod_phase_is_final(NULL));
}

/* While a container is ended to be started again, its exit says nothing of the pod. */
static void test_an_end_that_is_our_doing_is_not_the_pods(void **state)
{
    struct machine machine;

    machine_api(&machine, "restartPolicy: Never, containers: [{name: c, image: a}]");
    machine_start(&machine);
    machine_change_image(&machine, "c", "b");
    machine_plan(&machine);
    machine_finish(&machine, "stop");
    machine.hold = "image";
    machine_run(&machine);
    assert_phase(&machine, "Running");
    machine.hold = NULL;
    machine_run(&machine);
    assert_runs(&machine, "c", true);
    machine_exit(&machine, "c", 1);
    machine_run(&machine);
    assert_phase(&machine, "Failed");
    machine_deinit(&machine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_row),
        cmocka_unit_test(test_final_phases),
        cmocka_unit_test(test_an_end_that_is_our_doing_is_not_the_pods),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
