/* base/err: a code and a sentence. */
#include "abort.h"

#include "nodeagent/base/err.h"
#include "nodeagent/base/str.h"

#include <errno.h>

/* So that a format may be longer than what it makes. */
static const char *repeat(char *text, size_t count, const char *piece)
{
    size_t length = strlen(piece);

    for (size_t i = 0; i < count; i++)
        memcpy(text + i * length, piece, length);
    text[count * length] = '\0';
    return text;
}

static void test_set_returns_the_code(void **state)
{
    struct err err = {0};

    assert_int_equal(err_set(&err, -ENOENT, "%s: no such file", "a"), -ENOENT);
    assert_int_equal(err.code, -ENOENT);
    assert_string_equal(err.text, "a: no such file");
    assert_int_equal(err_set(&err, -EINVAL, "again"), -EINVAL);
    assert_string_equal(err.text, "again");
}

static void test_nobody_needs_to_listen(void **state)
{
    assert_int_equal(err_set(NULL, -EINVAL, "%s", "x"), -EINVAL);
    assert_true(err_prefix(NULL, "a") < 0);
}

static void test_prefix_keeps_the_code(void **state)
{
    struct err err;

    err_set(&err, -EIO, "cannot read");
    assert_int_equal(err_prefix(&err, "%s:%d", "web.yaml", 3), -EIO);
    assert_int_equal(err_prefix(&err, "manifests"), -EIO);
    assert_string_equal(err.text, "manifests: web.yaml:3: cannot read");
}

static void test_long_sentences_are_cut_with_dots(void **state)
{
    char text[4096];
    struct err err;

    err_set(&err, -EINVAL, "%s", repeat(text, ERR_TEXT_MAX - 1, "a"));
    assert_string_equal(err.text, text);
    err_set(&err, -EINVAL, "%s", repeat(text, ERR_TEXT_MAX, "a"));
    assert_int_equal(strlen(err.text), ERR_TEXT_MAX - 1);
    assert_true(str_has_suffix(err.text, "aaa..."));

    err_set(&err, -EINVAL, "%s", repeat(text, 600, "b"));
    err_prefix(&err, "%s", repeat(text, 600, "a"));
    assert_true(str_has_prefix(err.text, "aaa"));
    assert_non_null(strstr(err.text, "aaa...: bbb"));
    assert_true(strlen(err.text) < ERR_TEXT_MAX);
}

static void test_no_character_is_cut_in_two(void **state)
{
    const char *const characters[] = {"\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};
    char text[ERR_TEXT_MAX * 4 + 16], all[ERR_TEXT_MAX * 4 + 32];
    struct err err;

    for (size_t i = 0; i < array_size(characters); i++) {
        for (int shift = 0; shift < 4; shift++) {
            snprintf(all, sizeof(all), "%.*s%s", shift, "xxx",
                     repeat(text, ERR_TEXT_MAX, characters[i]));
            err_set(&err, -EINVAL, "%s", all);
            assert_null(utf8_check(err.text, strlen(err.text)));
            assert_true(str_has_suffix(err.text, "..."));
            assert_true(strlen(err.text) > ERR_TEXT_MAX - 8);
            assert_null(strchr(err.text, '?'));
        }
    }
}

static void test_sentences_are_printable_whatever_they_quote(void **state)
{
    static const struct {
        const char *text, *printed;
    } cases[] = {
        {"a\nb\tc\r", "a?b?c?"},
        {"\x1b[31mred", "?[31mred"},
        {"\x7f", "?"},
        {"\xc2\x9b"
         "31m",
         "??31m"},
        {"\xc2\xa0", "\xc2\xa0"},
        {"\xff\xfe", "??"},
        {"a\xc3", "a?"},
        {"\xed\xa0\x80", "???"},
        {"\xe2\x82\xac", "\xe2\x82\xac"},
    };
    struct err err;

    for (size_t i = 0; i < array_size(cases); i++) {
        err_set(&err, -EINVAL, "%s", cases[i].text);
        assert_string_equal(err.text, cases[i].printed);
    }
}

static void test_stray_bytes_leave_the_sentence(void **state)
{
    char text[2 * ERR_TEXT_MAX + 1];
    struct err err;

    err_set(&err, -EINVAL, "name: %s", repeat(text, 2 * ERR_TEXT_MAX, "\x80"));
    assert_true(str_has_prefix(err.text, "name: ???"));
    assert_true(str_has_suffix(err.text, "?..."));
    assert_int_equal(strlen(err.text), ERR_TEXT_MAX - 1);
}

static void set_no_error(void)
{
    struct err err;

    err_set(&err, 0, "fine");
}

static void set_positive_error(void)
{
    err_set(NULL, EINVAL, "wrong sign");
}

static void assert_nonsense(void)
{
    assert_that(1 > 2);
}

static void test_what_must_hold_ends_the_program(void **state)
{
    assert_aborts(set_no_error, "code < 0");
    assert_aborts(set_positive_error, "code < 0");
    assert_aborts(assert_nonsense, "this must hold but does not: 1 > 2");
    assert_that(2 > 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_set_returns_the_code),
        cmocka_unit_test(test_nobody_needs_to_listen),
        cmocka_unit_test(test_prefix_keeps_the_code),
        cmocka_unit_test(test_long_sentences_are_cut_with_dots),
        cmocka_unit_test(test_no_character_is_cut_in_two),
        cmocka_unit_test(test_sentences_are_printable_whatever_they_quote),
        cmocka_unit_test(test_stray_bytes_leave_the_sentence),
        cmocka_unit_test(test_what_must_hold_ends_the_program),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
