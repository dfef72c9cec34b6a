/* JSON: what parses is written so that it parses to the same, and every offset is a place. */
#include "fuzz.h"

static const struct json_limits limits = {.bytes_max = 1 << 20, .nodes_max = 10000};

static void check_offsets(const struct json *value, const char *text, size_t length)
{
    static const char *const starts[] = {
        [JSON_NULL] = "n",    [JSON_BOOL] = "tf", [JSON_NUMBER] = "-0123456789",
        [JSON_STRING] = "\"", [JSON_ARRAY] = "[", [JSON_OBJECT] = "{",
    };

    assert_that(value->offset < length);
    assert_that(strchr(starts[value->type], text[value->offset]));
    for (uint32_t i = 0; i < value->length && value->type == JSON_ARRAY; i++)
        check_offsets(&value->items[i], text, length);
    for (uint32_t i = 0; i < value->length && value->type == JSON_OBJECT; i++) {
        assert_that(value->members[i].offset < value->members[i].value.offset);
        assert_that(text[value->members[i].offset] == '"');
        check_offsets(&value->members[i].value, text, length);
    }
}

static void check_again(const struct json *root, size_t duplicates)
{
    struct arena arena = ARENA_INIT_DOCUMENT;
    struct strbuf text = STRBUF_INIT;
    struct json_findings findings;
    struct err err = {0};
    struct json *again;

    write_document(&text, root);
    assert_that(json_parse(&arena, text.text, text.length, &json_limits_manifest, &findings, &again,
                           &err) == 0);
    assert_that(documents_equal(root, again));
    assert_that(findings.duplicate_count == duplicates);
    strbuf_deinit(&text);
    arena_deinit(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = ARENA_INIT_DOCUMENT;
    const char *text = (const char *)data;
    struct json_findings findings;
    struct err err = {0};
    struct json *root;
    int result = json_parse(&arena, text, size, &limits, &findings, &root, &err);

    if (result == 0) {
        check_offsets(root, text, size);
        check_again(root, findings.duplicate_count);
    } else {
        check_sentence(&err, result);
        assert_that(findings.error_offset <= size);
    }
    check_duplicates(&findings, size);
    check_size(&arena, size, MIN(size, limits.nodes_max), &findings);
    arena_deinit(&arena);
    return 0;
}
