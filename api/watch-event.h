/* What a stream or a list says: one event after the other. */
#pragma once

#include "nodeagent/api/failure.h"
#include "nodeagent/objects/object.h"

enum {
    WATCH_EVENT_BYTES_MAX = 16 << 20, /* the server's own objects have 1.5 MiB at most */
};

enum watch_event_type {
    WATCH_SET,  /* it is there, as it says */
    WATCH_GONE, /* it is not there any more */
    WATCH_MARK, /* nothing but a version */
};

struct watch_event {
    enum watch_event_type type;
    const char *key;       /* "namespace/name"; NULL: WATCH_MARK */
    struct object *object; /* of WATCH_SET; NULL: it cannot be understood */
    const char *version;   /* of all that was told so far */
    bool ends_set;         /* what the stream began with is complete */
};

typedef void watch_event_fn(void *owner, const struct watch_event *event);

/* A line of a stream. What it says when it fails, or what is wrong with it, is in `failure`.
 * `shown` names what is watched. */
int watch_event_read(const struct object_kind *kind, const char *shown, const char *line,
                     size_t length, watch_event_fn *call, void *owner, struct api_failure *failure);

/* A page of a list: its objects, then its version. `next`: where the next begins, which the caller
 * frees; NULL: there is none. */
int watch_list_read(const struct object_kind *kind, const char *shown, const char *body,
                    size_t length, watch_event_fn *call, void *owner, char **next,
                    struct api_failure *failure);
