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
    bool lasting;       /* one server is asked all the time: calls share connections where HTTP/2
                           lets them, a peer that is silently gone is noticed in ten seconds, and
                           no call waits for names once an address of the server is known */
    const struct http *knowing; /* NULL, or a client of the same server: what it knows of that's
                                   address is known here, too */
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

/* Who one is, and whom one believes, over TLS: PEM, that is copied. */
struct http_identity {
    const char *authorities; /* NULL: the system's */
    size_t authorities_length;
    const char *certificate; /* NULL: none */
    size_t certificate_length;
    const char *key;
    size_t key_length;
    const char *server_name; /* asked for and verified in place of the URL's host; NULL: that */
};

/* A piece of an answer, as it comes. It may cancel calls, this one too, but not free the client. */
typedef void http_data_fn(void *owner, const char *bytes, size_t length);

struct http_request {
    const char *url;
    const char *method;         /* NULL: GET, or POST with a body */
    const char *const *headers; /* "Name: value" (or "Name;" for an empty value, "Name:" to leave
                                   out one that is sent by default), ends in NULL; may be NULL */
    const void *body;           /* sent as it is; NULL: none */
    size_t body_length;
    enum http_version version;
    enum http_redirects redirects;
    usec_t timeout;      /* of everything: names, connecting, redirections, the whole answer */
    usec_t head_timeout; /* of all before the answer's head was there; 0: just `timeout` */
    size_t answer_max;   /* bytes of an answer's body; with `data`, of a piece */
    http_data_fn *data;  /* is told the body of a success, which the reply has not */
    const struct http_identity *identity; /* NULL: none, and the system's authorities */
    const char *proxy;                    /* NULL: none; it looks the URL's host up itself */
    bool compressed;                      /* gzip is understood */
    bool cut;        /* a longer one is cut there, and its connection closed; else: a failure */
    bool once;       /* a new connection, which is reset when all is over */
    bool close;      /* ... closed with a FIN, in place of a reset */
    bool unverified; /* any certificate will do */
    bool keep_head;  /* the reply has the lines of the head */
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
