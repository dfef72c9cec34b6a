/* objects/variables: variables in texts. */
#include "test.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/objects/variables.h"

#include <stdlib.h>
#include <string.h>

struct fixture {
    struct arena arena;
    struct err err;
    struct variables variables;
};

static void fixture_init(struct fixture *test)
{
    *test = (struct fixture){.arena = ARENA_INIT_DOCUMENT};
    variables_init(&test->variables, &test->arena);
}

static void fixture_deinit(struct fixture *test)
{
    variables_deinit(&test->variables);
    arena_deinit(&test->arena);
}

static char *letters(char letter, size_t count)
{
    char *text = mem_alloc(count + 1);

    memset(text, letter, count);
    text[count] = '\0';
    return text;
}

static int put(struct fixture *test, const char *name, const char *value)
{
    return variables_put(&test->variables, name, value, &test->err);
}

static int expand(struct fixture *test, const char *text, const char **result,
                  struct string_list *missing)
{
    return variables_expand(&test->variables, text, "it", result, missing, &test->err);
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
    struct fixture test;

    fixture_init(&test);
    put(&test, "A", "1");
    put(&test, "B", "2");
    put(&test, "EMPTY", "");
    put(&test, "NEST", "$(A)");
    for (size_t i = 0; i < array_size(cases); i++) {
        const char *result;

        assert_int_equal(expand(&test, cases[i].text, &result, NULL), 0);
        assert_string_equal(result, cases[i].expected);
    }
    fixture_deinit(&test);
}

static void test_missing(void **state)
{
    struct string_list missing = {0};
    struct fixture test;
    const char *result;

    fixture_init(&test);
    put(&test, "A", "1");
    put(&test, "EMPTY", "");
    assert_int_equal(expand(&test, "$(Z)$(A)$(EMPTY)$(Z)", &result, &missing), 0);
    assert_int_equal(missing.count, 2);
    assert_string_equal(missing.items[0], "Z");
    assert_string_equal(missing.items[1], "EMPTY");
    fixture_deinit(&test);
}

static void test_the_later_replaces_the_earlier(void **state)
{
    struct fixture test;

    fixture_init(&test);
    for (int i = 0; i < 100; i++)
        put(&test, arena_printf(&test.arena, "N%d", i % 50), arena_printf(&test.arena, "%d", i));
    assert_int_equal(test.variables.map.count, 50);
    assert_string_equal(test.variables.map.items[0].name, "N0");
    assert_string_equal(test.variables.map.items[0].value, "50");
    assert_string_equal(variables_get(&test.variables, "N49", 3), "99");
    assert_null(variables_get(&test.variables, "N50", 3));
    fixture_deinit(&test);
}

static void test_a_long_variable(void **state)
{
    char *value = letters('x', VARIABLE_BYTES_MAX - strlen("A=") - 1);
    struct fixture test;
    const char *result;

    fixture_init(&test);
    assert_int_equal(put(&test, "A", value), 0);
    assert_true(put(&test, "AB", value) < 0);
    assert_string_equal(test.err.text,
                        "the environment variable AB is too long: at most 131072 bytes");
    assert_int_equal(expand(&test, "$(A)", &result, NULL), 0);
    assert_true(expand(&test, "$(A)$(A)", &result, NULL) < 0);
    assert_string_equal(test.err.text, "it is too long once expanded: at most 131072 bytes");
    free(value);
    fixture_deinit(&test);
}

static void test_many_long_variables(void **state)
{
    char *value = letters('x', 100000);
    struct fixture test;
    int count = 0;

    fixture_init(&test);
    /* the same name counts each time: what it replaces takes memory too */
    while (put(&test, "A", value) == 0)
        count++;
    assert_int_equal(count, VARIABLES_BYTES_MAX / 100003);
    assert_string_equal(test.err.text,
                        "the environment variables are too long: at most 6291456 bytes");
    free(value);
    fixture_deinit(&test);
}

/* Looking for what ends a reference must not read the whole rest for each. */
static void test_many_open_references(void **state)
{
    size_t count = VARIABLE_BYTES_MAX - 1;
    char *text = letters('(', count);
    struct fixture test;
    const char *result;

    fixture_init(&test);
    for (size_t i = 0; i < count; i += 2)
        text[i] = '$';
    assert_int_equal(expand(&test, text, &result, NULL), 0);
    assert_string_equal(result, text);
    free(text);
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
