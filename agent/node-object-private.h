/* The parts of a Node, which fill in a draft: what it points at is borrowed, from the inputs, the
 * Node seen and the arena. Lists of the Node seen are replaced, never changed in place. */
#pragma once

#include "node-object.h"

/* Valid UTF-8 of a bounded length, whatever the runtime said. */
const char *node_text(const char *text, struct arena *arena);

/* node-addresses.c */
int node_set_addresses(struct node *draft, const struct node_inputs *inputs, struct arena *arena,
                       struct err *err);

/* node-conditions.c: after the capacity, a lack of which is why a node is not ready */
void node_set_conditions(struct node *draft, const struct node_inputs *inputs, struct arena *arena);
