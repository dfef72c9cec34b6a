/*
 * A look at the whole or at one pod: two list calls, side by side. What they list is sorted by pod
 * and shown to each pod's entry, which asks for the details it lacks (cache-sight.c). A look at one
 * pod is over then; one at the whole waits for the details, but not for those that hang.
 */
#include "cache-private.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/base/str.h"
#include "nodeagent/sys/clock.h"

#include <stdlib.h>
#include <string.h>

struct look {
    struct cri_cache *cache;
    struct entry *entry; /* NULL: the whole */
    usec_t began;
    bool asked; /* by the owner */
    struct cri_call *sandboxes_call;
    struct cri_call *containers_call;
    struct arena arena; /* of what is listed */
    list_of(struct listed_sandbox) sandboxes;
    list_of(struct listed_container) containers;
    char *trouble;
};

struct look *look_free(struct look *look)
{
    if (!look)
        return NULL;
    if (look->sandboxes_call)
        cri_cancel(look->sandboxes_call);
    if (look->containers_call)
        cri_cancel(look->containers_call);
    if (look->entry)
        look->cache->pod_looks--;
    arena_deinit(&look->arena);
    free(look->trouble);
    free(look);
    return NULL;
}

/* showing: both lists are sorted, and taken from as they are gone through */

static const char *next_uid(const struct look *look)
{
    const char *a = look->sandboxes.count ? look->sandboxes.items->of.uid : NULL;
    const char *b = look->containers.count ? look->containers.items->of.uid : NULL;

    return !a || (b && strcmp(b, a) < 0) ? b : a;
}

static void name_pod(struct cri_pod *pod, const struct listed *of)
{
    if (*pod->name)
        return;
    pod->name = of->name;
    pod->name_space = of->name_space;
}

static bool take_sandboxes(struct look *look, struct cri_pod *pod)
{
    bool unlabelled = false;
    size_t count = 0;

    while (count < look->sandboxes.count &&
           str_equal(look->sandboxes.items[count].of.uid, pod->uid))
        count++;
    pod->sandboxes.items = arena_array(&look->arena, struct cri_sandbox, count);
    pod->sandboxes.count = count;
    for (size_t i = 0; i < count; i++) {
        name_pod(pod, &look->sandboxes.items[i].of);
        pod->sandboxes.items[i] = look->sandboxes.items[i].sandbox;
        unlabelled |= look->sandboxes.items[i].unlabelled;
    }
    look->sandboxes.items += count;
    look->sandboxes.count -= count;
    return unlabelled;
}

static void take_containers(struct look *look, struct cri_pod *pod)
{
    size_t count = 0;

    while (count < look->containers.count &&
           str_equal(look->containers.items[count].of.uid, pod->uid))
        count++;
    pod->containers.items = arena_array(&look->arena, struct cri_container, count);
    pod->containers.count = count;
    for (size_t i = 0; i < count; i++) {
        name_pod(pod, &look->containers.items[i].of);
        pod->containers.items[i] = look->containers.items[i].container;
    }
    look->containers.items += count;
    look->containers.count -= count;
}

static void show_pod(struct look *look, const char *uid)
{
    struct cri_pod pod = {.uid = uid, .name = "", .name_space = ""};
    struct entry *entry = look->entry ? look->entry : entry_get(look->cache, uid);
    bool unlabelled = take_sandboxes(look, &pod);

    take_containers(look, &pod);
    if (!look->entry)
        entry->unlabelled = unlabelled;
    entry_see(entry, &pod, look->began, !look->entry);
}

static void sort(struct look *look)
{
    if (look->sandboxes.count)
        qsort(look->sandboxes.items, look->sandboxes.count, sizeof(*look->sandboxes.items),
              compare_sandboxes);
    if (look->containers.count)
        qsort(look->containers.items, look->containers.count, sizeof(*look->containers.items),
              compare_containers);
}

/* ends */

static void whole_ended(struct cri_cache *cache)
{
    _cleanup_(mem_free_at) char *trouble = cache->whole->trouble;
    usec_t began = cache->whole->began;

    cache->whole->trouble = NULL;
    cache->whole = look_free(cache->whole);
    cache_ended(cache, trouble, began);
}

void whole_awaits_less(struct cri_cache *cache)
{
    assert_that(cache->awaited > 0);
    cache->awaited--;
    if (cache->whole && !cache->awaited)
        whole_ended(cache);
}

static void show_whole(struct look *look)
{
    struct cri_cache *cache = look->cache;

    cache->awaited++; /* this */
    while (next_uid(look))
        show_pod(look, next_uid(look));
    cache_listed(cache, look->began);
    arena_deinit(&look->arena); /* waiting for the details can take a while */
    sights_go_on(cache);
    whole_awaits_less(cache);
}

static void pod_failed(struct look *look)
{
    struct entry *entry = look->entry;
    struct cri_cache *cache = look->cache;

    if (look->began <= entry->looked)
        return;
    entry_trouble(entry, look->trouble);
    cache_look_by(cache, usec_add(clock_boottime(), RETRY_FIRST_USEC));
}

static void show_one(struct look *look)
{
    struct entry *entry = look->entry;
    struct cri_cache *cache = look->cache;

    if (look->trouble)
        pod_failed(look);
    else
        show_pod(look, entry->uid);
    /* Details that are on their way are told of when they are here. */
    if (look->asked && (!entry->sight || sight_is_slow(entry->sight)))
        entry_tell(entry);
    entry->look = look_free(look);
    if (entry->wanted)
        entry_want(entry, false);
    cache_begin_waiting(cache);
    sights_go_on(cache);
}

static void listed(struct look *look)
{
    if (look->sandboxes_call || look->containers_call)
        return;
    if (look->trouble)
        look->cache->health.failures++;
    sort(look);
    if (look->entry)
        show_one(look);
    else if (look->trouble)
        whole_ended(look->cache);
    else
        show_whole(look);
}

/* listing */

static bool concerns(const struct look *look, const char *uid)
{
    return !look->entry || str_equal(look->entry->uid, uid);
}

static void fail(struct look *look, const char *method, const struct cri_reply *reply)
{
    struct cri_cache *cache = look->cache;

    if (reply->status == RPC_DEADLINE_EXCEEDED)
        cache->patience = MIN(2 * cache->patience, cache->options.call_timeout);
    if (!look->trouble)
        look->trouble =
            mem_printf("%s: %s: %s", method, rpc_status_name(reply->status), reply->text);
}

static void on_sandboxes(void *owner, const struct cri_reply *reply)
{
    struct look *look = owner;
    const Cri__ListPodSandboxResponse *response = reply->message;
    struct listed_sandbox *next;

    look->sandboxes_call = NULL;
    if (response) {
        next = arena_array(&look->arena, struct listed_sandbox, response->n_items);
        look->sandboxes.items = next;
        for (size_t i = 0; i < response->n_items; i++)
            if (take_sandbox(next, response->items[i], &look->arena) &&
                concerns(look, next->of.uid))
                next++;
        look->sandboxes.count = (size_t)(next - look->sandboxes.items);
    } else {
        fail(look, "ListPodSandbox", reply);
    }
    listed(look);
}

static void on_containers(void *owner, const struct cri_reply *reply)
{
    struct look *look = owner;
    const Cri__ListContainersResponse *response = reply->message;
    struct listed_container *next;

    look->containers_call = NULL;
    if (response) {
        next = arena_array(&look->arena, struct listed_container, response->n_containers);
        look->containers.items = next;
        for (size_t i = 0; i < response->n_containers; i++)
            if (take_container(next, response->containers[i], &look->arena) &&
                concerns(look, next->of.uid))
                next++;
        look->containers.count = (size_t)(next - look->containers.items);
    } else {
        fail(look, "ListContainers", reply);
    }
    listed(look);
}

/* Both calls, or none. */
static int ask(struct look *look, struct err *err)
{
    struct cri_cache *cache = look->cache;
    Cri__ListPodSandboxRequest sandboxes = CRI__LIST_POD_SANDBOX_REQUEST__INIT;
    Cri__ListContainersRequest containers = CRI__LIST_CONTAINERS_REQUEST__INIT;
    Cri__PodSandboxFilter sandbox_filter = CRI__POD_SANDBOX_FILTER__INIT;
    Cri__ContainerFilter container_filter = CRI__CONTAINER_FILTER__INIT;
    Cri__Pair label = CRI__PAIR__INIT, *labels[] = {&label};
    int r;

    if (look->entry) {
        label.key = (char *)LABEL_UID;
        label.value = look->entry->uid;
        sandbox_filter.n_label_selector = container_filter.n_label_selector = 1;
        sandbox_filter.label_selector = container_filter.label_selector = labels;
        if (!look->entry->unlabelled)
            sandboxes.filter = &sandbox_filter;
        containers.filter = &container_filter;
    }
    r = cri_call(&look->sandboxes_call, cache->options.cri, &cri_list_pod_sandbox, &sandboxes.base,
                 cache->patience, on_sandboxes, look, err);
    if (r == 0)
        r = cri_call(&look->containers_call, cache->options.cri, &cri_list_containers,
                     &containers.base, cache->patience, on_containers, look, err);
    if (r < 0 && look->sandboxes_call) {
        cri_cancel(look->sandboxes_call);
        look->sandboxes_call = NULL;
    }
    return r;
}

void look_begin(struct cri_cache *cache, struct entry *entry)
{
    struct look *look = mem_new(struct look);
    struct err err;

    look->cache = cache;
    look->entry = entry;
    look->arena = ARENA_INIT_DOCUMENT;
    look->began = clock_boottime();
    if (entry) {
        look->asked = entry->asked;
        entry->asked = entry->wanted = false;
        entry->look = look;
        entry->look_began = look->began;
        hints_looking(entry);
        cache->pod_looks++;
        cache->health.pod_looks++;
    } else {
        cache->whole = look;
        cache->whole_began = look->began;
        cache->health.looks++;
    }
    if (ask(look, &err) == 0)
        return;
    look->trouble = mem_strdup(err.text);
    listed(look);
}
