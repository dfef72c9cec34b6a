/* The rules of nodes. */
#pragma once

#include "nodeagent/objects/object.h"

void node_validate(const struct object *object, struct report *report);
