/*
 * What a hint is worth: a look at the pod that it is about. What ended is told before the runtime
 * itself has taken note of it, so the pod is looked at until the end shows, or a few times; nothing
 * is lost then but time, as the whole is looked at again and again anyway.
 *
 * What the owner does itself it looks at when it is done: hints about that are in no hurry. While
 * it does something, the whole is looked at often, which mostly shows first what was told.
 *
 * Hints may come in floods. However many come, hints make a pod be looked at at most every
 * HINT_GAP_USEC, and make the whole be looked at at most every HINT_WHOLE_GAP_USEC.
 */
#include "cache-private.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/base/str.h"
#include "nodeagent/sys/clock.h"

#include <stdlib.h>
#include <string.h>

enum {
    HINT_LOOKS_QUICK = 8, /* after the newest hint: containerd takes some 10 to 40 ms */
    HINT_LOOKS = 16,      /* in all; after the quick ones the pauses double */
    HINTS_MAX = 64, /* of a pod, remembered until they show: more containers seldom end at once */
};

#define HINT_GAP_USEC (5 * USEC_PER_MSEC)
#define HINT_EXPECTED_USEC (10 * USEC_PER_SEC)

/* Between what is told and what can be seen: an end, and what comes before an end. */
#define HINT_ENDED_USEC (3 * USEC_PER_MSEC)
#define HINT_EARLY_USEC (30 * USEC_PER_MSEC)

/* containerd takes note of an end and of its reason by events of its own, in any order. */
#define HINT_DOUBT_USEC (1 * USEC_PER_SEC)

/* A container that nobody knows yet is most likely of a pod that is being made: looks at it are on
 * their way. */
#define HINT_UNKNOWN_USEC (100 * USEC_PER_MSEC)
#define HINT_WHOLE_GAP_USEC (1 * USEC_PER_SEC)

struct pending { /* it ended, which the entry does not show yet */
    struct list link;
    bool doubt; /* it does, but its details may be old */
    usec_t told;
    char id[];
};

static struct pending *find(const struct entry *entry, const char *id)
{
    list_for_each (node, &entry->hints) {
        struct pending *pending = list_entry(node, struct pending, link);

        if (str_equal(pending->id, id))
            return pending;
    }
    return NULL;
}

static void remember(struct entry *entry, const char *id, bool doubt)
{
    struct pending *pending = find(entry, id);
    size_t length = strlen(id);

    if (!pending) {
        if (list_count(&entry->hints) == HINTS_MAX)
            return;
        pending = mem_zalloc(sizeof(*pending) + length + 1);
        memcpy(pending->id, id, length);
        list_push_back(&entry->hints, &pending->link);
    }
    pending->doubt |= doubt;
    pending->told = clock_boottime();
}

static void drop(struct pending *pending)
{
    list_unlink(&pending->link);
    free(pending);
}

void hints_drop(struct entry *entry)
{
    list_for_each_safe (node, &entry->hints)
        drop(list_entry(node, struct pending, link));
    wheel_cancel(&entry->hint_timer);
}

bool hints_doubt(const struct entry *entry, const char *id)
{
    const struct pending *pending = find(entry, id);

    return pending && pending->doubt;
}

static bool shows_end(const struct entry *entry, const char *id)
{
    const struct cri_sandbox *sandbox = pod_sandbox(&entry->pod, id);
    const struct cri_container *container = pod_container(&entry->pod, id);

    return !(sandbox && sandbox->ready) && !(container && container->state != CRI_EXITED);
}

static bool shows_reason(const struct entry *entry, const struct pending *pending)
{
    const struct cri_container *container = pod_container(&entry->pod, pending->id);

    return !container || str_equal(container->reason, "OOMKilled") ||
           usec_add(pending->told, HINT_DOUBT_USEC) < entry->looked;
}

void hints_settle(struct entry *entry)
{
    if (list_empty(&entry->hints))
        return;
    list_for_each_safe (node, &entry->hints) {
        struct pending *pending = list_entry(node, struct pending, link);

        if (shows_end(entry, pending->id) && (!pending->doubt || shows_reason(entry, pending)))
            drop(pending);
    }
    if (list_empty(&entry->hints))
        wheel_cancel(&entry->hint_timer);
}

/* Never later than it was to be. */
static void look_in(struct entry *entry, usec_t pause)
{
    usec_t wait = entry->expected ? MAX(pause, HINT_EXPECTED_USEC) : pause;
    usec_t when = MAX(usec_add(clock_boottime(), wait), entry->look_began + HINT_GAP_USEC);

    wheel_arm(entry->cache->options.wheel, &entry->hint_timer,
              MIN(when, entry->hint_timer.deadline));
}

void hints_hurry(struct entry *entry)
{
    if (wheel_timer_armed(&entry->hint_timer))
        look_in(entry, HINT_EARLY_USEC);
}

/* It shows what was told before, but for ends that the runtime has not noted yet. */
void hints_looking(struct entry *entry)
{
    if (list_empty(&entry->hints))
        wheel_cancel(&entry->hint_timer);
}

void hint_timer(struct wheel_timer *timer)
{
    struct entry *entry = container_of(timer, struct entry, hint_timer);

    entry_want(entry, false);
    if (list_empty(&entry->hints))
        return;
    entry->hint_looks++;
    if (entry->hint_looks < HINT_LOOKS)
        look_in(entry,
                HINT_GAP_USEC << (MAX(entry->hint_looks, HINT_LOOKS_QUICK) - HINT_LOOKS_QUICK));
    else
        hints_drop(entry);
}

static void hint_entry(struct entry *entry, enum hint hint, const char *id)
{
    static const usec_t pauses[] = {
        [HINT_CHANGED] = 0,
        [HINT_ENDED] = HINT_ENDED_USEC,
        [HINT_OOM] = HINT_EARLY_USEC,
    };

    if (hint == HINT_ENDED && shows_end(entry, id))
        return;
    if (hint != HINT_CHANGED)
        remember(entry, id, hint == HINT_OOM);
    entry->hint_looks = 0;
    look_in(entry, pauses[hint]);
}

void cache_hint(struct cri_cache *cache, enum hint hint, const char *id, const char *uid)
{
    struct entry *entry = str_empty(uid) ? cache_find_id(cache, id) : entry_get(cache, uid);

    cache->health.hints++;
    if (entry)
        hint_entry(entry, hint, id);
    else
        cache_look_by(cache, MAX(usec_add(clock_boottime(), HINT_UNKNOWN_USEC),
                                 cache->whole_began + HINT_WHOLE_GAP_USEC));
}
