/* The parts of a pod's defaults and validation, one function a file. */
#pragma once

#include "nodeagent/objects/pod.h"
#include "validate.h"

void pod_set_defaults(struct object *object);
void pod_validate(const struct object *object, struct report *report);

/* volumes: defaults and rules of one volume kind table */
void volume_set_defaults(struct volume *volume, struct arena *arena);

/* What the rules of one part need to know of the rest of the pod. */
struct pod_view {
    const struct pod *pod;
    const struct pod_spec *spec;
    struct seen volumes;       /* struct volume by name, the first of each name */
    struct seen valid_volumes; /* those without an error of their own: others cannot be mounted */
    struct seen claims;        /* names in spec.resourceClaims */
};

/* Validates spec.volumes and notes them in the view. */
void validate_volumes(struct pod_view *view, const struct path *spec, struct report *report);

/* references, of environment variables and of downward API files */

/* "metadata.labels['app']" taken apart; `key` is NULL when there are no brackets. */
struct field_path {
    const char *field;
    const char *key;
};

/* Returns whether it has a key; the parts that are cut out live in the arena. */
bool field_path_split(const char *field_path, struct field_path *parts, struct arena *arena);

/*
 * `path` is that of the reference. The NULL-terminated fields are what may be referred to here;
 * a single label or annotation always may.
 */
void validate_field_reference(const struct field_reference *reference,
                              const char *const *allowed_fields, const struct path *path,
                              struct report *report);

/* A variable without a container's name means its own container; a file has none of its own. */
enum container_name_rule { CONTAINER_NAME_OPTIONAL, CONTAINER_NAME_REQUIRED };

void validate_resource_reference(const struct resource_reference *reference,
                                 enum container_name_rule container_name, const struct path *path,
                                 struct report *report);

/* resources */

/* Those of a container, with the claims that it uses. */
void validate_container_resources(const struct resources *resources, const struct pod_view *view,
                                  const struct path *path, struct report *report);

/* spec.resources, also against what the containers need together. */
void validate_pod_resources(const struct pod_spec *spec, const struct path *path,
                            struct report *report);

/* containers */

enum container_role { CONTAINER_REGULAR, CONTAINER_INIT, CONTAINER_EPHEMERAL };

void validate_containers(const struct pod_view *view, const struct path *spec,
                         struct report *report);
void validate_env(const struct container *container, const struct pod_view *view,
                  const struct path *path, struct report *report);
void validate_mounts(const struct container *container, const struct pod_view *view,
                     const struct path *path, struct report *report);

/* probes and hooks; `path` is the container's */
void validate_probes(const struct container *container, const struct path *path,
                     struct report *report);
void validate_lifecycle(const struct lifecycle *lifecycle, const struct pod_spec *spec,
                        const struct path *path, struct report *report);

/* security */
void validate_container_security(const struct container *container, const struct pod_view *view,
                                 const struct path *path, struct report *report);
void validate_pod_security(const struct pod_spec *spec, const struct path *path,
                           struct report *report);
void validate_windows_options(const struct windows_options *options, const struct path *path,
                              struct report *report);
void validate_windows_host_process(const struct pod_spec *spec, const struct path *path,
                                   struct report *report);
void validate_confinement(const struct confinement *seccomp, const struct confinement *app_armor,
                          const struct path *security_context, struct report *report);
void validate_os(const struct pod_spec *spec, const struct path *path, struct report *report);

/* the rest of the specification */
void validate_affinity(const struct pod *pod, const struct path *spec, struct report *report);
void validate_topology_spread(const struct pod *pod, const struct path *spec,
                              struct report *report);
void validate_dns(const struct pod_spec *spec, const struct path *path, struct report *report);
void validate_pod_annotations(const struct pod *pod, struct report *report);
