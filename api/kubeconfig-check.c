/* The rules for a kubeconfig: which context counts, and what there may be in its cluster. */
#include "kubeconfig-private.h"
#include "nodeagent/base/base64.h"
#include "nodeagent/base/map.h"
#include "nodeagent/objects/names.h"
#include "nodeagent/sys/files.h"
#include "pem.h"

#include <errno.h>
#include <string.h>

#define EXEC_EXTENSION "client.authentication.k8s.io/exec"
/* Of names in certificates, and of addresses. */
#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._:"

/* lists of named things */

struct named {
    const char *list;   /* "clusters" */
    const char *entry;  /* "cluster", in the list and in a context */
    const void *items;  /* structures that begin with their name */
    size_t count, size; /* of one */
};

static const char *name_of(const struct named *named, size_t place)
{
    const char *name;

    memcpy(&name, (const char *)named->items + place * named->size, sizeof(name));
    return name ? name : "";
}

static void check_names(struct reading *reading, const struct named *named)
{
    struct path list = path_name(NULL, named->list);
    struct map names = MAP_INIT;

    for (size_t i = 0; i < named->count; i++) {
        struct path item = path_index(&list, i);

        if (map_put(&names, name_of(named, i), reading))
            report_error_in(reading->report, &item, "name", FINDING_DUPLICATE,
                            "is the name of another one, too");
    }
    map_deinit(&names);
}

/* The place of what is called so at `path`; or -1, reported. */
static ssize_t find(struct reading *reading, const struct named *named, const struct path *path,
                    const char *name)
{
    if (str_empty(name)) {
        report_error(reading->report, path, FINDING_REQUIRED,
                     "must be set to the name of one of the %s", named->list);
        return -1;
    }
    for (size_t i = 0; i < named->count; i++)
        if (!strcmp(name_of(named, i), name))
            return (ssize_t)i;
    report_error(reading->report, path, FINDING_NOT_FOUND, "names a %s that is not one of the %s",
                 named->entry, named->list);
    return -1;
}

/* certificates and keys */

const char *kubeconfig_resolve(struct reading *reading, const char *name)
{
    struct arena *arena = &reading->config->arena;

    return *name == '/' ? name : arena_printf(arena, "%s/%s", reading->directory, name);
}

static const char *decode_data(struct reading *reading, const char *data)
{
    char *text = arena_strdup(&reading->config->arena, data);
    size_t length;

    if (base64_decode(text, strlen(text), &length) < 0)
        return NULL;
    text[length] = '\0';
    return strlen(text) == length ? text : NULL;
}

static const char *read_file(struct reading *reading, const struct path *path,
                             const struct pem_written *written, const char *file)
{
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;
    struct err err;
    int r = pem_read(file, &text, &err);

    if (r == 0)
        return arena_strdup(&reading->config->arena, text.text ? text.text : "");
    if (r != -ENOENT || !written->follows)
        report_error_in(reading->report, path, written->name, FINDING_NOT_FOUND, "%s", err.text);
    return NULL;
}

struct kubeconfig_pem kubeconfig_take_pem(struct reading *reading, const struct path *path,
                                          const struct pem_written *written)
{
    const char *data_name = arena_printf(&reading->config->arena, "%s-data", written->name);
    struct kubeconfig_pem pem = {0};

    if (!str_empty(written->file) && !str_empty(written->data)) {
        report_error_in(reading->report, path, data_name, FINDING_INVALID,
                        "is set together with %s; remove one of them", written->name);
    } else if (!str_empty(written->data)) {
        pem.text = decode_data(reading, written->data);
        if (!pem.text)
            report_error_in(reading->report, path, data_name, FINDING_INVALID,
                            "must be the base64 of a PEM text");
    } else if (!str_empty(written->file)) {
        pem.file = kubeconfig_resolve(reading, written->file);
        pem.text = read_file(reading, path, written, pem.file);
    }
    return pem;
}

/* clusters */

static void take_authority(struct reading *reading, const struct written_cluster *cluster,
                           const struct path *path)
{
    struct kubeconfig_server *server = &reading->config->server;
    const struct pem_written written = {
        .name = "certificate-authority",
        .file = cluster->authority,
        .data = cluster->authority_data,
    };
    struct err err;

    server->unverified = cluster->unverified;
    server->authority = kubeconfig_take_pem(reading, path, &written);
    if (server->authority.text && pem_check_authority(server->authority.text, &err) < 0)
        report_error_in(reading->report, path,
                        server->authority.file ? "certificate-authority"
                                               : "certificate-authority-data",
                        FINDING_INVALID, "%s", err.text);
    if (cluster->unverified && (!str_empty(written.file) || !str_empty(written.data)))
        report_error_in(reading->report, path, "insecure-skip-tls-verify", FINDING_INVALID,
                        "is set together with a certificate authority; remove one of them");
}

static void take_server(struct reading *reading, const struct written_cluster *cluster,
                        const struct written_user *user, const struct path *path)
{
    bool tls = cluster->unverified || !str_empty(cluster->authority) ||
               !str_empty(cluster->authority_data) ||
               (user && (!str_empty(user->certificate) || !str_empty(user->certificate_data)));
    struct err err;

    if (str_empty(cluster->server))
        report_error_in(reading->report, path, "server", FINDING_REQUIRED,
                        "must be set, for example to https://api.example.com:6443");
    else if (kubeconfig_split_server(reading->config, cluster->server, tls, &err) < 0)
        report_error_in(reading->report, path, "server", FINDING_INVALID, "%s", err.text);
}

static void take_tls_name(struct reading *reading, const struct written_cluster *cluster,
                          const struct path *path)
{
    const char *name = cluster->tls_name;

    if (str_empty(name))
        return;
    reading->config->server.tls_name = name;
    if (name[strspn(name, NAME_CHARACTERS)] != '\0')
        report_error_in(reading->report, path, "tls-server-name", FINDING_INVALID,
                        "must be a name such as api.example.com, or an address");
}

static void take_proxy(struct reading *reading, const struct written_cluster *cluster,
                       const struct path *path)
{
    struct kubeconfig *config = reading->config;
    struct kubeconfig_server *server = &config->server;
    struct err err;

    if (!str_empty(cluster->proxy)) {
        server->proxy_given = cluster->proxy;
        if (proxy_check(&config->arena, cluster->proxy, &server->proxy, &err) < 0)
            report_error_in(reading->report, path, "proxy-url", FINDING_INVALID, "%s", err.text);
    } else if (server->host && reading->options->environment &&
               proxy_from_environment(&config->arena, reading->options->environment, server,
                                      &server->proxy, &err) < 0) {
        report_error_in(reading->report, path, "server", FINDING_INVALID, "%s", err.text);
    }
}

static const char *json_of(struct arena *arena, const struct json *value)
{
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;
    struct json_writer writer;

    json_writer_init(&writer, &text, false);
    json_write_value(&writer, value);
    json_writer_deinit(&writer);
    return arena_strndup(arena, text.text, text.length);
}

/* What a cluster has for plugins is anything, and handed on as it is. */
static void take_exec_config(struct reading *reading, size_t place)
{
    const struct json *clusters = json_get(reading->document, "clusters"),
                      *cluster = json_get(&clusters->items[place], "cluster"),
                      *extensions = cluster ? json_get(cluster, "extensions") : NULL;

    for (uint32_t i = 0; extensions && extensions->type == JSON_ARRAY && i < extensions->length;
         i++) {
        const struct json *item = &extensions->items[i],
                          *name = item->type == JSON_OBJECT ? json_get_string(item, "name") : NULL,
                          *value = name ? json_get(item, "extension") : NULL;

        if (value && json_text_is(name, EXEC_EXTENSION))
            reading->config->server.exec_config = json_of(&reading->config->arena, value);
    }
}

/* contexts */

static void check_version(struct reading *reading)
{
    const struct written *written = reading->written;

    if (!str_empty(written->api_version) && strcmp(written->api_version, "v1") != 0)
        report_error_in(reading->report, NULL, "apiVersion", FINDING_NOT_SUPPORTED, "must be v1");
    if (!str_empty(written->kind) && strcmp(written->kind, "Config") != 0)
        report_error_in(reading->report, NULL, "kind", FINDING_NOT_SUPPORTED, "must be Config");
}

static void check_context(struct reading *reading, const struct written_context *context,
                          const struct path *path)
{
    const struct written *written = reading->written;
    const struct named clusters = {"clusters", "cluster", written->clusters.items,
                                   written->clusters.count, sizeof(*written->clusters.items)},
                       users = {"users", "user", written->users.items, written->users.count,
                                sizeof(*written->users.items)};
    struct path cluster_name = path_name(path, "cluster"), user_name = path_name(path, "user"),
                namespace = path_name(path, "namespace"), list = path_name(NULL, "clusters"), item,
                at;
    const char *complaint =
        str_empty(context->name_space) ? NULL : name_check_label(context->name_space);
    ssize_t cluster = find(reading, &clusters, &cluster_name, context->cluster),
            user = find(reading, &users, &user_name, context->user);

    check_names(reading, &clusters);
    check_names(reading, &users);
    if (complaint)
        report_error(reading->report, &namespace, FINDING_INVALID, "%s", complaint);
    if (cluster >= 0) {
        const struct written_cluster *found = &written->clusters.items[cluster].cluster;

        item = path_index(&list, (size_t)cluster);
        at = path_name(&item, "cluster");
        take_server(reading, found, user < 0 ? NULL : &written->users.items[user].user, &at);
        take_tls_name(reading, found, &at);
        take_authority(reading, found, &at);
        take_proxy(reading, found, &at);
        take_exec_config(reading, (size_t)cluster);
        reading->config->server.uncompressed = found->uncompressed;
    }
    if (user >= 0) {
        list = path_name(NULL, "users");
        item = path_index(&list, (size_t)user);
        at = path_name(&item, "user");
        kubeconfig_check_user(reading, &written->users.items[user].user, &at);
    }
}

void kubeconfig_check(struct reading *reading)
{
    const struct written *written = reading->written;
    const struct named contexts = {"contexts", "context", written->contexts.items,
                                   written->contexts.count, sizeof(*written->contexts.items)};
    struct path name = path_name(NULL, "current-context"), list = path_name(NULL, "contexts");
    ssize_t place;

    check_version(reading);
    check_names(reading, &contexts);
    place = find(reading, &contexts, &name, written->context);
    if (place >= 0) {
        struct path item = path_index(&list, (size_t)place), at = path_name(&item, "context");

        check_context(reading, &written->contexts.items[place].context, &at);
    }
}
