/*
 * /var/log/containers: a link to the log of each container, by which log shippers find it.
 */
#pragma once

#include "nodeagent/base/arena.h"
#include "nodeagent/base/err.h"

#include <stdint.h>

struct agent;
struct agent_pod;

enum {
    LOG_LINK_NAME_MAX = 255,
};

/* Of a container that was just started; what goes wrong is only logged. */
void log_link_make(struct agent_pod *pod, const char *container, const char *id, uint32_t attempt);

/* "POD_NAMESPACE_CONTAINER-ID.log", cut to what a file's name may have. */
const char *log_link_name(const char *pod, const char *name_space, const char *container,
                          const char *id, struct arena *arena);

/*
 * Puts the links of `directory` right: makes those that are missing of containers that have not
 * ended, and removes others that lead nowhere. A log may be away for a moment while it is rotated,
 * and an agent may have ended between the start of a container and its link. May block.
 */
struct log_link {
    const char *name;
    const char *target;
};
struct log_links {
    list_of(struct log_link) items;
};
void log_links_collect(const struct agent *agent, struct arena *arena, struct log_links *links);
int log_links_repair(const char *directory, const struct log_links *links, struct err *err);
