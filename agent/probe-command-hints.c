/* Traps that people fall into, told to those who did. */
#include "probe-command.h"

#include "nodeagent/base/str.h"

#include <string.h>

struct trap {
    const struct errand_probe *probe;
    const struct probe_outcome *outcome;
    const struct handler *handler;
    struct arena *arena;
};

typedef const char *hint_fn(const struct trap *trap); /* NULL: not this one */

static const char *host_of(const struct trap *trap)
{
    if (trap->handler->http_get)
        return trap->handler->http_get->host;
    return trap->handler->tcp_socket ? trap->handler->tcp_socket->host : NULL;
}

static const char *local_host(const struct trap *trap)
{
    const char *host = host_of(trap);

    if (trap->probe->errand->ad_hoc || str_empty(host) ||
        !(!strcmp(host, "localhost") || !strcmp(host, "::1") || str_has_prefix(host, "127.")))
        return NULL;
    return arena_printf(trap->arena,
                        "host %s is the node, not the pod: probes leave from the node; without "
                        "a host the pod's address is probed",
                        host);
}

static const char *brackets(const struct trap *trap)
{
    const char *host = host_of(trap);

    return host && *host == '[' ? "a host is written without brackets, IPv6 too" : NULL;
}

static const char *long_timeout(const struct trap *trap)
{
    return trap->probe->timing.timeout >= trap->probe->timing.period && !trap->probe->errand->ad_hoc
               ? "the timeout is not shorter than the period: while an attempt waits, ticks are "
                 "lost, and failures are found late"
               : NULL;
}

static const char *tls_as_http(const struct trap *trap)
{
    const struct http_get_action *get = trap->handler->http_get;
    const struct probe_outcome *outcome = trap->outcome;

    if (!get || str_equal(get->scheme, "HTTPS") || !probe_failed(outcome->verdict))
        return NULL;
    if (strstr(outcome->text, "\\x15\\x03") ||
        (outcome->code == 400 && outcome->body && strstr(outcome->body, "HTTPS")))
        return "the port speaks TLS: scheme HTTPS";
    return NULL;
}

static const char *http_as_tls(const struct trap *trap)
{
    return strstr(trap->outcome->text, "server gave HTTP response to HTTPS client")
               ? "the port speaks plain HTTP: scheme HTTP"
               : NULL;
}

static const char *other_host(const struct trap *trap)
{
    return trap->handler->http_get && trap->outcome->verdict == PROBE_WARNING
               ? "a redirection to another host is not followed, and counts as a success: "
                 "nothing behind it was tried"
               : NULL;
}

static const char *slow_body(const struct trap *trap)
{
    return trap->handler->http_get && trap->outcome->verdict == PROBE_RESPONSE_TIMEOUT &&
                   trap->outcome->times.first_byte
               ? "the head of the answer came in time, its body did not"
               : NULL;
}

static const char *silent_grpc(const struct trap *trap)
{
    enum probe_verdict verdict = trap->outcome->verdict;

    return trap->handler->grpc && (verdict == PROBE_RESPONSE_TIMEOUT || verdict == PROBE_BROKEN ||
                                   verdict == PROBE_TLS)
               ? "gRPC probes speak plain HTTP/2: a port with TLS, or of another protocol, fails so"
               : NULL;
}

static const char *not_found(const struct trap *trap)
{
    const struct exec_action *exec = trap->handler->exec;
    enum probe_verdict verdict = trap->outcome->verdict;

    if (!exec || !exec->command.count)
        return NULL;
    if (verdict != PROBE_SUCCESS && exec->command.count == 1 && strchr(exec->command.items[0], ' '))
        return "no shell runs the command: it is one word; write [\"sh\", \"-c\", \"...\"], or "
               "each word by itself";
    if (strstr(trap->outcome->text, "no such file or directory") ||
        strstr(trap->outcome->text, "executable file not found") || trap->outcome->code == 127)
        return "the command is not in the container's image";
    return NULL;
}

static const char *no_address(const struct trap *trap)
{
    const struct pod_status *status = &trap->probe->errand->pod->status;

    return trap->outcome->verdict == PROBE_ERRORED && !trap->handler->exec &&
                   str_empty(host_of(trap)) && str_empty(status->pod_ip)
               ? "--ip gives the address that the pod has or would have"
               : NULL;
}

static const char *not_running(const struct trap *trap)
{
    return trap->probe->idle
               ? arena_printf(trap->arena,
                              "container %s does not run, and the agent does not probe it: it %s",
                              trap->probe->container->name, trap->probe->idle)
               : NULL;
}

static const char *no_container(const struct trap *trap)
{
    return trap->handler->exec && !trap->probe->container_id && !trap->probe->idle
               ? "a command needs a container that runs: name a pod of this node, or exec "
                 "--container ID"
               : NULL;
}

static const char *no_runtime(const struct trap *trap)
{
    return trap->handler->exec && strstr(trap->outcome->text, "failed to connect")
               ? arena_printf(trap->arena,
                              "no runtime answers at %s: --container-runtime-endpoint names "
                              "another",
                              trap->probe->errand->runtime_endpoint)
               : NULL;
}

static const char *port_name(const struct trap *trap)
{
    return strstr(trap->outcome->text, "strconv.Atoi")
               ? arena_printf(trap->arena,
                              "no port of container %s has this name; those of other containers "
                              "do not count",
                              trap->probe->container->name)
               : NULL;
}

static const char *gated(const struct trap *trap)
{
    return str_equal(trap->probe->state, "waits for startup")
               ? "the agent does not make this probe before the startup probe has passed"
               : NULL;
}

void errand_hints(struct string_list *hints, const struct errand_probe *probe,
                  const struct probe_outcome *outcome, struct arena *arena)
{
    static hint_fn *const all[] = {
        not_running, gated,        no_runtime,  local_host,  brackets,
        no_address,  no_container, port_name,   tls_as_http, http_as_tls,
        other_host,  slow_body,    silent_grpc, not_found,   long_timeout,
    };
    const struct trap trap = {probe, outcome, &probe->probe->handler, arena};

    *hints = (struct string_list){.items = arena_array(arena, const char *, array_size(all))};
    for (size_t i = 0; i < array_size(all); i++) {
        const char *hint = all[i](&trap);

        if (hint)
            hints->items[hints->count++] = hint;
    }
}
