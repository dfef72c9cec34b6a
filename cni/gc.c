/*
 * GC: what is recorded and no longer wanted is deleted, as it was recorded. Most plugins do nothing
 * when they are told to collect, so this is what frees addresses, rules and interfaces.
 */
#include "cache.h"
#include "chain.h"
#include "failure.h"
#include "lock.h"
#include "nodeagent/base/map.h"
#include "nodeagent/sys/files.h"
#include "recorded.h"

#include <errno.h>
#include <string.h>

struct collection {
    const struct cni_setup *setup;
    const struct cni_network *network;
    struct cni_gc *gc;
    struct map valid; /* "container/interface" */
    int first;
    struct cni_failure *failure;
    struct cni_failure later;
};

static struct cni_failure *place_of_failure(struct collection *collection)
{
    return collection->first < 0 ? &collection->later : collection->failure;
}

static const char *key_of(const char *container_id, const char *ifname, struct arena *arena)
{
    return arena_printf(arena, "%s/%s", container_id, ifname);
}

static bool is_stale(const struct collection *collection, const struct cni_entry *entry,
                     struct arena *arena)
{
    const struct cni_network *network = collection->network;
    bool named = network && !strcmp(network->name, entry->network);

    if (!entry->ours && !named && !recorded_is_wrapper(entry))
        return false;
    if (collection->gc->by_netns)
        return cni_netns_is_gone(entry->netns);
    return !map_get(&collection->valid, key_of(entry->container_id, entry->ifname, arena));
}

static bool is_protected(const struct collection *collection, const struct cni_entry *entry)
{
    _cleanup_(cni_network_free_at) struct cni_network *own = NULL;
    const struct cni_network *network = recorded_network(entry, collection->network, &own);

    return network && network->disable_gc;
}

static int delete (struct collection *collection, const struct cni_entry *entry)
{
    struct cni_failure *failure = place_of_failure(collection);
    struct err err;

    if (!recorded_is_wrapper(entry))
        return recorded_delete(collection->setup, collection->network, entry, NULL, failure);
    if (cache_remove(collection->setup->cache_dir, entry->file, &err) < 0)
        return failure_from(failure, CNI_CODE_IO, &err);
    return 0;
}

static void collect(struct collection *collection, struct arena *arena,
                    const struct cni_entries *entries)
{
    struct cni_gc *gc = collection->gc;

    array_for_each (entry, entries->items) {
        const struct cni_failure *failure;
        int r;

        if (!is_stale(collection, entry, arena) || is_protected(collection, entry))
            continue;
        gc->stale++;
        failure = place_of_failure(collection);
        r = gc->dry_run ? 0 : delete (collection, entry);
        gc->deleted += r == 0 && !gc->dry_run;
        if (gc->tell)
            gc->tell(gc->userdata, entry, r < 0 ? failure : NULL);
        if (collection->first == 0)
            collection->first = r;
    }
}

static void tell_plugins(struct collection *collection)
{
    const struct valid_list valid = {collection->gc->valid.items, collection->gc->valid.count};
    const struct chain chain = {collection->setup, collection->network, NULL};
    int r;

    if (!chain.network || chain.network->disable_gc || collection->gc->dry_run ||
        collection->gc->by_netns)
        return;
    r = chain_gc(&chain, &valid, place_of_failure(collection));
    if (collection->first == 0)
        collection->first = r;
}

int cni_gc(const struct cni_setup *setup, const struct cni_network *network, struct cni_gc *gc,
           struct cni_failure *failure)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    _cleanup_(fd_close_at) int lock = -1;
    struct collection collection = {
        .setup = setup, .network = network, .gc = gc, .valid = MAP_INIT, .failure = failure};
    struct cni_entries entries;
    struct err err;
    int r;

    gc->stale = gc->deleted = 0;
    r = cni_setup_check(setup, &err);
    if (r == 0)
        r = lock = lock_all(setup->cache_dir, verb_timeout(setup, VERB_GC), &err);
    if (r >= 0)
        r = cache_tidy(setup->cache_dir, &err);
    if (r >= 0)
        r = cni_entries_load(setup->cache_dir, &arena, &entries, &err);
    if (r < 0)
        return failure_from(failure, r == -EBUSY ? CNI_CODE_LATER : CNI_CODE_IO, &err);
    array_for_each (valid, gc->valid)
        map_put(&collection.valid, key_of(valid->container_id, valid->ifname, &arena), gc);
    collect(&collection, &arena, &entries);
    tell_plugins(&collection);
    map_deinit(&collection.valid);
    return collection.first;
}
