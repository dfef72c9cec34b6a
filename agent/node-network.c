/* The addresses of the machine, and which of them its default route uses. */
#include "node-network.h"

#include "nodeagent/base/str.h"
#include "nodeagent/sys/files.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <net/route.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ROUTES_BYTES_MAX = 1 << 20, /* of a node whose CNI has a route for each pod and each node */
};

/* texts */

struct ip {
    unsigned char bytes[16];
    int family;
};

static bool ip_parse(const char *text, struct ip *ip)
{
    ip->family = address_is_v6(text) ? AF_INET6 : AF_INET;
    return inet_pton(ip->family, text, ip->bytes) == 1;
}

const char *address_canonical(const char *text, struct arena *arena)
{
    char canonical[INET6_ADDRSTRLEN];
    struct ip ip;

    if (!ip_parse(text, &ip) || !inet_ntop(ip.family, ip.bytes, canonical, sizeof(canonical)))
        return NULL;
    return arena_strdup(arena, canonical);
}

bool address_is_v6(const char *address)
{
    return strchr(address, ':');
}

static bool is_unspecified(const struct ip *ip)
{
    static const unsigned char none[16];

    return !memcmp(ip->bytes, none, ip->family == AF_INET ? 4 : 16);
}

const char *address_complaint(const char *address)
{
    struct in6_addr v6;
    struct ip ip;

    if (!ip_parse(address, &ip))
        return "no IP address";
    if (is_unspecified(&ip))
        return "an all zeros address";
    memcpy(&v6, ip.bytes, sizeof(v6));
    if (ip.family == AF_INET ? ip.bytes[0] == 127 : IN6_IS_ADDR_LOOPBACK(&v6))
        return "a loopback address";
    if (ip.family == AF_INET ? (ip.bytes[0] & 0xf0) == 0xe0 : IN6_IS_ADDR_MULTICAST(&v6))
        return "a multicast address";
    if (ip.family == AF_INET ? ip.bytes[0] == 169 && ip.bytes[1] == 254
                             : IN6_IS_ADDR_LINKLOCAL(&v6))
        return "a link-local unicast address";
    return NULL;
}

bool node_ip_is_explicit(const struct string_list *node_ip)
{
    struct ip ip;

    return node_ip->count && !(ip_parse(node_ip->items[0], &ip) && is_unspecified(&ip));
}

bool node_prefers_v6(const struct string_list *node_ip)
{
    return node_ip->count && address_is_v6(node_ip->items[0]);
}

/* interfaces */

static bool take_address(struct interface_address *one, const struct ifaddrs *from,
                         struct arena *arena)
{
    char text[INET6_ADDRSTRLEN];
    int family = from->ifa_addr ? from->ifa_addr->sa_family : AF_UNSPEC;
    const void *bytes;

    if (family == AF_INET)
        bytes = &((const struct sockaddr_in *)from->ifa_addr)->sin_addr;
    else if (family == AF_INET6)
        bytes = &((const struct sockaddr_in6 *)from->ifa_addr)->sin6_addr;
    else
        return false;
    if (!inet_ntop(family, bytes, text, sizeof(text)))
        return false;
    *one = (struct interface_address){
        .interface = arena_strdup(arena, from->ifa_name),
        .address = arena_strdup(arena, text),
        .v6 = family == AF_INET6,
        .usable = from->ifa_flags & IFF_UP && !(from->ifa_flags & IFF_LOOPBACK) &&
                  !address_complaint(text),
    };
    return true;
}

static void read_interfaces(struct node_network *network, struct arena *arena)
{
    struct ifaddrs *all;
    size_t count = 0;

    if (getifaddrs(&all) < 0)
        return;
    for (const struct ifaddrs *one = all; one && count < INTERFACE_ADDRESSES_MAX;
         one = one->ifa_next)
        count++;
    network->addresses.items = arena_array(arena, struct interface_address, count);
    for (const struct ifaddrs *one = all; count--; one = one->ifa_next)
        if (take_address(&network->addresses.items[network->addresses.count], one, arena))
            network->addresses.count++;
    freeifaddrs(all);
}

/* routes */

static const char *usable_of(const struct node_network *network, const char *interface, bool v6)
{
    array_for_each (one, network->addresses)
        if (one->usable && one->v6 == v6 && (!interface || str_equal(one->interface, interface)))
            return one->address;
    return NULL;
}

/* "eth0 00000000 0102A8C0 0003 0 0 100 00000000 ...": all numbers are hexadecimal. */
static bool default_v4(const char *line, char interface[IF_NAMESIZE])
{
    unsigned to, flags, mask;

    return sscanf(line, "%15s %x %*x %x %*d %*d %*d %x", interface, &to, &flags, &mask) == 4 &&
           !to && !mask && flags & RTF_UP;
}

/* Destination, its length, source, its length, gateway, metric, two counters, flags, interface. */
static bool default_v6(const char *line, char interface[IF_NAMESIZE])
{
    static const char none[] = "00000000000000000000000000000000";
    char to[sizeof(none)];
    unsigned length, flags;

    return sscanf(line, "%32s %x %*s %*x %*s %*x %*x %*x %x %15s", to, &length, &flags,
                  interface) == 4 &&
           !strcmp(to, none) && !length && flags & RTF_UP && !(flags & RTF_REJECT);
}

/* The kernel lists routes of one destination by their metric. */
static const char *gateway(const struct node_network *network, const char *path, bool v6,
                           struct arena *arena)
{
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;
    const char *address = NULL;
    struct err ignored;
    char *rest, *line;

    if (file_read(path, ROUTES_BYTES_MAX, &text, &ignored) < 0 || !text.text)
        return NULL;
    for (line = strtok_r(text.text, "\n", &rest); line && !address;
         line = strtok_r(NULL, "\n", &rest)) {
        char interface[IF_NAMESIZE];

        if (v6 ? default_v6(line, interface) : default_v4(line, interface))
            address = usable_of(network, interface, v6);
    }
    return address;
}

void node_network_read_routes(struct node_network *network, const char *root, struct arena *arena)
{
    network->gateway_v4 =
        gateway(network, arena_printf(arena, "%s/proc/net/route", root), false, arena);
    network->gateway_v6 =
        gateway(network, arena_printf(arena, "%s/proc/net/ipv6_route", root), true, arena);
}

void node_network_read(struct node_network *network, const char *root, struct arena *arena)
{
    *network = (struct node_network){0};
    read_interfaces(network, arena);
    node_network_read_routes(network, root, arena);
}

const char *node_network_address(const struct node_network *network, bool v6)
{
    const char *address = v6 ? network->gateway_v6 : network->gateway_v4;

    return address ? address : usable_of(network, NULL, v6);
}
