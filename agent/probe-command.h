/*
 * nodeagentd probe FD: attempts that an operator asked for. `nodeagent probe` reads the command
 * line and becomes this, with an order in a file that is open as FD: one JSON object,
 *
 *   pod               v1 Pod, its probes as they are to be made, its status as it is known
 *   adHoc             bool: the pod was made up for a target that is none
 *   probes            [{"container", "type": "Readiness", "known": what the agent knows of it}]
 *   timeoutMicroseconds, periodMicroseconds, delayMicroseconds, successThreshold,
 *   failureThreshold  numbers, if they replace those of the probes
 *   count             attempts of each probe; absent: until interrupted
 *   runtimeEndpoint   URL, if it is not the default
 *   close, json, showSecrets   bool
 */
#pragma once

#include "nodeagent/base/json.h"
#include "nodeagent/objects/pod.h"
#include "nodeagent/probes/judge.h"

enum {
    PROBE_ORDER_BYTES_MAX = 8 << 20,
    PROBE_ORDER_NODES_MAX = 200000,
};

enum probe_exit {
    PROBE_EXIT_GOOD = 0,
    PROBE_EXIT_FAILED = 1,
    PROBE_EXIT_USAGE = 2,
    PROBE_EXIT_UNABLE = 3,
};

/* The program; returns its exit code. */
int probe_command(int argc, char **argv);

enum probe_exit probe_exit_of(enum probe_verdict verdict);
enum probe_exit probe_exit_worse(enum probe_exit a, enum probe_exit b); /* 2, 3, 1, 0 */

/* the order */

struct errand;

struct errand_probe {
    const struct errand *errand;
    const struct container *container;
    const struct probe *probe;
    const char *container_id; /* NULL: it does not run */
    const char *idle;         /* why it does not: "waits: CrashLoopBackOff"; NULL: unknown */
    const char *state;        /* as the agent tells it, "failing"; NULL: it tells nothing */
    struct probe_timing timing;
    struct judge judge; /* what the agent has seen, and the attempts since */
    usec_t due;
    uint64_t attempts;
    enum probe_verdict last; /* once there were attempts */
    char *last_text;         /* what went with it */
};

struct errand {
    struct arena arena;
    struct object *object;
    const struct pod *pod;
    list_of(struct errand_probe) probes;
    usec_t delay;
    uint64_t count; /* 0: until interrupted */
    const char *runtime_endpoint;
    bool ad_hoc;
    bool close;
    bool json;
    bool show_secrets;
};

/* The errand borrows from nothing. */
int errand_read(struct errand *errand, const struct json *order, usec_t now, struct err *err);
void errand_deinit(struct errand *errand);
bool errand_needs_runtime(const struct errand *errand);

/* telling */

/* What there is to say of an attempt; in the arena that it was made with. */
struct errand_report {
    const struct errand_probe *probe;
    const struct probe_outcome *outcome;
    const char *reason; /* of the event; NULL: there is none */
    const char *event;
    const char *head; /* as it may be shown */
    const char *next; /* "2 more failures until restart (about 20s)" */
    struct string_list hints;
};

/* Takes the verdict into the probe's judge. */
void errand_report(struct errand_report *report, struct errand_probe *probe,
                   const struct probe_outcome *outcome, struct arena *arena);
void errand_hints(struct string_list *hints, const struct errand_probe *probe,
                  const struct probe_outcome *outcome, struct arena *arena);

/* A block of lines; or one line, when it is as it was before. */
void errand_tell(const struct errand_report *report, bool again, bool colours, struct strbuf *out);
/* One line of JSON. */
void errand_write(const struct errand_report *report, struct strbuf *out);

/* The value as it may be shown. */
const char *errand_header_value(const struct errand *errand, const char *name, const char *value);
/* "httpGet" */
const char *errand_handler(const struct probe *probe);
/* A head's lines with values that may be shown. */
const char *errand_head(const struct errand *errand, const char *head, struct arena *arena);
