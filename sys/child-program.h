/* A helper's child between fork and exec: limits, and the program that root installed. */
#pragma once

#include "nodeagent/base/err.h"

#include <limits.h>
#include <sys/types.h>

enum {
    PROGRAM_LINKS_MAX = 40, /* as the kernel's */
};

struct program_setup {
    char *const *argv;
    char *const *environment;
    const char *directory;
    int input; /* -1: what the helper has, /dev/null */
    int output[2];
    int failure; /* a struct err goes there when the program cannot be run */
    pid_t helper;
};

_Noreturn void program_run(const struct program_setup *setup);

/*
 * Opens (O_PATH) a program of which every directory on the way, those of symbolic links too, and
 * the file itself are root's and writable by root only. `resolved` is its path without links.
 */
int program_open(const char *path, char resolved[PATH_MAX], struct err *err);

/* Keeps the counters of a coverage build, which exec and _exit would throw away. */
void coverage_keep(void);
