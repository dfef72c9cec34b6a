/* objects/names: the formats that names have. */
#include "fixture.h"

#include "nodeagent/objects/names.h"

/* What is right and what is wrong, each list ended by NULL. */
static void assert_format(const char *(*check)(const char *), const char *const *right,
                          const char *const *wrong)
{
    for (; *right; right++)
        if (check(*right))
            fail_msg("\"%s\": %s", *right, check(*right));
    for (; *wrong; wrong++)
        if (!check(*wrong) || !str_has_prefix(check(*wrong), "must "))
            fail_msg("\"%s\" is not refused", *wrong);
}

/* `length` letters are right, one more is not. */
static void assert_length(const char *(*check)(const char *), size_t length)
{
    char *text = letters('a', length + 1);

    assert_non_null(check(text));
    text[length] = '\0';
    assert_null(check(text));
    free(text);
}

static void test_label(void **state)
{
    assert_format(
        name_check_label, (const char *[]){"a", "0", "a-b", "a--b", "1a", NULL},
        (const char *[]){"", "-", "-a", "a-", "A", "a.b", "a_b", "a b", "\xc3\xa9", "a\n", NULL});
    assert_non_null(name_check_label(NULL));
    assert_length(name_check_label, 63);
}

static void test_subdomain(void **state)
{
    assert_format(
        name_check_subdomain, (const char *[]){"a", "a.b", "1.2.3", "a-b.c--d", NULL},
        (const char *[]){"", ".", "a.", ".a", "a..b", "a.-b", "a-.b", "A.b", "a_b", "a/b", NULL});
    assert_non_null(name_check_subdomain(NULL));
    assert_length(name_check_subdomain, 253); /* a part may be as long as the whole */
}

static void test_qualified(void **state)
{
    static const char *const right[] = {"a", "A", "a.b_c-D", "example.com/a", "0/0", NULL};
    static const char *const wrong[] = {"",    "/",    "a/",   "/a",    "a/b/c", "_a",   "a_",
                                        "a b", "A/b.", "a./b", "a_b/c", "a/.b",  "a//b", NULL};
    char *prefix = letters('a', 254), *name;

    assert_format(name_check_qualified, right, wrong);
    assert_format(name_check_annotation_key, right, wrong);
    assert_non_null(name_check_qualified(NULL));
    assert_length(name_check_qualified, 63);
    /* Only annotations may have a prefix with capitals. */
    assert_non_null(name_check_qualified("Example.com/a"));
    assert_null(name_check_annotation_key("Example.COM/a"));

    name = mem_printf("%s/a", prefix);
    assert_non_null(name_check_qualified(name));
    assert_non_null(name_check_annotation_key(name));
    assert_null(name_check_qualified(name + 1));
    free(name);
    free(prefix);
}

static void test_label_value(void **state)
{
    assert_format(name_check_label_value, (const char *[]){"", "a", "A_b.c-1", "1", NULL},
                  (const char *[]){"_", "a_", "-a", "a b", "a/b", " ", "\xc3\xa9", NULL});
    assert_null(name_check_label_value(NULL));
    assert_length(name_check_label_value, 63);
}

static void test_config_key(void **state)
{
    assert_format(name_check_config_key, (const char *[]){"a", ".a", "-", "_.-", "a..b", "A", NULL},
                  (const char *[]){"", ".", "..", "..a", "...", "a/b", "a b", NULL});
    assert_non_null(name_check_config_key(NULL));
    assert_length(name_check_config_key, 253);
}

static void test_env(void **state)
{
    assert_format(name_check_env, (const char *[]){"A", "1", " ", "a.b", "~", "a b", NULL},
                  (const char *[]){"", "=", "a=b", "\t", "\x7f", "\xc3\xa9", "a\x1f", NULL});
    assert_non_null(name_check_env(NULL));
}

static void test_ports(void **state)
{
    assert_format(name_check_port_name, (const char *[]){"a", "http", "h1-x", "1a", NULL},
                  (const char *[]){"", "80", "1-2", "-a", "a-", "a--b", "A", "a_b", NULL});
    assert_non_null(name_check_port_name(NULL));
    assert_length(name_check_port_name, 15);
    assert_null(name_check_port_number(1));
    assert_null(name_check_port_number(65535));
    assert_non_null(name_check_port_number(0));
    assert_non_null(name_check_port_number(65536));
    assert_non_null(name_check_port_number(-1));
    assert_non_null(name_check_port_number(INT64_MIN));
    assert_non_null(name_check_port_number(65536LL * 65536 + 80));
}

static void test_http_header(void **state)
{
    assert_format(name_check_http_header, (const char *[]){"X", "X-Y", "-", "1", NULL},
                  (const char *[]){"", "X Y", "X:", "X_Y", "X\n", NULL});
    assert_non_null(name_check_http_header(NULL));
}

static void test_paths(void **state)
{
    assert_format(name_check_relative_path,
                  (const char *[]){"", "a", "a/b", ".", "a..b", "..a", "a../b", "...", "a/.", NULL},
                  (const char *[]){"/", "/a", "..", "../a", "a/..", "a/../b", "a//..", NULL});
    assert_null(name_check_relative_path(NULL));
    assert_false(path_has_dot_dot(NULL));
    assert_true(path_has_dot_dot("/../a"));
    assert_true(path_has_dot_dot("/a/.."));
    assert_false(path_has_dot_dot("/a/..."));
}

static void test_user_ids(void **state)
{
    assert_null(name_check_user_id(0));
    assert_null(name_check_user_id(2147483647));
    assert_non_null(name_check_user_id(2147483648));
    assert_non_null(name_check_user_id(-1));
    assert_non_null(name_check_user_id(INT64_MIN));
    assert_non_null(name_check_user_id(INT64_MAX));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_label),      cmocka_unit_test(test_subdomain),
        cmocka_unit_test(test_qualified),  cmocka_unit_test(test_label_value),
        cmocka_unit_test(test_config_key), cmocka_unit_test(test_env),
        cmocka_unit_test(test_ports),      cmocka_unit_test(test_http_header),
        cmocka_unit_test(test_paths),      cmocka_unit_test(test_user_ids),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
