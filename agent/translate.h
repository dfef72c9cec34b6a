/*
 * From pods to what the runtime is asked for: the configurations of sandboxes and containers.
 * Everything here is decided from the arguments alone; files are written by others. Results and
 * what they point at live in the arena or are borrowed from the arguments.
 */
#pragma once

#include "config.h"
#include "nodeagent/base/arena.h"
#include "nodeagent/base/err.h"
#include "nodeagent/objects/object.h"
#include "nodeagent/objects/pod.h"
#include "nodeagent/pod.h"
#include "nodeagent/volumes.h"
#include "runtime.pb-c.h"

#include <stdbool.h>

/* the node, as translations need it; all of it stays the same between two looks at the machine */

struct resolv_conf {
    struct string_list servers;
    struct string_list searches;
    struct string_list options;
};

struct node_machine;

struct node_facts {
    const struct config *config;
    const struct node_machine *machine; /* what its Node object says of it */
    const char *boot_id;                /* changes with every boot of the machine */
    struct string_list addresses;       /* the primary first */
    struct quantity_map allocatable;
    int64_t memory_bytes;
    int64_t swap_bytes;
    bool cgroup_v2;
    bool swap_accounting;                 /* the memory controller limits swap */
    struct string_list hugepage_sizes;    /* "2MB", "1GB": of /sys/kernel/mm/hugepages */
    struct string_list thermal_throttles; /* "/sys/devices/system/cpu/cpu0/thermal_throttle" ... */
    bool selinux;
    enum cgroup_driver cgroup_driver; /* what is really used */
    bool supplemental_groups_policy;  /* the runtime's features */
    struct string_list user_namespace_handlers;
    struct string_list recursive_read_only_handlers;
};

/* Parses a resolv.conf as resolvers do, as far as the reference reads it. */
int resolv_conf_parse(struct arena *arena, const char *text, size_t length,
                      struct resolv_conf *result, struct err *err);

/* ConfigMaps and Secrets by name, or NULL. */
typedef const struct object *translate_lookup_fn(void *owner, const struct object_kind *kind,
                                                 const char *name_space, const char *name);

/* There is none of that name, as far as it is known: is it known? */
typedef bool translate_unknown_fn(void *owner, const struct object_kind *kind,
                                  const char *name_space, const char *name);

/* All Services that there are; not complete: those that are known so far. */
struct known_services {
    bool complete;
    list_of(const struct object *) items;
};

struct translation {
    struct arena *arena;
    const struct node_facts *node;
    const struct pod *pod;
    bool static_pod;
    const char *handler;        /* of the pod's RuntimeClass; NULL or "": the default one */
    struct string_list pod_ips; /* the primary first; empty before the sandbox runs */
    translate_lookup_fn *lookup;
    translate_unknown_fn *unknown; /* NULL: everything is known */
    void *lookup_owner;
    const struct known_services *services; /* NULL: there are none */
    /* Of the pod's service account; -EAGAIN: it is on its way. */
    int (*token)(void *owner, const struct pod *pod, const struct token_projection *projection,
                 const char **value, struct err *err);
};

/* volumes: what their files are made of; the sources refer to the translation */
struct volume_sources translate_volume_sources(struct translation *translation);

/* sandboxes */

/* The pod's DNS; `host` is the node's own. `warnings` (may come back empty) are for events: reasons
 * and their sentences. */
Cri__DNSConfig *translate_dns(const struct translation *translation, const struct resolv_conf *host,
                              struct string_map *warnings);

/* The host name of the pod and its domain ("" when it has none). */
int translate_hostname(const struct translation *translation, const char **host,
                       const char **domain, struct err *err);

const char *translate_cgroup_parent(const struct translation *translation);

int translate_sandbox(const struct translation *translation, const struct resolv_conf *host,
                      uint32_t attempt, Cri__PodSandboxConfig **result, struct string_map *warnings,
                      struct err *err);

/* The text of the pod's /etc/hosts. With hostNetwork the node's own belongs after its first line.
 */
int translate_hosts(const struct translation *translation, struct strbuf *text, struct err *err);

/* containers */

struct image_user { /* what the image says of its user */
    bool has_uid;
    int64_t uid;
    const char *name; /* "" when it has none */
};

struct container_place {
    const char *host_path; /* of a volume, already with its subPath; NULL: an image volume */
    bool read_only;        /* the volume itself */
    bool relabel;          /* the volume's files may get the pod's SELinux label */
    const char *image_id;  /* of an image volume */
};

struct container_order {
    const struct container *container;
    enum pod_container_kind kind;
    uint32_t attempt;
    const char *image_id; /* as the runtime calls it */
    struct image_user image_user;
    const struct container_place *places; /* one for each of container->volume_mounts */
    const char *hosts_path;               /* of the pod's /etc/hosts on the host; NULL: none */
    const char *termination_path;         /* of the message's file on the host; NULL: none */
    const char *target_id;                /* of an ephemeral container's target; NULL: none */
};

/* The variables as the container gets them, expanded; of each name one. */
int translate_env(const struct translation *translation, const struct container *container,
                  struct string_map *result, struct err *err);

/* A mount's subPath or subPathExpr after expansion, a relative path that stays in its volume; NULL:
 * it has none. */
int translate_sub_path(const struct translation *translation, const struct string_map *env,
                       const struct volume_mount *mount, const char **result, struct err *err);

/* The container's seccomp profile when it is a file on the node (to be checked before the container
 * is created), or NULL. */
int translate_seccomp_file(const struct translation *translation, const struct container *container,
                           const char **path, struct err *err);

/* Failures are what CreateContainerConfigError says. The hash annotation is pod_container_hash().
 */
int translate_container(const struct translation *translation, const struct container_order *order,
                        Cri__ContainerConfig **result, struct err *err);
