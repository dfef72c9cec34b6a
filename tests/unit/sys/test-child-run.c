/* sys/child-run: a program run and waited for, without a helper. */
#include "child-fixture.h"

struct ran {
    struct strbuf storage;
    struct child_result result;
};

static void ran_deinit(struct ran *ran)
{
    strbuf_deinit(&ran->storage);
}

static void run_here(const char *script, usec_t timeout, struct ran *ran)
{
    struct child_request request = request_for(SHELL(script));

    request.timeout = timeout;
    child_run(&request, &ran->storage, &ran->result);
}

static void test_how_it_ends(void **state)
{
    _cleanup_(ran_deinit) struct ran ran = {0};
    const char *const missing[] = {"/missing", NULL};
    struct child_request request = request_for(missing);

    run_here("echo out; echo err >&2; exit 3", USEC_PER_SEC * 60, &ran);
    assert_int_equal(ran.result.outcome, CHILD_EXITED);
    assert_int_equal(ran.result.status, 3);
    assert_string_equal(ran.result.out.bytes, "out\n");
    assert_string_equal(ran.result.errors.bytes, "err\n");
    assert_string_equal(ran.result.err.text, "/bin/sh exited with status 3: err");
    run_here("kill -KILL $$", USEC_PER_SEC * 60, &ran);
    assert_int_equal(ran.result.outcome, CHILD_SIGNALLED);
    child_run(&request, &ran.storage, &ran.result);
    assert_int_equal(ran.result.outcome, CHILD_NOT_STARTED);
    assert_sentence(&ran.result, "cannot run /missing: No such file");
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void test_input_and_much_output(void **state)
{
    static char input[300 * 1024];
    _cleanup_(ran_deinit) struct ran ran = {0};
    struct child_request request = request_for(SHELL("cat; head -c 10000000 /dev/zero"));

    memset(input, 'i', sizeof(input));
    request.input = input;
    request.input_length = sizeof(input);
    request.stdout_max = SIZE_MAX;
    child_run(&request, &ran.storage, &ran.result);
    assert_int_equal(ran.result.out.length, CHILD_OUTPUT_MAX);
    assert_int_equal(ran.result.out.length + ran.result.out.dropped, sizeof(input) + 10000000);
    assert_int_equal(ran.result.status, 0);
}

static void test_a_deadline(void **state)
{
    _cleanup_(ran_deinit) struct ran ran = {0};
    usec_t began = clock_monotonic();

    run_here("trap '' TERM; echo begun; sleep 1000", USEC_PER_SEC / 2, &ran);
    assert_int_equal(ran.result.outcome, CHILD_TIMED_OUT);
    assert_string_equal(ran.result.out.bytes, "begun\n");
    assert_string_equal(ran.result.err.text, "/bin/sh did not end within 0.5 s and was killed");
    assert_true(clock_monotonic() - began < 10 * USEC_PER_SEC);
}

/* What it had begun is taken back in its last half second. */
static void test_it_is_asked_to_end_first(void **state)
{
    _cleanup_(ran_deinit) struct ran ran = {0};
    usec_t began = clock_monotonic();

    run_here("trap 'echo undone; exit 0' TERM; sleep 1000 & wait", USEC_PER_SEC / 2, &ran);
    assert_int_equal(ran.result.outcome, CHILD_TIMED_OUT);
    assert_string_equal(ran.result.out.bytes, "undone\n");
    assert_true(clock_monotonic() - began < 10 * USEC_PER_SEC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_how_it_ends),
        cmocka_unit_test(test_input_and_much_output),
        cmocka_unit_test(test_a_deadline),
        cmocka_unit_test(test_it_is_asked_to_end_first),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
