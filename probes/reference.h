/*
 * The path of an HTTP probe is read as a reference to a URL, whose scheme, host and port are then
 * replaced by the probe's own. What cannot be read as one is a path as it stands.
 */
#pragma once

#include "nodeagent/base/arena.h"

struct reference {
    const char *opaque;   /* of "a:b", which has neither host nor path: "b"; else NULL */
    const char *user;     /* NULL: none */
    const char *password; /* NULL: none */
    const char *path;     /* escaped; "", or it begins with a slash */
    const char *query;    /* with its question mark, or "" */
};

/* Into the arena, or parts of the text. */
void reference_read(struct reference *reference, struct arena *arena, const char *text);

/* Why a URL with this host (IPv6 without brackets) cannot be parsed, in Go's words; NULL: it can.
 */
const char *reference_host_error(struct arena *arena, const char *host);
