/*
 * What was found wrong in a document: errors and warnings, each with its field path and place.
 * Decoding and validation report here and go on, so that all findings come out at once.
 */
#pragma once

#include "nodeagent/base/arena.h"
#include "nodeagent/base/json.h"

enum {
    FINDINGS_MAX = 1000, /* of each level in a document; the rest only counts */
};

enum finding_level { FINDING_WARNING, FINDING_ERROR };

/* The kind of mistake, as the API server names it in its answers. */
enum finding_reason {
    FINDING_INVALID,
    FINDING_REQUIRED,
    FINDING_NOT_SUPPORTED,
    FINDING_FORBIDDEN,
    FINDING_DUPLICATE,
    FINDING_TOO_LONG,
    FINDING_TOO_MANY,
    FINDING_NOT_FOUND,
    FINDING_TYPE, /* the document could not be decoded here */
    FINDING_UNKNOWN_FIELD,
    FINDING_DUPLICATE_FIELD,
    FINDING_STATIC, /* not allowed in a static pod */
};

struct finding {
    enum finding_level level;
    enum finding_reason reason;
    const char *path; /* "spec.containers[0].image"; "" is the document itself */
    const char *message;
    size_t offset; /* in the text that the document was parsed from */
};

struct report {
    struct arena arena;
    const struct json *document; /* to find places by path */
    list_of(struct finding) findings;
    size_t space;
    size_t errors; /* all, also those beyond FINDINGS_MAX */
    size_t warnings;
    size_t field_warnings; /* those about unknown and repeated fields */
};

void report_init(struct report *report, const struct json *document);
void report_deinit(struct report *report);

/*
 * A field path, built on the stack from the document down to the field:
 *
 *     struct path spec = path_name(NULL, "spec"), list = path_name(&spec, "containers"),
 *                 first = path_index(&list, 0);
 */
struct path {
    const struct path *parent; /* NULL: the document */
    const char *name;          /* NULL: an index */
    size_t index;
    bool key; /* the name is a map's key: written in brackets */
};

static inline struct path path_name(const struct path *parent, const char *name)
{
    return (struct path){.parent = parent, .name = name};
}

static inline struct path path_index(const struct path *parent, size_t index)
{
    return (struct path){.parent = parent, .index = index};
}

static inline struct path path_key(const struct path *parent, const char *key)
{
    return (struct path){.parent = parent, .name = key, .key = true};
}

void path_write(const struct path *path, struct strbuf *out);

/* The deepest value on the path that the document has. */
size_t path_offset(const struct path *path, const struct json *document);

/* reporting; the message is a sentence without its subject ("must not be empty") */
void report_error(struct report *report, const struct path *path, enum finding_reason reason,
                  const char *format, ...) _printf_(4, 5);
void report_warning(struct report *report, const struct path *path, enum finding_reason reason,
                    const char *format, ...) _printf_(4, 5);

/* The same for a child of the path, so that callers need no local for it. */
void report_error_in(struct report *report, const struct path *path, const char *name,
                     enum finding_reason reason, const char *format, ...) _printf_(5, 6);

/* At a place that the caller knows better than the path does. */
void report_at(struct report *report, enum finding_level level, enum finding_reason reason,
               const char *path, size_t offset, const char *format, ...) _printf_(6, 7);

/*
 * Is there no room for one more? It is counted then, and what it would say need not be worked out:
 * a finding that is thrown away costs nothing.
 */
bool report_overflows(struct report *report, enum finding_level level, enum finding_reason reason);

const char *finding_reason_name(enum finding_reason reason);
