/* agent/translate-hosts: the hosts file of a pod. */
#include "translation.h"

#define HEAD                                                                                       \
    "# Kubernetes-managed hosts file.\n"                                                           \
    "127.0.0.1\tlocalhost\n"                                                                       \
    "::1\tlocalhost ip6-localhost ip6-loopback\n"                                                  \
    "fe00::0\tip6-localnet\n"                                                                      \
    "fe00::0\tip6-mcastprefix\n"                                                                   \
    "fe00::1\tip6-allnodes\n"                                                                      \
    "fe00::2\tip6-allrouters\n"

static void assert_hosts(const char *spec, const char *ips, const char *expected)
{
    struct strbuf text = STRBUF_INIT;
    struct fixture test;

    fixture_init_in(&test, IN_SPEC, spec);
    test.translation.pod_ips = words(&test, ips);
    assert_int_equal(translate_hosts(&test.translation, &text, &test.err), 0);
    assert_string_equal(text.text, expected);
    strbuf_deinit(&text);
    fixture_deinit(&test);
}

static void test_pod_network(void **state)
{
    assert_hosts("", "10.1.0.7", HEAD "10.1.0.7\tweb\n");
    assert_hosts("", "10.1.0.7 fd00::7", HEAD "10.1.0.7\tweb\nfd00::7\tweb\n");
    assert_hosts("hostname: h, subdomain: s", "10.1.0.7",
                 HEAD "10.1.0.7\th.s.ns.svc.cluster.local\th\n");
}

static void test_check_13_host_network(void **state)
{
    assert_hosts("hostNetwork: true", "192.0.2.1",
                 "# Kubernetes-managed hosts file (host network).\n");
}

#define ALIASES                                                                                    \
    "hostAliases: [{ip: 10.0.0.1, hostnames: [one, two]}, {ip: 10.0.0.2, hostnames: [three]}]"
#define ALIAS_LINES "\n# Entries added by HostAliases.\n10.0.0.1\tone\ttwo\n10.0.0.2\tthree\n"

static void test_aliases(void **state)
{
    assert_hosts(ALIASES, "10.1.0.7", HEAD "10.1.0.7\tweb\n" ALIAS_LINES);
    assert_hosts("hostNetwork: true, " ALIASES, "",
                 "# Kubernetes-managed hosts file (host network).\n" ALIAS_LINES);
}

static void test_a_wrong_name(void **state)
{
    struct strbuf text = STRBUF_INIT;
    struct fixture test;

    fixture_init_in(&test, IN_SPEC, "hostname: A");
    assert_true(translate_hosts(&test.translation, &text, &test.err) < 0);
    strbuf_deinit(&text);
    fixture_deinit(&test);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pod_network),
        cmocka_unit_test(test_check_13_host_network),
        cmocka_unit_test(test_aliases),
        cmocka_unit_test(test_a_wrong_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
