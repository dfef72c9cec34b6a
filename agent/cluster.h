/*
 * The agent as a member of a cluster: pods come from the API server, and what becomes of them is
 * told there.
 */
#pragma once

#include "nodeagent/api/client.h"
#include "nodeagent/base/err.h"

#include "nodeagent/objects/object.h"
#include "nodeagent/objects/volume.h"

#include <stdbool.h>

struct agent;
struct agent_pod;
struct known_services;
struct cluster;

/* The client outlives it. */
struct cluster *cluster_new(struct agent *agent, struct api *api);
struct cluster *cluster_free(struct cluster *cluster);

/* Have all pods of this node been told at least once? */
bool cluster_is_complete(const struct cluster *cluster);

/* A token of the pod's service account. -EAGAIN: it is being asked for. */
int cluster_token(struct agent_pod *pod, const struct token_projection *projection,
                  const char **value, struct err *err);
void cluster_tokens_forget(struct agent_pod *pod);

/* It is not known whether there is one. */
bool cluster_object_is_unknown(const struct cluster *cluster, const struct object_kind *kind,
                               const char *name_space, const char *name);

/* What the pod refers to is still on its way: "ConfigMap a/b"; NULL: it is there, or is known not
 * to be. `refused`: a token that was refused counts, too: the server may not know the pod yet. */
const char *cluster_waits_for(struct agent_pod *pod, bool refused, struct arena *arena);

/* A ConfigMap or Secret that a pod refers to; NULL: there is none, as far as it is known. */
const struct object *cluster_object_find(const struct cluster *cluster,
                                         const struct object_kind *kind, const char *name_space,
                                         const char *name);

struct known_services *cluster_services(const struct cluster *cluster, struct arena *arena);

/* What the runtime calls this RuntimeClass. */
int cluster_runtime_handler(const struct cluster *cluster, const char *name, const char **handler,
                            struct err *err);

/* Why the API server is not heard of; NULL: all is well. */
const char *cluster_trouble(const struct cluster *cluster);

/* The Secrets in what is left of a checkpoint are nobody's any more. */
void cluster_offline_remove(struct agent *agent);
/* That pods are run from the checkpoint, or why they are not; NULL: the server has told of all. */
const char *cluster_offline_says(const struct cluster *cluster);
/* Of pods that are not run from it, and why. */
const struct string_list *cluster_offline_problems(const struct cluster *cluster);

/* The node may be ready now, or not any more. */
void cluster_changed(struct cluster *cluster);

/* An event that was told, or told again, as JSON. */
void cluster_event(struct cluster *cluster, const char *json, size_t length);

/* What the pod refers to is what its object says now, unless it has ended, and not what `before`
 * said (NULL: nothing). */
void cluster_refer(struct agent_pod *pod, const struct object *before);

void cluster_report_init(struct agent_pod *pod);

/* What is published of the pod may have changed, and it may be gone from this node. */
void cluster_report(struct agent_pod *pod);

/* The pod is being forgotten. */
void cluster_report_no_more(struct agent_pod *pod);
