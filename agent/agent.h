/*
 * The agent: pods from their sources, planned by the core, carried out on the runtime.
 */
#pragma once

#include "config.h"
#include "node-facts.h"
#include "nodeagent/base/err.h"
#include "nodeagent/base/json.h"

#include <stdbool.h>

struct agent;
struct api;
struct child_helper;
struct http;
struct loop;
struct rpc;
struct wheel;
struct work;

/* What it runs on; all of it outlives the agent. */
struct agent_parts {
    struct loop *loop;
    struct wheel *wheel;
    struct work *work;
    struct rpc *rpc;
    struct http *http;           /* NULL: no manifest URL */
    struct api *api;             /* NULL: static pods alone */
    struct api *bootstrap;       /* who asks for the first certificate; NULL: there is one */
    struct child_helper *helper; /* NULL: none, and calls are broken off when the agent is killed */
    struct node_facts *facts;    /* what the runtime says is added to it */
};

int agent_new(struct agent **result, const struct config *config, const struct agent_parts *parts,
              struct err *err);

/*
 * Begins nothing more. `finished` is called, from the loop, when no call to the runtime is under
 * way that it would break off in the middle, or after AGENT_FINISH.
 */
#define AGENT_FINISH (5 * USEC_PER_SEC)
typedef void agent_finished_fn(void *owner);
void agent_finish(struct agent *agent, agent_finished_fn *finished, void *owner);

/* Pods run on. */
struct agent *agent_free(struct agent *agent);

/* A datagram of nodeagent-cni, see nodeagent/cni.h. */
void agent_network_call(struct agent *agent, const char *bytes, size_t length);

/* for operators; each writes one JSON value */

void agent_write_pods(struct agent *agent, struct json_writer *writer);   /* a v1 PodList */
void agent_write_events(struct agent *agent, struct json_writer *writer); /* a v1 EventList */

/* What blocks this pod ("name", "namespace/name" or a UID), or with NULL all that are not ready and
 * the node. -ENOENT: there is no such pod. */
int agent_write_why(struct agent *agent, const char *pod, struct json_writer *writer,
                    struct err *err);

/* {"probes": [...]}, of this pod or, with NULL, of all: include/nodeagent/probes/probers.h.
 * -ENOENT: there is no such pod. */
int agent_write_probes(struct agent *agent, const char *pod, struct json_writer *writer,
                       struct err *err);

/* In the text format of Prometheus. */
void agent_write_metrics(struct agent *agent, struct strbuf *text);

typedef void agent_event_fn(void *owner, const char *json, size_t length);
/* Each event that is told or told again, as a v1 Event. */
void agent_watch_events(struct agent *agent, agent_event_fn *call, void *owner);

/* Has the first look at the runtime and at every source been made? */
bool agent_is_settled(const struct agent *agent);

/* Once, from the loop: the runtime has answered for the first time. */
typedef void agent_begun_fn(void *owner);
void agent_watch_beginning(struct agent *agent, agent_begun_fn *call, void *owner);

/* Whom a certificate of this node is to speak for: names and addresses that its Node says, sorted,
 * NULL-terminated. NULL: it has no address yet, or is in no cluster. */
const char *const *agent_node_names(struct agent *agent, struct arena *arena);
