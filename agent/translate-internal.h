/*
 * What the files of translations share: messages in the arena, variables with their expansion, and
 * the parts that sandboxes and containers are put together from.
 */
#pragma once

#include "nodeagent/base/map.h"
#include "nodeagent/base/str.h"
#include "nodeagent/objects/variables.h"
#include "translate.h"

/* messages */

/* Of the descriptor's type, with the defaults of the wire. */
void *message_new(struct arena *arena, const ProtobufCMessageDescriptor *descriptor);
/* Strings on the wire are never NULL, and the messages' members not const. */
char *wire_text(const char *text);
char **wire_texts(const struct string_list *list);
Cri__Pair **wire_pairs(struct arena *arena, const struct string_map *map);
Cri__Int64Value *wire_int64(struct arena *arena, int64_t value);

/* a map that grows in the arena; it is short */
void pairs_add(struct arena *arena, struct string_map *map, const char *name, const char *value);

/* Of options "name:value", the later of a name replaces the earlier. */
void options_merge(struct arena *arena, struct string_list *options, const char *option);

/* 0: there it is; -ENOENT: there is none; other failures say why that is not known. */
int translate_object(const struct translation *translation, const struct object_kind *kind,
                     const char *name, const struct object **object, struct err *err);

/* variables for Services */
int translate_services(const struct translation *translation, struct variables *variables,
                       struct err *err);

/* fields of the pod, for variables */
int translate_field(const struct translation *translation, const struct field_reference *reference,
                    const char **value, struct err *err);
int translate_resource_field(const struct translation *translation,
                             const struct container *container,
                             const struct resource_reference *reference, const char **value,
                             struct err *err);

/* identity */
const char *translate_pod_name(const struct translation *translation); /* "name_namespace(uid)" */
struct string_map translate_sandbox_labels(const struct translation *translation);
struct string_map translate_container_labels(const struct translation *translation,
                                             const struct container *container);
struct string_map translate_container_annotations(const struct translation *translation,
                                                  const struct container_order *order);

/* resources */
Cri__LinuxContainerResources *translate_overhead(const struct translation *translation);
Cri__LinuxContainerResources *translate_sandbox_resources(const struct translation *translation);
Cri__LinuxContainerResources *translate_container_resources(const struct translation *translation,
                                                            const struct container *container);

/* security */
int translate_namespaces(const struct translation *translation, Cri__NamespaceOption **result,
                         struct err *err);
int translate_sandbox_security(const struct translation *translation,
                               Cri__LinuxSandboxSecurityContext **result, struct err *err);
int translate_container_security(const struct translation *translation,
                                 const struct container_order *order,
                                 Cri__LinuxContainerSecurityContext **result, struct err *err);
int translate_profiles(const struct translation *translation, const struct container *container,
                       Cri__LinuxContainerSecurityContext *security, struct err *err);
Cri__SecurityProfile *profile_new(struct arena *arena, Cri__SecurityProfile__ProfileType type);

/* mounts */
int translate_mounts(const struct translation *translation, const struct container_order *order,
                     const struct string_map *env, Cri__ContainerConfig *config, struct err *err);
