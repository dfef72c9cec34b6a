/* agent/translate-resolv-conf: the node's resolver, as far as pods get it. */
#include "translation.h"

static const char *resolv_text(struct fixture *test, const char *file)
{
    struct resolv_conf conf;

    if (resolv_conf_parse(&test->arena, file, strlen(file), &conf, &test->err) < 0)
        return test->err.text;
    return arena_printf(&test->arena, "%s|%s|%s",
                        text_of(test, conf.servers.count, (char **)conf.servers.items),
                        text_of(test, conf.searches.count, (char **)conf.searches.items),
                        text_of(test, conf.options.count, (char **)conf.options.items));
}

static void test_files(void **state)
{
    static const struct {
        const char *file;
        const char *expected;
    } cases[] = {
        {"", "||"},
        {"nameserver 1.1.1.1\nnameserver 2.2.2.2 more\n", "1.1.1.1 2.2.2.2||"},
        {"  nameserver\t1.1.1.1\r\n", "1.1.1.1||"},
        {"nameserver 1.1.1.1", "1.1.1.1||"},
        {"# nameserver 1.1.1.1\n\n;nameserver 2.2.2.2\n #x", "||"},
        {"nameserver", "resolv.conf:1: nameserver list is empty"},
        {"\nnameserver  \n", "resolv.conf:2: nameserver list is empty"},
        /* the last search line counts */
        {"search a b\nsearch c d", "|c d|"},
        {"search a\nsearch", "||"},
        {"search . example.com. .. a", "|example.com . a|"},
        /* options add up, the later of a name wins */
        {"options ndots:1 rotate\noptions ndots:2 timeout:3", "||ndots:2 rotate timeout:3"},
        {"options ndots ndots:2 ndotsx:1", "||ndots:2 ndotsx:1"},
        {"domain a\nsortlist b\nnameservers x", "||"},
    };
    struct fixture test;

    fixture_init_in(&test, IN_SPEC, "");
    for (size_t i = 0; i < array_size(cases); i++)
        assert_string_equal(resolv_text(&test, cases[i].file), cases[i].expected);
    fixture_deinit(&test);
}

/* A file of any size costs no more than what can be used of it. */
static void test_a_long_file(void **state)
{
    struct strbuf file = STRBUF_INIT;
    struct resolv_conf conf;
    struct fixture test;

    fixture_init_in(&test, IN_SPEC, "");
    for (int i = 0; i < 1000; i++)
        strbuf_printf(&file, "nameserver 10.0.0.%d\noptions o%d\n", i, i);
    strbuf_add(&file, "search");
    for (int i = 0; i < 1000; i++)
        strbuf_printf(&file, " s%d", i);
    assert_int_equal(resolv_conf_parse(&test.arena, file.text, file.length, &conf, &test.err), 0);
    assert_in_range(conf.servers.count, 4, 100);
    assert_in_range(conf.searches.count, 33, 100);
    assert_in_range(conf.options.count, 10, 100);
    strbuf_deinit(&file);
    fixture_deinit(&test);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_a_long_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
