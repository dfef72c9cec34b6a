/* agent/translate-sandbox: what a pod's containers share. */
#include "translation.h"

static const char *ports_text(struct fixture *test, const Cri__PodSandboxConfig *sandbox)
{
    const char *text = "";

    for (size_t i = 0; i < sandbox->n_port_mappings; i++) {
        const Cri__PortMapping *port = sandbox->port_mappings[i];

        text = arena_printf(&test->arena, "%s%s%d:%d>%d@%s", text, i ? " " : "", port->protocol,
                            port->host_port, port->container_port, port->host_ip);
    }
    return text;
}

static void assert_ports(const char *containers, const char *expected)
{
    struct fixture test;

    fixture_init_in(&test,
                    "{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: ns, uid: u1}, "
                    "spec: {%s}}",
                    containers);
    assert_string_equal(ports_text(&test, sandbox_of(&test)), expected);
    fixture_deinit(&test);
}

static void test_ports(void **state)
{
    static const struct {
        const char *ports;
        const char *expected;
    } cases[] = {
        {"{containerPort: 80}", "0:0>80@"},
        {"{containerPort: 80, hostPort: 8080, hostIP: 127.0.0.1}", "0:8080>80@127.0.0.1"},
        {"{containerPort: 53, protocol: UDP}, {containerPort: 53, protocol: TCP}",
         "1:0>53@ 0:0>53@"},
        {"{containerPort: 1, protocol: SCTP}, {containerPort: 2, protocol: odd}", "2:0>1@ 0:0>2@"},
        /* the same twice in one container */
        {"{containerPort: 80}, {containerPort: 80}", "0:0>80@"},
        {"{containerPort: 80}, {containerPort: 80, hostPort: 1}", "0:0>80@ 0:1>80@"},
        {"{containerPort: 80, hostIP: 10.0.0.1}, {containerPort: 80, hostIP: '::1'}",
         "0:0>80@10.0.0.1 0:0>80@::1"},
        {"{name: a, containerPort: 80}, {name: a, containerPort: 81}", "0:0>80@"},
        {"{name: a, containerPort: 80}, {name: b, containerPort: 80}", "0:0>80@ 0:0>80@"},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        char *text = mem_printf("containers: [{name: a, image: a, ports: [%s]}]", cases[i].ports);

        assert_ports(text, cases[i].expected);
        free(text);
    }
    /* two containers may have the same */
    assert_ports("containers: [{name: a, image: a, ports: [{containerPort: 80}]}, "
                 "{name: b, image: b, ports: [{containerPort: 80}]}]",
                 "0:0>80@ 0:0>80@");
}

static void test_check_20_sidecars_have_no_mappings(void **state)
{
    assert_ports("initContainers: [{name: i, image: i, ports: [{containerPort: 1, hostPort: 1}]}, "
                 "{name: s, image: s, restartPolicy: Always, "
                 "ports: [{containerPort: 2, hostPort: 2}]}], "
                 "containers: [{name: a, image: a}], "
                 "ephemeralContainers: [{name: e, image: e, ports: [{containerPort: 3}]}]",
                 "");
}

static void test_check_13_host_network(void **state)
{
    struct fixture test;
    Cri__PodSandboxConfig *sandbox;

    fixture_init_in(&test, IN_SPEC, "hostNetwork: true, hostname: h");
    sandbox = sandbox_of(&test);
    assert_string_equal(sandbox->hostname, "");
    assert_int_equal(sandbox->linux_config->security_context->namespace_options->network,
                     CRI__NAMESPACE_MODE__NODE);
    fixture_deinit(&test);
}

static void test_check_12_fqdn(void **state)
{
    struct fixture test;

    fixture_init_in(&test, IN_SPEC, "hostname: h, subdomain: s, setHostnameAsFQDN: true");
    assert_string_equal(sandbox_of(&test)->hostname, "h.s.ns.svc.cluster.local");
    /* 64 bytes are the most */
    test.config.cluster_domain = "d23456789.123456789.123456789.123456789.123456789.123";
    assert_int_equal(strlen(sandbox_of(&test)->hostname), 64);
    test.config.cluster_domain = "d23456789.123456789.123456789.123456789.123456789.1234";
    assert_sandbox_fails(&test,
                         "failed to construct FQDN from pod hostname and cluster domain, FQDN "
                         "h.s.ns.svc.d23456789.123456789.123456789.123456789.123456789.1234 is "
                         "too long (64 characters is the max, 65 characters requested)");
    fixture_deinit(&test);
    fixture_init_in(&test, IN_SPEC, "hostname: h, setHostnameAsFQDN: true");
    assert_string_equal(sandbox_of(&test)->hostname, "h");
    fixture_deinit(&test);
    fixture_init_in(&test, IN_SPEC, "hostname: h, subdomain: s");
    assert_string_equal(sandbox_of(&test)->hostname, "h");
    fixture_deinit(&test);
}

static void test_a_wrong_hostname_fails(void **state)
{
    struct fixture test;

    fixture_init_in(&test, IN_SPEC, "hostname: H_");
    assert_true(translate_sandbox(&test.translation, &test.host, 0,
                                  &(Cri__PodSandboxConfig *){NULL}, &(struct string_map){0},
                                  &test.err) < 0);
    assert_non_null(strstr(test.err.text, "pod Hostname \"H_\" is not a valid DNS label: "));
    fixture_deinit(&test);
}

static void test_sysctls(void **state)
{
    struct fixture test;
    Cri__LinuxPodSandboxConfig *part;

    fixture_init_in(&test, IN_SPEC,
                    "securityContext: {sysctls: [{name: net.core.somaxconn, value: '1'}, "
                    "{name: net/ipv4/conf/eno2.100/rp_filter, value: '2'}, "
                    "{name: net.ipv4.conf.eno2/100.rp_filter, value: '3'}, "
                    "{name: plain, value: ''}]}");
    part = sandbox_of(&test)->linux_config;
    assert_string_equal(pairs_text(&test, part->n_sysctls, part->sysctls),
                        "net.core.somaxconn=1 net.ipv4.conf.eno2/100.rp_filter=2 "
                        "net.ipv4.conf.eno2/100.rp_filter=3 plain=");
    fixture_deinit(&test);
}

static void test_check_21_privileged(void **state)
{
    static const struct {
        const char *spec;
        bool expected;
    } cases[] = {
        {"containers: [{name: a, image: a, securityContext: {privileged: true}}]", true},
        {"containers: [{name: a, image: a, securityContext: {privileged: false}}]", false},
        {"containers: [{name: a, image: a}], initContainers: [{name: i, image: i, "
         "securityContext: {privileged: true}}]",
         true},
        {"containers: [{name: a, image: a}], ephemeralContainers: [{name: i, image: i, "
         "securityContext: {privileged: true}}]",
         true},
        {"containers: [{name: a, image: a, securityContext: {}}]", false},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        struct fixture test;

        fixture_init_in(&test,
                        "{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: ns, uid: "
                        "u1}, spec: {%s}}",
                        cases[i].spec);
        assert_int_equal(sandbox_of(&test)->linux_config->security_context->privileged,
                         cases[i].expected);
        fixture_deinit(&test);
    }
}

static void test_security(void **state)
{
    struct fixture test;
    Cri__LinuxSandboxSecurityContext *security;

    fixture_init_in(&test, IN_SPEC,
                    "securityContext: {runAsUser: 0, runAsGroup: 5, fsGroup: 7, "
                    "supplementalGroups: [8, 9], supplementalGroupsPolicy: Strict, "
                    "seccompProfile: {type: Unconfined}, seLinuxOptions: {level: 's0:c1'}}");
    security = sandbox_of(&test)->linux_config->security_context;
    assert_non_null(security->run_as_user);
    assert_int_equal(security->run_as_user->value, 0);
    assert_int_equal(security->run_as_group->value, 5);
    assert_int_equal(security->n_supplemental_groups, 3);
    assert_int_equal(security->supplemental_groups[0], 7);
    assert_int_equal(security->supplemental_groups[1], 8);
    assert_int_equal(security->supplemental_groups[2], 9);
    assert_int_equal(security->supplemental_groups_policy, CRI__SUPPLEMENTAL_GROUPS_POLICY__Strict);
    assert_string_equal(security->selinux_options->level, "s0:c1");
    assert_string_equal(security->selinux_options->user, "");
    /* whatever the pod says */
    assert_int_equal(security->seccomp->profile_type,
                     CRI__SECURITY_PROFILE__PROFILE_TYPE__RuntimeDefault);
    fixture_deinit(&test);
}

static void test_security_of_nothing(void **state)
{
    struct fixture test;
    Cri__LinuxSandboxSecurityContext *security;

    fixture_init_in(&test, IN_SPEC, "");
    security = sandbox_of(&test)->linux_config->security_context;
    assert_null(security->run_as_user);
    assert_null(security->run_as_group);
    assert_null(security->selinux_options);
    assert_int_equal(security->n_supplemental_groups, 0);
    assert_false(security->readonly_rootfs);
    assert_non_null(security->namespace_options);
    fixture_deinit(&test);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ports),
        cmocka_unit_test(test_check_20_sidecars_have_no_mappings),
        cmocka_unit_test(test_check_13_host_network),
        cmocka_unit_test(test_check_12_fqdn),
        cmocka_unit_test(test_a_wrong_hostname_fails),
        cmocka_unit_test(test_sysctls),
        cmocka_unit_test(test_check_21_privileged),
        cmocka_unit_test(test_security),
        cmocka_unit_test(test_security_of_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
