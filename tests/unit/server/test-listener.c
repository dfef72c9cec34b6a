/* server/listener.c: sockets that listen, and why one does not. */
#include "test.h"

#include "listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void test_addresses(void **state)
{
    static const char *const addresses[] = {"127.0.0.1", "0.0.0.0", "::1", "::"};
    struct err err;

    for (size_t i = 0; i < array_size(addresses); i++) {
        int fd = listener_open(addresses[i], 0, &err);

        assert_true(fd >= 0);
        assert_true(listener_port(fd) > 0);
        close(fd);
    }
    assert_int_equal(listener_port(-1), 0);
}

static void assert_connects(const struct sockaddr *address, socklen_t length)
{
    int client = socket(address->sa_family, SOCK_STREAM, 0);

    assert_int_equal(connect(client, address, length), 0);
    close(client);
}

static void test_any_address_is_of_both_families(void **state)
{
    static const char *const any[] = {"::", "0.0.0.0"};
    struct err err;

    for (size_t i = 0; i < array_size(any); i++) {
        int fd = listener_open(any[i], 0, &err);
        struct sockaddr_in v4 = {
            .sin_family = AF_INET,
            .sin_port = htons(listener_port(fd)),
            .sin_addr = {htonl(INADDR_LOOPBACK)},
        };
        struct sockaddr_in6 v6 = {
            .sin6_family = AF_INET6,
            .sin6_port = htons(listener_port(fd)),
            .sin6_addr = IN6ADDR_LOOPBACK_INIT,
        };

        assert_connects((struct sockaddr *)&v4, sizeof(v4));
        assert_connects((struct sockaddr *)&v6, sizeof(v6));
        close(fd);
    }
}

static void test_a_port_in_use_is_named(void **state)
{
    struct err err;
    int fd = listener_open("127.0.0.1", 0, &err);
    uint16_t port = listener_port(fd);
    char start[64];

    assert_int_equal(listener_open("127.0.0.1", port, &err), -EADDRINUSE);
    snprintf(start, sizeof(start), "cannot listen on 127.0.0.1:%u: ", (unsigned)port);
    assert_memory_equal(err.text, start, strlen(start));
    assert_non_null(strstr(err.text, "choose another port"));
    close(fd);
}

static void test_addresses_that_are_none(void **state)
{
    struct err err;

    assert_int_equal(listener_open("localhost", 80, &err), -EINVAL);
    assert_string_equal(err.text, "cannot listen on \"localhost\": it is no IP address");
    assert_int_equal(listener_open("192.0.2.77", 0, &err), -EADDRNOTAVAIL);
    assert_non_null(strstr(err.text, "this machine has no such address"));
    assert_int_equal(listener_open("2001:db8::7", 7, &err), -EADDRNOTAVAIL);
    assert_non_null(strstr(err.text, "[2001:db8::7]:7"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_any_address_is_of_both_families),
        cmocka_unit_test(test_a_port_in_use_is_named),
        cmocka_unit_test(test_addresses_that_are_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
