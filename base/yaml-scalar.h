/*
 * What an untagged plain YAML scalar means: the YAML 1.1 rules as the reference's reader has
 * them, kept apart from the parser because they are a table of their own.
 */
#pragma once

#include "nodeagent/base/json.h"

enum yaml_scalar {
    YAML_SCALAR_STRING,
    YAML_SCALAR_NULL,
    YAML_SCALAR_BOOL,
    YAML_SCALAR_INT,
    YAML_SCALAR_FLOAT,
    YAML_SCALAR_NOT_FINITE, /* .inf and .nan: JSON has no word for them */
};

/* Fills the value (type, boolean, text, length) as JSON would hold it; texts are in the arena. */
enum yaml_scalar yaml_scalar_read(struct arena *arena, const char *text, size_t length,
                                  struct json *value);

/* The value of a plain number as a float, for an explicit !!float. */
void yaml_scalar_as_float(struct arena *arena, struct json *value);
