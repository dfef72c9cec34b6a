/* What came of an attempt, for programs: one JSON object. */
#include "probe-command.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/base/str.h"

#include <stdlib.h>
#include <string.h>

/* Bytes may be anything; a string is UTF-8. */
static void write_bytes(struct json_writer *writer, const char *name, const char *bytes,
                        size_t length)
{
    _cleanup_(mem_free_at) char *text = mem_strndup(bytes ? bytes : "", bytes ? length : 0);

    utf8_repair(text, bytes ? length : 0);
    json_write_name(writer, name);
    json_write_bytes(writer, text, bytes ? length : 0);
}

static void write_text(struct json_writer *writer, const char *name, const char *text)
{
    if (!str_empty(text))
        write_bytes(writer, name, text, strlen(text));
}

static void write_times(const struct net_times *times, struct json_writer *writer)
{
    const struct {
        const char *name;
        usec_t done;
    } steps[] = {
        {"resolvedMicroseconds", times->resolved}, {"connectedMicroseconds", times->connected},
        {"securedMicroseconds", times->secured},   {"firstByteMicroseconds", times->first_byte},
        {"totalMicroseconds", times->ended},
    };

    for (size_t i = 0; i < array_size(steps); i++)
        if (steps[i].done)
            json_write_int_member(writer, steps[i].name, (int64_t)steps[i].done);
}

static void write_timing(const struct probe_timing *timing, struct json_writer *writer)
{
    json_write_int_member(writer, "timeoutMicroseconds", (int64_t)timing->timeout);
    json_write_int_member(writer, "periodMicroseconds", (int64_t)timing->period);
    json_write_int_member(writer, "delayMicroseconds", (int64_t)timing->delay);
    json_write_int_member(writer, "successThreshold", timing->success_threshold);
    json_write_int_member(writer, "failureThreshold", timing->failure_threshold);
}

static void write_headers(const struct errand_probe *probe, struct json_writer *writer)
{
    const struct http_get_action *get = probe->probe->handler.http_get;

    if (!get || !get->http_headers.count)
        return;
    json_write_name(writer, "headers");
    json_write_array(writer);
    array_for_each (header, get->http_headers) {
        json_write_object(writer);
        write_text(writer, "name", header->name);
        write_text(writer, "value",
                   errand_header_value(probe->errand, header->name, header->value));
        json_write_object_end(writer);
    }
    json_write_array_end(writer);
}

static void write_event(const struct errand_report *report, struct json_writer *writer)
{
    if (!report->event)
        return;
    json_write_name(writer, "event");
    json_write_object(writer);
    write_text(writer, "type", "Warning");
    write_text(writer, "reason", report->reason);
    write_text(writer, "message", report->event);
    json_write_object_end(writer);
}

static void write_hints(const struct errand_report *report, struct json_writer *writer)
{
    json_write_name(writer, "hints");
    json_write_array(writer);
    for (size_t i = 0; i < report->hints.count; i++)
        json_write_string(writer, report->hints.items[i]);
    json_write_array_end(writer);
}

static void write_whose(const struct errand_probe *probe, struct json_writer *writer)
{
    const struct object_meta *metadata = &probe->errand->pod->object.metadata;

    if (!probe->errand->ad_hoc) {
        write_text(writer, "namespace", metadata->name_space);
        write_text(writer, "pod", metadata->name);
        write_text(writer, "container", probe->container->name);
    }
    write_text(writer, "containerID", probe->container_id);
    write_text(writer, "type", probe_type_name(probe->judge.type));
    write_text(writer, "handler", errand_handler(probe->probe));
    write_text(writer, "state", probe->state);
}

void errand_write(const struct errand_report *report, struct strbuf *out)
{
    const struct probe_outcome *outcome = report->outcome;
    struct json_writer writer;

    json_writer_init(&writer, out, false);
    json_write_object(&writer);
    write_whose(report->probe, &writer);
    write_text(&writer, "target", outcome->target);
    write_timing(&report->probe->timing, &writer);
    write_headers(report->probe, &writer);
    json_write_int_member(&writer, "attempt", (int64_t)report->probe->attempts);
    json_write_name(&writer, "times");
    json_write_object(&writer);
    write_times(&outcome->times, &writer);
    json_write_object_end(&writer);
    json_write_int_member(&writer, "code", outcome->code);
    write_text(&writer, "head", report->head);
    write_bytes(&writer, "body", outcome->body, outcome->body_length);
    json_write_bool_member(&writer, "bodyCut", outcome->body_cut);
    write_text(&writer, "left", outcome->left);
    write_text(&writer, "verdict", probe_verdict_name(outcome->verdict));
    write_text(&writer, "text", outcome->text);
    write_event(report, &writer);
    json_write_int_member(&writer, "run", report->probe->judge.run);
    write_text(&writer, "next", report->next);
    write_hints(report, &writer);
    json_write_object_end(&writer);
    json_writer_deinit(&writer);
    strbuf_add_char(out, '\n');
}
