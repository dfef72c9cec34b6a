/*
 * The lock file of --lock-file: held as long as the agent runs. Whoever wants to run in its place
 * opens it: with --exit-on-lock-contention the agent then ends, and pods run on.
 */
#pragma once

#include "nodeagent/base/err.h"

struct lock_file;
struct loop;

/* Somebody else opened the file, or removed it. It comes once. */
typedef void lock_file_fn(void *owner);

/* -EADDRINUSE: another process has it. `contended` NULL: who opens it is not looked for. */
int lock_file_new(struct lock_file **result, const char *path, struct loop *loop,
                  lock_file_fn *contended, void *owner, struct err *err);
struct lock_file *lock_file_free(struct lock_file *lock);
