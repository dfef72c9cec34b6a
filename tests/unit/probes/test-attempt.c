/* probes/attempt: the frame of all kinds: limits and cancelling. */
#include "place.h"

static const char *words[] = {"true"};
static struct exec_action exec = {.command = {words, 1}};
static const struct handler handler = {.exec = &exec};

static struct probe_attempt *begin(struct place *place, const struct handler *what)
{
    return probe_attempt_begin(place->engine,
                               &(struct probe_order){what, .ip = "127.0.0.1",
                                                     .container_id = "containerd://1",
                                                     .timeout = SHORTLY},
                               false, take, place);
}

static void test_no_handler(void **state)
{
    struct sleep_action sleep = {1};
    const struct handler cases[] = {{0}, {.sleep = &sleep}};
    struct place *place = *state;

    for (size_t i = 0; i < array_size(cases); i++) {
        attempt(place, (struct probe_order){&cases[i]}, false);
        assert_outcome(place, PROBE_ERRORED, "missing probe handler");
    }
}

static void test_no_more_than_the_limit(void **state)
{
    struct probe_attempt *attempts[ATTEMPTS_MAX];
    struct place *place = *state;

    place->deaf = true;
    for (size_t i = 0; i < ATTEMPTS_MAX; i++)
        attempts[i] = begin(place, &handler);
    begin(place, &handler);
    assert_int_equal(place->done, 0);
    turn_until_done(place, 1);
    assert_outcome(place, PROBE_ERRORED, "4 attempts are under way already");
    for (size_t i = 0; i < ATTEMPTS_MAX; i++)
        probe_attempt_cancel(attempts[i]);
    place->deaf = false;
    begin(place, &handler);
    turn_until_done(place, 2);
    assert_outcome(place, PROBE_SUCCESS, "");
}

/* What is over before it began is posted, and can be cancelled until then. */
static void test_cancel_what_is_posted(void **state)
{
    struct place *place = *state;

    probe_attempt_cancel(begin(place, &(struct handler){0}));
    for (int i = 0; i < 3; i++)
        loop_turn(place->loop, 0, NULL);
    assert_int_equal(place->done, 0);
}

static void begin_again(void *owner, const struct probe_outcome *outcome)
{
    begin(owner, &handler);
}

/* Also where there is room for no other. */
static void test_begin_from_within(void **state)
{
    struct probe_attempt *attempts[ATTEMPTS_MAX - 1];
    struct place *place = *state;

    place->deaf = true;
    for (size_t i = 0; i < array_size(attempts); i++)
        attempts[i] = begin(place, &handler);
    place->deaf = false;
    probe_attempt_begin(
        place->engine,
        &(struct probe_order){&handler, .container_id = "containerd://1", .timeout = SHORTLY},
        false, begin_again, place);
    turn_until_done(place, 1);
    assert_outcome(place, PROBE_SUCCESS, "");
    for (size_t i = 0; i < array_size(attempts); i++)
        probe_attempt_cancel(attempts[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_place(test_no_handler),
        in_place(test_no_more_than_the_limit),
        in_place(test_cancel_what_is_posted),
        in_place(test_begin_from_within),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
