/* agent/translate-profile: seccomp and AppArmor. */
#include "translation.h"

#define WITH_PROFILES                                                                              \
    "{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: ns, uid: u1, annotations: "      \
    "{%s}}, "                                                                                      \
    "spec: {securityContext: {%s}, containers: [{name: a, image: a, securityContext: {%s}}]}}"

static const char *const kinds[] = {"RuntimeDefault", "Unconfined", "Localhost"};

static const char *profile_text(struct fixture *test, const Cri__SecurityProfile *profile)
{
    if (!profile)
        return "none";
    return arena_printf(&test->arena, "%s%s%s", kinds[profile->profile_type],
                        *profile->localhost_ref ? " " : "", profile->localhost_ref);
}

static void init(struct fixture *test, const char *annotations, const char *pod,
                 const char *container)
{
    char *yaml = mem_printf(WITH_PROFILES, annotations, pod, container);

    fixture_init(test, yaml);
    free(yaml);
}

#define SECCOMP(type) "seccompProfile: {type: " type "}"
#define LOCAL(name) "seccompProfile: {type: Localhost, localhostProfile: " name "}"

static void test_seccomp(void **state)
{
    static const struct {
        const char *pod;
        const char *container;
        bool by_default;
        const char *expected;
    } cases[] = {
        {"", "", false, "Unconfined"}, /* check 41 */
        {"", "", true, "RuntimeDefault"},
        {SECCOMP("RuntimeDefault"), "", false, "RuntimeDefault"},
        {SECCOMP("RuntimeDefault"), SECCOMP("Unconfined"), true, "Unconfined"},
        {SECCOMP("Unconfined"), SECCOMP("RuntimeDefault"), false, "RuntimeDefault"},
        {LOCAL("p/x.json"), "", false, "Localhost /var/lib/kubelet/seccomp/p/x.json"},
        {"", LOCAL("y.json"), false, "Localhost /var/lib/kubelet/seccomp/y.json"},
        {"", SECCOMP("Localhost"), false,
         "localhostProfile must be set if seccompProfile type is Localhost."},
        {"", LOCAL("../../x"), false,
         "localhostProfile \"../../x\" must stay in the directory of seccomp profiles"},
        {"", LOCAL("/x"), false,
         "localhostProfile \"/x\" must stay in the directory of seccomp profiles"},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        struct container_order order;
        Cri__ContainerConfig *config;
        struct fixture test;
        const char *path = NULL, *expected = cases[i].expected;

        init(&test, "", cases[i].pod, cases[i].container);
        test.config.seccomp_default = cases[i].by_default;
        order = order_of(&test, "a");
        if (translate_seccomp_file(&test.translation, order.container, &path, &test.err) < 0)
            assert_string_equal(test.err.text, expected);
        else if (str_has_prefix(expected, "Localhost "))
            assert_string_equal(path, expected + strlen("Localhost "));
        else
            assert_null(path);
        if (translate_container(&test.translation, &order, &config, &test.err) < 0)
            assert_string_equal(test.err.text, expected);
        else
            assert_string_equal(
                profile_text(&test, config->linux_config->security_context->seccomp), expected);
        fixture_deinit(&test);
    }
}

static void test_check_41_no_seccomp_anywhere(void **state)
{
    struct fixture test;

    fixture_init_in(&test, IN_SPEC, "");
    assert_string_equal(
        profile_text(&test, container_named(&test, "a")->linux_config->security_context->seccomp),
        "Unconfined");
    assert_string_equal(
        profile_text(&test, sandbox_of(&test)->linux_config->security_context->seccomp),
        "RuntimeDefault");
    fixture_deinit(&test);
}

#define KEY "container.apparmor.security.beta.kubernetes.io/a: "
#define APPARMOR(type) "appArmorProfile: {type: " type "}"
#define LOADED(name) "appArmorProfile: {type: Localhost, localhostProfile: " name "}"

static void test_apparmor(void **state)
{
    static const struct {
        const char *annotation;
        const char *pod;
        const char *container;
        const char *expected;
    } cases[] = {
        {"", "", "", "none"},
        {"", APPARMOR("RuntimeDefault"), "", "RuntimeDefault"},
        {"", APPARMOR("RuntimeDefault"), APPARMOR("Unconfined"), "Unconfined"},
        {"", "", LOADED("mine"), "Localhost mine"},
        {KEY "runtime/default", APPARMOR("Unconfined"), "", "RuntimeDefault"},
        {KEY "unconfined", "", "", "Unconfined"},
        {KEY "localhost/mine", "", "", "Localhost mine"},
        {KEY "localhost/mine", "", APPARMOR("Unconfined"), "Unconfined"},
        {KEY "odd", APPARMOR("Unconfined"), "", "Unconfined"},
        {KEY "odd", "", "", "none"},
        {"", "", APPARMOR("Localhost"), "missing localhost apparmor profile name"},
        {"", "", APPARMOR("Odd"), "unknown apparmor profile type: \"Odd\""},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        struct container_order order;
        Cri__ContainerConfig *config;
        struct fixture test;

        init(&test, cases[i].annotation, cases[i].pod, cases[i].container);
        order = order_of(&test, "a");
        if (translate_container(&test.translation, &order, &config, &test.err) < 0)
            assert_string_equal(test.err.text, cases[i].expected);
        else
            assert_string_equal(
                profile_text(&test, config->linux_config->security_context->apparmor),
                cases[i].expected);
        fixture_deinit(&test);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_seccomp),
        cmocka_unit_test(test_check_41_no_seccomp_anywhere),
        cmocka_unit_test(test_apparmor),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
