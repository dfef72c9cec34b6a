/* base/str: comparing, UTF-8, numbers, a growing buffer, the word that was meant. */
#include "abort.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/base/str.h"

#include <errno.h>
#include <stdlib.h>

static void test_absent_equals_empty(void **state)
{
    const char *const words[] = {"a", "", NULL}, *const others[] = {"a", NULL};

    assert_true(str_empty(NULL) && str_empty(""));
    assert_false(str_empty("a"));
    assert_true(str_equal(NULL, "") && str_equal("", NULL) && str_equal(NULL, NULL));
    assert_true(str_equal("a", "a"));
    assert_false(str_equal("a", NULL) || str_equal("a", "b") || str_equal("a", "ab"));
    assert_true(str_has_prefix(NULL, "") && str_has_suffix(NULL, ""));
    assert_false(str_has_prefix(NULL, "a") || str_has_suffix(NULL, "a"));
    assert_true(str_one_of(NULL, words) && str_one_of("a", words));
    assert_false(str_one_of(NULL, others) || str_one_of("b", words));
}

static void test_prefix_and_suffix_may_be_the_whole(void **state)
{
    assert_true(str_has_prefix("abc", "") && str_has_prefix("abc", "ab"));
    assert_true(str_has_prefix("abc", "abc"));
    assert_false(str_has_prefix("abc", "abcd") || str_has_prefix("abc", "b"));
    assert_true(str_has_suffix("abc", "") && str_has_suffix("abc", "bc"));
    assert_true(str_has_suffix("abc", "abc"));
    assert_false(str_has_suffix("abc", "xabc") || str_has_suffix("abc", "b"));
}

static void test_plain_is_ascii_that_is_seen(void **state)
{
    assert_true(str_is_plain("a") && str_is_plain("!~"));
    assert_false(str_is_plain("") || str_is_plain("a b") || str_is_plain("a\n"));
    assert_false(str_is_plain("\x7f") || str_is_plain("\xc3\xa9"));
}

static void test_strings_are_sorted_by_their_bytes(void **state)
{
    const char *strings[] = {"b", "", "a", "B", "\xc3\xa9", "ab"};
    const char *const sorted[] = {"", "B", "a", "ab", "b", "\xc3\xa9"};

    strings_sort(strings, array_size(strings));
    for (size_t i = 0; i < array_size(strings); i++)
        assert_string_equal(strings[i], sorted[i]);
    strings_sort(NULL, 0);
}

static void test_utf8_is_checked_at_every_limit(void **state)
{
    static const struct {
        const char *bytes;
        int bad; /* index of the first bad byte, or -1 */
    } cases[] = {
        {"", -1},
        {"plain", -1},
        {"\x7f", -1},
        {"\x80", 0},
        {"\xbf", 0},
        {"\xc0\x80", 0}, /* overlong */
        {"\xc1\xbf", 0},
        {"\xc2\x80", -1}, /* U+0080 */
        {"\xdf\xbf", -1},
        {"\xc2", 0},
        {"\xc2\x41", 0},
        {"\xc2\xc2", 0},
        {"\xe0\x80\x80", 0},
        {"\xe0\x9f\xbf", 0},
        {"\xe0\xa0\x80", -1}, /* U+0800 */
        {"\xed\x9f\xbf", -1}, /* U+D7FF */
        {"\xed\xa0\x80", 0},  /* a surrogate */
        {"\xed\xbf\xbf", 0},
        {"\xee\x80\x80", -1}, /* U+E000 */
        {"\xef\xbf\xbf", -1},
        {"\xe2\x82", 0},
        {"\xf0\x8f\xbf\xbf", 0},
        {"\xf0\x90\x80\x80", -1}, /* U+10000 */
        {"\xf4\x8f\xbf\xbf", -1}, /* U+10FFFF */
        {"\xf4\x90\x80\x80", 0},
        {"\xf0\x9f\x98", 0},
        {"\xf8\x88\x80\x80\x80", 0},
        {"\xfe", 0},
        {"\xff", 0},
        {"1234567\x80", 7}, /* around the words of eight bytes */
        {"12345678\x80", 8},
        {"123456789\x80", 9},
        {"1234567\xc3\xa9", -1},
        {"123456\xe2\x82\xac"
         "12345678\xf0\x9f\x98\x80"
         "12345678\xff",
         29},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        const char *bad = utf8_check(cases[i].bytes, strlen(cases[i].bytes));

        assert_int_equal(bad ? bad - cases[i].bytes : -1, cases[i].bad);
    }
    assert_null(utf8_check("a\0b", 3));
}

/* The length decides, even in the middle of a character. */
static void test_utf8_is_cut_between_characters(void **state)
{
    const char *fish = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\x9f";
    const size_t whole[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10};

    for (size_t length = 0; length < array_size(whole); length++)
        assert_int_equal(utf8_cut(fish, length), whole[length]);
    /* What was broken before is not the cut's. */
    assert_int_equal(utf8_cut("\x80\x80\x80", 3), 3);
    assert_int_equal(utf8_cut("a\x80\x80\x80\x80\x80", 6), 6);
    assert_int_equal(utf8_cut("\xff"
                              "a",
                              2),
                     2);
}

static void test_utf8_is_repaired(void **state)
{
    char text[] = "a\xff\xc3\xa4\xe2\x82 b\0\xe2\x82";

    utf8_repair(text, sizeof(text) - 1);
    assert_memory_equal(text, "a?\xc3\xa4?? b\0??", sizeof(text));
    utf8_repair(text, 0);
    assert_memory_equal(text, "a?", 2);
}

static void test_utf8_stays_within_the_length(void **state)
{
    const char *text = "\xf0\x9f\x98\x80";

    for (size_t length = 1; length < 4; length++) {
        _cleanup_(mem_free_at) char *exact = mem_alloc(length);

        memcpy(exact, text, length);
        assert_ptr_equal(utf8_check(exact, length), exact);
    }
}

static void test_a_number_is_the_whole_string(void **state)
{
    static const struct {
        const char *text;
        int result;
        int64_t value;
    } cases[] = {
        {"0", 0, 0},
        {"-0", 0, 0},
        {"007", 0, 7},
        {"-12", 0, -12},
        {"9223372036854775807", 0, INT64_MAX},
        {"-9223372036854775808", 0, INT64_MIN},
        {"9223372036854775808", -ERANGE, 0},
        {"-9223372036854775809", -ERANGE, 0},
        {"99999999999999999999999x", -EINVAL, 0},
        {"", -EINVAL, 0},
        {NULL, -EINVAL, 0},
        {"-", -EINVAL, 0},
        {"+5", -EINVAL, 0},
        {" 5", -EINVAL, 0},
        {"- 5", -EINVAL, 0},
        {"-+5", -EINVAL, 0},
        {"--5", -EINVAL, 0},
        {"5 ", -EINVAL, 0},
        {"5x", -EINVAL, 0},
        {"0x10", -EINVAL, 0},
        {"1.0", -EINVAL, 0},
        {"1e3", -EINVAL, 0},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        int64_t value = 42;

        assert_int_equal(str_to_i64(cases[i].text, &value), cases[i].result);
        assert_true(value == (cases[i].result ? 42 : cases[i].value));
    }
}

static void test_a_buffer_grows_as_it_is_added_to(void **state)
{
    _cleanup_(strbuf_deinit) struct strbuf buffer = STRBUF_INIT;
    const char nul[] = {'a', '\0', 'b'};

    strbuf_add(&buffer, "");
    assert_string_equal(buffer.text, "");
    strbuf_add(&buffer, "one");
    strbuf_add_char(&buffer, ' ');
    strbuf_printf(&buffer, "%s-%d", "two", 2);
    assert_string_equal(buffer.text, "one two-2");
    strbuf_add_bytes(&buffer, NULL, 0);
    strbuf_add_bytes(&buffer, nul, sizeof(nul));
    assert_int_equal(buffer.length, 12);
    assert_memory_equal(buffer.text, "one two-2a\0b", 13);
    for (size_t i = 0; i < 10000; i++)
        strbuf_add(&buffer, "x");
    assert_int_equal(buffer.length, 10012);
    assert_int_equal(buffer.text[10012], '\0');
    assert_true(buffer.space < 2 * 16384);
    strbuf_printf(&buffer, "%050000d", 1);
    assert_int_equal(buffer.length, 60012);
}

static void test_truncating_never_lengthens(void **state)
{
    _cleanup_(strbuf_deinit) struct strbuf buffer = STRBUF_INIT;

    strbuf_truncate(&buffer, 0);
    strbuf_truncate(&buffer, 5);
    assert_null(buffer.text);
    strbuf_add(&buffer, "abc");
    strbuf_truncate(&buffer, 4);
    strbuf_truncate(&buffer, 3);
    assert_string_equal(buffer.text, "abc");
    strbuf_truncate(&buffer, 1);
    assert_string_equal(buffer.text, "a");
    strbuf_add(&buffer, "d");
    assert_string_equal(buffer.text, "ad");
}

static void test_taking_leaves_an_empty_buffer(void **state)
{
    struct strbuf buffer = STRBUF_INIT;
    _cleanup_(mem_free_at) char *empty = strbuf_take(&buffer), *text = NULL;

    assert_string_equal(empty, "");
    strbuf_add(&buffer, "abc");
    text = strbuf_take(&buffer);
    assert_string_equal(text, "abc");
    assert_null(buffer.text);
    assert_int_equal(buffer.length + buffer.space, 0);
}

static void test_hostile_bytes_are_quoted(void **state)
{
    static const struct {
        const char *bytes;
        size_t length, max;
        const char *quoted;
    } cases[] = {
        {"", 0, 10, ""},
        {"plain", 5, 10, "plain"},
        {"a\nb\tc\r", 6, 20, "a\\nb\\tc\\x0d"},
        {"\0", 1, 10, "\\x00"},
        {"\x1b[31m", 5, 20, "\\x1b[31m"},
        {"\x7f", 1, 10, "\\x7f"},
        {"\xc2\x9b", 2, 20, "\\xc2\\x9b"}, /* a control character of two bytes */
        {"\xc2\xa0", 2, 20, "\xc2\xa0"},
        {"\xc3\xa9", 1, 20, "\\xc3"},
        {"\xff\xfe", 2, 20, "\\xff\\xfe"},
        {"\xed\xa0\x80", 3, 20, "\\xed\\xa0\\x80"},
        {"\xf0\x9f\x98\x80", 4, 20, "\xf0\x9f\x98\x80"},
        {"abcdef", 6, 6, "abcdef"},
        {"abcdef", 6, 5, "abcde..."},
        {"abcdef", 6, 0, "..."},
        {"", 0, 0, ""},
        {"\n\n\n", 3, 4, "\\n\\n..."},
        {"ab\xe2\x82\xac"
         "c",
         6, 3, "ab\xe2\x82\xac..."}, /* no character is cut in two */
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        _cleanup_(strbuf_deinit) struct strbuf buffer = STRBUF_INIT;

        strbuf_add(&buffer, "before ");
        strbuf_add_quoted(&buffer, cases[i].bytes, cases[i].length, cases[i].max);
        assert_memory_equal(buffer.text, "before ", 7);
        assert_string_equal(buffer.text + 7, cases[i].quoted);
    }
}

static void test_any_bytes_are_printable_when_quoted(void **state)
{
    unsigned char bytes[64];

    srand(7);
    for (int round = 0; round < 20000; round++) {
        _cleanup_(strbuf_deinit) struct strbuf buffer = STRBUF_INIT;
        size_t length = (size_t)rand() % sizeof(bytes), max = (size_t)rand() % 80;

        for (size_t i = 0; i < length; i++)
            bytes[i] = (unsigned char)(rand() % 4 ? rand() : 0xc2);
        strbuf_add(&buffer, "");
        strbuf_add_quoted(&buffer, (char *)bytes, length, max);
        assert_null(utf8_check(buffer.text, buffer.length));
        assert_true(buffer.length <= max + 3 + 3); /* the last piece may stick out */
        for (size_t i = 0; i < buffer.length; i++) {
            assert_true((unsigned char)buffer.text[i] >= 0x20 && buffer.text[i] != 0x7f);
            assert_false((unsigned char)buffer.text[i] == 0xc2 &&
                         (unsigned char)buffer.text[i + 1] < 0xa0);
        }
    }
}

static void test_distance_counts_edits(void **state)
{
    static const struct {
        const char *a, *b;
        unsigned distance;
    } cases[] = {
        {"", "", 0},
        {"a", "a", 0},
        {"", "abc", 3},
        {"abc", "", 3},
        {"abc", "abd", 1},
        {"abc", "ab", 1},
        {"abc", "abcd", 1},
        {"abc", "acb", 1},
        {"abcd", "badc", 2},
        {"kitten", "sitting", 3},
        {"a", "xyz", 3},
        {"ca", "abc", 3},
        {"contianers", "containers", 1},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        assert_int_equal(str_distance(cases[i].a, cases[i].b, 10), cases[i].distance);
        assert_int_equal(str_distance(cases[i].b, cases[i].a, 10), cases[i].distance);
    }
    assert_int_equal(str_distance("abcdef", "uvwxyz", 2), 3);
    assert_int_equal(str_distance("abcdef", "uvwxyz", 0), 1);
}

static void test_long_words_are_far_from_everything(void **state)
{
    char word[66];

    memset(word, 'a', 65);
    word[65] = '\0';
    assert_int_equal(str_distance(word, word, 4), 5);
    assert_int_equal(str_distance("a", word, 4), 5);
    word[64] = '\0';
    assert_int_equal(str_distance(word, word, 4), 0);
    assert_int_equal(str_distance(word, "", 100), 64);
}

static const char *guess(const char *wanted)
{
    static const char *const words[] = {"image", "imagePullPolicy", "name",
                                        "env",   "envFrom",         "tty"};
    struct str_guess guess = {.wanted = wanted};

    for (size_t i = 0; i < array_size(words); i++)
        str_guess_try(&guess, words[i]);
    return guess.best;
}

static void test_the_nearest_word_is_guessed(void **state)
{
    assert_string_equal(guess("imgae"), "image");
    assert_string_equal(guess("IMAGE"), "image");
    assert_string_equal(guess("imagepullpolicy"), "imagePullPolicy");
    assert_string_equal(guess("imagePulPolicy"), "imagePullPolicy");
    assert_string_equal(guess("nam"), "name");
    assert_string_equal(guess("evn"), "env");
    assert_string_equal(guess("envfrom"), "envFrom");
    assert_null(guess("volumes"));
    assert_null(guess("ports"));
}

static void add_absurd_length(void)
{
    struct strbuf buffer = STRBUF_INIT;

    strbuf_add_bytes(&buffer, "x", SIZE_MAX / 2);
}

static void test_absurd_lengths_end_the_program(void **state)
{
    assert_aborts(add_absurd_length, "more < SIZE_MAX / 4");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_absent_equals_empty),
        cmocka_unit_test(test_prefix_and_suffix_may_be_the_whole),
        cmocka_unit_test(test_plain_is_ascii_that_is_seen),
        cmocka_unit_test(test_strings_are_sorted_by_their_bytes),
        cmocka_unit_test(test_utf8_is_checked_at_every_limit),
        cmocka_unit_test(test_utf8_is_cut_between_characters),
        cmocka_unit_test(test_utf8_is_repaired),
        cmocka_unit_test(test_utf8_stays_within_the_length),
        cmocka_unit_test(test_a_number_is_the_whole_string),
        cmocka_unit_test(test_a_buffer_grows_as_it_is_added_to),
        cmocka_unit_test(test_truncating_never_lengthens),
        cmocka_unit_test(test_taking_leaves_an_empty_buffer),
        cmocka_unit_test(test_hostile_bytes_are_quoted),
        cmocka_unit_test(test_any_bytes_are_printable_when_quoted),
        cmocka_unit_test(test_distance_counts_edits),
        cmocka_unit_test(test_long_words_are_far_from_everything),
        cmocka_unit_test(test_the_nearest_word_is_guessed),
        cmocka_unit_test(test_absurd_lengths_end_the_program),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
