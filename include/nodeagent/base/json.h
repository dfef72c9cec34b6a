/*
 * JSON documents: parsed by yajl into an arena (in order, with places), written by yajl's
 * generator. YAML is read into the same documents (base/yaml.h), so everything after parsing is
 * one path. A document borrows from its text, which must outlive it.
 */
#pragma once

#include "nodeagent/base/arena.h"
#include "nodeagent/base/err.h"
#include "nodeagent/base/str.h"

#include <stdbool.h>

enum json_type {
    JSON_NULL,
    JSON_BOOL,
    JSON_NUMBER, /* kept as text: nothing is rounded */
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT,
};

struct json {
    uint8_t type;
    bool boolean;
    bool inherited;  /* came through a YAML merge key: it may be overridden */
    bool repeats;    /* an object in which a name stands more than once */
    uint32_t offset; /* where the value starts in the text */
    uint32_t length; /* bytes of text, or number of items or members */
    union {
        const char *text; /* of a string or number; not NUL-terminated */
        struct json *items;
        struct json_member *members;
    };
};

struct json_member {
    const char *name; /* not NUL-terminated */
    uint32_t name_length;
    uint32_t offset; /* where the name starts in the text */
    struct json value;
};

/* limits and findings */

enum {
    JSON_DEPTH_MAX = 100,      /* yajl's generator ends at 128 */
    JSON_BYTES_MAX = 10 << 20, /* what a manifest file may have */
    JSON_NODES_MAX = 1000000,
    JSON_DUPLICATES_MAX = 100, /* reported; the rest only counts */
};

struct json_limits {
    size_t bytes_max;
    size_t nodes_max;
    const char *skip; /* JSON members of this name in "metadata" are passed over: null */
};

extern const struct json_limits json_limits_manifest;
/* What was written from something that was within limits may be longer than that was: "\n" is two
 * bytes in JSON. */
extern const struct json_limits json_limits_own;

struct json_duplicate {
    const char *path; /* "spec.containers[0].image" */
    uint32_t offset;  /* of the later name; the last one wins */
    uint32_t earlier;
};

struct json_findings {
    struct json_duplicate duplicates[JSON_DUPLICATES_MAX];
    size_t duplicate_count; /* may exceed JSON_DUPLICATES_MAX */
    size_t error_offset;    /* after a failure */
};

/* parsing */

/* On failure `err` holds the sentence without its place, which is findings->error_offset. */
int json_parse(struct arena *arena, const char *text, size_t length,
               const struct json_limits *limits, struct json_findings *findings, struct json **root,
               struct err *err);

/* Line and column (in characters), both from 1. */
struct json_place {
    unsigned line;
    unsigned column;
};
struct json_place json_place(const char *text, size_t length, size_t offset);

/* Many places of one text: marks are set once, so that each look-up reads a few KiB at most. */
struct json_places {
    const char *text;
    size_t length;
    struct json_place *marks;
};
void json_places_init(struct json_places *places, const char *text, size_t length);
void json_places_deinit(struct json_places *places);
struct json_place json_places_find(const struct json_places *places, size_t offset);

/* reading */

const struct json *json_get(const struct json *object, const char *name); /* the last, or NULL */
bool json_text_is(const struct json *value, const char *text);
const char *json_type_name(const struct json *value); /* "a string", "an object" ... */

static inline const struct json *json_get_string(const struct json *object, const char *name)
{
    const struct json *value = json_get(object, name);

    return value && value->type == JSON_STRING ? value : NULL;
}

/* What is not there, or of another type, is false; or the fallback. */
bool json_get_bool(const struct json *object, const char *name);
const char *json_get_text(const struct json *object, const char *name, const char *fallback,
                          struct arena *arena);

/* writing */

struct json_writer {
    void *generator;
    struct strbuf *out;
};

/* Appends to `out`. `pretty` indents by two. */
void json_writer_init(struct json_writer *writer, struct strbuf *out, bool pretty);
void json_writer_deinit(struct json_writer *writer);

void json_write_object(struct json_writer *writer);
void json_write_object_end(struct json_writer *writer);
void json_write_array(struct json_writer *writer);
void json_write_array_end(struct json_writer *writer);
void json_write_name(struct json_writer *writer, const char *name);
void json_write_null(struct json_writer *writer);
void json_write_bool(struct json_writer *writer, bool value);
void json_write_int(struct json_writer *writer, int64_t value);
void json_write_number(struct json_writer *writer, const char *text, size_t length);
void json_write_string(struct json_writer *writer, const char *string);
void json_write_bytes(struct json_writer *writer, const char *bytes, size_t length);
void json_write_value(struct json_writer *writer, const struct json *value);

/* A member: its name, and its value. An absent string (NULL) is written as an empty one. */
void json_write_string_member(struct json_writer *writer, const char *name, const char *string);
void json_write_int_member(struct json_writer *writer, const char *name, int64_t value);
void json_write_bool_member(struct json_writer *writer, const char *name, bool value);
