/* agent/node-network: addresses, and whose interface has the default route. */
#include "root-fixture.h"

#include "node-network.h"

static struct interface_address addresses[] = {
    {"lo", "127.0.0.1", false, false}, {"lo", "::1", true, false},
    {"eth0", "10.0.0.5", false, true}, {"eth1", "10.1.0.5", false, true},
    {"eth1", "fe80::1", true, false},  {"eth1", "fd00::5", true, true},
    {"eth2", "fd01::5", true, true},
};

static struct node_network network_of(void)
{
    struct node_network network = {0};

    network.addresses.items = addresses;
    network.addresses.count = array_size(addresses);
    return network;
}

#define HEAD_V4                                                                                    \
    "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
#define ZERO "00000000000000000000000000000000"

static const struct route_case {
    const char *v4, *v6;
    const char *address_v4, *address_v6; /* NULL: there is no default route */
} cases[] = {
    {"", "", NULL, NULL},
    {HEAD_V4, "", NULL, NULL},
    {HEAD_V4 "eth1\t00000000\t0100000A\t0003\t0\t0\t100\t00000000\t0\t0\t0\n", "", "10.1.0.5",
     NULL},
    /* of a network, down, a route of the half, an interface without an address */
    {HEAD_V4 "eth1\t0000000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n", "", NULL, NULL},
    {HEAD_V4 "eth1\t00000000\t00000000\t0002\t0\t0\t0\t00000000\t0\t0\t0\n", "", NULL, NULL},
    {HEAD_V4 "eth1\t00000000\t00000000\t0001\t0\t0\t0\t00000080\t0\t0\t0\n", "", NULL, NULL},
    {HEAD_V4 "eth2\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0\n"
             "eth0\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0\n",
     "", "10.0.0.5", NULL},
    /* the kernel's own route to nowhere, a network, and the one */
    {"",
     ZERO " 00 " ZERO " 00 " ZERO " ffffffff 00000001 00000000 00200200       lo\n"
          "fd000000000000000000000000000000 40 " ZERO " 00 " ZERO
          " 00000100 00000001 00000000 00000001     eth1\n" ZERO " 00 " ZERO " 00 "
          "fe800000000000000000000000000002 00000400 00000001 00000000 00000003     eth2\n",
     NULL, "fd01::5"},
    {"nonsense\n\n", "nonsense", NULL, NULL},
};

static void assert_address(const char *address, const char *expected)
{
    if (expected)
        assert_string_equal(address, expected);
    else
        assert_null(address);
}

static void test_default_routes(void **state)
{
    struct root *root = *state;

    for (size_t i = 0; i < array_size(cases); i++) {
        struct node_network network = network_of();

        if (i) { /* before the first there are no files */
            put(root, "/proc/net/route", cases[i].v4);
            put(root, "/proc/net/ipv6_route", cases[i].v6);
        }
        node_network_read_routes(&network, root->path, &root->arena);
        assert_address(network.gateway_v4, cases[i].address_v4);
        assert_address(network.gateway_v6, cases[i].address_v6);
        assert_string_equal(node_network_address(&network, false),
                            cases[i].address_v4 ? cases[i].address_v4 : "10.0.0.5");
    }
}

static void test_without_addresses(void **state)
{
    struct node_network network = {0};

    assert_null(node_network_address(&network, false));
    assert_null(node_network_address(&network, true));
}

static void test_this_machine(void **state)
{
    struct root *root = *state;
    struct node_network network;
    bool loopback = false;

    node_network_read(&network, "", &root->arena);
    array_for_each (one, network.addresses) {
        bool is_loopback = !strcmp(one->address, "127.0.0.1");

        assert_string_equal(address_canonical(one->address, &root->arena), one->address);
        assert_false(is_loopback && one->usable);
        loopback |= is_loopback;
    }
    assert_true(loopback);
}

/* texts */

static void test_canonical(void **state)
{
    static const char *const texts[][2] = {
        {"10.0.0.5", "10.0.0.5"},
        {"FD00:0:0::05", "fd00::5"},
        {"::", "::"},
        {"010.0.0.5", NULL},
        {"fe80::1%eth0", NULL},
        {"10.0.0", NULL},
        {"", NULL},
        {"n", NULL},
    };
    struct root *root = *state;

    for (size_t i = 0; i < array_size(texts); i++)
        assert_address(address_canonical(texts[i][0], &root->arena), texts[i][1]);
}

static void test_complaints(void **state)
{
    static const char *const texts[][2] = {
        {"10.0.0.5", NULL},
        {"fd00::5", NULL},
        {"2001:db8::1", NULL},
        {"0.0.0.0", "an all zeros address"},
        {"::", "an all zeros address"},
        {"127.1.2.3", "a loopback address"},
        {"::1", "a loopback address"},
        {"224.0.0.1", "a multicast address"},
        {"239.255.255.255", "a multicast address"},
        {"240.0.0.1", NULL},
        {"ff02::1", "a multicast address"},
        {"169.254.0.1", "a link-local unicast address"},
        {"fe80::1", "a link-local unicast address"},
        {"x", "no IP address"},
    };

    for (size_t i = 0; i < array_size(texts); i++)
        assert_address(address_complaint(texts[i][0]), texts[i][1]);
}

static void test_what_node_ip_means(void **state)
{
    static const struct {
        const char *text;
        bool explicit, v6;
    } ips[] = {
        {"10.0.0.5", true, false}, {"fd00::5", true, true}, {"0.0.0.0", false, false},
        {"::", false, true},       {"0::0", false, true},
    };
    struct string_list list = {0};

    assert_false(node_ip_is_explicit(&list));
    assert_false(node_prefers_v6(&list));
    list.count = 1;
    for (size_t i = 0; i < array_size(ips); i++) {
        const char *item = ips[i].text;

        list.items = &item;
        assert_int_equal(node_ip_is_explicit(&list), ips[i].explicit);
        assert_int_equal(node_prefers_v6(&list), ips[i].v6);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_root(test_default_routes),    cmocka_unit_test(test_without_addresses),
        with_root(test_this_machine),      with_root(test_canonical),
        cmocka_unit_test(test_complaints), cmocka_unit_test(test_what_node_ip_means),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
