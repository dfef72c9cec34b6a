/*
 * What the owner did, and the runtime said that it is done: the pod is what it was and that, so
 * only the details that are new are asked for. A look at the pod would tell the same for three
 * times the work; it is made where the deed does not fit what is known, or where what is known is
 * not settled itself.
 */
#include "cache-private.h"

#include "nodeagent/base/str.h"
#include "nodeagent/sys/clock.h"

#include <string.h>

static bool put_sandbox(struct cri_pod *pod, const struct cri_deed *deed)
{
    struct cri_sandbox *items = pod->sandboxes.items;
    size_t at = 0;

    if (pod_sandbox(pod, deed->id))
        return false;
    while (at < pod->sandboxes.count && items[at].attempt > deed->attempt)
        at++;
    memmove(items + at + 1, items + at, (pod->sandboxes.count - at) * sizeof(*items));
    pod->sandboxes.count++;
    items[at] = (struct cri_sandbox){
        .id = deed->id,
        .attempt = deed->attempt,
        .ready = true,
        .runtime_handler = "",
        .config_source = "",
    };
    return true;
}

static bool put_container(struct cri_pod *pod, const struct cri_deed *deed)
{
    struct cri_container *items = pod->containers.items;
    struct cri_container *known = pod_container(pod, deed->id);
    size_t at = 0;

    if (known) {
        known->state = CRI_RUNNING;
        return true;
    }
    if (!pod_sandbox(pod, deed->sandbox_id))
        return false;
    while (at < pod->containers.count && items[at].attempt > deed->attempt)
        at++;
    memmove(items + at + 1, items + at, (pod->containers.count - at) * sizeof(*items));
    pod->containers.count++;
    items[at] = (struct cri_container){
        .id = deed->id,
        .name = deed->container,
        .sandbox_id = deed->sandbox_id,
        .state = CRI_RUNNING,
        .attempt = deed->attempt,
        .hash = "",
        .reason = "",
        .message = "",
        .image = "",
        .image_id = "",
        .log_path = "",
    };
    return true;
}

static bool end_container(struct cri_pod *pod, const char *id)
{
    struct cri_container *known = pod_container(pod, id);

    if (known)
        known->state = CRI_EXITED;
    return known != NULL;
}

/* False, too, where it may have ended containers with it. */
static bool end_sandbox(struct cri_pod *pod, const char *id)
{
    struct cri_sandbox *known = pod_sandbox(pod, id);

    array_for_each (container, pod->containers)
        if (str_equal(container->sandbox_id, id) && container->state != CRI_EXITED)
            return false;
    if (known)
        known->ready = false;
    return known != NULL;
}

/* A sandbox goes with its containers. */
static bool drop(struct cri_pod *pod, const char *id)
{
    size_t kept = 0;

    array_for_each (sandbox, pod->sandboxes)
        if (!str_equal(sandbox->id, id))
            pod->sandboxes.items[kept++] = *sandbox;
    pod->sandboxes.count = kept;
    kept = 0;
    array_for_each (container, pod->containers)
        if (!str_equal(container->id, id) && !str_equal(container->sandbox_id, id))
            pod->containers.items[kept++] = *container;
    pod->containers.count = kept;
    return true;
}

/* False: it does not fit. */
static bool apply(struct cri_pod *pod, const struct cri_deed *deed)
{
    if (str_empty(deed->id))
        return false;
    switch (deed->kind) {
    case CRI_RAN_SANDBOX:
        return put_sandbox(pod, deed);
    case CRI_STARTED_CONTAINER:
        return put_container(pod, deed);
    case CRI_STOPPED_CONTAINER:
        return end_container(pod, deed->id);
    case CRI_STOPPED_SANDBOX:
        return end_sandbox(pod, deed->id);
    case CRI_REMOVED:
        return drop(pod, deed->id);
    }
    return false;
}

/* With room for one more of each. What is pointed at stays where it is. */
static void copy(struct cri_pod *to, const struct cri_pod *from, const struct cri_deed *deed,
                 struct arena *arena)
{
    *to = *from;
    if (pod_empty(from)) {
        to->name = deed->name;
        to->name_space = deed->name_space;
    }
    to->sandboxes.items = arena_array(arena, struct cri_sandbox, from->sandboxes.count + 1);
    to->containers.items = arena_array(arena, struct cri_container, from->containers.count + 1);
    for (size_t i = 0; i < from->sandboxes.count; i++)
        to->sandboxes.items[i] = from->sandboxes.items[i];
    for (size_t i = 0; i < from->containers.count; i++)
        to->containers.items[i] = from->containers.items[i];
}

/* What was created may run by now: by a call of an agent that is no more. */
static bool is_settled(const struct entry *entry)
{
    array_for_each (container, entry->pod.containers)
        if (container->state != CRI_RUNNING && container->state != CRI_EXITED)
            return false;
    return !entry->look && !entry->wanted && !entry->sight && !entry->trouble;
}

void cri_cache_learn(struct cri_cache *cache, const char *uid, const struct cri_deed *deed)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT(1024, 4096);
    struct entry *entry = entry_get(cache, uid);
    struct cri_pod pod;

    copy(&pod, &entry->pod, deed, &arena);
    if (!is_settled(entry) || !apply(&pod, deed)) {
        entry_want(entry, true);
        return;
    }
    hints_looking(entry);
    entry_infer(entry, &pod, MAX(clock_boottime(), entry->looked + 1));
    if (!entry->sight)
        entry_tell(entry);
    sights_go_on(cache);
}
