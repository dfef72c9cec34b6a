/* Which addresses a Node has: those that the operator named, else what its name means, else that of
 * the default route. */
#include "node-object-private.h"

#include "nodeagent/base/str.h"

#include <errno.h>

enum { ADDRESSES_MAX = 3 }; /* one of each family and the host's name */

static void add(struct node_status *status, const char *type, const char *address)
{
    status->addresses.items[status->addresses.count++] = (struct node_address){type, address};
}

/* Neither the addresses of the Node seen nor their number are of use. */
static void begin(struct node_status *status, struct arena *arena)
{
    status->addresses.items = arena_array(arena, struct node_address, ADDRESSES_MAX);
    status->addresses.count = 0;
}

static void set_one(struct node *draft, const struct config *config, const char *address,
                    struct arena *arena)
{
    begin(&draft->status, arena);
    add(&draft->status, "InternalIP", address);
    add(&draft->status, "Hostname", config->node_name);
}

/* A node must be reached at an address, and have it. */
static int check(const struct node_network *network, const char *address, struct err *err)
{
    const char *complaint = address_complaint(address);

    if (complaint)
        return err_set(err, -EINVAL, "%s cannot be a node's address: it is %s", address, complaint);
    array_for_each (one, network->addresses)
        if (str_equal(one->address, address))
            return 0;
    return err_set(err, -EADDRNOTAVAIL, "%s is the address of none of the host's interfaces",
                   address);
}

static int set_explicit(struct node *draft, const struct node_inputs *inputs, struct arena *arena,
                        struct err *err)
{
    const struct string_list *node_ip = &inputs->config->node_ip;
    const char *addresses[2] = {0};

    for (size_t i = 0; i < node_ip->count; i++) {
        addresses[i] = address_canonical(node_ip->items[i], arena);
        if (check(inputs->network, addresses[i], err) < 0)
            return err_prefix(err, "the Node gets no addresses: --node-ip");
    }
    begin(&draft->status, arena);
    for (size_t i = 0; i < node_ip->count; i++)
        add(&draft->status, "InternalIP", addresses[i]);
    add(&draft->status, "Hostname", inputs->config->node_name);
    return 0;
}

/* The first of the family that is preferred, else the first; NULL: none will do. */
static const char *looked_up(const struct node_inputs *inputs, bool v6, struct arena *arena)
{
    const char *other = NULL;
    struct err ignored;

    for (size_t i = 0; i < inputs->looked_up.count; i++) {
        const char *address = address_canonical(inputs->looked_up.items[i], arena);

        if (!address || check(inputs->network, address, &ignored) < 0)
            continue;
        if (address_is_v6(address) == v6)
            return address;
        if (!other)
            other = address;
    }
    return other;
}

static int set_found(struct node *draft, const struct node_inputs *inputs, struct arena *arena,
                     struct err *err)
{
    const struct config *config = inputs->config;
    bool v6 = node_prefers_v6(&config->node_ip);
    const char *address = address_canonical(config->node_name, arena);

    if (!address)
        address = looked_up(inputs, v6, arena);
    if (!address)
        address = node_network_address(inputs->network, v6);
    if (!address)
        address = node_network_address(inputs->network, !v6);
    if (!address)
        return err_set(err, -EADDRNOTAVAIL,
                       "the Node gets no addresses: the name %s leads to none of this host's, and "
                       "no interface has one; set --node-ip",
                       config->node_name);
    set_one(draft, config, address, arena);
    return 0;
}

int node_set_addresses(struct node *draft, const struct node_inputs *inputs, struct arena *arena,
                       struct err *err)
{
    const struct config *config = inputs->config;
    bool named = node_ip_is_explicit(&config->node_ip);

    if (config->external_cloud && draft->status.addresses.count)
        return 0;
    if (named)
        return set_explicit(draft, inputs, arena, err);
    if (!config->external_cloud)
        return set_found(draft, inputs, arena, err);
    /* The others are the cloud's to tell. */
    begin(&draft->status, arena);
    add(&draft->status, "Hostname", config->node_name);
    return 0;
}
