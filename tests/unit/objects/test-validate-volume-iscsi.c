/* objects/validate-volume-iscsi: qualified names of targets and initiators. */
#include "document.h"

static void assert_name(const char *name, bool right)
{
    char *text = mem_printf("{name: v, iscsi: {targetPortal: t, iqn: \"%s\"}}", name);
    struct finding_case one[] = {{text, right ? "" : "Invalid iscsi.iqn"}, {0}};

    assert_volume_cases(one);
    free(text);
}

static void test_names(void **state)
{
    static const char *const right[] = {
        "iqn.2003-01.com.example-1:disk",
        "iqn.2003-01.com:disk:with:colons",
        "iqnx-iqn.2003-01.a:b",
        "iqn.2003-01.iqn.2004-01.a:b",
        "eui.0123456789abcDEF",
        "eui\u00e90123456789abcDEF",
        "naa.0123456789abcdef0123456789abcdef",
    };
    static const char *const wrong[] = {
        "target",
        "iqn",
        "iqn.2003-1.a:b",
        "iqn.2003-01.:b",
        "iqn.2003-01.a",
        "iqn.2003-01.a:",
        "iqn.2003-01.a:b c",
        "iqn.2003-01.a:b,c",
        "iqn.2003-01.a_b:c",
        "eui",
        "eui\\n0123456789abcDEF",
        "eui.0123456789abcDE",
        "eui.0123456789abcDEF0",
        "eui.0123456789abcD-F",
        "naa.0123456789abcDEF",
    };

    for (size_t i = 0; i < array_size(right); i++)
        assert_name(right[i], true);
    for (size_t i = 0; i < array_size(wrong); i++)
        assert_name(wrong[i], false);
}

static void test_volume(void **state)
{
    static const struct finding_case cases[] = {
        {"{name: v, iscsi: {}}", "Required iscsi.targetPortal, Required iscsi.iqn"},
        {"{name: v, iscsi: {targetPortal: t, iqn: 'iqn.2003-01.a:b', lun: -1}}",
         "Invalid iscsi.lun"},
        {"{name: v, iscsi: {targetPortal: t, iqn: 'iqn.2003-01.a:b', chapAuthSession: true}}",
         "Required iscsi.secretRef"},
        {"{name: v, iscsi: {targetPortal: t, iqn: 'iqn.2003-01.a:b', chapAuthDiscovery: true, "
         "secretRef: {}}}",
         ""},
        {"{name: v, iscsi: {targetPortal: t, iqn: 'iqn.2003-01.a:b', initiatorName: ''}}",
         "Invalid iscsi.initiatorname"},
        {"{name: v, emptyDir: {}, iscsi: {initiatorName: x, targetPortal: "
         "ppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppp}}",
         "Forbidden iscsi, Invalid name"},
        {"{name: v, emptyDir: {}, iscsi: {initiatorName: x}}", "Forbidden iscsi"},
        {"{emptyDir: {}, iscsi: {initiatorName: x, targetPortal: t}}",
         "Forbidden iscsi, Required name"},
        {0},
    };

    assert_volume_cases(cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_volume),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
