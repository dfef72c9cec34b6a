/*
 * Strings: comparing, a growing buffer, and the nearest known word for a mistyped one.
 */
#pragma once

#include "nodeagent/base/macros.h"

#include <stdarg.h>
#include <stdbool.h>

/* comparing; an absent string (NULL) equals an empty one */
bool str_empty(const char *string);
bool str_equal(const char *a, const char *b);
bool str_has_prefix(const char *string, const char *prefix);
bool str_has_suffix(const char *string, const char *suffix);

/* Is the string one of the NULL-terminated words? */
bool str_one_of(const char *string, const char *const *words);

/* Is it something, and all of it ASCII that is seen? */
bool str_is_plain(const char *string);

/* By their bytes. */
void strings_sort(const char **strings, size_t count);

/* The first byte that is not valid UTF-8 (overlong forms and surrogates are not), or NULL. */
const char *utf8_check(const char *bytes, size_t length);

/* Puts "?" for each byte that does not belong to valid UTF-8. */
void utf8_repair(char *bytes, size_t length);

/* The length without what a cut left of a character at the end. */
size_t utf8_cut(const char *bytes, size_t length);

/* parsing: the whole string must be a number */
int str_to_i64(const char *string, int64_t *value);

/* growing */
struct strbuf {
    char *text; /* ends in NUL once something was added */
    size_t length;
    size_t space;
};

#define STRBUF_INIT                                                                                \
    (struct strbuf)                                                                                \
    {                                                                                              \
        0                                                                                          \
    }

void strbuf_deinit(struct strbuf *buffer);
void strbuf_add(struct strbuf *buffer, const char *string);
void strbuf_add_bytes(struct strbuf *buffer, const void *bytes, size_t length);
void strbuf_add_char(struct strbuf *buffer, char c);
void strbuf_printf(struct strbuf *buffer, const char *format, ...) _printf_(2, 3);
void strbuf_vprintf(struct strbuf *buffer, const char *format, va_list arguments) _printf_(2, 0);
void strbuf_truncate(struct strbuf *buffer, size_t length);

/* Bytes that may come from anywhere, made safe for a terminal or a log line: control characters
 * and invalid UTF-8 become escapes, and what is longer than `max` bytes is cut with "...". */
void strbuf_add_quoted(struct strbuf *buffer, const char *bytes, size_t length, size_t max);

/* Takes the text out; the buffer is empty afterwards. Never NULL. */
char *strbuf_take(struct strbuf *buffer);

/* Edits (insert, delete, replace, swap neighbours) between two words, at most `limit` + 1. */
unsigned str_distance(const char *a, const char *b, unsigned limit);

/* The one word near enough to be what was meant, or NULL. */
struct str_guess {
    const char *wanted;
    const char *best;
    unsigned distance;
};
void str_guess_try(struct str_guess *guess, const char *word);
