/* Reading YAML in tests: a stream with what its last document gave, and tables of documents. */
#pragma once

#include "document.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/base/yaml.h"

#include <errno.h>
#include <stdlib.h>

/* The text has no byte to spare. */
struct reader {
    struct arena arena;
    char *text;
    struct yaml_stream stream;
    struct json_limits limits;
    struct json_findings findings;
    struct err err;
    struct json *root;
};

static inline struct reader *reader_new(const char *text, size_t length)
{
    struct reader *reader = mem_new(struct reader);

    reader->arena = ARENA_INIT_DOCUMENT;
    reader->text = mem_alloc(length);
    memcpy(reader->text, text, length);
    reader->stream = (struct yaml_stream){.text = reader->text, .length = length};
    reader->limits = json_limits_manifest;
    return reader;
}

static inline void reader_free(struct reader **reader)
{
    arena_deinit(&(*reader)->arena);
    free((*reader)->text);
    free(*reader);
}

static inline int next(struct reader *reader)
{
    reader->err = (struct err){0};
    return yaml_next(&reader->stream, &reader->arena, &reader->limits, &reader->findings,
                     &reader->root, &reader->err);
}

static inline void assert_next(struct reader *reader, const char *expected)
{
    if (next(reader) != 1)
        fail_msg("instead of %s: %s", expected, reader->err.text);
    assert_document(reader->root, expected);
}

static inline void assert_fails(struct reader *reader, int result, unsigned line, unsigned column,
                                const char *words)
{
    assert_int_equal(next(reader), result);
    assert_int_equal(reader->err.code, result);
    if (!strstr(reader->err.text, words))
        fail_msg("\"%s\" does not say \"%s\"", reader->err.text, words);
    assert_place(reader->text, reader->stream.length, reader->findings.error_offset, line, column);
}

/* Tables of one document each. */
struct same {
    const char *yaml, *json;
};

static inline void assert_all(const struct same *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        _cleanup_(reader_free) struct reader *reader =
            reader_new(cases[i].yaml, strlen(cases[i].yaml));

        assert_next(reader, cases[i].json);
        assert_int_equal(next(reader), 0);
    }
}

struct wrong {
    const char *yaml;
    unsigned line, column;
    const char *words;
};

static inline void assert_all_fail(const struct wrong *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        _cleanup_(reader_free) struct reader *reader =
            reader_new(cases[i].yaml, strlen(cases[i].yaml));

        assert_fails(reader, -EINVAL, cases[i].line, cases[i].column, cases[i].words);
        assert_int_equal(next(reader), 0);
    }
}

static inline void add_many(struct strbuf *text, const char *piece, int count)
{
    for (int i = 0; i < count; i++)
        strbuf_add(text, piece);
}
