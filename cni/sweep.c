/*
 * The host without its records: reservations and rules that nobody knows the containers of are
 * removed by hand. Then their network's plugins get a DEL for each such container, as they alone
 * know what else they made (an interface that is named by a hash, a file).
 */
#include "sweep.h"
#include "chain.h"

static void sweep_addresses(struct collection *collection)
{
    struct map_entry *entry;

    for (size_t at = 0; (entry = map_next(&collection->networks, &at));) {
        const struct cni_network *network = collection_network(collection, entry->key);

        if (network && collection_has_time(collection))
            sweep_reservations(collection, network);
    }
}

static void delete_strangers(struct collection *collection)
{
    struct map_entry *entry;

    for (size_t at = 0; (entry = map_next(&collection->gone, &at));) {
        struct gone *gone = entry->value;
        const struct cni_attachment attachment = {
            .container_id = gone->container_id,
            .ifname = gone->ifname,
        };
        const struct chain chain = {collection->setup,
                                    collection_network(collection, gone->network), &attachment};

        if (gone->deleted || !chain.network || !collection_has_time(collection))
            continue;
        gone->deleted = true;
        collection_note(collection, chain_del(&chain, NULL, collection_failure(collection)));
    }
}

void sweep(struct collection *collection)
{
    /* The addresses of what was deleted went with it. */
    if (!collection->narrow)
        sweep_addresses(collection);
    sweep_iptables(collection);
    sweep_nft(collection);
    if (!collection->gc->dry_run)
        delete_strangers(collection);
}

void sweep_container(const struct cni_setup *setup, const struct cni_network *network,
                     const char *container_id)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    struct cni_failure failure;
    struct cni_gc gc = {0};
    struct collection collection = {
        .setup = setup, .network = network, .gc = &gc, .arena = &arena, .failure = &failure};
    const struct gone gone = {.network = network->name, .container_id = container_id};

    collection_init(&collection);
    collection_lose(&collection, &gone);
    collection.narrow = true;
    sweep_iptables(&collection);
    sweep_nft(&collection);
    collection_deinit(&collection);
}
