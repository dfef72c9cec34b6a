/*
 * One network: reading a file of configuration, and saying all of it in one list.
 *
 * A plugin's object is kept as it was written and spliced into requests, so that numbers reach the
 * plugin digit for digit.
 */
#include "config.h"
#include "names.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/sys/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

struct reading {
    struct cni_network *network;
    struct document document;
    struct err *err;
    size_t space; /* of the plugins */
    bool only_inlined;
};

#define failed(reading, value, ...)                                                                \
    document_failed(&(reading)->document, (value), (reading)->err, __VA_ARGS__)

/* members of a network */

/* `where` is the object when the name is missing. */
static int read_name(struct reading *reading, const struct json *name, const struct json *where)
{
    struct cni_network *network = reading->network;
    const char *complaint;

    if (!name)
        return failed(reading, where, "the network has no \"name\"");
    network->name = json_take_string(name, &network->arena);
    if (!network->name)
        return failed(reading, name, "name must be a string, but is %s", json_type_name(name));
    complaint = cni_name_check(network->name);
    return complaint ? failed(reading, name, "name %s", complaint) : 0;
}

/* Offers one version; the highest that is implemented here counts. */
static int offer_version(struct reading *reading, const struct json *value, const char *name)
{
    struct cni_network *network = reading->network;
    const char *version = json_take_string(value, &network->arena);
    int64_t number = version ? cni_version_number(version) : -EINVAL;

    if (version && !*version)
        version = cni_versions[0];
    else if (number < 0)
        return failed(reading, value, "%s must be a version such as \"1.0.0\"", name);
    if (cni_version_known(version) &&
        (!network->version || cni_version_at_least(version, network->version)))
        network->version = version;
    return 0;
}

static int read_versions(struct reading *reading, const struct json *version,
                         const struct json *versions)
{
    struct cni_network *network = reading->network;

    if (version) {
        int r = offer_version(reading, version, "cniVersion");

        if (r < 0)
            return r;
    }
    if (versions && versions->type == JSON_ARRAY) {
        json_for_each (item, versions) {
            int r = offer_version(reading, item, "cniVersions");

            if (r < 0)
                return r;
        }
    } else if (versions && versions->type != JSON_NULL) {
        return failed(reading, versions, "cniVersions must be a list of versions");
    }
    if (!network->version && !version)
        network->version = cni_versions[0];
    if (!network->version)
        return failed(reading, version, "cniVersion is none of those known here: 0.1.0 to %s",
                      CNI_VERSION_NEWEST);
    return 0;
}

/* libcni takes words too. */
static int read_flag(struct reading *reading, const char *name, bool *flag)
{
    const struct json *value = json_get(reading->document.root, name);
    const char *word = json_take_string(value, &reading->network->arena);

    if (!value)
        return 0;
    if (value->type == JSON_BOOL)
        *flag = value->boolean;
    else if (word && (!strcasecmp(word, "true") || !strcasecmp(word, "false")))
        *flag = !strcasecmp(word, "true");
    else
        return failed(reading, value, "%s must be true or false", name);
    return 0;
}

/* members of a plugin */

/* Delegates are programs too. */
static int check_delegate(struct reading *reading, const struct json *plugin, const char *name)
{
    const struct json *delegate = json_get_any_case(plugin, name);
    const struct json *type = delegate ? json_get_any_case(delegate, "type") : NULL;
    const char *program = json_take_string(type, &reading->network->arena), *complaint;

    if (!type || (type->type == JSON_STRING && !type->length))
        return 0;
    complaint = program ? cni_type_check(program) : "must be a string";
    return complaint ? failed(reading, type, "%s.type %s", name, complaint) : 0;
}

static int read_capabilities(struct reading *reading, struct cni_plugin *plugin)
{
    const struct json *capabilities = json_get_any_case(plugin->config, "capabilities");

    if (!capabilities || capabilities->type == JSON_NULL)
        return 0;
    if (capabilities->type != JSON_OBJECT)
        return failed(reading, capabilities, "capabilities must be an object, but is %s",
                      json_type_name(capabilities));
    json_for_each_member (member, capabilities)
        if (member->value.type != JSON_BOOL)
            return failed(reading, &member->value, "capabilities.%.*s must be true or false",
                          (int)member->name_length, member->name);
    plugin->capabilities = capabilities;
    return 0;
}

static int add_plugin(struct reading *reading, const struct json *config)
{
    static const char *const delegates[] = {"ipam", "delegate"};
    struct cni_network *network = reading->network;
    struct cni_plugin plugin = {.config = config};
    const struct json *type;
    const char *complaint;
    int r;

    if (config->type != JSON_OBJECT)
        return failed(reading, config, "a plugin must be an object, but is %s",
                      json_type_name(config));
    type = json_get_any_case(config, "type");
    if (!type)
        return failed(reading, config, "the plugin has no \"type\"");
    plugin.type = json_take_string(type, &network->arena);
    complaint = plugin.type ? cni_type_check(plugin.type) : "must be a string";
    if (complaint)
        return failed(reading, type, "type %s", complaint);
    for (size_t i = 0; i < array_size(delegates); i++) {
        r = check_delegate(reading, config, delegates[i]);
        if (r < 0)
            return r;
    }
    r = read_capabilities(reading, &plugin);
    if (r < 0)
        return r;
    if (network->plugins.count == CNI_PLUGINS_MAX)
        return failed(reading, config, "the network has more than %d plugins", CNI_PLUGINS_MAX);
    network->plugins.items = mem_grow(network->plugins.items, network->plugins.count,
                                      &reading->space, sizeof(*network->plugins.items));
    network->plugins.items[network->plugins.count++] = plugin;
    return 0;
}

/* files */

static int parse_object(struct reading *reading, const char *place, const char *text, size_t length)
{
    struct arena *arena = &reading->network->arena;
    int r;

    if (length > CNI_CONFIG_BYTES_MAX)
        return err_set(reading->err, -EFBIG, "%s: has more than the %d bytes allowed", place,
                       CNI_CONFIG_BYTES_MAX);
    r = document_parse(&reading->document, arena, arena_strdup(arena, place), text, length,
                       reading->err);
    if (r == 0 && reading->document.root->type != JSON_OBJECT)
        r = failed(reading, reading->document.root, "must be an object, but is %s",
                   json_type_name(reading->document.root));
    return r;
}

static int read_list(struct reading *reading)
{
    const struct json *root = reading->document.root, *plugins = json_get(root, "plugins");
    struct cni_network *network = reading->network;
    int r = read_name(reading, json_get(root, "name"), root);

    if (r == 0)
        r = read_versions(reading, json_get(root, "cniVersion"), json_get(root, "cniVersions"));
    if (r == 0)
        r = read_flag(reading, "disableCheck", &network->disable_check);
    if (r == 0)
        r = read_flag(reading, "disableGC", &network->disable_gc);
    if (r == 0)
        r = read_flag(reading, "loadOnlyInlinedPlugins", &reading->only_inlined);
    if (r < 0 || !plugins)
        return r;
    if (plugins->type != JSON_ARRAY || !plugins->length)
        return failed(reading, plugins, "plugins must be a list of at least one plugin");
    json_for_each (plugin, plugins) {
        r = add_plugin(reading, plugin);
        if (r < 0)
            return r;
    }
    return 0;
}

static int read_single(struct reading *reading)
{
    const struct json *root = reading->document.root;
    int r;

    if (!json_get_any_case(root, "type") && json_get(root, "plugins"))
        return failed(reading, root, "a list of plugins belongs into a file *.conflist");
    r = read_name(reading, json_get_any_case(root, "name"), root);
    if (r == 0)
        r = read_versions(reading, json_get_any_case(root, "cniVersion"), NULL);
    return r < 0 ? r : add_plugin(reading, root);
}

/* The whole network as one list: what is recorded, and needs no directory to be understood. */
static void write_text(struct reading *reading, const struct json *list)
{
    static const char *const written_below[] = {
        "name", "cniVersion", "cniVersions", "plugins", "loadOnlyInlinedPlugins", NULL,
    };
    struct cni_network *network = reading->network;
    struct json_writer writer;

    json_writer_init(&writer, &network->text, false);
    json_write_object(&writer);
    json_write_string_member(&writer, "cniVersion", network->version);
    json_write_string_member(&writer, "name", network->name);
    for (uint32_t i = 0; list && i < list->length; i++) {
        const char *name =
            arena_strndup(&network->arena, list->members[i].name, list->members[i].name_length);

        if (!str_one_of(name, written_below) && !member_is_overridden(list, &list->members[i]))
            json_write_member(&writer, &list->members[i]);
    }
    json_write_bool_member(&writer, "loadOnlyInlinedPlugins", true);
    json_write_name(&writer, "plugins");
    json_write_array(&writer);
    array_for_each (plugin, network->plugins)
        json_write_value(&writer, plugin->config);
    json_write_array_end(&writer);
    json_write_object_end(&writer);
    json_writer_deinit(&writer);
}

/* A writer of the file could run programs as root. */
static int check_owner(const char *path, struct err *err)
{
    struct stat status;

    if (stat(path, &status) < 0)
        return err_set(err, -errno, "cannot read %s: %s", path, strerror(errno));
    if (status.st_mode & S_IWOTH)
        return err_set(err, -EPERM, "%s can be written by everybody; chmod o-w makes it safe",
                       path);
    if (status.st_uid != 0 && status.st_uid != geteuid())
        return err_set(err, -EPERM, "%s belongs to user %u, not to root", path,
                       (unsigned)status.st_uid);
    return 0;
}

static int read_file(struct reading *reading, const char *path)
{
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;
    int r = check_owner(path, reading->err);

    if (r == 0)
        r = file_read(path, CNI_CONFIG_BYTES_MAX, &text, reading->err);
    return r < 0 ? r : parse_object(reading, path, text.text, text.length);
}

int config_directory_list(const char *path, struct arena *arena, struct directory_listing *listing,
                          struct err *err)
{
    _cleanup_(fd_close_at) int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int r;

    *listing = (struct directory_listing){0};
    if (directory < 0 && errno == ENOENT)
        return 0;
    if (directory < 0)
        return err_set(err, -errno, "cannot list %s: %s", path, strerror(errno));
    r = check_owner(path, err);
    return r < 0 ? r : directory_list(directory, ".", CNI_FILES_MAX, arena, listing, err);
}

/* The network's own directory beside its file. */
static int read_directory(struct reading *reading, const char *path)
{
    struct cni_network *network = reading->network;
    const char *slash = strrchr(path, '/');
    struct directory_listing listing;
    char *directory = arena_printf(&network->arena, "%.*s%s", (int)(slash ? slash - path + 1 : 0),
                                   path, network->name);
    int r = config_directory_list(directory, &network->arena, &listing, reading->err);

    for (size_t i = 0; r == 0 && i < listing.count; i++) {
        if (!str_has_suffix(listing.items[i].name, ".conf") || listing.items[i].type == DT_DIR)
            continue;
        r = read_file(reading,
                      arena_printf(&network->arena, "%s/%s", directory, listing.items[i].name));
        if (r == 0)
            r = add_plugin(reading, reading->document.root);
    }
    return r;
}

/* networks */

static void reading_begin(struct reading *reading, const char *place, struct err *err)
{
    struct cni_network *network = mem_new(struct cni_network);

    network->arena = ARENA_INIT_DOCUMENT;
    network->place = arena_strdup(&network->arena, place);
    *reading = (struct reading){.network = network, .err = err};
}

/* `r` is how reading went; `list` is the list as written, NULL for a single plugin. */
static int reading_end(struct reading *reading, int r, const struct json *list,
                       struct cni_network **network)
{
    if (r == 0 && !reading->network->plugins.count)
        r = err_set(reading->err, -EINVAL, "%s: the network %s has no plugins",
                    reading->network->place, reading->network->name);
    if (r == 0)
        write_text(reading, list);
    if (r == 0 && reading->network->text.length > CNI_CONFIG_BYTES_MAX)
        r = err_set(reading->err, -EFBIG,
                    "%s: with all plugins it has more than the %d bytes allowed",
                    reading->network->place, CNI_CONFIG_BYTES_MAX);
    *network = r < 0 ? cni_network_free(reading->network) : reading->network;
    return r;
}

int cni_network_parse(struct cni_network **network, const char *place, const char *text,
                      size_t length, struct err *err)
{
    struct reading reading;
    int r;

    reading_begin(&reading, place, err);
    r = parse_object(&reading, place, text, length);
    if (r == 0)
        r = read_list(&reading);
    return reading_end(&reading, r, reading.document.root, network);
}

int cni_network_load(struct cni_network **network, const char *path, struct err *err)
{
    bool is_list = str_has_suffix(path, ".conflist");
    const struct json *list = NULL;
    struct reading reading;
    int r;

    reading_begin(&reading, path, err);
    r = read_file(&reading, path);
    if (r == 0 && is_list)
        list = reading.document.root;
    if (r == 0)
        r = is_list ? read_list(&reading) : read_single(&reading);
    if (r == 0 && is_list && !reading.only_inlined)
        r = read_directory(&reading, path);
    return reading_end(&reading, r, list, network);
}

struct cni_network *cni_network_free(struct cni_network *network)
{
    if (!network)
        return NULL;
    free(network->plugins.items);
    strbuf_deinit(&network->text);
    arena_deinit(&network->arena);
    free(network);
    return NULL;
}

void cni_network_free_at(struct cni_network **network)
{
    *network = cni_network_free(*network);
}

bool cni_network_has_plugin(const struct cni_network *network, const char *type)
{
    array_for_each (plugin, network->plugins)
        if (!strcmp(plugin->type, type))
            return true;
    return false;
}
