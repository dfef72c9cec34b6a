/* Documents in tests: parsed from and written to one line of JSON. */
#pragma once

#include "test.h"

#include "nodeagent/base/json.h"

#include <string.h>

/* Compares with the document written as JSON. */
static inline void assert_document(const struct json *root, const char *expected)
{
    struct strbuf text = STRBUF_INIT;
    struct json_writer writer;

    json_writer_init(&writer, &text, false);
    json_write_value(&writer, root);
    json_writer_deinit(&writer);
    assert_string_equal(text.text, expected);
    strbuf_deinit(&text);
}

static inline void assert_place(const char *text, size_t length, size_t offset, unsigned line,
                                unsigned column)
{
    struct json_place place = json_place(text, length, offset);

    if (place.line != line || place.column != column)
        fail_msg("%.*s: at %u:%u, not at %u:%u", (int)length, text, place.line, place.column, line,
                 column);
}
