/* A GC under way: what its parts share. */
#pragma once

#include "nodeagent/base/map.h"
#include "nodeagent/cni.h"

struct collection {
    const struct cni_setup *setup;
    const struct cni_network *network; /* or NULL */
    struct cni_gc *gc;
    struct arena *arena;
    usec_t deadline;
    struct map valid;    /* "container/interface" */
    struct map known;    /* ids of containers that are valid, or of which something is kept */
    struct map networks; /* ours: struct our_network by its name */
    struct map gone;     /* struct gone by "network/container" */
    bool narrow;         /* only for what is in `gone` */
    int first;           /* failure */
    struct cni_failure *failure;
    struct cni_failure later;
};

struct our_network {
    const struct cni_network *network;
    struct cni_network *own; /* to be freed; or NULL */
};

/* A container that is not there any more, but something of it may be. */
struct gone {
    const char *network;
    const char *container_id;
    const char *ifname;
    bool deleted; /* by its plugins */
};

void collection_init(struct collection *collection);
void collection_deinit(struct collection *collection);

/* Where the next failure belongs, and what became of it. The first one counts. */
struct cni_failure *collection_failure(struct collection *collection);
void collection_note(struct collection *collection, int result);
/* Of this room's own doing. */
void collection_fail(struct collection *collection, const struct err *err);
/* False and a failure, once, when the time is up. */
bool collection_has_time(struct collection *collection);

bool collection_is_valid(const struct collection *collection, const char *container_id,
                         const char *ifname);
void collection_keep(struct collection *collection, const char *container_id);
/* Is it to be swept? Then it is in `gone` afterwards. Strings must live as long as the collection.
 */
bool collection_lose(struct collection *collection, const struct gone *gone);

/* networks */

/* Takes `own`. The first of a name counts. */
void collection_own(struct collection *collection, const struct cni_network *network,
                    struct cni_network *own);
/* NULL when it is none of ours, or must be left alone. */
const struct cni_network *collection_network(const struct collection *collection, const char *name);
