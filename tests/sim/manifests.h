/*
 * The pods of the world: manifests as static/ would deliver them, which come, change and go; what
 * their containers do when they run; and what happened to them, for the checks.
 */
#pragma once

#include "nodeagent/base/list.h"
#include "nodeagent/objects/object.h"
#include "world.h"

enum {
    PODS_MAX = 6, /* names; each may have several versions, one after the other */
    POD_CONTAINERS_MAX = 6,
    CLEAN_PODS = 3, /* to which nothing happens: they must not feel what happens to others */
};

/* Names and images of clean pods contain this. */
#define CLEAN "clean-"

enum behaviour {
    BEHAVIOUR_RUNS,
    BEHAVIOUR_ENDS_WELL,
    BEHAVIOUR_ENDS_BADLY,
};

enum container_kind {
    KIND_REGULAR,
    KIND_INIT,
    KIND_SIDECAR,
};

enum restart_policy {
    RESTART_ALWAYS,
    RESTART_ON_FAILURE,
    RESTART_NEVER,
    RESTART_POLICY_COUNT,
};

struct manifest;

struct pod_container {
    struct manifest *manifest;
    char name[16];
    char image[32];
    enum container_kind kind;
    enum behaviour behaviour;
    unsigned crashes; /* before it behaves so */
    bool post_start;
    bool pre_stop;
    bool startup_probe;
    bool readiness_probe;
    bool liveness_probe;
    bool configured; /* by a ConfigMap and a Secret */
    bool changed;    /* it was given another image */

    /* what happened */
    unsigned starts;
    unsigned exits;
    usec_t last_exit;
    int32_t last_code;
    bool last_never_ran;   /* its start may have been given up, and is made again then */
    bool last_was_stopped; /* by the agent, or the runtime lost it: it may be started anew */
    bool last_was_unknown; /* to the runtime, for a while */
    char last_sandbox[64];
    char last_image[64];
    usec_t delay;   /* what it has to wait for its next start at least */
    usec_t updated; /* when that was chosen */
};

/* One version of a pod: its UID is of it alone, as that of static pods is. */
struct manifest {
    struct list link;
    unsigned index;
    char uid[40];
    char name[40];
    bool clean;
    bool of_cluster; /* not from the directory: the API server has it */
    bool has_token;
    enum restart_policy policy;
    int64_t grace_seconds;
    int64_t deadline_seconds; /* 0: none */
    bool host_network;
    struct pod_container containers[POD_CONTAINERS_MAX]; /* init containers first */
    size_t container_count;
    struct object *object; /* NULL: the API server has it */

    bool wanted;    /* in the directory, or in the cluster without being deleted */
    bool delivered; /* in the newest set that an agent got, or told by a watch */
    bool ever_delivered;
    bool told_removed;   /* some agent got a set without it: it ends, whatever comes after */
    bool forgotten;      /* what was told of it may not be on record */
    bool disturbed;      /* something happened to it that justifies all kinds of stops */
    usec_t delivered_at; /* to the present agent */
    usec_t life_began;   /* when nothing was left of the life before */
    usec_t known_since;  /* to any */
    bool begins_anew;    /* with its next delivery */
    usec_t started;      /* the first of its containers; 0: none yet */
    bool ever_started;
    usec_t window; /* of counted calls */
    unsigned window_calls;
};

struct manifests {
    struct list all;
    unsigned versions[PODS_MAX + CLEAN_PODS];
    struct event *delivery;
    struct static_source *source; /* the agent's; NULL: none */
};

struct manifests *manifests_new(void);
struct manifests *manifests_free(struct manifests *manifests);

/* Is this key, UID or image that of a clean pod? */
bool manifests_is_clean(const char *key);
struct manifest *manifests_find(const char *uid);
/* The newest of an index; NULL: there was none. */
struct manifest *manifests_newest(unsigned index);
char *manifest_text(const struct manifest *manifest); /* JSON; the caller frees it */
struct pod_container *manifests_container(const char *uid, const char *name);
const char *restart_policy_name(enum restart_policy policy);

/* How long it lives from now on, and how it ends. USEC_NEVER: until it is stopped. */
usec_t manifests_lifetime(struct pod_container *container, int32_t *code);

/* the directory: by index, what there is now of it */
void manifests_put(unsigned index);    /* as it was, or in its first version */
void manifests_change(unsigned index); /* a new version, a new UID */
void manifests_take_away(unsigned index);
bool manifests_is_there(unsigned index);

/* static-source.c: tells the agent after a while */
void static_changed(void);
void static_agent_died(void);
