/*
 * The machine as its Node object describes it: read once, at start; a changed number of CPUs or
 * amount of memory needs a restart. Its addresses are in node-network.h: they may come and go.
 */
#pragma once

#include "nodeagent/base/arena.h"
#include "nodeagent/base/err.h"
#include "nodeagent/objects/values.h"

#include <stdbool.h>

struct huge_pages {
    int64_t size_bytes; /* of one */
    int64_t count;
};

struct node_machine {
    const char *machine_id; /* "" when the machine has none, as all strings here but the boot id */
    const char *system_uuid;
    const char *boot_id; /* changes with every boot */
    const char *kernel_version;
    const char *os_image;
    const char *architecture; /* "amd64": as images call it */
    int32_t cpus;
    int64_t memory_bytes;
    int64_t swap_bytes;
    int64_t storage_bytes; /* of the file system with the root directory; 0: it does not tell */
    list_of(struct huge_pages) huge_pages;
    bool devices_remembered; /* device plugins were known to who ran here before */
};

/* Files are looked for below `root`, which is "" but in tests; `storage` is the agent's own root
 * directory. Strings live in the arena. */
int node_machine_read(struct node_machine *machine, const char *root, const char *storage,
                      struct arena *arena, struct err *err);
