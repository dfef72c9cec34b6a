/*
 * The probers: one for each probe of each container that runs. They attempt at exactly the
 * container's start + initial delay + n periods; a tick that comes while an attempt goes on, or
 * while the agent is held up, is made up for once. Results are told of, and kept until the
 * container is another one.
 */
#pragma once

#include "nodeagent/base/json.h"
#include "nodeagent/base/time.h"
#include "nodeagent/objects/pod.h"
#include "nodeagent/probes/attempt.h"

struct probers;
struct wheel;

enum {
    PROBE_ATTEMPTS_MAX = 256, /* in flight */
    PROBE_SLOW_MAX = 192,     /* of these, of probes whose last attempt timed out */
    PROBE_HISTORY = 32,       /* results kept of each probe */
};

enum probe_type { PROBE_LIVENESS, PROBE_READINESS, PROBE_STARTUP, PROBE_TYPES };

const char *probe_type_name(enum probe_type type); /* "Liveness", as events have it */
const struct probe *probe_of(const struct container *container, enum probe_type type); /* or NULL */

enum probe_result { PROBE_UNDECIDED, PROBE_PASSED, PROBE_NOT_PASSED };

struct probers_options {
    struct probe_engine *engine;
    struct wheel *wheel;
    unsigned execs_max; /* in flight: they are the costly ones */
    void *owner;
    /* A result is another one. Comes from the loop, never from within the functions below. */
    void (*changed)(void *owner, const char *uid);
    /* An event about the pod, or its container. From the loop; of annotations that are wrong from
     * within probers_set(). */
    void (*event)(void *owner, const char *uid, const char *container, bool warning,
                  const char *reason, const char *message);
};

struct probers *probers_new(const struct probers_options *options);
struct probers *probers_free(struct probers *probers);

/* which containers are to be probed */

struct probed_container {
    const struct container *container; /* of the pod */
    const char *id;
    usec_t started;                         /* boot clock */
    enum probe_result results[PROBE_TYPES]; /* what is remembered, for one that is new here */
};

struct probed_pod {
    const char *uid;
    struct object *object;                       /* a reference is held */
    const char *ip;                              /* NULL: none yet */
    bool ending;                                 /* only its readiness matters any more */
    list_of(struct probed_container) containers; /* those that run, with any probe */
};

/* What was told before and is not any more ends, and its results are forgotten. */
void probers_set(struct probers *probers, const struct probed_pod *pod);
void probers_forget(struct probers *probers, const char *uid);

/* what is known */

/* False: this container is not probed. */
bool probers_results(const struct probers *probers, const char *uid, const char *container_id,
                     enum probe_result results[PROBE_TYPES]);

/* Why it has not passed, in a few words: "failing 4 of 3: HTTP probe failed with statuscode: 500".
 * NULL: nothing is known of it. */
const char *probers_explain(const struct probers *probers, const char *uid,
                            const char *container_id, enum probe_type type, struct arena *arena);

/* An array with all probes, or those of one pod. */
void probers_write(const struct probers *probers, const char *uid, struct json_writer *writer);

/* In the text format of Prometheus. */
void probers_write_metrics(const struct probers *probers, struct strbuf *text);
