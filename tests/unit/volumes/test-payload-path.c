/* volumes/payload-path: which paths a file in a volume may have. */
#include "volumes.h"

#include "payload.h"

struct path_case {
    const char *path;
    const char *expected; /* the clean path, or the sentence */
};

static void test_paths(void **state)
{
    static const struct path_case cases[] = {
        {"a", "a"},
        {"a/b.c", "a/b.c"},
        {"./a//b/./c/", "a/b/c"},
        {"a..", "a.."},
        {"a/..b", "a/..b"},
        {".hidden", ".hidden"},
        {"", "invalid path: must not be empty: \"\""},
        {NULL, "invalid path: must not be empty: \"\""},
        {"/a", "invalid path: must be relative path: /a"},
        {"..", "invalid path: must not contain '..': .."},
        {"a/../b", "invalid path: must not contain '..': a/../b"},
        {"a/..", "invalid path: must not contain '..': a/.."},
        {"..data", "invalid path: must not start with '..': ..data"},
        {"./..data", "invalid path: must not start with '..': ./..data"},
        {".", "invalid path: must name a file: ."},
        {"./", "invalid path: must name a file: ./"},
    };
    struct arena arena = ARENA_INIT_DOCUMENT;

    for (size_t i = 0; i < array_size(cases); i++) {
        const char *clean = NULL;
        struct err err = {0};

        if (payload_path_clean(cases[i].path, &arena, &clean, &err) < 0)
            clean = err.text;
        assert_string_equal(clean, cases[i].expected);
    }
    arena_deinit(&arena);
}

static void assert_refused(char *path, const char *sentence)
{
    struct arena arena = ARENA_INIT_DOCUMENT;
    const char *clean;
    struct err err;

    assert_true(payload_path_clean(path, &arena, &clean, &err) < 0);
    assert_true(str_has_prefix(err.text, sentence));
    arena_deinit(&arena);
    free(path);
}

static char *repeated(const char *text, size_t count)
{
    struct strbuf out = STRBUF_INIT;

    while (count--)
        strbuf_add(&out, text);
    return strbuf_take(&out);
}

static void test_lengths(void **state)
{
    assert_refused(letters('a', 256),
                   "invalid path: filenames must be less than or equal to 255 characters");
    assert_refused(repeated("a/", 2049),
                   "invalid path: must be less than or equal to 4096 characters");
    assert_refused(repeated("a/", 65), "invalid path: must not be deeper than 64");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_lengths),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
