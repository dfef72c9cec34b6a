/* What the kinds share inside this room: the schemas of common parts. */
#pragma once

#include "nodeagent/objects/object.h"
#include "nodeagent/objects/schema.h"

extern const struct schema object_meta_schema;
extern const struct schema owner_reference_schema;
extern const struct schema label_selector_schema;
extern const struct schema local_reference_schema;
extern const struct schema toleration_schema;
