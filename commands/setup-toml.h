/*
 * Just enough of TOML to read some values of a file that people wrote, and to change one of them
 * with every other byte left as it is. A text is split into its statements; what is not understood
 * is refused, and the sentence says in which line.
 *
 * Not judged is what only its reader can: whether a name stands twice, or a number is one.
 */
#pragma once

#include "nodeagent/base/arena.h"
#include "nodeagent/base/err.h"
#include "nodeagent/base/str.h"

#include <stdbool.h>

enum {
    TOML_BYTES_MAX = 1 << 20,      /* "containerd config dump" prints 10 KiB */
    TOML_STATEMENTS_MAX = 1 << 14, /* it has 400 */
    TOML_PATH_MAX = 16,            /* parts of a name; the deepest of containerd's has 7 */
    TOML_DEPTH_MAX = 16,           /* of arrays and inline tables */
};

struct toml_range {
    size_t start;
    size_t end;
};

enum toml_kind {
    TOML_TABLE,       /* [a.b] */
    TOML_ARRAY_TABLE, /* [[a.b]] */
    TOML_PAIR,        /* c.d = VALUE */
    TOML_MEMBER,      /* d = VALUE within { } */
};

struct toml_statement {
    enum toml_kind kind;
    const char **path;       /* from the root on; ends in NULL */
    struct toml_range lines; /* with the end of the last; that of a member is within another's */
    struct toml_range key;   /* as it is written */
    size_t last;             /* where the key's last part starts */
    struct toml_range value; /* of a pair or member */
};

struct toml {
    const char *place; /* what sentences call it */
    const char *text;
    size_t length;
    list_of(struct toml_statement) statements;
};

/* All but `place` and `text`, which are borrowed, lives in the arena. */
int toml_parse(struct toml *toml, struct arena *arena, const char *place, const char *text,
               size_t length, struct err *err);
size_t toml_line(const struct toml *toml, size_t offset);

/* reading; a path ends in NULL */

/* The pair or member of this path, or NULL. */
const struct toml_statement *toml_find(const struct toml *toml, const char *const *path);
/* Does the path begin with these parts? */
bool toml_path_has_prefix(const char *const *path, const char *const *prefix);

/* A string of one line, or NULL: the value is something else. */
const char *toml_string(const struct toml *toml, const struct toml_statement *statement,
                        struct arena *arena);
/* Strings of one line in an array, with nothing else in it; -EINVAL: the value is something else.
 */
struct toml_strings {
    list_of(const char *) items;
};
int toml_strings(const struct toml *toml, const struct toml_statement *statement,
                 struct arena *arena, struct toml_strings *strings);

/* changing: the whole text as it is to be */

/* Gives the path this string for its value, in the place where it is, or belongs. */
int toml_set(const struct toml *toml, const char *const *path, const char *value,
             struct strbuf *out, struct err *err);
/* Takes the pair away with its line; a table stays. What is not there is away already. */
int toml_unset(const struct toml *toml, const char *const *path, struct strbuf *out,
               struct err *err);

/* writing */
void toml_write_string(struct strbuf *out, const char *string);
/* A name or path, its parts quoted where that is needed. */
void toml_write_path(struct strbuf *out, const char *const *path);
