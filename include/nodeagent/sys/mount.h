/*
 * Mounting what pods need on the node itself. Each call may block: for the pool.
 */
#pragma once

#include "nodeagent/base/err.h"

#include <stdbool.h>
#include <stdint.h>

/* A tmpfs of at most `bytes` (0: the kernel's default) over the directory that is open, never
 * swapped where the kernel can; `name` is for sentences. */
int mount_tmpfs(int directory, const char *name, uint64_t bytes, struct err *err);

/* What `part` refers to, seen at `target` too, whatever its own name leads to later. Both are
 * descriptors, O_PATH will do. */
int mount_bind(int part, int target, const char *name, struct err *err);

bool mount_is_point(int directory, const char *path);

/* Everything mounted at the path, the newest first; nothing is no failure. */
int mount_undo(int directory, const char *path, struct err *err);
