/* The schema of a pod's volume. */
#pragma once

#include "schema.h"

extern const struct schema volume_schema;
