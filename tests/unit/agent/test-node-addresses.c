/* agent/node-addresses: which addresses a Node has. */
#include "node-fixture.h"

/* "InternalIP 10.0.0.5, Hostname n" */
static const char *addresses_of(struct node_fixture *fixture, const struct node *node)
{
    const char *text = "";

    array_for_each (one, node->status.addresses)
        text = arena_printf(&fixture->arena, "%s%s%s %s", text, *text ? ", " : "", one->type,
                            one->address);
    return text;
}

static const struct address_case {
    const char *node_ip;
    const char *looked_up;
    const char *addresses; /* NULL: they cannot be told */
    const char *complaint;
    const char *name; /* of the node; NULL: n */
} cases[] = {
    /* check 11, and the order of the flag */
    {"10.0.0.5", "", "InternalIP 10.0.0.5, Hostname n", NULL, NULL},
    {"10.0.0.5 fd00::5", "", "InternalIP 10.0.0.5, InternalIP fd00::5, Hostname n", NULL, NULL},
    {"fd00:0::5 10.0.0.5", "", "InternalIP fd00::5, InternalIP 10.0.0.5, Hostname n", NULL, NULL},
    /* check 12 */
    {"127.0.0.1", "", NULL, "--node-ip: 127.0.0.1 cannot be a node's address: it is a loopback",
     NULL},
    {"224.0.0.1", "", NULL, "224.0.0.1 cannot be a node's address: it is a multicast", NULL},
    {"169.254.1.1", "", NULL, "it is a link-local unicast address", NULL},
    {"fe80::1", "", NULL, "it is a link-local unicast address", NULL},
    {"10.0.0.6", "", NULL, "10.0.0.6 is the address of none of the host's interfaces", NULL},
    {"10.0.0.5 fd00::6", "", NULL, "fd00::6 is the address of none", NULL},
    /* what the name means */
    {"", "127.0.0.1 192.168.1.5 10.0.0.5", "InternalIP 192.168.1.5, Hostname n", NULL, NULL},
    {"", "fd00::5 10.0.0.5", "InternalIP 10.0.0.5, Hostname n", NULL, NULL},
    {"", "fd00::5 10.9.9.9", "InternalIP fd00::5, Hostname n", NULL, NULL},
    {"0.0.0.0", "fd00::5 10.0.0.5", "InternalIP 10.0.0.5, Hostname n", NULL, NULL},
    {"::", "10.0.0.5 fd00::5", "InternalIP fd00::5, Hostname n", NULL, NULL},
    {"", "nonsense", "InternalIP 10.0.0.5, Hostname n", NULL, NULL},
    /* the default route's */
    {"", "", "InternalIP 10.0.0.5, Hostname n", NULL, NULL},
    {"::", "", "InternalIP fd00::5, Hostname n", NULL, NULL},
    /* a name that is an address */
    {"", "10.0.0.5", "InternalIP 10.7.7.7, Hostname 10.7.7.7", NULL, "10.7.7.7"},
};

static void test_cases(void **state)
{
    struct node_fixture *fixture = *state;

    for (size_t i = 0; i < array_size(cases); i++) {
        const struct address_case *one = &cases[i];
        struct node *node;

        fixture->config.node_ip = words(fixture, one->node_ip);
        fixture->config.node_name = one->name ? one->name : "n";
        fixture->inputs.looked_up = words(fixture, one->looked_up);
        node = node_object_new(&fixture->inputs, &fixture->trouble);
        assert_string_equal(addresses_of(fixture, node), one->addresses ? one->addresses : "");
        if (one->complaint && !strstr(fixture->trouble.text, one->complaint))
            fail_msg("%s is not in %s", one->complaint, fixture->trouble.text);
        assert_int_equal(fixture->trouble.code < 0, one->complaint != NULL);
        /* It is Ready all the same. */
        assert_part(fixture, node, "\"type\":\"Ready\",\"status\":\"True\"");
        node_free(node);
    }
}

static void test_without_a_network(void **state)
{
    struct node_fixture *fixture = *state;
    struct node *node;

    fixture->network.gateway_v4 = NULL;
    node = node_object_new(&fixture->inputs, &fixture->trouble);
    assert_string_equal(addresses_of(fixture, node), "InternalIP 10.0.0.5, Hostname n");
    node_free(node);

    fixture->network.addresses.items[1].usable = false;
    fixture->network.addresses.items[3].usable = false;
    node = node_object_new(&fixture->inputs, &fixture->trouble);
    assert_string_equal(addresses_of(fixture, node), "InternalIP fd00::5, Hostname n");
    node_free(node);

    fixture->network = (struct node_network){0};
    node = node_object_new(&fixture->inputs, &fixture->trouble);
    assert_string_equal(addresses_of(fixture, node), "");
    assert_non_null(strstr(fixture->trouble.text, "set --node-ip"));
    node_free(node);
}

static const char *refreshed(struct node_fixture *fixture, const char *addresses)
{
    const char *text = arena_printf(&fixture->arena,
                                    "{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":{"
                                    "\"name\":\"n\"},\"status\":{\"addresses\":[%s]}}",
                                    addresses);
    struct node *seen = node_read(fixture, text), *node;
    const char *result;

    fixture->inputs.seen = seen;
    node = node_object_refresh(&fixture->inputs, &fixture->trouble);
    result = addresses_of(fixture, node);
    node_free(node);
    node_free(seen);
    return result;
}

#define INTERNAL "{\"type\":\"InternalIP\",\"address\":\"10.8.8.8\"}"

static void test_of_a_node_that_is_there(void **state)
{
    struct node_fixture *fixture = *state;

    assert_string_equal(refreshed(fixture, INTERNAL), "InternalIP 10.0.0.5, Hostname n");
    fixture->config.node_ip = words(fixture, "10.0.0.6"); /* what cannot be told stays */
    assert_string_equal(refreshed(fixture, INTERNAL), "InternalIP 10.8.8.8");

    fixture->config.external_cloud = true;
    assert_string_equal(refreshed(fixture, INTERNAL), "InternalIP 10.8.8.8");
    fixture->config.node_ip = words(fixture, "10.0.0.5");
    assert_string_equal(refreshed(fixture, ""), "InternalIP 10.0.0.5, Hostname n");
    fixture->config.node_ip = (struct string_list){0};
    assert_string_equal(refreshed(fixture, ""), "Hostname n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_node(test_cases),
        with_node(test_without_a_network),
        with_node(test_of_a_node_that_is_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
