/*
 * A look: what is there (two list calls), then the details of what is new or has changed (a status
 * call each), pod by pod. A pod is taken over when its own details are complete, so one whose call
 * hangs delays no other; it stays as it was, with a trouble.
 */
#include "cache-private.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/base/str.h"
#include "nodeagent/sys/clock.h"

#include <stdlib.h>
#include <string.h>

struct part { /* of a look: one pod */
    struct list link;
    struct look *look;
    char *uid;
    struct arena arena;
    struct cri_pod pod;
    size_t sandbox_space, container_space;
    unsigned missing; /* details */
    char *trouble;
};

struct look {
    struct cri_cache *cache;
    struct entry *entry; /* NULL: the whole */
    usec_t began;
    struct cri_call *sandboxes_call;
    struct cri_call *containers_call;
    struct map parts; /* by UID */
    struct list unfinished;
    char *trouble;
};

struct inspection {
    struct list link;
    struct part *part;
    struct cri_call *call; /* NULL: it waits */
    bool of_sandbox;
    size_t index;
};

static void part_settled(struct part *part);

/* parts */

static struct part *part_get(struct look *look, const char *uid)
{
    struct part *part = map_get(&look->parts, uid);

    if (part)
        return part;
    part = mem_new(struct part);
    part->look = look;
    part->uid = mem_strdup(uid);
    part->arena = ARENA_INIT(1024, 2048);
    part->pod.uid = part->uid;
    part->pod.name = part->pod.name_space = "";
    list_push_back(&look->unfinished, &part->link);
    map_put(&look->parts, uid, part);
    return part;
}

static void part_free(struct part *part)
{
    map_remove(&part->look->parts, part->uid);
    list_unlink(&part->link);
    arena_deinit(&part->arena);
    free(part->pod.sandboxes.items);
    free(part->pod.containers.items);
    free(part->trouble);
    free(part->uid);
    free(part);
}

/* details */

static void next_inspections(struct cri_cache *cache);

static void inspection_free(struct cri_cache *cache, struct inspection *inspection)
{
    if (inspection->call) {
        cri_cancel(inspection->call);
        cache->inspecting--;
    }
    list_unlink(&inspection->link);
    free(inspection);
}

/* The answer came; NOT_FOUND: it vanished between the list and now, as if it had not been listed.
 */
static void drop(struct part *part, const struct inspection *inspection)
{
    if (inspection->of_sandbox)
        part->pod.sandboxes.items[inspection->index].id = NULL;
    else
        part->pod.containers.items[inspection->index].id = NULL;
}

static bool take_details(struct part *part, const struct inspection *inspection,
                         const void *message)
{
    if (inspection->of_sandbox) {
        const Cri__PodSandboxStatusResponse *response = message;

        if (response->status)
            take_sandbox_status(&part->pod.sandboxes.items[inspection->index], response->status,
                                &part->arena);
        return response->status != NULL;
    } else {
        const Cri__ContainerStatusResponse *response = message;

        if (response->status)
            take_container_status(&part->pod.containers.items[inspection->index], response->status,
                                  &part->arena);
        return response->status != NULL;
    }
}

static void on_details(void *owner, const struct cri_reply *reply)
{
    struct inspection *inspection = owner;
    struct part *part = inspection->part;
    struct cri_cache *cache = part->look->cache;

    inspection->call = NULL;
    cache->inspecting--;
    if (reply->status == RPC_NOT_FOUND)
        drop(part, inspection);
    else if (reply->status != RPC_OK && !part->trouble)
        part->trouble = mem_printf(
            "%s: %s", inspection->of_sandbox ? "PodSandboxStatus" : "ContainerStatus", reply->text);
    else if (reply->status == RPC_OK && !take_details(part, inspection, reply->message))
        drop(part, inspection);
    inspection_free(cache, inspection);
    part->missing--;
    part_settled(part);
    next_inspections(cache);
}

static int ask_details(struct cri_cache *cache, struct inspection *inspection, struct err *err)
{
    const struct cri_pod *pod = &inspection->part->pod;

    if (inspection->of_sandbox) {
        Cri__PodSandboxStatusRequest request = CRI__POD_SANDBOX_STATUS_REQUEST__INIT;

        request.pod_sandbox_id = (char *)pod->sandboxes.items[inspection->index].id;
        return cri_call(&inspection->call, cache->options.cri, &cri_pod_sandbox_status,
                        &request.base, cache->options.call_timeout, on_details, inspection, err);
    } else {
        Cri__ContainerStatusRequest request = CRI__CONTAINER_STATUS_REQUEST__INIT;

        request.container_id = (char *)pod->containers.items[inspection->index].id;
        return cri_call(&inspection->call, cache->options.cri, &cri_container_status, &request.base,
                        cache->options.call_timeout, on_details, inspection, err);
    }
}

/* Those in flight stand at the front, so the first that has no call is the next. */
static void next_inspections(struct cri_cache *cache)
{
    while (cache->inspecting < INSPECTIONS_MAX) {
        struct inspection *next = NULL;
        struct part *part;
        struct err err;

        list_for_each (node, &cache->inspections) {
            struct inspection *inspection = list_entry(node, struct inspection, link);

            if (!inspection->call) {
                next = inspection;
                break;
            }
        }
        if (!next)
            return;
        list_unlink(&next->link);
        list_push_front(&cache->inspections, &next->link);
        if (ask_details(cache, next, &err) == 0) {
            cache->inspecting++;
            continue;
        }
        part = next->part;
        if (!part->trouble)
            part->trouble = mem_strdup(err.text);
        next->call = NULL;
        inspection_free(cache, next);
        part->missing--;
        part_settled(part);
    }
}

static void inspect(struct part *part, bool of_sandbox, size_t index)
{
    struct inspection *inspection = mem_new(struct inspection);

    inspection->part = part;
    inspection->of_sandbox = of_sandbox;
    inspection->index = index;
    list_push_back(&part->look->cache->inspections, &inspection->link);
    part->missing++;
}

/* taking over */

static void squeeze(struct cri_pod *pod)
{
    size_t kept = 0;

    for (size_t i = 0; i < pod->sandboxes.count; i++)
        if (pod->sandboxes.items[i].id)
            pod->sandboxes.items[kept++] = pod->sandboxes.items[i];
    pod->sandboxes.count = kept;
    kept = 0;
    for (size_t i = 0; i < pod->containers.count; i++)
        if (pod->containers.items[i].id)
            pod->containers.items[kept++] = pod->containers.items[i];
    pod->containers.count = kept;
}

/* True: something is different from before. */
static bool replace(struct entry *entry, const struct cri_pod *pod)
{
    struct arena arena = ARENA_INIT(512, 512);
    uint64_t version = entry->pod.version;

    if (pod_equal(&entry->pod, pod))
        return false;
    pod_copy(&entry->pod, pod, &arena);
    arena_deinit(&entry->arena);
    entry->arena = arena;
    entry->pod.version = version + 1;
    return true;
}

static bool set_trouble(struct entry *entry, const char *trouble)
{
    bool changed = !str_equal(entry->trouble, trouble);

    free(entry->trouble);
    entry->trouble = trouble ? mem_strdup(trouble) : NULL;
    return changed;
}

/* What was learned later stays. */
static bool apply(struct look *look, const char *uid, const struct cri_pod *pod,
                  const char *trouble)
{
    struct entry *entry = entry_get(look->cache, uid);
    bool changed;

    if (entry->looked >= look->began)
        return false;
    if (trouble) {
        look->cache->health.failures++;
        return set_trouble(entry, trouble);
    }
    changed = set_trouble(entry, NULL);
    entry->looked = look->began;
    return replace(entry, pod) || changed;
}

/* ends of looks */

static void look_ended(struct look *look)
{
    struct cri_cache *cache = look->cache;
    struct entry *entry = look->entry;
    _cleanup_(mem_free_at) char *trouble = look->trouble;
    usec_t began = look->began;

    look->trouble = NULL;
    if (entry) {
        _cleanup_(mem_free_at) char *uid = mem_strdup(entry->uid);

        entry->look = NULL;
        cache->pod_looks--;
        look_free(look);
        if (entry->wanted)
            list_push_back(&cache->wanted, &entry->queue);
        cache_start_wanted(cache);
        hint_again(cache, entry);
        cache_changed(cache, uid);
    } else {
        cache->whole = NULL;
        look_free(look);
        cache_whole_ended(cache, trouble, began);
    }
}

static void part_settled(struct part *part)
{
    struct look *look = part->look;
    struct cri_cache *cache = look->cache;
    bool changed;

    if (part->missing)
        return;
    squeeze(&part->pod);
    pod_sort(&part->pod);
    changed = apply(look, part->uid, &part->pod, part->trouble);
    if (changed)
        hint_heard(map_get(&cache->entries, part->uid));
    if (changed && !look->entry) {
        _cleanup_(mem_free_at) char *uid = mem_strdup(part->uid);

        part_free(part);
        cache_changed(cache, uid);
    } else {
        part_free(part);
    }
    if (list_empty(&look->unfinished) && !look->sandboxes_call && !look->containers_call)
        look_ended(look);
}

/* what is there */

static void add_sandbox(struct look *look, const Cri__PodSandbox *from)
{
    const char *uid = uid_of_sandbox(from);
    struct part *part;

    if (!uid || (look->entry && strcmp(uid, look->entry->uid) != 0))
        return;
    part = part_get(look, uid);
    part->pod.name = arena_strdup(&part->arena, from->metadata->name);
    part->pod.name_space = arena_strdup(&part->arena, from->metadata->namespace_);
    part->pod.sandboxes.items = mem_grow(part->pod.sandboxes.items, part->pod.sandboxes.count,
                                         &part->sandbox_space, sizeof(*part->pod.sandboxes.items));
    take_sandbox(&part->pod.sandboxes.items[part->pod.sandboxes.count++], from, &part->arena);
}

static void add_container(struct look *look, const Cri__Container *from)
{
    const char *uid = uid_of_container(from);
    struct part *part;

    if (!uid || (look->entry && strcmp(uid, look->entry->uid) != 0))
        return;
    part = part_get(look, uid);
    if (!*part->pod.name) {
        const char *name = pair_value(from->labels, from->n_labels, "io.kubernetes.pod.name");
        const char *space = pair_value(from->labels, from->n_labels, "io.kubernetes.pod.namespace");

        part->pod.name = arena_strdup(&part->arena, name ? name : "");
        part->pod.name_space = arena_strdup(&part->arena, space ? space : "");
    }
    part->pod.containers.items =
        mem_grow(part->pod.containers.items, part->pod.containers.count, &part->container_space,
                 sizeof(*part->pod.containers.items));
    take_container(&part->pod.containers.items[part->pod.containers.count++], from, &part->arena);
}

/* Details that cannot have changed are those of before; the others are asked for. */
static void complete_sandbox(struct part *part, size_t index, const struct entry *known)
{
    struct cri_sandbox *sandbox = &part->pod.sandboxes.items[index];
    const struct cri_sandbox *before = known ? pod_sandbox(&known->pod, sandbox->id) : NULL;

    if (before && before->ready == sandbox->ready && (before->ip_count || before->host_network)) {
        sandbox->host_network = before->host_network;
        sandbox->network_known = before->network_known;
        sandbox->ips = before->ips;
        sandbox->ip_count = before->ip_count;
    } else if (sandbox->ready) {
        inspect(part, true, index);
    }
}

static void complete_container(struct part *part, size_t index, const struct entry *known)
{
    struct cri_container *container = &part->pod.containers.items[index];
    const struct cri_container *before = known ? pod_container(&known->pod, container->id) : NULL;

    if (before && before->state == container->state && before->state != CRI_CREATED)
        *container = *before;
    else if (container->state != CRI_CREATED)
        inspect(part, false, index);
}

/* What is borrowed from the entry must not go before it is used. */
static void own_borrowed(struct part *part)
{
    struct cri_pod copy;

    pod_copy(&copy, &part->pod, &part->arena);
    for (size_t i = 0; i < copy.sandboxes.count; i++)
        part->pod.sandboxes.items[i] = copy.sandboxes.items[i];
    for (size_t i = 0; i < copy.containers.count; i++)
        part->pod.containers.items[i] = copy.containers.items[i];
}

static void complete(struct part *part)
{
    const struct entry *known = map_get(&part->look->cache->entries, part->uid);

    for (size_t i = 0; i < part->pod.sandboxes.count; i++)
        complete_sandbox(part, i, known);
    for (size_t i = 0; i < part->pod.containers.count; i++)
        complete_container(part, i, known);
    if (part->missing)
        own_borrowed(part);
}

/* Pods that were there and are not listed any more. */
static void apply_absent(struct look *look)
{
    static const struct cri_pod nothing;
    struct cri_cache *cache = look->cache;
    struct map_entry *item;

    for (size_t at = 0; (item = map_next(&cache->entries, &at));) {
        struct entry *entry = item->value;

        if ((look->entry && look->entry != entry) || map_get(&look->parts, entry->uid))
            continue;
        if (apply(look, entry->uid, &nothing, NULL)) {
            entry->pod.uid = entry->uid;
            if (!look->entry)
                cache_changed(cache, entry->uid);
        }
    }
}

static void listed(struct look *look)
{
    struct cri_cache *cache = look->cache;

    if (look->trouble) {
        cache->health.failures++;
        if (look->entry)
            set_trouble(look->entry, look->trouble);
        while (!list_empty(&look->unfinished))
            part_free(list_first(&look->unfinished, struct part, link));
        look_ended(look);
        return;
    }
    apply_absent(look);
    list_for_each (node, &look->unfinished)
        complete(list_entry(node, struct part, link));
    if (list_empty(&look->unfinished)) {
        look_ended(look);
        return;
    }
    for (size_t left = list_count(&look->unfinished); left > 0; left--) {
        struct part *part = list_first(&look->unfinished, struct part, link);

        list_unlink(&part->link);
        list_push_back(&look->unfinished, &part->link);
        if (!part->missing)
            part_settled(part); /* the last of all ends the look */
    }
    next_inspections(cache);
}

static void fail(struct look *look, const char *method, const char *text)
{
    if (!look->trouble)
        look->trouble = mem_printf("%s: %s", method, text);
}

static void on_sandboxes(void *owner, const struct cri_reply *reply)
{
    struct look *look = owner;
    const Cri__ListPodSandboxResponse *response = reply->message;

    look->sandboxes_call = NULL;
    if (reply->status != RPC_OK)
        fail(look, "ListPodSandbox", reply->text);
    else
        for (size_t i = 0; i < response->n_items; i++)
            add_sandbox(look, response->items[i]);
    if (!look->containers_call)
        listed(look);
}

static void on_containers(void *owner, const struct cri_reply *reply)
{
    struct look *look = owner;
    const Cri__ListContainersResponse *response = reply->message;

    look->containers_call = NULL;
    if (reply->status != RPC_OK)
        fail(look, "ListContainers", reply->text);
    else
        for (size_t i = 0; i < response->n_containers; i++)
            add_container(look, response->containers[i]);
    if (!look->sandboxes_call)
        listed(look);
}

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
        label.key = (char *)"io.kubernetes.pod.uid";
        label.value = look->entry->uid;
        sandbox_filter.n_label_selector = container_filter.n_label_selector = 1;
        sandbox_filter.label_selector = container_filter.label_selector = labels;
        sandboxes.filter = &sandbox_filter;
        containers.filter = &container_filter;
    }
    r = cri_call(&look->sandboxes_call, cache->options.cri, &cri_list_pod_sandbox, &sandboxes.base,
                 cache->options.call_timeout, on_sandboxes, look, err);
    if (r < 0)
        return r;
    return cri_call(&look->containers_call, cache->options.cri, &cri_list_containers,
                    &containers.base, cache->options.call_timeout, on_containers, look, err);
}

void look_begin(struct cri_cache *cache, struct entry *entry)
{
    struct look *look = mem_new(struct look);
    struct err err;

    look->cache = cache;
    look->entry = entry;
    look->began = clock_boottime();
    list_init(&look->unfinished);
    if (entry) {
        entry->look = look;
        cache->pod_looks++;
        cache->health.pod_looks++;
    } else {
        cache->whole = look;
        cache->health.looks++;
    }
    if (ask(look, &err) == 0)
        return;
    fail(look, "ListPodSandbox", err.text);
    if (look->sandboxes_call)
        return; /* its answer ends the look */
    listed(look);
}

void look_free(struct look *look)
{
    if (look->sandboxes_call)
        cri_cancel(look->sandboxes_call);
    if (look->containers_call)
        cri_cancel(look->containers_call);
    while (!list_empty(&look->unfinished))
        part_free(list_first(&look->unfinished, struct part, link));
    map_deinit(&look->parts);
    free(look->trouble);
    free(look);
}

void looks_cancel_all(struct cri_cache *cache)
{
    struct map_entry *item;

    while (!list_empty(&cache->inspections))
        inspection_free(cache, list_first(&cache->inspections, struct inspection, link));
    if (cache->whole)
        look_free(cache->whole);
    for (size_t at = 0; (item = map_next(&cache->entries, &at));) {
        struct entry *entry = item->value;

        if (entry->look)
            look_free(entry->look);
    }
}
