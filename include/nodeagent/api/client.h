/*
 * The client of one API server: requests with deadlines, within rate limits, asked again when the
 * server wants it, over connections that are given up when nothing comes from them any more.
 */
#pragma once

#include "nodeagent/api/failure.h"
#include "nodeagent/base/list.h"
#include "nodeagent/net/http.h"

#include <stdint.h>

struct api;
struct api_call;
struct wheel;
struct work;

/* Who the client is at the moment; valid until the function is called again. */
struct api_identity {
    const char *authorization; /* "Bearer ...": a header's value; NULL: none */
    struct http_identity tls;
    uint64_t generation; /* of `tls`: with another one, all connections are closed */
};

struct api_options {
    struct loop *loop;
    struct wheel *wheel;
    struct work *work;
    const char *server;     /* "https://10.0.0.1:6443", perhaps with a path */
    const char *user_agent; /* "User-Agent: ..." */
    bool compressed;
    bool unverified;   /* any certificate of the server will do */
    const char *proxy; /* NULL: none */
    double rate;       /* requests a second, and as many as this at once: */
    double burst;      /* of the general kind */
    double event_rate; /* the same of events */
    double event_burst;
    void *owner;
    /* -EAGAIN: there is no credential yet, and the request waits: api_identity_changed() tells.
     * Other failures are the request's. */
    int (*identify)(void *owner, struct api_identity *identity, struct err *err);
    void (*refused)(void *owner, usec_t began); /* 401, of a request that began then */
};

int api_new(struct api **result, const struct api_options *options, struct err *err);
struct api *api_free(struct api *api); /* cancels what is in flight */

/* Whoever waits for a credential is served, and who was refused is called; with another generation,
 * all connections are closed. */
void api_identity_changed(struct api *api);

/* Each kind is limited by itself, so that none holds another up; heartbeats are not. */
enum api_class { API_GENERAL, API_EVENTS, API_HEARTBEAT };

struct api_request {
    const char *method;
    const char *path; /* "/api/v1/nodes/n", with the query */
    const char *body; /* JSON; NULL: none */
    const char *type; /* of the body; NULL: application/json */
    enum api_class class;
    usec_t timeout;     /* of one attempt; 0: API_TIMEOUT */
    http_data_fn *data; /* is told the body of a success, piece by piece: a watch */
};

#define API_TIMEOUT (30 * USEC_PER_SEC)
#define API_STREAM_HEAD (30 * USEC_PER_SEC) /* until the head of a stream is there */

#define API_STRATEGIC_MERGE "application/strategic-merge-patch+json"

struct api_reply {
    const char *body; /* of a success; valid during the call */
    size_t length;
    const struct api_failure *failure; /* NULL: it succeeded */
    const char *method;                /* of the request, for sentences */
    const char *path;                  /* without the query */
};

typedef void api_done_fn(void *owner, const struct api_reply *reply);

/* `done` comes exactly once, from the loop and never from within, unless cancelled. It may not free
 * the client. */
struct api_call *api_begin(struct api *api, const struct api_request *request, api_done_fn *done,
                           void *owner);
void api_cancel(struct api_call *call);

/* Who waits until a failure has passed is called once: after none to answer, when the server has
 * answered anybody; after 401 or 403, when the client is somebody else. Of others nobody knows. It
 * may be linked and unlinked at any time. */
struct api_waiter {
    struct list link;
    void (*passed)(struct api_waiter *waiter);
};
void api_wait(struct api *api, struct api_waiter *waiter, const struct api_failure *failure);

/* When the server answered last; 0: never. */
usec_t api_heard(const struct api *api);
