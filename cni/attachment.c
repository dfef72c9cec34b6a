/*
 * ADD, DEL and CHECK of an attachment, with its record and its lock.
 *
 *     ADD     record ─► first plugin ─► … ─► last plugin ─► record with the result
 *                              └─ failure ─► DEL of all ─► record gone
 *
 * A record without a result is that of an ADD which did not come to its end, and is deleted before
 * the container is attached again.
 */
#include "cache.h"
#include "chain.h"
#include "failure.h"
#include "lock.h"
#include "names.h"
#include "netns.h"
#include "nodeagent/sys/files.h"
#include "recorded.h"

#include <errno.h>
#include <string.h>

/* checking what was asked */

static int check_ids(const struct cni_attachment *attachment, struct cni_failure *failure)
{
    const char *complaint;

    if (str_empty(attachment->container_id))
        return failure_set(failure, -EINVAL, CNI_CODE_CONTAINER, "the container id is missing");
    complaint = cni_name_check(attachment->container_id);
    if (complaint)
        return failure_set(failure, -EINVAL, CNI_CODE_ENVIRONMENT, "the container id \"%s\" %s",
                           attachment->container_id, complaint);
    complaint = cni_ifname_check(attachment->ifname);
    if (complaint)
        return failure_set(failure, -EINVAL, CNI_CODE_ENVIRONMENT, "the interface name \"%s\" %s",
                           attachment->ifname ? attachment->ifname : "", complaint);
    return 0;
}

/* What is recorded must be JSON, and arguments that plugins understand. */
static int check_texts(const struct cni_attachment *attachment, struct cni_failure *failure)
{
    const char *complaint = cni_args_check(attachment->args);

    if (complaint)
        return failure_set(failure, -EINVAL, CNI_CODE_ENVIRONMENT, "CNI_ARGS \"%s\" %s",
                           attachment->args, complaint);
    if (attachment->netns && utf8_check(attachment->netns, strlen(attachment->netns)))
        return failure_set(failure, -EINVAL, CNI_CODE_ENVIRONMENT,
                           "the path of the network namespace \"%s\" must be UTF-8",
                           attachment->netns);
    return 0;
}

/* Plugins that are given the host's own namespace build the pod's interface there. */
static int check_netns(const struct cni_attachment *attachment, struct cni_failure *failure)
{
    const char *path = attachment->netns ? attachment->netns : "";

    switch (netns_look(path)) {
    case NETNS_FOREIGN:
        return 0;
    case NETNS_OWN:
        return failure_set(failure, -EINVAL, CNI_CODE_NETNS,
                           "the network namespace \"%s\" is the host's", path);
    case NETNS_GONE:
        return failure_set(failure, -EINVAL, CNI_CODE_NETNS,
                           "the network namespace \"%s\" does not exist", path);
    case NETNS_STALE:
    case NETNS_NONE:
        break;
    }
    return failure_set(failure, -EINVAL, CNI_CODE_NETNS, "\"%s\" is not a network namespace", path);
}

/* What all three need; the lock. */
static int begin(const struct cni_setup *setup, const struct cni_attachment *attachment,
                 enum verb verb, struct cni_failure *failure)
{
    struct err err;
    int r = check_ids(attachment, failure);

    if (r < 0)
        return r;
    r = cni_setup_check(setup, &err);
    if (r < 0)
        return failure_from(failure, CNI_CODE_ENVIRONMENT, &err);
    r = lock_container(setup->cache_dir, attachment->container_id, verb_timeout(setup, verb), &err);
    return r < 0 ? failure_from(failure, r == -EBUSY ? CNI_CODE_LATER : CNI_CODE_IO, &err) : r;
}

/* ADD */

/* What is left of an attempt that was broken off; refuses what is complete. */
static int clear_the_way(const struct chain *chain, struct arena *arena,
                         struct cni_failure *failure)
{
    const char *file = cache_file_name(chain->network, chain->attachment, arena);
    struct cni_entry entry;
    struct err err;
    int r = cache_read(chain->setup->cache_dir, file, arena, &entry, &err);

    if (r < 0)
        return failure_from(failure, CNI_CODE_IO, &err);
    if (r == 0)
        return 0;
    if (!entry.result &&
        entry_is_of(&entry, chain->attachment->container_id, chain->attachment->ifname))
        return recorded_delete(chain->setup, chain->network, &entry, chain->attachment->netns,
                               failure);
    return failure_set(failure, -EEXIST, CNI_CODE_ENVIRONMENT,
                       "container %s is attached to network %s as %s already; it needs a DEL first",
                       entry.container_id, entry.network, entry.ifname);
}

/* What cannot be undone stays on record, for a DEL or a GC to come. */
static int undo(const struct chain *chain, const char *file, const struct json *result,
                struct cni_failure *failure)
{
    struct cni_failure second;
    struct err err;
    int r = recorded_undo(chain, result, false, &second), code = failure->err.code;

    if (r == 0 && cache_remove(chain->setup->cache_dir, file, &err) < 0)
        r = failure_from(&second, CNI_CODE_IO, &err);
    if (r == 0)
        return code;
    memcpy(&err, &failure->err, sizeof(err));
    return err_set(&failure->err, code, "%.700s; it could not be undone: %s", err.text,
                   second.err.text);
}

static int add(const struct chain *chain, struct strbuf *text, struct cni_failure *failure)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    const char *cache_dir = chain->setup->cache_dir;
    const struct json *result = NULL;
    struct json_writer writer;
    struct err err;
    int r = clear_the_way(chain, &arena, failure);

    if (r < 0)
        return r;
    r = cache_write(cache_dir, chain->network, chain->attachment, NULL, &err);
    if (r < 0)
        return failure_from(failure, CNI_CODE_IO, &err);
    r = chain_add(chain, &arena, &result, failure);
    if (r == 0 && cache_write(cache_dir, chain->network, chain->attachment, result, &err) < 0)
        r = failure_from(failure, CNI_CODE_IO, &err);
    if (r < 0)
        return undo(chain, cache_file_name(chain->network, chain->attachment, &arena), result,
                    failure);
    json_writer_init(&writer, text, false);
    json_write_value(&writer, result);
    json_writer_deinit(&writer);
    return 0;
}

static int check_network(const struct cni_network *network, struct cni_failure *failure)
{
    if (!cni_network_has_plugin(network, CNI_PROGRAM))
        return 0;
    return failure_set(failure, -ELOOP, CNI_CODE_CONFIG,
                       "%s: the network has the plugin %s, which would call itself", network->place,
                       CNI_PROGRAM);
}

int cni_add(const struct cni_setup *setup, const struct cni_network *network,
            const struct cni_attachment *attachment, struct strbuf *result,
            struct cni_failure *failure)
{
    const struct chain chain = {setup, network, attachment};
    _cleanup_(fd_close_at) int lock = begin(setup, attachment, VERB_ADD, failure);
    int r = lock < 0 ? lock : check_network(network, failure);

    if (r == 0)
        r = check_texts(attachment, failure);
    if (r == 0)
        r = check_netns(attachment, failure);
    return r < 0 ? r : add(&chain, result, failure);
}

/* DEL and CHECK */

static bool is_wanted(const struct cni_entry *entry, const struct cni_attachment *attachment)
{
    return entry_is_of(entry, attachment->container_id, attachment->ifname) &&
           !recorded_is_wrapper(entry);
}

/* Does a file that cannot be read carry the attachment's name? */
static bool is_damaged(const struct cni_entries *entries, const char *file)
{
    array_for_each (name, entries->unreadable)
        if (!strcmp(*name, file))
            return true;
    return false;
}

/* Without a record; with a damaged one the file goes. */
static int del_by_network(const struct chain *chain, const char *file, struct cni_failure *failure)
{
    struct cni_attachment attachment = *chain->attachment;
    const struct chain now = {chain->setup, chain->network, &attachment};
    struct err err;
    int r;

    attachment.netns = recorded_netns(attachment.netns);
    r = recorded_undo(&now, NULL, false, failure);
    if (r == 0 && cache_remove(chain->setup->cache_dir, file, &err) < 0)
        r = failure_from(failure, CNI_CODE_IO, &err);
    return r;
}

static int del(const struct chain *chain, bool unrecorded, struct cni_failure *failure)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    struct cni_entries entries;
    struct cni_failure later;
    const char *file;
    size_t found = 0;
    struct err err;
    int first = cache_find(chain->setup->cache_dir, chain->attachment, &arena, &entries, &err);

    if (first < 0)
        return failure_from(failure, CNI_CODE_IO, &err);
    array_for_each (entry, entries.items) {
        int r;

        if (!is_wanted(entry, chain->attachment))
            continue;
        found++;
        r = recorded_delete(chain->setup, chain->network, entry, chain->attachment->netns,
                            first < 0 ? &later : failure);
        if (first == 0)
            first = r;
    }
    if (found || !chain->network)
        return first;
    file = cache_file_name(chain->network, chain->attachment, &arena);
    if (unrecorded || is_damaged(&entries, file))
        return del_by_network(chain, file, failure);
    return 0;
}

int cni_del(const struct cni_setup *setup, const struct cni_network *network,
            const struct cni_attachment *attachment, bool unrecorded, struct cni_failure *failure)
{
    const struct chain chain = {setup, network, attachment};
    _cleanup_(fd_close_at) int lock = begin(setup, attachment, VERB_DEL, failure);

    return lock < 0 ? lock : del(&chain, unrecorded, failure);
}

static int check_entry(const struct cni_setup *setup, const struct cni_network *network,
                       const struct cni_entry *entry, const char *netns,
                       struct cni_failure *failure)
{
    _cleanup_(cni_network_free_at) struct cni_network *own = NULL;
    const struct cni_attachment attachment = {
        .container_id = entry->container_id,
        .ifname = entry->ifname,
        .netns = netns,
        .args = entry->args,
        .capabilities = entry->capabilities,
    };
    const struct chain chain = {setup, recorded_network(entry, network, &own), &attachment};

    if (!chain.network)
        return failure_set(failure, -ENOENT, CNI_CODE_CONFIG,
                           "the configuration of network %s is neither recorded nor there",
                           entry->network);
    return chain.network->disable_check ? 0 : chain_check(&chain, entry->result, failure);
}

int cni_check(const struct cni_setup *setup, const struct cni_network *network,
              const struct cni_attachment *attachment, struct cni_failure *failure)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    _cleanup_(fd_close_at) int lock = begin(setup, attachment, VERB_CHECK, failure);
    struct cni_entries entries;
    size_t found = 0;
    struct err err;
    int r = lock < 0 ? lock : check_netns(attachment, failure);

    if (r < 0)
        return r;
    r = cache_find(setup->cache_dir, attachment, &arena, &entries, &err);
    if (r < 0)
        return failure_from(failure, CNI_CODE_IO, &err);
    array_for_each (entry, entries.items) {
        if (!is_wanted(entry, attachment))
            continue;
        found++;
        r = check_entry(setup, network, entry, attachment->netns, failure);
        if (r < 0)
            return r;
    }
    return found ? 0
                 : failure_set(failure, -ENOENT, CNI_CODE_CONTAINER,
                               "nothing is attached to container %s as %s",
                               attachment->container_id, attachment->ifname);
}
