/*
 * One attempt of a probe, of any kind: from what a pod's document says to a verdict. The agent's
 * probers make them, and so does `nodeagent probe`.
 */
#pragma once

#include "nodeagent/base/err.h"
#include "nodeagent/base/time.h"
#include "nodeagent/net/trouble.h"
#include "nodeagent/objects/container.h"

#include <stdbool.h>

struct loop;
struct wheel;
struct work;

enum {
    PROBE_OUTPUT_MAX = 10240, /* bytes of a body, or of a command's output */
};

enum probe_verdict {
    PROBE_SUCCESS,
    PROBE_WARNING, /* counts as a success: a redirection that was not followed */
    /* failures */
    PROBE_REFUSED,
    PROBE_CONNECT_TIMEOUT,
    PROBE_RESPONSE_TIMEOUT, /* connected, but no (whole) answer in time */
    PROBE_BAD_STATUS,       /* HTTP's, or what gRPC's health service said */
    PROBE_TLS,
    PROBE_EXEC_EXIT,
    PROBE_EXEC_TIMEOUT,
    PROBE_BROKEN, /* closed, reset, unreachable, no such name, not the protocol */
    /* neither */
    PROBE_AGENT_LATE, /* it failed, but maybe only since this agent was held up: so the probers say,
                         who know; an attempt never does */
    PROBE_ERRORED,    /* it could not be made */
    PROBE_VERDICTS,
};

/* "refused", "connect timeout", "no response in time", "bad status", "TLS", "exec exit",
 * "exec timeout", "broken", "agent late", "errored", "success", "warning". */
const char *probe_verdict_name(enum probe_verdict verdict);

static inline bool probe_succeeded(enum probe_verdict verdict)
{
    return verdict <= PROBE_WARNING;
}

static inline bool probe_failed(enum probe_verdict verdict)
{
    return verdict > PROBE_WARNING && verdict < PROBE_AGENT_LATE;
}

/* running a command in a container, by whoever owns the runtime's connection */

enum probe_exec_end {
    PROBE_EXEC_ENDED,
    PROBE_EXEC_KILLED,     /* it took too long */
    PROBE_EXEC_FAILED,     /* it could not be run */
    PROBE_EXEC_UNANSWERED, /* the runtime says nothing of it */
};

struct probe_exec_reply {
    enum probe_exec_end how;
    int exit_code;
    const void *out; /* standard output, standard error */
    size_t out_length;
    const void *err;
    size_t err_length;
    const char *text; /* why it failed, as the runtime says it */
    const char *left; /* what a command that was killed left running; NULL: nothing, or unknown */
};

typedef void probe_exec_done_fn(void *owner, const struct probe_exec_reply *reply);

struct probe_exec {
    void *owner;
    /* `done` comes once, from the loop and never from within, unless cancelled. */
    void *(*begin)(void *owner, const char *container_id, const struct string_list *command,
                   usec_t timeout, probe_exec_done_fn *done, void *done_owner);
    void (*cancel)(void *call);
};

/* the engine: what all attempts share */

struct probe_engine;

struct probe_engine_options {
    struct loop *loop;
    struct wheel *wheel;
    struct work *work;
    struct probe_exec exec; /* begin NULL: exec probes are errored */
    const char *user_agent; /* "kube-probe/1.36" */
    unsigned attempts_max;  /* in flight; who begins more gets PROBE_ERRORED */
};

int probe_engine_new(struct probe_engine **result, const struct probe_engine_options *options,
                     struct err *err);
/* When its attempts have ended, not from within `done`. */
struct probe_engine *probe_engine_free(struct probe_engine *engine);

/* attempts */

struct probe_order {
    const struct handler *handler;
    const struct container *container; /* whose ports have names, and whose environment is known to
                                          commands; NULL: none */
    const char *ip;                    /* the pod's; NULL: it has none yet */
    const char *container_id;          /* of exec */
    usec_t timeout;
    bool close; /* connections with a FIN, in place of a reset */
};

struct probe_outcome {
    enum probe_verdict verdict;
    const char *text;   /* what an event says after "probe failed: "; "" of most successes */
    const char *target; /* as resolved: "http://10.0.0.1:80/ready", "10.0.0.1:80", "sh -c true" */
    int32_t code;       /* HTTP's status, gRPC's health status, the command's exit code */
    const char *body;   /* of the answer, or the command's output; ends in NUL */
    size_t body_length;
    bool body_cut;
    const char *head; /* of HTTP: the lines of the answer's head, when they were asked for */
    const char *left; /* what a command that took too long left running; NULL: nothing known */
    struct net_times times;
};

typedef void probe_done_fn(void *owner, const struct probe_outcome *outcome);

struct probe_attempt;

/*
 * `done` comes exactly once, from the loop and never from within, unless cancelled. What cannot be
 * attempted (there is no such port, no address yet) is told so too: PROBE_ERRORED. The order and
 * what it points at but the handler and the container may go at once.
 */
struct probe_attempt *probe_attempt_begin(struct probe_engine *engine,
                                          const struct probe_order *order, bool keep_head,
                                          probe_done_fn *done, void *owner);
void probe_attempt_cancel(struct probe_attempt *attempt);
