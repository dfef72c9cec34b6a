/*
 * nodeagent validate in three parts: the command line and the files (validate.c), one document
 * (validate-document.c), and how it is told (validate-output.c).
 */
#pragma once

#include "nodeagent/base/json.h"
#include "nodeagent/base/str.h"
#include "nodeagent/objects/object.h"

enum verdict {
    VERDICT_ACCEPTED,
    VERDICT_REFUSED,
    VERDICT_UNCHECKED, /* not a kind that a node agent reads */
};

struct validate_counts {
    size_t accepted;
    size_t refused;
    size_t unchecked;
    size_t errors;
    size_t warnings;
    size_t unreadable; /* files */
};

struct validate {
    bool strict; /* unknown and duplicate fields refuse */
    bool json;
    struct json_writer writer; /* for -o json */
    struct strbuf output;
    struct validate_counts counts;
};

/* The text that is being read, for places. */
struct source {
    const char *name;
    struct json_places places;
};

/* What a document turned out to be. */
struct outcome {
    enum verdict verdict;
    const char *item; /* "items[3]" when it stands in a list, else "" */
    const char *api_version;
    const char *kind;
    const char *name_space;
    const char *name;
    size_t offset; /* of the document */
    struct report *report;
};

/* one document, or each item of a list */
void validate_document(struct validate *validate, const struct source *source,
                       const struct json *document, const struct json_findings *findings);

/* A document that could not even be parsed. */
void validate_unparsable(struct validate *validate, const struct source *source, size_t offset,
                         const struct err *err);

/* output */
void output_begin(struct validate *validate);
void output_outcome(struct validate *validate, const struct source *source,
                    const struct outcome *outcome);
void output_unreadable(struct validate *validate, const char *path, const struct err *err);
void output_note(struct validate *validate, const char *path, const char *note);
void output_end(struct validate *validate);

/* Does it refuse the document, given --strict? */
bool finding_refuses(const struct validate *validate, const struct finding *finding);
