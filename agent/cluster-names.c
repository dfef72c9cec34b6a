/* Whom the node's serving certificate is to speak for. */
#include "cluster-private.h"

#include <arpa/inet.h>

static bool is_address(const char *text)
{
    unsigned char bytes[sizeof(struct in6_addr)];

    return inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1;
}

/* In the place of the list; the last is NULL. */
static void sort_and_end(struct string_list *list)
{
    size_t kept = 0;

    strings_sort(list->items, list->count);
    for (size_t i = 0; i < list->count; i++)
        if (!kept || !str_equal(list->items[i], list->items[kept - 1]))
            list->items[kept++] = list->items[i];
    list->items[kept] = NULL;
}

/* Nobody signs a certificate without an IP address. */
const char *const *agent_node_names(struct agent *agent, struct arena *arena)
{
    struct object *seen = agent->cluster ? cluster_node_seen(agent->cluster) : NULL;
    struct string_list names = {0};
    bool reachable = false;

    if (!seen)
        return NULL;
    names.items = arena_array(arena, const char *, node_of(seen)->status.addresses.count + 1);
    array_for_each (address, node_of(seen)->status.addresses) {
        if (str_empty(address->address))
            continue;
        names.items[names.count++] = arena_strdup(arena, address->address);
        reachable = reachable || is_address(address->address);
    }
    if (!reachable)
        return NULL;
    sort_and_end(&names);
    return names.items;
}
