/* What a path that should be a network namespace really is. */
#pragma once

#include "nodeagent/base/err.h"

#include <stdbool.h>

enum netns_kind {
    NETNS_GONE,    /* nothing is there, or nothing was given */
    NETNS_STALE,   /* an empty file, on which one was mounted */
    NETNS_OWN,     /* the one this program is in */
    NETNS_FOREIGN, /* another: what a pod has */
    NETNS_NONE,    /* something else */
};

enum netns_kind netns_look(const char *path);

/* Is it a namespace that a runtime mounted for a pod's network? */
bool netns_is_runtimes(const char *path);
/* Unmounts it; it ends with its last process. */
int netns_remove(const char *path, struct err *err);
