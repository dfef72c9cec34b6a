/* api/rotation: when to ask for a certificate, by tables. */
#include "test.h"

#include "nodeagent/api/rotation.h"

#include <string.h>

#define S USEC_PER_SEC
#define MINUTE (60 * S)
#define HOUR ((int64_t)(60 * MINUTE))
#define WALL ((int64_t)1767323045 * (int64_t)S) /* when these tests begin */
#define BOOT ((usec_t)1000 * S)

static struct rotation_now after(usec_t passed)
{
    return (struct rotation_now){BOOT + passed, WALL + (int64_t)passed};
}

static void test_when_it_is_due(void **state)
{
    static const struct {
        int64_t from, to;
        double random;
        int64_t due;
    } cases[] = {
        {0, 100 * HOUR, 0, 70 * HOUR},
        {0, 100 * HOUR, 0.5, 80 * HOUR},
        {0, 100 * HOUR, 0.999999, 90 * HOUR},
        {-90 * HOUR, 10 * HOUR, 0, -20 * HOUR},
        {0, 10 * 60 * (int64_t)S, 0.5, 8 * 60 * (int64_t)S},
        {5, 5, 0.9, 5},
        {100, 5, 0.9, 100}, /* ends before it begins */
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        struct rotation rotation;
        int64_t difference;

        rotation_init(&rotation, true, BOOT);
        rotation_take(&rotation,
                      &(struct rotation_certificate){WALL + cases[i].from, WALL + cases[i].to},
                      cases[i].random);
        difference = rotation.due - (WALL + cases[i].due);
        assert_true(difference > -(int64_t)S && difference < (int64_t)S);
        assert_true(rotation.due <= WALL + MAX(cases[i].to, cases[i].from));
    }
}

static void test_the_life_of_a_certificate(void **state)
{
    struct rotation rotation;
    struct rotation_verdict verdict;

    rotation_init(&rotation, true, BOOT);
    assert_int_equal(rotation_next(&rotation, false, after(0)).step, ROTATION_ASK);
    rotation_ask(&rotation, BOOT);
    verdict = rotation_next(&rotation, false, after(1));
    assert_int_equal(verdict.step, ROTATION_WAIT);
    assert_true(verdict.wake == BOOT + 1 + MINUTE);
    rotation_take(&rotation, &(struct rotation_certificate){WALL, WALL + 10 * 60 * (int64_t)S},
                  0.5);
    assert_int_equal(rotation_next(&rotation, false, after(8 * MINUTE - 2 * S)).step,
                     ROTATION_WAIT);
    assert_true(rotation_next(&rotation, false, after(0)).wake == BOOT + MINUTE);
    verdict = rotation_next(&rotation, false, after(8 * MINUTE - 10 * S));
    assert_true(verdict.wake > BOOT + 8 * MINUTE - S && verdict.wake < BOOT + 8 * MINUTE + S);
    assert_int_equal(rotation_next(&rotation, false, after(8 * MINUTE + S)).step, ROTATION_ASK);
}

static void test_a_clock_that_is_set(void **state)
{
    struct rotation rotation;

    rotation_init(&rotation, false, BOOT);
    rotation_take(&rotation, &(struct rotation_certificate){WALL, WALL + 100 * HOUR}, 0);
    assert_int_equal(
        rotation_next(&rotation, false, (struct rotation_now){BOOT + S, WALL + 71 * HOUR}).step,
        ROTATION_ASK);
    /* Far back: it is not yet valid, and asked for again when it is due. */
    assert_int_equal(rotation_next(&rotation, false, (struct rotation_now){BOOT + S, 0}).step,
                     ROTATION_WAIT);
}

static void test_what_is_replaced_at_once(void **state)
{
    struct rotation rotation;

    rotation_init(&rotation, true, BOOT);
    rotation_take(&rotation, &(struct rotation_certificate){WALL, WALL + 100 * HOUR}, 0.5);
    assert_int_equal(rotation_next(&rotation, false, after(0)).step, ROTATION_WAIT);
    assert_int_equal(rotation_next(&rotation, true, after(0)).step, ROTATION_ASK);
}

static void test_attempts_that_fail(void **state)
{
    static const unsigned delays[] = {2, 4, 8, 16, 32, 32, 32};
    struct rotation rotation;
    usec_t passed = 0;

    rotation_init(&rotation, true, BOOT);
    for (size_t i = 0; i < array_size(delays); i++) {
        struct rotation_verdict verdict;

        assert_int_equal(rotation_next(&rotation, false, after(passed)).step, ROTATION_ASK);
        rotation_ask(&rotation, BOOT + passed);
        rotation_fail(&rotation, false, 0, BOOT + passed);
        verdict = rotation_next(&rotation, false, after(passed));
        assert_int_equal(verdict.step, ROTATION_WAIT);
        passed += delays[i] * S;
        assert_true(verdict.wake == BOOT + passed);
        assert_int_equal(rotation_next(&rotation, false, after(passed - 1)).step, ROTATION_WAIT);
    }
    rotation_fail(&rotation, false, 0.5, BOOT);
    assert_true(rotation.retry_at == BOOT + 32 * S + 16 * S / 10);
    rotation.failures = UINT32_MAX;
    rotation_fail(&rotation, false, 0, BOOT);
    assert_true(rotation.retry_at == BOOT + 32 * S);

    /* What came at last starts anew. */
    rotation_take(&rotation, &(struct rotation_certificate){WALL, WALL}, 0);
    rotation_fail(&rotation, false, 0, BOOT);
    assert_true(rotation.retry_at == BOOT + 2 * S);
}

static void test_an_attempt_has_its_time(void **state)
{
    struct rotation rotation;
    struct rotation_verdict verdict;

    rotation_init(&rotation, true, BOOT);
    rotation_ask(&rotation, BOOT);
    assert_int_equal(rotation_next(&rotation, true, after(15 * MINUTE - 1)).step, ROTATION_WAIT);
    assert_true(rotation_next(&rotation, true, after(15 * MINUTE - 1)).wake == BOOT + 15 * MINUTE);
    verdict = rotation_next(&rotation, true, after(15 * MINUTE));
    assert_int_equal(verdict.step, ROTATION_BREAK_OFF);
    assert_non_null(strstr(verdict.why, "within 15 minutes"));
    rotation_fail(&rotation, false, 0, BOOT + 15 * MINUTE);
    assert_int_equal(rotation_next(&rotation, true, after(15 * MINUTE + 2 * S)).step, ROTATION_ASK);
}

/* Who ends, and when: by what there is, what the server says, and the time since. */
static void test_the_end(void **state)
{
    static const struct {
        bool exits, present, refused, asking;
        usec_t passed; /* the certificate ends after an hour */
        enum rotation_step step;
    } cases[] = {
        {true, false, true, false, 5 * MINUTE - 1, ROTATION_ASK},
        {true, false, true, false, 5 * MINUTE, ROTATION_EXIT},
        {true, false, false, false, 50 * MINUTE, ROTATION_ASK},
        {false, false, true, false, 50 * MINUTE, ROTATION_ASK},
        {true, false, true, true, 5 * MINUTE, ROTATION_WAIT},
        {true, true, true, false, 60 * MINUTE, ROTATION_ASK},
        {true, true, true, false, 60 * MINUTE + 1, ROTATION_EXIT},
        {true, true, false, false, 61 * MINUTE, ROTATION_ASK},
        {false, true, true, false, 61 * MINUTE, ROTATION_ASK},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        struct rotation rotation;
        struct rotation_verdict verdict;

        rotation_init(&rotation, cases[i].exits, BOOT);
        if (cases[i].present)
            rotation_take(&rotation, &(struct rotation_certificate){WALL, WALL + HOUR}, 0.5);
        rotation_fail(&rotation, cases[i].refused, 0, BOOT);
        if (cases[i].asking)
            rotation_ask(&rotation, BOOT + cases[i].passed);
        verdict = rotation_next(&rotation, false, after(cases[i].passed));
        assert_int_equal(verdict.step, cases[i].step);
        assert_int_equal(verdict.why != NULL, cases[i].step == ROTATION_EXIT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_when_it_is_due),
        cmocka_unit_test(test_the_life_of_a_certificate),
        cmocka_unit_test(test_a_clock_that_is_set),
        cmocka_unit_test(test_what_is_replaced_at_once),
        cmocka_unit_test(test_attempts_that_fail),
        cmocka_unit_test(test_an_attempt_has_its_time),
        cmocka_unit_test(test_the_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
