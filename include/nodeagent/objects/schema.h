/*
 * The shape of an API object as a table: for each JSON field its name, its type and where it lies
 * in the C structure. Decoding, the warning for unknown fields and encoding all read the tables,
 * so a new field is one line here and one in its structure.
 */
#pragma once

#include "nodeagent/base/arena.h"
#include "nodeagent/objects/report.h"
#include "nodeagent/objects/values.h"

enum field_type {
    FIELD_STRING,     /* const char *; empty means absent */
    FIELD_OPT_STRING, /* const char *; empty and absent differ */
    FIELD_BOOL,
    FIELD_OPT_BOOL, /* uint8_t of enum opt_bool */
    FIELD_INT32,
    FIELD_OPT_INT32,
    FIELD_INT64,
    FIELD_OPT_INT64,
    FIELD_INT_OR_STRING,
    FIELD_QUANTITY, /* struct quantity *, NULL when absent */
    FIELD_TIME,
    FIELD_MICRO_TIME,
    FIELD_STRUCT,  /* embedded */
    FIELD_POINTER, /* to a structure, NULL when absent */
    FIELD_LIST,    /* of structures */
    FIELD_STRINGS,
    FIELD_INT32S,
    FIELD_INT64S,
    FIELD_STRING_MAP,
    FIELD_TEXT_MAP,  /* bytes_map of text as it is */
    FIELD_BYTES_MAP, /* bytes_map of base64 */
    FIELD_QUANTITY_MAP,
    FIELD_IGNORED, /* known to the API, of no use to a node agent; the value may be anything */
};

struct schema;

struct field {
    const char *name;
    uint8_t name_length;
    char first; /* of the name: most other fields differ in it or in the length */
    uint8_t type;
    uint16_t offset;
    bool always; /* encoded even when zero */
    const struct schema *of;
};

struct schema {
    size_t size;
    const struct field *fields;
    size_t field_count;
};

#define SCHEMA(structure, table)                                                                   \
    {                                                                                              \
        .size = sizeof(struct structure), .fields = table, .field_count = array_size(table)        \
    }

#define FIELD(json_name, field_type, structure, member)                                            \
    {                                                                                              \
        .name = json_name, .name_length = sizeof(json_name) - 1, .first = (json_name)[0],          \
        .type = FIELD_##field_type, .offset = offsetof(struct structure, member)                   \
    }

#define FIELD_ALWAYS(json_name, field_type, structure, member)                                     \
    {                                                                                              \
        .name = json_name, .name_length = sizeof(json_name) - 1, .first = (json_name)[0],          \
        .type = FIELD_##field_type, .offset = offsetof(struct structure, member), .always = true   \
    }

/* For STRUCT, POINTER and LIST, which have a schema of their own. */
#define FIELD_OF(json_name, field_type, structure, member, member_schema)                          \
    {                                                                                              \
        .name = json_name, .name_length = sizeof(json_name) - 1, .first = (json_name)[0],          \
        .type = FIELD_##field_type, .offset = offsetof(struct structure, member),                  \
        .of = &(member_schema)                                                                     \
    }

#define FIELD_SKIP(json_name)                                                                      \
    {                                                                                              \
        .name = json_name, .name_length = sizeof(json_name) - 1, .first = (json_name)[0],          \
        .type = FIELD_IGNORED                                                                      \
    }

/* Fills `structure` (zeroed) from a JSON object. Everything wrong is reported. */
void schema_decode(const struct schema *schema, void *structure, const struct json *value,
                   const struct path *path, struct arena *arena, struct report *report);

/* Writes the members of `structure`; the caller opens and closes the object. */
void schema_encode_members(const struct schema *schema, const void *structure,
                           struct json_writer *writer);
void schema_encode(const struct schema *schema, const void *structure, struct json_writer *writer);

/* A deep copy of what the schema describes; other members are copied as they are. */
void schema_copy(const struct schema *schema, void *to, const void *from, struct arena *arena);

/* How every kind's table begins. */
#define FIELDS_OF_OBJECT(structure)                                                                \
    FIELD_SKIP("apiVersion"), FIELD_SKIP("kind"),                                                  \
        FIELD_OF("metadata", STRUCT, structure, object.metadata, object_meta_schema)
