/* What a result looks like in the versions of the specification. */
#pragma once

#include "document.h"
#include "nodeagent/cni.h"

enum result_shape {
    RESULT_IP4_IP6,   /* 0.1.0, 0.2.0: an object for each family */
    RESULT_VERSIONED, /* 0.3.0 to 0.4.0: lists, and addresses that say their family */
    RESULT_PLAIN,     /* since 1.0.0 */
};

enum result_shape result_shape(const char *version);

/* cni_result_parse() of what was parsed already. */
int result_check(struct arena *arena, const struct json *root, const char *version,
                 const struct json **result, struct err *err);

/* The version that a checked result has. */
const char *result_version(const struct json *result, struct arena *arena);

/* A list, or one without items when it is absent or null. */
const struct json *result_list(const struct json *object, const char *name);

/* "10.1.2.3/24", an address and a prefix: '4' or '6', or 0 when it is something else. */
char cidr_family(const char *text, size_t length);
