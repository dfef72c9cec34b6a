/* pod/model: lists, what is found in them, and the limits of a plan. */
#include "machine.h"

#include "model.h"

struct number_list {
    int *items;
    size_t count;
};

static void test_lists_grow_and_shrink(void **state)
{
    struct arena arena = ARENA_INIT_DOCUMENT;
    struct number_list list = {0};

    for (int i = 0; i < 5; i++)
        *append(&arena, &list) = i;
    remove_at(&list, 4);
    remove_at(&list, 0);
    remove_at(&list, 1);
    assert_int_equal(list.count, 2);
    assert_int_equal(list.items[0], 1);
    assert_int_equal(list.items[1], 3);
    arena_deinit(&arena);
}

static void test_the_newest_is_found(void **state)
{
    struct seen_container containers[] = {
        {.id = "3", .name = "a", .state = POD_CREATED},
        {.id = "2", .name = "b", .state = POD_RUNNING},
        {.id = "1", .name = "a", .state = POD_EXITED},
        {.id = "0", .name = "a", .state = POD_EXITED},
    };
    struct seen_probes probes[] = {{.name = "a"}};
    struct pod_observed observed = {0};

    observed.containers.items = containers;
    observed.containers.count = array_size(containers);
    observed.probes.items = probes;
    observed.probes.count = 1;
    assert_ptr_equal(seen_newest(&observed, "a"), &containers[0]);
    assert_ptr_equal(seen_newest_exited(&observed, "a"), &containers[2]);
    assert_ptr_equal(seen_by_id(&observed, "2"), &containers[1]);
    assert_ptr_equal(seen_probes_of(&observed, "a"), &probes[0]);
    assert_null(seen_newest(&observed, "c"));
    assert_null(seen_newest_exited(&observed, "b"));
    assert_null(seen_by_id(&observed, "9"));
    assert_null(seen_probes_of(&observed, "b"));
    assert_true(seen_is_live(&containers[1]));
    containers[1].state = POD_UNKNOWN;
    assert_true(seen_is_live(&containers[1]));
    containers[1].state = POD_EXITED;
    assert_false(seen_is_live(&containers[1]));
}

static void test_every_operation_has_a_name(void **state)
{
    for (enum pod_operation_kind kind = POD_PREPARE; kind <= POD_RELEASE; kind++)
        assert_non_null(pod_operation_name(kind));
}

static void test_only_so_much_is_under_way(void **state)
{
    struct arena arena = ARENA_INIT_DOCUMENT;
    struct pod_plan plan = {.wake = USEC_NEVER};
    struct planner planner = {.arena = &arena, .plan = &plan, .memory = &plan.memory};

    for (int i = 0; i < POD_OPERATIONS_MAX; i++)
        assert_non_null(operation_new(&planner, POD_IMAGE, "a", ""));
    assert_null(operation_new(&planner, POD_IMAGE, "b", ""));
    for (int i = 0; i < 2 * POD_EXPLANATIONS_MAX; i++) {
        assert_non_null(block(&planner, "Reason", "c", "%d", i));
        tell(&planner, false, "Reason", NULL, "%d", i);
    }
    assert_int_equal(plan.blockers.count, POD_EXPLANATIONS_MAX);
    assert_int_equal(plan.events.count, POD_EXPLANATIONS_MAX);
    arena_deinit(&arena);
}

/* A pod with more containers than may be under way at once ends all the same. */
static void test_a_pod_of_a_hundred_containers(void **state)
{
    struct strbuf spec = STRBUF_INIT;
    struct machine machine;

    strbuf_add(&spec, "containers: [");
    for (int i = 0; i < 100; i++)
        strbuf_printf(&spec,
                      "%s{name: c%d, image: x, lifecycle: {preStop: {exec: {command: [x]}}}}",
                      i ? ", " : "", i);
    strbuf_add_char(&spec, ']');
    machine_api(&machine, spec.text);
    machine_plan(&machine);
    machine.sandboxes[0] = (struct seen_sandbox){.id = "s", .ready = true};
    machine.sandbox_count = 1;
    for (size_t i = 0; i < MACHINE_ITEMS_MAX; i++) {
        const struct container *container = &machine.desired.pod->spec.containers.items[i];
        char hash[POD_HASH_TEXT_MAX];

        machine.containers[i] = (struct seen_container){
            .id = container->name,
            .name = container->name,
            .sandbox_id = "s",
            .state = POD_RUNNING,
            .hash = arena_strdup(&machine.arena, pod_container_hash(container, hash)),
        };
    }
    machine.container_count = MACHINE_ITEMS_MAX;
    machine.hold = "prestop";
    machine_delete(&machine, 30);
    machine_run(&machine);
    assert_int_equal(machine.memory.operations.count, POD_OPERATIONS_MAX);
    machine.hold = NULL;
    machine_run(&machine);
    assert_int_equal(machine.memory.stage, POD_STAGE_GONE);
    machine_deinit(&machine);
    strbuf_deinit(&spec);
}

static void test_durations_are_told_in_seconds(void **state)
{
    struct arena arena = ARENA_INIT_DOCUMENT;

    assert_string_equal(seconds_text(&arena, 80 * USEC_PER_SEC + 7), "1m20s");
    assert_string_equal(seconds_text(&arena, 300 * USEC_PER_SEC), "5m0s");
    assert_string_equal(seconds_text(&arena, 10 * USEC_PER_SEC), "10s");
    arena_deinit(&arena);
}

static void test_the_grace_of_a_pod(void **state)
{
    struct pod pod = {0};

    assert_int_equal(pod_grace_seconds(&pod), POD_STOP_MIN);
    pod.spec.termination_grace_period_seconds = (struct opt_int64){.value = 7, .set = true};
    assert_int_equal(pod_grace_seconds(&pod), 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lists_grow_and_shrink),
        cmocka_unit_test(test_the_newest_is_found),
        cmocka_unit_test(test_every_operation_has_a_name),
        cmocka_unit_test(test_only_so_much_is_under_way),
        cmocka_unit_test(test_a_pod_of_a_hundred_containers),
        cmocka_unit_test(test_durations_are_told_in_seconds),
        cmocka_unit_test(test_the_grace_of_a_pod),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
