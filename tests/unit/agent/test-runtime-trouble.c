/* agent/runtime-trouble: what is wrong with which socket, and what to do. */
#include "test.h"

#include "runtime-trouble.h"

#include <stdlib.h>
#include <string.h>

static const char endpoint[] = "unix:///run/x.sock";

#define GRPC(what) "failed to connect to all addresses; last error: " what
#define SOCKET "unix:/run/x.sock: "

static const struct {
    enum rpc_status status;
    const char *text;
    const char *said, *remedy;
} cases[] = {
    {RPC_UNAVAILABLE, GRPC("UNKNOWN: " SOCKET "No such file or directory"), "no such socket",
     "--container-runtime-endpoint"},
    {RPC_UNAVAILABLE, GRPC("UNKNOWN: " SOCKET "Connection refused"), "nobody listens",
     "start the runtime"},
    {RPC_UNAVAILABLE, GRPC("UNKNOWN: " SOCKET "Permission denied"), "Permission denied",
     "must run as root"},
    {RPC_UNAVAILABLE, GRPC("INTERNAL: " SOCKET "Trying to connect an http1.x server"), "HTTP/1",
     "another program's socket"},
    {RPC_UNAVAILABLE, GRPC("UNAVAILABLE: " SOCKET "Failed parsing HTTP/2"), "does not speak gRPC",
     "another program's socket"},
    {RPC_UNAVAILABLE, GRPC("UNAVAILABLE: " SOCKET "Socket closed"), "closes connections at once",
     "see the runtime's log"},
    {RPC_UNIMPLEMENTED, "unknown service runtime.v1.RuntimeService", "has no v1 CRI",
     "disabled_plugins"},
    {RPC_DEADLINE_EXCEEDED, "Deadline Exceeded", "does not answer", "see its log"},
    {RPC_UNAVAILABLE, "Socket closed", "closes connections within calls", "see the runtime's log"},
    {RPC_UNAVAILABLE, "recvmsg:Connection reset by peer", "within calls", "see the runtime's log"},
    {RPC_UNAVAILABLE, "something else", "Version: something else", "see the runtime's log"},
    {RPC_INTERNAL, "it broke", "Version: it broke", "see the runtime's log"},
};

static void test_each_trouble_has_its_sentence(void **state)
{
    (void)state;
    for (size_t i = 0; i < array_size(cases); i++) {
        char *text = runtime_trouble(endpoint, "Version", cases[i].status, cases[i].text);

        assert_memory_equal(text, endpoint, strlen(endpoint));
        if (!strstr(text, cases[i].said) || !strstr(text, cases[i].remedy))
            fail_msg("%zu: %s", i, text);
        assert_null(strstr(text, "all addresses"));
        free(text);
    }
}

/* Who is refused in other words each time is told of once. */
static void test_the_same_trouble_is_the_same_sentence(void **state)
{
    char *a = runtime_trouble(endpoint, "Version", RPC_UNAVAILABLE,
                              GRPC("UNKNOWN: " SOCKET "Connection refused"));
    char *b = runtime_trouble(endpoint, "Status", RPC_UNAVAILABLE,
                              "connections to all backends failing; Connection refused (111)");

    (void)state;
    assert_string_equal(a, b);
    free(a);
    free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_trouble_has_its_sentence),
        cmocka_unit_test(test_the_same_trouble_is_the_same_sentence),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
