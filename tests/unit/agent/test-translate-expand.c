/* agent/translate-expand: variables in texts. */
#include "translation.h"

static int expand(struct fixture *test, struct variables *variables, const char *text,
                  const char **result, struct string_list *missing)
{
    return variables_expand(variables, text, "it", result, missing, &test->err);
}

static void test_texts(void **state)
{
    static const struct {
        const char *text;
        const char *expected;
    } cases[] = {
        {"", ""},
        {"plain", "plain"},
        {"$(A)", "1"},
        {"x$(A)y$(B)z", "x1y2z"},
        {"$(EMPTY)", ""},
        {"$(NOT)", "$(NOT)"},
        {"$()", "$()"},
        {"$$", "$"},
        {"$$(A)", "$(A)"},
        {"$$$(A)", "$1"},
        {"$$$$(A)", "$$(A)"},
        {"$A ${A} $1", "$A ${A} $1"},
        {"$", "$"},
        {"a$", "a$"},
        {"$(A", "$(A"},
        {"$(", "$("},
        {"$(A)$(", "1$("},
        {"$($(A)", "$($(A)"}, /* the name is "$(A" */
        {"$(A))", "1)"},
        {"$(NEST)", "$(A)"}, /* values are not expanded again */
        {") $(A", ") $(A"},
        {"$(A) $(B", "1 $(B"},
    };
    struct variables variables;
    struct fixture test;

    fixture_init_in(&test, IN_SPEC, "");
    variables_init(&variables, &test.arena);
    variables_put(&variables, "A", "1", &test.err);
    variables_put(&variables, "B", "2", &test.err);
    variables_put(&variables, "EMPTY", "", &test.err);
    variables_put(&variables, "NEST", "$(A)", &test.err);
    for (size_t i = 0; i < array_size(cases); i++) {
        const char *result;

        assert_int_equal(expand(&test, &variables, cases[i].text, &result, NULL), 0);
        assert_string_equal(result, cases[i].expected);
    }
    variables_deinit(&variables);
    fixture_deinit(&test);
}

static void test_missing(void **state)
{
    struct string_list missing = {0};
    struct variables variables;
    struct fixture test;
    const char *result;

    fixture_init_in(&test, IN_SPEC, "");
    variables_init(&variables, &test.arena);
    variables_put(&variables, "A", "1", &test.err);
    variables_put(&variables, "EMPTY", "", &test.err);
    assert_int_equal(expand(&test, &variables, "$(Z)$(A)$(EMPTY)$(Z)", &result, &missing), 0);
    assert_string_equal(text_of(&test, missing.count, (char **)missing.items), "Z EMPTY");
    variables_deinit(&variables);
    fixture_deinit(&test);
}

static void test_the_later_replaces_the_earlier(void **state)
{
    struct variables variables;
    struct fixture test;

    fixture_init_in(&test, IN_SPEC, "");
    variables_init(&variables, &test.arena);
    for (int i = 0; i < 100; i++)
        variables_put(&variables, arena_printf(&test.arena, "N%d", i % 50),
                      arena_printf(&test.arena, "%d", i), &test.err);
    assert_int_equal(variables.map.count, 50);
    assert_string_equal(variables.map.items[0].name, "N0");
    assert_string_equal(variables.map.items[0].value, "50");
    assert_string_equal(variables_get(&variables, "N49", 3), "99");
    assert_null(variables_get(&variables, "N50", 3));
    variables_deinit(&variables);
    fixture_deinit(&test);
}

static void test_a_long_variable(void **state)
{
    char *value = letters('x', VARIABLE_BYTES_MAX - strlen("A=") - 1);
    struct variables variables;
    struct fixture test;
    const char *result;

    fixture_init_in(&test, IN_SPEC, "");
    variables_init(&variables, &test.arena);
    assert_int_equal(variables_put(&variables, "A", value, &test.err), 0);
    assert_true(variables_put(&variables, "AB", value, &test.err) < 0);
    assert_string_equal(test.err.text,
                        "the environment variable AB is too long: at most 131072 bytes");
    assert_int_equal(expand(&test, &variables, "$(A)", &result, NULL), 0);
    assert_true(expand(&test, &variables, "$(A)$(A)", &result, NULL) < 0);
    assert_string_equal(test.err.text, "it is too long once expanded: at most 131072 bytes");
    free(value);
    variables_deinit(&variables);
    fixture_deinit(&test);
}

static void test_many_long_variables(void **state)
{
    char *value = letters('x', 100000);
    struct variables variables;
    struct fixture test;
    int count = 0;

    fixture_init_in(&test, IN_SPEC, "");
    variables_init(&variables, &test.arena);
    /* the same name counts each time: what it replaces takes memory too */
    while (variables_put(&variables, "A", value, &test.err) == 0)
        count++;
    assert_int_equal(count, VARIABLES_BYTES_MAX / 100003);
    assert_string_equal(test.err.text,
                        "the environment variables are too long: at most 6291456 bytes");
    free(value);
    variables_deinit(&variables);
    fixture_deinit(&test);
}

/* Looking for what ends a reference must not read the whole rest for each. */
static void test_many_open_references(void **state)
{
    size_t count = VARIABLE_BYTES_MAX - 1;
    char *text = letters('(', count);
    struct variables variables;
    struct fixture test;
    const char *result;

    fixture_init_in(&test, IN_SPEC, "");
    variables_init(&variables, &test.arena);
    for (size_t i = 0; i < count; i += 2)
        text[i] = '$';
    assert_int_equal(expand(&test, &variables, text, &result, NULL), 0);
    assert_string_equal(result, text);
    free(text);
    variables_deinit(&variables);
    fixture_deinit(&test);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_missing),
        cmocka_unit_test(test_the_later_replaces_the_earlier),
        cmocka_unit_test(test_a_long_variable),
        cmocka_unit_test(test_many_long_variables),
        cmocka_unit_test(test_many_open_references),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
