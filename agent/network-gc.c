/*
 * What pods' networks leave behind when somebody is killed at the wrong moment: nodeagent-cni
 * deletes what belongs to no sandbox of the runtime. At start, some time after anything went wrong,
 * and hourly.
 */
#include "shell.h"

#include "nodeagent/cni.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/log.h"

#include <string.h>

/* A runtime lists a sandbox only when all of it is made, for which it has 4 minutes. */
#define SPARE_SECONDS 300
/* Waiting for its turn, collecting and telling plugins have a limit each. */
#define GC_TIMEOUT (3 * CNI_TIMEOUT_GC + 60 * USEC_PER_SEC)
#define AFTER_TROUBLE_USEC ((SPARE_SECONDS + 60) * USEC_PER_SEC)
#define PERIOD_USEC (3600 * USEC_PER_SEC)
#define RETRY_USEC (30 * USEC_PER_SEC)

static void due_after(struct agent *agent, usec_t delay)
{
    usec_t due = usec_add(clock_boottime(), delay);

    if (wheel_timer_armed(&agent->network_gc) && agent->network_gc_due <= due)
        return;
    agent->network_gc_due = due;
    wheel_arm(agent->parts.wheel, &agent->network_gc, due);
}

void network_gc_after_trouble(struct agent *agent)
{
    if (network_is_ours(agent->network))
        due_after(agent, AFTER_TROUBLE_USEC);
}

static void write_attachment(const struct cri_sandbox *sandbox, const char *ifname,
                             struct json_writer *writer)
{
    json_write_object(writer);
    json_write_string_member(writer, "containerID", sandbox->id);
    json_write_string_member(writer, "ifname", ifname);
    json_write_object_end(writer);
}

/* False: of some pod it is not known what it has. */
static bool write_valid(const struct agent *agent, struct json_writer *writer)
{
    const char *ifname = network_ifname(agent->network);
    const struct cri_pod *pod;
    bool whole = true;

    json_write_name(writer, "cni.dev/valid-attachments");
    json_write_array(writer);
    for (size_t at = 0; (pod = cri_cache_next(agent->cache, &at));) {
        whole = whole && pod->sandboxes.count + pod->containers.count > 0 &&
                !cri_cache_trouble(agent->cache, pod->uid);
        array_for_each (sandbox, pod->sandboxes)
            write_attachment(sandbox, ifname, writer);
    }
    json_write_array_end(writer);
    return whole;
}

static int64_t count_of(const struct json *report, const char *name)
{
    const struct json *counts = json_get(report, name), *deleted;
    char text[24] = "";
    int64_t count = 0;

    deleted = counts ? json_get(counts, "deleted") : NULL;
    if (deleted && deleted->type == JSON_NUMBER && deleted->length < sizeof(text))
        memcpy(text, deleted->text, deleted->length);
    return str_to_i64(text, &count) == 0 ? count : 0;
}

/* A line; the object of an error may follow. */
static void tell(const struct child_output *out)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    struct json_findings findings;
    struct json *report;
    struct err err;
    int64_t counts[4];

    if (json_parse(&arena, out->bytes, strcspn(out->bytes, "\n"), &json_limits_manifest, &findings,
                   &report, &err) < 0 ||
        report->type != JSON_OBJECT)
        return;
    counts[0] = count_of(report, "attachments");
    counts[1] = count_of(report, "reservations");
    counts[2] = count_of(report, "rules");
    counts[3] = count_of(report, "namespaces");
    if (counts[0] || counts[1] || counts[2] || counts[3])
        log_notice("networks: of pods that are gone, %lld attachments, %lld addresses, %lld rules "
                   "and %lld namespaces were left and are removed",
                   (long long)counts[0], (long long)counts[1], (long long)counts[2],
                   (long long)counts[3]);
}

static void on_collected(void *owner, const struct child_result *result)
{
    struct agent *agent = owner;

    agent->collecting = NULL;
    tell(&result->out);
    if (result->err.code)
        log_failure(LOG_LEVEL_WARNING, NULL, &result->err);
    due_after(agent, agent->network_collected ? PERIOD_USEC : AFTER_TROUBLE_USEC);
    agent->network_collected = true;
}

static int collect(struct agent *agent, struct err *err)
{
    _cleanup_(strbuf_deinit) struct strbuf input = STRBUF_INIT;
    struct json_writer writer;
    bool whole;

    json_writer_init(&writer, &input, false);
    network_begin(agent->network, &writer);
    json_write_int_member(&writer, "spareSeconds", SPARE_SECONDS);
    whole = write_valid(agent, &writer);
    json_write_object_end(&writer);
    json_writer_deinit(&writer);
    if (!whole) {
        due_after(agent, RETRY_USEC);
        return 0;
    }
    return network_run(agent->network, "GC", &input, GC_TIMEOUT, on_collected, agent,
                       &agent->collecting, err);
}

static void on_timer(struct wheel_timer *timer)
{
    struct agent *agent = container_of(timer, struct agent, network_gc);
    struct cri_cache_health health = cri_cache_health(agent->cache);
    struct err err;

    if (agent->finished || agent->collecting || !network_is_ours(agent->network))
        return;
    if (health.trouble || runtime_state_trouble(agent->runtime)) {
        due_after(agent, RETRY_USEC);
        return;
    }
    if (collect(agent, &err) < 0) {
        log_failure(LOG_LEVEL_WARNING, NULL, &err);
        due_after(agent, AFTER_TROUBLE_USEC);
    }
}

void network_gc_begin(struct agent *agent)
{
    wheel_timer_init(&agent->network_gc, on_timer);
}

void network_gc_end(struct agent *agent)
{
    wheel_cancel(&agent->network_gc);
    if (agent->collecting)
        child_cancel(agent->parts.helper, agent->collecting);
}

/* When both are known: who runs the networks, and which sandboxes there are. */
void network_gc_soon(struct agent *agent)
{
    if (agent->looked && network_is_ours(agent->network))
        due_after(agent, 0);
}
