/*
 * An HTTP client on the loop (libcurl's multi interface), with http and https. Proxies of the
 * environment are not used. Programs that use it ignore SIGPIPE.
 */
#pragma once

#include "nodeagent/base/err.h"
#include "nodeagent/base/time.h"
#include "nodeagent/net/trouble.h"
#include "nodeagent/sys/loop.h"

#include <stdbool.h>
#include <stddef.h>

struct http;
struct http_call;
struct wheel;
struct work;

struct http_options {
    struct loop *loop;
    struct wheel *wheel;
    struct work *work; /* names are resolved there */
    enum loop_class class;
    unsigned calls_max; /* in flight; more are refused with -EBUSY */
};

int http_new(struct http **result, const struct http_options *options, struct err *err);
struct http *http_free(struct http *http); /* cancels what is in flight */

enum http_version {
    HTTP_VERSION_1_1,
    HTTP_VERSION_ANY, /* with TLS, HTTP/2 where the server prefers it; else 1.1 */
    HTTP_VERSION_2,   /* without asking: over plain TCP too */
};

enum http_redirects {
    HTTP_FOLLOW_SAME_SIDE, /* same host and port, or from http to its https; others are failures */
    HTTP_FOLLOW_SAME_HOST, /* any port and scheme; a redirection to another host is the answer */
};

struct http_request {
    const char *url;
    const char *const *headers; /* "Name: value" (or "Name;" for an empty value, "Name:" to leave
                                   out one that is sent by default), ends in NULL; may be NULL */
    const void *body;           /* posted as it is; NULL: it is a GET */
    size_t body_length;
    enum http_version version;
    enum http_redirects redirects;
    usec_t timeout;    /* of everything: names, connecting, redirections, the whole answer */
    size_t answer_max; /* bytes of an answer's body */
    bool cut;          /* a longer one is cut there, and its connection closed; else: a failure */
    bool once;         /* a new connection, which is reset when all is over */
    bool close;        /* ... closed with a FIN, in place of a reset */
    bool unverified;   /* any certificate will do */
    bool keep_head;    /* the reply has the lines of the head */
};

struct http_reply {
    enum net_trouble trouble; /* other than NET_ANSWERED: `err` says what it was */
    int status;               /* 0: no head of an answer came */
    const char *body;         /* ends in NUL; valid during the callback, as `head` and `url` */
    size_t length;
    bool cut;         /* there was more */
    const char *head; /* lines of the last answer, trailers included, 64 KiB at most; "" */
    const char *url;  /* the last that was asked, without user and password */
    bool left;        /* it redirects to another host, which was not followed */
    struct net_times times;
    struct err err;
};

typedef void http_done_fn(void *owner, const struct http_reply *reply);

/* `done` comes exactly once, from the loop and never from within http_begin(), unless cancelled. */
int http_begin(struct http_call **result, struct http *http, const struct http_request *request,
               http_done_fn *done, void *owner, struct err *err);
void http_cancel(struct http_call *call);

/* The URL without user and password, to be shown. The caller frees it. */
char *http_url_public(const char *url);
