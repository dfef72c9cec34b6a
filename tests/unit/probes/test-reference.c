/* probes/reference: paths, as references to URLs. */
#include "test.h"

#include "reference.h"

static struct arena arena = ARENA_INIT(1024, 1024);

static int tear_down(void **state)
{
    arena_deinit(&arena);
    return 0;
}

static void assert_text(const char *text, const char *expected)
{
    if (expected)
        assert_string_equal(text, expected);
    else
        assert_null(text);
}

static void test_references(void **state)
{
    static const struct {
        const char *text;
        struct reference expected;
    } cases[] = {
        /* the table of the reference */
        {"/", {.path = "/", .query = ""}},
        {"healthz", {.path = "/healthz", .query = ""}},
        {"/a?b=c", {.path = "/a", .query = "?b=c"}},
        {"/a?b= c d", {.path = "/a", .query = "?b=%20c%20d"}},
        {"/x#frag", {.path = "/x", .query = ""}},
        {"//foo/bar", {.path = "/bar", .query = ""}},
        {"http://evil/x", {.path = "/x", .query = ""}},
        {"//u:p@h/z", {.user = "u", .password = "p", .path = "/z", .query = ""}},
        {"/%zz", {.path = "/%25zz", .query = ""}},
        {"a:b", {.opaque = "b", .path = "", .query = ""}},
        /* parts */
        {"", {.path = "", .query = ""}},
        {"?a", {.path = "", .query = "?a"}},
        {"/?", {.path = "/", .query = "?"}},
        {"/a?b?c#d?e", {.path = "/a", .query = "?b?c"}},
        {"#", {.path = "", .query = ""}},
        {"*", {.path = "/*", .query = ""}},
        {"a/b:c", {.path = "/a/b:c", .query = ""}},
        {"1a:b", {.path = "/1a:b", .query = ""}},
        {":b", {.path = "/:b", .query = ""}},
        {"HTTPS://evil:443/x?y", {.path = "/x", .query = "?y"}},
        {"http://evil", {.path = "", .query = ""}},
        {"http:", {.path = "", .query = ""}},
        {"mailto:a?b", {.opaque = "a", .path = "", .query = "?b"}},
        {"http:/x", {.path = "/x", .query = ""}},
        {"///x", {.path = "///x", .query = ""}},
        {"http:///x", {.path = "/x", .query = ""}},
        {"//[::1]:8/x", {.path = "/x", .query = ""}},
        {"//h:/x", {.path = "/x", .query = ""}},
        /* users */
        {"//u@h/z", {.user = "u", .path = "/z", .query = ""}},
        {"//@h/z", {.user = "", .path = "/z", .query = ""}},
        {"//u:@h", {.user = "u", .password = "", .path = "", .query = ""}},
        {"//a%40b:c%3Ad:e@h/", {.user = "a@b", .password = "c:d:e", .path = "/", .query = ""}},
        /* escapes */
        {"/a b", {.path = "/a%20b", .query = ""}},
        {"/a%20b", {.path = "/a%20b", .query = ""}},
        {"/a%2fb!", {.path = "/a%2fb!", .query = ""}},
        {"/a%2fb! ", {.path = "/a/b%21%20", .query = ""}},
        {"/\xc3\xa4", {.path = "/%C3%A4", .query = ""}},
        /* what is no reference is a path as it stands */
        {"/a?b\n", {.path = "/a%3Fb%0A", .query = ""}},
        {"/a%?b#c", {.path = "/a%25%3Fb%23c", .query = ""}},
        {"/a#%zz", {.path = "/a%23%25zz", .query = ""}},
        {"//h:x/z", {.path = "//h:x/z", .query = ""}},
        {"//[h/z", {.path = "//%5Bh/z", .query = ""}},
        {"//[h]x/z", {.path = "//%5Bh%5Dx/z", .query = ""}},
        {"//a b/z", {.path = "//a%20b/z", .query = ""}},
        {"//u\"@h/z", {.path = "//u%22@h/z", .query = ""}},
        {"//u%zz@h/z", {.path = "//u%25zz@h/z", .query = ""}},
        {"//u:%zz@h/z", {.path = "//u:%25zz@h/z", .query = ""}},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        const struct reference *expected = &cases[i].expected;
        struct reference reference;

        reference_read(&reference, &arena, cases[i].text);
        assert_text(reference.opaque, expected->opaque);
        assert_text(reference.user, expected->user);
        assert_text(reference.password, expected->password);
        assert_text(reference.path, expected->path);
        assert_text(reference.query, expected->query);
    }
}

static void test_hosts(void **state)
{
    static const struct {
        const char *host;
        const char *expected;
    } cases[] = {
        {"10.0.0.1", NULL},
        {"db.example.com", NULL},
        {"b\xc3\xbc"
         "cher",
         NULL},
        {"fd00::1", NULL},
        {"[::1]", "invalid IP-literal"},
        {"a:b", "invalid IP-literal"},
        {"a b", "invalid character \" \" in host name"},
        {"a/b", "invalid character \"/\" in host name"},
        {"a%41", "invalid URL escape \"%41\""},
        {"a%", "invalid URL escape \"%\""},
    };

    for (size_t i = 0; i < array_size(cases); i++)
        assert_text(reference_host_error(&arena, cases[i].host), cases[i].expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_references),
        cmocka_unit_test(test_hosts),
    };

    return cmocka_run_group_tests(tests, NULL, tear_down);
}
