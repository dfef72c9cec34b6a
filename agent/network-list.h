/*
 * What the runtime's verbose status says of its networks. When one of them is nodeagent-cni, that
 * program's settings stand there just as it will get them itself.
 */
#pragma once

#include "nodeagent/base/arena.h"
#include "nodeagent/base/json.h"

#include <stdbool.h>

struct network_list {
    const char *name;
    const char *version;
    const struct json *plugin; /* nodeagent-cni's own object */
    const char *conf_dir;      /* where it looks for the real network */
    const char *path;          /* CNI_PATH: "A:B" */
    const char *ifname;
};

/* False: the runtime runs networks by itself, or `status` (its "cniconfig") says nothing. All of it
 * lives in the arena. */
bool network_list_read(struct network_list *list, const char *status, struct arena *arena);

/* The stdin of nodeagent-cni, begun: a caller may add members before it ends the object. */
void network_list_begin(const struct network_list *list, struct json_writer *writer);
