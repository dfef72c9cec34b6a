/* objects/image: references to images. */
#include "fixture.h"

#include "nodeagent/objects/image.h"

#define HEX16 "0123456789abcdef"
#define HEX64 HEX16 HEX16 HEX16 HEX16
#define SHA256 "sha256:" HEX64

static void assert_part(const struct image_part *part, const char *expected)
{
    if (part->length != strlen(expected) ||
        (part->length && memcmp(part->text, expected, part->length) != 0))
        fail_msg("\"%.*s\" is not \"%s\"", (int)part->length, part->length ? part->text : "",
                 expected);
}

static void test_parts(void **state)
{
    static const struct {
        const char *image;
        const char *domain, *path, *tag, *digest;
    } cases[] = {
        {"a", "", "a", "", ""},
        {"web:1.4", "", "web", "1.4", ""},
        {"team/web", "", "team/web", "", ""},
        {"localhost/web", "localhost", "web", "", ""},
        {"Host/web", "Host", "web", "", ""},
        {"registry.example.com/team/web:1.4@" SHA256, "registry.example.com", "team/web", "1.4",
         SHA256},
        {"registry:5000/web", "registry:5000", "web", "", ""},
        {"registry:5000/web:5000", "registry:5000", "web", "5000", ""},
        {"localhost:5000", "", "localhost", "5000", ""},
        {"10.0.0.1:5000/a", "10.0.0.1:5000", "a", "", ""},
        {"[::1]/a", "[::1]", "a", "", ""},
        {"[fd00::1]:5000/a:b", "[fd00::1]:5000", "a", "b", ""},
        {"a-b.c/x_y/x__y/x-y/x---y/x.y", "a-b.c", "x_y/x__y/x-y/x---y/x.y", "", ""},
        {"a@" SHA256, "", "a", "", SHA256},
        {"a@sha384:" HEX64 HEX16 HEX16, "", "a", "", "sha384:" HEX64 HEX16 HEX16},
        {"a@sha512:" HEX64 HEX64, "", "a", "", "sha512:" HEX64 HEX64},
        {"a:_", "", "a", "_", ""},
        {"a:A.b-c_d", "", "a", "A.b-c_d", ""},
        {HEX64 ":v1", "", HEX64, "v1", ""}, /* with a tag it is a name */
        {"x/" HEX64, "", "x/" HEX64, "", ""},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        struct image_name name;

        if (!image_name_parse(cases[i].image, &name))
            fail_msg("%s", cases[i].image);
        assert_part(&name.domain, cases[i].domain);
        assert_part(&name.path, cases[i].path);
        assert_part(&name.tag, cases[i].tag);
        assert_part(&name.digest, cases[i].digest);
    }
}

static void test_what_is_no_reference(void **state)
{
    static const char *const images[] = {
        "",
        ":",
        "/",
        "@",
        "a/",
        "/a",
        "a//b",
        ":tag",
        "@" SHA256,
        "a:",
        "a@",
        "A",
        "a/B",
        "team/Web",
        "a b",
        " a",
        "a\n",
        "a\t",
        "-a",
        "a-",
        "a_",
        "_a",
        ".a",
        "a.",
        "a..b",
        "a___b",
        "a._b",
        "a:b:c",
        "a:-b",
        "a:.b",
        "a:b c",
        "a:b/c",
        "a.b:x/c",
        "a.b:/c",
        "-a.b/c",
        "a-.b/c",
        "a..b/c",
        ".a/c",
        "a./c",
        "[::1/c",
        "[]/c",
        "[g::]/c",
        "[::1]x/c",
        "[::1]:/c",
        "http://a/b",
        "a@sha256",
        "a@sha256:",
        "a@sha256:" HEX16,
        "a@sha256:" HEX64 "0",
        "a@md5:" HEX16 HEX16,
        "a@sha256:" HEX16 HEX16 HEX16 "0123456789ABCDEF",
        "a@sha256:" HEX16 HEX16 HEX16 "0123456789abcdeg",
        "a@" SHA256 "@" SHA256,
        "a@" SHA256 ":tag",
        "a@sha512:" HEX64,
        HEX64,
        "\xc3\xa9",
        "a:\xc3\xa9",
        "$(reboot)",
        "../a",
        "a/../b",
        "a\\b",
        "a?b",
        "a;b",
        "\x1b[1m",
    };

    for (size_t i = 0; i < array_size(images); i++) {
        struct image_name name;

        if (image_name_parse(images[i], &name))
            fail_msg("\"%s\" is not refused", images[i]);
    }
}

static void assert_parses(char *image, bool right)
{
    struct image_name name;

    if (image_name_parse(image, &name) != right)
        fail_msg("%s", image);
    free(image);
}

static void test_lengths(void **state)
{
    char *tag = letters('t', 129), *path = letters('p', 256), *long_text = letters('a', 1 << 20);

    assert_parses(mem_printf("a:%s", tag + 1), true);
    assert_parses(mem_printf("a:%s", tag), false);
    /* The limit is of the path; a registry's name does not count. */
    assert_parses(mem_printf("registry.example.com:5000/%s", path + 1), true);
    assert_parses(mem_printf("registry.example.com:5000/%s", path), false);
    assert_parses(mem_strdup(path), false);
    assert_parses(mem_strdup(long_text), false);
    free(long_text);
    free(path);
    free(tag);
}

static void test_pull_policy(void **state)
{
    static const struct {
        const char *image;
        const char *policy;
    } cases[] = {
        {"a", "Always"},
        {"a:latest", "Always"},
        {"a:latest@" SHA256, "Always"},
        {"r:5000/a", "Always"},
        {HEX64 ":latest", "Always"},
        {"a:1", "IfNotPresent"},
        {"a:Latest", "IfNotPresent"},
        {"a:latest2", "IfNotPresent"},
        {"a:lates", "IfNotPresent"},
        {"a@" SHA256, "IfNotPresent"},
        {"a:1@" SHA256, "IfNotPresent"},
        /* What is no reference */
        {"", "IfNotPresent"},
        {"A", "IfNotPresent"},
        {"A:latest", "IfNotPresent"},
        {"a b", "IfNotPresent"},
        {HEX64, "IfNotPresent"},
        {"a:latest@sha1:" HEX16 HEX16, "IfNotPresent"},
        {"a:latest@sha256:" HEX16 HEX16, "IfNotPresent"},
    };

    for (size_t i = 0; i < array_size(cases); i++)
        if (strcmp(image_default_pull_policy(cases[i].image), cases[i].policy) != 0)
            fail_msg("%s", cases[i].image);
}

/* Every part of a good name, and every change of one of its bytes: nothing is read beyond it. */
static void test_parts_and_changes(void **state)
{
    static const char whole[] = "[::1]:5000/a-b/c_d.e:v1@" SHA256;
    size_t length = strlen(whole);

    for (size_t from = 0; from < length; from++) {
        for (size_t to = from; to <= length; to++) {
            char *part = mem_strndup(whole + from, to - from);
            struct image_name name;

            image_name_parse(part, &name);
            free(part);
        }
    }
    for (size_t i = 0; i < length; i++) {
        for (int c = 1; c < 256; c++) {
            char *changed = mem_strdup(whole);
            struct image_name name;

            changed[i] = (char)c;
            if (image_name_parse(changed, &name))
                assert_true(name.path.length > 0);
            free(changed);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_what_is_no_reference),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_pull_policy),
        cmocka_unit_test(test_parts_and_changes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
