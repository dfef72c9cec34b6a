/*
 * Events, to the API server: one request at a time, in the order in which they were told. One that
 * is told again while it waits is sent once, with its newest count. While the server is away they
 * pile up, to a bound.
 */
#include "cluster-private.h"
#include "cluster.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/objects/event.h"
#include "nodeagent/sys/chance.h"
#include "nodeagent/sys/log.h"

#include <stdlib.h>
#include <string.h>

enum {
    QUEUE_MAX = 1000, /* more are dropped, the newest first */
    TRIES_MAX = 12,
};

#define RETRY_USEC (10 * USEC_PER_SEC)

struct queued {
    struct list link;
    char *key; /* "namespace/name" */
    char *json;
    int32_t count;
};

struct cluster_events {
    struct cluster *cluster;
    struct list queue; /* the first is being sent */
    size_t length;
    struct map by_key;
    struct api_call *call;
    struct wheel_timer timer;
    unsigned tries;
    uint64_t dropped;
};

/* Told again, it is another entry. */
static void forget_key(struct cluster_events *events, const struct queued *queued)
{
    if (map_get(&events->by_key, queued->key) == queued)
        map_remove(&events->by_key, queued->key);
}

static void queued_free(struct cluster_events *events, struct queued *queued)
{
    list_unlink(&queued->link);
    forget_key(events, queued);
    events->length--;
    free(queued->key);
    free(queued->json);
    free(queued);
}

static void send_first(struct cluster_events *events);

static void next(struct cluster_events *events, struct queued *queued)
{
    queued_free(events, queued);
    events->tries = 0;
    send_first(events);
}

/* What the server did not hear, or has no time for, is said again; while it is away nothing is
 * given up. A refusal is final: the namespace ends, or is gone. */
static bool is_said_again(struct cluster_events *events, const struct api_failure *failure)
{
    bool refused = failure->code && failure->code != 429 && failure->code < 500;

    return !refused && (++events->tries < TRIES_MAX || cluster_trouble(events->cluster));
}

static void tell_dropped(struct cluster_events *events)
{
    if (events->dropped)
        log_warning("%llu events were dropped while the API server took none",
                    (unsigned long long)events->dropped);
    events->dropped = 0;
}

static void on_sent(void *owner, const struct api_reply *reply)
{
    struct cluster_events *events = owner;
    struct queued *queued = list_first(&events->queue, struct queued, link);

    events->call = NULL;
    if (reply->failure && is_said_again(events, reply->failure)) {
        wheel_arm(events->cluster->agent->parts.wheel, &events->timer,
                  usec_add(clock_boottime(),
                           events->tries == 1 ? chance_between(0, RETRY_USEC) : RETRY_USEC));
        return;
    }
    if (reply->failure && reply->failure->code == 404 && queued->count > 1) {
        queued->count = 1; /* it has expired there: it is made anew */
        send_first(events);
        return;
    }
    if (reply->failure)
        log_debug("an event is dropped: %s", reply->failure->err.text);
    next(events, queued);
    if (!events->length)
        tell_dropped(events);
}

/* Its message may be another one, with newer ids, or combined. */
static void write_count(const struct queued *queued, struct strbuf *body)
{
    struct object *object =
        cluster_decode(&object_kind_event, OBJECT_DROP_RAW, queued->json, strlen(queued->json));
    const struct event *event = event_of(object);
    char last[TIME_TEXT_MAX];
    struct json_writer writer;

    json_writer_init(&writer, body, false);
    json_write_object(&writer);
    json_write_int_member(&writer, "count", event->count);
    json_write_string_member(&writer, "lastTimestamp",
                             time_format_rfc3339(event->last_timestamp.usec, last));
    json_write_string_member(&writer, "message", event->message);
    json_write_object_end(&writer);
    json_writer_deinit(&writer);
    object_unref(object);
}

static void send_first(struct cluster_events *events)
{
    struct queued *queued = list_first(&events->queue, struct queued, link);
    _cleanup_(strbuf_deinit) struct strbuf path = STRBUF_INIT, body = STRBUF_INIT;
    struct api_request request = {.class = API_EVENTS};
    const char *slash;

    if (!queued || events->call)
        return;
    slash = strchr(queued->key, '/');
    strbuf_printf(&path, "/api/v1/namespaces/%.*s/events", (int)(slash - queued->key), queued->key);
    if (queued->count > 1) {
        strbuf_add(&path, slash);
        write_count(queued, &body);
        request.type = API_STRATEGIC_MERGE;
    } else {
        strbuf_add(&body, queued->json);
    }
    forget_key(events, queued);
    request.method = queued->count > 1 ? "PATCH" : "POST";
    request.path = path.text;
    request.body = body.text;
    events->call = api_begin(events->cluster->api, &request, on_sent, events);
}

static void on_timer(struct wheel_timer *timer)
{
    send_first(container_of(timer, struct cluster_events, timer));
}

static void add(struct cluster_events *events, const char *key, int32_t count, const char *json)
{
    struct queued *queued = map_get(&events->by_key, key);

    if (queued) {
        /* What the server does not know yet is made at once as it is now. */
        queued->count = queued->count > 1 ? count : 1;
        free(queued->json);
        queued->json = mem_strdup(json);
        return;
    }
    if (events->length >= QUEUE_MAX) {
        if (!events->dropped++)
            log_warning(
                "events pile up, as the API server does not take them: new ones are dropped");
        return;
    }
    queued = mem_new(struct queued);
    queued->key = mem_strdup(key);
    queued->json = mem_strdup(json);
    queued->count = count;
    list_push_back(&events->queue, &queued->link);
    map_put(&events->by_key, key, queued);
    events->length++;
}

void cluster_event(struct cluster *cluster, const char *json, size_t length)
{
    struct cluster_events *events = cluster->events;
    struct object *object = cluster_decode(&object_kind_event, OBJECT_DROP_RAW, json, length);
    char *key;

    if (!object)
        return;
    key = mem_printf("%s/%s", object->metadata.name_space, object->metadata.name);
    add(events, key, event_of(object)->count, json);
    free(key);
    object_unref(object);
    if (!wheel_timer_armed(&events->timer))
        send_first(events);
}

struct cluster_events *cluster_events_new(struct cluster *cluster)
{
    struct cluster_events *events = mem_new(struct cluster_events);

    events->cluster = cluster;
    list_init(&events->queue);
    wheel_timer_init(&events->timer, on_timer);
    return events;
}

struct cluster_events *cluster_events_free(struct cluster_events *events)
{
    if (!events)
        return NULL;
    if (events->call)
        api_cancel(events->call);
    wheel_cancel(&events->timer);
    while (!list_empty(&events->queue))
        queued_free(events, list_first(&events->queue, struct queued, link));
    map_deinit(&events->by_key);
    free(events);
    return NULL;
}
