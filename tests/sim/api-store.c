/* The model API server: its objects and its memory of what became of them. */
#include "api-server.h"
#include "nodeagent/base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VERSION_MEMBER "\"resourceVersion\":\""
#define VERSION_ZERO "00000"

const struct api_kind api_kinds[] = {
    [KIND_POD] = {"/api/v1", "pods", true},
    [KIND_NODE] = {"/api/v1", "nodes", true},
    [KIND_LEASE] = {"/apis/coordination.k8s.io/v1", "leases", false},
    [KIND_CSI_NODE] = {"/apis/storage.k8s.io/v1", "csinodes", false},
    [KIND_EVENT] = {"/api/v1", "events", false},
    [KIND_CONFIG_MAP] = {"/api/v1", "configmaps", true},
    [KIND_SECRET] = {"/api/v1", "secrets", true},
    [KIND_SERVICE] = {"/api/v1", "services", true},
    [KIND_RUNTIME_CLASS] = {"/apis/node.k8s.io/v1", "runtimeclasses", true},
    [KIND_ACCOUNT] = {"/api/v1", "serviceaccounts", false},
};

struct api_object *api_find(enum api_kind_name kind, const char *name_space, const char *name)
{
    list_for_each (node, &world->api->objects) {
        struct api_object *object = list_entry(node, struct api_object, link);

        if (object->kind == kind && !strcmp(object->name, name) &&
            !strcmp(object->name_space, name_space))
            return object;
    }
    return NULL;
}

const char *api_new_uid(enum api_kind_name kind, char uid[40])
{
    snprintf(uid, 40, "%s-%u", api_kinds[kind].plural, ++world->api->next_uid);
    return uid;
}

static char *version_in(char *text)
{
    char *member = strstr(text, VERSION_MEMBER);

    assert_that(member);
    return member + strlen(VERSION_MEMBER);
}

uint64_t api_version_of(const struct api_object *object)
{
    return strtoull(version_in(object->text), NULL, 10);
}

static void wake_watches(const struct api_object *object)
{
    list_for_each (node, &world->api->calls) {
        struct api_call *call = list_entry(node, struct api_call, link);

        if (api_watch_is_about(call, object))
            net_stream_wake(call->client);
    }
}

static void remember(enum api_change_type type, const struct api_object *object)
{
    struct api_change *change;

    if (!api_kinds[object->kind].watched)
        return;
    change = mem_new(struct api_change);
    change->version = world->api->version;
    change->type = type;
    change->kind = object->kind;
    memcpy(change->name_space, object->name_space, sizeof(change->name_space));
    memcpy(change->name, object->name, sizeof(change->name));
    change->text = mem_strdup(object->text);
    list_push_back(&world->api->changes, &change->link);
    wake_watches(object);
}

static void stamp(struct api_object *object)
{
    char digits[24];

    assert_that(world->api->version < VERSION_LAST);
    snprintf(digits, sizeof(digits), "%llu", (unsigned long long)++world->api->version);
    memcpy(version_in(object->text), digits, strlen(VERSION_ZERO));
}

/* With what every object has that the server keeps. */
static char *complete(const char *text, const char *uid)
{
    char *patch = mem_printf(
             "{\"metadata\":{\"uid\":\"%s\",\"resourceVersion\":\"" VERSION_ZERO "\"}}", uid),
         *whole = api_merge(text, patch);

    free(patch);
    return whole;
}

struct api_object *api_put(enum api_kind_name kind, const char *name_space, const char *name,
                           const char *text)
{
    struct api_object *object = api_find(kind, name_space, name);
    bool is_new = !object;

    if (is_new) {
        _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
        char uid[API_NAME_MAX];

        object = mem_new(struct api_object);
        object->kind = kind;
        snprintf(object->name_space, sizeof(object->name_space), "%s", name_space);
        snprintf(object->name, sizeof(object->name), "%s", name);
        api_text_at(api_parse(&arena, text), "metadata.uid", uid);
        if (*uid)
            snprintf(object->uid, sizeof(object->uid), "%.39s", uid);
        else
            api_new_uid(kind, object->uid);
        list_push_back(&world->api->objects, &object->link);
    }
    free(object->text);
    object->text = complete(text, object->uid);
    stamp(object);
    remember(is_new ? API_ADDED : API_MODIFIED, object);
    return object;
}

void api_patch(struct api_object *object, const char *patch)
{
    if (patch) {
        char *text = api_merge(object->text, patch);

        free(object->text);
        object->text = text;
    }
    stamp(object);
    remember(API_MODIFIED, object);
}

static void object_drop(struct api_object *object)
{
    list_unlink(&object->link);
    free(object->text);
    free(object);
}

void api_remove(struct api_object *object)
{
    trace("  api: %s %s is removed", api_kinds[object->kind].plural, object->name);
    stamp(object);
    remember(API_DELETED, object);
    object_drop(object);
}

/* What there was of one object; NULL: nothing. */
static const struct api_change *state_at(const struct api_change *first, uint64_t version)
{
    const struct api_change *newest = first;

    for (const struct list *node = first->link.next; node != &world->api->changes;
         node = node->next) {
        const struct api_change *change = list_entry(node, struct api_change, link);

        if (change->version > version)
            break;
        if (change->kind == first->kind && !strcmp(change->name, first->name) &&
            !strcmp(change->name_space, first->name_space)) {
            if (change->type == API_ADDED)
                return NULL; /* it is told of there */
            newest = change;
        }
    }
    return newest->type == API_DELETED ? NULL : newest;
}

void api_set_at(enum api_kind_name kind, uint64_t version, api_set_fn *call, void *data)
{
    list_for_each (node, &world->api->changes) {
        const struct api_change *change = list_entry(node, struct api_change, link), *state;

        if (change->version > version)
            return;
        if (change->kind != kind || change->type != API_ADDED)
            continue;
        state = state_at(change, version);
        if (state)
            call(data, state->name_space, state->name, state->text);
    }
}

struct api_server *api_server_new(void)
{
    struct api_server *server = mem_new(struct api_server);

    list_init(&server->objects);
    list_init(&server->changes);
    list_init(&server->clients);
    list_init(&server->calls);
    server->version = server->oldest = VERSION_FIRST;
    server->knows_streams = draw(SITE_WORLD, "sets as streams", 3);
    return server;
}

struct api_server *api_server_free(struct api_server *server)
{
    if (!server)
        return NULL;
    net_http_agent_died();
    while (!list_empty(&server->objects))
        object_drop(list_first(&server->objects, struct api_object, link));
    while (!list_empty(&server->changes)) {
        struct api_change *change = list_first(&server->changes, struct api_change, link);

        list_unlink(&change->link);
        free(change->text);
        free(change);
    }
    free(server);
    return NULL;
}
