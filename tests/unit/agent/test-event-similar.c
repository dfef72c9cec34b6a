/* agent/event-similar: which messages are one too many. */
#include "test.h"

#include "event-similar.h"

#define T0 (1000 * USEC_PER_SEC)

static int begin(void **state)
{
    static struct similar similar;

    similar_init(&similar);
    *state = &similar;
    return 0;
}

static int end(void **state)
{
    similar_deinit(*state);
    return 0;
}

static void fill(struct similar *similar, uint64_t kind, usec_t now)
{
    for (uint64_t message = 1; message <= SIMILAR_MESSAGES_MAX; message++)
        assert_false(similar_add(similar, kind, message, now));
}

static void test_the_tenth_is_one_too_many(void **state)
{
    fill(*state, 1, T0);
    fill(*state, 1, T0); /* the same again are none more */
    assert_true(similar_add(*state, 1, 100, T0));
    assert_true(similar_add(*state, 1, 101, T0));
    assert_true(similar_add(*state, 1, 100, T0));
    assert_false(similar_add(*state, 1, 9, T0)); /* it has an event of its own */
}

static void test_kinds_are_apart(void **state)
{
    fill(*state, 1, T0);
    assert_true(similar_add(*state, 1, 10, T0));
    assert_false(similar_add(*state, 2, 10, T0));
}

static void test_a_pause_begins_anew(void **state)
{
    usec_t now = T0;

    fill(*state, 1, now);
    now += SIMILAR_PAUSE_USEC; /* between one and the next: not yet a pause */
    assert_true(similar_add(*state, 1, 10, now));
    now += SIMILAR_PAUSE_USEC;
    assert_true(similar_add(*state, 1, 11, now));
    now += SIMILAR_PAUSE_USEC + 1;
    assert_false(similar_add(*state, 1, 12, now));
}

static void test_what_is_remembered_is_bounded(void **state)
{
    struct similar *similar = *state;

    fill(similar, 1, T0);
    fill(similar, 2, T0);
    for (uint64_t kind = 0; kind < SIMILAR_KINDS_MAX; kind++) {
        similar_add(similar, 1000 + kind, 1, T0);
        assert_true(similar_add(similar, 2, 10, T0)); /* heard of again and again */
    }
    assert_in_range(map_count(&similar->kinds), 1, SIMILAR_KINDS_MAX + 1);
    assert_false(similar_add(similar, 1, 10, T0));

    similar_add(similar, 1, 1, T0 + SIMILAR_PAUSE_USEC + 1);
    assert_int_equal(map_count(&similar->kinds), 1);
}

#define test_with_similar(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_similar(test_the_tenth_is_one_too_many),
        test_with_similar(test_kinds_are_apart),
        test_with_similar(test_a_pause_begins_anew),
        test_with_similar(test_what_is_remembered_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
