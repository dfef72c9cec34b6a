/* What the files of the HTTP client share: http.c has the calls, http-name.c finds their servers'
 * addresses, http-curl.c drives curl, http-trouble.c says what went wrong. */
#pragma once

#include "http-url.h"
#include "nodeagent/base/list.h"
#include "nodeagent/base/str.h"
#include "nodeagent/net/http.h"
#include "nodeagent/sys/loop.h"
#include "nodeagent/sys/wheel.h"

struct work_job;

/* The server's, of a client that lasts. */
struct http_name {
    char *host;              /* NULL: none was asked yet */
    char *addresses;         /* NULL: not known yet */
    usec_t again;            /* then it is looked up again */
    struct work_job *lookup; /* under way */
    struct list waiting;     /* calls, for the first addresses */
};

struct http {
    struct loop *loop;
    struct wheel *wheel;
    struct work *work;
    unsigned calls_max;
    unsigned in_flight;
    struct list calls; /* in flight, or being told */
    struct list idle;  /* with handles that are used again */
    unsigned idle_count;
    /* curl */
    CURLM *multi;
    struct loop_set *set;
    struct wheel_timer timer;
    struct list sockets;
    bool acting;       /* curl is at work */
    bool added;        /* ... and there is something new for it */
    bool called;       /* ... by the loop: who is to be told may be told at once */
    struct list ended; /* those */
    struct list fed;   /* calls of which a piece is to be told */
    struct loop_post feed;
    struct http_call *feeding;
    bool lasting;
    bool multiplexes;          /* the server of a client that lasts: as far as is known */
    struct http_call *opening; /* a connection, which others may be let onto */
    struct list held;          /* calls that wait for that */
    struct loop_post release;
    struct http_name name;
};

struct http_call {
    struct http *http; /* NULL: it was freed while the call was told */
    struct list link;
    struct list fed;
    struct list name;
    struct list hold;
    CURL *easy;
    bool attached; /* to the multi handle */
    bool over;     /* to be told */
    bool telling;
    struct http_request request; /* without what it points at */
    struct http_url url;
    struct http_url next; /* with parts: where it is redirected to */
    struct curl_slist *headers;
    struct curl_slist *headers_elsewhere; /* without "Host:", after an absolute redirection */
    bool next_elsewhere;
    struct curl_slist *addresses;
    char *server_name;        /* of the identity; NULL: the URL's host */
    CURLU *renamed;           /* the URL with that in it, as curl gets it */
    struct curl_slist *route; /* ... which connects to the URL's host yet */
    struct work_job *lookup;  /* its own, of a client that does not last */
    struct wheel_timer deadline;
    struct loop_post post;
    usec_t began;
    usec_t sent; /* since then: when curl got the request at hand */
    unsigned redirects;
    /* the answer */
    struct strbuf head;
    size_t head_bytes;
    bool head_done;
    struct strbuf body;
    bool ended;      /* as far as we are concerned; curl calls it a failure */
    bool too_long;   /* the body */
    int socket_code; /* why there is no socket */
    char words[CURL_ERROR_SIZE];
    struct http_reply reply;
    http_done_fn *done;
    void *owner;
};

/* names */
void http_name_init(struct http *http, const struct http *knowing);
void http_name_deinit(struct http *http); /* without calls */
void http_name_find(struct http_call *call);
bool http_name_is_awaited(const struct http_call *call);
void http_name_leave(struct http_call *call);

/* Called by it, from within http_name_find() or later; without addresses: `err`. */
void http_call_named(struct http_call *call, const char *addresses, const struct err *err);

/* curl */
int http_curl_init(struct http *http, enum loop_class class, struct err *err);
void http_curl_deinit(struct http *http); /* without calls */
void http_curl_configure(struct http_call *call, const struct http_request *request);
void http_curl_redirect(struct http_call *call, const char *referer, bool get);
void http_curl_send(struct http_call *call);
void http_curl_detach(struct http_call *call);
void http_curl_look(struct http_call *call); /* is there anything new for it? */

/* Called by it: there is a piece of its body to be told. */
void http_call_fed(struct http_call *call);

/* Called by it: pieces are told, and those that ended are. */
void http_tell(struct http *http);

/* Called by it: curl is done with the request. */
void http_call_finished(struct http_call *call, CURLcode code);

/* Called by it when the head of an answer is complete; false: no more of this answer is wanted. */
bool http_call_has_head(struct http_call *call);

/* trouble: fills the reply */
void http_trouble_failed(struct http_call *call, CURLcode code);
void http_trouble_late(struct http_call *call);
void http_trouble_name(struct http_call *call, int code, const char *text);
void http_trouble_times(struct http_call *call);
