/* What the fuzzers share: the entry point, and what must hold for any document or sentence. */
#pragma once

#include "nodeagent/base/json.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline bool bytes_equal(const char *a, size_t a_length, const char *b, size_t b_length)
{
    return a_length == b_length && !memcmp(a, b, a_length);
}

static inline bool documents_equal(const struct json *a, const struct json *b)
{
    if (a->type != b->type)
        return false;
    switch ((enum json_type)a->type) {
    case JSON_NULL:
        return true;
    case JSON_BOOL:
        return a->boolean == b->boolean;
    case JSON_NUMBER:
    case JSON_STRING:
        return bytes_equal(a->text, a->length, b->text, b->length);
    case JSON_ARRAY:
        if (a->length != b->length)
            return false;
        for (uint32_t i = 0; i < a->length; i++)
            if (!documents_equal(&a->items[i], &b->items[i]))
                return false;
        return true;
    case JSON_OBJECT:
        if (a->length != b->length)
            return false;
        for (uint32_t i = 0; i < a->length; i++)
            if (!bytes_equal(a->members[i].name, a->members[i].name_length, b->members[i].name,
                             b->members[i].name_length) ||
                !documents_equal(&a->members[i].value, &b->members[i].value))
                return false;
        return true;
    }
    return false;
}

static inline void check_sentence(const struct err *err, int code)
{
    assert_that(err->code == code && code < 0);
    assert_that(err->text[0]);
    assert_that(!utf8_check(err->text, strlen(err->text)));
    for (const char *c = err->text; *c; c++)
        assert_that((unsigned char)*c >= 0x20 && *c != 0x7f);
}

static inline void check_duplicates(const struct json_findings *findings, size_t length)
{
    for (size_t i = 0; i < MIN(findings->duplicate_count, (size_t)JSON_DUPLICATES_MAX); i++) {
        const struct json_duplicate *duplicate = &findings->duplicates[i];

        assert_that(duplicate->earlier < duplicate->offset && duplicate->offset < length);
        assert_that(!utf8_check(duplicate->path, strlen(duplicate->path)));
    }
}

/*
 * Twice (blocks double) the text's own strings and numbers, a node for each value, and for each
 * duplicate a path, whose names may be four times as long when they are quoted.
 */
static inline void check_size(const struct arena *arena, size_t length, size_t nodes,
                              const struct json_findings *findings)
{
    size_t duplicates = MIN(findings->duplicate_count, (size_t)JSON_DUPLICATES_MAX);
    size_t bytes = 32 * length + sizeof(struct json_member) * nodes + duplicates * 4 * length;

    assert_that(arena_size(arena) <= 2 * bytes + 2 * (size_t)ARENA_DOCUMENT_LAST);
}

static inline void write_document(struct strbuf *text, const struct json *root)
{
    struct json_writer writer;

    json_writer_init(&writer, text, false);
    json_write_value(&writer, root);
    json_writer_deinit(&writer);
}
