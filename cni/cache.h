/*
 * The records of attachments: libcni's cache, RESULTS/NETWORK-CONTAINER-INTERFACE. What a file's
 * name says is ambiguous, and only a hint; its content counts.
 */
#pragma once

#include "nodeagent/cni.h"

/* Of this attachment to this network, in the arena. */
const char *cache_file_name(const struct cni_network *network,
                            const struct cni_attachment *attachment, struct arena *arena);

/*
 * Written twice: before the first plugin runs, without a result, so that whatever happens the
 * attachment is known; and when it is complete. A third time before its DEL, so that one that is
 * broken off is known.
 */
int cache_write(const char *cache_dir, const struct cni_network *network,
                const struct cni_attachment *attachment, const struct json *result,
                struct err *err);
int cache_mark_deleting(const char *cache_dir, const struct cni_network *network,
                        const struct cni_attachment *attachment, const struct json *result,
                        struct err *err);

/* 1 and the entry, 0 when the file is none or is not there, or a negative errno. */
int cache_read(const char *cache_dir, const char *file, struct arena *arena,
               struct cni_entry *entry, struct err *err);

/* Entries whose file's name ends as this container's and interface's do; others may be there. */
int cache_find(const char *cache_dir, const struct cni_attachment *attachment, struct arena *arena,
               struct cni_entries *entries, struct err *err);

/* What is not there is removed already. */
int cache_remove(const char *cache_dir, const char *file, struct err *err);

/* What a writer left that was killed; nobody may be writing. */
int cache_tidy(const char *cache_dir, struct err *err);

static inline bool entry_is_of(const struct cni_entry *entry, const char *container_id,
                               const char *ifname)
{
    return str_equal(entry->container_id, container_id) && str_equal(entry->ifname, ifname);
}
