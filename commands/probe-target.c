/* Targets that are no pod's: a pod is made up whose one container has the probe. */
#include "client.h"
#include "command.h"
#include "probe.h"
#include "show.h"

#include <string.h>

struct scheme {
    const char *prefix;
    const char *handler;
    const char *port; /* NULL: it must be given */
};

static const struct scheme schemes[] = {
    {"http://", "httpGet", "80"},
    {"https://", "httpGet", "443"},
    {"tcp://", "tcpSocket", NULL},
    {"grpc://", "grpc", NULL},
};

struct url {
    const struct scheme *scheme;
    const char *host; /* without brackets */
    int64_t port;
    const char *path; /* "/a?b", or "" */
};

bool probe_target_is_url(const char *target)
{
    return strstr(target, "://") != NULL;
}

/* reading */

static int wrong(const char *target, const char *remedy)
{
    return usage_error("probe", "\"%.128s\": %s", target, remedy);
}

static const char *after_host(const char *from)
{
    const char *end = *from == '[' ? strchr(from, ']') : from + strcspn(from, ":");

    if (*from != '[')
        return end;
    return end ? end + 1 : NULL;
}

static int read_authority(struct url *url, const char *target, const char *text,
                          struct arena *arena)
{
    const char *end = after_host(text), *port = url->scheme->port;
    bool brackets = *text == '[';

    if (strchr(text, '@'))
        return wrong(target, "give name and password as --header 'Authorization: ...'");
    if (!end || (*end && *end != ':') || (*end && strchr(end + 1, ':')))
        return wrong(target, "the host must be a name, an address, or IPv6 in brackets");
    if (*end)
        port = end + 1;
    if (end - text == 2 * brackets)
        return wrong(target, "has no host");
    if (!port)
        return wrong(target, "has no port");
    if (str_to_i64(port, &url->port) < 0 || url->port < 1 || url->port > UINT16_MAX)
        return wrong(target, "the port must be a number from 1 to 65535");
    url->host = arena_strndup(arena, text + brackets, (size_t)(end - text) - 2 * brackets);
    return EXIT_GOOD;
}

static int read_url(struct url *url, const char *target, struct arena *arena)
{
    const char *authority;
    size_t length;

    for (size_t i = 0; i < array_size(schemes) && !url->scheme; i++)
        if (str_has_prefix(target, schemes[i].prefix))
            url->scheme = &schemes[i];
    if (!url->scheme)
        return wrong(target, "must begin with http://, https://, tcp:// or grpc://");
    if (utf8_check(target, strlen(target)))
        return wrong(target, "must be UTF-8");
    authority = target + strlen(url->scheme->prefix);
    length = strcspn(authority, "/?#");
    url->path = authority + length;
    if (!strcmp(url->scheme->handler, "tcpSocket") && *url->path)
        return wrong(target, "tcp has no path");
    return read_authority(url, target, arena_strndup(arena, authority, length), arena);
}

/* the pod */

static void write_http(const struct url *url, struct json_writer *writer)
{
    show_member(writer, "host", url->host);
    show_member(writer, "path", *url->path ? url->path : "/");
    show_member(writer, "scheme", str_equal(url->scheme->prefix, "https://") ? "HTTPS" : "HTTP");
}

static void write_command(const struct string_list *command, struct json_writer *writer)
{
    json_write_name(writer, "command");
    json_write_array(writer);
    for (size_t i = 0; i < command->count; i++)
        json_write_string(writer, command->items[i]);
    json_write_array_end(writer);
}

static void write_handler(const struct url *url, const struct probe_flags *flags,
                          struct json_writer *writer)
{
    const char *handler = url->scheme ? url->scheme->handler : "exec";

    json_write_name(writer, handler);
    json_write_object(writer);
    if (!url->scheme)
        write_command(flags->command, writer);
    else
        show_member_count(writer, "port", (size_t)url->port);
    if (!strcmp(handler, "httpGet"))
        write_http(url, writer);
    else if (!strcmp(handler, "tcpSocket"))
        show_member(writer, "host", url->host);
    else if (!strcmp(handler, "grpc") && *url->path)
        show_member(writer, "service", url->path + 1);
    json_write_object_end(writer);
}

static void write_container(const struct url *url, const struct probe_flags *flags,
                            struct json_writer *writer)
{
    static const struct {
        const char *type, *member;
    } probes[] = {{"Liveness", "livenessProbe"}, {"Startup", "startupProbe"}};
    const char *member = "readinessProbe";

    for (size_t i = 0; i < array_size(probes); i++)
        if (str_equal(flags->type, probes[i].type))
            member = probes[i].member;
    json_write_object(writer);
    show_member(writer, "name", "target");
    show_member(writer, "image", "none");
    json_write_name(writer, member);
    json_write_object(writer);
    write_handler(url, flags, writer);
    json_write_object_end(writer);
    json_write_object_end(writer);
}

/* gRPC probes go to the pod's address alone. */
static void write_status(const struct url *url, const struct probe_flags *flags,
                         struct json_writer *writer)
{
    json_write_name(writer, "status");
    json_write_object(writer);
    show_member(writer, "podIP", url->host);
    if (!url->scheme) {
        json_write_name(writer, "containerStatuses");
        json_write_array(writer);
        json_write_object(writer);
        show_member(writer, "name", "target");
        show_member(writer, "containerID", flags->container);
        json_write_object_end(writer);
        json_write_array_end(writer);
    }
    json_write_object_end(writer);
}

static void write_pod(const struct url *url, const struct probe_flags *flags, struct strbuf *text)
{
    struct json_writer writer;

    json_writer_init(&writer, text, false);
    json_write_object(&writer);
    show_member(&writer, "apiVersion", "v1");
    show_member(&writer, "kind", "Pod");
    json_write_name(&writer, "metadata");
    json_write_object(&writer);
    show_member(&writer, "name", "target");
    show_member(&writer, "namespace", "default");
    json_write_object_end(&writer);
    json_write_name(&writer, "spec");
    json_write_object(&writer);
    json_write_name(&writer, "containers");
    json_write_array(&writer);
    write_container(url, flags, &writer);
    json_write_array_end(&writer);
    json_write_object_end(&writer);
    write_status(url, flags, &writer);
    json_write_object_end(&writer);
    json_writer_deinit(&writer);
}

int probe_target_read(struct probe_errand *errand, const struct probe_flags *flags)
{
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;
    _cleanup_(answer_deinit) struct answer document = {0};
    struct probe_flags all = *flags;
    struct url url = {0};
    struct err err;
    int code = flags->target ? read_url(&url, flags->target, &errand->arena) : EXIT_GOOD;

    if (code)
        return code;
    if (flags->target && flags->container)
        return usage_error("probe", "--container: \"%.64s\" is no pod", flags->target);
    write_pod(&url, flags, &text);
    if (answer_parse(&document, text.text, text.length, &err) < 0) {
        show_failure("probe", &err);
        return EXIT_UNABLE;
    }
    all.container = NULL; /* its id is in the status */
    errand->ad_hoc = true;
    errand->pod = probe_order_pod(document.document, &all, NULL);
    return errand->pod ? EXIT_GOOD : EXIT_USAGE;
}
