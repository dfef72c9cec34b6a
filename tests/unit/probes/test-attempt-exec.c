/* probes/attempt-exec: commands by way of the runtime. P33 to P35 of the reference's checks. */
#include "place.h"

static const char *words[] = {"sh", "-c", "say \"$$(X)\" $(A)"};
static struct exec_action exec = {.command = {words, array_size(words)}};
static const struct handler handler = {.exec = &exec};

static struct env_var variables[] = {{.name = "A", .value = "one"}};
static const struct container container = {.env = {variables, 1}};

static void run(struct place *place, struct probe_exec_reply reply, usec_t timeout)
{
    place->reply = reply;
    attempt(place,
            (struct probe_order){&handler, &container, .container_id = "containerd://1",
                                 .timeout = timeout},
            false);
}

static void test_answers(void **state)
{
    static const struct {
        struct probe_exec_reply reply;
        usec_t timeout;
        enum probe_verdict verdict;
        const char *text;
        const char *body;
        int32_t code;
    } cases[] = {
        {{.how = PROBE_EXEC_ENDED}, 1, PROBE_SUCCESS, "", ""},
        {{.how = PROBE_EXEC_ENDED, .out = "fine", .out_length = 4}, 1, PROBE_SUCCESS, "", "fine"},
        {{.how = PROBE_EXEC_ENDED, .exit_code = 3}, 1, PROBE_EXEC_EXIT, "", "", 3},
        {{.how = PROBE_EXEC_ENDED,
          .exit_code = 1,
          .out = "out\xff",
          .out_length = 4,
          .err = "err",
          .err_length = 3},
         1,
         PROBE_EXEC_EXIT,
         "out?err",
         "out\xff"
         "err",
         1},
        {{.how = PROBE_EXEC_KILLED},
         USEC_PER_SEC,
         PROBE_EXEC_TIMEOUT,
         "command timed out: \"sh -c say \\\"$(X)\\\" one\" timed out after 1s",
         ""},
        {{.how = PROBE_EXEC_KILLED, .left = "sleep (12)"},
         1500 * USEC_PER_MSEC,
         PROBE_EXEC_TIMEOUT,
         "command timed out: \"sh -c say \\\"$(X)\\\" one\" timed out after 1.5s",
         ""},
        {{.how = PROBE_EXEC_UNANSWERED, .text = "Deadline Exceeded"},
         1,
         PROBE_ERRORED,
         "the runtime has not said what became of the command: Deadline Exceeded",
         ""},
        {{.how = PROBE_EXEC_FAILED, .text = "the runtime is away"},
         1,
         PROBE_ERRORED,
         "the runtime is away",
         ""},
    };
    struct place *place = *state;

    for (size_t i = 0; i < array_size(cases); i++) {
        run(place, cases[i].reply, cases[i].timeout);
        assert_outcome(place, cases[i].verdict, cases[i].text);
        assert_string_equal(place->outcome.body, cases[i].body);
        assert_int_equal(place->outcome.code, cases[i].code);
        assert_string_equal(place->outcome.target, "sh -c say \"$(X)\" one");
        assert_int_equal(place->timeout, cases[i].timeout);
        if (cases[i].reply.left)
            assert_string_equal(place->outcome.left, cases[i].reply.left);
        else
            assert_null(place->outcome.left);
    }
}

static void test_long_outputs(void **state)
{
    static char out[20000], err[20000];
    static const struct {
        size_t out, err;
        size_t expected;
        bool cut;
    } cases[] = {
        {PROBE_OUTPUT_MAX, 0, PROBE_OUTPUT_MAX, false},
        {PROBE_OUTPUT_MAX - 1, 1, PROBE_OUTPUT_MAX, false},
        {PROBE_OUTPUT_MAX, 1, PROBE_OUTPUT_MAX, true},
        {20000, 20000, PROBE_OUTPUT_MAX, true}, /* P33 */
        {0, 20000, PROBE_OUTPUT_MAX, true},
        {10, 20000, PROBE_OUTPUT_MAX, true},
    };
    struct place *place = *state;

    memset(out, 'o', sizeof(out));
    memset(err, 'e', sizeof(err));
    for (size_t i = 0; i < array_size(cases); i++) {
        run(place,
            (struct probe_exec_reply){.how = PROBE_EXEC_ENDED,
                                      .exit_code = 3,
                                      .out = out,
                                      .out_length = cases[i].out,
                                      .err = err,
                                      .err_length = cases[i].err},
            1);
        assert_int_equal(place->outcome.body_length, cases[i].expected);
        assert_int_equal(strlen(place->outcome.text), cases[i].expected);
        assert_int_equal(place->outcome.body_cut, cases[i].cut);
        assert_int_equal(strspn(place->outcome.text, "o"), MIN(cases[i].out, PROBE_OUTPUT_MAX));
    }
}

static void test_no_container(void **state)
{
    struct place *place = *state;

    attempt(place, (struct probe_order){&handler}, false);
    assert_outcome(place, PROBE_ERRORED, "there is no container yet to run the probe's command");
}

static void test_no_runtime(void **state)
{
    struct place *place = *state;

    probe_engine_free(place->engine);
    new_engine(place, false);
    attempt(place, (struct probe_order){&handler, .container_id = "containerd://1"}, false);
    assert_outcome(place, PROBE_ERRORED, "there is no runtime here to run the probe's command");
    assert_string_equal(place->outcome.target, "sh -c say \"$(X)\" $(A)");
}

static void test_an_environment_that_is_too_long(void **state)
{
    static char value[200000];
    struct place *place = *state;
    struct env_var long_one[] = {{.name = "A", .value = value}};
    struct container with = {.env = {long_one, 1}};

    memset(value, 'x', sizeof(value) - 1);
    attempt(place, (struct probe_order){&handler, &with, .container_id = "containerd://1"}, false);
    assert_outcome(place, PROBE_ERRORED,
                   "the environment variable A is too long: at most 131072 bytes");
}

static void test_cancel(void **state)
{
    struct place *place = *state;
    struct probe_order order = {&handler, .container_id = "containerd://1",
                                .timeout = USEC_PER_SEC};
    struct probe_attempt *attempt;

    place->deaf = true;
    attempt = probe_attempt_begin(place->engine, &order, false, take, place);
    loop_turn(place->loop, 0, NULL);
    probe_attempt_cancel(attempt);
    assert_int_equal(place->cancelled, 1);
    assert_int_equal(place->done, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_place(test_answers),
        in_place(test_long_outputs),
        in_place(test_no_container),
        in_place(test_no_runtime),
        in_place(test_an_environment_that_is_too_long),
        in_place(test_cancel),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
