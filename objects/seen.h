/*
 * Names that were met while an object is looked through, and what each stands for. A few are kept
 * in place and walked, which allocates nothing; more are hashed, since anybody may write a hundred
 * thousand of them into a document. An absent name (NULL) is the empty one.
 */
#pragma once

#include "nodeagent/base/arena.h"
#include "nodeagent/base/map.h"

enum {
    SEEN_FEW = 8, /* up to here a walk beats a hash */
};

struct seen_name {
    const char *name; /* not owned: it must outlive the table */
    const void *what;
};

struct seen {
    struct seen_name few[SEEN_FEW];
    size_t count;    /* of the few */
    struct map many; /* all names, once there are more than a few */
};

#define SEEN_INIT                                                                                  \
    (struct seen)                                                                                  \
    {                                                                                              \
        .count = 0                                                                                 \
    }

void seen_deinit(struct seen *seen);

/* From now on the name stands for `what`, not NULL. Returns what it stood for before, or NULL. */
const void *seen_put(struct seen *seen, const char *name, const void *what);
const void *seen_get(const struct seen *seen, const char *name); /* or NULL */

/* The same, but what came first stays; returns it: `what` itself when the name is new. */
const void *seen_first(struct seen *seen, const char *name, const void *what);

/* Names alone: notes one and returns whether it was there. */
bool seen_before(struct seen *seen, const char *name);
bool seen_has(const struct seen *seen, const char *name);

/* Two strings as one name, which no other two make. */
const char *seen_pair(const char *first, const char *second, struct arena *arena);
