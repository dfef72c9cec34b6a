/*
 * The plugin that runtimes call instead of the real network: it finds the network that counts now,
 * runs its chain, and knows afterwards what it did. It needs no agent, and tells one that listens.
 * What it reads and what it tells is described in nodeagent/cni.h.
 */
#pragma once

#include "nodeagent/cni.h"

#define THICK_BRIDGE "nodeagent0"

enum {
    THICK_BIN_DIRS_MAX = 16,
    THICK_SUBNETS_MAX = 2, /* one of each family */
    THICK_STEPS_MAX = 64,  /* plugin runs that the agent is told of */
};

/* What the runtime said: its environment and stdin. NULL is absent. */
struct thick_call {
    const char *command;
    const char *container_id;
    const char *netns;
    const char *ifname;
    const char *args;
    const char *path;
    const char *input;
    size_t input_length;
};

/* The exit status; what is to be printed is in `out` and `errors`. */
int thick_run(const struct thick_call *call, struct strbuf *out, struct strbuf *errors);

/* reading its own configuration */

struct thick_built_in {
    bool allowed;
    const char *bridge;
    const char *subnets[THICK_SUBNETS_MAX];
    size_t subnet_count;
};

struct thick_config {
    const char *version;
    const char *name;
    const char *conf_dir;
    const char *bin_dirs[THICK_BIN_DIRS_MAX + 1]; /* ends in NULL */
    const char *cache_dir;
    const char *agent_socket;
    usec_t timeout; /* 0: as usual */
    usec_t spare;   /* of GC */
    bool report;    /* the same */
    struct thick_built_in built_in;
    const struct json *capabilities; /* arguments for them */
    const struct json *valid;        /* of GC; NULL: none were given */
    bool has_previous;
};

/* All of it lives in the arena. The code of a failure is of the specification. */
int thick_config_read(struct thick_config *config, struct arena *arena,
                      const struct thick_call *call, struct cni_failure *failure);

/* finding the network */

struct thick_network {
    struct cni_networks networks;
    struct cni_network *built_in;
    const struct cni_network *network; /* one of these; NULL after a failure */
};

int thick_network_find(struct thick_network *found, const struct thick_config *config,
                       struct cni_failure *failure);
void thick_network_deinit(struct thick_network *found);

/* telling the agent */

struct thick_step {
    const char *command;
    char type[CNI_TYPE_MAX];
    usec_t wall_usec;
    bool failed;
};

struct thick_report {
    const struct thick_call *call;
    const struct cni_network *network;   /* or NULL */
    const struct cni_networks *networks; /* with what is wrong in their directory */
    const struct json *result;           /* of ADD, or NULL */
    const struct cni_failure *failure;   /* or NULL */
    usec_t wall_usec;
    struct thick_step steps[THICK_STEPS_MAX];
    size_t step_count;
};

/* Does not wait, whether anybody listens or not. */
void thick_tell(const char *socket, const struct thick_report *report);
void thick_report_write(const struct thick_report *report, struct strbuf *out);
