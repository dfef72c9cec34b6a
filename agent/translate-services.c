/*
 * Variables that tell containers of Services: those of the pod's namespace, unless it wants none,
 * and always the API server's.
 */
#include "nodeagent/objects/service.h"
#include "translate-internal.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

static bool has_address(const struct service *service)
{
    return !str_empty(service->spec.cluster_ip) && strcmp(service->spec.cluster_ip, "None") != 0 &&
           service->spec.ports.count;
}

/* "my-db" is MY_DB. */
static char *to_variable(struct arena *arena, const char *name)
{
    char *variable = arena_strdup(arena, name);

    for (char *c = variable; *c; c++)
        *c = *c == '-' ? '_' : (char)toupper((unsigned char)*c);
    return variable;
}

static const char *to_endpoint(struct arena *arena, const char *protocol, const char *address,
                               int32_t port)
{
    char *lower = arena_strdup(arena, protocol);

    for (char *c = lower; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    return arena_printf(arena, strchr(address, ':') ? "%s://[%s]:%d" : "%s://%s:%d", lower, address,
                        (int)port);
}

struct adding {
    struct arena *arena;
    struct variables *variables;
    struct err *err;
    int result;
};

static void put(struct adding *adding, const char *name, const char *value)
{
    if (adding->result == 0)
        adding->result = variables_put(adding->variables, name, value, adding->err);
}

static const char *number(struct adding *adding, int32_t value)
{
    return arena_printf(adding->arena, "%d", (int)value);
}

static void add_port(struct adding *adding, const char *prefix, const char *address,
                     const struct service_port *port)
{
    const char *protocol = str_empty(port->protocol) ? "TCP" : port->protocol;
    const char *name = arena_printf(adding->arena, "%s_PORT_%d_%s", prefix, (int)port->port,
                                    to_variable(adding->arena, protocol));
    char *lower = arena_strdup(adding->arena, protocol);

    for (char *c = lower; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    put(adding, name, to_endpoint(adding->arena, protocol, address, port->port));
    put(adding, arena_printf(adding->arena, "%s_PROTO", name), lower);
    put(adding, arena_printf(adding->arena, "%s_PORT", name), number(adding, port->port));
    put(adding, arena_printf(adding->arena, "%s_ADDR", name), address);
}

static void add_service(struct adding *adding, const struct service *service)
{
    const char *prefix = to_variable(adding->arena, service->object.metadata.name),
               *address = service->spec.cluster_ip;
    const struct service_port *first = service->spec.ports.items;

    put(adding, arena_printf(adding->arena, "%s_SERVICE_HOST", prefix), address);
    put(adding, arena_printf(adding->arena, "%s_SERVICE_PORT", prefix),
        number(adding, first->port));
    array_for_each (port, service->spec.ports)
        if (!str_empty(port->name))
            put(adding,
                arena_printf(adding->arena, "%s_SERVICE_PORT_%s", prefix,
                             to_variable(adding->arena, port->name)),
                number(adding, port->port));
    put(adding, arena_printf(adding->arena, "%s_PORT", prefix),
        to_endpoint(adding->arena, str_empty(first->protocol) ? "TCP" : first->protocol, address,
                    first->port));
    array_for_each (port, service->spec.ports)
        add_port(adding, prefix, address, port);
}

static bool is_api_server(const struct object *service)
{
    return str_equal(service->metadata.name_space, "default") &&
           str_equal(service->metadata.name, "kubernetes");
}

int translate_services(const struct translation *translation, struct variables *variables,
                       struct err *err)
{
    struct adding adding = {translation->arena, variables, err, 0};
    const char *own = translation->pod->object.metadata.name_space;
    bool links = translation->pod->spec.enable_service_links == OPT_TRUE;

    if (!translation->services)
        return 0;
    if (!translation->services->complete && !translation->static_pod)
        return err_set(err, -EAGAIN,
                       "services have not yet been read at least once, cannot construct envvars");
    /* A Service of the pod's own namespace replaces the API server's of the same name. */
    for (int round = 0; round < 2; round++)
        array_for_each (service, translation->services->items) {
            bool ours = links && str_equal((*service)->metadata.name_space, own);
            const struct service *known = service_of((struct object *)*service);

            if ((round ? ours : is_api_server(*service)) && has_address(known))
                add_service(&adding, known);
        }
    return adding.result;
}
