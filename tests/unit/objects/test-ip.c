/* objects/ip: addresses and networks. */
#include "fixture.h"

#include "nodeagent/objects/names.h"

static void assert_all(const char *(*check)(const char *), const char *const *texts, bool right)
{
    for (; *texts; texts++)
        if (!check(*texts) != right)
            fail_msg("\"%s\": %s", *texts, right ? check(*texts) : "is not refused");
    assert_non_null(check(NULL));
}

static void test_addresses(void **state)
{
    assert_all(name_check_ip,
               (const char *[]){"0.0.0.0", "1.2.3.4", "255.255.255.255", "::", "::1", "FD00::A",
                                "2001:0db8:0000:0000:0000:0000:0000:0001", "::1.2.3.4", "fe80::1",
                                NULL},
               true);
    assert_all(name_check_ip,
               (const char *[]){"",
                                " 1.2.3.4",
                                "1.2.3.4 ",
                                "1.2.3",
                                "1.2.3.4.5",
                                "256.1.1.1",
                                "01.2.3.4",
                                "1.2.3.00",
                                "0x1.2.3.4",
                                "1.2.3.-4",
                                "1.2.3.4/8",
                                "::ffff:1.2.3.4",
                                "::FFFF:0102:0304",
                                "fe80::1%eth0",
                                "[::1]",
                                "1:2:3:4:5:6:7",
                                "1:2:3:4:5:6:7:8:9",
                                "1::2::3",
                                "::g",
                                ":::",
                                "12345::",
                                "localhost",
                                "1.2.3.4\n",
                                "1:2:3:4::5:6:7:8",
                                NULL},
               false);
}

static void test_reachable(void **state)
{
    assert_all(name_check_reachable_ip,
               (const char *[]){"10.0.0.1", "1.1.1.1", "169.253.0.1", "224.0.1.1", "fd00::1", "::2",
                                "ff05::1", "2001:db8::1", NULL},
               true);
    assert_all(name_check_reachable_ip,
               (const char *[]){"0.0.0.0", "127.0.0.1", "127.255.0.1", "169.254.0.1", "224.0.0.1",
                                "::", "::1", "fe80::1", "febf::1", "ff02::1", "ff12::1", "", "a",
                                NULL},
               false);
}

static void test_networks(void **state)
{
    assert_all(name_check_cidr,
               (const char *[]){"10.0.0.0/8", "0.0.0.0/0", "1.2.3.4/32", "10.128.0.0/9", "::/0",
                                "fd00::/64", "fd00::1/128", "fd00:8000::/17", NULL},
               true);
    assert_all(name_check_cidr,
               (const char *[]){"",
                                "/",
                                "10.0.0.0",
                                "10.0.0.0/",
                                "10.0.0.0/33",
                                "10.0.0.1/8",
                                "10.0.0.0/-1",
                                "10.0.0.0/+8",
                                "10.0.0.0/08",
                                "10.0.0.0/8 ",
                                "10.0.0.0/8/8",
                                "10.0.0.0/4294967304",
                                "fd00::/129",
                                "fd00::1/64",
                                "/8",
                                "a/8",
                                "::ffff:0.0.0.0/96",
                                "010.0.0.0/8",
                                "1111111111111111111111111111111111111111111111111111111111/8",
                                "10.0.0.0/99999999999999999999",
                                NULL},
               false);
}

static void test_family(void **state)
{
    assert_true(ip_is_v6("::1"));
    assert_true(ip_is_v6("::1.2.3.4"));
    assert_false(ip_is_v6("1.2.3.4"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_reachable),
        cmocka_unit_test(test_networks),
        cmocka_unit_test(test_family),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
