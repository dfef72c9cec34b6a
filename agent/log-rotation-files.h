/*
 * The files of containers' logs: what is done to them when they have grown too large, and when
 * their container is removed. These are blocking calls: they belong into the pool.
 *
 *     0.log ─► 0.log.20060102-150405 ─► 0.log.20060102-150405.gz ─► removed
 *
 * The newest rotated file stays as it is: whoever reads the log may still be in it, and the runtime
 * writes to it until it was told to open the log anew. `path` is that of a log beneath `logs`, the
 * directory of all: "NAMESPACE_NAME_UID/CONTAINER/0.log". Links on the way are refused, and only
 * regular files are touched.
 */
#pragma once

#include "nodeagent/base/err.h"

#include <stdint.h>

enum {
    CONTAINER_LOG_STAMP_SIZE = 16,        /* "20060102-150405": local time, as the kubelet's */
    CONTAINER_LOG_ENTRIES_MAX = 10000,    /* of a container's directory; some five are usual */
    CONTAINER_LOG_CHUNK_SIZE = 64 * 1024, /* of what is read at once */
};

enum container_log_sight {
    CONTAINER_LOG_FINE, /* or no file of ours: some runtimes have a link there */
    CONTAINER_LOG_MISSING,
    CONTAINER_LOG_LARGE, /* not empty, and at least so large */
};

enum container_log_sight container_log_look(int logs, const char *path, uint64_t size);

/*
 * Renames the log, after it removed what was left unfinished and the oldest rotated files: then
 * there are at most `files_max`, at least two, with the log that the runtime is to open anew.
 */
int container_log_rotate(int logs, const char *path, uint32_t files_max,
                         char stamp[CONTAINER_LOG_STAMP_SIZE], struct err *err);

/* Takes that back: 0, or 1 if there is a log again, which is left alone. */
int container_log_restore(int logs, const char *path, const char *stamp, struct err *err);

/* Compresses the rotated files but the newest. */
int container_log_compress(int logs, const char *path, struct err *err);

/* Removes the log and what it was rotated to. */
int container_log_remove(int logs, const char *path, struct err *err);
