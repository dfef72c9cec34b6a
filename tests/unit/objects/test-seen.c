/* objects/seen: names that were met, few and many. */
#include "fixture.h"

#include "seen.h"

#include <stdio.h>

enum {
    MANY = 1000,
};

static void test_nothing_is_there_at_first(void **state)
{
    _cleanup_(seen_deinit) struct seen seen = SEEN_INIT;

    assert_false(seen_has(&seen, "a") || seen_has(&seen, "") || seen_has(&seen, NULL));
    assert_null(seen_get(&seen, "a"));
}

static void test_an_absent_name_is_the_empty_one(void **state)
{
    _cleanup_(seen_deinit) struct seen seen = SEEN_INIT;

    assert_false(seen_before(&seen, NULL));
    assert_true(seen_before(&seen, "") && seen_has(&seen, NULL));
}

/* With each count of names, around the one at which the table changes. */
static void test_names_are_found(void **state)
{
    char names[MANY][8];

    for (size_t count = 0; count < MANY; count += count < SEEN_FEW + 3 ? 1 : 100) {
        _cleanup_(seen_deinit) struct seen seen = SEEN_INIT;

        for (size_t i = 0; i < count; i++) {
            snprintf(names[i], sizeof(names[i]), "n%zu", i);
            assert_false(seen_before(&seen, names[i]));
            assert_true(seen_before(&seen, names[i]));
        }
        for (size_t i = 0; i < count; i++)
            assert_true(seen_has(&seen, names[i]));
        assert_false(seen_has(&seen, "n") || seen_has(&seen, ""));
        assert_int_equal(map_count(&seen.many), count > SEEN_FEW ? count : 0);
    }
}

static void test_put_replaces_and_first_keeps(void **state)
{
    static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"};
    static const int one = 1, two = 2, three = 3;

    for (size_t count = 1; count <= array_size(names); count++) {
        _cleanup_(seen_deinit) struct seen seen = SEEN_INIT;

        for (size_t i = 0; i < count; i++) {
            assert_null(seen_put(&seen, names[i], &one));
            assert_ptr_equal(seen_put(&seen, names[i], &two), &one);
        }
        for (size_t i = 0; i < count; i++) {
            assert_ptr_equal(seen_first(&seen, names[i], &three), &two);
            assert_ptr_equal(seen_get(&seen, names[i]), &two);
        }
        assert_ptr_equal(seen_first(&seen, "z", &three), &three);
        assert_ptr_equal(seen_get(&seen, "z"), &three);
    }
}

static void test_pairs_differ(void **state)
{
    struct arena arena = ARENA_INIT_DOCUMENT;

    assert_string_not_equal(seen_pair("a", "bc", &arena), seen_pair("ab", "c", &arena));
    assert_string_not_equal(seen_pair("1 a", "", &arena), seen_pair("", "1 a", &arena));
    assert_string_equal(seen_pair(NULL, "a", &arena), seen_pair("", "a", &arena));
    assert_string_equal(seen_pair("a", NULL, &arena), seen_pair("a", "", &arena));
    arena_deinit(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_is_there_at_first),
        cmocka_unit_test(test_an_absent_name_is_the_empty_one),
        cmocka_unit_test(test_names_are_found),
        cmocka_unit_test(test_put_replaces_and_first_keeps),
        cmocka_unit_test(test_pairs_differ),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
