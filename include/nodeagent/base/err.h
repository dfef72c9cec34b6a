/*
 * Why something failed: a negative errno and one sentence that names the thing and what to do.
 * A function that can fail fills it and returns the code; on success it is untouched.
 */
#pragma once

#include "nodeagent/base/macros.h"

#include <stdarg.h>

enum {
    ERR_TEXT_MAX = 1024, /* longer sentences end in "..." */
};

struct err {
    int code;                /* 0, or a negative errno */
    char text[ERR_TEXT_MAX]; /* valid UTF-8; "?" stands for control characters and broken bytes */
};

/* Both return the (negative) code, so that callers write `return err_set(err, -EINVAL, ...)`. */
int err_set(struct err *err, int code, const char *format, ...) _printf_(3, 4);
int err_setv(struct err *err, int code, const char *format, va_list arguments) _printf_(3, 0);

/* Puts "prefix: " before a sentence that a callee wrote, when the caller knows the place. */
int err_prefix(struct err *err, const char *format, ...) _printf_(2, 3);
