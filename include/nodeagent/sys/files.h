/*
 * Files and directories whose paths or contents come from outside. Paths are resolved by the
 * kernel beneath a directory that the caller holds open, so no link and no ".." leads out of it;
 * nothing here waits on a fifo or a device; every sentence in `err` names the full path.
 *
 * These are blocking system calls: what may lie on a slow or a remote disk belongs into the pool.
 */
#pragma once

#include "nodeagent/base/arena.h"
#include "nodeagent/base/err.h"
#include "nodeagent/base/macros.h"
#include "nodeagent/base/str.h"

#include <stdbool.h>
#include <sys/types.h>

/* Names of files that file_replace() has not finished begin so; a crash leaves them behind. */
#define FILE_TEMPORARY_PREFIX ".nodeagent-tmp-"

#define FILE_OWNER_KEEP ((uid_t)-1)
#define FILE_GROUP_KEEP ((gid_t)-1)

enum {
    FILE_OPEN_TRIES_MAX = 16,  /* a rename somewhere above makes the kernel ask for another try */
    DIRECTORY_PATH_DEPTH = 64, /* components that directory_make() makes; the API allows far less */
    TREE_DEPTH_MAX = 64,       /* directories held open; what lies deeper is moved up first */
    TREE_MOVES_MAX = 1 << 20, /* such moves a removal; a hostile pod may leave many that lie deep */
    TREE_SCANS_MAX = 16,      /* of one directory that others keep filling */
};

enum file_links {
    FILE_LINKS_BENEATH, /* symbolic links are followed as long as they stay beneath */
    FILE_LINKS_REFUSED, /* any symbolic link on the way is an error (-ELOOP) */
};

struct file_contents {
    const void *bytes;
    size_t length;
    mode_t mode; /* exactly this, whatever the umask */
    uid_t owner; /* or FILE_OWNER_KEEP: the caller's */
    gid_t group;
    bool fleeting; /* need not outlive the boot: nobody waits for the disk */
};

struct directory_entry {
    const char *name;
    unsigned char type; /* DT_REG, DT_DIR ..., as readdir() tells it; DT_UNKNOWN happens */
};

struct directory_listing {
    struct directory_entry *items;
    size_t count;
};

/* opening: a descriptor (close-on-exec), or a negative errno */
int file_open_beneath(int directory, const char *path, int flags, mode_t mode,
                      enum file_links links, struct err *err);

/*
 * Reading: appends a whole regular file of at most `max` bytes (-EFBIG beyond). Files of /proc and
 * /sys, whose size reads as zero, work; directories, fifos, sockets and devices are refused. On
 * failure `contents` is as before. file_read() is for paths the operator gave, links and all.
 */
int file_read(const char *path, size_t max, struct strbuf *contents, struct err *err);
int file_read_beneath(int directory, const char *path, enum file_links links, size_t max,
                      struct strbuf *contents, struct err *err);

/*
 * Replacing: readers see the old file or the new one, whole, also after a power cut unless it is
 * fleeting. A link at
 * `path` is replaced itself; links on the way to it are refused.
 */
int file_replace(int directory, const char *path, const struct file_contents *contents,
                 struct err *err);
/* What a crash left in a directory that nobody writes to now; returns how many, or an errno. */
int file_remove_temporaries(int directory, const char *path, struct err *err);

/* symbolic links, which only others follow */
int file_link_replace(int directory, const char *path, const char *target, struct err *err);
bool file_link_is_dangling(int directory, const char *path);

/* directories: mkdir -p, new ones get exactly `mode`; no component may be a link */
int directory_make(int directory, const char *path, mode_t mode, struct err *err);
/* The same for a path that the operator gave, links and all; returns it, open. */
int directory_open(const char *path, mode_t mode, struct err *err);
/* Sorted by name, without "." and ".."; more than `max` entries are -E2BIG. */
int directory_list(int directory, const char *path, size_t max, struct arena *arena,
                   struct directory_listing *listing, struct err *err);

/*
 * Removing a file or a whole tree; what is not there is removed already. Links are removed, never
 * followed. A mount point, also of a single file, ends the removal with -EBUSY: unmounting is the
 * caller's decision.
 */
int tree_remove(int directory, const char *path, struct err *err);

/*
 * Removes a tree of directories whose files go with them, as those of cgroups do: nothing is
 * unlinked. What is not there is removed already; -EBUSY: something still lives in it.
 */
int directories_remove(int directory, const char *path, struct err *err);

/* One of its own for a job, which may outlive the caller's; -1: there are no more. */
int fd_duplicate(int fd);
/* For `_cleanup_(fd_close_at) int fd = -1;` */
void fd_close_at(int *fd);
