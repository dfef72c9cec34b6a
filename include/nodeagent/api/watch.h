/*
 * All objects of one kind that a selector chooses, kept as the API server has them: a stream that
 * begins with all there are and goes on with what changes. It ends and is begun again, from where
 * it was; after a gap that the server cannot fill, all is read anew and compared. Whatever happens,
 * nothing is told twice, and nothing that changed is left out.
 */
#pragma once

#include "nodeagent/api/client.h"
#include "nodeagent/objects/object.h"

struct api_watch;

struct api_watch_options {
    struct api *api;
    struct wheel *wheel;
    const struct object_kind *kind;
    const char *path;     /* "/api/v1/pods" */
    const char *selector; /* of fields: "spec.nodeName=n"; NULL: all */
    bool lone; /* one object, of which there are many such watches: streams last longer */
    void *owner;
    /* An object that is new or another one. */
    void (*set)(void *owner, struct object *object);
    /* It is there no more; as it was last. */
    void (*gone)(void *owner, struct object *object);
    /* What was told is all there is, now: for the first time, or again after a gap. */
    void (*complete)(void *owner);
};

/* Begins at once; the functions are called from the loop. They may not free it. */
struct api_watch *api_watch_new(const struct api_watch_options *options);
struct api_watch *api_watch_free(struct api_watch *watch);

/* Until the first set is complete, what was known once may stand in for it: it is told, found and
 * walked as if the server had sent it, and the first set is compared with it. No effect later. */
void api_watch_prime(struct api_watch *watch, struct object *const *objects, size_t count);

/* What it has will not change any more: its stream ends, and what was told is all there is. May be
 * called from `set`. */
void api_watch_rest(struct api_watch *watch);

bool api_watch_is_complete(const struct api_watch *watch);

/* It is, or was primed: what is not found is not there, as far as anybody knows. */
bool api_watch_is_known(const struct api_watch *watch);

/* The server answered, last, that it tells us nothing: 401 or 403. */
bool api_watch_is_refused(const struct api_watch *watch);

/* NULL: there is none, as far as it is known. `name_space`: NULL for what is in none. */
struct object *api_watch_find(const struct api_watch *watch, const char *name_space,
                              const char *name);

/* Walks all of them, as map_next() does. NULL: there are no more. */
struct object *api_watch_next(const struct api_watch *watch, size_t *position);

/* The resource version that all of it is of: what is older and is not found is not there any more.
 * NULL: not known, before the first set and after a gap. */
const char *api_watch_version(const struct api_watch *watch);

/* Why nothing comes; NULL: all is well. */
const char *api_watch_trouble(const struct api_watch *watch);
