/* What the kinds of attempts share: an attempt while it is under way, and how it ends. */
#pragma once

#include "nodeagent/probes/attempt.h"

#include "nodeagent/base/arena.h"
#include "nodeagent/net/http.h"
#include "nodeagent/net/tcp.h"
#include "nodeagent/sys/loop.h"
#include "target.h"

enum {
    ATTEMPT_PLAIN_HEADERS = 4, /* those of requests that have no others */
};

struct probe_engine {
    struct probe_engine_options options;
    struct http *http;
    struct tcp *tcp;
    unsigned in_flight;
    char *agent_header;                               /* "User-Agent: kube-probe/1.36" */
    const char *plain_headers[ATTEMPT_PLAIN_HEADERS]; /* ends in NULL */
};

struct probe_attempt {
    struct probe_engine *engine;
    struct arena arena; /* of the attempt itself, too */
    struct target target;
    union {
        struct http_call *http;
        struct tcp_call *tcp;
        void *exec;
    };
    void (*stop)(struct probe_attempt *attempt); /* NULL: nothing is under way */
    struct loop_post post;                       /* of an end before the beginning */
    usec_t timeout;
    usec_t began;
    bool keep_head;
    struct probe_outcome outcome;
    probe_done_fn *done;
    void *owner;
};

/* Begin, or finish at once. The handler has that action. */
void attempt_http(struct probe_attempt *attempt, const struct probe_order *order);
void attempt_tcp(struct probe_attempt *attempt, const struct probe_order *order);
void attempt_grpc(struct probe_attempt *attempt, const struct probe_order *order);
void attempt_exec(struct probe_attempt *attempt, const struct probe_order *order);

/* From whom it waited for: what came of it. The attempt is gone then. */
void attempt_finish(struct probe_attempt *attempt, enum probe_verdict verdict, const char *text);
/* ... and the answer that goes with it. */
void attempt_finish_http(struct probe_attempt *attempt, const struct http_reply *reply,
                         enum probe_verdict verdict, const char *text);

/* While it begins: there is nothing to wait for. The text stays for as long as the attempt. */
void attempt_end(struct probe_attempt *attempt, enum probe_verdict verdict, const char *text);
void attempt_errored(struct probe_attempt *attempt, const struct err *err);

/* What kind of failure a trouble is. */
enum probe_verdict attempt_verdict(enum net_trouble trouble);
void attempt_stop_http(struct probe_attempt *attempt);
