/* What came of an attempt, for people. */
#include "probe-command.h"

#include "nodeagent/base/str.h"

#include <string.h>

enum {
    LINE_MAX_SHOWN = 200, /* bytes of a line of an answer */
    LINES_MAX_SHOWN = 20, /* of its head, and of its body */
    TEXT_MAX_SHOWN = 1024,
};

static void begin(struct strbuf *out, const char *name)
{
    strbuf_printf(out, "  %-10s ", name);
}

static void add_text(struct strbuf *out, const char *text, size_t most)
{
    strbuf_add_quoted(out, text, strlen(text), most);
}

static void add_line(struct strbuf *out, const char *name, const char *text)
{
    begin(out, name);
    add_text(out, text, TEXT_MAX_SHOWN);
    strbuf_add_char(out, '\n');
}

static void add_duration(struct strbuf *out, usec_t usec)
{
    char text[TIME_TEXT_MAX];

    strbuf_add(out, duration_format((int64_t)MIN(usec, (usec_t)INT64_MAX / 1000) * 1000, text));
}

/* verdicts */

static void add_verdict(struct strbuf *out, enum probe_verdict verdict, bool colours)
{
    const char *colour = verdict == PROBE_SUCCESS ? "\x1b[32m"
                         : probe_failed(verdict)  ? "\x1b[31m"
                                                  : "\x1b[33m";

    strbuf_printf(out, "%s%s%s", colours ? colour : "", probe_verdict_name(verdict),
                  colours ? "\x1b[0m" : "");
}

static void add_msec(struct strbuf *out, usec_t usec)
{
    strbuf_printf(out, "%.1f ms", (double)usec / (double)USEC_PER_MSEC);
}

/* parts of the block */

static void tell_title(const struct errand_probe *probe, struct strbuf *out)
{
    const struct errand *errand = probe->errand;
    const struct object_meta *metadata = &errand->pod->object.metadata;

    strbuf_printf(out, "%s probe", probe_type_name(probe->judge.type));
    if (!errand->ad_hoc) {
        strbuf_add(out, " of pod ");
        if (!str_empty(metadata->name_space)) {
            add_text(out, metadata->name_space, TEXT_MAX_SHOWN);
            strbuf_add_char(out, '/');
        }
        add_text(out, metadata->name ? metadata->name : "", TEXT_MAX_SHOWN);
        strbuf_add(out, ", container ");
        add_text(out, probe->container->name, TEXT_MAX_SHOWN);
    }
    strbuf_printf(out, ": %s\n", errand_handler(probe->probe));
}

static void tell_port(const struct int_or_string *port, struct strbuf *out)
{
    if (!port->string)
        return;
    strbuf_add(out, " (port ");
    add_text(out, port->string, LINE_MAX_SHOWN);
    strbuf_add_char(out, ')');
}

static void tell_target(const struct errand_report *report, struct strbuf *out)
{
    const struct handler *handler = &report->probe->probe->handler;
    const char *host = handler->http_get     ? handler->http_get->host
                       : handler->tcp_socket ? handler->tcp_socket->host
                                             : NULL;

    if (str_empty(report->outcome->target))
        return;
    begin(out, "target");
    add_text(out, report->outcome->target, TEXT_MAX_SHOWN);
    if (handler->http_get)
        tell_port(&handler->http_get->port, out);
    if (handler->tcp_socket)
        tell_port(&handler->tcp_socket->port, out);
    if (handler->grpc && !str_empty(handler->grpc->service)) {
        strbuf_add(out, " (service ");
        add_text(out, handler->grpc->service, LINE_MAX_SHOWN);
        strbuf_add_char(out, ')');
    }
    if (!handler->exec && !report->probe->errand->ad_hoc)
        strbuf_add(out, str_empty(host) ? ", the pod's address" : ", the probe's host");
    strbuf_add_char(out, '\n');
}

static void tell_headers(const struct errand_probe *probe, struct strbuf *out)
{
    const struct http_get_action *get = probe->probe->handler.http_get;

    if (!get)
        return;
    array_for_each (header, get->http_headers) {
        begin(out, "header");
        add_text(out, header->name, LINE_MAX_SHOWN);
        strbuf_add(out, ": ");
        add_text(out, errand_header_value(probe->errand, header->name, header->value),
                 LINE_MAX_SHOWN);
        strbuf_add_char(out, '\n');
    }
}

static void tell_timing(const struct errand_probe *probe, struct strbuf *out)
{
    const struct probe_timing *timing = &probe->timing;

    begin(out, "timing");
    strbuf_add(out, "timeout ");
    add_duration(out, timing->timeout);
    strbuf_add(out, ", period ");
    add_duration(out, timing->period);
    strbuf_printf(out, ", thresholds %u success%s, %u failure%s", timing->success_threshold,
                  timing->success_threshold == 1 ? "" : "es", timing->failure_threshold,
                  timing->failure_threshold == 1 ? "" : "s");
    if (timing->delay) {
        strbuf_add(out, ", initial delay ");
        add_duration(out, timing->delay);
    }
    strbuf_add_char(out, '\n');
}

/* How long each step took that was done. */
static void tell_times(const struct net_times *times, struct strbuf *out)
{
    const struct {
        const char *name;
        usec_t done;
    } steps[] = {
        {"DNS", times->resolved},
        {"connect", times->connected},
        {"TLS", times->secured},
        {"first byte", times->first_byte},
    };
    usec_t before = 0;

    begin(out, "times");
    for (size_t i = 0; i < array_size(steps); i++) {
        if (!steps[i].done)
            continue;
        strbuf_printf(out, "%s ", steps[i].name);
        add_msec(out, usec_sub(steps[i].done, before));
        strbuf_add(out, ", ");
        before = steps[i].done;
    }
    strbuf_add(out, "total ");
    add_msec(out, times->ended);
    strbuf_add_char(out, '\n');
}

/* The lines of a text, the first behind the name, as many as are shown. */
static void tell_lines(const char *name, const char *text, size_t length, bool cut,
                       struct strbuf *out)
{
    const char *end = text + length;

    for (unsigned lines = 0; text < end; lines++) {
        const char *stop = memchr(text, '\n', (size_t)(end - text));
        size_t line = (size_t)((stop ? stop : end) - text);

        if (lines == LINES_MAX_SHOWN) {
            add_line(out, "", "...");
            return;
        }
        begin(out, lines ? "" : name);
        strbuf_add_quoted(out, text, line && text[line - 1] == '\r' ? line - 1 : line,
                          LINE_MAX_SHOWN);
        strbuf_add_char(out, '\n');
        text += line + (stop != NULL);
    }
    if (cut)
        add_line(out, "", "... (the rest was not read)");
}

static void tell_answer(const struct errand_report *report, struct strbuf *out)
{
    const struct probe_outcome *outcome = report->outcome;
    const struct handler *handler = &report->probe->probe->handler;

    if (handler->exec) {
        if (outcome->verdict == PROBE_SUCCESS || outcome->verdict == PROBE_EXEC_EXIT) {
            begin(out, "exit code");
            strbuf_printf(out, "%d\n", (int)outcome->code);
        }
        tell_lines("output", outcome->body, outcome->body_length, outcome->body_cut, out);
        return;
    }
    if (!handler->http_get)
        return;
    tell_lines("answer", report->head, strlen(report->head), false, out);
    tell_lines("body", outcome->body, outcome->body_length, outcome->body_cut, out);
}

static void tell_verdict(const struct errand_report *report, bool colours, struct strbuf *out)
{
    begin(out, "verdict");
    add_verdict(out, report->outcome->verdict, colours);
    strbuf_add_char(out, '\n');
    if (report->event) {
        begin(out, "event");
        strbuf_printf(out, "Warning %s: ", report->reason);
        add_text(out, report->event, TEXT_MAX_SHOWN);
        strbuf_add_char(out, '\n');
    }
    if (report->outcome->left)
        add_line(out, "left", report->outcome->left);
}

static void tell_again(const struct errand_report *report, bool colours, struct strbuf *out)
{
    strbuf_printf(out, "  #%-9llu ", (unsigned long long)report->probe->attempts);
    add_verdict(out, report->outcome->verdict, colours);
    strbuf_add(out, " again, total ");
    add_msec(out, report->outcome->times.ended);
    if (report->probe->errand->probes.count > 1) {
        strbuf_printf(out, ", %s probe of ", probe_type_name(report->probe->judge.type));
        add_text(out, report->probe->container->name, LINE_MAX_SHOWN);
    }
    strbuf_add(out, ": ");
    add_text(out, report->next, TEXT_MAX_SHOWN);
    strbuf_add_char(out, '\n');
}

void errand_tell(const struct errand_report *report, bool again, bool colours, struct strbuf *out)
{
    const struct errand_probe *probe = report->probe;

    if (again) {
        tell_again(report, colours, out);
        return;
    }
    tell_title(probe, out);
    tell_target(report, out);
    tell_headers(probe, out);
    tell_timing(probe, out);
    if (probe->state)
        add_line(out, "agent", probe->state);
    tell_times(&report->outcome->times, out);
    tell_answer(report, out);
    tell_verdict(report, colours, out);
    add_line(out, "next", report->next);
    for (size_t i = 0; i < report->hints.count; i++)
        add_line(out, "hint", report->hints.items[i]);
}
