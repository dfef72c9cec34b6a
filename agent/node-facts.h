/*
 * What the node is: read from the machine once, and completed by what the runtime says.
 */
#pragma once

#include "translate.h"

int node_facts_read(struct node_facts *facts, const struct config *config, struct arena *arena,
                    struct err *err);
