/*
 * Builds a document from parser events, for JSON and YAML alike. Values under construction wait
 * on one stack; a closed array or object moves its part of the stack into the arena at once, so a
 * document is contiguous and costs no list nodes.
 */
#pragma once

#include "nodeagent/base/json.h"

struct json_frame {
    uint32_t slot;  /* where the container itself waits on the stack */
    uint32_t start; /* its first item or member */
    bool object;
    bool repeats;
};

struct json_build {
    struct arena *arena;
    const struct json_limits *limits;
    struct json_findings *findings;
    struct json_member *stack;
    size_t count;
    size_t space;
    size_t nodes;
    size_t bytes; /* of text, as far as json_build_count() was told */
    unsigned depth;
    struct json_frame frames[JSON_DEPTH_MAX];
    struct err *err;
};

void json_build_init(struct json_build *build, struct arena *arena,
                     const struct json_limits *limits, struct json_findings *findings,
                     struct err *err);
void json_build_deinit(struct json_build *build);

/* All return 0, or a negative errno with `err` filled when a limit is reached. */
int json_build_open(struct json_build *build, enum json_type type, size_t offset);
int json_build_name(struct json_build *build, const char *name, size_t length, size_t offset);
int json_build_value(struct json_build *build, struct json value);

/*
 * Counts what comes in without events (an expanded alias). Only a reader that expands need count
 * bytes: without that they are no more than the text's.
 */
int json_build_count(struct json_build *build, size_t nodes, size_t bytes);

/* The container just closed, on the stack until the next event. */
struct json *json_build_close(struct json_build *build);

/* Reports members of one object that share a name; `keep_last` also removes the earlier ones. */
void json_build_duplicates(struct json_build *build, bool keep_last);

/* Is the open object the value of a member of that name? */
bool json_build_inside(const struct json_build *build, const char *name);

struct json *json_build_root(struct json_build *build);
