/*
 * What both kinds of source share: putting the set together and telling of it when it changed.
 */
#pragma once

#include "manifest.h"
#include "nodeagent/base/map.h"

struct static_source {
    struct static_options options; /* strings are copies, in `arena` */
    void (*free)(struct static_source *source);
    struct arena arena;

    /* what was delivered */
    bool delivered;
    bool complete;
    struct map holders; /* what is held ("Pod default/web-n1") to the path of its manifest */
    struct static_set set;
    struct arena set_arena; /* of its problems, and of the paths above */
};

/* What a manifest contributes; candidates come in the order of their paths. */
struct source_candidate {
    const char *path;
    struct manifest *good; /* understood last; may be NULL */
    struct manifest *bad;  /* why it is not understood now; may be NULL */
    bool leaving;          /* the file is gone, but maybe not for long */
};

struct source_view {
    list_of(struct source_candidate) candidates;
    struct manifest *problem; /* of the place itself; may be NULL */
    bool complete;
};

void source_init(struct static_source *source, const struct static_options *options,
                 void (*free)(struct static_source *source));
void source_deinit(struct static_source *source);

/* Calls the owner if anything changed; the source may be gone afterwards. */
void source_deliver(struct static_source *source, const struct source_view *view);
