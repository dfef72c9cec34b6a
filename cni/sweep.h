/*
 * What is left on the host of containers that nobody knows any more, though it bears the name of a
 * network of ours.
 */
#pragma once

#include "collection.h"

/* All of it, after the records. */
void sweep(struct collection *collection);

/* Rules of one container in one network, after a DEL of what may have been half done. */
void sweep_container(const struct cni_setup *setup, const struct cni_network *network,
                     const char *container_id);

/* Its parts: what they find, they count and delete, and tell whose it is (collection_lose). */

/* Addresses that host-local has reserved in this network. */
void sweep_reservations(struct collection *collection, const struct cni_network *network);
/* Rules that bridge and portmap made, by iptables and by nftables. */
void sweep_iptables(struct collection *collection);
void sweep_nft(struct collection *collection);
