/*
 * What the agent says of its pods, compared with what there is and was: nothing is published that
 * was not observed, and nothing before the first look.
 */
#include "checks.h"
#include "manifests.h"
#include "nodeagent/base/json.h"
#include "runtime.h"
#include "subject.h"

#include <stdlib.h>
#include <string.h>

static bool text_is(const struct json *value, const char *text)
{
    return value && json_text_is(value, text);
}

static char *text_of(const struct json *value, char *text, size_t size)
{
    size_t length = value && value->type == JSON_STRING ? MIN(value->length, size - 1) : 0;

    if (length)
        memcpy(text, value->text, length);
    text[length] = '\0';
    return text;
}

static const char *id_of(const struct json *value, char *text, size_t size)
{
    const char *at = strstr(text_of(value, text, size), "://");

    return at ? at + 3 : text;
}

/* A container that is said to run was started; one that is said to have ended has. */
static void check_container(const struct manifest *manifest, const struct json *status)
{
    const struct json *state = json_get(status, "state");
    const struct json *terminated = state ? json_get(state, "terminated") : NULL;
    const struct container *container;
    char text[128];
    const char *id;

    if (!state)
        return;
    if (json_get(state, "running")) {
        id = id_of(json_get(status, "containerID"), text, sizeof(text));
        container = container_find(id);
        if (container && !container->started)
            violation(INVARIANT_OBSERVED, "%s is said to run, and was never started", id);
        if (!container && strncmp(id, "c", 1))
            violation(INVARIANT_OBSERVED, "%s: a container without an id is said to run",
                      manifest->uid);
    } else if (terminated) {
        id = id_of(json_get(terminated, "containerID"), text, sizeof(text));
        container = container_find(id);
        if (container && container->alive && !container->ever_unknown)
            violation(INVARIANT_OBSERVED, "%s is said to have ended, and runs", id);
        if (container && !container->alive && !container->ever_unknown) {
            const struct json *code = json_get(terminated, "exitCode");

            if (code && strtol(code->text, NULL, 10) != container->exit_code)
                violation(INVARIANT_OBSERVED, "%s is said to have ended with %.*s, not with %d", id,
                          (int)code->length, code->text, container->exit_code);
        }
    }
}

/* What its probes said lasts, whatever becomes of the agent. */
static void check_probes(const struct json *status)
{
    const struct json *state = json_get(status, "state"), *ready = json_get(status, "ready");
    const struct json *started = json_get(status, "started");
    struct container *container;
    char text[128];

    if (!state || !json_get(state, "running"))
        return;
    container = container_find(id_of(json_get(status, "containerID"), text, sizeof(text)));
    if (!container || !container->alive || !ready || !started)
        return;
    if (container->said_started && !started->boolean)
        violation(INVARIANT_UNDISTURBED, "%s had started up, and is said not to have",
                  container->id);
    if (container->said_ready && !ready->boolean && !container->not_ready)
        violation(INVARIANT_UNDISTURBED, "%s was ready, and is said not to be", container->id);
    container->said_started |= started->boolean;
    if (ready->boolean && !container->said_ready && !container->fails)
        container->not_ready = false;
    container->said_ready = ready->boolean;
}

static void check_containers(const struct manifest *manifest, const struct json *status,
                             const char *name)
{
    const struct json *list = json_get(status, name);

    for (uint32_t i = 0; list && list->type == JSON_ARRAY && i < list->length; i++) {
        check_container(manifest, &list->items[i]);
        check_probes(&list->items[i]);
    }
}

static void check_pod(const struct json *pod)
{
    const struct json *metadata = json_get(pod, "metadata"), *status = json_get(pod, "status");
    const struct json *phase;
    const struct manifest *manifest;
    char uid[64];

    if (!metadata || !status)
        return;
    manifest = manifests_find(text_of(json_get(metadata, "uid"), uid, sizeof(uid)));
    if (!manifest && checks_is_of_mirror(uid)) {
        violation(INVARIANT_MIRRORS_REST, "the mirror %s is taken for a pod", uid);
        return;
    }
    if (!manifest) {
        violation(INVARIANT_OBSERVED, "pod %s is told of, which nobody declared", uid);
        return;
    }
    phase = json_get(status, "phase");
    if (text_is(phase, "Running") && !manifest->ever_started)
        violation(INVARIANT_OBSERVED, "%s is said to run, and nothing of it ever did", uid);
    /* Of one that was taken away and put back, the end before may still be told. */
    if ((text_is(phase, "Failed") || text_is(phase, "Succeeded")) && manifest->started &&
        !pod_may_end(manifest))
        violation(INVARIANT_OBSERVED, "%s is said to have ended, for no reason", uid);
    if (world->phase == PHASE_QUIET && manifest->policy == RESTART_ALWAYS &&
        !manifest->deadline_seconds && !text_is(phase, "Running"))
        violation(INVARIANT_OBSERVED, "%s runs, and its phase is %.*s", uid,
                  phase ? (int)phase->length : 0, phase ? phase->text : "");
    check_containers(manifest, status, "initContainerStatuses");
    check_containers(manifest, status, "containerStatuses");
}

void published_check(void)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;
    static struct json_findings findings;
    struct json *document;
    const struct json *items;
    struct err err;

    if (!subject_is_settled() || !life_call(subject_tell, &text) || !text.length)
        return;
    if (json_parse(&arena, text.text, text.length, &json_limits_manifest, &findings, &document,
                   &err) < 0) {
        violation(INVARIANT_OBSERVED, "what is published is not JSON: %s", err.text);
        return;
    }
    items = json_get(document, "items");
    for (uint32_t i = 0; items && i < items->length; i++)
        check_pod(&items->items[i]);
}
