/*
 * An HTTP server on the loop (libmicrohttpd), plain or with TLS (GnuTLS). Requests are answered at
 * once by whom they are for; clients that are slow, silent or too many harm nobody else.
 *
 * Of a request's body nothing is read: what is asked is in its head. Programs that use it ignore
 * SIGPIPE.
 */
#pragma once

#include "nodeagent/base/err.h"
#include "nodeagent/base/str.h"
#include "nodeagent/base/time.h"

#include <stdbool.h>

struct loop;
struct server;
struct server_request;
struct wheel;

/* From the connection to the end of a request's head, the handshake of TLS included. */
#define SERVER_HEAD_USEC (10 * USEC_PER_SEC)
#define SERVER_BRIEF_USEC (2 * USEC_PER_SEC)   /* the same of a brief server */
#define SERVER_ANSWER_USEC (30 * USEC_PER_SEC) /* until the client has read the answer */
#define SERVER_IDLE_USEC (90 * USEC_PER_SEC)   /* from an answer to the end of the next head */
#define SERVER_WINDOW_USEC (1 * USEC_PER_SEC)
#define SERVER_HANDSHAKES_MAX 32            /* of TLS, in that time; others wait */
#define SERVER_HANDSHAKES_PER_CLIENT_MAX 16 /* as many wait for the next; others are closed */
#define SERVER_ACCEPT_PAUSE_USEC (1 * USEC_PER_SEC) /* when nobody could be accepted */

/* what is answered */

struct server_answer {
    unsigned status;
    struct strbuf body; /* text; the server frees it */
};

/* May neither free the server nor block. */
typedef void server_answer_fn(void *owner, const struct server_request *request,
                              struct server_answer *answer);

const char *server_request_path(const struct server_request *request); /* decoded, no query */
/* Is it in the query, with a value or without? */
bool server_request_asks(const struct server_request *request, const char *name);

/* "/healthz" and "/healthz/ping", which are well whenever they are asked; all else is not there. */
void server_answer_health(void *owner, const struct server_request *request,
                          struct server_answer *answer);

/* TLS */

enum server_tls_version {
    SERVER_TLS_1_0,
    SERVER_TLS_1_1,
    SERVER_TLS_1_2,
    SERVER_TLS_1_3,
};

struct server_tls {
    enum server_tls_version oldest;
    const char *const *suites; /* names of IANA's, checked, end in NULL; none: what is good */
};

/* "VersionTLS12"; "": the default. -EINVAL, and `err` holds what it should be. */
int server_tls_version(const char *name, enum server_tls_version *version, struct err *err);
/* Is it a name of IANA's that a node's server can have? `weak`: it should have it no more. */
int server_tls_suite_check(const char *name, bool *weak, struct err *err);

/* servers */

struct server_options {
    struct loop *loop;
    struct wheel *wheel;
    const char *address;          /* an IP address; "0.0.0.0" and "::" are any, of either family */
    uint16_t port;                /* 0: any that is free */
    const struct server_tls *tls; /* NULL: plain; copied */
    bool brief; /* a connection is for one question, asked soon; the oldest makes room for others */
    unsigned connections_max;            /* others wait to be accepted */
    unsigned connections_per_client_max; /* others are closed */
    unsigned head_max; /* bytes that a connection may hold: head and answer's head */
    server_answer_fn *answer;
    void *owner;
};

/* -EADDRINUSE and others, with a sentence that names address and port. */
int server_new(struct server **result, const struct server_options *options, struct err *err);
struct server *server_free(struct server *server);

uint16_t server_port(const struct server *server);

/*
 * With this certificate (a chain) and its key, both PEM, from now on; connections that are there
 * keep theirs. Until there is one no handshake succeeds.
 */
struct server_pem {
    const char *text;
    size_t length;
};
int server_use_certificate(struct server *server, const struct server_pem *chain,
                           const struct server_pem *key, struct err *err);
