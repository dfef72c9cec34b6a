/* Attachments as they are recorded. */
#include "recorded.h"
#include "failure.h"
#include "netns.h"
#include "sweep.h"

#include <string.h>
#include <unistd.h>

const struct cni_network *recorded_network(const struct cni_entry *entry,
                                           const struct cni_network *network,
                                           struct cni_network **own)
{
    *own = NULL;
    if (entry->config &&
        cni_network_parse(own, entry->file, entry->config, strlen(entry->config), NULL) == 0)
        return *own;
    return network && !strcmp(network->name, entry->network) ? network : NULL;
}

bool recorded_is_wrapper(const struct cni_entry *entry)
{
    _cleanup_(cni_network_free_at) struct cni_network *own = NULL;

    recorded_network(entry, NULL, &own);
    return own && cni_network_has_plugin(own, CNI_PROGRAM);
}

const char *recorded_netns(const char *path)
{
    enum netns_kind kind = netns_look(path);

    /* What an unmount left; plugins take it for a namespace and fail. */
    if (kind == NETNS_STALE)
        unlink(path);
    return kind == NETNS_FOREIGN ? path : NULL;
}

/* What is recorded already, or nothing can be done about, is no reason to delete nothing. */
static void mark(const struct chain *chain, const struct cni_entry *entry)
{
    struct cni_attachment recorded = *chain->attachment;

    recorded.netns = entry->netns;
    if (entry->ours && entry->result && !entry->deleting)
        cache_mark_deleting(chain->setup->cache_dir, chain->network, &recorded, entry->result,
                            NULL);
}

int recorded_undo(const struct chain *chain, const struct json *result, bool begun,
                  struct cni_failure *failure)
{
    int r = chain_del(chain, result, failure);

    /* The plugins have no memory of what they had begun, and pass over the rest. */
    if (r == CHAIN_REPEATED || (r == 0 && begun))
        sweep_container(chain->setup, chain->network, chain->attachment->container_id);
    return MIN(r, 0);
}

int recorded_delete(const struct cni_setup *setup, const struct cni_network *network,
                    const struct cni_entry *entry, const char *netns, struct cni_failure *failure)
{
    _cleanup_(cni_network_free_at) struct cni_network *own = NULL;
    const struct cni_attachment attachment = {
        .container_id = entry->container_id,
        .ifname = entry->ifname,
        .netns = recorded_netns(str_empty(netns) ? entry->netns : netns),
        .args = entry->args,
        .capabilities = entry->capabilities,
    };
    const struct chain chain = {setup, recorded_network(entry, network, &own), &attachment};
    struct err err;
    /* A record that nobody can act on any more must not stand in the way for ever. */
    int r = 0;

    if (chain.network) {
        mark(&chain, entry);
        r = recorded_undo(&chain, entry->result, entry->ours && (entry->deleting || !entry->result),
                          failure);
    }
    if (r < 0)
        return r;
    r = cache_remove(setup->cache_dir, entry->file, &err);
    return r < 0 ? failure_from(failure, CNI_CODE_IO, &err) : 0;
}
