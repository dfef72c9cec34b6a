/*
 * Pods that do not come from the API: a directory of manifests, and a URL.
 *
 * A source delivers sets: everything it has now. It delivers its first set after its first look
 * (also an empty one), and another whenever the set or its problems changed. What cannot be read or
 * understood now is kept as it was understood last; what was never understood makes the set
 * incomplete.
 */
#pragma once

#include "nodeagent/base/err.h"
#include "nodeagent/base/time.h"
#include "nodeagent/objects/object.h"

struct loop;
struct wheel;
struct work;
struct http;
struct static_source;

struct static_problem {
    const char *place;    /* "/etc/kubernetes/manifests/web.yaml:14:3", or the URL */
    const char *sentence; /* what is wrong, what to do */
    bool refused;         /* nothing of this place is run as it is now; false: only a warning */
};

struct static_set {
    /* Pods, named, with UID, defaults and annotations as the kubelet's; ConfigMaps and Secrets too
     * when they are allowed. The source holds references until the next set. */
    list_of(struct object *) objects;
    list_of(const struct static_problem) problems;
    bool complete; /* false: something has never been understood since the source was made, so what
                    * runs from before and is not in the set may well belong to it */
};

typedef void static_fn(void *owner, const struct static_set *set);

struct static_options {
    const char *place;     /* the directory or file, or the URL */
    const char *node_name; /* used in lower case, as the kubelet does */
    usec_t period;         /* of the slow look at everything */
    bool config_objects;   /* ConfigMaps and Secrets are allowed, and pods may refer to them */
    struct loop *loop;
    struct wheel *wheel;
    struct work *work;          /* reads and understands manifests there */
    struct http *http;          /* NULL for a directory */
    const char *const *headers; /* "Name: value", ends in NULL; for a URL, may be NULL */
    static_fn *changed;
    void *owner;
};

/* A directory or file that does not exist is an empty set; it may come later. */
int static_directory_new(struct static_source **result, const struct static_options *options,
                         struct err *err);
int static_url_new(struct static_source **result, const struct static_options *options,
                   struct err *err);

/* Also from within `changed`. */
struct static_source *static_source_free(struct static_source *source);
