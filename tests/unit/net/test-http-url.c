/* net/http-url: the parts of URLs, and where a redirection may lead. */
#include "test.h"

#include "http-url.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/net/http.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void test_public(void **state)
{
    static const char *const cases[][2] = {
        {"http://h/p", "http://h/p"},
        {"http://u@h/p", "http://h/p"},
        {"https://u:p@h:1/p?q#f", "https://h:1/p?q#f"},
        {"http://u:p@x@h", "http://h"},
        {"http://h/a@b", "http://h/a@b"},
        {"http://h?a@b", "http://h?a@b"},
        {"u:p@h/x", "h/x"},
        {"", ""},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        char *text = http_url_public(cases[i][0]);

        assert_string_equal(text, cases[i][1]);
        free(text);
    }
}

static void assert_parts(const char *text, const char *host, unsigned port, bool secure,
                         bool literal)
{
    struct http_url url;

    assert_int_equal(http_url_parse(&url, text, NULL), 0);
    assert_string_equal(url.host, host);
    assert_int_equal(url.port, port);
    assert_int_equal(url.secure, secure);
    assert_int_equal(url.literal, literal);
    http_url_deinit(&url);
    assert_null(url.parts);
}

static void test_parts(void **state)
{
    assert_parts("http://example.com", "example.com", 80, false, false);
    assert_parts("https://example.com./x", "example.com", 443, true, false);
    assert_parts("HTTP://u:p@a.b:8080/x", "a.b", 8080, false, false);
    assert_parts("http://127.0.0.1:1/", "127.0.0.1", 1, false, true);
    assert_parts("http://[fd00::1]:1/", "fd00::1", 1, false, true);
    assert_parts("http://1.2.3.4.example/", "1.2.3.4.example", 80, false, false);
}

static void test_hosts_as_they_are_written(void **state)
{
    static const char *const cases[][2] = {
        {"example.com", "example.com"}, {"10.0.0.1", "10.0.0.1"}, {"fd00::1", "[fd00::1]"}};

    for (size_t i = 0; i < array_size(cases); i++) {
        char *text = http_url_written(cases[i][0]);

        assert_string_equal(text, cases[i][1]);
        free(text);
    }
}

static void test_not_urls(void **state)
{
    static const char *const texts[] = {"",
                                        "x",
                                        "//h/p",
                                        "http://",
                                        "http://h:99999/",
                                        "http://h h/",
                                        "gopher://h/",
                                        "http://h%00.b/",
                                        "http://\xc3\xbc/",
                                        "http://[fd00::1/"};

    for (size_t i = 0; i < array_size(texts); i++) {
        struct http_url url;
        struct err err;

        if (http_url_parse(&url, texts[i], &err) != -EINVAL)
            fail_msg("%s is a URL", texts[i]);
        assert_null(url.parts);
    }
}

static int follow(const char *from, const char *to, enum http_redirects redirects, char **ended)
{
    struct http_url url, next;
    char *text = NULL;
    int r;

    assert_int_equal(http_url_parse(&url, from, NULL), 0);
    r = http_url_follow(&next, &url, to, redirects, NULL);
    if (r < 0)
        assert_null(next.parts);
    assert_int_equal(curl_url_get(r < 0 ? url.parts : next.parts, CURLUPART_URL, &text, 0),
                     CURLUE_OK);
    *ended = mem_strdup(text);
    curl_free(text);
    http_url_deinit(&url);
    http_url_deinit(&next);
    return r;
}

static void test_following(void **state)
{
    enum http_redirects side = HTTP_FOLLOW_SAME_SIDE, host = HTTP_FOLLOW_SAME_HOST;
    const struct {
        const char *from, *to;
        enum http_redirects redirects;
        int result;
        const char *ended;
    } cases[] = {
        {"http://h/a", "http://h/b", side, 0, "http://h/b"},
        {"http://u:p@h/a", "http://H:80/b", side, 0, "http://u:p@H:80/b"},
        {"http://u:p@h/a", "http://x:y@h/b", side, 0, "http://u:p@h/b"},
        {"http://h/a", "http://x:y@h/b", side, 0, "http://h/b"},
        {"http://h/a", "https://h/b", side, 0, "https://h/b"},
        {"http://h:81/a", "https://h:444/b", side, 0, "https://h:444/b"},
        {"http://h/a", "http://h:81/b", side, -EXDEV, "http://h/a"},
        {"http://h/a", "http://hh/b", side, -EXDEV, "http://h/a"},
        {"https://h/a", "http://h/b", side, -EXDEV, "https://h/a"},
        {"https://h/a", "https://h:444/b", side, -EXDEV, "https://h/a"},
        {"http://h/a", "ftp://h/b", side, -EINVAL, "http://h/a"},
        {"http://u:p@h:81/a/b?c", "d?e", side, 0, "http://u:p@h:81/a/d?e"},
        {"http://h:81/a/b", "/d e", side, 0, "http://h:81/d%20e"},
        {"http://h:81/a/b", "//h:81/d", side, 0, "http://h:81/d"},
        {"http://h/a", "https://h:81/b", host, 0, "https://h:81/b"},
        {"https://h/a", "http://h/b", host, 0, "http://h/b"},
        {"http://h/a", "//h:82/b", host, 0, "http://h:82/b"},
        {"http://[::1]/a", "http://[::1]:81/b", host, 0, "http://[::1]:81/b"},
        {"http://h/a", "http://H/b", host, -EXDEV, "http://h/a"},
        {"http://h/a", "http://hh/b", host, -EXDEV, "http://h/a"},
        {"http://h/a", "ftp://hh/b", host, -EXDEV, "http://h/a"},
        {"http://h/a", "ftp://h/b", host, -EINVAL, "http://h/a"},
        {"http://h/a", "http://h:99999/b", host, -EINVAL, "http://h/a"},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        char *ended;

        assert_int_equal(follow(cases[i].from, cases[i].to, cases[i].redirects, &ended),
                         cases[i].result);
        assert_string_equal(ended, cases[i].ended);
        free(ended);
    }
}

static void test_absolute(void **state)
{
    assert_true(http_url_is_absolute("http://h/"));
    assert_true(http_url_is_absolute("HTTPS://h/"));
    assert_false(http_url_is_absolute("//h/"));
    assert_false(http_url_is_absolute("/a:b"));
    assert_false(http_url_is_absolute("?a:b"));
    assert_false(http_url_is_absolute(":"));
    assert_false(http_url_is_absolute(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_public),
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_hosts_as_they_are_written),
        cmocka_unit_test(test_not_urls),
        cmocka_unit_test(test_following),
        cmocka_unit_test(test_absolute),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
