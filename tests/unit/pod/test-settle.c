/* pod/settle: what became of what was begun. */
#include "machine.h"

#define HOOKED                                                                                     \
    "containers: [{name: c, image: x, lifecycle: {postStart: {exec: {command: [x]}}, preStop: "    \
    "{exec: {command: [x]}}}}]"

/* Brings the pod to where an operation of this word is under way. */
static void begin(struct machine *machine, const char *word)
{
    static const char *const ends[] = {"prestop", "stop",   "stopbox", "removebox",
                                       "clean",   "remove", NULL};

    machine_api(machine, HOOKED);
    machine->hold = word;
    machine_run(machine);
    if (!strcmp(word, "remove")) { /* with a sandbox they go with it */
        machine_exit(machine, "c", 1);
        machine->sandbox_count = 0;
    }
    if (str_one_of(word, ends)) {
        machine_delete(machine, 30);
        machine_run(machine);
    }
    assert_non_null(machine_operation(machine, word));
}

static const char *const words[] = {"prepare",   "sandbox",   "image", "start",
                                    "poststart", "prestop",   "stop",  "stopbox",
                                    "remove",    "removebox", "clean"};

/* However it ends, in truth and as far as is known, the pod goes on from there. */
static void test_every_operation_may_be_lost_or_fail(void **state)
{
    for (size_t i = 0; i < array_size(words); i++)
        for (int fate = 0; fate < 5; fate++) {
            struct machine machine;

            begin(&machine, words[i]);
            if (fate == 0)
                machine_lose(&machine, words[i], false);
            else if (fate == 1 && strcmp(words[i], "image") != 0)
                machine_lose(&machine, words[i], true);
            else if (fate == 2)
                machine_fail(&machine, words[i], "Error", "fault");
            else if (fate == 3)
                machine_restart(&machine);
            else
                machine_finish(&machine, words[i]);
            machine.hold = NULL;
            machine_sleep(&machine, 20 * USEC_PER_SEC);
            machine_delete(&machine, 30);
            machine_sleep(&machine, 20 * USEC_PER_SEC);
            assert_int_equal(machine.memory.stage, POD_STAGE_GONE);
            assert_int_equal(machine.container_count + machine.sandbox_count, 0);
            machine_deinit(&machine);
        }
}

/* What was done in the runtime counts together with a look that began later. */
static void test_what_a_look_has_to_show(void **state)
{
    static const char *const looked_for[] = {"sandbox", "start",  "stop",
                                             "stopbox", "remove", "removebox"};

    for (size_t i = 0; i < array_size(words); i++) {
        struct pod_operation *operation;
        struct machine machine;
        bool waits = false;

        for (size_t j = 0; j < array_size(looked_for); j++)
            waits = waits || !strcmp(words[i], looked_for[j]);
        begin(&machine, words[i]);
        operation = machine_operation(&machine, words[i]);
        machine.sees_late = true;
        machine_look(&machine);
        machine_effect(&machine, operation);
        operation->state = POD_OPERATION_DONE;
        operation->ended = machine.now.boot + 10;
        machine.now.boot += 20;
        strbuf_truncate(&machine.log, 0);
        machine_plan(&machine);
        if (waits) {
            assert_actions(&machine, "");
            assert_int_equal(machine.memory.operations.count, 1);
            assert_non_null(machine_blocker(&machine, "Working"));
        } else {
            assert_true(machine.plan.actions.count || machine.memory.stage == POD_STAGE_GONE ||
                        !strcmp(words[i], "poststart"));
        }
        machine_deinit(&machine);
    }
}

static void test_nothing_before_the_first_look(void **state)
{
    struct machine machine;

    machine_spec(&machine, HOOKED);
    machine.looked = 0;
    machine_plan(&machine);
    assert_actions(&machine, "");
    assert_non_null(machine_blocker(&machine, "FirstLook"));
    assert_null(machine.memory.published);
    machine_deinit(&machine);
}

static void test_a_runtime_in_trouble_is_told(void **state)
{
    struct machine machine;

    machine_spec(&machine, HOOKED);
    machine_start(&machine);
    machine.trouble = "timeout";
    machine_run(&machine);
    assert_actions(&machine, "");
    assert_string_equal(machine_blocker(&machine, "RuntimeTrouble")->text,
                        "the runtime cannot say how it is: timeout");
    machine_deinit(&machine);
}

/* Those of a pod that nobody knows any more are for nothing. */
static void test_an_image_for_nobody(void **state)
{
    struct machine machine;

    machine_spec(&machine, HOOKED);
    machine.hold = "image";
    machine_start(&machine);
    machine.desired.pod = NULL;
    machine.hold = NULL;
    machine_finish(&machine, "image");
    machine_run(&machine);
    assert_actions(&machine, "stopbox removebox clean");
    assert_no_event(&machine, "Pulled");
    machine_deinit(&machine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_operation_may_be_lost_or_fail),
        cmocka_unit_test(test_what_a_look_has_to_show),
        cmocka_unit_test(test_nothing_before_the_first_look),
        cmocka_unit_test(test_a_runtime_in_trouble_is_told),
        cmocka_unit_test(test_an_image_for_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
