/* agent/translate-hostname: the name that a pod has for itself. */
#include "translation.h"

#define LETTERS_60 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void assert_name(const char *pod, const char *spec, const char *host, const char *domain)
{
    char *yaml = mem_printf("{apiVersion: v1, kind: Pod, metadata: {name: %s, namespace: ns, uid: "
                            "u1}, spec: {containers: [{name: a, image: a}], %s}}",
                            pod, spec);
    const char *found_host, *found_domain;
    struct fixture test;

    fixture_init(&test, yaml);
    if (translate_hostname(&test.translation, &found_host, &found_domain, &test.err) < 0)
        fail_msg("%s", test.err.text);
    assert_string_equal(found_host, host);
    assert_string_equal(found_domain, domain);
    fixture_deinit(&test);
    free(yaml);
}

static void test_names(void **state)
{
    assert_name("web", "", "web", "");
    assert_name("web.one", "", "web.one", "");
    assert_name("web", "hostname: h", "h", "");
    assert_name("web", "subdomain: s", "web", "s.ns.svc.cluster.local");
    assert_name("web", "hostname: h, subdomain: s", "h", "s.ns.svc.cluster.local");
    assert_name("web", "hostname: h, subdomain: s, hostnameOverride: o.example", "o.example", "");
}

static void test_check_11_a_long_name_is_cut(void **state)
{
    assert_name("a.b" LETTERS_60 "-c-d", "", "a.b" LETTERS_60, "");
    assert_name("a" LETTERS_60 "--bcdefgh", "", "a" LETTERS_60, "");
    assert_name("a" LETTERS_60 "b.cdefgh", "", "a" LETTERS_60 "b", "");
    assert_name("web", "hostnameOverride: abc" LETTERS_60 ".example", "abc" LETTERS_60, "");
}

static void test_no_cluster_domain(void **state)
{
    const char *host, *domain;
    struct fixture test;

    fixture_init_in(&test, IN_SPEC, "subdomain: s");
    test.config.cluster_domain = "";
    assert_int_equal(translate_hostname(&test.translation, &host, &domain, &test.err), 0);
    assert_string_equal(domain, "s.ns.svc");
    fixture_deinit(&test);
}

static void test_wrong_names(void **state)
{
    static const struct {
        const char *spec;
        const char *begin;
    } cases[] = {
        {"hostname: a.b", "pod Hostname \"a.b\" is not a valid DNS label: "},
        {"subdomain: A", "pod Subdomain \"A\" is not a valid DNS label: "},
        {"hostnameOverride: -a", "pod HostnameOverride \"-a\" is not a valid DNS subdomain: "},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        const char *host, *domain;
        struct fixture test;

        fixture_init_in(&test, IN_SPEC, cases[i].spec);
        assert_true(translate_hostname(&test.translation, &host, &domain, &test.err) < 0);
        if (!str_has_prefix(test.err.text, cases[i].begin))
            fail_msg("%s", test.err.text);
        fixture_deinit(&test);
    }
}

/* The API's validation has none of these. */
static void test_nothing_is_left_of_a_name(void **state)
{
    struct pod pod = {.object.metadata.name =
                          "................................................................"};
    const char *host, *domain;
    struct fixture test;

    fixture_init_in(&test, IN_SPEC, "");
    test.translation.pod = &pod;
    assert_true(translate_hostname(&test.translation, &host, &domain, &test.err) < 0);
    assert_non_null(strstr(test.err.text, "was invalid"));
    fixture_deinit(&test);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_check_11_a_long_name_is_cut),
        cmocka_unit_test(test_no_cluster_domain),
        cmocka_unit_test(test_wrong_names),
        cmocka_unit_test(test_nothing_is_left_of_a_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
