/* base/yaml: streams of documents, of which some are broken, and their size. */
#include "yaml-reader.h"

static void test_anchors_end_with_their_document(void **state)
{
    const char *text = "- &a x\n---\n- *a\n";
    _cleanup_(reader_free) struct reader *reader = reader_new(text, strlen(text));

    assert_next(reader, "[\"x\"]");
    assert_fails(reader, -EINVAL, 3, 3, "alias *a names no value");
}

static void test_a_document_ends_where_the_next_begins(void **state)
{
    const char *text = "# first\n"
                       "a: 1\n"
                       "---\n"
                       "---\n"
                       "# nothing\n"
                       "--- # here\n"
                       "b: |\n"
                       "  ---\n"
                       "  x\n"
                       "--- c\n"
                       "---\td\n"
                       "--- ~\n"
                       "---\r\n"
                       "---x: ---\n"
                       "...\n"
                       "# the end\n"
                       "---";
    _cleanup_(reader_free) struct reader *reader = reader_new(text, strlen(text));

    assert_next(reader, "{\"a\":1}");
    assert_next(reader, "{\"b\":\"---\\nx\\n\"}");
    assert_next(reader, "\"c\"");
    assert_next(reader, "\"d\"");
    assert_next(reader, "{\"---x\":\"---\"}");
    assert_int_equal(next(reader), 0);
    assert_int_equal(next(reader), 0);
}

static void test_offsets_are_those_of_the_stream(void **state)
{
    const char *text = "\xc3\xa9: 1\n---\nb: [\xe2\x82\xac, {c: d}]\n";
    _cleanup_(reader_free) struct reader *reader = reader_new(text, strlen(text));

    assert_int_equal(next(reader), 1);
    assert_int_equal(next(reader), 1);
    const struct json_member *b = &reader->root->members[0];
    const struct json_member *c = &b->value.items[1].members[0];

    assert_place(text, strlen(text), reader->root->offset, 3, 1);
    assert_place(text, strlen(text), b->offset, 3, 1);
    assert_place(text, strlen(text), b->value.offset, 3, 4);
    assert_place(text, strlen(text), b->value.items[0].offset, 3, 5);
    assert_place(text, strlen(text), c->offset, 3, 9);
    assert_place(text, strlen(text), c->value.offset, 3, 12);
}

static void test_a_broken_document_does_not_hide_the_others(void **state)
{
    static const struct {
        const char *broken;
        int result;
    } cases[] = {
        {"b: [", -EINVAL},         {"b: c: d", -EINVAL}, {"\t@", -EINVAL},
        {"b: !x y", -EINVAL},      {"b: *c", -EINVAL},   {"b: \xff", -EILSEQ},
        {"b: \x01", -EINVAL},      {"b: \"", -EINVAL},   {"b: 1\n...\nc: 2", -EINVAL},
        {"b\n...\nc: [", -EINVAL}, {"{", -EINVAL},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;

        strbuf_printf(&text, "a: 1\n---\n%s\n---\nc: 3\n", cases[i].broken);
        _cleanup_(reader_free) struct reader *reader = reader_new(text.text, text.length);

        assert_next(reader, "{\"a\":1}");
        assert_int_equal(next(reader), cases[i].result);
        assert_in_range(reader->findings.error_offset, 5, text.length - 9);
        assert_next(reader, "{\"c\":3}");
        assert_int_equal(next(reader), 0);
    }
}

static void test_a_bad_byte_has_its_place(void **state)
{
    const char *text = "a: \xc3\xa9\n---\nb: 1\nc: \xc3\xa9\xc3";
    _cleanup_(reader_free) struct reader *reader = reader_new(text, strlen(text));

    assert_next(reader, "{\"a\":\"\xc3\xa9\"}");
    assert_fails(reader, -EILSEQ, 4, 5, "byte 0xc3 is not valid UTF-8");
    assert_int_equal(next(reader), 0);
}

static void test_directives_belong_to_their_document(void **state)
{
    const char *text =
        "# c\n\n%YAML 1.1\n%TAG !y! tag:yaml.org,2002:\n---\na: !y!str 5\n---\nb: 2\n";
    _cleanup_(reader_free) struct reader *reader = reader_new(text, strlen(text));

    assert_next(reader, "{\"a\":\"5\"}");
    assert_next(reader, "{\"b\":2}");
    assert_int_equal(next(reader), 0);
}

static void test_after_the_dots_nothing_may_be_lost(void **state)
{
    static const struct wrong wrong[] = {
        {"a: 1\n...\nb: 2", 3, 1, "did not find expected <document start>"},
        {"a: 1\r---\rb: 2", 1, 10,
         "text after the end of the document; begin the next one with ---"},
    };
    static const struct same cases[] = {
        {"a: 1\n...\n", "{\"a\":1}"},
        {"a: 1\n...\n# c\n", "{\"a\":1}"},
        {"a: 1\n...\n...\n", "{\"a\":1}"},
    };

    assert_all_fail(wrong, array_size(wrong));
    assert_all(cases, array_size(cases));
}

static void test_nothing_is_no_document(void **state)
{
    static const char *const cases[] = {
        "",        "\n",       " ", "# c",          "---",        "---\n", "--- \n---\n",
        "--- ~\n", "--- null", "~", "\xef\xbb\xbf", "---\n...\n",
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        _cleanup_(reader_free) struct reader *reader = reader_new(cases[i], strlen(cases[i]));

        assert_int_equal(next(reader), 0);
    }
}

static void test_size_is_limited(void **state)
{
    _cleanup_(reader_free) struct reader *reader = reader_new("a: 1\n---\nb: 2", 13);

    reader->limits.bytes_max = 13;
    assert_next(reader, "{\"a\":1}");
    reader->limits.bytes_max = 12;
    assert_int_equal(next(reader), -EFBIG);
    assert_string_equal(reader->err.text, "13 bytes, more than the 12 allowed");
    assert_int_equal(next(reader), 0);
}

/* Each of these was, or could be, more than linear in its size. */
static void test_hostile_streams_take_linear_time(void **state)
{
    static const struct {
        const char *start, *piece;
        int count;
        const char *end;
    } cases[] = {
        {"", "---\na\n", 20000, ""},    {"", "---\n", 20000, ""},
        {"", "[", 1000000, ""},         {"", "- ", 1000000, ""},
        {"", "{a: ", 300000, ""},       {"- &a x\n- [", "*a ,", 50000, "]\n"},
        {"a: \"", "\\n", 500000, "\""}, {"", "#\n", 500000, ""},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;

        strbuf_add(&text, cases[i].start);
        add_many(&text, cases[i].piece, cases[i].count);
        strbuf_add(&text, cases[i].end);
        _cleanup_(reader_free) struct reader *reader = reader_new(text.text, text.length);
        int documents = 0;

        while (next(reader))
            assert_true(documents++ <= cases[i].count);
        assert_true(arena_size(&reader->arena) < 64 << 20);
    }
}

static void test_json_begins_with_a_brace(void **state)
{
    assert_true(yaml_is_json("{", 1) && yaml_is_json(" \t\r\n{\"a\": 1}", 13));
    assert_false(yaml_is_json("", 0) || yaml_is_json("  ", 2) || yaml_is_json("a: {", 4));
    assert_false(yaml_is_json("[{", 2) || yaml_is_json(" {", 1) || yaml_is_json("# {\n{", 5));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_anchors_end_with_their_document),
        cmocka_unit_test(test_a_document_ends_where_the_next_begins),
        cmocka_unit_test(test_offsets_are_those_of_the_stream),
        cmocka_unit_test(test_a_broken_document_does_not_hide_the_others),
        cmocka_unit_test(test_a_bad_byte_has_its_place),
        cmocka_unit_test(test_directives_belong_to_their_document),
        cmocka_unit_test(test_after_the_dots_nothing_may_be_lost),
        cmocka_unit_test(test_nothing_is_no_document),
        cmocka_unit_test(test_size_is_limited),
        cmocka_unit_test(test_hostile_streams_take_linear_time),
        cmocka_unit_test(test_json_begins_with_a_brace),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
