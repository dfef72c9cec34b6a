/* base/json: parsing, places, limits, looking into documents. */
#include "document.h"

#include "nodeagent/base/mem.h"

#include <errno.h>
#include <stdlib.h>

/* One parse; the text is a copy of its exact size, so that reading past it shows. */
struct parsed {
    struct arena arena;
    char *text;
    size_t length;
    struct json_findings findings;
    struct err err;
    struct json *root;
    int result;
};

static struct parsed *parse_bytes(const char *text, size_t length, const struct json_limits *limits)
{
    struct parsed *parsed = mem_new(struct parsed);

    parsed->arena = ARENA_INIT_DOCUMENT;
    parsed->text = mem_alloc(length);
    parsed->length = length;
    memcpy(parsed->text, text, length);
    parsed->result = json_parse(&parsed->arena, parsed->text, length, limits, &parsed->findings,
                                &parsed->root, &parsed->err);
    return parsed;
}

static struct parsed *parse(const char *text)
{
    return parse_bytes(text, strlen(text), &json_limits_manifest);
}

static void parsed_free(struct parsed **parsed)
{
    arena_deinit(&(*parsed)->arena);
    free((*parsed)->text);
    free(*parsed);
}

static void test_any_value_is_a_document(void **state)
{
    static const char *const cases[][2] = {
        {"null", "null"},
        {" true\n", "true"},
        {"false", "false"},
        {"123", "123"}, /* ends with the text */
        {"1e5", "1e5"},
        {"-1.25E+10 ", "-1.25E+10"},
        {"-0", "-0"},
        {"\"\"", "\"\""},
        {"[]", "[]"},
        {"{ }", "{}"},
        {"\t[ 1 , {\"a\" : [ null ] } ]\r\n", "[1,{\"a\":[null]}]"},
        {"[123456789012345678901234567890.10]", "[123456789012345678901234567890.10]"},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        _cleanup_(parsed_free) struct parsed *parsed = parse(cases[i][0]);

        assert_int_equal(parsed->result, 0);
        assert_document(parsed->root, cases[i][1]);
        assert_int_equal(parsed->findings.duplicate_count, 0);
    }
}

static void test_escapes_are_decoded(void **state)
{
    static const struct {
        const char *text, *bytes;
        size_t length;
    } cases[] = {
        {"\"\\\"\\\\\\/\"", "\"\\/", 3},
        {"\"\\b\\f\\n\\r\\t\"", "\b\f\n\r\t", 5},
        {"\"\\u0041\\u00e9\\u20AC\"", "A\xc3\xa9\xe2\x82\xac", 6},
        {"\"\\u0000\"", "\0", 1},
        {"\"a\\u0000b\"", "a\0b", 3},
        {"\"\\ud83d\\ude00\"", "\xf0\x9f\x98\x80", 4},
        {"\"\\uDBFF\\uDFFFx\"", "\xf4\x8f\xbf\xbfx", 5},
        {"\"\\\\ud800\"", "\\ud800", 6},
        {"\"\x7f\xc2\x80\"", "\x7f\xc2\x80", 3},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        _cleanup_(parsed_free) struct parsed *parsed = parse(cases[i].text);

        assert_int_equal(parsed->result, 0);
        assert_int_equal(parsed->root->type, JSON_STRING);
        assert_int_equal(parsed->root->length, cases[i].length);
        assert_memory_equal(parsed->root->text, cases[i].bytes, cases[i].length);
    }
}

static void test_what_is_wrong_is_said_with_its_place(void **state)
{
    static const struct {
        const char *text;
        int result;
        unsigned line, column;
        const char *words;
    } cases[] = {
        {"", -EINVAL, 1, 1, "the JSON text ends too early"},
        {" \n", -EINVAL, 2, 1, "ends too early"},
        {"[1", -EINVAL, 1, 3, "ends too early"},
        {"[1,", -EINVAL, 1, 4, "ends too early"},
        {"{\"a\":\n1", -EINVAL, 2, 2, "ends too early"},
        {"{\"a\"", -EINVAL, 1, 5, "ends too early"},
        {"\"abc", -EINVAL, 1, 5, "ends too early"},
        {"\"abc\\", -EINVAL, 1, 6, "ends too early"},
        {"tru", -EINVAL, 1, 4, "ends too early"},
        {"-", -EINVAL, 1, 2, "ends too early"},
        {"{\"a\" 1", -EINVAL, 1, 6, "must be separated by a colon"},
        {"[1] 2", -EINVAL, 1, 5, "trailing garbage"},
        {"1.", -EINVAL, 1, 3, "ends too early"},
        {"[1,]", -EINVAL, 1, 4, "not JSON: parse error: unallowed token"},
        {"[1 2]", -EINVAL, 1, 4, "not JSON: parse error"},
        {"[1]\n x", -EINVAL, 2, 2, "trailing garbage"},
        {"{} {}", -EINVAL, 1, 4, "trailing garbage"},
        {"[\n\"\xc3\xa9\", x]", -EINVAL, 2, 6, "invalid char in json text"},
        {"{\"a\" 1}", -EINVAL, 1, 6, "must be separated by a colon"},
        {"{1: 2}", -EINVAL, 1, 2, "invalid object key"},
        {"'a'", -EINVAL, 1, 1, "invalid char"},
        {"/* c */ 1", -EINVAL, 1, 1, "comments are not enabled"},
        {"\xef\xbb\xbf{}", -EINVAL, 1, 1, "not JSON"},
        {"01", -EINVAL, 1, 2, "not JSON"},
        {"NaN", -EINVAL, 1, 1, "not JSON"},
        {"[\"\\ud800\"]", -EILSEQ, 1, 9, "half of a character"},
        {"[\"\\udc00\"]", -EILSEQ, 1, 9, "half of a character"},
        {"[\"\\ud800\\u0041\"]", -EILSEQ, 1, 15, "half of a character"},
        {"[\"\\ud800\\ud800\"]", -EILSEQ, 1, 15, "half of a character"},
        {"[\"\\ud800\\n\"]", -EILSEQ, 1, 11, "half of a character"},
        {"[\"\\ud800x\"]", -EILSEQ, 1, 10, "half of a character"},
        {"{\"\\udc00\": 1}", -EILSEQ, 1, 9, "half of a character"},
        {"[\"\xc3\xa9\",\n\"\xc3\"]", -EILSEQ, 2, 2, "byte 0xc3 is not valid UTF-8"},
        {"\xff", -EILSEQ, 1, 1, "byte 0xff"},
        {"[\"\xed\xa0\x80\"]", -EILSEQ, 1, 3, "byte 0xed"},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        _cleanup_(parsed_free) struct parsed *parsed = parse(cases[i].text);

        assert_int_equal(parsed->result, cases[i].result);
        assert_int_equal(parsed->err.code, cases[i].result);
        if (!strstr(parsed->err.text, cases[i].words))
            fail_msg("%s: %s", cases[i].text, parsed->err.text);
        assert_place(cases[i].text, parsed->length, parsed->findings.error_offset, cases[i].line,
                     cases[i].column);
    }
}

static void test_strings_hold_no_bare_control_characters(void **state)
{
    char text[] = "[\"a?b\"]";

    for (char c = 0; c < 0x20; c++) {
        text[3] = c;
        _cleanup_(parsed_free) struct parsed *parsed =
            parse_bytes(text, sizeof(text) - 1, &json_limits_manifest);

        assert_int_equal(parsed->result, -EINVAL);
        assert_in_range(parsed->findings.error_offset, 2, 3);
    }
}

static void test_offsets_are_places_in_the_text(void **state)
{
    const char *text =
        "{\"a\\n\": [null, true, false, -1.5, \"x\", \"\\\"\\\\\", {}, []] , \"\": 7}";
    static const char *const starts[] = {"null", "true", "false", "-1.5",
                                         "\"x",  "\"\\", "{}",    "[]"};
    _cleanup_(parsed_free) struct parsed *parsed = parse(text);

    assert_int_equal(parsed->result, 0);
    const struct json_member *members = parsed->root->members;
    const struct json *items = members[0].value.items;

    assert_int_equal(parsed->root->offset, 0);
    assert_int_equal(members[0].offset, 1);
    assert_ptr_equal(strstr(text, "[null"), text + members[0].value.offset);
    for (size_t i = 0; i < array_size(starts); i++)
        assert_memory_equal(text + items[i].offset, starts[i], strlen(starts[i]));
    assert_ptr_equal(strstr(text, "\"\":"), text + members[1].offset);
    assert_ptr_equal(strstr(text, "7}"), text + members[1].value.offset);
}

static void test_strings_are_borrowed_where_they_can_be(void **state)
{
    _cleanup_(parsed_free) struct parsed *parsed = parse("[\"plain\", \"esc\\u0061ped\", 15]");
    const struct json *items = parsed->root->items;

    assert_ptr_equal(items[0].text, parsed->text + 2);
    assert_false(items[1].text >= parsed->text && items[1].text < parsed->text + parsed->length);
    assert_ptr_equal(items[2].text, strstr(parsed->text, "15"));
}

static void test_duplicates_are_reported_with_both_places(void **state)
{
    const char *text =
        "{\"a\": 1, \"spec\": {\"list\": [0, {\"image\": 1, \"x\": 2, \"image\": 3}]},"
        " \"\\u0061\": 2, \"\": 1, \"\": 2, \"\\n\": [{\"b\": 1, \"b\": 2}]}";
    static const char *const paths[] = {"spec.list[1].image", "\\n[0].b", "a", ""};
    _cleanup_(parsed_free) struct parsed *parsed = parse(text);

    assert_int_equal(parsed->result, 0);
    assert_int_equal(parsed->findings.duplicate_count, array_size(paths));
    for (size_t i = 0; i < array_size(paths); i++)
        assert_string_equal(parsed->findings.duplicates[i].path, paths[i]);
    assert_ptr_equal(text + parsed->findings.duplicates[0].earlier, strstr(text, "\"image\""));
    assert_ptr_equal(text + parsed->findings.duplicates[0].offset, strstr(text, "\"image\": 3"));
    assert_ptr_equal(text + parsed->findings.duplicates[2].offset, strstr(text, "\"\\u0061"));
    /* All stay; the last one is found. */
    assert_int_equal(parsed->root->length, 6);
    assert_true(parsed->root->repeats);
    assert_true(json_text_is(json_get(parsed->root, "a"), "2"));
    assert_true(json_text_is(json_get(parsed->root, ""), "2"));
}

static void test_long_names_are_cut_in_paths(void **state)
{
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;

    strbuf_printf(&text, "{\"%0300d\": 1, \"%0300d\": 2}", 1, 1);
    _cleanup_(parsed_free) struct parsed *parsed = parse(text.text);

    assert_int_equal(parsed->findings.duplicate_count, 1);
    assert_int_equal(strlen(parsed->findings.duplicates[0].path), 256 + 3);
}

static void test_limits_are_exact(void **state)
{
    const struct json_limits limits = {.bytes_max = 12, .nodes_max = 4};
    static const struct {
        const char *text;
        int result;
        const char *words;
    } cases[] = {
        {"[1,2,3]", 0, ""},
        {"{\"a\":[1,22]}", 0, ""},
        {"[1,2,3,4]", -E2BIG, "more than 4 values"},
        {"[[],[],[],1]", -E2BIG, "more than 4 values"},
        {"[[],[],[]  ]", 0, ""},
        {"[[],[],[]   ]", -EFBIG, "13 bytes, more than the 12 allowed"},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        _cleanup_(parsed_free) struct parsed *parsed =
            parse_bytes(cases[i].text, strlen(cases[i].text), &limits);

        assert_int_equal(parsed->result, cases[i].result);
        assert_non_null(strstr(parsed->err.text, cases[i].words));
        assert_true(parsed->findings.error_offset <= parsed->length);
    }
}

/* A number that ends the text is seen late; its limit counts all the same. */
static void test_the_last_number_counts(void **state)
{
    const struct json_limits limits = {.bytes_max = 100, .nodes_max = 1};
    _cleanup_(parsed_free) struct parsed *fits = parse_bytes("12", 2, &limits),
                                         *more = parse_bytes("[12", 3, &limits);

    assert_int_equal(fits->result, 0);
    assert_int_equal(more->result, -E2BIG);
}

static void test_depth_is_limited(void **state)
{
    char text[2 * JSON_DEPTH_MAX + 2];

    memset(text, ']', sizeof(text));
    memset(text, '[', JSON_DEPTH_MAX);
    _cleanup_(parsed_free) struct parsed *fits =
        parse_bytes(text, 2 * JSON_DEPTH_MAX, &json_limits_manifest);

    assert_int_equal(fits->result, 0);
    memset(text, '[', JSON_DEPTH_MAX + 1);
    _cleanup_(parsed_free) struct parsed *deep =
        parse_bytes(text, 2 * JSON_DEPTH_MAX + 1, &json_limits_manifest);

    assert_int_equal(deep->result, -E2BIG);
    assert_string_equal(deep->err.text, "nested deeper than 100 levels");
    assert_int_equal(deep->findings.error_offset, JSON_DEPTH_MAX);
}

static void test_a_huge_text_fails_fast(void **state)
{
    _cleanup_(mem_free_at) char *text = mem_alloc(JSON_BYTES_MAX);

    memset(text, '[', JSON_BYTES_MAX);
    _cleanup_(parsed_free) struct parsed *deep =
        parse_bytes(text, JSON_BYTES_MAX, &json_limits_manifest);

    assert_int_equal(deep->result, -E2BIG);
    for (size_t i = 1; i < JSON_BYTES_MAX; i++)
        text[i] = i % 2 ? '1' : ',';
    _cleanup_(parsed_free) struct parsed *wide =
        parse_bytes(text, JSON_BYTES_MAX, &json_limits_manifest);

    assert_int_equal(wide->result, -E2BIG);
    assert_true(arena_size(&wide->arena) < 1 << 20);
}

static void test_a_skipped_member_becomes_null(void **state)
{
    const struct json_limits limits = {.bytes_max = 1000, .nodes_max = 12, .skip = "skip"};
    static const char *const cases[][2] = {
        {"{\"skip\": 1, \"a\": 2}", "{\"skip\":null,\"a\":2}"},
        {"{\"skip\": \"x\", \"a\": {\"skip\": true}}", "{\"skip\":null,\"a\":{\"skip\":true}}"},
        {"{\"skip\": null, \"skipped\": 1}", "{\"skip\":null,\"skipped\":1}"},
        {"{\"skip\": {\"a\": [1, {\"b\": null}], \"skip\": \"\\ud800\"}, \"c\": [false]}",
         "{\"skip\":null,\"c\":[false]}"},
        {"{\"skip\": [1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16], \"c\": 1}",
         "{\"skip\":null,\"c\":1}"},
        {"{\"sk\\u0069p\": []}", "{\"skip\":null}"},
        {"[{\"skip\": 1}, \"skip\", 1]", "[{\"skip\":1},\"skip\",1]"},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        _cleanup_(mem_free_at) char *text = mem_printf("{\"metadata\": %s}", cases[i][0]);
        _cleanup_(mem_free_at) char *expected = mem_printf("{\"metadata\":%s}", cases[i][1]);
        _cleanup_(parsed_free) struct parsed *parsed = parse_bytes(text, strlen(text), &limits);

        assert_int_equal(parsed->result, 0);
        assert_document(parsed->root, expected);
    }
    _cleanup_(parsed_free) struct parsed *cut =
        parse_bytes("{\"metadata\": {\"skip\": [12", 25, &limits);
    _cleanup_(parsed_free) struct parsed *elsewhere =
        parse_bytes("{\"data\": {\"skip\": 1}}", 21, &limits);

    assert_int_equal(cut->result, -EINVAL);
    assert_document(elsewhere->root, "{\"data\":{\"skip\":1}}");
}

static void test_many_places_of_one_text(void **state)
{
    static char text[20000];
    struct json_places places;

    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = i % 37 == 0 ? '\n' : i % 5 == 0 ? (char)0xd0 : i % 5 == 1 ? (char)0xbf : 'x';
    json_places_init(&places, text, sizeof(text));
    for (size_t offset = 0; offset < sizeof(text) + 10; offset += 7) {
        struct json_place expected = json_place(text, sizeof(text), offset);
        struct json_place found = json_places_find(&places, offset);

        assert_int_equal(found.line, expected.line);
        assert_int_equal(found.column, expected.column);
    }
    json_places_deinit(&places);
    json_places_init(&places, "", 0);
    assert_int_equal(json_places_find(&places, 5).column, 1);
    json_places_deinit(&places);
}

static void test_findings_start_afresh(void **state)
{
    struct arena arena = ARENA_INIT_DOCUMENT;
    struct json_findings findings = {.duplicate_count = 9, .error_offset = 9};
    struct err err;
    struct json *root;

    assert_int_equal(json_parse(&arena, "{}", 2, &json_limits_manifest, &findings, &root, &err), 0);
    assert_int_equal(findings.duplicate_count + findings.error_offset, 0);
    assert_int_equal(
        json_parse(&arena, "[\"\\ud800\"]", 10, &json_limits_manifest, &findings, &root, NULL),
        -EILSEQ);
    arena_deinit(&arena);
}

static void test_places_count_characters(void **state)
{
    const char *text = "a\xc3\xa9\xf0\x9f\x98\x80"
                       "b\n\nc\r\n\td";
    static const struct {
        size_t offset;
        unsigned line, column;
    } cases[] = {
        {0, 1, 1},  {1, 1, 2},  {3, 1, 3},  {7, 1, 4},  {8, 1, 5},   {9, 2, 1},
        {10, 3, 1}, {13, 4, 1}, {14, 4, 2}, {15, 4, 3}, {999, 4, 3},
    };

    for (size_t i = 0; i < array_size(cases); i++)
        assert_place(text, strlen(text), cases[i].offset, cases[i].line, cases[i].column);
    assert_place("", 0, 0, 1, 1);
}

static void test_members_are_found_by_their_whole_name(void **state)
{
    _cleanup_(parsed_free) struct parsed *parsed =
        parse("{\"ab\": 1, \"a\": \"x\", \"n\\u0000\": 2, \"l\": []}");

    assert_true(json_text_is(json_get(parsed->root, "ab"), "1"));
    assert_true(json_text_is(json_get(parsed->root, "a"), "x"));
    assert_null(json_get(parsed->root, "abc"));
    assert_null(json_get(parsed->root, ""));
    assert_null(json_get(parsed->root, "n"));
    assert_null(json_get(json_get(parsed->root, "l"), "a"));
    assert_non_null(json_get_string(parsed->root, "a"));
    assert_null(json_get_string(parsed->root, "ab"));
    assert_null(json_get_string(parsed->root, "none"));
}

static void test_what_is_of_another_type_is_not_there(void **state)
{
    _cleanup_(parsed_free) struct parsed *parsed =
        parse("{\"yes\": true, \"no\": false, \"text\": \"true\", \"empty\": \"\", \"l\": []}");
    struct arena arena = ARENA_INIT(64, 64);

    assert_true(json_get_bool(parsed->root, "yes"));
    assert_false(json_get_bool(parsed->root, "no") || json_get_bool(parsed->root, "none"));
    assert_false(json_get_bool(parsed->root, "text"));
    assert_string_equal(json_get_text(parsed->root, "text", "else", &arena), "true");
    assert_string_equal(json_get_text(parsed->root, "empty", "else", &arena), "");
    assert_string_equal(json_get_text(parsed->root, "yes", "else", &arena), "else");
    assert_string_equal(json_get_text(json_get(parsed->root, "l"), "a", "else", &arena), "else");
    assert_null(json_get_text(NULL, "text", NULL, &arena));
    arena_deinit(&arena);
}

static void test_text_is_that_of_strings_and_numbers(void **state)
{
    _cleanup_(parsed_free) struct parsed *parsed = parse("[\"null\", 15, null, true, \"\", []]");
    const struct json *items = parsed->root->items;

    assert_true(json_text_is(&items[0], "null") && json_text_is(&items[1], "15"));
    assert_false(json_text_is(&items[0], "nul") || json_text_is(&items[0], "nullx"));
    assert_false(json_text_is(&items[2], "null") || json_text_is(&items[3], "true"));
    assert_true(json_text_is(&items[4], ""));
    assert_false(json_text_is(&items[5], ""));
}

static void test_types_have_names(void **state)
{
    static const char *const names[] = {"null",     "a boolean", "a number",
                                        "a string", "a list",    "an object"};
    _cleanup_(parsed_free) struct parsed *parsed = parse("[null, true, 1, \"\", [], {}]");

    for (size_t i = 0; i < array_size(names); i++)
        assert_string_equal(json_type_name(&parsed->root->items[i]), names[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_value_is_a_document),
        cmocka_unit_test(test_escapes_are_decoded),
        cmocka_unit_test(test_what_is_wrong_is_said_with_its_place),
        cmocka_unit_test(test_strings_hold_no_bare_control_characters),
        cmocka_unit_test(test_offsets_are_places_in_the_text),
        cmocka_unit_test(test_strings_are_borrowed_where_they_can_be),
        cmocka_unit_test(test_duplicates_are_reported_with_both_places),
        cmocka_unit_test(test_long_names_are_cut_in_paths),
        cmocka_unit_test(test_limits_are_exact),
        cmocka_unit_test(test_the_last_number_counts),
        cmocka_unit_test(test_depth_is_limited),
        cmocka_unit_test(test_a_huge_text_fails_fast),
        cmocka_unit_test(test_a_skipped_member_becomes_null),
        cmocka_unit_test(test_many_places_of_one_text),
        cmocka_unit_test(test_findings_start_afresh),
        cmocka_unit_test(test_places_count_characters),
        cmocka_unit_test(test_members_are_found_by_their_whole_name),
        cmocka_unit_test(test_what_is_of_another_type_is_not_there),
        cmocka_unit_test(test_text_is_that_of_strings_and_numbers),
        cmocka_unit_test(test_types_have_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
