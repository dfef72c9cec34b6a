/* The cache: who is to be looked at, and what was seen. */
#include "cache-private.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/base/str.h"
#include "nodeagent/sys/clock.h"

#include <stdlib.h>
#include <string.h>

/* entries */

struct entry *entry_get(struct cri_cache *cache, const char *uid)
{
    struct entry *entry = map_get(&cache->entries, uid);

    if (entry)
        return entry;
    entry = mem_new(struct entry);
    entry->uid = mem_strdup(uid);
    entry->looked = cache->whole_looked;
    entry->cache = cache;
    list_init(&entry->queue);
    wheel_timer_init(&entry->hinted, hint_timer);
    map_put(&cache->entries, uid, entry);
    return entry;
}

void entry_free(struct cri_cache *cache, struct entry *entry)
{
    map_remove(&cache->entries, entry->uid);
    list_unlink(&entry->queue);
    wheel_cancel(&entry->hinted);
    arena_deinit(&entry->arena);
    free(entry->trouble);
    free(entry->uid);
    free(entry);
}

void cache_changed(struct cri_cache *cache, const char *uid)
{
    cache->options.changed(cache->options.owner, uid);
}

/* starting looks */

static void start_wanted(struct cri_cache *cache)
{
    while (cache->pod_looks < POD_LOOKS_MAX && !list_empty(&cache->wanted)) {
        struct entry *entry = list_first(&cache->wanted, struct entry, queue);

        list_unlink(&entry->queue);
        entry->wanted = false;
        look_begin(cache, entry);
    }
}

static void on_post(struct loop_post *post)
{
    struct cri_cache *cache = container_of(post, struct cri_cache, post);

    cache->posted = false;
    start_wanted(cache);
}

void cache_start_wanted(struct cri_cache *cache)
{
    if (!cache->posted)
        loop_post(cache->options.loop, &cache->post);
    cache->posted = true;
}

void cri_cache_look(struct cri_cache *cache, const char *uid)
{
    struct entry *entry = entry_get(cache, uid);

    if (entry->wanted)
        return;
    entry->wanted = true;
    if (entry->look)
        return; /* when that ends: it began before */
    list_push_back(&cache->wanted, &entry->queue);
    cache_start_wanted(cache);
}

static usec_t look_pause(const struct cri_cache *cache)
{
    if (cache->retry)
        return cache->retry;
    if (cache->unknown_hinted)
        return LOOK_UNKNOWN_USEC;
    if (hints_come(cache->hints))
        return LOOK_HINTED_USEC;
    return cache->expectations ? LOOK_EXPECTING_USEC : LOOK_IDLE_USEC;
}

static void arm(struct cri_cache *cache)
{
    wheel_arm(cache->options.wheel, &cache->timer, usec_add(clock_boottime(), look_pause(cache)));
}

static void on_timer(struct wheel_timer *timer)
{
    struct cri_cache *cache = container_of(timer, struct cri_cache, timer);

    if (cache->whole)
        return;
    cache->unknown_hinted = false;
    look_begin(cache, NULL);
}

void cache_look_soon(struct cri_cache *cache)
{
    if (!cache->whole)
        wheel_arm(cache->options.wheel, &cache->timer, clock_boottime());
}

void cri_cache_expect(struct cri_cache *cache)
{
    if (cache->expectations++ == 0 && !cache->whole && !cache->retry && !hints_come(cache->hints)) {
        usec_t soon = usec_add(clock_boottime(), LOOK_EXPECTING_USEC);

        wheel_arm(cache->options.wheel, &cache->timer, MIN(soon, cache->timer.deadline));
    }
}

void cri_cache_expect_no_more(struct cri_cache *cache)
{
    assert_that(cache->expectations > 0);
    cache->expectations--;
}

/* Entries of pods that the runtime does not have, and that nobody waits for. */
static void forget_absent(struct cri_cache *cache)
{
    struct map_entry *item;

    for (size_t at = 0; (item = map_next(&cache->entries, &at));) {
        struct entry *entry = item->value;

        if (!entry->pod.sandboxes.count && !entry->pod.containers.count && !entry->wanted &&
            !entry->look && !entry->trouble)
            entry_free(cache, entry);
    }
}

void cache_whole_ended(struct cri_cache *cache, const char *trouble, usec_t began)
{
    free(cache->trouble);
    cache->trouble = trouble ? mem_strdup(trouble) : NULL;
    if (trouble) {
        cache->retry =
            cache->retry ? MIN(2 * cache->retry, LOOK_RETRY_MAX_USEC) : LOOK_RETRY_FIRST_USEC;
    } else {
        cache->retry = 0;
        cache->whole_looked = MAX(cache->whole_looked, began);
        forget_absent(cache);
    }
    arm(cache);
    cache_changed(cache, NULL);
}

/* hints */

static bool has_id(const struct cri_pod *pod, const char *id)
{
    return pod_sandbox(pod, id) || pod_container(pod, id);
}

struct entry *cache_find_id(struct cri_cache *cache, const char *id)
{
    struct map_entry *item;

    for (size_t at = 0; (item = map_next(&cache->entries, &at));) {
        struct entry *entry = item->value;

        if (has_id(&entry->pod, id))
            return entry;
    }
    return NULL;
}

void cache_hint(struct cri_cache *cache, const char *id)
{
    struct entry *entry = cache_find_id(cache, id);

    cache->health.hints++;
    if (entry) {
        hint_begin(cache, entry);
        return;
    }
    /* Of something so new that no look has shown it yet. */
    if (cache->unknown_hinted)
        return;
    cache->unknown_hinted = true;
    if (!cache->whole)
        arm(cache);
}

/* the object */

struct cri_cache *cri_cache_new(const struct cri_cache_options *options)
{
    struct cri_cache *cache = mem_new(struct cri_cache);

    cache->options = *options;
    list_init(&cache->wanted);
    list_init(&cache->inspections);
    loop_post_init(&cache->post, on_post);
    wheel_timer_init(&cache->timer, on_timer);
    cache->hints = hints_new(cache);
    cache_look_soon(cache);
    return cache;
}

struct cri_cache *cri_cache_free(struct cri_cache *cache)
{
    struct map_entry *item;

    hints_free(cache->hints);
    wheel_cancel(&cache->timer);
    loop_post_cancel(cache->options.loop, &cache->post);
    looks_cancel_all(cache);
    for (size_t at = 0; (item = map_next(&cache->entries, &at));)
        entry_free(cache, item->value);
    map_deinit(&cache->entries);
    free(cache->trouble);
    free(cache);
    return NULL;
}

/* reading */

static const struct entry *find(const struct cri_cache *cache, const char *uid)
{
    return map_get(&cache->entries, uid);
}

static bool is_there(const struct entry *entry)
{
    return entry && (entry->pod.sandboxes.count || entry->pod.containers.count);
}

const struct cri_pod *cri_cache_pod(const struct cri_cache *cache, const char *uid)
{
    const struct entry *entry = find(cache, uid);

    return is_there(entry) ? &entry->pod : NULL;
}

usec_t cri_cache_looked(const struct cri_cache *cache, const char *uid)
{
    const struct entry *entry = find(cache, uid);

    return entry ? entry->looked : cache->whole_looked;
}

const char *cri_cache_trouble(const struct cri_cache *cache, const char *uid)
{
    const struct entry *entry = find(cache, uid);

    return entry && entry->trouble ? entry->trouble : cache->trouble;
}

const struct cri_pod *cri_cache_next(const struct cri_cache *cache, size_t *position)
{
    struct map_entry *item;

    while ((item = map_next(&cache->entries, position)))
        if (is_there(item->value))
            return &((struct entry *)item->value)->pod;
    return NULL;
}

struct cri_cache_health cri_cache_health(const struct cri_cache *cache)
{
    struct cri_cache_health health = cache->health;

    health.looked = cache->whole_looked;
    health.hint_source = hints_source(cache->hints);
    health.trouble = cache->trouble;
    return health;
}
