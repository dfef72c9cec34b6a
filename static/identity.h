/*
 * What makes a static object one: name, namespace, UID and annotations, which the API server gives
 * to others.
 */
#pragma once

#include "nodeagent/objects/object.h"

enum {
    DIGEST_TEXT_MAX = 33, /* 32 hexadecimal digits */
};

struct identity {
    const char *node_name; /* lower case */
    const char *source;    /* "file" or "http", a literal */
    const char *place;     /* the file's path, the URL */
    int64_t seen;          /* now, in microseconds since 1970 */
    struct report *report;
    char digest[DIGEST_TEXT_MAX]; /* out: of the object as it was written */
};

/* An object_edit_fn; `data` is a struct identity. */
void identity_give(struct object *object, void *data);
