/* pod/record: what is remembered survives being written and read. */
#include "machine.h"

#include <errno.h>

/* Whatever stage a pod is in, the agent may be killed there and go on. */
static void test_a_record_is_read_as_it_was_written(void **state)
{
    struct machine machine;
    struct pod_memory memory;
    struct err err;
    char *first, *second;

    machine_init(&machine,
                 "{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {containers: [{name: "
                 "web, image: w, lifecycle: {preStop: {sleep: {seconds: 5}}}}]}}");
    machine_run(&machine);
    machine_exit(&machine, "web", 1);
    machine_run(&machine);
    machine_exit(&machine, "web", 1);
    machine_run(&machine);
    machine_advance(&machine, 10 * USEC_PER_SEC);
    machine_run(&machine);
    machine.desired.removed = true;
    machine.hold = "prestop";
    machine_run(&machine);
    assert_non_null(machine_operation(&machine, "prestop"));

    first = machine_record(&machine.memory);
    assert_int_equal(machine_read_record(first, 77, &machine.arena, &memory, &err), 0);
    assert_int_equal(memory.operations.count, 1);
    assert_int_equal(memory.operations.items[0].state, POD_OPERATION_UNKNOWN);
    assert_int_equal(memory.operations.items[0].ended, 77);
    memory.operations.items[0].state = POD_OPERATION_INTENDED;
    memory.operations.items[0].ended = 0;
    second = machine_record(&memory);
    assert_string_equal(first, second);
    free(first);
    free(second);
    machine_deinit(&machine);
}

static void test_numbers_that_name_nothing_are_refused(void **state)
{
    static const struct {
        const char *text;
        const char *sentence;
    } cases[] = {
        {"{\"stage\": 9}", "stage: 9 is none"},
        {"{\"stage\": -1}", "stage: -1 is none"},
        {"{\"operations\": [{\"kind\": 99}]}", "operations: kind 99, state 0 are none"},
        {"{\"operations\": [{\"kind\": 0, \"state\": 7}]}", "operations: kind 0, state 7 are none"},
        {"{\"retries\": [{\"kind\": 50}]}", "retries: kind 50 is none"},
    };
    struct arena arena = ARENA_INIT_DOCUMENT;

    for (size_t i = 0; i < array_size(cases); i++) {
        struct pod_memory memory;
        struct err err = {0};

        assert_int_equal(machine_read_record(cases[i].text, 77, &arena, &memory, &err), -EBADMSG);
        assert_string_equal(err.text, cases[i].sentence);
    }
    arena_deinit(&arena);
}

static void test_wrong_types_are_refused(void **state)
{
    struct arena arena = ARENA_INIT_DOCUMENT;
    struct pod_memory memory;
    struct err err = {0};

    assert_int_equal(machine_read_record("{\"stage\": \"x\"}", 77, &arena, &memory, &err),
                     -EBADMSG);
    assert_non_null(strstr(err.text, "stage"));
    arena_deinit(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_record_is_read_as_it_was_written),
        cmocka_unit_test(test_numbers_that_name_nothing_are_refused),
        cmocka_unit_test(test_wrong_types_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
