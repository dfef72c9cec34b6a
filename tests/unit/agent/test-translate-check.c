/* agent/translate-check: names of capabilities. */
#include "translation.h"

#include "translate-check.h"

static void assert_check(const char *container, const char *sentence)
{
    struct fixture test;
    int r;

    fixture_init_in(&test, IN_CONTAINER, container);
    r = translate_check_capabilities(test.translation.pod->spec.containers.items, &test.err);
    assert_int_equal(r < 0, !!sentence);
    if (sentence)
        assert_string_equal(test.err.text, sentence);
    fixture_deinit(&test);
}

#define ADD(list) "securityContext: {capabilities: {add: [" list "]}}"
#define DROP(list) "securityContext: {capabilities: {drop: [" list "]}}"
#define SENTENCE(place, name)                                                                      \
    "container a: securityContext.capabilities." place ": \"" name "\" is not a capability"

static void test_known(void **state)
{
    assert_check("", NULL);
    assert_check("securityContext: {}", NULL);
    assert_check("securityContext: {capabilities: {}}", NULL);
    assert_check(ADD("NET_ADMIN, CAP_NET_ADMIN, ALL, net_raw, cap_kill, CHECKPOINT_RESTORE"), NULL);
    assert_check(DROP("ALL, CHOWN"), NULL);
}

static void test_unknown(void **state)
{
    assert_check(ADD("NET_ADMIN, NET_ADMN"),
                 SENTENCE("add[1]", "NET_ADMN") ", did you mean \"NET_ADMIN\"?");
    assert_check(DROP("CAP_SYS_TIMES"),
                 SENTENCE("drop[0]", "CAP_SYS_TIMES") ", did you mean \"SYS_TIME\"?");
    assert_check(DROP("EVERYTHING"), SENTENCE("drop[0]", "EVERYTHING"));
    assert_check(ADD("''"), SENTENCE("add[0]", ""));
    /* what libcap would read in its own way */
    assert_check(ADD("'7'"), SENTENCE("add[0]", "7"));
    assert_check(ADD("'CHOWN=ep'"), SENTENCE("add[0]", "CHOWN=ep"));
    assert_check(ADD("'CHOWN,KILL'"), SENTENCE("add[0]", "CHOWN,KILL"));
    assert_check(ADD("CAP_CAP_CHOWN"), SENTENCE("add[0]", "CAP_CAP_CHOWN"));
    assert_check(ADD("CAP_ALL"), SENTENCE("add[0]", "CAP_ALL"));
}

static void test_a_long_name(void **state)
{
    char *name = letters('A', 5000);
    char *text = mem_printf("securityContext: {capabilities: {add: [%s]}}", name);
    struct fixture test;

    fixture_init_in(&test, IN_CONTAINER, text);
    assert_true(
        translate_check_capabilities(test.translation.pod->spec.containers.items, &test.err) < 0);
    fixture_deinit(&test);
    free(text);
    free(name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known),
        cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_a_long_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
