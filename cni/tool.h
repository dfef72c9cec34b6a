/* Programs of the system that are not plugins: iptables and its like. */
#pragma once

#include "nodeagent/base/arena.h"
#include "nodeagent/base/err.h"
#include "nodeagent/base/time.h"

/* Where they are looked for, by plugins too. */
#define TOOL_DIRECTORIES "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define TOOL_PATH "PATH=" TOOL_DIRECTORIES

#define TOOL_TIME (20 * USEC_PER_SEC) /* iptables waits for others; each of them takes 10 ms */

/* NULL: it is not installed. */
const char *tool_find(const char *name, struct arena *arena);

/*
 * Its exit status and what it printed, in the arena; or a negative errno when there is neither.
 * `err` has a sentence unless the status is 0. `input` may be NULL.
 */
int tool_run(const char *const *argv, const char *input, struct arena *arena, const char **output,
             struct err *err);
