/* The cache: the pods, when to look at them, and whom to tell. */
#include "cache-private.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/base/str.h"
#include "nodeagent/sys/clock.h"

#include <stdlib.h>
#include <string.h>

/* posting: looks begin, and the owner is told, in a turn of their own */

static void post(struct cri_cache *cache)
{
    if (!cache->posted)
        loop_post(cache->options.loop, &cache->post);
    cache->posted = true;
}

void cache_begin_waiting(struct cri_cache *cache)
{
    if (cache->pod_looks < POD_LOOKS_MAX && !list_empty(&cache->waiting))
        post(cache);
}

static void begin_waiting(struct cri_cache *cache)
{
    while (cache->pod_looks < POD_LOOKS_MAX && !list_empty(&cache->waiting)) {
        struct entry *entry = list_first(&cache->waiting, struct entry, waiting);

        list_unlink(&entry->waiting);
        look_begin(cache, entry);
    }
}

/* entries */

struct entry *entry_get(struct cri_cache *cache, const char *uid)
{
    struct entry *entry = map_get(&cache->entries, uid);
    size_t length = strlen(uid);

    if (entry)
        return entry;
    entry = mem_zalloc(sizeof(*entry) + length + 1);
    memcpy(entry->uid, uid, length);
    entry->cache = cache;
    entry->looked = cache->whole_looked; /* which did not list it */
    entry->pod.uid = entry->uid;
    entry->pod.name = entry->pod.name_space = "";
    list_init(&entry->news);
    list_init(&entry->waiting);
    list_init(&entry->hints);
    wheel_timer_init(&entry->hint_timer, hint_timer);
    map_put(&cache->entries, uid, entry);
    return entry;
}

static void forget_ids(struct entry *entry)
{
    struct map *ids = &entry->cache->ids;

    array_for_each (sandbox, entry->pod.sandboxes)
        map_remove(ids, sandbox->id);
    array_for_each (container, entry->pod.containers)
        map_remove(ids, container->id);
}

static void note_ids(struct entry *entry)
{
    struct map *ids = &entry->cache->ids;

    array_for_each (sandbox, entry->pod.sandboxes)
        map_put(ids, sandbox->id, entry);
    array_for_each (container, entry->pod.containers)
        map_put(ids, container->id, entry);
}

static void entry_free(struct entry *entry)
{
    entry_trouble(entry, NULL);
    hints_drop(entry);
    entry->sight = sight_free(entry->sight);
    entry->next = sight_free(entry->next);
    entry->look = look_free(entry->look);
    list_unlink(&entry->news);
    list_unlink(&entry->waiting);
    map_remove(&entry->cache->entries, entry->uid);
    forget_ids(entry);
    arena_deinit(&entry->arena);
    free(entry);
}

/* Is there anything that the newest look at the whole does not say as well? One whose details could
 * not be had is there, though nothing of it is known. */
static bool is_needed(const struct entry *entry)
{
    return !pod_empty(&entry->pod) || entry->trouble || entry->sight || entry->next ||
           entry->look || entry->wanted || wheel_timer_armed(&entry->hint_timer) ||
           entry->expected || !list_empty(&entry->news) ||
           entry->looked > entry->cache->whole_looked;
}

void entry_want(struct entry *entry, bool asked)
{
    entry->wanted = true;
    entry->asked |= asked;
    if (entry->look || !list_empty(&entry->waiting))
        return; /* the look that goes on began before */
    list_push_back(&entry->cache->waiting, &entry->waiting);
    post(entry->cache);
}

void entry_tell(struct entry *entry)
{
    if (list_empty(&entry->news))
        list_push_back(&entry->cache->news, &entry->news);
    post(entry->cache);
}

void entry_trouble(struct entry *entry, const char *text)
{
    entry->cache->troubled += (text != NULL) - (entry->trouble != NULL);
    free(entry->trouble);
    entry->trouble = text ? mem_strdup(text) : NULL;
}

/* What was there may be part of what comes. */
static void set_pod(struct entry *entry, const struct cri_pod *pod)
{
    size_t size = pod_size(pod);
    struct arena arena = ARENA_INIT(size, size), before = entry->arena;

    forget_ids(entry);
    pod_copy(&entry->pod, pod, &arena);
    entry->arena = arena;
    arena_deinit(&before);
    note_ids(entry);
}

void entry_name(struct entry *entry, const struct cri_pod *pod)
{
    struct cri_pod bare = {.name = pod->name, .name_space = pod->name_space};

    if (pod_empty(&entry->pod))
        set_pod(entry, &bare);
}

void entry_take(struct entry *entry, const struct cri_pod *pod, usec_t began)
{
    bool changed = !pod_equal(&entry->pod, pod);

    if (changed || entry->trouble)
        entry_tell(entry);
    entry->looked = began;
    entry_trouble(entry, NULL);
    if (changed) {
        set_pod(entry, pod);
        entry->pod.version++;
    }
    hints_settle(entry);
}

struct entry *cache_find_id(struct cri_cache *cache, const char *id)
{
    return map_get(&cache->ids, id);
}

/* telling */

static void tell(struct cri_cache *cache)
{
    while (!list_empty(&cache->news)) {
        struct entry *entry = list_first(&cache->news, struct entry, news);

        list_unlink(&entry->news);
        cache->options.changed(cache->options.owner, entry->uid);
        if (!is_needed(entry))
            entry_free(entry);
    }
    if (!cache->whole_news)
        return;
    cache->whole_news = false;
    cache->options.changed(cache->options.owner, NULL);
}

static void on_post(struct loop_post *node)
{
    struct cri_cache *cache = container_of(node, struct cri_cache, post);

    cache->posted = false;
    begin_waiting(cache);
    tell(cache);
}

/* when to look at the whole */

static usec_t pause_until_next(const struct cri_cache *cache)
{
    if (cache->retry)
        return cache->retry;
    if (hints_work(cache->hints))
        return cache->expectations || cache->troubled ? PAUSE_IDLE_USEC : PAUSE_HINTED_USEC;
    return cache->expectations ? PAUSE_EXPECTING_USEC : PAUSE_IDLE_USEC;
}

void cache_look_by(struct cri_cache *cache, usec_t when)
{
    cache->wanted_by = MIN(cache->wanted_by, when);
    if (!cache->whole && !cache->retry)
        wheel_arm(cache->options.wheel, &cache->timer,
                  MIN(cache->timer.deadline, cache->wanted_by));
}

static void on_timer(struct wheel_timer *timer)
{
    struct cri_cache *cache = container_of(timer, struct cri_cache, timer);

    cache->wanted_by = USEC_NEVER;
    look_begin(cache, NULL);
}

/* All pods that it showed are known, or have their details asked for; the others are not there. */
void cache_listed(struct cri_cache *cache, usec_t began)
{
    static const struct cri_pod nothing = {.name = "", .name_space = ""};
    struct map_entry *item;

    cache->whole_looked = began;
    for (size_t at = 0; (item = map_next(&cache->entries, &at));) {
        struct entry *entry = item->value;

        if (entry->listed < began && entry->looked < began) {
            struct cri_pod pod = nothing;

            entry_see(entry, &pod, began, false);
        }
        if (!is_needed(entry))
            entry_free(entry);
    }
}

void cache_ended(struct cri_cache *cache, const char *trouble, usec_t began)
{
    usec_t now = clock_boottime();
    bool was_away = cache->retry != 0;

    free(cache->trouble);
    cache->trouble = trouble ? mem_strdup(trouble) : NULL;
    cache->trouble_began = began;
    if (trouble) {
        cache->retry = MIN(cache->retry ? 2 * cache->retry : RETRY_FIRST_USEC, RETRY_MAX_USEC);
    } else {
        cache->retry = 0;
        cache->patience = MIN(LIST_PATIENCE_USEC, cache->options.call_timeout);
        cache->health.looked = began;
        cache->whole_news = true;
        post(cache);
        if (was_away)
            hints_ask_again(cache->hints);
    }
    wheel_arm(cache->options.wheel, &cache->timer, usec_add(now, pause_until_next(cache)));
    cache_look_by(cache, cache->wanted_by);
}

void cri_cache_look(struct cri_cache *cache, const char *uid)
{
    entry_want(entry_get(cache, uid), true);
}

void cri_cache_expect(struct cri_cache *cache, const char *uid)
{
    entry_get(cache, uid)->expected++;
    cache->expectations++;
    if (cache->expectations == 1)
        cache_look_by(cache, usec_add(clock_boottime(), pause_until_next(cache)));
}

void cri_cache_expect_no_more(struct cri_cache *cache, const char *uid)
{
    struct entry *entry = map_get(&cache->entries, uid);

    assert_that(entry && entry->expected > 0);
    entry->expected--;
    cache->expectations--;
    if (!entry->expected)
        hints_hurry(entry);
}

/* the object */

struct cri_cache *cri_cache_new(const struct cri_cache_options *options)
{
    struct cri_cache *cache = mem_new(struct cri_cache);

    cache->options = *options;
    cache->patience = MIN(LIST_PATIENCE_USEC, options->call_timeout);
    cache->wanted_by = USEC_NEVER;
    list_init(&cache->waiting);
    list_init(&cache->news);
    list_init(&cache->sights);
    loop_post_init(&cache->post, on_post);
    wheel_timer_init(&cache->timer, on_timer);
    cache->hints = hints_new(cache);
    cache_look_by(cache, clock_boottime());
    return cache;
}

struct cri_cache *cri_cache_free(struct cri_cache *cache)
{
    struct map_entry *item;

    if (!cache)
        return NULL;
    cache->hints = hints_free(cache->hints);
    cache->whole = look_free(cache->whole);
    for (size_t at = 0; (item = map_next(&cache->entries, &at));)
        entry_free(item->value);
    wheel_cancel(&cache->timer);
    loop_post_cancel(cache->options.loop, &cache->post);
    map_deinit(&cache->entries);
    map_deinit(&cache->ids);
    free(cache->trouble);
    free(cache);
    return NULL;
}

/* reading */

const struct cri_pod *cri_cache_pod(const struct cri_cache *cache, const char *uid)
{
    const struct entry *entry = map_get(&cache->entries, uid);

    return entry && !pod_empty(&entry->pod) ? &entry->pod : NULL;
}

usec_t cri_cache_looked(const struct cri_cache *cache, const char *uid)
{
    const struct entry *entry = map_get(&cache->entries, uid);

    return entry ? entry->looked : cache->whole_looked;
}

const char *cri_cache_trouble(const struct cri_cache *cache, const char *uid)
{
    const struct entry *entry = map_get(&cache->entries, uid);

    if (entry && entry->trouble)
        return entry->trouble;
    return entry && entry->looked > cache->trouble_began ? NULL : cache->trouble;
}

/* What is listed, but not known in detail yet, is there as well: nobody may think it is gone. */
static bool is_there(const struct entry *entry)
{
    return !pod_empty(&entry->pod) || entry->sight;
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

    health.hint_source = hints_source(cache->hints);
    health.trouble = cache->trouble;
    return health;
}
