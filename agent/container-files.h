/*
 * What a container needs on the disk before it is created: its log directory, the pod's hosts
 * file, the file for its last words, and the parts of volumes that it mounts. Made on a thread of
 * the pool, where the node's own files are read as well.
 */
#pragma once

#include "node-files.h"
#include "nodeagent/volumes.h"
#include "translate.h"

struct agent_directories {
    int root; /* --root-dir */
    int logs; /* the pod logs' */
};

struct container_files {
    struct arena arena;
    struct err err;
    struct agent_directories directories; /* of its own */
    const char *log_directory;            /* beneath logs */
    struct node_reading *node;            /* done with the rest; NULL: there is no need */
    const char *hosts;                    /* the text; NULL: none is mounted */
    bool hosts_of_node;                   /* the node's own belong in there */
    const char *hosts_file;               /* beneath the root */
    const char *termination_file;         /* beneath the root; NULL */
    const char *stale_termination_file;   /* of a start long ago; NULL */
    list_of(struct sub_path_order) sub_paths;
    const char *seccomp_file; /* a profile on the node, to be checked; NULL */
    /* for the translation; absolute */
    const char *hosts_path;
    const char *termination_path;
    struct container_place *places; /* one for each of the container's mounts */
};

/* NULL: `err` says why it cannot be. */
struct container_files *container_files_new(const struct translation *translation,
                                            const struct agent_directories *directories,
                                            const struct container *container, uint32_t attempt,
                                            struct err *err);
int container_files_make(void *container_files); /* a work_run_fn */
void container_files_free(void *container_files);

/* "NAMESPACE_NAME_UID", beneath the pod logs' directory. */
const char *pod_log_directory(const struct pod *pod, struct arena *arena);
const char *pod_directory(const char *uid, struct arena *arena); /* beneath the root */
