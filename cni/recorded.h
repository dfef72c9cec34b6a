/* Attachments as they are recorded. */
#pragma once

#include "cache.h"
#include "chain.h"

/*
 * The network that an entry was added to, as it was then. When that cannot be told it is the
 * `network` of the same name, or NULL. What is owned is in *own.
 */
const struct cni_network *recorded_network(const struct cni_entry *entry,
                                           const struct cni_network *network,
                                           struct cni_network **own);

/* Was it a runtime that recorded its call of this project's own plugin? */
bool recorded_is_wrapper(const struct cni_entry *entry);

/* DEL of the whole chain, and the record goes. `netns`: where it is now, or NULL. */
int recorded_delete(const struct cni_setup *setup, const struct cni_network *network,
                    const struct cni_entry *entry, const char *netns, struct cni_failure *failure);

/* DEL of a whole chain, and by hand what its plugins pass over when somebody had `begun` with it
 * before: another DEL, an ADD that was broken off, or a plugin that failed in this one. */
int recorded_undo(const struct chain *chain, const struct json *result, bool begun,
                  struct cni_failure *failure);

/* What plugins can be told of a namespace on DEL; NULL: that it is gone. */
const char *recorded_netns(const char *path);
