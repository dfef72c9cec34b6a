/* api/kubeconfig-server: the parts of a server's URL. */
#include "test.h"

#include "kubeconfig-private.h"

#include <errno.h>
#include <string.h>

static void test_urls(void **state)
{
    static const struct {
        const char *text;
        bool tls;
        const char *url, *host;
        unsigned port;
        const char *prefix;
        bool secure;
    } cases[] = {
        {"https://api", false, "https://api", "api", 443, "", true},
        {"https://api:6443/", false, "https://api:6443", "api", 6443, "", true},
        {"http://api", true, "http://api", "api", 80, "", false},
        {"https://lb:6443/k8s/c1", false, "https://lb:6443/k8s/c1", "lb", 6443, "/k8s/c1", true},
        {"https://lb/k8s/c%201//", false, "https://lb/k8s/c%201", "lb", 443, "/k8s/c%201", true},
        {"https://lb/k8s?a=b#c", false, "https://lb/k8s", "lb", 443, "/k8s", true},
        {"https://lb?a=b", false, "https://lb", "lb", 443, "", true},
        {"HTTPS://10.0.0.1:6443", false, "https://10.0.0.1:6443", "10.0.0.1", 6443, "", true},
        {"https://[fd00::1]:6443/a", false, "https://[fd00::1]:6443/a", "fd00::1", 6443, "/a",
         true},
        {"api:6443", true, "https://api:6443", "api", 6443, "", true},
        {"api:6443", false, "http://api:6443", "api", 6443, "", false},
        {"10.0.0.1", true, "https://10.0.0.1", "10.0.0.1", 443, "", true},
        {"[::1]:6443/", true, "https://[::1]:6443", "::1", 6443, "", true},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        struct kubeconfig config = {.arena = ARENA_INIT_DOCUMENT};
        const struct kubeconfig_server *server = &config.server;
        struct err err;

        if (kubeconfig_split_server(&config, cases[i].text, cases[i].tls, &err) < 0)
            fail_msg("%s: %s", cases[i].text, err.text);
        assert_string_equal(server->url, cases[i].url);
        assert_string_equal(server->host, cases[i].host);
        assert_string_equal(server->prefix, cases[i].prefix);
        assert_int_equal(server->port, cases[i].port);
        assert_int_equal(server->secure, cases[i].secure);
        arena_deinit(&config.arena);
    }
}

static void test_what_is_none(void **state)
{
    static const struct {
        const char *text, *part;
    } cases[] = {
        {"ftp://api", "must begin with https:// or http://"},
        {"unix:///run/x", "must be"},
        {"https://", "must be a URL such as https://api.example.com:6443: "},
        {"https://a b", "must be a URL such as https://api.example.com:6443: "},
        {"https://api:99999", "must be a URL such as https://api.example.com:6443: "},
        {"https://\xc3\xa4pi", "must have an address for its host, or a name in ASCII"},
        {"https://me:secret@api", "must not have a user or a password in it; put them into "
                                  "username and password of the user"},
        {"https://secret@api", "must not have a user"},
        {"api/k8s", "must begin with https:// or http://, as it has a path"},
        {"https://api:0", "must have a port from 1 to 65535"},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        struct kubeconfig config = {.arena = ARENA_INIT_DOCUMENT};
        struct err err = {0};

        assert_int_equal(kubeconfig_split_server(&config, cases[i].text, true, &err), -EINVAL);
        if (!str_has_prefix(err.text, cases[i].part) || strstr(err.text, "secret"))
            fail_msg("%s: %s", cases[i].text, err.text);
        arena_deinit(&config.arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_urls),
        cmocka_unit_test(test_what_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
