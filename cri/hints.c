/*
 * Hints: the runtime tells that something happened. containerd has an event stream of its own,
 * which all its versions have and which is told to everybody; others have GetContainerEvents.
 * Either may be missing, end, or lose events: then looks are made at their own pace.
 */
#include "cache-private.h"
#include "containerd-events.pb-c.h"
#include "method.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/base/str.h"
#include "nodeagent/sys/clock.h"

#include <stdlib.h>

#define HINTS_RETRY_FIRST_USEC (1 * USEC_PER_SEC)
#define HINTS_RETRY_MAX_USEC (30 * USEC_PER_SEC)

/* An exit is told before the runtime has taken note of it, which takes it some ten milliseconds. */
#define HINT_FIRST_USEC (8 * USEC_PER_MSEC)
#define HINT_NEXT_USEC (12 * USEC_PER_MSEC)

enum {
    HINT_LOOKS = 8,
};

enum source { SOURCE_CONTAINERD, SOURCE_CRI, SOURCE_COUNT };

struct hints {
    struct cri_cache *cache;
    enum source source;
    struct cri_call *call;
    struct wheel_timer timer;
    usec_t retry;
    bool silent; /* this runtime has none */
};

static const struct cri_method containerd_subscribe = {
    .service = CRI_RUNTIME,
    .path = "/containerd.services.events.v1.Events/Subscribe",
    .request = &containerd__subscribe_request__descriptor,
    .response = &containerd__envelope__descriptor,
};

static void watch(struct hints *hints);

/* what is told */

static void on_containerd_event(void *owner, const void *message)
{
    struct hints *hints = owner;
    const Containerd__Envelope *envelope = message;
    Containerd__TaskExit *ended;

    if (!envelope->event)
        return;
    ended = containerd__task_exit__unpack(NULL, envelope->event->value.len,
                                          envelope->event->value.data);
    if (!ended)
        return;
    /* Processes of exec end too, which changes nothing. */
    if (str_equal(ended->container_id, ended->id))
        cache_hint(hints->cache, ended->container_id);
    containerd__task_exit__free_unpacked(ended, NULL);
}

static void on_cri_event(void *owner, const void *message)
{
    struct hints *hints = owner;
    const Cri__ContainerEventResponse *event = message;

    if (!str_empty(event->container_id))
        cache_hint(hints->cache, event->container_id);
}

static void on_ended(void *owner, const struct cri_reply *reply)
{
    struct hints *hints = owner;

    hints->call = NULL;
    if (reply->status == RPC_UNIMPLEMENTED) {
        if (hints->source + 1 < SOURCE_COUNT) {
            hints->source++;
            watch(hints);
            return;
        }
        hints->silent = true; /* until the runtime is another one */
    }
    hints->source = SOURCE_CONTAINERD;
    hints->retry =
        hints->retry ? MIN(2 * hints->retry, HINTS_RETRY_MAX_USEC) : HINTS_RETRY_FIRST_USEC;
    if (hints->silent)
        hints->retry = HINTS_RETRY_MAX_USEC;
    wheel_arm(hints->cache->options.wheel, &hints->timer, usec_add(clock_boottime(), hints->retry));
    cache_look_soon(hints->cache); /* what was told meanwhile is lost */
}

static void watch(struct hints *hints)
{
    struct cri *cri = hints->cache->options.cri;
    Containerd__SubscribeRequest subscribe = CONTAINERD__SUBSCRIBE_REQUEST__INIT;
    Cri__GetEventsRequest events = CRI__GET_EVENTS_REQUEST__INIT;
    char *filters[] = {(char *)"namespace==k8s.io,topic==\"/tasks/exit\""};
    struct err ignored; /* too many calls in flight: it is tried again */
    int r;

    subscribe.n_filters = array_size(filters);
    subscribe.filters = filters;
    if (hints->source == SOURCE_CONTAINERD)
        r = cri_watch(&hints->call, cri, &containerd_subscribe, &subscribe.base,
                      on_containerd_event, on_ended, hints, &ignored);
    else
        r = cri_watch(&hints->call, cri, &cri_get_container_events, &events.base, on_cri_event,
                      on_ended, hints, &ignored);
    if (r < 0)
        wheel_arm(hints->cache->options.wheel, &hints->timer,
                  usec_add(clock_boottime(), HINTS_RETRY_FIRST_USEC));
}

static void on_timer(struct wheel_timer *timer)
{
    watch(container_of(timer, struct hints, timer));
}

struct hints *hints_new(struct cri_cache *cache)
{
    struct hints *hints = mem_new(struct hints);

    hints->cache = cache;
    wheel_timer_init(&hints->timer, on_timer);
    watch(hints);
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

/* A stream that is open and was not refused at once. */
bool hints_come(const struct hints *hints)
{
    return hints->call != NULL;
}

const char *hints_source(const struct hints *hints)
{
    static const char *const names[] = {"containerd events", "GetContainerEvents"};

    return hints->call ? names[hints->source] : "none";
}

/* what a hint is worth */

static void arm(struct cri_cache *cache, struct entry *entry, usec_t pause)
{
    wheel_arm(cache->options.wheel, &entry->hinted, usec_add(clock_boottime(), pause));
}

void hint_begin(struct cri_cache *cache, struct entry *entry)
{
    entry->hint_looks = HINT_LOOKS;
    if (!wheel_timer_armed(&entry->hinted))
        arm(cache, entry, HINT_FIRST_USEC);
}

void hint_timer(struct wheel_timer *timer)
{
    struct entry *entry = container_of(timer, struct entry, hinted);

    if (entry->hint_looks)
        cri_cache_look(entry->cache, entry->uid);
}

void hint_again(struct cri_cache *cache, struct entry *entry)
{
    if (entry->hint_looks && --entry->hint_looks)
        arm(cache, entry, HINT_NEXT_USEC * (HINT_LOOKS - entry->hint_looks));
}

void hint_heard(struct entry *entry)
{
    entry->hint_looks = 0;
    wheel_cancel(&entry->hinted);
}
