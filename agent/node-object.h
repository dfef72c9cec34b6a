/*
 * The Node object of this machine, decided from the inputs alone: as it is created, as a turn of
 * the status finds it, and as one that was there before is taken over. All inputs are borrowed;
 * what is returned owns what it has.
 */
#pragma once

#include "config.h"
#include "node-machine.h"
#include "node-network.h"

enum {
    NODE_TEXT_MAX = 4096, /* of what the runtime says, in bytes; no annotation has to hold it */
};

/* One of the runtime's own conditions, as its Status tells them. */
struct runtime_condition {
    bool told;
    bool good;
    const char *reason;
    const char *message;
};

struct node_image_list {
    struct node_image *items;
    size_t count;
};

struct node_runtime {
    const char *name; /* "containerd"; "" until it told */
    const char *version;
    struct runtime_condition ready;
    struct runtime_condition network;
    bool handlers_known;
    list_of(struct runtime_handler) handlers;
    bool features_known;
    bool supplemental_groups_policy;
    const struct node_image_list *images; /* those that are told; NULL: not known yet */
    struct string_list troubles;          /* sentences: it is down, a look at it fails */
};

struct node_inputs {
    const struct config *config;
    const struct node_machine *machine;
    const struct node_network *network;
    const struct node_runtime *runtime;
    struct string_list looked_up; /* addresses of the node's name, as DNS and the hosts file say */
    struct string_list troubles;  /* sentences: why it is not ready, besides the runtime */
    const char *warning;          /* what is wrong though it is ready; NULL: nothing */
    bool memory_pressure;
    bool disk_pressure;
    bool pid_pressure;
    const struct string_list *volumes_in_use; /* NULL: not known, and what was told stays */
    struct string_list declared_features;     /* what is implemented here, sorted */
    int32_t port;                             /* of the kubelet's API, as it is bound; 0: none */
    const struct node *seen;                  /* the Node as the API has it; not for a new one */
    int64_t now_usec;                         /* since 1970 */
    bool still;                               /* the heartbeats stay as they were */
};

/*
 * Each returns a new reference. `trouble` is why the addresses could not be told, and what they
 * were stays; its code is 0 when they could.
 */

/* As it is created. */
struct node *node_object_new(const struct node_inputs *inputs, struct err *trouble);

/* The Node as seen, with the status of now. */
struct node *node_object_refresh(const struct node_inputs *inputs, struct err *trouble);

/* The same for one that was there when the agent came to register it: the labels that describe the
 * machine are put right, those and the taints of the configuration are not applied. */
struct node *node_object_adopt(const struct node_inputs *inputs, struct err *trouble);
