/* The plugin's own configuration, from its stdin. */
#include "document.h"
#include "failure.h"
#include "names.h"
#include "nodeagent/objects/names.h"
#include "thick.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
    SECONDS_MAX = 3600,
};

struct reading {
    struct thick_config *config;
    struct arena *arena;
    struct document document;
    struct cni_failure *failure;
};

#define wrong(reading, value, ...)                                                                 \
    wrong_with((reading), document_failed(&(reading)->document, (value), &(reading)->failure->err, \
                                          __VA_ARGS__))

/* The sentence is there already. */
static int wrong_with(struct reading *reading, int code)
{
    struct err err = reading->failure->err;

    failure_from(reading->failure, CNI_CODE_CONFIG, &err);
    return code;
}

static int read_path(struct reading *reading, const char *name, const char *fallback,
                     const char **path)
{
    const struct json *value = json_get(reading->document.root, name);

    *path = fallback;
    if (!value)
        return 0;
    *path = json_take_string(value, reading->arena);
    return *path && **path == '/' ? 0 : wrong(reading, value, "%s must be an absolute path", name);
}

/* The runtime's list, "A:B". */
static void take_bin_dirs(struct reading *reading, const char *path)
{
    size_t count = 0;

    while (path && *path && count < THICK_BIN_DIRS_MAX) {
        size_t length = strcspn(path, ":");

        reading->config->bin_dirs[count++] = arena_strndup(reading->arena, path, length);
        path += length;
        path += *path == ':';
    }
    if (!count)
        reading->config->bin_dirs[0] = CNI_BIN_DIR;
}

static int read_bin_dirs(struct reading *reading, const char *path)
{
    const struct json *value = json_get(reading->document.root, "binDirs");
    size_t count = 0;

    if (!value) {
        take_bin_dirs(reading, path);
        return 0;
    }
    if (value->type != JSON_ARRAY || !value->length || value->length > THICK_BIN_DIRS_MAX)
        return wrong(reading, value, "binDirs must be a list of 1 to %d directories",
                     THICK_BIN_DIRS_MAX);
    json_for_each (item, value) {
        const char *directory = json_take_string(item, reading->arena);

        if (!directory || *directory != '/' || strchr(directory, ':'))
            return wrong(reading, item, "binDirs[%zu] must be an absolute path without \":\"",
                         count);
        reading->config->bin_dirs[count++] = directory;
    }
    return 0;
}

static int read_seconds(struct reading *reading, const char *name, int64_t least, usec_t *usec)
{
    const struct json *value = json_get(reading->document.root, name);
    char text[16] = "";
    int64_t seconds;

    if (!value)
        return 0;
    if (value->type == JSON_NUMBER && value->length < sizeof(text))
        snprintf(text, sizeof(text), "%.*s", (int)value->length, value->text);
    if (str_to_i64(text, &seconds) < 0 || seconds < least || seconds > SECONDS_MAX)
        return wrong(reading, value, "%s must be a number from %d to %d", name, (int)least,
                     SECONDS_MAX);
    *usec = (usec_t)seconds * USEC_PER_SEC;
    return 0;
}

static int read_report(struct reading *reading)
{
    const struct json *value = json_get(reading->document.root, "report");

    if (value && value->type != JSON_BOOL)
        return wrong(reading, value, "report must be true or false");
    reading->config->report = value && value->boolean;
    return 0;
}

static int read_subnet(struct reading *reading, const struct json *value)
{
    struct thick_built_in *built_in = &reading->config->built_in;
    const char *subnet = json_take_string(value, reading->arena);
    const char *complaint = name_check_cidr(subnet);

    if (complaint)
        return wrong(reading, value, "builtIn.subnets: each %s", complaint);
    for (size_t i = 0; i < built_in->subnet_count; i++)
        if (ip_is_v6(built_in->subnets[i]) == ip_is_v6(subnet))
            return wrong(reading, value, "builtIn.subnets: there must be one of each family only");
    built_in->subnets[built_in->subnet_count++] = subnet;
    return 0;
}

static int read_built_in(struct reading *reading)
{
    const struct json *value = json_get(reading->document.root, "builtIn"), *subnets, *bridge;
    struct thick_built_in *built_in = &reading->config->built_in;
    const char *complaint;

    if (!value || value->type == JSON_NULL)
        return 0;
    subnets = json_get(value, "subnets");
    bridge = json_get(value, "bridge");
    if (!subnets || subnets->type != JSON_ARRAY || !subnets->length)
        return wrong(reading, value, "builtIn.subnets must be a list of networks");
    json_for_each (subnet, subnets) {
        int r = read_subnet(reading, subnet);

        if (r < 0)
            return r;
    }
    built_in->bridge = bridge ? json_take_string(bridge, reading->arena) : THICK_BRIDGE;
    complaint = cni_ifname_check(built_in->bridge);
    if (complaint)
        return wrong(reading, bridge, "builtIn.bridge %s", complaint);
    built_in->allowed = true;
    return 0;
}

static int read_version(struct reading *reading)
{
    const struct json *value = json_get(reading->document.root, "cniVersion");
    const char *version = json_take_string(value, reading->arena);

    if (!value)
        version = cni_versions[0];
    if (!version || !cni_version_known(version))
        return failure_set(reading->failure, -EPROTONOSUPPORT, CNI_CODE_VERSION,
                           "CNI %s is not supported: there are 0.1.0 to %s", version ? version : "",
                           CNI_VERSION_NEWEST);
    reading->config->version = version;
    return 0;
}

static int read_members(struct reading *reading, const char *path)
{
    struct thick_config *config = reading->config;
    const struct json *root = reading->document.root, *previous = json_get(root, "prevResult"),
                      *name = json_get(root, "name");
    int r = read_version(reading);

    if (r == 0)
        r = read_path(reading, "confDir", CNI_CONF_DIR, &config->conf_dir);
    if (r == 0)
        r = read_path(reading, "cacheDir", CNI_CACHE_DIR, &config->cache_dir);
    if (r == 0)
        r = read_path(reading, "agentSocket", CNI_AGENT_SOCKET, &config->agent_socket);
    if (r == 0)
        r = read_bin_dirs(reading, path);
    if (r == 0)
        r = read_seconds(reading, "timeLimitSeconds", 1, &config->timeout);
    if (r == 0)
        r = read_seconds(reading, "spareSeconds", 0, &config->spare);
    if (r == 0)
        r = read_report(reading);
    if (r == 0)
        r = read_built_in(reading);
    config->name = json_take_string(name, reading->arena);
    config->capabilities = json_get(root, "runtimeConfig");
    config->valid = json_get(root, "cni.dev/valid-attachments");
    config->has_previous = previous && previous->type != JSON_NULL;
    return r;
}

int thick_config_read(struct thick_config *config, struct arena *arena,
                      const struct thick_call *call, struct cni_failure *failure)
{
    struct reading reading = {.config = config, .arena = arena, .failure = failure};
    struct err err;

    *config = (struct thick_config){.version = CNI_VERSION_NEWEST};
    if (document_parse(&reading.document, arena, "stdin", call->input, call->input_length, &err) <
        0)
        return failure_from(failure, CNI_CODE_DECODE, &err);
    if (reading.document.root->type != JSON_OBJECT)
        return failure_set(failure, -EINVAL, CNI_CODE_DECODE, "stdin must be an object, but is %s",
                           json_type_name(reading.document.root));
    return read_members(&reading, call->path);
}
