/* Checks of what the agent asks the API server, and of what it makes of pods there. */
#include "api-server.h"
#include "checks.h"
#include "manifests.h"
#include "runtime.h"

#include <stdlib.h>
#include <string.h>

#define SEEN_AFTER (12 * USEC_PER_SEC) /* the slowest relist, and more */
#define LATE_NEWS (30 * USEC_PER_SEC)

/* pods on their way */

static bool tells_of_a_pod(const struct api_call *call)
{
    return call->kind == KIND_POD && !strcmp(call->method, "PATCH");
}

static const char *uid_in(const struct api_call *call, const char *path, char uid[API_NAME_MAX])
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;

    return api_text_at(api_parse(&arena, call->body), path, uid);
}

static bool are_about_one(const struct api_call *call, const struct api_call *other)
{
    char uid[API_NAME_MAX], other_uid[API_NAME_MAX];

    return tells_of_a_pod(other) && !strcmp(other->name, call->name) &&
           !strcmp(uid_in(call, "metadata.uid", uid), uid_in(other, "metadata.uid", other_uid));
}

static void check_no_other(const struct api_call *call)
{
    list_for_each (node, &world->api->calls) {
        const struct api_call *other = list_entry(node, struct api_call, link);

        if (are_about_one(call, other))
            violation(INVARIANT_ONE_REQUEST, "%s, while %s is under way", call->key, other->key);
    }
}

/* What an agent that was killed asked for may be made after the next one has looked. */
static bool is_seen(usec_t made)
{
    return made && world->now - MAX(made, world->disturbed) > SEEN_AFTER;
}

static void check_nothing_runs(const struct api_call *call)
{
    char uid[API_NAME_MAX];

    if (!manifests_find(uid_in(call, "preconditions.uid", uid)))
        return; /* a mirror */
    list_for_each (node, &world->runtime->containers) {
        const struct container *container = list_entry(node, struct container, link);

        if (container->alive && is_seen(container->started) && !strcmp(container->uid, uid))
            violation(INVARIANT_DELETED_LAST, "%s, and %s runs", call->key, container->id);
    }
    list_for_each (node, &world->runtime->sandboxes) {
        const struct sandbox *sandbox = list_entry(node, struct sandbox, link);

        if (sandbox->ready && is_seen(sandbox->made) && !strcmp(sandbox->metadata->uid, uid))
            violation(INVARIANT_DELETED_LAST, "%s, and %s is ready", call->key, sandbox->id);
    }
}

/* at rest */

/* The Lease, the Node's status, watches that are begun anew, tokens that are replaced. */
static bool is_sent_at_rest(const struct api_call *call)
{
    return call->kind == KIND_LEASE || (call->kind == KIND_NODE && !strcmp(call->part, "status")) ||
           api_parameter(call, "watch") || call->kind == KIND_ACCOUNT;
}

/* While it is away for long, and when it is back. Events take turns: one is sent when the one
 * before was answered. */
static void check_no_storm(void)
{
    struct api_server *api = world->api;
    usec_t *oldest = &api->sent[api->sent_count++ % STORM_REQUESTS_MAX];

    if (api->sent_count > STORM_REQUESTS_MAX && world->now - *oldest < STORM_WINDOW &&
        (world->phase == PHASE_ALONE || world->phase == PHASE_CALM))
        violation(INVARIANT_NO_STORM, "%d requests within %.1f s", STORM_REQUESTS_MAX,
                  (double)(world->now - *oldest) / USEC_PER_SEC);
    *oldest = world->now;
}

/* What a hook ended with, say, which makes a container run, and its probes begin. */
static bool was_told_late(void)
{
    return world->told_late && world->now - world->told_late < LATE_NEWS;
}

void checks_request_sent(const struct api_call *call)
{
    if (call->kind != KIND_EVENT)
        check_no_storm();
    if (tells_of_a_pod(call))
        check_no_other(call);
    if (call->kind == KIND_POD && !strcmp(call->method, "DELETE"))
        check_nothing_runs(call);
    if (world->phase == PHASE_QUIET && !is_sent_at_rest(call) && !was_told_late())
        violation(INVARIANT_QUIET, "%s, though nothing has changed", call->key);
}

/* mirrors */

bool checks_is_of_mirror(const char *uid)
{
    return str_has_prefix(uid, "pods-");
}

void checks_sandbox_asked_for(const char *uid)
{
    if (checks_is_of_mirror(uid))
        violation(INVARIANT_MIRRORS_REST, "a sandbox is to be made for the mirror %s", uid);
}

/* statuses, as they become */

static const struct json *member(const struct json *object, const char *name)
{
    return object && object->type == JSON_OBJECT ? json_get(object, name) : NULL;
}

static const struct json *named(const struct json *list, const char *name)
{
    char other[API_NAME_MAX];

    for (uint32_t i = 0; list && list->type == JSON_ARRAY && i < list->length; i++)
        if (!strcmp(api_text_at(&list->items[i], "name", other), name))
            return &list->items[i];
    return NULL;
}

/* "containerd://c12-...": the number grows with each container that is made. */
static unsigned long number_of(const char *id)
{
    const char *at = strstr(id, "://c");

    return at ? strtoul(at + strlen("://c"), NULL, 10) : 0;
}

static bool is_said_to_have_ended(const struct json *status, const char *id)
{
    char other[API_NAME_MAX];

    return !strcmp(api_text_at(status, "state.terminated.containerID", other), id) ||
           !strcmp(api_text_at(status, "lastState.terminated.containerID", other), id);
}

static bool was_unknown(const char *id)
{
    const char *at = strstr(id, "://");
    const struct container *container = at ? container_find(at + strlen("://")) : NULL;

    return !container || container->ever_unknown;
}

static void check_container(const char *uid, const struct json *before, const struct json *after)
{
    char name[API_NAME_MAX], old[API_NAME_MAX], new[API_NAME_MAX];

    api_text_at(after, "name", name);
    api_text_at(before, "restartCount", old);
    api_text_at(after, "restartCount", new);
    if (strtol(new, NULL, 10) < strtol(old, NULL, 10))
        violation(INVARIANT_ONWARD, "%s of %s is said to have restarted %s times, after %s", name,
                  uid, new, old);
    api_text_at(before, "containerID", old);
    api_text_at(after, "containerID", new);
    if (number_of(new) && number_of(new) < number_of(old))
        violation(INVARIANT_ONWARD, "%s of %s is said to be %s again, after %s", name, uid, new,
                  old);
    api_text_at(after, "state.running.startedAt", old);
    if (*old && is_said_to_have_ended(before, new) && !was_unknown(new))
        violation(INVARIANT_ONWARD, "%s of %s is said to run again, after its end", new, uid);
}

static void check_containers(const char *uid, const struct json *before, const struct json *after,
                             const char *list)
{
    const struct json *old = member(before, list), *new = member(after, list);
    char name[API_NAME_MAX];

    for (uint32_t i = 0; new &&new->type == JSON_ARRAY &&i < new->length; i++) {
        const struct json *was = named(old, api_text_at(&new->items[i], "name", name));

        if (was)
            check_container(uid, was, &new->items[i]);
    }
}

static bool is_terminal(const char *phase)
{
    return !strcmp(phase, "Succeeded") || !strcmp(phase, "Failed");
}

void checks_status_became(const char *uid, const char *before, const char *after)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    const struct json *old, *new;
    const struct manifest *manifest;
    char was[API_NAME_MAX], is[API_NAME_MAX];

    manifest = manifests_find(uid);
    if (!manifest)
        return; /* a mirror: its pod may have begun anew */
    old = member(api_parse(&arena, before), "status");
    new = member(api_parse(&arena, after), "status");
    api_text_at(old, "phase", was);
    api_text_at(new, "phase", is);
    if (is_terminal(was) && strcmp(is, was))
        violation(INVARIANT_FINAL, "%s is said to be %s, after %s", uid, is, was);
    api_text_at(old, "startTime", was);
    api_text_at(new, "startTime", is);
    if (*was && strcmp(is, was))
        violation(INVARIANT_ONWARD, "%s is said to have begun at %s, after %s", uid, is, was);
    if (manifest->forgotten)
        return;
    check_containers(uid, old, new, "initContainerStatuses");
    check_containers(uid, old, new, "containerStatuses");
}
