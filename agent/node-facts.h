/*
 * What the node is: read from the machine once, and completed by what the runtime says.
 */
#pragma once

#include "translate.h"

enum {
    BOOT_ID_MAX = 64,
};

int node_facts_read(struct node_facts *facts, const struct config *config, struct arena *arena,
                    struct err *err);

/* Pod's place among the kernel's cgroups: where their hierarchies are mounted. */
struct string_list node_cgroup_mounts(struct arena *arena);
