/* Finding nodeagent-cni in what containerd says of its networks. */
#include "network-list.h"

#include "nodeagent/cni.h"

#include <string.h>

static bool parse(const char *text, size_t length, struct arena *arena, const struct json **root)
{
    struct json_findings findings;
    struct json *parsed;
    struct err err;

    if (json_parse(arena, text, length, &json_limits_manifest, &findings, &parsed, &err) < 0)
        return false;
    *root = parsed;
    return parsed->type == JSON_OBJECT;
}

static const struct json *get_list(const struct json *object, const char *name)
{
    const struct json *value = object ? json_get(object, name) : NULL;

    return value && value->type == JSON_ARRAY ? value : NULL;
}

static const char *join_directories(const struct json *directories, struct arena *arena)
{
    const char *path = "";

    for (uint32_t i = 0; directories && i < directories->length; i++) {
        const struct json *item = &directories->items[i];

        if (item->type == JSON_STRING)
            path = arena_printf(arena, "%s%s%.*s", path, *path ? ":" : "", (int)item->length,
                                item->text);
    }
    return *path ? path : CNI_BIN_DIR;
}

/* The plugin as it was written, if this one is nodeagent-cni. */
static const struct json *own_object(const struct json *plugin, struct arena *arena)
{
    const struct json *network = json_get(plugin, "Network"), *source, *object = NULL;
    const struct json *type = network ? json_get_string(network, "type") : NULL;

    source = json_get_string(plugin, "Source");
    if (!type || !json_text_is(type, CNI_PROGRAM) || !source ||
        !parse(source->text, source->length, arena, &object))
        return NULL;
    return object;
}

static bool take_network(struct network_list *list, const struct json *network, struct arena *arena)
{
    const struct json *config = json_get(network, "Config"), *plugins = get_list(config, "Plugins");

    if (!plugins || !plugins->length)
        return false;
    list->plugin = own_object(&plugins->items[0], arena);
    if (!list->plugin)
        return false;
    list->name = json_get_text(config, "Name", CNI_PROGRAM, arena);
    list->version = json_get_text(config, "CNIVersion", CNI_VERSION_NEWEST, arena);
    list->ifname = json_get_text(network, "IFName", "eth0", arena);
    list->conf_dir = json_get_text(list->plugin, "confDir", CNI_CONF_DIR, arena);
    return true;
}

bool network_list_read(struct network_list *list, const char *status, struct arena *arena)
{
    const struct json *root, *networks;

    *list = (struct network_list){0};
    if (!status || !parse(status, strlen(status), arena, &root))
        return false;
    networks = get_list(root, "Networks");
    for (uint32_t i = 0; networks && i < networks->length; i++)
        if (take_network(list, &networks->items[i], arena)) {
            list->path = join_directories(get_list(root, "PluginDirs"), arena);
            return true;
        }
    return false;
}

void network_list_begin(const struct network_list *list, struct json_writer *writer)
{
    static const char *const set_here[] = {"cniVersion", "name", "report", NULL};

    json_write_object(writer);
    json_write_string_member(writer, "cniVersion", list->version);
    json_write_string_member(writer, "name", list->name);
    json_write_bool_member(writer, "report", true);
    for (uint32_t i = 0; i < list->plugin->length; i++) {
        const struct json_member *member = &list->plugin->members[i];
        _cleanup_(strbuf_deinit) struct strbuf name = STRBUF_INIT;

        strbuf_add_bytes(&name, member->name, member->name_length);
        if (str_one_of(name.text ? name.text : "", set_here))
            continue;
        json_write_name(writer, name.text ? name.text : "");
        json_write_value(writer, &member->value);
    }
}
