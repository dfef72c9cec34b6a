/*
 * The plugin that runtimes call instead of the real network: it finds the network that counts now,
 * runs its chain, and knows afterwards what it did. It needs no agent, and tells one that listens.
 *
 * What its list in the runtime's private directory looks like; only "type" is needed:
 *
 *     {"cniVersion": "1.0.0", "name": "nodeagent-cni", "plugins": [{
 *         "type": "nodeagent-cni",
 *         "capabilities": {"portMappings": true, "bandwidth": true, ...},
 *         "confDir": "/etc/cni/net.d",     where real networks are
 *         "binDirs": ["/opt/cni/bin"],     where plugins are; else where the runtime has its own
 *         "cacheDir": "/var/lib/cni",
 *         "agentSocket": "/run/nodeagent/cni.sock",
 *         "timeLimitSeconds": 120,         at most, for one plugin
 *         "builtIn": {"subnets": ["10.85.0.0/16", "fd85::/64"], "bridge": "nodeagent0"}
 *     }]}
 *
 * "builtIn" allows a network of bridge, host-local and portmap while confDir has none.
 */
#pragma once

#include "nodeagent/cni.h"

#define THICK_AGENT_SOCKET "/run/nodeagent/cni.sock"
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

/*
 * A datagram of JSON:
 *
 *     {"verb": "ADD", "containerId": ..., "ifName": ..., "netns": ..., "args": CNI_ARGS,
 *      "network": its name, "file": its configuration, "usec": all of it,
 *      "plugins": [{"type": "bridge", "verb": "ADD", "usec": 1200, "failed": false}],
 *      "addresses": ["10.1.2.3"], "problems": ["FILE:LINE:COLUMN: what is wrong"],
 *      "failure": {"code": 11, "plugin": "bridge", "message": ..., "details": ...}}
 *
 * What does not apply is left out. Nobody has to listen.
 */
void thick_tell(const char *socket, const struct thick_report *report);
void thick_report_write(const struct thick_report *report, struct strbuf *out);
