/*
 * What a command that took too long left running. The runtime kills the command, not what it
 * started: a process in the container's group that began since the command did, in a session that
 * is neither that of the container's first process nor that of another command that goes on. Whom
 * the runtime started itself, as a command, has the same parent as the container's first process.
 */
#pragma once

#include "nodeagent/base/arena.h"
#include "nodeagent/base/time.h"

/* "2 processes: 4711 (sleep), 4712 (sh)"; NULL: none, or too many processes to tell. `group` is the
 * directory of the group, `proc` is /proc, `began` a point of the boot clock. */
const char *processes_left(int proc, int group, usec_t began, struct arena *arena);
