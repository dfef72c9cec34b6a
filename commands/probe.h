/*
 * nodeagent probe: what the command line asks for, and the order that is made of it. The attempts
 * are made by nodeagentd, which the command becomes: agent/probe-command.h describes the order.
 */
#pragma once

#include "client.h"
#include "nodeagent/objects/pod.h"

#include <stdbool.h>

enum {
    PROBE_HEADERS_MAX = 64, /* on a command line */
};

/* Durations that were not given are USEC_NEVER, numbers 0, all else NULL. */
struct probe_flags {
    const char *run_dir;
    const char *container;
    const char *type; /* "Readiness" */
    const char *file;
    const char *ip;
    const char *runtime_endpoint;
    int64_t count;
    bool watch;
    bool json;
    bool show_secrets;
    bool close;

    /* fields of probes */
    usec_t timeout;
    usec_t period;
    usec_t delay;
    int64_t success_threshold;
    int64_t failure_threshold;
    const char *path;
    const char *host;
    const char *port;
    const char *scheme;
    const char *service;
    struct http_header headers[PROBE_HEADERS_MAX];
    size_t header_count;

    const char *target; /* POD or a URL; NULL: a file, or exec */
    const struct string_list *command;
};

/* What is handed over. All memory is the arena's, but the pod. */
struct probe_errand {
    struct arena arena;
    struct object *pod;
    bool ad_hoc;              /* the pod is made up for the target */
    struct answer *agent;     /* what the agent knows of its probes; NULL: nothing */
    struct json_items agents; /* ... each of them */
};

void probe_errand_deinit(struct probe_errand *errand);

/* probe-target.c: http://..., tcp://..., grpc://...; or `command` in the container. Exit codes,
 * with what is wrong said. */
bool probe_target_is_url(const char *target);
int probe_target_read(struct probe_errand *errand, const struct probe_flags *flags);

/* probe-pod.c: a pod that runs, or one in a file */
int probe_pod_ask(struct probe_errand *errand, const struct probe_flags *flags);
int probe_pod_load(struct probe_errand *errand, const struct probe_flags *flags);

/* probe-order.c */

/* The pod of a document, with the probes' fields as the flags want them. NULL: said what is
 * wrong. `name` is the file's, or NULL. */
struct object *probe_order_pod(const struct json *document, const struct probe_flags *flags,
                               const char *name);
/* The order's text; a usage error is when no probe is meant. */
int probe_order_write(const struct probe_errand *errand, const struct probe_flags *flags,
                      struct strbuf *text);
