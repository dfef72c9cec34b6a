/* nodeagent cni list: the networks that are configured, and what is attached to networks. */
#include "cni.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    ID_SHOWN = 13, /* characters, as crictl cuts ids */
};

struct listing {
    const struct cni_command *command;
    struct arena *arena;
    struct cni_networks networks;
    struct cni_entries entries;
};

/* attachments in words */

/* The value of a name in "K=V;K=V", or NULL. */
static const char *find_arg(const char *args, const char *name, struct arena *arena)
{
    size_t length = strlen(name);

    while (args && *args) {
        size_t pair = strcspn(args, ";");

        if (pair > length && args[length] == '=' && !strncmp(args, name, length))
            return arena_strndup(arena, args + length + 1, pair - length - 1);
        args += pair;
        args += *args == ';';
    }
    return NULL;
}

const char *cni_entry_pod(const struct cni_entry *entry, struct arena *arena)
{
    const char *name_space = find_arg(entry->args, "K8S_POD_NAMESPACE", arena);
    const char *name = find_arg(entry->args, "K8S_POD_NAME", arena);

    if (!name_space || !name)
        return NULL;
    return arena_printf(arena, "%s/%s", name_space, name);
}

static struct cni_addresses addresses_of(const struct listing *listing,
                                         const struct cni_entry *entry)
{
    struct cni_addresses addresses = {0};

    if (entry->result)
        cni_result_addresses(entry->result, entry->ifname, listing->arena, &addresses);
    return addresses;
}

static int compare_entries(const void *a, const void *b)
{
    const struct cni_entry *one = a, *two = b;
    int order = strcmp(one->network, two->network);

    if (!order)
        order = strcmp(one->container_id, two->container_id);
    return order ? order : strcmp(one->ifname, two->ifname);
}

/* tables */

static void add_or_none(struct table *table, const char *text)
{
    table_cell(table, COLOUR_NONE, str_empty(text) ? "<none>" : text);
}

static void add_joined(struct table *table, const struct cni_addresses *addresses)
{
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;

    array_for_each (address, addresses->items)
        strbuf_printf(&text, "%s%s", text.length ? "," : "", *address);
    add_or_none(table, text.text);
}

static void add_attachment(struct table *table, const struct listing *listing,
                           const struct cni_entry *entry)
{
    const struct cni_addresses addresses = addresses_of(listing, entry);
    bool wide = listing->command->wide, gone = cni_netns_is_gone(entry->netns);

    table_cell(table, COLOUR_NONE, entry->network);
    table_cell(table, COLOUR_NONE,
               wide ? entry->container_id
                    : arena_strndup(listing->arena, entry->container_id,
                                    strnlen(entry->container_id, ID_SHOWN)));
    table_cell(table, COLOUR_NONE, entry->ifname);
    add_or_none(table, cni_entry_pod(entry, listing->arena));
    add_joined(table, &addresses);
    table_cell(table, entry->result && !entry->deleting ? COLOUR_GREEN : COLOUR_YELLOW,
               entry->deleting ? "deleting"
               : entry->result ? "attached"
                               : "incomplete");
    table_cell(table, gone ? COLOUR_YELLOW : COLOUR_NONE, gone ? "gone" : "there");
    table_cell(table, COLOUR_NONE, entry->ours ? "nodeagent" : "other");
    if (wide)
        add_or_none(table, entry->netns);
}

static void show_attachments(const struct listing *listing, struct strbuf *out)
{
    static const char *const wide[] = {"NETWORK",    "CONTAINER", "INTERFACE", "POD",
                                       "ADDRESSES",  "STATE",     "NETNS",     "WRITTEN-BY",
                                       "NETNS-PATH", NULL};
    static const char *const headers[] = {"NETWORK", "CONTAINER", "INTERFACE",  "POD", "ADDRESSES",
                                          "STATE",   "NETNS",     "WRITTEN-BY", NULL};
    _cleanup_(table_deinit) struct table table;

    table_init(&table, listing->command->wide ? wide : headers);
    array_for_each (entry, listing->entries.items)
        add_attachment(&table, listing, entry);
    strbuf_add(out, out->length ? "\n" : "");
    table_write(&table, true, out);
}

static const char *join_types(const struct cni_network *network, struct arena *arena)
{
    const char *types = "";

    array_for_each (plugin, network->plugins)
        types = arena_printf(arena, "%s%s%s", types, *types ? "," : "", plugin->type);
    return types;
}

static void show_networks(const struct listing *listing, struct strbuf *out)
{
    static const char *const headers[] = {"NETWORK", "CNI", "COUNTS", "PLUGINS", "FILE", NULL};
    const struct cni_network *first = cni_networks_first(&listing->networks);
    _cleanup_(table_deinit) struct table table;

    table_init(&table, headers);
    array_for_each (network, listing->networks.items) {
        table_cell(&table, COLOUR_NONE, (*network)->name);
        table_cell(&table, COLOUR_NONE, (*network)->version);
        table_cell(&table, COLOUR_NONE, *network == first ? "yes" : "no");
        table_cell(&table, COLOUR_NONE, join_types(*network, listing->arena));
        table_cell(&table, COLOUR_NONE, (*network)->place);
    }
    table_write(&table, true, out);
}

/* What does not fit into tables. */
static void tell_problems(const struct listing *listing)
{
    struct err err;

    cni_tell_problems(listing->command, &listing->networks);
    array_for_each (name, listing->entries.unreadable) {
        err_set(&err, -EINVAL, "%s/results/%s: is no record of an attachment",
                listing->command->setup.cache_dir, *name);
        show_failure(listing->command->name, &err);
    }
}

/* JSON */

static void write_network(struct json_writer *writer, const struct cni_network *network,
                          bool counts)
{
    json_write_object(writer);
    show_member(writer, "name", network->name);
    show_member(writer, "cniVersion", network->version);
    show_member_bool(writer, "counts", counts);
    json_write_name(writer, "plugins");
    json_write_array(writer);
    array_for_each (plugin, network->plugins)
        json_write_string(writer, plugin->type);
    json_write_array_end(writer);
    show_member_quoted(writer, "file", network->place);
    json_write_object_end(writer);
}

static void write_attachment(struct json_writer *writer, const struct listing *listing,
                             const struct cni_entry *entry)
{
    const struct cni_addresses addresses = addresses_of(listing, entry);

    json_write_object(writer);
    show_member(writer, "network", entry->network);
    show_member(writer, "containerId", entry->container_id);
    show_member(writer, "ifName", entry->ifname);
    show_member(writer, "pod", cni_entry_pod(entry, listing->arena));
    json_write_name(writer, "addresses");
    json_write_array(writer);
    array_for_each (address, addresses.items)
        json_write_string(writer, *address);
    json_write_array_end(writer);
    show_member_bool(writer, "complete", entry->result != NULL);
    show_member_bool(writer, "deleting", entry->deleting);
    show_member(writer, "netns", entry->netns);
    show_member_bool(writer, "netnsGone", cni_netns_is_gone(entry->netns));
    show_member_bool(writer, "ours", entry->ours);
    show_member_quoted(writer, "file", entry->file);
    json_write_object_end(writer);
}

static void write_listing(const struct listing *listing, struct strbuf *out)
{
    const struct cni_networks *networks = &listing->networks;
    const struct cni_network *first = cni_networks_first(networks);
    _cleanup_(strbuf_deinit) struct strbuf json = STRBUF_INIT;
    struct json_writer writer;

    json_writer_init(&writer, &json, true);
    json_write_object(&writer);
    json_write_name(&writer, "networks");
    json_write_array(&writer);
    array_for_each (network, networks->items)
        write_network(&writer, *network, *network == first);
    json_write_array_end(&writer);
    show_member_strings(&writer, "problems", (const char *const *)networks->problems.items,
                        networks->problems.count);
    json_write_name(&writer, "attachments");
    json_write_array(&writer);
    array_for_each (entry, listing->entries.items)
        write_attachment(&writer, listing, entry);
    json_write_array_end(&writer);
    show_member_strings(&writer, "unreadable", listing->entries.unreadable.items,
                        listing->entries.unreadable.count);
    json_write_object_end(&writer);
    json_writer_deinit(&writer);
    show_json_text(out, &json);
}

/* both */

static void show_listing(const struct listing *listing, struct strbuf *out)
{
    if (listing->command->json) {
        write_listing(listing, out);
        return;
    }
    if (listing->networks.items.count)
        show_networks(listing, out);
    if (listing->entries.items.count)
        show_attachments(listing, out);
    tell_problems(listing);
}

int cni_command_list(struct cni_command *command)
{
    struct listing listing = {.command = command, .arena = &command->arena};
    _cleanup_(strbuf_deinit) struct strbuf out = STRBUF_INIT;
    struct err err;
    int r = cni_networks_load(&listing.networks, command->conf_dir, &err);

    if (r == 0)
        r = cni_entries_load(command->setup.cache_dir, listing.arena, &listing.entries, &err);
    if (r == 0) {
        if (listing.entries.items.count)
            qsort(listing.entries.items.items, listing.entries.items.count,
                  sizeof(struct cni_entry), compare_entries);
        show_listing(&listing, &out);
        show_buffer(&out);
    } else {
        show_failure(command->name, &err);
    }
    cni_networks_deinit(&listing.networks);
    return r < 0 ? EXIT_UNABLE : EXIT_GOOD;
}
