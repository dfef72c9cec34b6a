/* What is to be said of an attempt: its event, what would follow, and what may be shown. */
#include "probe-command.h"

#include "nodeagent/base/str.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MASK "***"

const char *errand_handler(const struct probe *probe)
{
    return probe->handler.http_get     ? "httpGet"
           : probe->handler.tcp_socket ? "tcpSocket"
           : probe->handler.grpc       ? "grpc"
                                       : "exec";
}

/* secrets */

static bool is_secret(const char *name, size_t length)
{
    static const char *const words[] = {"authorization", "cookie", "token", "key"};

    for (size_t i = 0; i < array_size(words); i++)
        for (size_t at = 0; at + strlen(words[i]) <= length; at++)
            if (!strncasecmp(name + at, words[i], strlen(words[i])))
                return true;
    return false;
}

const char *errand_header_value(const struct errand *errand, const char *name, const char *value)
{
    if (str_empty(value))
        return "";
    return errand->show_secrets || !is_secret(name, strlen(name)) ? value : MASK;
}

const char *errand_head(const struct errand *errand, const char *head, struct arena *arena)
{
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;

    while (head && *head) {
        size_t line = strcspn(head, "\n"), name = strcspn(head, ":\n");

        if (!errand->show_secrets && name < line && is_secret(head, name))
            strbuf_printf(&text, "%.*s: " MASK, (int)name, head);
        else
            strbuf_add_bytes(&text, head, line);
        head += line;
        if (*head) {
            strbuf_add_char(&text, '\n');
            head++;
        }
    }
    return arena_strndup(arena, text.text ? text.text : "", text.length);
}

/* what follows */

static const char *plural(uint32_t count, const char *many)
{
    return count == 1 ? "" : many;
}

static bool restarts(const struct errand_probe *probe)
{
    const char *own = probe->container->restart_policy;

    return !str_equal(own ? own : probe->errand->pod->spec.restart_policy, "Never");
}

/* " (about 20s)" */
static const char *in_periods(const struct errand_probe *probe, uint32_t periods,
                              struct arena *arena)
{
    usec_t usec = usec_mul(probe->timing.period, periods);
    char text[TIME_TEXT_MAX];

    usec = MIN(usec, (usec_t)INT64_MAX / 1000);
    return arena_printf(arena, " (about %s)", duration_format((int64_t)usec * 1000, text));
}

static const char *after_success(const struct errand_probe *probe, struct arena *arena)
{
    const struct judge *judge = &probe->judge;
    uint32_t more = usec_sub(probe->timing.success_threshold, judge->run);

    if (judge->type == PROBE_STARTUP)
        return "started: its liveness and readiness probes begin";
    if (judge->type == PROBE_LIVENESS)
        return arena_printf(arena, "alive: restart after %u failure%s in a row",
                            probe->timing.failure_threshold,
                            plural(probe->timing.failure_threshold, "s"));
    if (judge->result == PROBE_PASSED)
        return "Ready";
    return arena_printf(arena, "Ready after %u more success%s%s", more, plural(more, "es"),
                        in_periods(probe, more, arena));
}

static const char *after_failure(const struct errand_probe *probe, struct arena *arena)
{
    const struct judge *judge = &probe->judge;
    uint32_t more = (uint32_t)usec_sub(probe->timing.failure_threshold, judge->run);
    const char *end = judge->type == PROBE_READINESS ? "not Ready"
                      : restarts(probe)              ? "restart"
                                                     : "the container is killed, for good";

    if (judge->type == PROBE_READINESS && judge->result != PROBE_PASSED)
        return arena_printf(arena, "not Ready: %u success%s needed",
                            probe->timing.success_threshold,
                            plural(probe->timing.success_threshold, "es"));
    if (!more)
        return end;
    return arena_printf(arena, "%u more failure%s until %s%s", more, plural(more, "s"), end,
                        in_periods(probe, more, arena));
}

static const char *follow(const struct errand_probe *probe, enum probe_verdict verdict,
                          struct arena *arena)
{
    if (probe_succeeded(verdict))
        return after_success(probe, arena);
    if (probe_failed(verdict))
        return after_failure(probe, arena);
    return "nothing: it does not count";
}

void errand_report(struct errand_report *report, struct errand_probe *probe,
                   const struct probe_outcome *outcome, struct arena *arena)
{
    char *event;

    judge_take(&probe->judge, outcome->verdict);
    *report = (struct errand_report){.probe = probe, .outcome = outcome};
    event = judge_event(probe->judge.type, outcome->verdict, outcome->text, &report->reason);
    if (event)
        report->event = arena_strdup(arena, event);
    free(event);
    report->head = errand_head(probe->errand, outcome->head, arena);
    report->next = follow(probe, outcome->verdict, arena);
    errand_hints(&report->hints, probe, outcome, arena);
}
