/* A GC under way: what its parts share. */
#include "collection.h"
#include "failure.h"
#include "nodeagent/sys/clock.h"
#include "plugin.h"

#include <errno.h>
#include <stdlib.h>

static const char *pair(const struct collection *collection, const char *a, const char *b)
{
    return arena_printf(collection->arena, "%s/%s", a, b);
}

void collection_init(struct collection *collection)
{
    collection->deadline = usec_add(clock_monotonic(), verb_timeout(collection->setup, VERB_GC));
    if (collection->network)
        collection_own(collection, collection->network, NULL);
    array_for_each (valid, collection->gc->valid) {
        map_put(&collection->valid, pair(collection, valid->container_id, valid->ifname),
                collection);
        collection_keep(collection, valid->container_id);
    }
}

void collection_deinit(struct collection *collection)
{
    struct map_entry *entry;

    for (size_t at = 0; (entry = map_next(&collection->networks, &at));) {
        struct our_network *ours = entry->value;

        cni_network_free(ours->own);
    }
    map_deinit(&collection->valid);
    map_deinit(&collection->known);
    map_deinit(&collection->networks);
    map_deinit(&collection->gone);
}

/* failures */

struct cni_failure *collection_failure(struct collection *collection)
{
    return collection->first < 0 ? &collection->later : collection->failure;
}

void collection_note(struct collection *collection, int result)
{
    if (collection->first == 0 && result < 0)
        collection->first = result;
}

void collection_fail(struct collection *collection, const struct err *err)
{
    collection_note(collection, failure_from(collection_failure(collection), CNI_CODE_IO, err));
}

bool collection_has_time(struct collection *collection)
{
    if (clock_monotonic() < collection->deadline)
        return true;
    if (collection->first != -ETIMEDOUT)
        collection_note(collection,
                        failure_set(collection_failure(collection), -ETIMEDOUT, CNI_CODE_LATER,
                                    "the collection took too long and leaves the rest to the next; "
                                    "is a plugin hung?"));
    return false;
}

/* containers */

bool collection_is_valid(const struct collection *collection, const char *container_id,
                         const char *ifname)
{
    return map_get(&collection->valid, pair(collection, container_id, ifname));
}

void collection_keep(struct collection *collection, const char *container_id)
{
    map_put(&collection->known, container_id, collection);
}

bool collection_lose(struct collection *collection, const struct gone *gone)
{
    const char *key = pair(collection, gone->network, gone->container_id);
    struct gone *copy;

    if (map_get(&collection->gone, key))
        return true;
    if (collection->narrow || map_get(&collection->known, gone->container_id))
        return false;
    copy = arena_new(collection->arena, struct gone);
    *copy = *gone;
    map_put(&collection->gone, key, copy);
    return true;
}

/* networks */

void collection_own(struct collection *collection, const struct cni_network *network,
                    struct cni_network *own)
{
    struct our_network *ours;

    if (map_get(&collection->networks, network->name)) {
        cni_network_free(own);
        return;
    }
    ours = arena_new(collection->arena, struct our_network);
    *ours = (struct our_network){network, own};
    map_put(&collection->networks, network->name, ours);
}

const struct cni_network *collection_network(const struct collection *collection, const char *name)
{
    const struct our_network *ours = map_get(&collection->networks, name);

    return ours && !ours->network->disable_gc ? ours->network : NULL;
}
