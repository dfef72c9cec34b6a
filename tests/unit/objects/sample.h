/* A structure with a field of every type, for the tests of decoding and of encoding. */
#pragma once

#include "fixture.h"

#include "nodeagent/objects/schema.h"

struct sample_part {
    const char *name;
    int32_t number;
};

struct sample {
    const char *text;
    const char *opt_text;
    bool flag;
    uint8_t opt_flag;
    int32_t small;
    struct opt_int32 opt_small;
    int64_t large;
    struct opt_int64 opt_large;
    struct int_or_string port;
    struct quantity *amount;
    struct opt_time time;
    struct opt_time micro;
    struct sample_part part;
    struct sample_part *pointer;
    list_of(struct sample_part) parts;
    struct string_list texts;
    struct int32_list smalls;
    struct int64_list larges;
    struct string_map labels;
    struct bytes_map data;
    struct bytes_map binary;
    struct quantity_map amounts;
};

static const struct field sample_part_fields[] = {
    FIELD("name", STRING, sample_part, name),
    FIELD("number", INT32, sample_part, number),
};
static const struct schema sample_part_schema = SCHEMA(sample_part, sample_part_fields);

static const struct field sample_fields[] = {
    FIELD("text", STRING, sample, text),
    FIELD("optText", OPT_STRING, sample, opt_text),
    FIELD("flag", BOOL, sample, flag),
    FIELD("optFlag", OPT_BOOL, sample, opt_flag),
    FIELD("small", INT32, sample, small),
    FIELD("optSmall", OPT_INT32, sample, opt_small),
    FIELD("large", INT64, sample, large),
    FIELD("optLarge", OPT_INT64, sample, opt_large),
    FIELD("port", INT_OR_STRING, sample, port),
    FIELD("amount", QUANTITY, sample, amount),
    FIELD("time", TIME, sample, time),
    FIELD("micro", MICRO_TIME, sample, micro),
    FIELD_OF("part", STRUCT, sample, part, sample_part_schema),
    FIELD_OF("pointer", POINTER, sample, pointer, sample_part_schema),
    FIELD_OF("parts", LIST, sample, parts, sample_part_schema),
    FIELD("texts", STRINGS, sample, texts),
    FIELD("smalls", INT32S, sample, smalls),
    FIELD("larges", INT64S, sample, larges),
    FIELD("labels", STRING_MAP, sample, labels),
    FIELD("data", TEXT_MAP, sample, data),
    FIELD("binary", BYTES_MAP, sample, binary),
    FIELD("amounts", QUANTITY_MAP, sample, amounts),
    FIELD_SKIP("ignored"),
};
static const struct schema sample_schema = SCHEMA(sample, sample_fields);

/* The same, each field written even when it is zero. */
static const struct field always_fields[] = {
    FIELD_ALWAYS("text", STRING, sample, text),
    FIELD_ALWAYS("flag", BOOL, sample, flag),
    FIELD_ALWAYS("small", INT32, sample, small),
    FIELD_ALWAYS("large", INT64, sample, large),
    FIELD_ALWAYS("port", INT_OR_STRING, sample, port),
    FIELD_ALWAYS("time", TIME, sample, time),
    FIELD_ALWAYS("micro", MICRO_TIME, sample, micro),
    FIELD_ALWAYS("texts", STRINGS, sample, texts),
    FIELD_ALWAYS("labels", STRING_MAP, sample, labels),
};
static const struct schema always_schema = SCHEMA(sample, always_fields);

struct sample_document {
    struct arena arena;
    struct report report;
    struct sample sample;
};

/* JSON, so that a name may stand twice. */
static inline void sample_read(struct sample_document *document, const char *text, size_t length)
{
    struct json_findings findings = {0};
    struct json *root = NULL;
    struct err err = {0};

    *document = (struct sample_document){.arena = ARENA_INIT_DOCUMENT};
    if (json_parse(&document->arena, text, length, &json_limits_manifest, &findings, &root, &err) <
        0)
        fail_msg("%s: %s", text, err.text);
    report_init(&document->report, root);
    schema_decode(&sample_schema, &document->sample, root, NULL, &document->arena,
                  &document->report);
}

static inline void sample_deinit(struct sample_document *document)
{
    report_deinit(&document->report);
    arena_deinit(&document->arena);
}

static inline char *sample_text(const struct schema *schema, const struct sample *sample)
{
    struct strbuf text = STRBUF_INIT;
    struct json_writer writer;

    json_writer_init(&writer, &text, false);
    schema_encode(schema, sample, &writer);
    json_writer_deinit(&writer);
    return strbuf_take(&text);
}
