/* Mounting and unmounting. Targets are named by descriptors: no path is walked twice. */
#include "nodeagent/sys/mount.h"
#include "nodeagent/sys/files.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

enum {
    MOUNT_OPTIONS_MAX = 64,
    MOUNT_UNDO_MAX = 64, /* mounts on one another; more are an attack or a mistake */
    FD_PATH_MAX = 64,
};

static const char *fd_path(int fd, char text[FD_PATH_MAX])
{
    snprintf(text, FD_PATH_MAX, "/proc/self/fd/%d", fd);
    return text;
}

int mount_tmpfs(int directory, const char *name, uint64_t bytes, struct err *err)
{
    char options[MOUNT_OPTIONS_MAX] = "", unswapped[MOUNT_OPTIONS_MAX] = "noswap";
    char target[FD_PATH_MAX];

    fd_path(directory, target);
    if (bytes) {
        snprintf(options, sizeof(options), "size=%llu", (unsigned long long)bytes);
        snprintf(unswapped, sizeof(unswapped), "size=%llu,noswap", (unsigned long long)bytes);
    }
    if (mount("tmpfs", target, "tmpfs", 0, unswapped) == 0)
        return 0;
    if (errno == EINVAL && mount("tmpfs", target, "tmpfs", 0, options) == 0)
        return 0; /* a kernel before 6.4 */
    return err_set(err, -errno, "%s: cannot mount a tmpfs: %s", name, strerror(errno));
}

int mount_bind(int part, int target, const char *name, struct err *err)
{
    char from[FD_PATH_MAX], to[FD_PATH_MAX];

    if (mount(fd_path(part, from), fd_path(target, to), NULL, MS_BIND, NULL) == 0)
        return 0;
    return err_set(err, -errno, "%s: cannot bind a mount: %s", name, strerror(errno));
}

bool mount_is_point(int directory, const char *path)
{
    struct statx status;

    return statx(directory, path, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, 0, &status) == 0 &&
           (status.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

/* One that is missing has nothing mounted on it. */
static int undo_in(int parent, const char *name, struct err *err)
{
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", parent, name);
    for (int i = 0; i < MOUNT_UNDO_MAX; i++) {
        if (!mount_is_point(parent, name))
            return 0;
        if (umount2(path, UMOUNT_NOFOLLOW) < 0)
            return err_set(err, -errno, "%s: cannot unmount: %s", name, strerror(errno));
    }
    return err_set(err, -EBUSY, "%s: more than %d mounts on one another", name, MOUNT_UNDO_MAX);
}

int mount_undo(int directory, const char *path, struct err *err)
{
    _cleanup_(fd_close_at) int parent = -1;
    char folder[PATH_MAX], last[PATH_MAX];

    if (snprintf(folder, sizeof(folder), "%s", path) >= (int)sizeof(folder) ||
        snprintf(last, sizeof(last), "%s", path) >= (int)sizeof(last))
        return err_set(err, -ENAMETOOLONG, "%.64s...: the path is too long", path);
    parent = file_open_beneath(directory, dirname(folder), O_RDONLY | O_DIRECTORY, 0,
                               FILE_LINKS_REFUSED, err);
    if (parent < 0)
        return parent == -ENOENT ? 0 : parent;
    return undo_in(parent, basename(last), err);
}
