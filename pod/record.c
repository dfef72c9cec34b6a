/* What is remembered of a pod, as a table: copied and recorded by the same machinery as objects. */
#include "record.h"

#include <errno.h>

static const struct field operation_fields[] = {
    FIELD_ALWAYS("id", INT64, pod_operation, id),
    FIELD_ALWAYS("kind", INT32, pod_operation, kind),
    FIELD("state", INT32, pod_operation, state),
    FIELD("name", STRING, pod_operation, name),
    FIELD("target", STRING, pod_operation, target),
    FIELD("sandbox", STRING, pod_operation, sandbox),
    FIELD("image", STRING, pod_operation, image),
    FIELD("imageId", STRING, pod_operation, image_id),
    FIELD("attempt", INT32, pod_operation, attempt),
    FIELD("grace", INT64, pod_operation, grace_seconds),
    FIELD("began", INT64, pod_operation, began),
    FIELD("ended", INT64, pod_operation, ended),
    FIELD("reason", STRING, pod_operation, reason),
    FIELD("message", STRING, pod_operation, message),
    FIELD("progress", STRING, pod_operation, progress),
};
static const struct schema operation_schema = SCHEMA(pod_operation, operation_fields);

static const struct field container_fields[] = {
    FIELD_ALWAYS("name", STRING, pod_container_memory, name),
    FIELD("crashDelay", INT64, pod_container_memory, crash_delay),
    FIELD("crashUpdated", INT64, pod_container_memory, crash_updated),
    FIELD("crashKey", INT64, pod_container_memory, crash_key),
    FIELD("exitId", STRING, pod_container_memory, exit_id),
    FIELD("exitAt", INT64, pod_container_memory, exit_at),
    FIELD("attempts", INT32, pod_container_memory, attempts),
    FIELD("freeId", STRING, pod_container_memory, free_id),
    FIELD("restartDue", BOOL, pod_container_memory, restart_due),
    FIELD("hookDue", STRING, pod_container_memory, hook_due),
    FIELD("hookFailed", STRING, pod_container_memory, hook_failed),
    FIELD("waitingReason", STRING, pod_container_memory, waiting_reason),
    FIELD("waitingMessage", STRING, pod_container_memory, waiting_message),
    FIELD("failedId", STRING, pod_container_memory, failed_id),
    FIELD("retryAt", INT64, pod_container_memory, retry_at),
    FIELD("retryDelay", INT64, pod_container_memory, retry_delay),
    FIELD("image", STRING, pod_container_memory, image),
    FIELD("imageId", STRING, pod_container_memory, image_id),
};
static const struct schema container_schema = SCHEMA(pod_container_memory, container_fields);

static const struct field image_fields[] = {
    FIELD_ALWAYS("image", STRING, pod_image_memory, image),
    FIELD("delay", INT64, pod_image_memory, delay),
    FIELD("failedAt", INT64, pod_image_memory, failed_at),
    FIELD("reason", STRING, pod_image_memory, reason),
    FIELD("message", STRING, pod_image_memory, message),
};
static const struct schema image_schema = SCHEMA(pod_image_memory, image_fields);

static const struct field kill_fields[] = {
    FIELD_ALWAYS("id", STRING, pod_kill, id),
    FIELD("began", INT64, pod_kill, began),
    FIELD("grace", INT64, pod_kill, grace_seconds),
    FIELD("preStopDone", BOOL, pod_kill, pre_stop_done),
};
static const struct schema kill_schema = SCHEMA(pod_kill, kill_fields);

static const struct field retry_fields[] = {
    FIELD_ALWAYS("kind", INT32, pod_retry, kind), FIELD("target", STRING, pod_retry, target),
    FIELD("delay", INT64, pod_retry, delay),      FIELD("at", INT64, pod_retry, at),
    FIELD("message", STRING, pod_retry, message),
};
static const struct schema retry_schema = SCHEMA(pod_retry, retry_fields);

static const struct field probes_fields[] = {
    FIELD_ALWAYS("name", STRING, seen_probes, name),
    FIELD_ALWAYS("id", STRING, seen_probes, id),
    FIELD("startup", INT32, seen_probes, startup),
    FIELD("liveness", INT32, seen_probes, liveness),
    FIELD("readiness", INT32, seen_probes, readiness),
};
static const struct schema probes_schema = SCHEMA(seen_probes, probes_fields);

static const struct field memory_fields[] = {
    FIELD("stage", INT32, pod_memory, stage),
    FIELD("admitted", BOOL, pod_memory, admitted),
    FIELD("stageBegan", INT64, pod_memory, stage_began),
    FIELD("grace", INT64, pod_memory, grace_seconds),
    FIELD("endReason", STRING, pod_memory, end_reason),
    FIELD("endMessage", STRING, pod_memory, end_message),
    FIELD("naturalEnd", BOOL, pod_memory, natural_end),
    FIELD("activeSince", INT64, pod_memory, active_since),
    FIELD("leaving", BOOL, pod_memory, leaving),
    FIELD("restartAll", BOOL, pod_memory, restart_all),
    FIELD("allRemoved", BOOL, pod_memory, all_removed),
    FIELD("nextOperation", INT64, pod_memory, next_operation),
    FIELD("changedSandbox", STRING, pod_memory, changed_sandbox),
    FIELD("stoppedSandboxes", STRINGS, pod_memory, stopped_sandboxes),
    FIELD_OF("operations", LIST, pod_memory, operations, operation_schema),
    FIELD_OF("containers", LIST, pod_memory, containers, container_schema),
    FIELD_OF("images", LIST, pod_memory, images, image_schema),
    FIELD_OF("kills", LIST, pod_memory, kills, kill_schema),
    FIELD_OF("retries", LIST, pod_memory, retries, retry_schema),
    FIELD_OF("probes", LIST, pod_memory, probes, probes_schema),
    FIELD_OF("published", POINTER, pod_memory, published, pod_status_schema),
};
const struct schema pod_memory_schema = SCHEMA(pod_memory, memory_fields);

void pod_memory_copy(struct pod_memory *to, const struct pod_memory *from, struct arena *arena)
{
    schema_copy(&pod_memory_schema, to, from, arena);
}

void pod_memory_write(const struct pod_memory *memory, struct json_writer *writer)
{
    schema_encode(&pod_memory_schema, memory, writer);
}

/* A record may be of another version, or damaged: numbers that name something are checked. */
static int check(const struct pod_memory *memory, struct err *err)
{
    if ((unsigned)memory->stage > POD_STAGE_GONE)
        return err_set(err, -EBADMSG, "stage: %d is none", (int)memory->stage);
    array_for_each (operation, memory->operations)
        if ((unsigned)operation->kind > POD_RELEASE ||
            (unsigned)operation->state > POD_OPERATION_UNKNOWN)
            return err_set(err, -EBADMSG, "operations: kind %d, state %d are none",
                           (int)operation->kind, (int)operation->state);
    array_for_each (retry, memory->retries)
        if ((unsigned)retry->kind > POD_RELEASE)
            return err_set(err, -EBADMSG, "retries: kind %d is none", (int)retry->kind);
    array_for_each (probes, memory->probes)
        if ((unsigned)probes->startup > POD_PROBE_FAILURE ||
            (unsigned)probes->liveness > POD_PROBE_FAILURE ||
            (unsigned)probes->readiness > POD_PROBE_FAILURE)
            return err_set(err, -EBADMSG, "probes: %s has a result that is none", probes->name);
    return 0;
}

int pod_memory_read(const struct json *document, usec_t restarted, struct arena *arena,
                    struct pod_memory *memory, struct err *err)
{
    struct report report;
    int r = 0;

    *memory = (struct pod_memory){0};
    report_init(&report, document);
    schema_decode(&pod_memory_schema, memory, document, NULL, arena, &report);
    if (report.errors)
        r = err_set(err, -EBADMSG, "%s: %s", report.findings.items[0].path,
                    report.findings.items[0].message);
    report_deinit(&report);
    if (r == 0)
        r = check(memory, err);
    array_for_each (operation, memory->operations)
        if (operation->state == POD_OPERATION_INTENDED) {
            operation->state = POD_OPERATION_UNKNOWN;
            operation->ended = restarted;
        }
    return r;
}
