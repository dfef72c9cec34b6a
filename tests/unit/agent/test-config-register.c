/* agent/config-register.c: labels, taints and the version of a Node. */
#include "test.h"

#include "config-private.h"

#include <string.h>

static void test_labels(void **state)
{
    static const struct {
        const char *name, *value, *complaint; /* NULL: it is right */
    } cases[] = {
        {"a", "b", NULL},
        {"example.com/a", "", NULL},
        {"kubernetes.io/hostname", "n", NULL},
        {"topology.kubernetes.io/zone", "a", NULL},
        {"node.kubernetes.io/a", "b", NULL},
        {"x.node.kubernetes.io/a", "b", NULL},
        {"kubelet.kubernetes.io/a", "b", NULL},
        {"notkubernetes.io/a", "b", NULL},
        {"kubernetes.io", "b", NULL}, /* of no domain */
        {"kubernetes.io/a", "b", "unknown 'kubernetes.io' or 'k8s.io' labels"},
        {"node-role.kubernetes.io/a", "b", "[node-role.kubernetes.io/a]"},
        {"xnode.kubernetes.io/a", "b", "unknown 'kubernetes.io'"},
        {"k8s.io/a", "b", "unknown 'kubernetes.io'"},
        {"a.k8s.io/a", "b", "unknown 'kubernetes.io'"},
        {"a b", "c", "the label \"a b\" must"},
        {"a", "b c", "the value \"b c\" of label a must"},
        {"", "", "the label \"\" must"},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        struct string_pair label = {cases[i].name, cases[i].value};
        struct err err = {0};
        int r = config_check_label(&label, &err);

        assert_int_equal(r < 0, cases[i].complaint != NULL);
        if (r < 0 && !strstr(err.text, cases[i].complaint))
            fail_msg("%s", err.text);
    }
}

static void test_taints(void **state)
{
    static const struct {
        const char *text, *key, *value, *effect; /* no key: refused */
    } cases[] = {
        {"a=b:NoSchedule", "a", "b", "NoSchedule"},
        {"a=:PreferNoSchedule", "a", "", "PreferNoSchedule"},
        {"x.y/a:NoExecute", "x.y/a", "", "NoExecute"},
        {"", NULL, NULL, "it must be key=value:Effect"},
        {"a", NULL, NULL, "it must be key=value:Effect"},
        {"a:NoSchedule-", NULL, NULL, "invalid taint effect: NoSchedule-"},
        {"a:", NULL, NULL, "invalid taint effect: ;"},
        {":NoSchedule", NULL, NULL, "the key must"},
        {"a b:NoSchedule", NULL, NULL, "the key must"},
        {"a=b=c:NoSchedule", NULL, NULL, "the value must"},
        {"a=b:c:NoSchedule", NULL, NULL, "the value must"},
    };
    struct arena arena = ARENA_INIT_DOCUMENT;

    for (size_t i = 0; i < array_size(cases); i++) {
        struct taint taint;
        struct err err = {0};
        int r = config_taint(cases[i].text, &arena, &taint, &err);

        assert_int_equal(r < 0, !cases[i].key);
        if (r < 0) {
            if (!strstr(err.text, cases[i].effect))
                fail_msg("%s", err.text);
            continue;
        }
        assert_string_equal(taint.key, cases[i].key);
        assert_string_equal(taint.value, cases[i].value);
        assert_string_equal(taint.effect, cases[i].effect);
    }
    arena_deinit(&arena);
}

static void test_versions(void **state)
{
    static const char *const cases[][2] = {
        {"1.34", "v1.34.0"},      {"v1.35", "v1.35.0"}, {"1.36.2", "v1.36.2"},
        {"v1.34.10", "v1.34.10"}, {"1.33", NULL},       {"1.37", NULL},
        {"2.35", NULL},           {"1.3", NULL},        {"1.340", NULL},
        {"1.35.", NULL},          {"1.35.x", NULL},     {"1.35.01", NULL},
        {"1.35.1000", NULL},      {"v", NULL},          {"", NULL},
        {"1.35.1-rc.1", NULL},    {"vv1.35", NULL},     {"1.35 ", NULL},
    };
    struct arena arena = ARENA_INIT_DOCUMENT;

    for (size_t i = 0; i < array_size(cases); i++) {
        const char *version = config_kubernetes_version(cases[i][0], &arena);

        if (cases[i][1])
            assert_string_equal(version, cases[i][1]);
        else
            assert_null(version);
    }
    arena_deinit(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_labels),
        cmocka_unit_test(test_taints),
        cmocka_unit_test(test_versions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
