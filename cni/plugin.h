/* One plugin run once: its request, its environment, and what to make of its answer. */
#pragma once

#include "nodeagent/cni.h"

enum verb {
    VERB_ADD,
    VERB_DEL,
    VERB_CHECK,
    VERB_STATUS,
    VERB_GC,
    VERB_VERSION,
};

const char *verb_name(enum verb verb);
/* Of a chain as a whole, and of each plugin. */
usec_t verb_timeout(const struct cni_setup *setup, enum verb verb);

/* Of a list of attachments; what a GC request carries. */
struct valid_list {
    const struct cni_valid *items;
    size_t count;
};

struct plugin_call {
    const struct cni_setup *setup;
    const struct cni_network *network;
    const struct cni_plugin *plugin;
    enum verb verb;
    const struct cni_attachment *attachment; /* NULL: of the network as a whole */
    const struct json *previous;             /* result, or NULL */
    const struct valid_list *valid;          /* of GC */
    usec_t deadline;                         /* of the chain, on the monotonic clock */
};

#define PLUGIN_TIME_LEAST (5 * USEC_PER_SEC) /* where others before it have used up the chain's */

/* How long it may take when it starts now. */
usec_t plugin_time(const struct plugin_call *call, usec_t now);

/* Appends what the plugin gets on stdin. */
void request_write(const struct plugin_call *call, struct strbuf *out);

/* What it printed is in `output`, and stays there after success. */
int plugin_run(const struct plugin_call *call, struct strbuf *output, struct cni_failure *failure);

/* A fault that the caller finds in what the plugin printed. */
int plugin_answered_badly(const struct plugin_call *call, const struct err *err,
                          struct cni_failure *failure);
