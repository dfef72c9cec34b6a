/* The schemas of containers, and of parts that pods and volumes use as well. */
#pragma once

#include "nodeagent/objects/container.h"
#include "nodeagent/objects/schema.h"

extern const struct schema container_schema;
extern const struct schema ephemeral_container_schema;
extern const struct schema resources_schema;
extern const struct schema field_reference_schema;
extern const struct schema resource_reference_schema;
extern const struct schema se_linux_options_schema;
extern const struct schema windows_options_schema;
extern const struct schema confinement_schema;
