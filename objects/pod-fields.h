/* The schemas of a pod's specification and status. */
#pragma once

#include "nodeagent/objects/pod.h"
#include "schema.h"

extern const struct schema pod_spec_schema;
extern const struct schema pod_status_schema;
