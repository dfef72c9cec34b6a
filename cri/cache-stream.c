/*
 * Where hints come from: one stream of events. containerd has one of its own, which all its
 * versions have, and which tells everybody everything; it is asked for first. CRI's own
 * (GetContainerEvents) is missing in containerd 1.6, and in 1.7 its clients take each other's
 * events away; so it is for other runtimes.
 *
 *     containerd ─ unimplemented ─► CRI ─ unimplemented ─► none, until the runtime was away
 *         ▲                          ▲
 *         └────── ended: again ──────┘
 *
 * A stream is relied upon when it has lasted for a while: CRI-O ends its own at once unless it is
 * configured to have events.
 */
#include "cache-private.h"
#include "containerd-events.pb-c.h"
#include "method.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/base/str.h"
#include "nodeagent/sys/clock.h"

#include <stdlib.h>

#define RELIED_UPON_USEC (2 * USEC_PER_SEC)
#define REOPEN_FIRST_USEC (1 * USEC_PER_SEC)
#define REOPEN_MAX_USEC (30 * USEC_PER_SEC)

/* A runtime that has no events may be restarted as one that has, between two looks. */
#define ASK_AGAIN_USEC (300 * USEC_PER_SEC)

enum source { SOURCE_CONTAINERD, SOURCE_CRI, SOURCE_NONE };

struct hints {
    struct cri_cache *cache;
    enum source source;
    struct cri_call *call;
    bool relied_upon;
    struct wheel_timer timer; /* to rely upon the stream, or to open it */
    usec_t reopen;            /* the pause before it was opened last */
};

static const struct cri_method containerd_subscribe = {
    .service = CRI_RUNTIME,
    .path = "/containerd.services.events.v1.Events/Subscribe",
    .request = &containerd__subscribe_request__descriptor,
    .response = &containerd__envelope__descriptor,
};

static void arm(struct hints *hints, usec_t pause)
{
    wheel_arm(hints->cache->options.wheel, &hints->timer, usec_add(clock_boottime(), pause));
}

/* what containerd tells: of an end when it cleans up, just before it takes note of it. That the
 * process has ended it tells some milliseconds before, when nothing of it can be seen yet. */

static void on_delete_event(struct hints *hints, const ProtobufCBinaryData *event)
{
    Containerd__TaskDelete *task = containerd__task_delete__unpack(NULL, event->len, event->data);

    if (task && (str_empty(task->id) || str_equal(task->id, task->container_id)))
        cache_hint(hints->cache, HINT_ENDED, task->container_id, NULL);
    if (task)
        containerd__task_delete__free_unpacked(task, NULL);
}

static void on_oom_event(struct hints *hints, const ProtobufCBinaryData *event)
{
    Containerd__TaskOOM *task = containerd__task_oom__unpack(NULL, event->len, event->data);

    if (task)
        cache_hint(hints->cache, HINT_OOM, task->container_id, NULL);
    if (task)
        containerd__task_oom__free_unpacked(task, NULL);
}

static void on_containerd_event(void *owner, const void *message)
{
    static const struct {
        const char *topic;
        void (*call)(struct hints *hints, const ProtobufCBinaryData *event);
    } topics[] = {
        {"/tasks/delete", on_delete_event},
        {"/tasks/oom", on_oom_event},
    };
    const Containerd__Envelope *envelope = message;

    for (size_t i = 0; envelope->event && i < array_size(topics); i++)
        if (str_equal(envelope->topic, topics[i].topic))
            topics[i].call(owner, &envelope->event->value);
}

/* what CRI tells */

static void on_cri_event(void *owner, const void *message)
{
    struct hints *hints = owner;
    const Cri__ContainerEventResponse *event = message;
    const Cri__PodSandboxStatus *sandbox = event->pod_sandbox_status;
    bool stopped =
        event->container_event_type == CRI__CONTAINER_EVENT_TYPE__CONTAINER_STOPPED_EVENT;

    if (!str_empty(event->container_id))
        cache_hint(hints->cache, stopped ? HINT_ENDED : HINT_CHANGED, event->container_id,
                   sandbox && sandbox->metadata ? sandbox->metadata->uid : NULL);
}

/* streams */

static void stream_open(struct hints *hints);

static void on_ended(void *owner, const struct cri_reply *reply)
{
    struct hints *hints = owner;
    bool relied_upon = hints->relied_upon;

    hints->call = NULL;
    hints->relied_upon = false;
    if (reply->status == RPC_UNIMPLEMENTED) {
        hints->source++;
        hints->reopen = 0;
        stream_open(hints);
        return;
    }
    if (reply->status == RPC_UNAVAILABLE)
        hints->source = SOURCE_CONTAINERD; /* it may come back as another */
    if (relied_upon || !hints->reopen)
        hints->reopen = REOPEN_FIRST_USEC;
    else
        hints->reopen = MIN(2 * hints->reopen, REOPEN_MAX_USEC);
    arm(hints, hints->reopen);
    if (relied_upon) /* what was to be told meanwhile is lost */
        cache_look_by(hints->cache, clock_boottime());
}

static int open_containerd(struct hints *hints, struct err *err)
{
    Containerd__SubscribeRequest request = CONTAINERD__SUBSCRIBE_REQUEST__INIT;
    char *filters[] = {
        (char *)"namespace==k8s.io,topic==\"/tasks/delete\"",
        (char *)"namespace==k8s.io,topic==\"/tasks/oom\"",
    };

    request.n_filters = array_size(filters);
    request.filters = filters;
    return cri_watch(&hints->call, hints->cache->options.cri, &containerd_subscribe, &request.base,
                     on_containerd_event, on_ended, hints, err);
}

static int open_cri(struct hints *hints, struct err *err)
{
    Cri__GetEventsRequest request = CRI__GET_EVENTS_REQUEST__INIT;

    return cri_watch(&hints->call, hints->cache->options.cri, &cri_get_container_events,
                     &request.base, on_cri_event, on_ended, hints, err);
}

static void stream_open(struct hints *hints)
{
    struct err ignored; /* too many calls are in flight: it is tried again */
    int r;

    if (hints->source == SOURCE_NONE) {
        arm(hints, ASK_AGAIN_USEC);
        return;
    }
    if (hints->source == SOURCE_CONTAINERD)
        r = open_containerd(hints, &ignored);
    else
        r = open_cri(hints, &ignored);
    arm(hints, r < 0 ? REOPEN_FIRST_USEC : RELIED_UPON_USEC);
}

static void on_timer(struct wheel_timer *timer)
{
    struct hints *hints = container_of(timer, struct hints, timer);

    if (hints->call) {
        hints->relied_upon = true;
        return;
    }
    if (hints->source == SOURCE_NONE)
        hints->source = SOURCE_CONTAINERD;
    stream_open(hints);
}

void hints_ask_again(struct hints *hints)
{
    if (hints->call)
        return;
    hints->source = SOURCE_CONTAINERD;
    hints->reopen = 0;
    stream_open(hints);
}

/* the object */

struct hints *hints_new(struct cri_cache *cache)
{
    struct hints *hints = mem_new(struct hints);

    hints->cache = cache;
    wheel_timer_init(&hints->timer, on_timer);
    stream_open(hints);
    return hints;
}

struct hints *hints_free(struct hints *hints)
{
    if (hints->call)
        cri_cancel(hints->call);
    wheel_cancel(&hints->timer);
    free(hints);
    return NULL;
}

bool hints_work(const struct hints *hints)
{
    return hints->relied_upon;
}

const char *hints_source(const struct hints *hints)
{
    static const char *const names[] = {"containerd events", "GetContainerEvents", "none"};

    return names[hints->relied_upon ? hints->source : SOURCE_NONE];
}
