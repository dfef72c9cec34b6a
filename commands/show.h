/*
 * What commands print: tables, ages, JSON. Text that comes from outside is escaped; colours are
 * for terminals and for those who did not set NO_COLOR.
 */
#pragma once

#include "nodeagent/base/arena.h"
#include "nodeagent/base/json.h"
#include "nodeagent/base/str.h"
#include "nodeagent/base/time.h"
#include "nodeagent/objects/values.h"

#include <stdbool.h>

enum {
    SHOWN_MAX = 1024, /* bytes of one text; the rest is "..." */
    TABLE_COLUMNS_MAX = 16,
};

/* Is standard output a terminal that understands escape sequences? */
bool show_on_terminal(void);
bool show_colours(void);

void show_text(struct strbuf *out, const char *text); /* escaped */

/* "nodeagent COMMAND: SENTENCE" on stderr; returns EXIT_BAD. */
int show_failure(const char *command, const struct err *err);

/* All of it to standard output. */
void show_buffer(const struct strbuf *out);

/* ages: as kubectl writes them, in few letters ("5s", "3m20s", "4d2h") */
void show_duration(struct strbuf *out, int64_t usec);
/* The same to three digits: for what lasts less than a minute ("0.42ms", "1.5s"). */
void show_span(struct strbuf *out, usec_t usec);
/* How long ago a point in time was; "<unknown>" when it is not set. */
void show_age(struct strbuf *out, const struct opt_time *time);

/* JSON: indented, with a line break at the end, or in one line */
void show_json(struct strbuf *out, const struct json *value, bool pretty);
/* The same for what a writer wrote. */
void show_json_text(struct strbuf *out, const struct strbuf *json);

/* members of an object that is being written; a string that is NULL is left out */
void show_member(struct json_writer *writer, const char *name, const char *value);
/* Escaped: for what may be no UTF-8, as a file's name or a message that was cut in a character. */
void show_member_quoted(struct json_writer *writer, const char *name, const char *value);
void show_member_count(struct json_writer *writer, const char *name, size_t count);
void show_member_strings(struct json_writer *writer, const char *name, const char *const *items,
                         size_t count); /* escaped */
void show_member_bool(struct json_writer *writer, const char *name, bool value);

/* tables: cells of one line each, in the order of the columns */

enum colour { COLOUR_NONE, COLOUR_GREEN, COLOUR_YELLOW, COLOUR_RED };

const char *show_colour(enum colour colour); /* the escape sequence; none: back to normal */

struct table_cell {
    const char *text;
    size_t width;
    enum colour colour;
};

struct table {
    struct arena arena;
    const char *const *headers; /* ends in NULL */
    size_t columns;
    size_t widths[TABLE_COLUMNS_MAX]; /* they only grow, so that later rows stand below earlier */
    struct table_cell *cells;
    size_t count;
    size_t space;
};

void table_init(struct table *table, const char *const *headers);
void table_deinit(struct table *table);

void table_cell(struct table *table, enum colour colour, const char *text); /* escapes */
/* As it is, with all that it means to a terminal, `width` columns wide. */
void table_cell_drawn(struct table *table, const char *text, size_t width);
size_t table_rows(const struct table *table);

/* Writes the rows and forgets them. */
void table_write(struct table *table, bool headers, struct strbuf *out);
