/* The schemas of a pod's specification and status. */
#pragma once

#include "nodeagent/objects/pod.h"
#include "nodeagent/objects/schema.h"

extern const struct schema pod_spec_schema;
