/* The rules of a service's ports. */
#include "service-rules.h"

/* What earlier ports have. */
struct seen_ports {
    struct seen names;
    struct seen ports;      /* by protocol and port */
    struct seen node_ports; /* by protocol and node port */
};

static void validate_port_name(const struct service_check *check, const struct service_port *port,
                               const struct path *path, struct seen_ports *seen)
{
    struct path name = path_name(path, "name");

    if (str_empty(port->name)) {
        if (check->spec->ports.count > 1)
            report_error(check->report, &name, FINDING_REQUIRED,
                         "must be set when there are several ports");
        return;
    }
    require(check->report, &name, port->name, name_check_label(port->name));
    if (seen_before(&seen->names, port->name))
        report_error(check->report, &name, FINDING_DUPLICATE, "another port has the name \"%.64s\"",
                     port->name);
}

static void validate_target_port(const struct int_or_string *target, const struct path *path,
                                 struct report *report)
{
    struct path target_path = path_name(path, "targetPort");

    if (target->string)
        require(report, &target_path, target->string, name_check_port_name(target->string));
    else
        require_number(report, &target_path, target->number,
                       name_check_port_number(target->number));
}

/* Returns whether another port has the pair. */
static bool note_pair(struct seen *seen, const struct service_port *port, int32_t number,
                      struct arena *arena)
{
    return seen_before(seen, arena_printf(arena, "%s %d", port->protocol, number));
}

static void validate_pairs(const struct service_check *check, const struct service_port *port,
                           const struct path *path, struct seen_ports *seen)
{
    if (port->node_port && str_equal(check->spec->type, "ClusterIP"))
        report_error_in(check->report, path, "nodePort", FINDING_FORBIDDEN,
                        "must not be set for type ClusterIP");
    if (port->node_port &&
        note_pair(&seen->node_ports, port, port->node_port, &check->report->arena))
        report_error_in(check->report, path, "nodePort", FINDING_DUPLICATE,
                        "another port has the node port %s %d", port->protocol, port->node_port);
    if (note_pair(&seen->ports, port, port->port, &check->report->arena))
        report_error(check->report, path, FINDING_DUPLICATE, "another entry has the port %s %d too",
                     port->protocol, port->port);
}

static void validate_port(const struct service_check *check, const struct service_port *port,
                          const struct path *path, struct seen_ports *seen)
{
    static const char *const protocols[] = {"TCP", "UDP", "SCTP", NULL};
    struct path number = path_name(path, "port");

    validate_port_name(check, port, path, seen);
    require_number(check->report, &number, port->port, name_check_port_number(port->port));
    require_one_of_in(check->report, path, "protocol", port->protocol, protocols);
    validate_target_port(&port->target_port, path, check->report);
    if (port->app_protocol)
        require_in(check->report, path, "appProtocol", port->app_protocol,
                   name_check_qualified(port->app_protocol));
    validate_pairs(check, port, path, seen);
}

void validate_service_ports(const struct service_check *check)
{
    struct path path = path_name(check->path, "ports");
    struct seen_ports seen = {.names = SEEN_INIT, .ports = SEEN_INIT, .node_ports = SEEN_INIT};

    if (!check->spec->ports.count && !service_is_headless(check) &&
        !str_equal(check->spec->type, "ExternalName"))
        report_error(check->report, &path, FINDING_REQUIRED,
                     "must not be empty unless the service is headless");
    for (size_t i = 0; i < check->spec->ports.count; i++) {
        struct path item = path_index(&path, i);

        validate_port(check, &check->spec->ports.items[i], &item, &seen);
    }
    seen_deinit(&seen.names);
    seen_deinit(&seen.ports);
    seen_deinit(&seen.node_ports);
}
