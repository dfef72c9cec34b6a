/*
 * The model API server: lists and watches. A watch is told what happened after its version, in
 * order; a list may be as old as its request allows.
 */
#include "api-server.h"
#include "nodeagent/base/mem.h"

#include <stdlib.h>
#include <string.h>

enum {
    RATE_STALE = 5000, /* of 10,000 lists that may be of any age */
    RATE_BEHIND = 300, /* a copy of the server's that has not heard of a version */
};

static bool is_meant(const struct api_call *call, const char *name_space, const char *name)
{
    return (!*call->name_space || !strcmp(call->name_space, name_space)) &&
           (!*call->selected || !strcmp(call->selected, name));
}

bool api_watch_is_about(const struct api_call *call, const struct api_object *object)
{
    return call->streams && call->kind == object->kind &&
           is_meant(call, object->name_space, object->name);
}

static uint64_t version_asked(const struct api_call *call)
{
    const char *version = api_parameter(call, "resourceVersion");

    return version ? strtoull(version, NULL, 10) : 0;
}

/* lists */

struct listing {
    const struct api_call *call;
    struct strbuf *out;
    const char *between;
};

static void add_item(void *data, const char *name_space, const char *name, const char *text)
{
    struct listing *listing = data;

    if (!is_meant(listing->call, name_space, name))
        return;
    strbuf_add(listing->out, listing->between);
    strbuf_add(listing->out, text);
    listing->between = ",";
}

/* A list in pages that names a version is of that one, whatever was since, unless it says that it
 * need not be: the server remembers that for longer than what became of things. */
static bool is_exact(const struct api_call *call)
{
    return version_asked(call) && api_parameter(call, "limit") &&
           !api_parameter(call, "resourceVersionMatch");
}

/* Of a list that says 0 any age will do. */
static uint64_t age_of_list(const struct api_call *call)
{
    const struct api_server *api = world->api;
    const char *asked = api_parameter(call, "resourceVersion");

    if (is_exact(call))
        return version_asked(call);
    if (!asked || strcmp(asked, "0") || !choose(SITE_API_STALE, call->key, RATE_STALE))
        return api->version;
    return api->version - draw(SITE_DETAIL, call->key, MIN(api->version - VERSION_FIRST, 40) + 1);
}

/* True: refused. */
static bool is_behind(const struct api_call *call, struct api_answer *answer)
{
    if (!version_asked(call) || !choose(SITE_API_BEHIND, call->key, RATE_BEHIND))
        return false;
    api_refuse(answer, 504, "Timeout", "Too large resource version: it is not here yet");
    answer->retry_after = 1;
    return true;
}

void api_list(struct api_call *call, struct api_answer *answer)
{
    struct listing listing = {.call = call, .out = &answer->body, .between = ""};
    uint64_t version;

    if (is_behind(call, answer))
        return;
    version = age_of_list(call);
    answer->status = 200;
    strbuf_printf(&answer->body, "{\"metadata\":{\"resourceVersion\":\"%llu\"},\"items\":[",
                  (unsigned long long)version);
    api_set_at(call->kind, version, add_item, &listing);
    strbuf_add(&answer->body, "]}");
}

/* watches */

static void add_event(struct api_call *call, const char *type, const char *text)
{
    strbuf_printf(&call->pending, "{\"type\":\"%s\",\"object\":%s}\n", type, text);
}

static void add_first(void *data, const char *name_space, const char *name, const char *text)
{
    struct api_call *call = data;

    if (is_meant(call, name_space, name))
        add_event(call, "ADDED", text);
}

static void add_bookmark(struct api_call *call, bool ends_set)
{
    strbuf_printf(&call->pending,
                  "{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"resourceVersion\":\"%llu\"%s}"
                  "}}\n",
                  (unsigned long long)call->told,
                  ends_set ? ",\"annotations\":{\"k8s.io/initial-events-end\":\"true\"}" : "");
}

void api_watch_begin(struct api_call *call, struct api_answer *answer)
{
    bool wants_set = api_parameter(call, "sendInitialEvents");
    uint64_t version = version_asked(call);

    if (wants_set && !world->api->knows_streams) {
        api_refuse(answer, 422, "Invalid", "sendInitialEvents is forbidden for watch");
        return;
    }
    if (is_behind(call, answer))
        return;
    if (!wants_set && version && version < world->api->oldest) {
        api_refuse(answer, 410, "Expired", "too old resource version");
        return;
    }
    answer->status = 200;
    call->streams = true;
    call->told = wants_set || !version ? world->api->version : version;
    if (wants_set) {
        api_set_at(call->kind, call->told, add_first, call);
        add_bookmark(call, true);
    }
}

void api_watch_mark(struct api_call *call)
{
    call->marks = true;
}

bool api_watch_gather(struct api_call *call)
{
    static const char *const types[] = {"ADDED", "MODIFIED", "DELETED"};
    size_t before = call->pending.length;

    /* The newest are last; most watches are not far behind. */
    const struct list *first = &world->api->changes;

    while (first->previous != &world->api->changes &&
           list_entry(first->previous, struct api_change, link)->version > call->told)
        first = first->previous;
    for (const struct list *node = first; node != &world->api->changes; node = node->next) {
        const struct api_change *change = list_entry(node, struct api_change, link);

        if (change->kind == call->kind && is_meant(call, change->name_space, change->name))
            add_event(call, types[change->type], change->text);
    }
    call->told = world->api->version;
    if (call->marks || (call->pending.length > before && draw(SITE_DETAIL, call->key, 4) == 0))
        add_bookmark(call, false);
    call->marks = false;
    return call->pending.length > 0;
}
