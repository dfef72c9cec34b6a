/*
 * Volumes: what pods mount, made on the node. Everything here may block, and is for the pool;
 * orders hold copies of all they need.
 *
 * A pod's volumes lie below its directory: volumes/kubernetes.io~empty-dir/NAME; what a subPath
 * leads to is mounted at volume-subpaths/VOLUME/CONTAINER/INDEX, so that nothing a container does
 * inside of the volume leads the runtime elsewhere.
 */
#pragma once

#include "nodeagent/base/arena.h"
#include "nodeagent/base/err.h"
#include "nodeagent/objects/pod.h"

#include <stdbool.h>

/* Where the pod's directory is: PATH is absolute and leads to `root`, DIRECTORY lies beneath it. */
struct pod_place {
    int root;
    const char *root_path;
    const char *directory;
};

struct volume_order {
    const char *name;
    const char *path;      /* where it is on the node; absolute */
    const char *directory; /* of an emptyDir: the same, beneath the root */
    const char *host_type; /* of a hostPath: its type; NULL: an emptyDir */
    bool in_memory;
    uint64_t size_bytes; /* of one in memory; 0: no limit of its own */
    int64_t group;       /* of the pod's files; negative: none */
};

struct volume_orders {
    list_of(struct volume_order) items;
};

/* The volumes that some container mounts. A kind that cannot be made is a failure that names it. */
int volumes_order(const struct pod *pod, const struct pod_place *place, uint64_t memory_bytes,
                  struct arena *arena, struct volume_orders *orders, struct err *err);

int volumes_set_up(int root, const struct volume_orders *orders, struct err *err);

/* Unmounts and removes all volumes below the pod's directory, whatever kinds they are. */
int volumes_tear_down(int root, const char *pod_directory, struct err *err);

struct sub_path_order {
    const char *volume_path;
    const char *sub_path;
    const char *target; /* where it is mounted, beneath the root */
};

/* The target of a container's mount, beneath the root; lives in the arena. */
const char *volumes_sub_path_target(const char *pod_directory, const char *volume,
                                    const char *container, size_t index, struct arena *arena);
int volumes_sub_path(int root, const struct sub_path_order *order, struct err *err);
