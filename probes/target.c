/* Where an attempt goes. */
#include "target.h"
#include "reference.h"
#include "text.h"

#include "nodeagent/base/str.h"
#include "nodeagent/objects/variables.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* port and host */

static const struct container_port *find_port(const struct container *container, const char *name)
{
    if (container)
        array_for_each (port, container->ports)
            if (str_equal(port->name, name))
                return port;
    return NULL;
}

/* A name that no port has may still be digits. */
static int port_number(const struct container *container, const struct int_or_string *port,
                       struct arena *arena, int64_t *number, struct err *err)
{
    const struct container_port *named;
    int r;

    *number = port->number;
    if (!port->string)
        return 0;
    named = find_port(container, port->string);
    if (named) {
        *number = named->container_port;
        return 0;
    }
    r = str_to_i64(port->string, number);
    if (r == -ERANGE)
        return err_set(err, -EINVAL, "strconv.Atoi: parsing %s: value out of range",
                       text_quoted(arena, port->string));
    if (r < 0)
        return err_set(err, -EINVAL, "strconv.Atoi: parsing %s: invalid syntax",
                       text_quoted(arena, port->string));
    return 0;
}

static int set_port(struct target *target, struct arena *arena, const struct probe_order *order,
                    const struct int_or_string *port, struct err *err)
{
    int64_t number;
    int r = port_number(order->container, port, arena, &number, err);

    if (r < 0)
        return r;
    if (number < 1 || number > UINT16_MAX)
        return err_set(err, -EINVAL, "invalid port number: %" PRId64, number);
    target->port = (uint16_t)number;
    return 0;
}

static int set_host(struct target *target, struct arena *arena, const struct probe_order *order,
                    const char *host, struct err *err)
{
    const char *address = str_empty(host) ? order->ip : host;

    if (str_empty(address))
        return err_set(err, -EADDRNOTAVAIL,
                       "the pod has no address yet, and the probe names no host");
    target->host = arena_strdup(arena, address);
    target->authority = arena_printf(arena, strchr(address, ':') ? "[%s]:%u" : "%s:%u", address,
                                     (unsigned)target->port);
    target->shown = target->authority;
    return 0;
}

/* httpGet */

/* "user:***@" */
static const char *shown_user(struct arena *arena, const struct target *target)
{
    if (!target->user)
        return "";
    return arena_printf(arena, "%s%s@", target->user, target->password ? ":***" : "");
}

static void set_url(struct target *target, struct arena *arena, const char *path)
{
    const char *scheme = target->secure ? "https" : "http";
    struct reference reference;

    reference_read(&reference, arena, str_empty(path) ? "/" : path);
    if (reference.opaque) {
        target->hostless = true;
        target->shown = arena_printf(arena, "%s:%s%s", scheme, reference.opaque, reference.query);
        return;
    }
    target->user = reference.user;
    target->password = reference.password;
    target->url = arena_printf(arena, "%s://%s%s%s", scheme, target->authority, reference.path,
                               reference.query);
    target->shown = target->url;
    if (target->user)
        target->shown = arena_printf(arena, "%s://%s%s", scheme, shown_user(arena, target),
                                     target->url + strlen(scheme) + strlen("://"));
}

int target_http(struct target *target, struct arena *arena, const struct probe_order *order,
                struct err *err)
{
    const struct http_get_action *get = order->handler->http_get;
    const char *why = NULL;
    int r;

    *target = (struct target){.secure = str_equal(get->scheme, "HTTPS")};
    r = set_port(target, arena, order, &get->port, err);
    if (r == 0)
        r = set_host(target, arena, order, get->host, err);
    if (r < 0)
        return r;
    set_url(target, arena, get->path);
    if (!str_empty(get->host))
        why = reference_host_error(arena, get->host);
    if (why)
        r = err_set(err, -EINVAL, "parse %s: %s", text_quoted(arena, target->shown), why);
    return r;
}

/* tcpSocket and grpc */

int target_tcp(struct target *target, struct arena *arena, const struct probe_order *order,
               struct err *err)
{
    const struct tcp_socket_action *tcp = order->handler->tcp_socket;
    int r;

    *target = (struct target){0};
    r = set_port(target, arena, order, &tcp->port, err);
    return r < 0 ? r : set_host(target, arena, order, tcp->host, err);
}

int target_grpc(struct target *target, struct arena *arena, const struct probe_order *order,
                struct err *err)
{
    struct int_or_string port = {.number = order->handler->grpc->port};
    int r;

    *target = (struct target){0};
    r = set_port(target, arena, order, &port, err);
    if (r == 0)
        r = set_host(target, arena, order, NULL, err);
    if (r == 0)
        target->url =
            arena_printf(arena, "http://%s/grpc.health.v1.Health/Check", target->authority);
    return r;
}

/* exec */

static bool has_reference(const struct string_list *command)
{
    for (size_t i = 0; i < command->count; i++)
        if (strchr(command->items[i], '$'))
            return true;
    return false;
}

/* A value that comes from elsewhere counts as empty, as in the reference. */
static int read_environment(struct variables *variables, const struct container *container,
                            struct err *err)
{
    int r = 0;

    for (size_t i = 0; container && i < container->env.count && r == 0; i++) {
        const struct env_var *variable = &container->env.items[i];

        r = variables_put(variables, variable->name, variable->value ? variable->value : "", err);
    }
    return r;
}

int target_command(struct string_list *command, struct arena *arena,
                   const struct probe_order *order, struct err *err)
{
    const struct string_list *written = &order->handler->exec->command;
    struct variables variables;
    int r;

    *command = *written;
    if (!has_reference(written))
        return 0;
    command->items = arena_array(arena, const char *, written->count);
    variables_init(&variables, arena);
    r = read_environment(&variables, order->container, err);
    for (size_t i = 0; i < written->count && r == 0; i++)
        r = variables_expand(&variables, written->items[i], "an argument of the probe's command",
                             &command->items[i], NULL, err);
    variables_deinit(&variables);
    return r;
}

const char *target_command_text(struct arena *arena, const struct string_list *command)
{
    struct strbuf buffer = STRBUF_INIT;
    const char *text;

    for (size_t i = 0; i < command->count; i++) {
        if (i)
            strbuf_add_char(&buffer, ' ');
        strbuf_add(&buffer, command->items[i]);
    }
    text = arena_strndup(arena, buffer.text ? buffer.text : "", buffer.length);
    strbuf_deinit(&buffer);
    return text;
}
