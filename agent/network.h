/*
 * The network that pods really get. Where the runtime calls nodeagent-cni, it takes its network for
 * ready always, so it is judged here: nodeagent-cni is asked (STATUS) at start, when the directory
 * of networks changes, now and then if plugins of the network know that question, and every few
 * seconds while something is wrong. In the steady state nothing is run.
 */
#pragma once

#include "nodeagent/base/json.h"
#include "nodeagent/sys/child.h"

#include <stdbool.h>

struct loop;
struct network;
struct wheel;

#define NETWORK_SETTLE_USEC (100 * USEC_PER_MSEC) /* after a change of the directory */
#define NETWORK_RETRY_USEC (5 * USEC_PER_SEC)
#define NETWORK_POLL_USEC (60 * USEC_PER_SEC)

struct network_options {
    struct loop *loop;
    struct wheel *wheel;
    struct child_helper *helper; /* NULL: nothing is judged */
    void (*changed)(void *owner);
    void *owner;
};

struct network *network_new(const struct network_options *options);
struct network *network_free(struct network *network);

/* What the runtime's verbose status has as "cniconfig"; NULL: nothing. */
void network_told(struct network *network, const char *status);

/* Does the runtime call nodeagent-cni? */
bool network_is_ours(const struct network *network);
const char *network_ifname(const struct network *network);

/* Why pods cannot get a network, in the words that a runtime would have; NULL: they can. */
const char *network_trouble(const struct network *network);

/* The file of the network that counts, as far as is known; "". */
const char *network_file(const struct network *network);

/* An ADD has failed, or something else looks wrong: it is judged anew. */
void network_doubt(struct network *network);

/* Runs nodeagent-cni for a verb that is about all of the network. Its stdin is `writer`'s, begun by
 * network_begin() and completed by the caller. */
void network_begin(const struct network *network, struct json_writer *writer);
int network_run(struct network *network, const char *verb, const struct strbuf *input,
                usec_t timeout, child_done_fn done, void *owner, struct child **child,
                struct err *err);
