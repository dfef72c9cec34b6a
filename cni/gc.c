/*
 * GC: what is recorded and no longer wanted is deleted, as it was recorded; then what is left on
 * the host of containers that nobody knows (sweep.c). Most plugins do nothing when they are told to
 * collect, so this is what frees addresses, rules and interfaces.
 */
#include "cache.h"
#include "chain.h"
#include "collection.h"
#include "failure.h"
#include "lock.h"
#include "netns.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/files.h"
#include "recorded.h"
#include "sweep.h"

#include <errno.h>
#include <string.h>

/* A clock that was set back makes it look young, and it stays until it is not. */
static bool is_young(const struct collection *collection, const struct cni_entry *entry)
{
    return usec_sub(clock_wall(), entry->written) < collection->gc->spare;
}

static bool is_stale(const struct collection *collection, const struct cni_entry *entry)
{
    const struct cni_network *network = collection->network;
    bool named = network && !strcmp(network->name, entry->network);

    if (!entry->ours && !named && !recorded_is_wrapper(entry))
        return false;
    if (collection->gc->by_netns)
        return cni_netns_is_gone(entry->netns);
    return !is_young(collection, entry) &&
           !collection_is_valid(collection, entry->container_id, entry->ifname);
}

static bool is_protected(const struct collection *collection, const struct cni_entry *entry)
{
    _cleanup_(cni_network_free_at) struct cni_network *own = NULL;
    const struct cni_network *network = recorded_network(entry, collection->network, &own);

    return network && network->disable_gc;
}

static int delete (struct collection *collection, const struct cni_entry *entry)
{
    struct cni_failure *failure = collection_failure(collection);
    struct err err;

    if (!recorded_is_wrapper(entry))
        return recorded_delete(collection->setup, collection->network, entry, NULL, failure);
    if (cache_remove(collection->setup->cache_dir, entry->file, &err) < 0)
        return failure_from(failure, CNI_CODE_IO, &err);
    return 0;
}

enum fate {
    ENTRY_KEPT,
    ENTRY_STALE, /* and still there: this is a dry run, or it could not be deleted */
    ENTRY_DELETED,
};

static void tell(const struct cni_gc *gc, const struct cni_entry *entry,
                 const struct cni_failure *failure)
{
    if (gc->tell)
        gc->tell(gc->userdata, entry, failure);
}

static enum fate collect(struct collection *collection, const struct cni_entry *entry)
{
    const struct cni_failure *failure;
    int r;

    if (!is_stale(collection, entry) || is_protected(collection, entry))
        return ENTRY_KEPT;
    collection->gc->stale++;
    if (collection->gc->dry_run)
        tell(collection->gc, entry, NULL);
    if (collection->gc->dry_run || !collection_has_time(collection))
        return ENTRY_STALE;
    failure = collection_failure(collection);
    r = delete (collection, entry);
    tell(collection->gc, entry, r < 0 ? failure : NULL);
    collection_note(collection, r);
    if (r < 0)
        return ENTRY_STALE;
    collection->gc->deleted++;
    return ENTRY_DELETED;
}

/* A runtime that lost a sandbox does not unmount its namespace, and what is in it lives on. */
static void remove_netns(struct collection *collection, const struct cni_entry *entry)
{
    struct cni_count *count = &collection->gc->namespaces;
    struct err err;

    if (!entry->ours || map_get(&collection->known, entry->container_id) ||
        !netns_is_runtimes(entry->netns))
        return;
    count->stale++;
    if (collection->gc->dry_run)
        return;
    if (netns_remove(entry->netns, &err) == 0)
        count->deleted++;
    else
        collection_fail(collection, &err);
}

static void collect_all(struct collection *collection, const struct cni_entries *entries)
{
    enum fate *fates = arena_array(collection->arena, enum fate, entries->items.count);
    enum fate *fate = fates;

    array_for_each (entry, entries->items) {
        *fate = collect(collection, entry);
        if (*fate++ == ENTRY_KEPT)
            collection_keep(collection, entry->container_id);
    }
    fate = fates;
    array_for_each (entry, entries->items)
        if (*fate++ == (collection->gc->dry_run ? ENTRY_STALE : ENTRY_DELETED))
            remove_netns(collection, entry);
    fate = fates;
    array_for_each (entry, entries->items)
        if (*fate++ == ENTRY_STALE)
            collection_keep(collection, entry->container_id);
    fate = fates;
    array_for_each (entry, entries->items)
        if (*fate++ == ENTRY_DELETED)
            collection_lose(collection, &(struct gone){entry->network, entry->container_id,
                                                       entry->ifname, true});
}

/* Networks by their records, as they may be deleted in a moment. */
static void own_networks(struct collection *collection, const struct cni_entries *entries)
{
    array_for_each (entry, entries->items) {
        struct cni_network *own;

        if (!entry->ours || map_get(&collection->networks, entry->network))
            continue;
        if (recorded_network(entry, NULL, &own))
            collection_own(collection, own, own);
    }
}

static void tell_plugins(struct collection *collection)
{
    const struct valid_list valid = {collection->gc->valid.items, collection->gc->valid.count};
    const struct chain chain = {collection->setup, collection->network, NULL};

    if (!chain.network || chain.network->disable_gc || collection->gc->dry_run ||
        collection->gc->by_netns || !collection_has_time(collection))
        return;
    collection_note(collection, chain_gc(&chain, &valid, collection_failure(collection)));
}

static void reset(struct cni_gc *gc)
{
    gc->stale = gc->deleted = 0;
    gc->namespaces = gc->reservations = gc->rules = (struct cni_count){0};
}

int cni_gc(const struct cni_setup *setup, const struct cni_network *network, struct cni_gc *gc,
           struct cni_failure *failure)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    _cleanup_(fd_close_at) int lock = -1;
    struct collection collection = {
        .setup = setup, .network = network, .gc = gc, .arena = &arena, .failure = failure};
    struct cni_entries entries;
    struct err err;
    int r;

    reset(gc);
    r = cni_setup_check(setup, &err);
    if (r == 0)
        r = lock = lock_all(setup->cache_dir, verb_timeout(setup, VERB_GC), &err);
    if (r >= 0)
        r = cache_tidy(setup->cache_dir, &err);
    if (r >= 0)
        r = cni_entries_load(setup->cache_dir, &arena, &entries, &err);
    if (r < 0)
        return failure_from(failure, r == -EBUSY ? CNI_CODE_LATER : CNI_CODE_IO, &err);
    collection_init(&collection);
    own_networks(&collection, &entries);
    collect_all(&collection, &entries);
    tell_plugins(&collection);
    collection.narrow = gc->by_netns;
    sweep(&collection);
    collection_deinit(&collection);
    return collection.first;
}
