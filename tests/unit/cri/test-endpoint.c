/* cri/endpoint: the runtime's address. */
#include "test.h"

#include "endpoint.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void test_what_is_understood(void **state)
{
    static const struct {
        const char *endpoint, *target;
    } rows[] = {
        {"unix:///run/containerd/containerd.sock", "unix:///run/containerd/containerd.sock"},
        {"/run/crio/crio.sock", "unix:///run/crio/crio.sock"},
        {"unix://run/x.sock", "unix:///x.sock"}, /* as the kubelet: only the path counts */
    };
    struct err err;
    char *target;

    for (size_t i = 0; i < array_size(rows); i++) {
        assert_int_equal(cri_endpoint_target(rows[i].endpoint, &target, &err), 0);
        assert_string_equal(target, rows[i].target);
        free(target);
    }
}

static void test_what_is_refused_and_why(void **state)
{
    static char longest[200] = "unix:///";
    const struct {
        const char *endpoint;
        int code;
        const char *word;
    } rows[] = {
        {"tcp://127.0.0.1:1234", -EINVAL, "only unix:// sockets are supported"},
        {"http://x", -EINVAL, "only unix:// sockets are supported"},
        {"", -EINVAL, "has no path"},
        {"/", -EINVAL, "has no path"},
        {"unix://", -EINVAL, "has no path"},
        {"unix://host", -EINVAL, "three slashes"},
        {"run/x.sock", -EINVAL, "has no path"},
        {longest, -ENAMETOOLONG, "longer than a socket's"},
    };
    struct err err;
    char *target;

    memset(longest + 8, 'x', sizeof(longest) - 9);
    for (size_t i = 0; i < array_size(rows); i++) {
        assert_int_equal(cri_endpoint_target(rows[i].endpoint, &target, &err), rows[i].code);
        assert_non_null(strstr(err.text, rows[i].word));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_understood),
        cmocka_unit_test(test_what_is_refused_and_why),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
