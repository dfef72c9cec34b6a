/* What the files of the cluster's member share. */
#pragma once

#include "shell.h"

#include "nodeagent/api/watch.h"
#include "nodeagent/sys/clock.h"

#define CLUSTER_ROUND_USEC (10 * USEC_PER_SEC)

enum {
    CLUSTER_REFERENCES_MAX = 256, /* objects that a pod refers to; others stay unknown */
};

struct checkpoint_file;
struct checkpoint_token;

struct cluster {
    struct agent *agent;
    struct api *api;
    struct api_watch *pods;
    struct api_watch *services;
    struct api_watch *runtime_classes;
    struct cluster_node *node;
    struct cluster_lease *lease;
    struct cluster_csi *csi;
    struct cluster_events *events;
    struct cluster_checkpoint *checkpoint; /* NULL: none is kept */
    struct cluster_offline *offline;
    struct map objects;           /* "Kind/namespace/name" to struct cluster_object */
    struct api_call *orphan_call; /* deletes the mirror of a pod that is gone */
    size_t orphan_at;             /* where to look for the next, in the watch */
    struct wheel_timer round;
};

/* Is all there that it tells of? Before the API server has told of the pods what was known before
 * will do. */
bool cluster_knows(const struct cluster *cluster, const struct api_watch *watch);

/* What a text holds; NULL: nothing of the kind. */
struct object *cluster_decode(const struct object_kind *kind, enum object_raw raw, const char *body,
                              size_t length);

/* What the answer to a call that succeeded holds; NULL: nothing of the kind, and `err` says so. */
struct object *cluster_answer(const struct object_kind *kind, enum object_raw raw,
                              const struct api_reply *reply, struct err *err);

/* Versions grow; a server that says otherwise is believed in whatever it says last. */
bool version_is_older(const char *version, const char *than);

/* cluster-report.c */
void cluster_report_round(struct agent_pod *pod); /* what went wrong is tried again */
void cluster_mirror_gone(struct agent_pod *pod);

/* cluster-mirror.c */
#define MIRROR_ANNOTATION "kubernetes.io/config.mirror"
bool is_mirror(const struct object *object); /* it shows a static pod, and is never run */
struct object *cluster_mirror_of(const struct agent_pod *pod); /* NULL: there is none */
bool cluster_mirror_fits(const struct agent_pod *pod, const struct object *mirror);
void cluster_mirror_write(struct object *object, const struct object *node, struct strbuf *body);
void cluster_mirror_sweep(struct cluster *cluster);

/* cluster-node.c */
struct cluster_node *cluster_node_new(struct cluster *cluster);
struct cluster_node *cluster_node_free(struct cluster_node *node);
void cluster_node_changed(struct cluster_node *node); /* what is said of it may be another */
struct object *cluster_node_seen(const struct cluster *cluster); /* NULL: there is none */
void cluster_node_prime(struct cluster_node *node, struct object *object);

/* cluster-tokens.c */
/* Those that are not are asked for; `refused`: one that was refused is not. */
bool cluster_tokens_are_there(struct agent_pod *pod, bool refused);
/* Those that are good are added to the file; one of a file is the pod's while it is good. */
void cluster_tokens_save(const struct agent_pod *pod, struct arena *arena,
                         struct checkpoint_file *file);
void cluster_tokens_restore(struct agent_pod *pod, const struct checkpoint_token *saved);

/* The API server is there: those that have expired are asked for at once. */
void cluster_tokens_hurry(struct agent_pod *pod);

/* cluster-objects.c */
void cluster_objects_free(struct cluster *cluster);

/* cluster-csi.c */
struct cluster_csi *cluster_csi_new(struct cluster *cluster);
struct cluster_csi *cluster_csi_free(struct cluster_csi *csi);
void cluster_csi_check(struct cluster_csi *csi);  /* the Node is there, perhaps another one */
void cluster_csi_forget(struct cluster_csi *csi); /* the Node is gone */
bool cluster_csi_is_done(const struct cluster_csi *csi);

/* cluster-events.c */
struct cluster_events *cluster_events_new(struct cluster *cluster);
struct cluster_events *cluster_events_free(struct cluster_events *events);

/* cluster-lease.c */
struct cluster_lease *cluster_lease_new(struct cluster *cluster);
struct cluster_lease *cluster_lease_free(struct cluster_lease *lease);
void cluster_lease_soon(struct cluster_lease *lease);

/* cluster-checkpoint.c: keeping it */
struct cluster_checkpoint *cluster_checkpoint_new(struct cluster *cluster); /* NULL: none is kept */
struct cluster_checkpoint *cluster_checkpoint_free(struct cluster_checkpoint *checkpoint);
void cluster_checkpoint_round(struct cluster_checkpoint *checkpoint);
void cluster_checkpoint_changed(struct cluster_checkpoint *checkpoint); /* what pods share did */

/* cluster-offline.c: beginning with it */
struct cluster_offline *cluster_offline_new(struct cluster *cluster);
struct cluster_offline *cluster_offline_free(struct cluster_offline *offline);
/* A watch of one object that a pod refers to begins; `key`: "Kind/namespace/name". */
void cluster_offline_prime(struct cluster_offline *offline, struct api_watch *watch,
                           const char *key);
void cluster_offline_over(struct cluster_offline *offline); /* the server told of all pods */
