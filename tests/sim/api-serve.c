/* The model API server: requests, as they are understood and answered. */
#include "api-server.h"
#include "bugs.h"
#include "checks.h"
#include "nodeagent/base/arena.h"
#include "nodeagent/base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    RATE_REFUSES = 200, /* of 10,000 */
};

/* understanding */

static const char *take_part(const char *path, char *part, size_t size)
{
    size_t length = strcspn(path, "/");

    snprintf(part, size, "%.*s", (int)MIN(length, size - 1), path);
    return path + length + (path[length] == '/');
}

static bool is_kind(const struct api_kind *kind, const char *group, size_t length,
                    const char *plural)
{
    return strlen(kind->group) == length && !memcmp(kind->group, group, length) &&
           !strcmp(kind->plural, plural);
}

/* "/api/v1/namespaces/a/pods/b/status", "/apis/node.k8s.io/v1/runtimeclasses" */
static bool parse_path(struct api_call *call, const char *path)
{
    const char *rest = strstr(path, "/v1/");
    char plural[32];
    size_t group;

    if (!rest)
        return false;
    group = (size_t)(rest - path) + strlen("/v1");
    rest += strlen("/v1/");
    if (str_has_prefix(rest, "namespaces/"))
        rest = take_part(rest + strlen("namespaces/"), call->name_space, sizeof(call->name_space));
    rest = take_part(rest, plural, sizeof(plural));
    rest = take_part(rest, call->name, sizeof(call->name));
    take_part(rest, call->part, sizeof(call->part));
    for (unsigned i = 0; i < API_KIND_COUNT; i++) {
        if (is_kind(&api_kinds[i], path, group, plural)) {
            call->kind = i;
            return true;
        }
    }
    return false;
}

bool api_call_parse(struct api_call *call, const char *method, const char *path)
{
    size_t length = strcspn(path, "?");
    _cleanup_(mem_free_at) char *bare = mem_strndup(path, length);
    static const char by_name[] = "metadata.name=";
    const char *name;

    snprintf(call->method, sizeof(call->method), "%s", method);
    call->query = mem_strdup(path[length] ? path + length + 1 : "");
    if (!parse_path(call, bare))
        return false;
    name = api_parameter(call, "fieldSelector");
    if (name && str_has_prefix(name, by_name))
        snprintf(call->selected, sizeof(call->selected), "%s", name + strlen(by_name));
    name = *call->name ? call->name : call->selected;
    snprintf(call->key, sizeof(call->key), "%s %s%s%.24s%s%s", method, api_kinds[call->kind].plural,
             *name ? " " : "", name, *call->part ? " " : "", call->part);
    return true;
}

const char *api_parameter(const struct api_call *call, const char *name)
{
    static char value[256];
    size_t length = strlen(name), at = 0;

    for (const char *c = call->query; *c; c += strcspn(c, "&"), c += *c == '&') {
        if (strncmp(c, name, length) || c[length] != '=')
            continue;
        for (c += length + 1; *c && *c != '&' && at < sizeof(value) - 1; c++) {
            char digits[3] = {0};

            if (*c == '%') {
                memcpy(digits, c + 1, 2);
                value[at++] = (char)strtol(digits, NULL, 16);
                c += 2;
            } else {
                value[at++] = *c;
            }
        }
        value[at] = '\0';
        return value;
    }
    return NULL;
}

/* answers */

void api_refuse(struct api_answer *answer, int status, const char *reason, const char *message)
{
    answer->status = status;
    strbuf_truncate(&answer->body, 0);
    strbuf_printf(&answer->body,
                  "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"status\":\"Failure\","
                  "\"reason\":\"%s\",\"message\":\"%s\",\"code\":%d}",
                  reason, message, status);
}

static void show(struct api_answer *answer, int status, const char *text)
{
    answer->status = status;
    strbuf_add(&answer->body, text);
}

static void not_found(struct api_answer *answer)
{
    api_refuse(answer, 404, "NotFound", "it is not found");
}

static void conflict(struct api_answer *answer, const char *message)
{
    api_refuse(answer, 409, "Conflict", message);
}

bool api_serve_trouble(struct api_call *call, struct api_answer *answer)
{
    static const struct {
        int status;
        const char *reason;
    } troubles[] = {
        {429, "TooManyRequests"}, {500, "InternalError"}, {503, "ServiceUnavailable"},
        {504, "Timeout"},         {409, "Conflict"},
    };
    size_t i;

    if (!choose(SITE_API_REFUSES, call->key, RATE_REFUSES))
        return false;
    i = draw(SITE_DETAIL, call->key, array_size(troubles));
    api_refuse(answer, troubles[i].status, troubles[i].reason, "not now");
    if (draw(SITE_DETAIL, call->key, 2))
        answer->retry_after = 1 + (unsigned)draw(SITE_DETAIL, call->key, 5);
    return true;
}

/* writing */

/* Of `document`, at these paths: are they what the object has, where they are given? */
static bool preconditions_hold(const struct api_object *object, const struct json *document,
                               const char *uid_path, const char *version_path)
{
    char uid[API_NAME_MAX], version[API_NAME_MAX];

    api_text_at(document, uid_path, uid);
    api_text_at(document, version_path, version);
    return (!*uid || !strcmp(uid, object->uid)) &&
           (!*version || strtoull(version, NULL, 10) == api_version_of(object));
}

/* For deliberate bugs: with these members, or annotations, under a name that nobody knows. */
static void rename_member(char *text, const char *name)
{
    char *at;

    while ((at = strstr(text, name)))
        at[1] = 'X';
}

static void serve_patch(struct api_call *call, struct api_answer *answer)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    struct api_object *object = api_find(call->kind, call->name_space, call->name);
    _cleanup_(mem_free_at) char *before = NULL;
    const struct json *patch = api_parse(&arena, call->body);

    if (!object) {
        not_found(answer);
        return;
    }
    if (!preconditions_hold(object, patch, "metadata.uid", "metadata.resourceVersion")) {
        conflict(answer, "the object has been modified");
        return;
    }
    before = mem_strdup(object->text);
    if (world->bug == BUG_STATUSES_ARE_CUT)
        rename_member(call->body, "\"containerStatuses\"");
    api_patch(object, call->body);
    if (call->kind == KIND_POD)
        checks_status_became(object->uid, before, object->text);
    show(answer, 200, object->text);
}

static void serve_put(struct api_call *call, struct api_answer *answer)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    struct api_object *object = api_find(call->kind, call->name_space, call->name);
    const struct json *body = api_parse(&arena, call->body);

    if (!object)
        not_found(answer);
    else if (!preconditions_hold(object, body, "metadata.uid", "metadata.resourceVersion"))
        conflict(answer, "the object has been modified");
    else
        show(answer, 200, api_put(call->kind, call->name_space, call->name, call->body)->text);
}

/* A mirror belongs to the Node that there is. */
static bool owner_is_here(const struct json *body)
{
    const struct api_object *node = api_find(KIND_NODE, "", "node");
    const struct json *metadata = json_get(body, "metadata"),
                      *owners = metadata ? json_get(metadata, "ownerReferences") : NULL;
    char uid[API_NAME_MAX];

    if (!owners || owners->type != JSON_ARRAY || !owners->length)
        return false;
    api_text_at(&owners->items[0], "uid", uid);
    return node && !strcmp(node->uid, uid);
}

static void serve_token(struct api_call *call, struct api_answer *answer)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    const struct json *body = api_parse(&arena, call->body);
    char name[API_NAME_MAX], uid[API_NAME_MAX], seconds[API_NAME_MAX], created[TIME_TEXT_MAX],
        expires[TIME_TEXT_MAX];
    const struct api_object *pod;

    api_text_at(body, "spec.boundObjectRef.name", name);
    api_text_at(body, "spec.boundObjectRef.uid", uid);
    api_text_at(body, "spec.expirationSeconds", seconds);
    pod = api_find(KIND_POD, call->name_space, name);
    if (!pod) {
        not_found(answer);
        return;
    }
    if (strcmp(pod->uid, uid)) {
        conflict(answer, "the UID in the bound object reference is another pod's");
        return;
    }
    time_format_rfc3339((int64_t)world_wall(), created);
    time_format_rfc3339((int64_t)world_wall() + strtoll(seconds, NULL, 10) * (int64_t)USEC_PER_SEC,
                        expires);
    answer->status = 201;
    strbuf_printf(&answer->body,
                  "{\"metadata\":{\"creationTimestamp\":\"%s\"},\"status\":{\"token\":"
                  "\"token-%u\",\"expirationTimestamp\":\"%s\"}}",
                  created, ++world->api->next_uid, expires);
}

static void serve_post(struct api_call *call, struct api_answer *answer)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    const struct json *body = api_parse(&arena, call->body);
    char name[API_NAME_MAX];

    if (call->kind == KIND_ACCOUNT) {
        serve_token(call, answer);
        return;
    }
    api_text_at(body, "metadata.name", name);
    if (bug_shows(BUG_MIRRORS_UNMARKED, name))
        rename_member(call->body, "\"kubernetes.io/config.mirror\"");
    if (api_find(call->kind, call->name_space, name))
        api_refuse(answer, 409, "AlreadyExists", "it exists already");
    else if (call->kind == KIND_POD && !owner_is_here(body))
        api_refuse(answer, 403, "Forbidden", "its owner is not the Node");
    else
        show(answer, 201, api_put(call->kind, call->name_space, name, call->body)->text);
}

static void serve_delete(struct api_call *call, struct api_answer *answer)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    struct api_object *object = api_find(call->kind, call->name_space, call->name);

    if (!object) {
        not_found(answer);
        return;
    }
    if (call->body && !preconditions_hold(object, api_parse(&arena, call->body),
                                          "preconditions.uid", "preconditions.resourceVersion")) {
        conflict(answer, "the UID in the precondition is another one's");
        return;
    }
    show(answer, 200, object->text);
    api_remove(object);
}

static void serve_get(struct api_call *call, struct api_answer *answer)
{
    const struct api_object *object = api_find(call->kind, call->name_space, call->name);

    if (object)
        show(answer, 200, object->text);
    else
        not_found(answer);
}

void api_serve(struct api_call *call, struct api_answer *answer)
{
    if (!strcmp(call->method, "PATCH"))
        serve_patch(call, answer);
    else if (!strcmp(call->method, "PUT"))
        serve_put(call, answer);
    else if (!strcmp(call->method, "POST"))
        serve_post(call, answer);
    else if (!strcmp(call->method, "DELETE"))
        serve_delete(call, answer);
    else if (*call->name)
        serve_get(call, answer);
    else if (api_parameter(call, "watch"))
        api_watch_begin(call, answer);
    else
        api_list(call, answer);
}
