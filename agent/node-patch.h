/*
 * What is sent of a Node: the difference between the one that was seen and the one that was
 * computed, as a strategic merge patch of its status (in which labels and annotations may ride).
 */
#pragma once

#include "nodeagent/base/str.h"
#include "nodeagent/objects/node.h"

/*
 * Writes the patch, heartbeats included; returns whether anything but heartbeats differs. The
 * specification is never in it: a node may not change its own.
 */
bool node_patch_write(const struct node *seen, const struct node *computed, struct strbuf *patch);
