/* The node's name and addresses, and paths: what is known of the machine rather than of a text. */
#include "config-private.h"
#include "nodeagent/objects/names.h"
#include "nodeagent/sys/log.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

/* paths */

const char *config_clean_path(struct arena *arena, const char *directory, const char *path)
{
    char current[PATH_MAX], *clean, *end;

    if (!*path)
        return path;
    if (!directory)
        directory = getcwd(current, sizeof(current)) ? current : "/";
    path = arena_printf(arena, "%s/%s", *path == '/' ? "" : directory, path);
    end = clean = arena_alloc(arena, strlen(path) + 2);
    while (*path) {
        size_t length = strcspn(path, "/");

        if (length == 2 && !strncmp(path, "..", 2)) {
            while (end > clean && *--end != '/')
                ;
        } else if (length && !(length == 1 && *path == '.')) {
            *end++ = '/';
            memcpy(end, path, length);
            end += length;
        }
        path += length + (path[length] == '/');
    }
    if (end == clean)
        *end++ = '/';
    *end = '\0';
    return clean;
}

/* names */

static char *trimmed(struct arena *arena, const char *text)
{
    size_t length = strlen(text);

    while (length && isspace((unsigned char)text[length - 1]))
        length--;
    while (length && isspace((unsigned char)*text)) {
        text++;
        length--;
    }
    return arena_strndup(arena, text, length);
}

int config_node_name(const struct config_reader *reader, const char **name, struct err *err)
{
    const char *override = config_value_of(reader, "hostname-override")->text, *complaint;
    char host[HOST_NAME_MAX + 1] = "", *text;

    if (!*override && gethostname(host, sizeof(host)) < 0)
        return err_set(err, -errno, "couldn't determine hostname: %m");
    text = trimmed(reader->arena, *override ? override : host);
    if (!*text)
        return err_set(err, -EINVAL, "empty hostname is invalid; set --hostname-override");
    for (char *c = text; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    complaint = name_check_subdomain(text);
    if (complaint)
        return err_set(err, -EINVAL, "the node's name \"%.64s\" %s; set %s", text, complaint,
                       *override ? "another --hostname-override" : "--hostname-override");
    *name = text;
    return 0;
}

/* addresses */

struct address {
    int family;
    bool unspecified;
};

static bool parse_address(const char *text, struct address *address)
{
    unsigned char bytes[sizeof(struct in6_addr)] = {0};

    address->family = strchr(text, ':') ? AF_INET6 : AF_INET;
    if (inet_pton(address->family, text, bytes) != 1)
        return false;
    address->unspecified = true;
    for (size_t i = 0; i < sizeof(bytes); i++)
        address->unspecified = address->unspecified && !bytes[i];
    return true;
}

int config_node_addresses(const struct config_reader *reader, struct string_list *addresses,
                          struct err *err)
{
    const char *text = config_value_of(reader, "node-ip")->text, *rest = text;
    struct address address, first = {0};

    *addresses = (struct string_list){0};
    while (*rest) {
        size_t length = strcspn(rest, ",");
        const char *item = trimmed(reader->arena, arena_strndup(reader->arena, rest, length));

        rest += length + (rest[length] == ',');
        if (!parse_address(item, &address)) {
            log_warning("--node-ip: \"%.64s\" is no IP address; it is ignored", item);
            continue;
        }
        if (addresses->count > 1 || (addresses->count && first.family == address.family))
            return err_set(err, -EINVAL,
                           "bad --node-ip \"%.128s\": must contain either a single IP or a "
                           "dual-stack pair of IPs",
                           text);
        if (addresses->count && (first.unspecified || address.unspecified))
            return err_set(err, -EINVAL,
                           "bad --node-ip \"%.128s\": dual-stack node IP cannot include "
                           "'0.0.0.0' or '::'",
                           text);
        if (!addresses->count)
            first = address;
        config_list_add(reader->arena, addresses, item);
    }
    return 0;
}

void config_cluster_dns(const struct config_reader *reader, struct string_list *servers)
{
    const struct string_list *given = &config_value_of(reader, "clusterDNS")->list;
    struct address address;

    *servers = (struct string_list){0};
    for (size_t i = 0; i < given->count; i++) {
        if (!parse_address(given->items[i], &address))
            log_warning("clusterDNS (--cluster-dns): \"%.64s\" is no IP address; it is ignored",
                        given->items[i]);
        else if (!config_list_add(reader->arena, servers, given->items[i]))
            break;
    }
}
