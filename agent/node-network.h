/*
 * The addresses of the machine's interfaces, and which of them its default route uses: read when
 * they are needed, since they come and go.
 */
#pragma once

#include "nodeagent/base/arena.h"
#include "nodeagent/objects/values.h"

#include <stdbool.h>

enum {
    INTERFACE_ADDRESSES_MAX = 1 << 16, /* kube-proxy may keep one for each Service of a cluster */
};

struct interface_address {
    const char *interface;
    const char *address; /* canonical */
    bool v6;
    bool usable; /* the interface is up, and others could reach the address */
};

struct node_network {
    list_of(struct interface_address) addresses;
    const char *gateway_v4; /* the address of the interface with the default route, or NULL */
    const char *gateway_v6;
};

/* What cannot be read is not there. Files are looked for below `root`, which is "" but in tests;
 * strings live in the arena. */
void node_network_read(struct node_network *network, const char *root, struct arena *arena);
/* Of it, finding the default routes when the addresses are known. */
void node_network_read_routes(struct node_network *network, const char *root, struct arena *arena);

/* The interface's with the default route, else the first; NULL: none is usable. */
const char *node_network_address(const struct node_network *network, bool v6);

/* --node-ip names addresses, or with 0.0.0.0 or :: only the family that is preferred. */
bool node_ip_is_explicit(const struct string_list *node_ip);
bool node_prefers_v6(const struct string_list *node_ip);

/* The one way to write an address, IPv4 or IPv6; NULL when it is none. */
const char *address_canonical(const char *text, struct arena *arena);
bool address_is_v6(const char *address);

/* Why a node cannot be reached at this canonical address, "a loopback address"; NULL: it can. */
const char *address_complaint(const char *address);
