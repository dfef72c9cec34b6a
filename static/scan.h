/*
 * One look at a manifest directory, or at a single file, on a thread of the pool: what is there,
 * and of the files that changed, what they hold.
 */
#pragma once

#include "manifest.h"
#include "nodeagent/base/map.h"

#include <sys/types.h>
#include <time.h>

enum {
    SCAN_FILES_MAX = 4096,          /* ten times the pods that a node runs */
    SCAN_ENTRIES_MAX = 16384,       /* with leftovers and the like */
    SCAN_FILE_BYTES_MAX = 10 << 20, /* the kubelet's limit */
    SCAN_BYTES_MAX = 256 << 20,     /* of all files together: what reading may cost in memory */
};

/* Changes when the file does. */
struct file_id {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec modified;
    struct timespec changed;
};

struct directory_id {
    dev_t device;
    ino_t inode;
};

enum scan_outcome {
    SCAN_SAME,    /* as it was known */
    SCAN_READ,    /* `manifest` says what is in it */
    SCAN_HELD,    /* not looked at: it is not settled */
    SCAN_NO_FILE, /* something else has the name; `manifest` says what */
};

struct scan_entry {
    const char *path;
    enum scan_outcome outcome;
    struct file_id id; /* zero: to be read again the next time */
    struct manifest *manifest;
};

enum scan_form { SCAN_UNKNOWN, SCAN_DIRECTORY, SCAN_FILE };

struct scan {
    struct arena arena; /* of all strings here */

    /* in */
    const char *place;
    struct manifest_origin origin; /* `place` is each file's */
    int inotify;                   /* -1: there is none */
    struct map known;              /* paths to struct file_id */
    struct map held;               /* paths */

    /* in and out: what the place was, or is */
    enum scan_form form;

    /* out */
    struct err err; /* code 0: the place could be looked at; -ENOENT: it is not there */
    struct directory_id directory;
    int watch; /* the descriptor, or a negative errno */
    list_of(struct scan_entry) entries;
    size_t space;
    uint64_t bytes;
};

struct scan *scan_new(const struct static_options *options, enum scan_form form, int64_t seen);
void scan_know(struct scan *scan, const char *path, const struct file_id *id);
void scan_hold(struct scan *scan, const char *path);

int scan_run(void *scan);   /* a work_run_fn; always 0, `err` says the rest */
void scan_free(void *scan); /* a work_free_fn */
