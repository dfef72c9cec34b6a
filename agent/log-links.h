/*
 * /var/log/containers: a link to the log of each container, by which log shippers find it.
 */
#pragma once

#include "nodeagent/base/arena.h"
#include "nodeagent/base/err.h"

#include <stdint.h>

struct agent_pod;

enum {
    LOG_LINK_NAME_MAX = 255,
};

/* Of a container that was just started; what goes wrong is only logged. */
void log_link_make(struct agent_pod *pod, const char *container, const char *id, uint32_t attempt);

/* "POD_NAMESPACE_CONTAINER-ID.log", cut to what a file's name may have. */
const char *log_link_name(const char *pod, const char *name_space, const char *container,
                          const char *id, struct arena *arena);

/* Removes links of `directory` that lead nowhere; may block. */
int log_links_prune(const char *directory, struct err *err);
