/* Reading the order. */
#include "probe-command.h"

#include "nodeagent/base/str.h"
#include "nodeagent/cri/client.h"
#include "nodeagent/probes/timing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* values */

static bool number_in(const struct json *object, const char *name, struct arena *arena,
                      uint64_t *number)
{
    const struct json *value = json_get(object, name);
    int64_t read;

    if (!value || value->type != JSON_NUMBER ||
        str_to_i64(arena_strndup(arena, value->text, value->length), &read) < 0 || read < 0)
        return false;
    *number = (uint64_t)read;
    return true;
}

/* one probe */

static const struct container *find_container(const struct pod *pod, const char *name)
{
    array_for_each (container, pod->spec.init_containers)
        if (str_equal(container->name, name))
            return container;
    array_for_each (container, pod->spec.containers)
        if (str_equal(container->name, name))
            return container;
    return NULL;
}

static const struct container_status *status_of(const struct pod *pod, const char *name)
{
    array_for_each (status, pod->status.container_statuses)
        if (str_equal(status->name, name))
            return status;
    array_for_each (status, pod->status.init_container_statuses)
        if (str_equal(status->name, name))
            return status;
    return NULL;
}

/* "containerd://id"; of one that does not run an id is no use. */
static void read_status(struct errand_probe *probe, struct arena *arena)
{
    const struct container_status *status = status_of(probe->errand->pod, probe->container->name);
    const char *id = status ? status->container_id : NULL, *scheme;

    if (!status)
        return;
    if (status->state.terminated) {
        probe->idle = arena_printf(arena, "ended with exit code %d",
                                   (int)status->state.terminated->exit_code);
    } else if (status->state.waiting) {
        probe->idle = arena_printf(arena, "waits: %s",
                                   status->state.waiting->reason ? status->state.waiting->reason
                                                                 : "it has not begun");
    } else if (!str_empty(id)) {
        scheme = strstr(id, "://");
        probe->container_id = scheme ? scheme + strlen("://") : id;
    }
}

static void read_timing(struct errand_probe *probe, const struct json *order, struct arena *arena)
{
    const struct errand *errand = probe->errand;
    struct probe_timing *timing = &probe->timing;
    uint64_t number;
    struct err err;

    *timing = probe_timing_of(probe->probe);
    /* One that is wrong has no effect; the agent's event says so. */
    probe_timing_annotated(timing, errand->pod, probe->container->name, probe->judge.type, &err);
    number_in(order, "timeoutMicroseconds", arena, &timing->timeout);
    number_in(order, "periodMicroseconds", arena, &timing->period);
    if (number_in(order, "successThreshold", arena, &number))
        timing->success_threshold = (uint32_t)MIN(number, UINT32_MAX);
    if (number_in(order, "failureThreshold", arena, &number))
        timing->failure_threshold = (uint32_t)MIN(number, UINT32_MAX);
}

/* As the agent tells it: probes/telling.c. */
static void read_known(struct errand_probe *probe, const struct json *known, struct arena *arena)
{
    struct judge *judge = &probe->judge;
    uint64_t run = 0;

    if (!known)
        return;
    probe->state = json_get_text(known, "state", NULL, arena);
    if (str_equal(probe->state, "passing") || str_equal(probe->state, "passed"))
        judge->result = PROBE_PASSED;
    else if (str_equal(probe->state, "failing"))
        judge->result = PROBE_NOT_PASSED;
    number_in(known, "run", arena, &run);
    judge->run = (uint32_t)MIN(run, UINT32_MAX - 1);
    judge->last_good = json_get_bool(known, "runSucceeded");
}

static bool read_type(enum probe_type *type, const char *name)
{
    for (*type = 0; *type < PROBE_TYPES; (*type)++)
        if (str_equal(name, probe_type_name(*type)))
            return true;
    return false;
}

static int read_probe(struct errand *errand, struct errand_probe *probe, const struct json *item,
                      const struct json *order, usec_t now, struct err *err)
{
    struct arena *arena = &errand->arena;
    const char *name = json_get_text(item, "container", NULL, arena);
    enum probe_type type;

    probe->errand = errand;
    probe->container = find_container(errand->pod, name);
    if (!probe->container || !read_type(&type, json_get_text(item, "type", NULL, arena)) ||
        !probe_of(probe->container, type))
        return err_set(err, -EINVAL, "the order names a probe that its pod has not");
    probe->probe = probe_of(probe->container, type);
    read_status(probe, arena);
    probe->judge.type = type;
    read_timing(probe, order, arena);
    judge_init(&probe->judge, type, &probe->timing, now, PROBE_UNDECIDED, false, now);
    read_known(probe, json_get(item, "known"), arena);
    probe->due = usec_add(now, errand->delay);
    return 0;
}

/* all of it */

static int read_pod(struct errand *errand, const struct json *document, struct err *err)
{
    struct report report;

    report_init(&report, document);
    errand->object = object_decode_as(&object_kind_pod, document, OBJECT_DROP_RAW, &report);
    report_deinit(&report);
    if (!errand->object)
        return err_set(err, -EINVAL, "the order has a pod that cannot be read");
    errand->pod = pod_of(errand->object);
    return 0;
}

static int read_probes(struct errand *errand, const struct json *order, usec_t now, struct err *err)
{
    const struct json *items = json_get(order, "probes");
    int r = 0;

    if (!items || items->type != JSON_ARRAY || !items->length)
        return err_set(err, -EINVAL, "the order names no probes");
    errand->probes.items = arena_array(&errand->arena, struct errand_probe, items->length);
    for (uint32_t i = 0; i < items->length && r == 0; i++) {
        struct errand_probe *probe = &errand->probes.items[errand->probes.count++];

        r = read_probe(errand, probe, &items->items[i], order, now, err);
    }
    return r;
}

int errand_read(struct errand *errand, const struct json *order, usec_t now, struct err *err)
{
    const struct json *pod = json_get(order, "pod");
    int r;

    *errand = (struct errand){.arena = ARENA_INIT_DOCUMENT};
    if (!pod || pod->type != JSON_OBJECT)
        return err_set(err, -EINVAL, "the order has no pod");
    number_in(order, "delayMicroseconds", &errand->arena, &errand->delay);
    number_in(order, "count", &errand->arena, &errand->count);
    errand->runtime_endpoint = json_get_text(order, "runtimeEndpoint", NULL, &errand->arena);
    if (!errand->runtime_endpoint)
        errand->runtime_endpoint = CRI_DEFAULT_ENDPOINT;
    errand->ad_hoc = json_get_bool(order, "adHoc");
    errand->close = json_get_bool(order, "close");
    errand->json = json_get_bool(order, "json");
    errand->show_secrets = json_get_bool(order, "showSecrets");
    r = read_pod(errand, pod, err);
    if (r < 0)
        return r;
    errand->close |= probe_closes(errand->pod);
    return read_probes(errand, order, now, err);
}

void errand_deinit(struct errand *errand)
{
    array_for_each (probe, errand->probes)
        free(probe->last_text);
    object_unref(errand->object);
    arena_deinit(&errand->arena);
}

bool errand_needs_runtime(const struct errand *errand)
{
    array_for_each (probe, errand->probes)
        if (probe->probe->handler.exec)
            return true;
    return false;
}
