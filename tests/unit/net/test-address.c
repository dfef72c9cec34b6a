/* net/address: what is an address, and which are the same. */
#include "test.h"

#include "nodeagent/base/macros.h"
#include "nodeagent/net/address.h"

#include <arpa/inet.h>

static void test_parse(void **state)
{
    static const char *const none[] = {"",      "localhost",  "10.0.0", "10.0.0.1:80",
                                       "[::1]", "fe80::1%lo", "::1/64"};
    union net_address address;

    assert_true(net_address_parse(&address, "10.0.0.1", 80));
    assert_int_equal(address.any.sa_family, AF_INET);
    assert_int_equal(ntohl(address.v4.sin_addr.s_addr), 0x0a000001);
    assert_int_equal(net_address_port(&address), 80);
    assert_int_equal(net_address_length(&address), sizeof(struct sockaddr_in));
    assert_true(net_address_parse(&address, "::1", 0xffff));
    assert_int_equal(address.any.sa_family, AF_INET6);
    assert_true(IN6_IS_ADDR_LOOPBACK(&address.v6.sin6_addr));
    assert_int_equal(net_address_port(&address), 0xffff);
    assert_int_equal(net_address_length(&address), sizeof(struct sockaddr_in6));
    for (size_t i = 0; i < array_size(none); i++)
        assert_false(net_address_parse(&address, none[i], 80));
}

static void test_same_host(void **state)
{
    static const char *const texts[] = {
        "10.0.0.1", "10.0.0.2", "::", "0.0.0.0", "fd00::1", "fd00:0:0:1::1"};
    union net_address one, other;

    for (size_t i = 0; i < array_size(texts); i++)
        for (size_t j = 0; j < array_size(texts); j++) {
            assert_true(net_address_parse(&one, texts[i], 1));
            assert_true(net_address_parse(&other, texts[j], 2));
            assert_int_equal(net_address_is_same_host(&one, &other), i == j);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_same_host),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
