/* api/proxy: which proxy is used for a server, if any. */
#include "test.h"

#include "kubeconfig-private.h"

#include <errno.h>
#include <string.h>

static void assert_proxy(const char *const *environment, const char *host, unsigned port,
                         bool secure, const char *expected)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    struct kubeconfig_server server = {.host = host, .port = port, .secure = secure};
    const char *proxy;
    struct err err;

    if (proxy_from_environment(&arena, environment, &server, &proxy, &err) < 0)
        fail_msg("%s: %s", host, err.text);
    if (!str_equal(proxy, expected))
        fail_msg("%s: %s, not %s", host, proxy ? proxy : "none", expected ? expected : "none");
}

#define ENVIRONMENT(...) ((const char *const[]){__VA_ARGS__, NULL})

static void test_variables(void **state)
{
    assert_proxy(ENVIRONMENT("A=b"), "api", 443, true, NULL);
    assert_proxy(ENVIRONMENT("HTTPS_PROXY=http://p:1"), "api", 443, true, "http://p:1/");
    assert_proxy(ENVIRONMENT("HTTPS_PROXY=http://p:1"), "api", 80, false, NULL);
    assert_proxy(ENVIRONMENT("https_proxy=p:1"), "api", 443, true, "http://p:1/");
    assert_proxy(ENVIRONMENT("https_proxy=low:1", "HTTPS_PROXY=up:1"), "api", 443, true,
                 "http://up:1/");
    assert_proxy(ENVIRONMENT("HTTPS_PROXY=", "https_proxy=low:1"), "api", 443, true,
                 "http://low:1/");
    assert_proxy(ENVIRONMENT("http_proxy=p:1", "HTTPS_PROXY=q:1"), "api", 80, false, "http://p:1/");
    assert_proxy(ENVIRONMENT("HTTPS_PROXY=http://me:pw@p:1"), "api", 443, true,
                 "http://me:pw@p:1/");
    assert_proxy(ENVIRONMENT("HTTPS_PROXY=p:1"), "localhost", 443, true, NULL);
    assert_proxy(ENVIRONMENT("HTTPS_PROXY=p:1"), "127.3.0.1", 443, true, NULL);
    assert_proxy(ENVIRONMENT("HTTPS_PROXY=p:1"), "::1", 443, true, NULL);
}

static void test_exceptions(void **state)
{
    static const struct {
        const char *list, *host;
        bool direct;
    } cases[] = {
        {"api", "api", true},
        {"API.Example.com", "api.example.com", true},
        {"example.com", "api.example.com", true},
        {"example.com", "badexample.com", false},
        {".example.com", "api.example.com", true},
        {".example.com", "example.com", false},
        {"*.example.com", "api.example.com", true},
        {"*.example.com", "example.com", false},
        {" a , api ,b", "api", true},
        {",,", "api", false},
        {"*", "api", true},
        {"api:6443", "api", true},
        {"api:443", "api", false},
        {"10.0.0.1", "10.0.0.1", true},
        {"10.0.0.1", "10.0.0.2", false},
        {"10.0.0.1:6443", "10.0.0.1", true},
        {"10.0.0.1:1", "10.0.0.1", false},
        {"10.0.0.0/8", "10.1.2.3", true},
        {"10.0.0.0/9", "10.128.2.3", false},
        {"10.0.0.0/31", "10.0.0.1", true},
        {"0.0.0.0/0", "8.8.8.8", true},
        {"0.0.0.0/0", "fd00::1", false},
        {"10.0.0.0/33", "10.0.0.1", false},
        {"10.0.0.1/32", "10.0.0.1", true},
        {"10.0.0.0/x", "10.0.0.1", false},
        {"10.0.0.0/8", "api", false},
        {"fd00::1", "fd00::1", true},
        {"[fd00::1]", "fd00::1", true},
        {"[fd00::1]:6443", "fd00::1", true},
        {"[fd00::1]:1", "fd00::1", false},
        {"fd00::/16", "fd00:1::1", true},
        {"fd00::1/128", "fd00::1", true},
        {"fd00::/16", "fd01::1", false},
        {".", "api", false},
        {"*.", "api", false},
        {":6443", "api", false},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        struct arena arena = ARENA_INIT_DOCUMENT;
        const char *variable = arena_printf(&arena, "no_proxy=%s", cases[i].list);

        assert_proxy(ENVIRONMENT("HTTPS_PROXY=p:1", variable), cases[i].host, 6443, true,
                     cases[i].direct ? NULL : "http://p:1/");
        arena_deinit(&arena);
    }
}

static void test_urls_of_proxies(void **state)
{
    static const struct {
        const char *url, *expected;
    } cases[] = {
        {"http://p", "http://p/"},
        {"https://p:3128/", "https://p:3128/"},
        {"socks5://u:p@[fd00::1]:1080", "socks5h://u:p@[fd00::1]:1080/"},
        {"socks5h://p", "socks5h://p/"},
        {"ftp://p", NULL},
        {"p:3128", NULL},
        {"http://", NULL},
        {"http://sec ret@p", NULL},
        {"", NULL},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        struct arena arena = ARENA_INIT_DOCUMENT;
        const char *proxy = NULL;
        struct err err = {0};

        assert_int_equal(proxy_check(&arena, cases[i].url, &proxy, &err),
                         cases[i].expected ? 0 : -EINVAL);
        assert_true(str_equal(proxy, cases[i].expected));
        if (!cases[i].expected)
            assert_string_equal(err.text, "must be the URL of a proxy that begins with http://, "
                                          "https:// or socks5://");
        arena_deinit(&arena);
    }
}

static void test_what_the_environment_has_wrong(void **state)
{
    struct arena arena = ARENA_INIT_DOCUMENT;
    struct kubeconfig_server server = {.host = "api", .port = 443, .secure = true};
    const char *proxy;
    struct err err;

    assert_int_equal(proxy_from_environment(&arena, ENVIRONMENT("https_proxy=ftp://me:secret@p"),
                                            &server, &proxy, &err),
                     -EINVAL);
    assert_string_equal(err.text,
                        "is to be reached through the proxy that https_proxy of the environment "
                        "names, but that must be a URL such as http://proxy:3128");
    arena_deinit(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_variables),
        cmocka_unit_test(test_exceptions),
        cmocka_unit_test(test_urls_of_proxies),
        cmocka_unit_test(test_what_the_environment_has_wrong),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
