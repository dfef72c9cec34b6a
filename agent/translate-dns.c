/* The DNS of a pod: by its policy from the cluster's or the node's, then what the pod adds. */
#include "nodeagent/objects/names.h"
#include "translate-internal.h"

#include <string.h>

enum {
    /* What resolvers take; the API's validation has the same. */
    DNS_SERVERS_MAX = 3,
    DNS_SEARCHES_MAX = 32,
    DNS_SEARCH_BYTES_MAX = 253, /* of one: beyond it old C libraries abort */
    DNS_SEARCH_LINE_MAX = 2048,
};

static const char *join(struct arena *arena, const struct string_list *list)
{
    struct strbuf text = STRBUF_INIT;
    const char *result;

    for (size_t i = 0; i < list->count; i++)
        strbuf_printf(&text, "%s%s", i ? " " : "", list->items[i]);
    result = arena_strndup(arena, text.text ? text.text : "", text.length);
    strbuf_deinit(&text);
    return result;
}

static void add_new(struct arena *arena, struct string_list *list, const struct string_list *more)
{
    for (size_t i = 0; i < more->count; i++)
        if (!string_list_has(list, more->items[i]))
            strings_add(arena, list, more->items[i]);
}

/* bases */

static void use_cluster(const struct translation *translation, const struct resolv_conf *host,
                        struct resolv_conf *dns)
{
    const struct config *config = translation->node->config;
    struct arena *arena = translation->arena;

    dns->servers = config->cluster_dns;
    dns->searches = (struct string_list){0};
    if (!str_empty(config->cluster_domain)) {
        strings_add(arena, &dns->searches,
                    arena_printf(arena, "%s.svc.%s", translation->pod->object.metadata.name_space,
                                 config->cluster_domain));
        strings_add(arena, &dns->searches, arena_printf(arena, "svc.%s", config->cluster_domain));
        strings_add(arena, &dns->searches, config->cluster_domain);
        add_new(arena, &dns->searches, &host->searches);
    } else {
        dns->searches = host->searches;
    }
    strings_add(arena, &dns->options, "ndots:5");
}

/* A node that names no file has no DNS: look-ups shall fail at once, on the pod itself. */
static void use_nothing(const struct translation *translation, struct resolv_conf *dns)
{
    const struct string_list *addresses = &translation->node->addresses;

    for (size_t i = 0; i < addresses->count; i++)
        strings_add(translation->arena, &dns->servers,
                    ip_is_v6(addresses->items[i]) ? "::1" : "127.0.0.1");
    if (!dns->servers.count)
        strings_add(translation->arena, &dns->servers, "127.0.0.1");
    strings_add(translation->arena, &dns->searches, ".");
}

static void use_host(const struct translation *translation, const struct resolv_conf *host,
                     struct resolv_conf *dns)
{
    if (str_empty(translation->node->config->resolv_conf)) {
        use_nothing(translation, dns);
        return;
    }
    dns->servers = host->servers;
    dns->searches = host->searches;
    for (size_t i = 0; i < host->options.count; i++)
        strings_add(translation->arena, &dns->options, host->options.items[i]);
}

static void use_policy(const struct translation *translation, const struct resolv_conf *host,
                       struct resolv_conf *dns, struct string_map *warnings)
{
    const struct pod_spec *spec = &translation->pod->spec;
    const char *policy = spec->dns_policy;
    bool first = str_equal(policy, "ClusterFirst");

    if (str_equal(policy, "None"))
        return;
    if (str_equal(policy, "Default") || (first && spec->host_network)) {
        use_host(translation, host, dns);
    } else if (translation->node->config->cluster_dns.count) {
        use_cluster(translation, host, dns);
    } else {
        use_host(translation, host, dns);
        pairs_add(translation->arena, warnings, "MissingClusterDNS",
                  arena_printf(translation->arena,
                               "pod: \"%s\". kubelet does not have ClusterDNS IP configured and "
                               "cannot create Pod using \"ClusterFirst\" policy. Falling back to "
                               "\"Default\" policy.",
                               translate_pod_name(translation)));
    }
}

/* additions */

static void add_own(const struct translation *translation, struct resolv_conf *dns)
{
    const struct dns_config *own = translation->pod->spec.dns_config;
    struct arena *arena = translation->arena;
    struct resolv_conf base = *dns;

    if (!own)
        return;
    dns->servers = dns->searches = (struct string_list){0};
    add_new(arena, &dns->servers, &base.servers);
    add_new(arena, &dns->servers, &own->nameservers);
    add_new(arena, &dns->searches, &base.searches);
    add_new(arena, &dns->searches, &own->searches);
    array_for_each (option, own->options) {
        const char *text = option->name;

        if (!str_empty(option->value))
            text = arena_printf(arena, "%s:%s", option->name, option->value);
        options_merge(arena, &dns->options, text);
    }
}

/* limits */

static void warn(const struct translation *translation, struct string_map *warnings,
                 const char *begin, const struct string_list *applied)
{
    pairs_add(translation->arena, warnings, "DNSConfigForming",
              arena_printf(translation->arena, "%s%s", begin, join(translation->arena, applied)));
}

static void limit_servers(const struct translation *translation, struct string_list *servers,
                          struct string_map *warnings)
{
    if (servers->count <= DNS_SERVERS_MAX)
        return;
    servers->count = DNS_SERVERS_MAX;
    warn(translation, warnings,
         "Nameserver limits were exceeded, some nameservers have been omitted, the applied "
         "nameserver line is: ",
         servers);
}

static void limit_searches(const struct translation *translation, struct string_list *searches,
                           struct string_map *warnings)
{
    struct string_list kept = {0};
    size_t line = 0;

    for (size_t i = 0; i < MIN(searches->count, (size_t)DNS_SEARCHES_MAX); i++)
        if (strlen(searches->items[i]) <= DNS_SEARCH_BYTES_MAX)
            strings_add(translation->arena, &kept, searches->items[i]);
    for (size_t i = 0; i < kept.count; i++) {
        line += strlen(kept.items[i]) + (i ? 1 : 0);
        if (line > DNS_SEARCH_LINE_MAX)
            kept.count = i;
    }
    if (kept.count < searches->count)
        warn(translation, warnings,
             "Search Line limits were exceeded, some search paths have been omitted, the applied "
             "search line is: ",
             &kept);
    *searches = kept;
}

Cri__DNSConfig *translate_dns(const struct translation *translation, const struct resolv_conf *host,
                              struct string_map *warnings)
{
    Cri__DNSConfig *message = message_new(translation->arena, &cri__dnsconfig__descriptor);
    struct resolv_conf dns = {0};

    *warnings = (struct string_map){0};
    use_policy(translation, host, &dns, warnings);
    add_own(translation, &dns);
    limit_servers(translation, &dns.servers, warnings);
    limit_searches(translation, &dns.searches, warnings);
    message->n_servers = dns.servers.count;
    message->servers = wire_texts(&dns.servers);
    message->n_searches = dns.searches.count;
    message->searches = wire_texts(&dns.searches);
    message->n_options = dns.options.count;
    message->options = wire_texts(&dns.options);
    return message;
}
