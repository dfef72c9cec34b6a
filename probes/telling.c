/* Telling operators, and Prometheus, of the probes. */
#include "prober.h"

#include "nodeagent/base/str.h"
#include "nodeagent/sys/clock.h"

/* to operators */

static const char *handler_name(const struct handler *handler)
{
    return handler->http_get     ? "httpGet"
           : handler->tcp_socket ? "tcpSocket"
           : handler->grpc       ? "grpc"
                                 : "exec";
}

static const char *state_of(const struct prober *prober)
{
    static const char *const results[] = {
        [PROBE_UNDECIDED] = "undecided",
        [PROBE_PASSED] = "passing",
        [PROBE_NOT_PASSED] = "failing",
    };

    if (prober->judge.due == USEC_NEVER && !prober->judge.held)
        return "waits for startup";
    if (prober->judge.type == PROBE_STARTUP && prober->judge.result == PROBE_PASSED)
        return "passed";
    return results[prober->judge.result];
}

static void write_timing(const struct probe_timing *timing, struct json_writer *writer)
{
    json_write_int_member(writer, "delayMicroseconds", timing->delay);
    json_write_int_member(writer, "periodMicroseconds", timing->period);
    json_write_int_member(writer, "timeoutMicroseconds", timing->timeout);
    json_write_int_member(writer, "successThreshold", timing->success_threshold);
    json_write_int_member(writer, "failureThreshold", timing->failure_threshold);
}

static void write_prober(const struct prober *prober, struct json_writer *writer)
{
    const struct history *history = &prober->history;
    const struct object_meta *pod = &prober->of->object->metadata;
    usec_t now = clock_boottime();

    json_write_object(writer);
    json_write_string_member(writer, "namespace", pod->name_space);
    json_write_string_member(writer, "pod", pod->name);
    json_write_string_member(writer, "uid", prober->of->pod->uid);
    json_write_string_member(writer, "container", prober->of->container->name);
    json_write_string_member(writer, "containerID", prober->of->id);
    json_write_string_member(writer, "type", probe_type_name(prober->judge.type));
    json_write_string_member(writer, "handler", handler_name(&prober->probe->handler));
    json_write_string_member(writer, "state", state_of(prober));
    write_timing(&prober->timing, writer);
    json_write_int_member(writer, "run", prober->judge.run);
    json_write_bool_member(writer, "runSucceeded", prober->judge.last_good);
    json_write_bool_member(writer, "inFlight", prober->attempt != NULL);
    if (prober->judge.due != USEC_NEVER)
        json_write_int_member(writer, "nextMicroseconds", usec_sub(prober->judge.due, now));
    if (prober->text)
        json_write_string_member(writer, "text", prober->text);
    json_write_int_member(writer, "attempts", history->count);
    json_write_int_member(writer, "agentLate", history->agent_late);
    json_write_int_member(writer, "longestLateMicroseconds", history->late_longest);
    json_write_name(writer, "history");
    history_write(history, (int64_t)clock_wall() - (int64_t)now, writer);
    json_write_object_end(writer);
}

static void write_pod(const struct watched *pod, struct json_writer *writer)
{
    list_for_each (node, &pod->containers) {
        const struct probed *probed = list_entry(node, struct probed, link);

        for (enum probe_type type = 0; type < PROBE_TYPES; type++)
            if (probed->probers[type])
                write_prober(probed->probers[type], writer);
    }
}

void probers_write(const struct probers *probers, const char *uid, struct json_writer *writer)
{
    struct map_entry *entry;

    json_write_array(writer);
    for (size_t at = 0; (entry = map_next(&probers->pods, &at));)
        if (!uid || str_equal(uid, entry->key))
            write_pod(entry->value, writer);
    json_write_array_end(writer);
}

/* to Prometheus */

typedef void series_fn(const struct prober *prober, struct strbuf *text);

/* Names of pods and containers need no escapes. */
static void add_labels(const struct prober *prober, bool uid, struct strbuf *text)
{
    const struct object_meta *pod = &prober->of->object->metadata;

    strbuf_printf(text, "container=\"%s\",namespace=\"%s\",pod=\"%s\",",
                  prober->of->container->name, pod->name_space, pod->name);
    if (uid)
        strbuf_printf(text, "pod_uid=\"%s\",", prober->of->pod->uid);
    strbuf_printf(text, "probe_type=\"%s\"", probe_type_name(prober->judge.type));
}

static void add_total(const struct prober *prober, struct strbuf *text)
{
    const struct {
        const char *name;
        uint64_t count;
    } results[] = {
        {"successful", prober->history.successful},
        {"failed", prober->history.failed},
        {"agent_late", prober->history.agent_late},
    };

    for (size_t i = 0; i < array_size(results); i++) {
        if (!results[i].count)
            continue;
        strbuf_printf(text, "prober_probe_total{");
        add_labels(prober, true, text);
        strbuf_printf(text, ",result=\"%s\"} %llu\n", results[i].name,
                      (unsigned long long)results[i].count);
    }
}

static void add_durations(const struct prober *prober, struct strbuf *text)
{
    const struct history *history = &prober->history;
    uint64_t count = 0;

    if (!history->successful)
        return;
    for (unsigned i = 0; i <= PROBE_BUCKETS; i++) {
        count += history->buckets[i];
        strbuf_printf(text, "prober_probe_duration_seconds_bucket{");
        add_labels(prober, false, text);
        if (i < PROBE_BUCKETS)
            strbuf_printf(text, ",le=\"%g\"} %llu\n",
                          (double)probe_bucket_ends[i] / (double)USEC_PER_SEC,
                          (unsigned long long)count);
        else
            strbuf_printf(text, ",le=\"+Inf\"} %llu\n", (unsigned long long)count);
    }
    strbuf_printf(text, "prober_probe_duration_seconds_sum{");
    add_labels(prober, false, text);
    strbuf_printf(text, "} %.6f\n", (double)history->duration / (double)USEC_PER_SEC);
    strbuf_printf(text, "prober_probe_duration_seconds_count{");
    add_labels(prober, false, text);
    strbuf_printf(text, "} %llu\n", (unsigned long long)count);
}

static void add_lateness(const struct prober *prober, struct strbuf *text)
{
    strbuf_printf(text, "nodeagent_probe_lateness_seconds_max{");
    add_labels(prober, true, text);
    strbuf_printf(text, "} %.6f\n", (double)prober->history.late_longest / (double)USEC_PER_SEC);
}

static void add_series(const struct probers *probers, series_fn *add, struct strbuf *text)
{
    struct map_entry *entry;

    for (size_t at = 0; (entry = map_next(&probers->pods, &at));)
        list_for_each (node, &((struct watched *)entry->value)->containers)
            for (enum probe_type type = 0; type < PROBE_TYPES; type++) {
                const struct prober *prober = list_entry(node, struct probed, link)->probers[type];

                if (prober)
                    add(prober, text);
            }
}

void probers_write_metrics(const struct probers *probers, struct strbuf *text)
{
    static const struct {
        const char *name, *kind, *help;
        series_fn *add;
    } families[] = {
        {"prober_probe_total", "counter",
         "Liveness, readiness and startup probes of a container by result.", add_total},
        {"prober_probe_duration_seconds", "histogram",
         "Durations of successful probes of a container.", add_durations},
        {"nodeagent_probe_lateness_seconds_max", "gauge",
         "The longest time that an attempt began after its tick.", add_lateness},
    };

    for (size_t i = 0; i < array_size(families); i++) {
        strbuf_printf(text, "# HELP %s %s\n# TYPE %s %s\n", families[i].name, families[i].help,
                      families[i].name, families[i].kind);
        add_series(probers, families[i].add, text);
    }
}
