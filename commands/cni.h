/*
 * nodeagent cni: the command line (cni.c), a file for each thing that it does, and how a plugin's
 * run and its failure are told (cni-trace.c).
 */
#pragma once

#include "command.h"
#include "nodeagent/cni.h"
#include "show.h"

#define CNI_IFNAME "eth0" /* what a pod's interface is called */

enum {
    CNI_BIN_DIRS_MAX = 16,
};

/* "ID" or "ID/IFNAME", as it was given. */
struct cni_valid_word {
    const char *container_id;
    const char *ifname; /* or NULL: all of the container */
};

struct cni_command {
    const char *name; /* "cni add" */
    struct arena arena;
    const char *conf_dir;
    const char *bin_dirs[CNI_BIN_DIRS_MAX + 1];
    size_t bin_dir_count;
    const char *network; /* its name; NULL: the one that counts */
    struct cni_attachment attachment;
    list_of(struct cni_valid_word) valid;
    size_t valid_space;
    bool json;
    bool wide;
    bool dry_run;
    bool unrecorded;
    bool trace;
    struct cni_setup setup;
    size_t runs; /* of plugins, so far */
};

/* Each returns an exit code. */
int cni_command_status(struct cni_command *command);
int cni_command_list(struct cni_command *command);
int cni_command_add(struct cni_command *command);
int cni_command_check(struct cni_command *command);
int cni_command_del(struct cni_command *command);
int cni_command_gc(struct cni_command *command);

/* The network that --network names, or the one that counts; else NULL, and what to say. */
const struct cni_network *cni_command_network(const struct cni_command *command,
                                              const struct cni_networks *networks, struct err *err);

/* On stderr: the files that were passed over. One of them may be what the operator means. */
void cni_tell_problems(const struct cni_command *command, const struct cni_networks *networks);

/* "NAMESPACE/NAME" of the pod, as far as it was recorded; or NULL. */
const char *cni_entry_pod(const struct cni_entry *entry, struct arena *arena);

/* On stderr: the sentence, the code, and all that the plugin said. Returns EXIT_BAD. */
int cni_tell_failure(const struct cni_command *command, const struct cni_failure *failure);
/* The same as the object "failure". */
void cni_write_failure(struct json_writer *writer, const struct cni_failure *failure);

/* For a setup: counts, and with --trace tells of each run on stderr. */
void cni_trace_step(void *command, const struct cni_step *step);
