/* The private list: one plugin, nodeagent-cni, with all that a runtime could tell it. */
#include "nodeagent/base/mem.h"
#include "nodeagent/cni.h"
#include "nodeagent/objects/names.h"
#include "setup.h"

#include <string.h>

/*
 * Whatever a real network may ask for: the runtime does not see what it does, and hands over only
 * what is named here. nodeagent-cni gives each plugin what that one asks for.
 */
static const char *const capabilities[] = {
    "aliases", "bandwidth", "cgroupPath",     "deviceID",
    "dns",     "ipRanges",  "infinibandGUID", "io.kubernetes.cri.pod-annotations",
    "ips",     "mac",       "portMappings",
};

static const char *const own_members[] = {"type",     "capabilities", "confDir", "binDirs",
                                          "cacheDir", "agentSocket",  "builtIn", NULL};

/* The plugin in a list that is there already, or NULL: it is not one of ours. */
static const struct json *find_plugin(struct arena *arena, const struct strbuf *old)
{
    struct json_findings findings;
    struct json *root;
    const struct json *plugins;
    struct err err;

    if (!old || !old->length ||
        json_parse(arena, old->text, old->length, &json_limits_manifest, &findings, &root, &err) <
            0)
        return NULL;
    plugins = json_get(root, "plugins");
    if (!plugins || plugins->type != JSON_ARRAY)
        return NULL;
    for (size_t i = 0; i < plugins->length; i++)
        if (json_text_is(json_get(&plugins->items[i], "type"), CNI_PROGRAM))
            return &plugins->items[i];
    return NULL;
}

/* "A,B" as a list. */
static void write_words(struct json_writer *writer, const char *words)
{
    json_write_array(writer);
    while (*words) {
        size_t length = strcspn(words, ",");

        json_write_bytes(writer, words, length);
        words += length;
        words += *words == ',';
    }
    json_write_array_end(writer);
}

static void keep_member(struct json_writer *writer, const struct json *plugin, const char *name)
{
    const struct json *value = plugin ? json_get(plugin, name) : NULL;

    if (!value)
        return;
    json_write_name(writer, name);
    json_write_value(writer, value);
}

/* A path that is said only when it is not what nodeagent-cni takes by itself. */
static void write_path(struct json_writer *writer, const struct json *plugin, const char *name,
                       const char *path, const char *usual)
{
    if (!path)
        keep_member(writer, plugin, name);
    else if (strcmp(path, usual))
        json_write_string_member(writer, name, path);
}

static void write_built_in(struct json_writer *writer, const struct json *plugin,
                           const char *built_in)
{
    if (!built_in) {
        keep_member(writer, plugin, "builtIn");
    } else if (strcmp(built_in, "none")) {
        json_write_name(writer, "builtIn");
        json_write_object(writer);
        json_write_name(writer, "subnets");
        write_words(writer, built_in);
        json_write_object_end(writer);
    }
}

static void write_capabilities(struct json_writer *writer)
{
    json_write_name(writer, "capabilities");
    json_write_object(writer);
    for (size_t i = 0; i < array_size(capabilities); i++)
        json_write_bool_member(writer, capabilities[i], true);
    json_write_object_end(writer);
}

/* What others have added to it stays. */
static void write_others(struct json_writer *writer, const struct json *plugin)
{
    for (size_t i = 0; plugin && i < plugin->length; i++) {
        const struct json_member *member = &plugin->members[i];
        _cleanup_(mem_free_at) char *name = mem_strndup(member->name, member->name_length);

        if (!str_one_of(name, own_members)) {
            json_write_name(writer, name);
            json_write_value(writer, &member->value);
        }
    }
}

static void write_plugin(struct json_writer *writer, const struct setup_options *options,
                         const struct json *plugin, const char *found_dir)
{
    const char *conf_dir = options->public_conf_dir ? options->public_conf_dir : found_dir;

    json_write_object(writer);
    json_write_string_member(writer, "type", CNI_PROGRAM);
    write_capabilities(writer);
    write_path(writer, plugin, "confDir", conf_dir, CNI_CONF_DIR);
    if (options->bin_dirs) {
        json_write_name(writer, "binDirs");
        write_words(writer, options->bin_dirs);
    } else {
        keep_member(writer, plugin, "binDirs");
    }
    write_path(writer, plugin, "cacheDir", options->cache_dir, CNI_CACHE_DIR);
    write_path(writer, plugin, "agentSocket", options->agent_socket, CNI_AGENT_SOCKET);
    write_built_in(writer, plugin, options->built_in);
    write_others(writer, plugin);
    json_write_object_end(writer);
}

/* 1.0.0 is the newest version that containerd 1.6 knows. */
void list_write(const struct setup_options *options, const struct strbuf *old,
                const char *found_dir, struct strbuf *out)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    struct json_writer writer;

    json_writer_init(&writer, out, true);
    json_write_object(&writer);
    json_write_string_member(&writer, "cniVersion", "1.0.0");
    json_write_string_member(&writer, "name", CNI_PROGRAM);
    json_write_name(&writer, "plugins");
    json_write_array(&writer);
    write_plugin(&writer, options, find_plugin(&arena, old), found_dir);
    json_write_array_end(&writer);
    json_write_object_end(&writer);
    json_writer_deinit(&writer);
}

const char *list_check_built_in(const char *built_in)
{
    size_t families[2] = {0};

    if (!strcmp(built_in, "none"))
        return NULL;
    for (;;) {
        size_t length = strcspn(built_in, ",");
        _cleanup_(mem_free_at) char *subnet = mem_strndup(built_in, length);
        const char *complaint = name_check_cidr(subnet);

        if (complaint)
            return complaint;
        if (families[strchr(subnet, ':') != NULL]++)
            return "may have one of each family";
        built_in += length;
        if (!*built_in)
            return NULL;
        built_in++;
    }
}
