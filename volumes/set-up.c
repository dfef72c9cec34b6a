/*
 * Making the directories of volumes, with their files where they have some, and checking what
 * hostPath volumes name. What is there already is made to be so again, but for emptyDirs: their
 * modes and owners are the pod's once it has them, which a file beside them says, as a kubelet's.
 */
#include "nodeagent/base/mem.h"
#include "nodeagent/base/str.h"
#include "nodeagent/sys/files.h"
#include "nodeagent/sys/mount.h"
#include "payload.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* directories */

static int set_group(int directory, const struct volume_order *order, struct err *err)
{
    struct stat status;

    if (order->group < 0)
        return 0;
    if (fstat(directory, &status) < 0 ||
        fchown(directory, FILE_OWNER_KEEP, (gid_t)order->group) < 0 ||
        fchmod(directory, (status.st_mode & 07777) | S_ISGID | 0070) < 0)
        return err_set(err, -errno, "cannot give %s to group %lld: %s", order->path,
                       (long long)order->group, strerror(errno));
    return 0;
}

static int open_directory(int root, const struct volume_order *order, struct err *err)
{
    return file_open_beneath(root, order->directory, O_RDONLY | O_DIRECTORY, 0, FILE_LINKS_REFUSED,
                             err);
}

static int write_files(int directory, const struct volume_order *order, struct err *err)
{
    int r = 0;

    for (size_t i = 0; i < order->mount_points.count && r == 0; i++)
        r = directory_make(directory, order->mount_points.items[i], 0755, err);
    if (r == 0 && order->payload)
        r = payload_write(directory, order->payload, order->group, err);
    return MIN(r, 0);
}

static bool is_ready(int root, const struct volume_order *order)
{
    _cleanup_(strbuf_deinit) struct strbuf mark = STRBUF_INIT;
    _cleanup_(fd_close_at) int directory = -1;
    struct err ignored;

    if (!order->ready ||
        file_read_beneath(root, order->ready, FILE_LINKS_REFUSED, 1, &mark, &ignored) < 0)
        return false;
    directory = open_directory(root, order, &ignored);
    return directory >= 0 && (!order->in_memory || mount_is_point(root, order->directory));
}

static int mark_ready(int root, const struct volume_order *order, struct err *err)
{
    static const struct file_contents mark = {
        .bytes = "",
        .mode = 0644,
        .owner = FILE_OWNER_KEEP,
        .group = FILE_GROUP_KEEP,
        .fleeting = true,
    };
    _cleanup_(mem_free_at) char *above = NULL;
    int r;

    if (!order->ready)
        return 0;
    above = mem_strndup(order->ready, (size_t)(strrchr(order->ready, '/') - order->ready));
    r = directory_make(root, above, 0750, err);
    return r < 0 ? r : file_replace(root, order->ready, &mark, err);
}

static int make_directory(int root, const struct volume_order *order, struct err *err)
{
    _cleanup_(fd_close_at) int directory = -1;
    int r;

    if (is_ready(root, order))
        return 0;
    r = directory_make(root, order->directory, 0755, err);

    if (r == 0 && order->in_memory && !mount_is_point(root, order->directory)) {
        _cleanup_(fd_close_at) int below = open_directory(root, order, err);

        r = below < 0 ? below : mount_tmpfs(below, order->path, order->size_bytes, err);
    }
    if (r < 0)
        return r;
    directory = open_directory(root, order, err);
    if (directory < 0)
        return directory;
    if (!order->in_memory && fchmod(directory, 0777) < 0)
        return err_set(err, -errno, "%s: %s", order->path, strerror(errno));
    r = set_group(directory, order, err);
    if (r == 0)
        r = write_files(directory, order, err);
    return r < 0 ? r : mark_ready(root, order, err);
}

/* hostPath */

struct host_type {
    const char *name;
    const char *what;
    mode_t mode;
    bool create;
};

static const struct host_type host_types[] = {
    {"DirectoryOrCreate", "a directory", S_IFDIR, true},
    {"Directory", "a directory", S_IFDIR, false},
    {"FileOrCreate", "a file", S_IFREG, true},
    {"File", "a file", S_IFREG, false},
    {"Socket", "a socket file", S_IFSOCK, false},
    {"CharDevice", "a character device", S_IFCHR, false},
    {"BlockDevice", "a block device", S_IFBLK, false},
};

static int create_host_path(const struct volume_order *order, const struct host_type *type,
                            struct err *err)
{
    int fd;

    if (type->mode == S_IFDIR) {
        fd = directory_open(order->path, 0755, err);
        if (fd >= 0)
            close(fd);
        return MIN(fd, 0);
    }
    fd = open(order->path, O_CREAT | O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0644);
    if (fd < 0)
        return err_set(err, -errno, "open %s: %s", order->path, strerror(errno));
    close(fd);
    return 0;
}

static int check_host_path(const struct volume_order *order, struct err *err)
{
    const struct host_type *type = NULL;
    struct stat status;

    if (!*order->host_type)
        return 0; /* the runtime makes of it what it can */
    for (size_t i = 0; i < array_size(host_types); i++)
        if (str_equal(host_types[i].name, order->host_type))
            type = &host_types[i];
    if (!type)
        return err_set(err, -EINVAL, "%s is an invalid volume type", order->host_type);
    if (stat(order->path, &status) < 0) {
        if (errno != ENOENT || !type->create)
            return err_set(err, -errno, "hostPath type check failed: %s is not %s", order->path,
                           type->what);
        return create_host_path(order, type, err);
    }
    if ((status.st_mode & S_IFMT) != type->mode)
        return err_set(err, -EINVAL, "hostPath type check failed: %s is not %s", order->path,
                       type->what);
    return 0;
}

int volumes_set_up(int root, const struct volume_orders *orders, struct err *err)
{
    array_for_each (order, orders->items) {
        int r = order->host_type ? check_host_path(order, err) : make_directory(root, order, err);

        if (r < 0)
            return err_prefix(err, VOLUME_FAILED, order->name);
    }
    return 0;
}
