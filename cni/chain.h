/* The plugins of a network one after the other, without records and locks. */
#pragma once

#include "plugin.h"

struct chain {
    const struct cni_setup *setup;
    const struct cni_network *network;
    const struct cni_attachment *attachment; /* of ADD, DEL, CHECK */
};

/* Stops at the first failure. The result and its text live in the arena. */
int chain_add(const struct chain *chain, struct arena *arena, const struct json **result,
              struct cni_failure *failure);

/* From the last to the first, all of them; one that fails gets a second chance, and
 * CHAIN_REPEATED says that it was of use. */
#define CHAIN_REPEATED 1
int chain_del(const struct chain *chain, const struct json *previous, struct cni_failure *failure);

int chain_check(const struct chain *chain, const struct json *previous,
                struct cni_failure *failure);

/* All of them, whatever fails. */
int chain_gc(const struct chain *chain, const struct valid_list *valid,
             struct cni_failure *failure);
