/*
 * A sight: what a look listed of one pod, on its way into the cache. What is listed as it was keeps
 * its details; a status call asks for each of the others, and when all have come the pod is taken
 * over as a whole. So a pod whose details hang or cannot be had delays no other; it stays as it
 * was, in trouble.
 *
 * The calls that may be in flight are dealt out in turn. A sight that has waited too long for an
 * answer is slow: it lends its share to others, and the look at the whole goes on without it. What
 * is listed meanwhile waits behind it (only the newest), unless that needs no details.
 */
#include "cache-private.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/base/str.h"
#include "nodeagent/sys/clock.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    INSPECTIONS_MAX = 16,    /* calls in flight; with more, answers only take longer */
    INSPECTIONS_POD_MAX = 4, /* of them for one pod */
    LENT_MAX = 256,          /* more that hang: a quarter of what the channel takes */
    ID_SHOWN = 12,           /* characters of an id in a sentence */
};

/* An answer is a matter of milliseconds, also on a busy machine. */
#define SLOW_USEC (1 * USEC_PER_SEC)

struct detail { /* of one object, that is asked for */
    struct sight *sight;
    struct cri_call *call;
    struct cri_sandbox *sandbox; /* one of the two, in the sight's pod */
    struct cri_container *container;
};

struct sight {
    struct entry *entry;
    usec_t began;     /* the look */
    bool inferred;    /* not listed, but inferred from ... */
    uint64_t version; /* ... what was known then */
    bool awaited;     /* by the look at the whole */
    bool slow;        /* to answer */
    bool lends;
    struct list queue; /* among those that have more to ask */
    struct wheel_timer patience;
    struct arena arena;
    struct cri_pod pod;
    list_of(struct detail) details;
    size_t asked; /* the first of them */
    size_t answered;
    const char *trouble;
};

static unsigned in_flight(const struct sight *sight)
{
    return (unsigned)(sight->asked - sight->answered);
}

static void on_patience(struct wheel_timer *timer);

/* what is known already */

/* A sandbox that is ready may get its addresses late; one that is not has those that it had. */
static const struct cri_sandbox *known_sandbox(const struct entry *entry,
                                               const struct cri_sandbox *sandbox)
{
    const struct cri_sandbox *known = pod_sandbox(&entry->pod, sandbox->id);
    bool complete = known && (known->host_network || known->ip_count);

    return known && (known->ready || !sandbox->ready) && (complete || !sandbox->ready) ? known
                                                                                       : NULL;
}

/* A container that was created has the same details when its state is not known any more. */
static bool is_same_state(enum cri_state a, enum cri_state b)
{
    return a == b || (a == CRI_CREATED && b == CRI_UNKNOWN) ||
           (a == CRI_UNKNOWN && b == CRI_CREATED);
}

static const struct cri_container *known_container(const struct entry *entry,
                                                   const struct cri_container *container)
{
    const struct cri_container *known = pod_container(&entry->pod, container->id);

    if (!known || !is_same_state(known->state, container->state))
        return NULL;
    return known->state == CRI_EXITED && hints_doubt(entry, known->id) ? NULL : known;
}

/* Puts in what is known; how many details are missing? */
static size_t complete(const struct entry *entry, struct cri_pod *pod)
{
    size_t missing = 0;

    array_for_each (sandbox, pod->sandboxes) {
        const struct cri_sandbox *known = known_sandbox(entry, sandbox);
        bool ready = sandbox->ready;

        if (known)
            *sandbox = *known;
        else
            missing++;
        sandbox->ready = ready;
    }
    array_for_each (container, pod->containers) {
        const struct cri_container *known = known_container(entry, container);
        enum cri_state state = container->state;

        if (known)
            *container = *known;
        else
            missing++;
        container->state = state;
    }
    return missing;
}

/* sights */

static struct sight *sight_new(struct entry *entry, const struct cri_pod *pod, usec_t began,
                               size_t missing)
{
    struct sight *sight = mem_new(struct sight);
    struct detail *next;

    sight->entry = entry;
    sight->began = began;
    list_init(&sight->queue);
    wheel_timer_init(&sight->patience, on_patience);
    sight->arena = ARENA_INIT(1024, 4096);
    pod_copy(&sight->pod, pod, &sight->arena);
    sight->details.items = next = arena_array(&sight->arena, struct detail, missing);
    sight->details.count = missing;
    array_for_each (sandbox, sight->pod.sandboxes)
        if (!known_sandbox(entry, sandbox))
            *next++ = (struct detail){.sight = sight, .sandbox = sandbox};
    array_for_each (container, sight->pod.containers)
        if (!known_container(entry, container))
            *next++ = (struct detail){.sight = sight, .container = container};
    return sight;
}

static void lend(struct sight *sight)
{
    struct cri_cache *cache = sight->entry->cache;

    if (sight->lends || cache->lent + in_flight(sight) > LENT_MAX)
        return;
    sight->lends = true;
    cache->inspecting -= in_flight(sight);
    cache->lent += in_flight(sight);
}

static void take_back(struct sight *sight)
{
    struct cri_cache *cache = sight->entry->cache;

    if (!sight->lends)
        return;
    sight->lends = false;
    cache->inspecting += in_flight(sight);
    cache->lent -= in_flight(sight);
}

static void stop_awaiting(struct sight *sight)
{
    bool awaited = sight->awaited;

    sight->awaited = false;
    if (awaited)
        whole_awaits_less(sight->entry->cache);
}

struct sight *sight_free(struct sight *sight)
{
    if (!sight)
        return NULL;
    take_back(sight);
    sight->entry->cache->inspecting -= in_flight(sight);
    array_for_each (detail, sight->details)
        if (detail->call)
            cri_cancel(detail->call);
    wheel_cancel(&sight->patience);
    list_unlink(&sight->queue);
    stop_awaiting(sight);
    arena_deinit(&sight->arena);
    free(sight);
    return NULL;
}

bool sight_is_slow(const struct sight *sight)
{
    return sight->slow;
}

static void go_on_later(struct sight *sight)
{
    if (list_empty(&sight->queue) && sight->asked < sight->details.count &&
        in_flight(sight) < INSPECTIONS_POD_MAX)
        list_push_back(&sight->entry->cache->sights, &sight->queue);
}

/* ends */

static void see_next(struct entry *entry)
{
    struct sight *next = entry->next;

    entry->next = NULL;
    if (next)
        entry_see(entry, &next->pod, next->began, false);
    sight_free(next);
}

/* What vanished between the list and now was not there. */
static void squeeze(struct cri_pod *pod)
{
    size_t kept = 0;

    array_for_each (sandbox, pod->sandboxes)
        if (sandbox->id)
            pod->sandboxes.items[kept++] = *sandbox;
    pod->sandboxes.count = kept;
    kept = 0;
    array_for_each (container, pod->containers)
        if (container->id)
            pod->containers.items[kept++] = *container;
    pod->containers.count = kept;
}

static void sight_ended(struct sight *sight)
{
    struct entry *entry = sight->entry;

    if (sight->trouble) {
        entry->cache->health.failures++;
        entry_trouble(entry, sight->trouble);
    } else if (sight->inferred && sight->version != entry->pod.version) {
        entry_want(entry, true); /* another look has shown more meanwhile */
    } else {
        squeeze(&sight->pod);
        entry_take(entry, &sight->pod, sight->began);
    }
    entry_tell(entry);
    entry->sight = NULL;
    sight_free(sight);
    see_next(entry);
}

/* asking */

static const char *method_name(const struct detail *detail)
{
    return cri_method_name(detail->sandbox ? &cri_pod_sandbox_status : &cri_container_status);
}

static const char *id_of(const struct detail *detail)
{
    return detail->sandbox ? detail->sandbox->id : detail->container->id;
}

static void fail(struct sight *sight, const struct detail *detail, const char *status,
                 const char *text)
{
    sight->trouble = arena_printf(&sight->arena, "%s of %.*s: %s%s%s", method_name(detail),
                                  ID_SHOWN, id_of(detail), status, *status ? ": " : "", text);
}

static void on_patience(struct wheel_timer *timer)
{
    struct sight *sight = container_of(timer, struct sight, patience);
    struct cri_cache *cache = sight->entry->cache;
    char text[64];

    sight->slow = true;
    lend(sight);
    snprintf(text, sizeof(text), "the runtime has not told its details for %llu s",
             (unsigned long long)(SLOW_USEC / USEC_PER_SEC));
    entry_trouble(sight->entry, text);
    entry_tell(sight->entry);
    stop_awaiting(sight);
    sights_go_on(cache);
}

static void be_patient(struct sight *sight)
{
    wheel_arm(sight->entry->cache->options.wheel, &sight->patience,
              in_flight(sight) ? usec_add(clock_boottime(), SLOW_USEC) : USEC_NEVER);
}

static void keep_addresses(struct sight *sight, struct cri_sandbox *sandbox)
{
    const struct cri_sandbox *before = pod_sandbox(&sight->entry->pod, sandbox->id);

    if (sandbox->ready || sandbox->ip_count || !before || !before->ip_count)
        return;
    sandbox->ips = arena_array(&sight->arena, const char *, before->ip_count);
    for (size_t i = 0; i < before->ip_count; i++)
        sandbox->ips[sandbox->ip_count++] = arena_strdup(&sight->arena, before->ips[i]);
}

/* False: the answer has none. */
static bool take_status(struct detail *detail, const void *message)
{
    struct sight *sight = detail->sight;
    const Cri__PodSandboxStatusResponse *sandbox = message;
    const Cri__ContainerStatusResponse *container = message;

    if (detail->sandbox && sandbox->status) {
        take_sandbox_status(detail->sandbox, sandbox->status, &sight->arena);
        keep_addresses(sight, detail->sandbox);
        return true;
    }
    if (detail->container && container->status) {
        take_container_status(detail->container, container->status, &sight->arena);
        return true;
    }
    return false;
}

static void on_detail(void *owner, const struct cri_reply *reply)
{
    struct detail *detail = owner;
    struct sight *sight = detail->sight;
    struct cri_cache *cache = sight->entry->cache;

    detail->call = NULL;
    take_back(sight);
    sight->slow = false;
    sight->answered++;
    cache->inspecting--;
    if (reply->status == RPC_NOT_FOUND && detail->sandbox)
        detail->sandbox->id = NULL;
    else if (reply->status == RPC_NOT_FOUND)
        detail->container->id = NULL;
    else if (reply->status != RPC_OK)
        fail(sight, detail, rpc_status_name(reply->status), reply->text);
    else if (!take_status(detail, reply->message))
        fail(sight, detail, "", "the answer has no status");
    be_patient(sight);
    go_on_later(sight);
    if (sight->trouble || sight->answered == sight->details.count)
        sight_ended(sight);
    sights_go_on(cache);
}

static int ask(struct detail *detail, struct err *err)
{
    struct cri_cache *cache = detail->sight->entry->cache;
    Cri__PodSandboxStatusRequest sandbox = CRI__POD_SANDBOX_STATUS_REQUEST__INIT;
    Cri__ContainerStatusRequest container = CRI__CONTAINER_STATUS_REQUEST__INIT;
    const struct cri_method *method;
    ProtobufCMessage *request;

    if (detail->sandbox) {
        sandbox.pod_sandbox_id = (char *)detail->sandbox->id;
        method = &cri_pod_sandbox_status;
        request = &sandbox.base;
    } else {
        container.container_id = (char *)detail->container->id;
        method = &cri_container_status;
        request = &container.base;
    }
    return cri_call(&detail->call, cache->options.cri, method, request, cache->options.call_timeout,
                    on_detail, detail, err);
}

/* In turn: one call for each sight that has more to ask. */
void sights_go_on(struct cri_cache *cache)
{
    struct err err;

    while (cache->inspecting < INSPECTIONS_MAX && !list_empty(&cache->sights)) {
        struct sight *sight = list_first(&cache->sights, struct sight, queue);
        struct detail *detail = &sight->details.items[sight->asked];

        list_unlink(&sight->queue);
        if (ask(detail, &err) < 0) {
            fail(sight, detail, "", err.text);
            sight_ended(sight);
            continue;
        }
        take_back(sight);
        sight->asked++;
        cache->inspecting++;
        be_patient(sight);
        go_on_later(sight);
    }
}

/* seeing */

static void sight_begin(struct entry *entry, struct sight *sight, bool awaited)
{
    entry->sight = sight;
    entry_name(entry, &sight->pod);
    if (awaited) {
        sight->awaited = true;
        entry->cache->awaited++;
        list_push_back(&entry->cache->sights, &sight->queue);
    } else {
        /* Somebody waits for it. */
        list_push_front(&entry->cache->sights, &sight->queue);
    }
}

void entry_infer(struct entry *entry, struct cri_pod *pod, usec_t began)
{
    uint64_t version = entry->pod.version;

    entry_see(entry, pod, began, false);
    if (!entry->sight)
        return;
    entry->sight->inferred = true;
    entry->sight->version = version;
}

void entry_see(struct entry *entry, struct cri_pod *pod, usec_t began, bool awaited)
{
    size_t missing;

    entry->listed = MAX(entry->listed, began);
    if (began <= entry->looked)
        return;
    missing = complete(entry, pod);
    if (!missing) {
        entry_take(entry, pod, began);
        if (entry->sight && entry->sight->began < began)
            entry->sight = sight_free(entry->sight);
        if (entry->next && entry->next->began < began)
            entry->next = sight_free(entry->next);
    } else if (!entry->sight) {
        sight_begin(entry, sight_new(entry, pod, began, missing), awaited);
    } else if (began > entry->sight->began && (!entry->next || began > entry->next->began)) {
        sight_free(entry->next);
        entry->next = sight_new(entry, pod, began, missing);
    }
}
