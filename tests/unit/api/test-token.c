/* api/token: what is a token, and what is not; what is not is not quoted. */
#include "kubeconfig-place.h"

#include "token.h"

static void test_tokens_are_one_line(void **state)
{
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"abc", NULL},
        {"a.b-c_d~e+f/g==", NULL},
        {"", "is empty"},
        {"secret\r\nX-Evil: 1", "must be one line without control characters"},
        {"secret\x7f", "must be one line without control characters"},
    };

    (void)state;
    for (size_t i = 0; i < array_size(cases); i++) {
        struct err err = {0};

        assert_int_equal(token_check(cases[i].text, &err), cases[i].expected ? -EINVAL : 0);
        assert_string_equal(err.text, cases[i].expected ? cases[i].expected : "");
    }
}

static void test_files(void **state)
{
    struct place *place = *state;
    static const struct {
        const char *text, *token, *expected;
    } cases[] = {
        {"abc", "abc", NULL},
        {"\t abc\r\n\n", "abc", NULL},
        {"", NULL, "file: is empty"},
        {" \n", NULL, "file: is empty"},
        {"secret\nmore", NULL, "file: must be one line without control characters"},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        struct strbuf token = STRBUF_INIT;
        char path[PATH_MAX];
        struct err err = {0};

        write_file(place, "file", cases[i].text);
        snprintf(path, sizeof(path), "%s/file", place->directory);
        assert_int_equal(token_read(path, &token, &err), cases[i].token ? 0 : -EINVAL);
        strip(place, err.text);
        assert_string_equal(err.text, cases[i].expected ? cases[i].expected : "");
        assert_string_equal(token.text ? token.text : "", cases[i].token ? cases[i].token : "");
        strbuf_deinit(&token);
    }
}

static void test_files_that_are_none(void **state)
{
    struct place *place = *state;
    struct strbuf token = STRBUF_INIT;
    char path[PATH_MAX];
    struct err err;

    assert_int_equal(token_read(place->path, &token, &err), -ENOENT);
    assert_true(token_read(place->directory, &token, &err) < 0);
    snprintf(path, sizeof(path), "%s/token", place->directory);
    assert_int_equal(truncate(path, 20), 0); /* NULs follow */
    assert_int_equal(token_read(path, &token, &err), -EINVAL);
    assert_int_equal(truncate(path, TOKEN_BYTES_MAX + 1), 0);
    assert_int_equal(token_read(path, &token, &err), -EFBIG);
    assert_int_equal(token.length, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_place(test_tokens_are_one_line),
        in_place(test_files),
        in_place(test_files_that_are_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
