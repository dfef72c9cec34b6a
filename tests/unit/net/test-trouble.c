/* net/trouble: the system's codes. */
#include "test.h"

#include "trouble.h"

#include <errno.h>

static void test_of_connect(void **state)
{
    assert_int_equal(net_trouble_of_connect(0), NET_ANSWERED);
    assert_int_equal(net_trouble_of_connect(-ECONNREFUSED), NET_REFUSED);
    assert_int_equal(net_trouble_of_connect(-ETIMEDOUT), NET_CONNECT_TIMEOUT);
    assert_int_equal(net_trouble_of_connect(-ECONNRESET), NET_CLOSED);
    assert_int_equal(net_trouble_of_connect(-ENETUNREACH), NET_UNREACHABLE);
    assert_int_equal(net_trouble_of_connect(-EHOSTUNREACH), NET_UNREACHABLE);
    assert_int_equal(net_trouble_of_connect(-EADDRNOTAVAIL), NET_LOCAL);
    assert_int_equal(net_trouble_of_connect(-EMFILE), NET_LOCAL);
    assert_int_equal(net_trouble_of_connect(-ENOBUFS), NET_LOCAL);
    assert_int_equal(net_trouble_of_connect(-EACCES), NET_LOCAL);
}

static void test_of_lookup(void **state)
{
    assert_int_equal(net_trouble_of_lookup(-ENOENT), NET_NAME);
    assert_int_equal(net_trouble_of_lookup(-ETIMEDOUT), NET_NAME);
    assert_int_equal(net_trouble_of_lookup(-EBUSY), NET_NAME);
    assert_int_equal(net_trouble_of_lookup(-ENOBUFS), NET_LOCAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_of_connect),
                                       cmocka_unit_test(test_of_lookup)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
