/* pod/status-containers: each rule of the reference, and what outlives the runtime's records. */
#include "machine.h"

#define ONE "containers: [{name: c, image: x}]"
#define LOST_RUNNING                                                                               \
    "The container could not be located when the pod was deleted.  The container used to be "      \
    "Running"
#define LOST_AT_END "The container could not be located when the pod was terminated"

static const struct container_status *play(struct machine *machine, const char *name)
{
    machine_plan(machine);
    return machine_status(machine, name);
}

/* One record, put there by hand. */
static struct seen_container *put(struct machine *machine, const char *id, const char *name,
                                  enum pod_state container_state)
{
    struct seen_container *seen = &machine->containers[0];
    char hash[POD_HASH_TEXT_MAX];

    memmove(seen + 1, seen, machine->container_count++ * sizeof(*seen));
    *seen = (struct seen_container){
        .id = id,
        .name = name,
        .sandbox_id = "s",
        .state = container_state,
        .image = "docker.io/library/x:latest",
        .image_id = "sha256:2",
        .started_usec = 5000000,
        .finished_usec = 6000000,
        .hash = arena_strdup(
            &machine->arena,
            pod_container_hash(pod_container_find(machine->desired.pod, name).container, hash)),
    };
    machine->sandboxes[0] = (struct seen_sandbox){.id = "s", .ready = true};
    machine->sandbox_count = 1;
    return seen;
}

/* 1 */
static void test_what_was_never_seen_waits(void **state)
{
    struct machine machine;

    machine_api(&machine, ONE);
    play(&machine, "c");
    assert_waiting(&machine, "c", "ContainerCreating");
    assert_string_equal(machine_status(&machine, "c")->image, "x");
    assert_int_equal(machine_status(&machine, "c")->started, OPT_FALSE);
    machine_deinit(&machine);

    machine_api(&machine, "initContainers: [{name: i, image: x}, {name: s, image: x, "
                          "restartPolicy: Always}], " ONE);
    machine_add_ephemeral(&machine, "e");
    play(&machine, "c");
    assert_waiting(&machine, "c", "PodInitializing");
    assert_waiting(&machine, "i", "PodInitializing");
    assert_waiting(&machine, "s", "PodInitializing");
    assert_waiting(&machine, "e", "PodInitializing");
    machine_deinit(&machine);
}

/* 2 */
static void test_what_ran_and_cannot_be_found(void **state)
{
    static const struct {
        bool deleted;
        int32_t restarts;
    } cases[] = {{false, 1}, {true, 0}};

    for (size_t i = 0; i < array_size(cases); i++) {
        const struct container_status *status;
        struct machine machine;

        machine_api(&machine, ONE);
        put(&machine, "c1", "c", POD_RUNNING);
        play(&machine, "c");
        if (cases[i].deleted)
            machine_delete(&machine, 30);
        machine_lose_containers(&machine);
        machine_plan(&machine);
        status = machine_status(&machine, "c");
        assert_waiting(&machine, "c", "ContainerCreating");
        assert_int_equal(status->last_state.terminated->exit_code, 137);
        assert_string_equal(status->last_state.terminated->reason, "ContainerStatusUnknown");
        assert_string_equal(status->last_state.terminated->message, LOST_RUNNING);
        assert_int_equal(status->restart_count, cases[i].restarts);
        machine_plan(&machine);
        assert_int_equal(machine_status(&machine, "c")->restart_count, cases[i].restarts);
        machine_deinit(&machine);
    }
}

/* 3 */
static void test_states_of_the_newest_record(void **state)
{
    const struct container_status *status;
    struct machine machine;
    struct seen_container *seen;

    machine_api(&machine, ONE);
    put(&machine, "c1", "c", POD_CREATED);
    play(&machine, "c");
    assert_waiting(&machine, "c", "ContainerCreating");

    machine.containers[0].state = POD_RUNNING;
    status = play(&machine, "c");
    assert_true(status->state.running->started_at.usec == 5000000);
    assert_string_equal(status->container_id, "toy://c1");
    assert_string_equal(status->image, "docker.io/library/x:latest");
    assert_string_equal(status->image_id, "sha256:2");
    assert_int_equal(status->started, OPT_TRUE);
    assert_true(status->ready);

    seen = &machine.containers[0];
    seen->state = POD_EXITED;
    seen->exit_code = 3;
    seen->reason = "Error";
    status = play(&machine, "c");
    assert_int_equal(status->state.terminated->exit_code, 3);
    assert_string_equal(status->state.terminated->reason, "Error");
    assert_true(status->state.terminated->started_at.usec == 5000000);
    assert_true(status->state.terminated->finished_at.usec == 6000000);
    assert_string_equal(status->state.terminated->container_id, "toy://c1");
    assert_int_equal(status->started, OPT_FALSE);
    assert_false(status->ready);

    put(&machine, "c2", "c", POD_RUNNING)->restart_count = 1;
    status = play(&machine, "c");
    assert_non_null(status->state.running);
    assert_int_equal(status->last_state.terminated->exit_code, 3);
    assert_int_equal(status->restart_count, 1);
    machine_deinit(&machine);
}

/* The runtime has the one before, whose end was told long ago. */
static void test_what_was_told_last_outlives_its_record(void **state)
{
    const struct container_status *status;
    struct seen_container *seen;
    struct machine machine;

    machine_api(&machine, ONE);
    seen = put(&machine, "c1", "c", POD_EXITED);
    seen->exit_code = 3;
    play(&machine, "c");
    seen = put(&machine, "c2", "c", POD_EXITED);
    seen->restart_count = 1;
    seen->exit_code = 4;
    status = play(&machine, "c");
    assert_int_equal(status->state.terminated->exit_code, 4);
    assert_int_equal(status->last_state.terminated->exit_code, 3);

    machine_remove_container(&machine, "c2");
    status = play(&machine, "c");
    assert_string_equal(status->container_id, "toy://c2");
    assert_int_equal(status->state.terminated->exit_code, 4);
    assert_int_equal(status->last_state.terminated->exit_code, 3);
    assert_int_equal(status->restart_count, 1);
    machine_deinit(&machine);
}

static void test_a_state_nobody_knows(void **state)
{
    const struct container_status *status;
    struct machine machine;

    machine_api(&machine, ONE);
    put(&machine, "c1", "c", POD_UNKNOWN);
    play(&machine, "c");
    assert_waiting(&machine, "c", "ContainerCreating");
    machine_deinit(&machine);

    machine_api(&machine, ONE);
    put(&machine, "c1", "c", POD_RUNNING);
    play(&machine, "c");
    machine.containers[0].state = POD_UNKNOWN;
    status = play(&machine, "c");
    assert_int_equal(status->state.terminated->exit_code, 137);
    assert_string_equal(status->state.terminated->reason, "ContainerStatusUnknown");
    assert_string_equal(status->state.terminated->message, LOST_AT_END);
    assert_int_equal(status->restart_count, 1);
    status = play(&machine, "c");
    assert_int_equal(status->restart_count, 1);
    assert_non_null(status->state.terminated);
    machine_deinit(&machine);
}

/* 4 */
static void test_restarts_never_become_less(void **state)
{
    static const struct {
        int32_t published;
        bool terminated;
        int32_t annotation;
        int32_t expected;
    } cases[] = {
        {0, false, 0, 0}, {4, false, 2, 4}, {4, false, 7, 7},
        {4, true, 7, 7},  {4, true, 4, 5},  {4, true, 0, 5},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        const struct container_status *status;
        struct state_terminated exited = {.exit_code = 9};
        struct container_status before = {
            .name = "c",
            .container_id = "toy://c1",
            .restart_count = cases[i].published,
            .state.terminated = cases[i].terminated ? &exited : NULL,
        };
        struct machine machine;

        machine_api(&machine, ONE);
        machine_pod(&machine)->status.container_statuses =
            (struct container_status_list){.items = &before, .count = 1};
        put(&machine, "c2", "c", POD_RUNNING)->restart_count = cases[i].annotation;
        status = play(&machine, "c");
        assert_int_equal(status->restart_count, cases[i].expected);
        if (cases[i].terminated) /* its record is gone */
            assert_int_equal(status->last_state.terminated->exit_code, 9);
        machine_deinit(&machine);
    }
}

/* 5 */
static void test_what_failed_to_start_again_waits(void **state)
{
    static const struct {
        const char *policy;
        int code;
        bool waits;
    } cases[] = {
        {"Always", 0, true},     {"Always", 1, true}, {"OnFailure", 1, true},
        {"OnFailure", 0, false}, {"Never", 1, false},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        char *spec = mem_printf("restartPolicy: %s, containers: [{name: c, image: x}, {name: d, "
                                "image: x}]",
                                cases[i].policy);
        const struct container_status *status;
        struct machine machine;

        machine_api(&machine, spec);
        machine_start(&machine);
        machine_exit(&machine, "c", cases[i].code);
        machine.hold = "image";
        machine_run(&machine);
        assert_non_null(machine_status(&machine, "c")->state.terminated);
        if (cases[i].waits) {
            machine_fail(&machine, "image", "ErrImageNeverPull", "not there");
            machine_run(&machine);
        }
        status = machine_status(&machine, "c");
        if (cases[i].waits) {
            assert_waiting(&machine, "c", "ErrImageNeverPull");
            assert_int_equal(status->last_state.terminated->exit_code, cases[i].code);
        } else {
            assert_int_equal(status->state.terminated->exit_code, cases[i].code);
        }
        machine_deinit(&machine);
        free(spec);
    }
}

/* probes: P03, P04, P15 */
static void test_before_the_first_attempt(void **state)
{
    static const struct {
        const char *probe;
        bool started, ready;
    } cases[] = {
        {"readinessProbe", true, false},
        {"livenessProbe", true, true},
        {"startupProbe", false, false},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        char *spec = mem_printf("containers: [{name: c, image: x, %s: {exec: {command: [x]}}}]",
                                cases[i].probe);
        struct machine machine;

        machine_api(&machine, spec);
        machine_start(&machine);
        for (int restarted = 0; restarted < 2; restarted++) {
            assert_int_equal(machine_status(&machine, "c")->started,
                             cases[i].started ? OPT_TRUE : OPT_FALSE);
            assert_int_equal(machine_status(&machine, "c")->ready, cases[i].ready);
            assert_condition(&machine, "ContainersReady", cases[i].ready ? "True" : "False",
                             cases[i].ready ? NULL : "ContainersNotReady",
                             cases[i].ready ? NULL : "containers with unready status: [c]");
            machine_advance(&machine, 3 * USEC_PER_SEC);
            machine_restart(&machine);
            machine_run(&machine);
        }
        machine_deinit(&machine);
        free(spec);
    }
}

/* 6; probes: P13, P14 */
static void test_check_36_a_restarted_agent_changes_nothing(void **state)
{
    const char *before;
    struct machine machine;
    struct opt_time since;

    machine_api(&machine, "initContainers: [{name: s, image: x, restartPolicy: Always, "
                          "startupProbe: {exec: {command: [x]}}}], containers: [{name: c, image: "
                          "x, startupProbe: {exec: {command: [x]}}, readinessProbe: {exec: "
                          "{command: [x]}}}]");
    machine_start(&machine);
    machine_probe(&machine, "s", (struct seen_probes){.startup = POD_PROBE_SUCCESS});
    machine_run(&machine);
    machine_probe(
        &machine, "c",
        (struct seen_probes){.startup = POD_PROBE_SUCCESS, .readiness = POD_PROBE_SUCCESS});
    machine_run(&machine);
    assert_condition(&machine, "Ready", "True", NULL, NULL);
    since = machine_condition(&machine, "Ready")->last_transition_time;
    before = machine_status(&machine, "c")->container_id;
    strbuf_truncate(&machine.log, 0);
    machine_advance(&machine, 60 * USEC_PER_SEC);
    machine_restart(&machine);
    machine_run(&machine);
    assert_actions(&machine, "");
    assert_condition(&machine, "Ready", "True", NULL, NULL);
    assert_true(machine_condition(&machine, "Ready")->last_transition_time.usec == since.usec);
    assert_int_equal(machine_status(&machine, "c")->started, OPT_TRUE);
    assert_true(machine_status(&machine, "c")->ready);
    assert_string_equal(machine_status(&machine, "c")->container_id, before);
    assert_int_equal(machine_status(&machine, "c")->restart_count, 0);

    machine_probe(&machine, "c", (struct seen_probes){.readiness = POD_PROBE_FAILURE});
    machine_run(&machine);
    assert_false(machine_status(&machine, "c")->ready);
    assert_int_equal(machine_status(&machine, "c")->started, OPT_TRUE);
    machine_deinit(&machine);
}

static void test_an_end_outlives_its_record(void **state)
{
    const struct container_status *status;
    struct machine machine;

    machine_api(&machine, "restartPolicy: Never, " ONE);
    machine_start(&machine);
    machine_exit(&machine, "c", 3);
    machine_run(&machine);
    machine_lose_containers(&machine);
    machine_restart(&machine);
    machine_run(&machine);
    status = machine_status(&machine, "c");
    assert_int_equal(status->state.terminated->exit_code, 3);
    assert_phase(&machine, "Failed");
    machine_deinit(&machine);
}

/* 7 is check 40, in test-run.c. What becomes of those that nobody can find at the end: */

static void test_the_final_word(void **state)
{
    struct machine machine;

    machine_api(&machine, "initContainers: [{name: i1, image: x}, {name: i2, image: x}, {name: i3, "
                          "image: x}], " ONE);
    machine_start(&machine);
    machine_exit(&machine, "i1", 0);
    machine_run(&machine);
    assert_runs(&machine, "i2", true);
    machine_lose_containers(&machine); /* with what i1 left */
    machine_delete(&machine, 30);
    machine_run(&machine);
    assert_int_equal(machine_status(&machine, "i1")->state.terminated->exit_code, 0);
    assert_int_equal(machine_status(&machine, "i2")->state.terminated->exit_code, 137);
    assert_string_equal(machine_status(&machine, "i2")->state.terminated->message, LOST_AT_END);
    assert_waiting(&machine, "i3", "PodInitializing");
    assert_waiting(&machine, "c", "PodInitializing");
    assert_phase(&machine, "Failed");
    machine_deinit(&machine);

    machine_api(&machine, "initContainers: [{name: i1, image: x}, {name: i2, image: x}], " ONE);
    machine.hold = "image";
    machine_start(&machine);
    machine_delete(&machine, 30);
    machine_run(&machine);
    assert_int_equal(machine_status(&machine, "i1")->state.terminated->exit_code, 137);
    assert_waiting(&machine, "i2", "PodInitializing");
    machine_deinit(&machine);
}

/* fields */

static void test_check_57_messages_share_a_size(void **state)
{
    static const struct {
        unsigned others;
        size_t length, expected;
    } cases[] = {{0, 4096, 4096}, {2, 4096, 4096}, {11, 4096, 1024}, {11, 1024, 1024}};

    for (size_t i = 0; i < array_size(cases); i++) {
        char *message = letters('m', cases[i].length);
        struct strbuf spec = STRBUF_INIT;
        struct machine machine;

        strbuf_add(&spec, "restartPolicy: Never, containers: [{name: c, image: x}");
        for (unsigned j = 0; j < cases[i].others; j++)
            strbuf_printf(&spec, ", {name: o%u, image: x}", j);
        strbuf_add_char(&spec, ']');
        machine_api(&machine, spec.text);
        put(&machine, "c1", "c", POD_EXITED)->termination = message;
        assert_int_equal(strlen(play(&machine, "c")->state.terminated->message), cases[i].expected);
        machine_deinit(&machine);
        strbuf_deinit(&spec);
        free(message);
    }
}

static void test_messages_of_the_runtime_and_of_the_container(void **state)
{
    static const struct {
        const char *runtime;
        const char *container;
        const char *expected; /* NULL: none */
    } cases[] = {
        {NULL, NULL, NULL},   {"", "", NULL},     {"oom", NULL, "oom"},
        {NULL, "bye", "bye"}, {"oom", "", "oom"}, {"oom", "bye", "oom: bye"},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        struct seen_container *seen;
        const char *message;
        struct machine machine;

        machine_api(&machine, "restartPolicy: Never, " ONE);
        seen = put(&machine, "c1", "c", POD_EXITED);
        seen->message = cases[i].runtime;
        seen->termination = cases[i].container;
        message = play(&machine, "c")->state.terminated->message;
        assert_true(str_equal(message, cases[i].expected));
        assert_int_equal(message != NULL, cases[i].expected != NULL);
        machine_deinit(&machine);
    }
}

static void test_check_58_the_order_of_statuses(void **state)
{
    const struct pod_status *status;
    struct machine machine;

    machine_api(&machine, "initContainers: [{name: z, image: x}, {name: i, image: x}], containers: "
                          "[{name: u, image: x}, {name: a, image: x}, {name: m, image: x}]");
    machine_add_ephemeral(&machine, "f");
    machine_add_ephemeral(&machine, "e");
    machine_run(&machine);
    status = machine.memory.published;
    assert_string_equal(status->init_container_statuses.items[0].name, "z");
    assert_string_equal(status->init_container_statuses.items[1].name, "i");
    assert_string_equal(status->container_statuses.items[0].name, "a");
    assert_string_equal(status->container_statuses.items[1].name, "m");
    assert_string_equal(status->container_statuses.items[2].name, "u");
    assert_string_equal(status->ephemeral_container_statuses.items[0].name, "e");
    machine_deinit(&machine);
}

/* ready and started: startup, then readiness, as far as there are probes */

static const struct {
    const char *probes;
    struct seen_probes verdicts;
    bool started, ready;
} verdicts[] = {
    {"tty: true", {0}, true, true},
    {"readinessProbe: {exec: {command: [x]}}", {0}, true, false},
    {"readinessProbe: {exec: {command: [x]}}", {.readiness = POD_PROBE_SUCCESS}, true, true},
    {"readinessProbe: {exec: {command: [x]}}", {.readiness = POD_PROBE_FAILURE}, true, false},
    {"startupProbe: {exec: {command: [x]}}", {0}, false, false},
    {"startupProbe: {exec: {command: [x]}}", {.startup = POD_PROBE_SUCCESS}, true, true},
    {"startupProbe: {exec: {command: [x]}}, readinessProbe: {exec: {command: [x]}}",
     {.readiness = POD_PROBE_SUCCESS},
     false,
     false},
};

static void test_started_and_ready(void **state)
{
    for (size_t i = 0; i < array_size(verdicts); i++) {
        char *spec = mem_printf("containers: [{name: c, image: x, %s}]", verdicts[i].probes);
        const struct container_status *status;
        struct machine machine;

        machine_api(&machine, spec);
        put(&machine, "c1", "c", POD_RUNNING);
        machine_probe(&machine, "c", verdicts[i].verdicts);
        status = play(&machine, "c");
        assert_int_equal(status->started, verdicts[i].started ? OPT_TRUE : OPT_FALSE);
        assert_int_equal(status->ready, verdicts[i].ready);
        machine_deinit(&machine);
        free(spec);
    }
}

static void test_mounts_and_resources(void **state)
{
    const struct container_status *status;
    struct machine machine;

    machine_api(&machine, "volumes: [{name: v, emptyDir: {}}], containers: [{name: c, image: x, "
                          "resources: {requests: {cpu: 1}}, volumeMounts: [{name: v, mountPath: "
                          "/a}, {name: v, mountPath: /b, readOnly: true}]}]");
    status = play(&machine, "c");
    assert_int_equal(status->volume_mounts.count, 2);
    assert_string_equal(status->volume_mounts.items[0].mount_path, "/a");
    assert_null(status->volume_mounts.items[0].recursive_read_only);
    assert_true(status->volume_mounts.items[1].read_only);
    assert_string_equal(status->volume_mounts.items[1].recursive_read_only, "Disabled");
    /* A server that sees these lets people resize containers. */
    assert_int_equal(status->allocated_resources.count, 0);
    assert_null(status->resources);
    machine_deinit(&machine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_was_never_seen_waits),
        cmocka_unit_test(test_what_ran_and_cannot_be_found),
        cmocka_unit_test(test_states_of_the_newest_record),
        cmocka_unit_test(test_what_was_told_last_outlives_its_record),
        cmocka_unit_test(test_a_state_nobody_knows),
        cmocka_unit_test(test_restarts_never_become_less),
        cmocka_unit_test(test_what_failed_to_start_again_waits),
        cmocka_unit_test(test_before_the_first_attempt),
        cmocka_unit_test(test_check_36_a_restarted_agent_changes_nothing),
        cmocka_unit_test(test_an_end_outlives_its_record),
        cmocka_unit_test(test_the_final_word),
        cmocka_unit_test(test_check_57_messages_share_a_size),
        cmocka_unit_test(test_messages_of_the_runtime_and_of_the_container),
        cmocka_unit_test(test_check_58_the_order_of_statuses),
        cmocka_unit_test(test_started_and_ready),
        cmocka_unit_test(test_mounts_and_resources),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
