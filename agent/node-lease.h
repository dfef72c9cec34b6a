/*
 * What is sent of a node's Lease, by which the cluster sees that its agent lives, and of its
 * CSINode, which drivers of volumes and the scheduler look for.
 */
#pragma once

#include "nodeagent/base/json.h"
#include "nodeagent/objects/lease.h"

#define LEASE_NAMESPACE "kube-node-lease"

/* The node that a Lease or CSINode goes with. */
struct node_owner {
    const char *name;
    const char *uid; /* NULL or "": not known, as there is no Node */
};

/* leases */

/* The Lease as it is created, for which the Node must be there: nobody would collect it else. */
void node_lease_write(const struct node_owner *owner, int32_t seconds, int64_t now_usec,
                      struct strbuf *body);

/*
 * The Lease as it was seen last, renewed. It must have been decoded with its raw document: what a
 * newer server wrote into it is written back. The owner is added where it has none and is known.
 */
int node_lease_write_renewed(const struct lease *seen, const struct node_owner *owner,
                             int64_t now_usec, struct strbuf *body, struct err *err);

/* CSINodes */

void csi_node_write(const struct node_owner *owner, struct strbuf *body);

/* Is it that of a Node of this name which is gone? It is to be deleted, then. */
bool csi_node_is_stale(const struct json *csi_node, const struct node_owner *owner);
