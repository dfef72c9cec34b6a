/*
 * Showing a text anew each second until a signal comes: in place on a terminal, one below the
 * other elsewhere.
 */
#pragma once

#include "nodeagent/base/err.h"
#include "nodeagent/base/str.h"

/* Appends the text; a negative errno with its sentence when there is none now. */
typedef int watch_fn(void *data, struct strbuf *text, struct err *err);

/* Ends at once if the first text fails, later failures are shown. Returns an exit code. */
int watch_run(const char *command, watch_fn *draw, void *data);
