/*
 * The last results of a probe in one line: how long each took is the height, what came of it the
 * colour, or without colours a letter.
 */
#pragma once

#include "nodeagent/base/str.h"
#include "nodeagent/base/time.h"

#include <stdbool.h>

struct sparkline_style {
    bool colours;
    bool utf8;
};

/* As the terminal and the locale allow. */
struct sparkline_style sparkline_style(void);

/* One result more: a column. `verdict` is its name, as the agent tells it. */
void sparkline_add(struct strbuf *out, const struct sparkline_style *style, const char *verdict,
                   usec_t duration);
