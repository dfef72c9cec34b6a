/*
 * An HTTP client on the loop (libcurl's multi interface): GET with http and https. Proxies of the
 * environment are not used; redirections are followed on the same host only. Programs that use it
 * ignore SIGPIPE.
 */
#pragma once

#include "nodeagent/base/err.h"
#include "nodeagent/base/time.h"

#include <stddef.h>

enum {
    HTTP_CALLS_MAX = 64, /* in flight; many times what a node asks for */
};

struct http;
struct http_call;
struct loop;
struct wheel;
struct work;

/* Names are resolved in the pool. */
int http_new(struct http **result, struct loop *loop, struct wheel *wheel, struct work *work,
             struct err *err);
struct http *http_free(struct http *http); /* cancels what is in flight */

struct http_request {
    const char *url;
    const char *const *headers; /* "Name: value", ends in NULL; may be NULL */
    usec_t timeout;
    size_t body_max; /* a longer answer is a failure */
};

struct http_reply {
    int status;       /* 0: there was no answer, `err` says why */
    const char *body; /* ends in NUL; valid during the callback */
    size_t length;
    struct err err;
};

typedef void http_done_fn(void *owner, const struct http_reply *reply);

/* `done` comes exactly once, from the loop and never from within http_get(), unless cancelled. */
int http_get(struct http_call **result, struct http *http, const struct http_request *request,
             http_done_fn *done, void *owner, struct err *err);
void http_cancel(struct http_call *call);

/* The URL without user and password, to be shown. The caller frees it. */
char *http_url_public(const char *url);
