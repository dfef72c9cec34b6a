/*
 * YAML: each document of a stream either fails with a sentence and a place, or is written as JSON
 * that parses to the same document; names are unique then, and aliases stay within the limits.
 */
#include "fuzz.h"

#include "nodeagent/base/yaml.h"

static const struct json_limits limits = {.bytes_max = 1 << 20, .nodes_max = 10000};

static void check_offsets(const struct json *value, size_t length)
{
    assert_that(value->offset <= length);
    for (uint32_t i = 0; i < value->length && value->type == JSON_ARRAY; i++)
        check_offsets(&value->items[i], length);
    for (uint32_t i = 0; i < value->length && value->type == JSON_OBJECT; i++) {
        assert_that(value->members[i].offset <= length);
        check_offsets(&value->members[i].value, length);
    }
}

static void check_as_json(const struct json *root)
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
    assert_that(findings.duplicate_count == 0);
    strbuf_deinit(&text);
    arena_deinit(&arena);
}

/* False at the end of the stream. */
static bool check_next(struct yaml_stream *stream)
{
    struct arena arena = ARENA_INIT_DOCUMENT;
    struct json_findings findings;
    struct err err = {0};
    struct json *root;
    size_t before = stream->position;
    int result = yaml_next(stream, &arena, &limits, &findings, &root, &err);

    assert_that(stream->position <= stream->length);
    assert_that(result == 0 ? stream->position == stream->length : stream->position > before);
    if (result > 0) {
        check_offsets(root, stream->length);
        check_as_json(root);
    } else if (result < 0) {
        check_sentence(&err, result);
        assert_that(findings.error_offset >= before && findings.error_offset <= stream->length);
    }
    check_duplicates(&findings, stream->length);
    check_size(&arena, stream->length, limits.nodes_max, &findings);
    arena_deinit(&arena);
    return result != 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct yaml_stream stream = {.text = (const char *)data, .length = size};

    while (check_next(&stream))
        ;
    return 0;
}
