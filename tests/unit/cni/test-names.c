/* cni/names */
#include "test.h"

#include "names.h"

#include <string.h>

static char *filled(char *buffer, size_t length)
{
    memset(buffer, 'a', length);
    buffer[length] = '\0';
    return buffer;
}

static void test_names(void **state)
{
    static const char *const good[] = {"a", "0", "k8s-pod-network", "a.b_c-d", "9f86d081"},
                             *const bad[] = {"", "-a", "_a", ".a", "a/b", "a b", "../evil", "ä"};
    char text[256];

    for (size_t i = 0; i < array_size(good); i++)
        assert_null(cni_name_check(good[i]));
    for (size_t i = 0; i < array_size(bad); i++)
        assert_non_null(cni_name_check(bad[i]));
    assert_non_null(cni_name_check(NULL));
    assert_null(cni_name_check(filled(text, CNI_NAME_MAX)));
    assert_non_null(cni_name_check(filled(text, CNI_NAME_MAX + 1)));
}

static void test_interface_names(void **state)
{
    static const char *const bad[] = {"", ".", "..", "a/b", "a:b", "a b", "a\tb"};
    char text[32];

    assert_null(cni_ifname_check("eth0"));
    assert_null(cni_ifname_check(filled(text, 15)));
    assert_non_null(cni_ifname_check(filled(text, 16)));
    assert_non_null(cni_ifname_check(NULL));
    for (size_t i = 0; i < array_size(bad); i++)
        assert_non_null(cni_ifname_check(bad[i]));
}

static void test_types(void **state)
{
    static const char *const bad[] = {"", ".", "..", "../../bin/sh", "/bin/sh", "a/b"};
    char text[CNI_TYPE_MAX + 1];

    assert_null(cni_type_check("host-local"));
    assert_null(cni_type_check(filled(text, CNI_TYPE_MAX - 1)));
    assert_non_null(cni_type_check(filled(text, CNI_TYPE_MAX)));
    for (size_t i = 0; i < array_size(bad); i++)
        assert_non_null(cni_type_check(bad[i]));
}

static void test_args(void **state)
{
    static const char *const good[] = {"", "A=1", "A=1;B=2", "A=;B=2", "A=1;"},
                             *const bad[] = {"A",        "=1",   "A=1=2", "A=1;B",
                                             "A=1;;B=2", ";A=1", "A=\xff"};

    assert_null(cni_args_check(NULL));
    for (size_t i = 0; i < array_size(good); i++)
        assert_null(cni_args_check(good[i]));
    for (size_t i = 0; i < array_size(bad); i++)
        assert_non_null(cni_args_check(bad[i]));
}

static void test_versions(void **state)
{
    static const char *const bad[] = {"",     "v1.0.0", "1.",   "1.2.3.",    "1.2.3.4",
                                      "1..2", "a",      "1.-1", "123456.0.0"};

    for (size_t i = 0; i < array_size(bad); i++)
        assert_true(cni_version_number(bad[i]) < 0);
    assert_true(cni_version_number("1") == cni_version_number("1.0.0"));
    assert_true(cni_version_number("0.4") < cni_version_number("0.10.0"));
    assert_true(cni_version_at_least("1.1.0", "1.0.0"));
    assert_true(cni_version_at_least("0.4.0", "0.4.0"));
    assert_false(cni_version_at_least("0.3.1", "0.4.0"));
    assert_string_equal(cni_version_known("0.3.1"), "0.3.1");
    assert_null(cni_version_known("0.3.2"));
    for (size_t i = 1; cni_versions[i]; i++)
        assert_false(cni_version_at_least(cni_versions[i - 1], cni_versions[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),    cmocka_unit_test(test_interface_names),
        cmocka_unit_test(test_types),    cmocka_unit_test(test_args),
        cmocka_unit_test(test_versions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
