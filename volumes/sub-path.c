/*
 * A part of a volume. Links inside of the volume are followed, those that lead out are refused;
 * what was found is held open and mounted by its descriptor, so it cannot be exchanged afterwards.
 */
#include "nodeagent/base/mem.h"
#include "nodeagent/sys/files.h"
#include "nodeagent/sys/mount.h"
#include "nodeagent/volumes.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    OPEN_FLAGS = O_PATH,
};

static int open_part(int volume, const struct sub_path_order *order, struct err *err)
{
    struct stat root;
    int part = file_open_beneath(volume, order->sub_path, OPEN_FLAGS, 0, FILE_LINKS_BENEATH, err);

    if (part != -ENOENT)
        return part;
    if (fstat(volume, &root) < 0)
        return err_set(err, -errno, "%s: %s", order->volume_path, strerror(errno));
    part = directory_make(volume, order->sub_path, root.st_mode & 07777, err);
    if (part < 0)
        return part;
    return file_open_beneath(volume, order->sub_path, OPEN_FLAGS, 0, FILE_LINKS_BENEATH, err);
}

/* A mount goes onto a directory or a file, as what is mounted is; returns it, open. */
static int make_target(int root, int part, const char *target, struct err *err)
{
    _cleanup_(mem_free_at) char *folder = mem_strdup(target);
    struct stat status;
    int r;

    if (fstat(part, &status) < 0)
        return err_set(err, -errno, "%s: %s", target, strerror(errno));
    if (!S_ISDIR(status.st_mode))
        *strrchr(folder, '/') = '\0';
    r = directory_make(root, folder, 0750, err);
    if (r == 0 && !S_ISDIR(status.st_mode)) {
        _cleanup_(fd_close_at) int made =
            file_open_beneath(root, target, O_CREAT | O_WRONLY, 0640, FILE_LINKS_REFUSED, err);

        r = MIN(made, 0);
    }
    return r < 0 ? r : file_open_beneath(root, target, OPEN_FLAGS, 0, FILE_LINKS_REFUSED, err);
}

int volumes_sub_path(int root, const struct sub_path_order *order, struct err *err)
{
    _cleanup_(fd_close_at) int volume = -1, part = -1, target = -1;
    int r;

    volume = open(order->volume_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (volume < 0)
        return err_set(err, -errno, "%s: %s", order->volume_path, strerror(errno));
    part = open_part(volume, order, err);
    if (part < 0)
        return part;
    r = mount_undo(root, order->target, err); /* of an earlier life of the container */
    if (r == 0)
        r = tree_remove(root, order->target, err);
    if (r < 0)
        return r;
    target = make_target(root, part, order->target, err);
    return target < 0 ? target : mount_bind(part, target, order->target, err);
}
