/* The rules for probes and for lifecycle hooks. */
#include "pod-rules.h"

static void validate_port_target(const struct int_or_string *port, const struct path *path,
                                 struct report *report)
{
    if (port->string)
        require(report, path, port->string, name_check_port_name(port->string));
    else
        require_number(report, path, port->number, name_check_port_number(port->number));
}

static void validate_http_get(const struct http_get_action *http_get, const struct path *path,
                              struct report *report)
{
    static const char *const schemes[] = {"HTTP", "HTTPS", NULL};
    struct path port = path_name(path, "port"), scheme = path_name(path, "scheme"),
                headers = path_name(path, "httpHeaders");

    validate_port_target(&http_get->port, &port, report);
    require_one_of(report, &scheme, http_get->scheme, schemes);
    array_for_each (header, http_get->http_headers)
        require(report, &headers, header->name, name_check_http_header(header->name));
}

static void validate_sleep(const struct sleep_action *sleep, const struct pod_spec *spec,
                           const struct path *path, struct report *report)
{
    int64_t grace = spec->termination_grace_period_seconds.value;

    if (sleep->seconds < 0 || sleep->seconds > grace)
        report_error(report, path, FINDING_INVALID,
                     "seconds must be from 0 to terminationGracePeriodSeconds (%lld)",
                     (long long)grace);
}

/* Exactly one action; `spec` is NULL for probes, which know no sleep. */
static void validate_handler(const struct handler *handler, const struct pod_spec *spec,
                             const struct path *path, struct report *report)
{
    const struct {
        const char *name;
        const void *action;
    } actions[] = {
        {"exec", handler->exec}, {"httpGet", handler->http_get}, {"tcpSocket", handler->tcp_socket},
        {"grpc", handler->grpc}, {"sleep", handler->sleep},
    };
    const char *chosen = NULL;
    struct path action = {0}, port;

    for (size_t i = 0; i < array_size(actions); i++) {
        if (!actions[i].action)
            continue;
        if (chosen) {
            report_error_in(report, path, actions[i].name, FINDING_FORBIDDEN,
                            "must not be set beside %s: one action only", chosen);
            continue;
        }
        chosen = actions[i].name;
        action = path_name(path, chosen);
    }
    if (!chosen) {
        report_error(report, path, FINDING_REQUIRED,
                     "must have an action: exec, httpGet, "
                     "tcpSocket or %s",
                     spec ? "sleep" : "grpc");
        return;
    }
    port = path_name(&action, "port");
    if (str_equal(chosen, "exec")) {
        if (!handler->exec->command.count)
            report_error_in(report, &action, "command", FINDING_REQUIRED, "must not be empty");
    } else if (str_equal(chosen, "httpGet")) {
        validate_http_get(handler->http_get, &action, report);
    } else if (str_equal(chosen, "tcpSocket")) {
        validate_port_target(&handler->tcp_socket->port, &port, report);
    } else if (str_equal(chosen, "grpc")) {
        require_number(report, &port, handler->grpc->port,
                       name_check_port_number(handler->grpc->port));
    } else {
        validate_sleep(handler->sleep, spec, &action, report);
    }
}

void validate_lifecycle(const struct lifecycle *lifecycle, const struct pod_spec *spec,
                        const struct path *path, struct report *report)
{
    struct path post_start = path_name(path, "postStart"), pre_stop = path_name(path, "preStop");

    if (lifecycle->post_start)
        validate_handler(lifecycle->post_start, spec, &post_start, report);
    if (lifecycle->pre_stop)
        validate_handler(lifecycle->pre_stop, spec, &pre_stop, report);
}

enum probe_kind { PROBE_LIVENESS, PROBE_READINESS, PROBE_STARTUP };

static void validate_probe(const struct probe *probe, enum probe_kind kind, const struct path *path,
                           struct report *report)
{
    const struct {
        const char *name;
        int32_t value;
    } numbers[] = {
        {"initialDelaySeconds", probe->initial_delay_seconds},
        {"timeoutSeconds", probe->timeout_seconds},
        {"periodSeconds", probe->period_seconds},
        {"successThreshold", probe->success_threshold},
        {"failureThreshold", probe->failure_threshold},
    };
    struct path grace = path_name(path, "terminationGracePeriodSeconds");

    validate_handler(&probe->handler, NULL, path, report);
    for (size_t i = 0; i < array_size(numbers); i++)
        if (numbers[i].value < 0)
            report_error_in(report, path, numbers[i].name, FINDING_INVALID, "must not be negative");
    if (kind != PROBE_READINESS && probe->success_threshold != 1)
        report_error_in(report, path, "successThreshold", FINDING_INVALID,
                        "must be 1 for a %s probe",
                        kind == PROBE_LIVENESS ? "liveness" : "startup");
    if (!probe->termination_grace_period_seconds.set)
        return;
    if (kind == PROBE_READINESS)
        report_error(report, &grace, FINDING_INVALID,
                     "must not be set: a readiness probe stops nothing");
    else if (probe->termination_grace_period_seconds.value <= 0)
        report_error(report, &grace, FINDING_INVALID, "must be at least 1");
}

void validate_probes(const struct container *container, const struct path *path,
                     struct report *report)
{
    struct path liveness = path_name(path, "livenessProbe"),
                readiness = path_name(path, "readinessProbe"),
                startup = path_name(path, "startupProbe");

    if (container->liveness_probe)
        validate_probe(container->liveness_probe, PROBE_LIVENESS, &liveness, report);
    if (container->readiness_probe)
        validate_probe(container->readiness_probe, PROBE_READINESS, &readiness, report);
    if (container->startup_probe)
        validate_probe(container->startup_probe, PROBE_STARTUP, &startup, report);
}
