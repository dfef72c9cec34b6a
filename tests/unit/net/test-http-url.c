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

static int follow(const char *from, const char *to, char **ended)
{
    struct http_url url;
    char *text = NULL;
    int r;

    assert_int_equal(http_url_parse(&url, from, NULL), 0);
    r = http_url_follow(&url, to, NULL);
    assert_int_equal(curl_url_get(url.parts, CURLUPART_URL, &text, 0), CURLUE_OK);
    *ended = mem_strdup(text);
    curl_free(text);
    http_url_deinit(&url);
    return r;
}

static void test_following(void **state)
{
    static const struct {
        const char *from, *to;
        int result;
        const char *ended;
    } cases[] = {
        {"http://h/a", "http://h/b", 0, "http://h/b"},
        {"http://u:p@h/a", "http://H:80/b", 0, "http://u:p@H:80/b"},
        {"http://u:p@h/a", "http://x:y@h/b", 0, "http://u:p@h/b"},
        {"http://h/a", "http://x:y@h/b", 0, "http://h/b"},
        {"http://h/a", "https://h/b", 0, "https://h/b"},
        {"http://h:81/a", "https://h:444/b", 0, "https://h:444/b"},
        {"http://h/a", "http://h:81/b", -EXDEV, "http://h/a"},
        {"http://h/a", "http://hh/b", -EXDEV, "http://h/a"},
        {"https://h/a", "http://h/b", -EXDEV, "https://h/a"},
        {"https://h/a", "https://h:444/b", -EXDEV, "https://h/a"},
        {"http://h/a", "ftp://h/b", -EINVAL, "http://h/a"},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        char *ended;

        assert_int_equal(follow(cases[i].from, cases[i].to, &ended), cases[i].result);
        assert_string_equal(ended, cases[i].ended);
        free(ended);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_public),
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_not_urls),
        cmocka_unit_test(test_following),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
