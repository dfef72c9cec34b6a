/* agent/translate-env: what containers find in their environment. */
#include "translation.h"

#include <errno.h>

static const char *const settings =
    "{apiVersion: v1, kind: ConfigMap, metadata: {name: cm, namespace: ns}, "
    "data: {one: '1', two: '2', dollar: $(one)}, binaryData: {bytes: AAEC}}";
static const char *const keys =
    "{apiVersion: v1, kind: Secret, metadata: {name: s, namespace: ns}, "
    "stringData: {one: secret, user: me}, data: {nul: AAEC}}";

/* "NAME=value" of all, or why there are none. */
static const char *env_text(struct fixture *test, const char *container)
{
    struct string_map env;
    const char *text = "";

    fixture_init_in(test, IN_CONTAINER, container);
    fixture_add(test, settings);
    fixture_add(test, keys);
    if (translate_env(&test->translation, test->translation.pod->spec.containers.items, &env,
                      &test->err) < 0)
        return test->err.text;
    array_for_each (variable, env)
        text = arena_printf(&test->arena, "%s%s%s=%s", text, *text ? " " : "", variable->name,
                            variable->value);
    return text;
}

struct env_case {
    const char *container;
    const char *expected;
};

static void assert_env(const struct env_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct fixture test;

        assert_string_equal(env_text(&test, cases[i].container), cases[i].expected);
        fixture_deinit(&test);
    }
}

static void test_variables(void **state)
{
    static const struct env_case cases[] = {
        {"", ""},
        {"env: [{name: A, value: x}, {name: B, value: ''}, {name: C}]", "A=x B= C="},
        {"env: [{name: A, value: x}, {name: B, value: $(A)-$(C)}, {name: C, value: z}]",
         "A=x B=x-$(C) C=z"},
        {"env: [{name: A, value: x}, {name: A, value: $(A)q}, {name: B, value: $(A)}]",
         "A=xq B=xq"},
        {"env: [{name: A, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]", "A=web"},
        {"env: [{name: A, valueFrom: {}}]", "A="},
    };

    assert_env(cases, array_size(cases));
}

static void test_env_from(void **state)
{
    static const struct env_case cases[] = {
        {"envFrom: [{configMapRef: {name: cm}}]", "one=1 two=2 dollar=$(one)"},
        {"envFrom: [{configMapRef: {name: cm}, prefix: P_}]", "P_one=1 P_two=2 P_dollar=$(one)"},
        {"envFrom: [{configMapRef: {name: none, optional: true}}]", ""},
        {"envFrom: [{configMapRef: {name: none}}]", "configmap \"none\" not found"},
        {"envFrom: [{configMapRef: {name: none, optional: false}}]",
         "configmap \"none\" not found"},
        {"envFrom: [{secretRef: {name: none, optional: true}}]", ""},
        {"envFrom: [{secretRef: {name: none}}]", "secret \"none\" not found"},
        {"envFrom: [{}]", ""},
        /* what comes later wins; env is last */
        {"envFrom: [{configMapRef: {name: cm}}, {configMapRef: {name: cm}, prefix: t}], "
         "env: [{name: two, value: $(one)$(tone)}]",
         "one=1 two=11 dollar=$(one) tone=1 ttwo=2 tdollar=$(one)"},
    };

    assert_env(cases, array_size(cases));
}

static void test_check_26_keys(void **state)
{
    static const struct env_case cases[] = {
        {"env: [{name: A, valueFrom: {configMapKeyRef: {name: cm, key: one}}}]", "A=1"},
        {"env: [{name: A, valueFrom: {secretKeyRef: {name: s, key: user}}}]", "A=me"},
        /* values of objects are not expanded */
        {"env: [{name: one, value: x}, "
         "{name: A, valueFrom: {configMapKeyRef: {name: cm, key: dollar}}}]",
         "one=x A=$(one)"},
        {"env: [{name: A, valueFrom: {configMapKeyRef: {name: cm, key: K, optional: true}}}, "
         "{name: B, value: $(A)}]",
         "B=$(A)"},
        {"env: [{name: A, valueFrom: {configMapKeyRef: {name: cm, key: K}}}]",
         "couldn't find key K in ConfigMap ns/cm"},
        {"env: [{name: A, valueFrom: {configMapKeyRef: {name: cm, key: bytes}}}]",
         "couldn't find key bytes in ConfigMap ns/cm"},
        {"env: [{name: A, valueFrom: {configMapKeyRef: {name: none, key: K, optional: true}}}]",
         ""},
        {"env: [{name: A, valueFrom: {configMapKeyRef: {name: none, key: K}}}]",
         "configmap \"none\" not found"},
        {"env: [{name: A, valueFrom: {secretKeyRef: {name: s, key: K, optional: true}}}]", ""},
        {"env: [{name: A, valueFrom: {secretKeyRef: {name: s, key: K}}}]",
         "couldn't find key K in Secret ns/s"},
        {"env: [{name: A, valueFrom: {secretKeyRef: {name: none, key: K}}}]",
         "secret \"none\" not found"},
        {"env: [{name: A, valueFrom: {secretKeyRef: {name: s, key: nul}}}]",
         "key nul in Secret ns/s has a NUL byte: it cannot be a variable's value"},
        {"envFrom: [{secretRef: {name: s}}]",
         "key nul in Secret ns/s has a NUL byte: it cannot be a variable's value"},
    };

    assert_env(cases, array_size(cases));
}

static void test_check_26_is_a_configuration_error(void **state)
{
    struct fixture test;

    fixture_init_in(&test, IN_CONTAINER,
                    "env: [{name: A, valueFrom: {configMapKeyRef: {name: cm, key: K}}}]");
    fixture_add(&test, settings);
    assert_container_fails(&test, "a", "couldn't find key K in ConfigMap ns/cm");
    fixture_deinit(&test);
}

static void test_check_24_order(void **state)
{
    struct fixture test;
    Cri__ContainerConfig *config;

    fixture_init_in(&test, IN_CONTAINER,
                    "env: [{name: A, value: $(B)}, {name: B, value: '1'}, {name: X, value: w}, "
                    "{name: 'Y', value: v}], args: ['$$(X) $(Y)']");
    config = container_named(&test, "a");
    assert_string_equal(config->envs[0]->key, "A");
    assert_int_equal(config->envs[0]->value.len, 4);
    assert_memory_equal(config->envs[0]->value.data, "$(B)", 4);
    assert_string_equal(config->args[0], "$(X) v");
    fixture_deinit(&test);
}

static void test_other_namespaces_are_not_seen(void **state)
{
    struct fixture test;

    fixture_init_in(&test, IN_CONTAINER, "envFrom: [{configMapRef: {name: cm}}]");
    fixture_add(&test, "{apiVersion: v1, kind: ConfigMap, metadata: {name: cm, namespace: other}}");
    assert_container_fails(&test, "a", "configmap \"cm\" not found");
    fixture_deinit(&test);
}

static void test_fields_that_fail(void **state)
{
    static const struct env_case cases[] = {
        {"env: [{name: A, valueFrom: {fieldRef: {fieldPath: spec.odd}}}]",
         "unsupported fieldPath: spec.odd"},
        {"env: [{name: A, valueFrom: {resourceFieldRef: {resource: odd}}}]",
         "unsupported container resource : odd"},
        {"env: [{name: A, valueFrom: {fileKeyRef: {volumeName: v, path: p, key: k}}}]",
         "the environment variable A comes from a file on a volume, which this agent does not "
         "support yet"},
    };

    assert_env(cases, array_size(cases));
}

static void test_resources(void **state)
{
    static const struct env_case cases[] = {
        {"resources: {limits: {cpu: 250m}}, "
         "env: [{name: A, valueFrom: {resourceFieldRef: {resource: limits.cpu}}}]",
         "A=1"},
    };

    assert_env(cases, array_size(cases));
}

static void test_service_links_that_are_not_set(void **state)
{
    struct fixture test;

    fixture_init_in(&test, IN_CONTAINER, "");
    pod_of(test.document.object)->spec.enable_service_links = OPT_UNSET;
    assert_container_fails(&test, "a",
                           "nil pod.spec.enableServiceLinks encountered, cannot construct envvars");
    fixture_deinit(&test);
}

/* Each variable holds the one before it twice: forty of them would fill any memory. */
static void test_a_bomb(void **state)
{
    struct strbuf text = STRBUF_INIT;
    struct string_map env;
    struct fixture test;

    strbuf_add(&text, "env: [{name: V0, value: '0123456789'}");
    for (int i = 1; i <= 40; i++)
        strbuf_printf(&text, ", {name: V%d, value: $(V%d)$(V%d)}", i, i - 1, i - 1);
    strbuf_add(&text, "]");
    fixture_init_in(&test, IN_CONTAINER, text.text);
    assert_int_equal(translate_env(&test.translation, test.translation.pod->spec.containers.items,
                                   &env, &test.err),
                     -E2BIG);
    assert_string_equal(test.err.text, "the environment variable V14 is too long once expanded: at "
                                       "most 131072 bytes");
    assert_in_range(arena_size(&test.arena), 0, 2 << 20);
    strbuf_deinit(&text);
    fixture_deinit(&test);
}

static void test_a_bomb_of_arguments(void **state)
{
    struct strbuf text = STRBUF_INIT;
    char *value = letters('x', 100000);
    struct fixture test;

    strbuf_printf(&text, "env: [{name: V, value: '%s'}], args: [", value);
    for (int i = 0; i < 100; i++)
        strbuf_add(&text, "$(V), ");
    strbuf_add(&text, "]");
    fixture_init_in(&test, IN_CONTAINER, text.text);
    assert_container_fails(&test, "a", "the command is too long: at most 6291456 bytes");
    strbuf_deinit(&text);
    free(value);
    fixture_deinit(&test);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_variables),
        cmocka_unit_test(test_env_from),
        cmocka_unit_test(test_check_26_keys),
        cmocka_unit_test(test_check_26_is_a_configuration_error),
        cmocka_unit_test(test_check_24_order),
        cmocka_unit_test(test_other_namespaces_are_not_seen),
        cmocka_unit_test(test_fields_that_fail),
        cmocka_unit_test(test_resources),
        cmocka_unit_test(test_service_links_that_are_not_set),
        cmocka_unit_test(test_a_bomb),
        cmocka_unit_test(test_a_bomb_of_arguments),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
