/*
 * Volumes: what pods mount, made on the node. Everything here may block, and is for the pool;
 * orders hold copies of all they need.
 *
 * A pod's volumes lie below its directory: volumes/kubernetes.io~empty-dir/NAME; what a subPath
 * leads to is mounted at volume-subpaths/VOLUME/CONTAINER/INDEX, so that nothing a container does
 * inside of the volume leads the runtime elsewhere.
 *
 * Volumes of configMap, secret, downwardAPI and projected are directories as well, whose files are
 * decided on the loop (volume_fill) and written in the pool, all of them in one step, so that
 * containers that run see what was or what is. To write what has changed, set them up again.
 */
#pragma once

#include "nodeagent/base/arena.h"
#include "nodeagent/base/err.h"
#include "nodeagent/objects/pod.h"

#include <stdbool.h>
#include <sys/types.h>

/* Where the pod's directory is: PATH is absolute and leads to `root`, DIRECTORY lies beneath it. */
struct pod_place {
    int root;
    const char *root_path;
    const char *directory;
};

enum {
    PAYLOAD_FILES_MAX = 1 << 16,
    PAYLOAD_BYTES_MAX = 64 << 20, /* a ConfigMap or Secret has 1 MiB; a projection, several */
};

struct payload_file {
    const char *path; /* beneath the volume; clean */
    const char *bytes;
    size_t length;
    mode_t mode;
    int64_t owner; /* negative: the agent's own user */
};

struct payload {
    list_of(struct payload_file) files; /* each path once, and none is another's directory */
};

struct volume_order {
    const char *name;
    const char *path;      /* where it is on the node; absolute */
    const char *directory; /* of one that is made for the pod: the same, beneath the root */
    const char *ready;     /* of what is set up once: the file that says so; or NULL */
    const char *host_type; /* of a hostPath: its type; NULL: it is made for the pod */
    bool in_memory;
    uint64_t size_bytes;             /* of one in memory; 0: no limit of its own */
    int64_t group;                   /* of the pod's files; negative: none */
    bool read_only;                  /* for all containers: its files come from objects */
    struct string_list mount_points; /* inside of it, of what containers mount there too */
    const struct payload *payload;   /* NULL: nothing is written into it */
};

struct volume_orders {
    list_of(struct volume_order) items;
};

/* The volumes that some container mounts. A kind that cannot be made is a failure that names it. */
int volumes_order(const struct pod *pod, const struct pod_place *place, uint64_t memory_bytes,
                  struct arena *arena, struct volume_orders *orders, struct err *err);

/* Do its files come from objects? */
bool volume_has_payload(const struct volume *volume);

/* What such volumes are filled with comes through these. Results live until volume_fill() ends. */
struct volume_sources {
    void *owner;
    /* A ConfigMap or Secret beside the pod. -ENOENT, without a sentence: there is none. */
    int (*object)(void *owner, const struct object_kind *kind, const char *name,
                  const struct object **object, struct err *err);
    int (*field)(void *owner, const struct field_reference *field, const char **value,
                 struct err *err);
    int (*resource)(void *owner, const struct resource_reference *resource, const char **value,
                    struct err *err);
    int (*token)(void *owner, const struct token_projection *token, const char **value,
                 struct err *err);
};

/* Of a volume that has one, orders the payload; not for the pool. */
int volume_fill(const struct pod *pod, const struct volume_sources *sources, struct arena *arena,
                struct volume_order *order, struct err *err);

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
