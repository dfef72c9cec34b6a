/*
 * What this agent can do that not every node of a cluster can: the scheduler and the API server
 * trust in it.
 */
#pragma once

#include "nodeagent/base/arena.h"
#include "nodeagent/objects/values.h"

/* Those that a node of this version ("v1.36.2") declares; sorted. */
struct string_list node_declared_features(const char *version, struct arena *arena);
