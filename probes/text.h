/* Words for events, as Go's standard library writes them: others match on these texts. */
#pragma once

#include "nodeagent/base/arena.h"
#include "nodeagent/base/err.h"
#include "nodeagent/base/time.h"

#include <stdbool.h>

/* In double quotes, with what is special in it escaped: Go's %q. */
const char *text_quoted(struct arena *arena, const char *text);

/* "1s", "1.5s", "100ms" */
const char *text_duration(struct arena *arena, usec_t duration);

/* A copy that is valid UTF-8. */
const char *text_repaired(struct arena *arena, const char *bytes, size_t length);

/* What an error of the system is called: "connection refused". */
const char *text_errno(struct arena *arena, int code);

/* Why there is no connection: "dial tcp 10.0.0.1:80: connect: connection refused". */
const char *text_dial(struct arena *arena, const char *authority, int code);

/* Why a name has no address: "dial tcp: lookup example: no such host". */
const char *text_lookup(struct arena *arena, const char *host, int code);

/* "%41" at the beginning of the text is an escape, of the byte 'A'. */
bool text_escape_read(const char *text, char *byte);
