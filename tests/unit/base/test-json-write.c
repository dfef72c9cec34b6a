/* base/json-write: what is written is JSON. */
#include "abort.h"
#include "document.h"

static void test_every_kind_is_written(void **state)
{
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;
    struct json_writer writer;

    json_writer_init(&writer, &text, false);
    json_write_object(&writer);
    json_write_name(&writer, "null");
    json_write_null(&writer);
    json_write_name(&writer, "bools");
    json_write_array(&writer);
    json_write_bool(&writer, true);
    json_write_bool(&writer, false);
    json_write_array_end(&writer);
    json_write_name(&writer, "numbers");
    json_write_array(&writer);
    json_write_int(&writer, 0);
    json_write_int(&writer, INT64_MAX);
    json_write_int(&writer, INT64_MIN);
    json_write_number(&writer, "1.50e3xxx", 6);
    json_write_array_end(&writer);
    json_write_name(&writer, "string");
    json_write_string(&writer, "a");
    json_write_name(&writer, "empty");
    json_write_string(&writer, "");
    json_write_object_end(&writer);
    json_writer_deinit(&writer);
    assert_string_equal(text.text,
                        "{\"null\":null,\"bools\":[true,false],\"numbers\":[0,9223372036854775807,"
                        "-9223372036854775808,1.50e3],\"string\":\"a\",\"empty\":\"\"}");
}

static void test_members(void **state)
{
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;
    struct json_writer writer;

    json_writer_init(&writer, &text, false);
    json_write_object(&writer);
    json_write_string_member(&writer, "string", "a");
    json_write_string_member(&writer, "absent", NULL);
    json_write_int_member(&writer, "int", -1);
    json_write_bool_member(&writer, "bool", true);
    json_write_object_end(&writer);
    json_writer_deinit(&writer);
    assert_string_equal(text.text, "{\"string\":\"a\",\"absent\":\"\",\"int\":-1,\"bool\":true}");
}

static void test_it_appends(void **state)
{
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;
    struct json_writer writer;

    strbuf_add(&text, "before ");
    json_writer_init(&writer, &text, false);
    json_write_bool(&writer, true);
    json_writer_deinit(&writer);
    assert_string_equal(text.text, "before true");
    assert_null(writer.generator);
}

static void test_pretty_indents_by_two(void **state)
{
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;
    struct json_writer writer;

    json_writer_init(&writer, &text, true);
    json_write_object(&writer);
    json_write_name(&writer, "a");
    json_write_array(&writer);
    json_write_int(&writer, 1);
    json_write_int(&writer, 2);
    json_write_array_end(&writer);
    json_write_object_end(&writer);
    json_writer_deinit(&writer);
    assert_string_equal(text.text, "{\n  \"a\": [\n    1,\n    2\n  ]\n}\n");
}

static void test_strings_are_escaped(void **state)
{
    static const struct {
        const char *bytes;
        size_t length;
        const char *text;
    } cases[] = {
        {"", 0, "\"\""},
        {"\"\\/", 3, "\"\\\"\\\\/\""},
        {"\b\f\n\r\t", 5, "\"\\b\\f\\n\\r\\t\""},
        {"a\0b", 3, "\"a\\u0000b\""},
        {"\x01\x1f\x7f", 3, "\"\\u0001\\u001F\x7f\""},
        {"\xc3\xa9\xf0\x9f\x98\x80", 6, "\"\xc3\xa9\xf0\x9f\x98\x80\""},
        {"abcdef", 3, "\"abc\""},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;
        struct json_writer writer;

        json_writer_init(&writer, &text, false);
        json_write_bytes(&writer, cases[i].bytes, cases[i].length);
        json_writer_deinit(&writer);
        assert_string_equal(text.text, cases[i].text);
    }
}

static void test_documents_are_written_as_they_were_read(void **state)
{
    static const char *const cases[] = {
        "null",
        "[true,false,null]",
        "{\"a\":{\"b\":[{}]},\"\":[]}",
        "{\"a\":1,\"a\":2}",
        "[1.0,1e3,-0,0.10,123456789012345678901234567890]",
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        struct arena arena = ARENA_INIT_DOCUMENT;
        struct json_findings findings;
        struct err err;
        struct json *root;

        assert_int_equal(json_parse(&arena, cases[i], strlen(cases[i]), &json_limits_manifest,
                                    &findings, &root, &err),
                         0);
        assert_document(root, cases[i]);
        arena_deinit(&arena);
    }
}

/* As deep as a parser lets it be. */
static void test_the_deepest_document_can_be_written(void **state)
{
    struct json levels[JSON_DEPTH_MAX];
    _cleanup_(strbuf_deinit) struct strbuf expected = STRBUF_INIT;

    for (size_t i = 0; i < JSON_DEPTH_MAX; i++) {
        levels[i] = (struct json){
            .type = JSON_ARRAY, .length = i < JSON_DEPTH_MAX - 1, .items = &levels[i + 1]};
        strbuf_add_char(&expected, '[');
    }
    for (size_t i = 0; i < JSON_DEPTH_MAX; i++)
        strbuf_add_char(&expected, ']');
    assert_document(&levels[0], expected.text);
}

static void write_value_as_name(void)
{
    struct strbuf text = STRBUF_INIT;
    struct json_writer writer;

    json_writer_init(&writer, &text, false);
    json_write_object(&writer);
    json_write_int(&writer, 1);
}

static void write_two_documents(void)
{
    struct strbuf text = STRBUF_INIT;
    struct json_writer writer;

    json_writer_init(&writer, &text, false);
    json_write_null(&writer);
    json_write_null(&writer);
}

static void test_what_is_not_json_ends_the_program(void **state)
{
    assert_aborts(write_value_as_name, "status == yajl_gen_status_ok");
    assert_aborts(write_two_documents, "status == yajl_gen_status_ok");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_kind_is_written),
        cmocka_unit_test(test_members),
        cmocka_unit_test(test_it_appends),
        cmocka_unit_test(test_pretty_indents_by_two),
        cmocka_unit_test(test_strings_are_escaped),
        cmocka_unit_test(test_documents_are_written_as_they_were_read),
        cmocka_unit_test(test_the_deepest_document_can_be_written),
        cmocka_unit_test(test_what_is_not_json_ends_the_program),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
