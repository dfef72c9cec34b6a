/* agent/translate-dns: the DNS of pods, by policy. */
#include "translation.h"

static const char *dns_text(struct fixture *test, const char *spec, const char *host)
{
    struct string_map warnings;
    Cri__DNSConfig *dns;
    const char *text;

    fixture_init_in(test, IN_SPEC, spec);
    assert_int_equal(resolv_conf_parse(&test->arena, host, strlen(host), &test->host, &test->err),
                     0);
    dns = translate_dns(&test->translation, &test->host, &warnings);
    text = arena_printf(&test->arena, "%s|%s|%s", text_of(test, dns->n_servers, dns->servers),
                        text_of(test, dns->n_searches, dns->searches),
                        text_of(test, dns->n_options, dns->options));
    array_for_each (warning, warnings)
        text = arena_printf(&test->arena, "%s|%s: %s", text, warning->name, warning->value);
    return text;
}

#define HOST "nameserver 1.1.1.1\nsearch corp\noptions rotate ndots:1\n"
#define CLUSTER "10.0.0.10|ns.svc.cluster.local svc.cluster.local cluster.local corp|ndots:5"

static void test_policies(void **state)
{
    static const struct {
        const char *spec;
        const char *expected;
    } cases[] = {
        {"dnsPolicy: ClusterFirst", CLUSTER},
        {"", CLUSTER},
        {"dnsPolicy: ClusterFirst, hostNetwork: true", "1.1.1.1|corp|rotate ndots:1"},
        {"dnsPolicy: ClusterFirstWithHostNet, hostNetwork: true", CLUSTER},
        {"dnsPolicy: Default", "1.1.1.1|corp|rotate ndots:1"},
        {"dnsPolicy: Odd", CLUSTER},
        {"dnsPolicy: None", "||"},
        {"dnsPolicy: None, dnsConfig: {nameservers: [9.9.9.9], searches: [x], "
         "options: [{name: ndots, value: '2'}, {name: edns0}]}",
         "9.9.9.9|x|ndots:2 edns0"},
        {"dnsPolicy: Default, dnsConfig: {nameservers: [9.9.9.9, 1.1.1.1], searches: [corp, x], "
         "options: [{name: ndots, value: '2'}, {name: edns0}, {name: rotate, value: ''}]}",
         "1.1.1.1 9.9.9.9|corp x|rotate ndots:2 edns0"},
        {"dnsConfig: {options: [{name: ndots, value: '1'}]}",
         "10.0.0.10|ns.svc.cluster.local svc.cluster.local cluster.local corp|ndots:1"},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        struct fixture test;

        assert_string_equal(dns_text(&test, cases[i].spec, HOST), cases[i].expected);
        fixture_deinit(&test);
    }
}

static void test_check_14_cluster_first(void **state)
{
    struct fixture test;

    /* what the node has as well comes once */
    assert_string_equal(
        dns_text(&test, "", "nameserver 1.1.1.1\nsearch corp cluster.local corp\noptions debug\n"),
        CLUSTER);
    fixture_deinit(&test);
}

static void test_check_15_none_is_an_empty_message(void **state)
{
    struct fixture test;

    fixture_init_in(&test, IN_SPEC, "dnsPolicy: None");
    assert_non_null(sandbox_of(&test)->dns_config);
    assert_int_equal(sandbox_of(&test)->dns_config->n_servers, 0);
    fixture_deinit(&test);
}

static void test_check_16_too_many_servers(void **state)
{
    struct fixture test;

    assert_string_equal(
        dns_text(&test, "dnsPolicy: Default",
                 "nameserver 1.1.1.1\nnameserver 1.1.1.2\nnameserver 1.1.1.3\n"
                 "nameserver 1.1.1.4\nnameserver 1.1.1.5\n"),
        "1.1.1.1 1.1.1.2 1.1.1.3|||DNSConfigForming: Nameserver limits were exceeded, some "
        "nameservers have been omitted, the applied nameserver line is: 1.1.1.1 1.1.1.2 1.1.1.3");
    fixture_deinit(&test);
}

/* Words of `length` letters, each another one. */
static char *search_line(size_t count, int length)
{
    struct strbuf text = STRBUF_INIT;

    strbuf_add(&text, "search");
    for (size_t i = 0; i < count; i++)
        strbuf_printf(&text, " %0*zu", length, i);
    return strbuf_take(&text);
}

static void assert_searches(size_t count, int length, size_t expected)
{
    char *line = search_line(count, length);
    struct string_map warnings;
    struct fixture test;
    Cri__DNSConfig *dns;

    fixture_init_in(&test, IN_SPEC, "dnsPolicy: Default");
    assert_int_equal(resolv_conf_parse(&test.arena, line, strlen(line), &test.host, &test.err), 0);
    dns = translate_dns(&test.translation, &test.host, &warnings);
    assert_int_equal(dns->n_searches, expected);
    assert_int_equal(warnings.count, expected < count);
    if (warnings.count)
        assert_true(str_has_prefix(
            warnings.items[0].value,
            "Search Line limits were exceeded, some search paths have been omitted, the applied "
            "search line is: "));
    fixture_deinit(&test);
    free(line);
}

static void test_search_limits(void **state)
{
    assert_searches(32, 10, 32);
    assert_searches(33, 10, 32);
    assert_searches(1, 253, 1);
    assert_searches(1, 254, 0);
    /* 32 * 63 + 31 are 2047 bytes, 32 * 64 + 31 more than 2048 */
    assert_searches(32, 63, 32);
    assert_searches(32, 64, 31);
    assert_searches(32, 253, 8);
}

static void test_no_host_file(void **state)
{
    static const struct {
        const char *addresses;
        const char *servers;
    } cases[] = {
        {"", "127.0.0.1"},
        {"192.0.2.1", "127.0.0.1"},
        {"fd00::1", "::1"},
        {"192.0.2.1 fd00::1", "127.0.0.1 ::1"},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        struct string_map warnings;
        struct fixture test;
        Cri__DNSConfig *dns;

        fixture_init_in(&test, IN_SPEC, "dnsPolicy: Default");
        test.config.resolv_conf = "";
        test.node.addresses = words(&test, cases[i].addresses);
        dns = translate_dns(&test.translation, &test.host, &warnings);
        assert_string_equal(text_of(&test, dns->n_servers, dns->servers), cases[i].servers);
        assert_string_equal(text_of(&test, dns->n_searches, dns->searches), ".");
        fixture_deinit(&test);
    }
}

static void test_no_cluster_dns(void **state)
{
    struct string_map warnings;
    struct fixture test;
    Cri__DNSConfig *dns;

    fixture_init_in(&test, IN_SPEC, "");
    test.config.cluster_dns = (struct string_list){0};
    test.host.servers = words(&test, "1.1.1.1");
    dns = translate_dns(&test.translation, &test.host, &warnings);
    assert_string_equal(text_of(&test, dns->n_servers, dns->servers), "1.1.1.1");
    assert_int_equal(warnings.count, 1);
    assert_string_equal(warnings.items[0].name, "MissingClusterDNS");
    assert_string_equal(warnings.items[0].value,
                        "pod: \"web_ns(u1)\". kubelet does not have ClusterDNS IP configured and "
                        "cannot create Pod using \"ClusterFirst\" policy. Falling back to "
                        "\"Default\" policy.");
    fixture_deinit(&test);
}

static void test_no_cluster_domain(void **state)
{
    struct string_map warnings;
    struct fixture test;
    Cri__DNSConfig *dns;

    fixture_init_in(&test, IN_SPEC, "");
    test.config.cluster_domain = NULL;
    test.host.searches = words(&test, "corp example");
    dns = translate_dns(&test.translation, &test.host, &warnings);
    assert_string_equal(text_of(&test, dns->n_searches, dns->searches), "corp example");
    assert_string_equal(text_of(&test, dns->n_options, dns->options), "ndots:5");
    fixture_deinit(&test);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_policies),
        cmocka_unit_test(test_check_14_cluster_first),
        cmocka_unit_test(test_check_15_none_is_an_empty_message),
        cmocka_unit_test(test_check_16_too_many_servers),
        cmocka_unit_test(test_search_limits),
        cmocka_unit_test(test_no_host_file),
        cmocka_unit_test(test_no_cluster_dns),
        cmocka_unit_test(test_no_cluster_domain),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
