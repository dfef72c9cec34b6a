/* What filling in defaults needs for every kind. */
#pragma once

#include "nodeagent/base/str.h"
#include "nodeagent/objects/values.h"

/* Of a string for which empty means absent. */
static inline void default_string(const char **string, const char *value)
{
    if (str_empty(*string))
        *string = value;
}

/* Of a string that may be empty on purpose. */
static inline void default_absent(const char **string, const char *value)
{
    if (!*string)
        *string = value;
}
