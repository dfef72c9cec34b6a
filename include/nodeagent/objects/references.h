/* Which objects of its namespace a pod refers to, wherever it does. */
#pragma once

#include "nodeagent/objects/pod.h"

/* `kind` is that of ConfigMaps or Secrets; the same object may be told more than once. */
typedef void pod_reference_fn(void *owner, const struct object_kind *kind, const char *name);

void pod_references(const struct pod *pod, pod_reference_fn *call, void *owner);
