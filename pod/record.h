/* The tables by which a pod's memory is copied and recorded. */
#pragma once

#include "nodeagent/objects/schema.h"
#include "nodeagent/pod.h"

extern const struct schema pod_memory_schema;
