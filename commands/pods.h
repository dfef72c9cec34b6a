/*
 * Pods in words: what kubectl's printer says of one, and which pods an operator means.
 */
#pragma once

#include "nodeagent/objects/pod.h"
#include "show.h"

struct pod_summary {
    int ready;
    int containers;
    int64_t restarts;
    struct opt_time last_restart;
    enum colour colour;
};

/* Appends the word for the STATUS column to `status`. */
struct pod_summary pod_summarise(const struct pod *pod, struct strbuf *status);

/* Something that has a name on this node. Members may be NULL. */
struct named {
    const char *name_space;
    const char *name;
    const char *uid;
    const char *node; /* static pods have "-NODE" at the end of their name */
};

enum {
    UID_PREFIX_MIN = 8, /* as tools cut them; shorter ones would be taken for names */
};

/* Is it meant by NAME, NAMESPACE/NAME (with or without "-NODE"), or the beginning of a UID? */
bool name_means(const char *wanted, const struct named *named);

/* NAME or NAMESPACE/NAME as an agent can be asked for it; else what is wrong with it. */
const char *name_problem(const char *wanted);
