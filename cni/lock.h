/*
 * Who may be at work: one operation for each container at a time, any number of containers side by
 * side, and a GC alone. Locks are the process's and end with it.
 */
#pragma once

#include "nodeagent/base/err.h"
#include "nodeagent/base/time.h"

/* The lock is held until the descriptor that they return is closed. -EBUSY: not within `patience`.
 */
int lock_container(const char *cache_dir, const char *container_id, usec_t patience,
                   struct err *err);
int lock_all(const char *cache_dir, usec_t patience, struct err *err);
