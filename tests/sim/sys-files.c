/*
 * sys/files on the tree in memory. Descriptors are numbers that no system call knows. A file is
 * replaced in one step, so a kill leaves the old one or the new one, and the disk may be full.
 */
#include "bugs.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/sys/files.h"
#include "nodeagent/sys/mount.h"
#include "sys-tree.h"
#include "sys.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct payload;

enum {
    DESCRIPTOR_FIRST = 1 << 24,
    RATE_DISK_FULL = 20, /* of 10,000 */
};

static int failed(struct err *err, int code, const char *verb, const char *path)
{
    return err_set(err, code, "cannot %s %s: %s", verb, path, strerror(-code));
}

/* Where a path begins; NULL: no such descriptor. */
static struct tree_node *start_of(int directory, const char *path)
{
    size_t i = (size_t)(directory - DESCRIPTOR_FIRST);

    if (*path == '/' || directory == AT_FDCWD)
        return world->tree->root;
    assert_that(directory >= DESCRIPTOR_FIRST && i < world->tree->open_count);
    assert_that(world->tree->open[i]);
    return world->tree->open[i];
}

static struct tree_node *look_up(int directory, const char *path)
{
    return tree_walk(start_of(directory, path), path);
}

/* The directory of what `path` names, and the name; NULL when there is no such directory. */
static struct tree_node *parent_of(int directory, const char *path, const char **name)
{
    const char *slash = strrchr(path, '/');
    _cleanup_(mem_free_at) char *above = mem_strndup(path, slash ? (size_t)(slash - path) : 0);

    *name = slash ? slash + 1 : path;
    return tree_walk(start_of(directory, path), above);
}

/* Is there no room for one more write? */
static bool disk_is_full(const char *path)
{
    life_may_end(path);
    if (!world->disk_full && !choose(SITE_DISK_FULL, path, RATE_DISK_FULL))
        return false;
    trace("  no space: %s", path);
    world->lossy_writes++;
    world_disturb();
    return true;
}

/* opening */

void fd_close_at(int *fd)
{
    if (*fd >= DESCRIPTOR_FIRST)
        world->tree->open[*fd - DESCRIPTOR_FIRST] = NULL;
    *fd = -1;
}

static int open_node(struct tree_node *node)
{
    struct tree *tree = world->tree;

    for (size_t i = 0; i < tree->open_count; i++) {
        if (!tree->open[i]) {
            tree->open[i] = node;
            return DESCRIPTOR_FIRST + (int)i;
        }
    }
    tree->open = mem_grow(tree->open, tree->open_count, &tree->open_space, sizeof(*tree->open));
    tree->open[tree->open_count++] = node;
    return DESCRIPTOR_FIRST + (int)tree->open_count - 1;
}

int fd_duplicate(int fd)
{
    assert_that(fd >= DESCRIPTOR_FIRST);
    return open_node(world->tree->open[fd - DESCRIPTOR_FIRST]);
}

int file_open_beneath(int directory, const char *path, int flags, mode_t mode,
                      enum file_links links, struct err *err)
{
    struct tree_node *node = look_up(directory, path);

    if (!node)
        return failed(err, -ENOENT, "open", path);
    if (!node->directory)
        return failed(err, flags & O_DIRECTORY ? -ENOTDIR : -ENOSYS, "open", path);
    return open_node(node);
}

int directory_open(const char *path, mode_t mode, struct err *err)
{
    int r = directory_make(AT_FDCWD, path, mode, err);

    return r < 0 ? r : open_node(look_up(AT_FDCWD, path));
}

/*
 * A few system calls are made on descriptors and paths without the help of sys/. The C library may
 * call them by their names for large files.
 */

int __wrap_open(const char *path, int flags, mode_t mode);
int __wrap_open64(const char *path, int flags, mode_t mode);
int __wrap_fchmod(int fd, mode_t mode);
ssize_t __wrap_getrandom(void *bytes, size_t length, unsigned flags);

/* Of what containers leave behind: here they leave nothing. */
int __wrap_open(const char *path, int flags, mode_t mode)
{
    errno = ENOENT;
    return -1;
}

int __wrap_open64(const char *path, int flags, mode_t mode)
{
    return __wrap_open(path, flags, mode);
}

int __wrap_fchmod(int fd, mode_t mode)
{
    world->tree->open[fd - DESCRIPTOR_FIRST]->mode = mode;
    return 0;
}

ssize_t __wrap_getrandom(void *bytes, size_t length, unsigned flags)
{
    for (size_t i = 0; i < length; i++)
        ((unsigned char *)bytes)[i] = (unsigned char)draw(SITE_DETAIL, "random", 256);
    return (ssize_t)length;
}

/* The files of a volume are replaced all at once: here they are one. */
int __wrap_payload_write(int directory, const struct payload *payload, int64_t group,
                         struct err *err);

int __wrap_payload_write(int directory, const struct payload *payload, int64_t group,
                         struct err *err)
{
    static const struct file_contents contents = {.bytes = "files", .length = 5, .mode = 0644};

    return file_replace(directory, "..data", &contents, err);
}

/* One interface that is always there. */
int __wrap_getifaddrs(struct ifaddrs **result);
void __wrap_freeifaddrs(struct ifaddrs *all);

int __wrap_getifaddrs(struct ifaddrs **result)
{
    static struct sockaddr_in address = {.sin_family = AF_INET};
    static struct ifaddrs one = {
        .ifa_name = (char *)"eth0", .ifa_flags = IFF_UP, .ifa_addr = (struct sockaddr *)&address};

    address.sin_addr.s_addr = htonl(0xc000020a); /* 192.0.2.10 */
    *result = &one;
    return 0;
}

void __wrap_freeifaddrs(struct ifaddrs *all)
{
}

/* reading */

int file_read(const char *path, size_t max, struct strbuf *contents, struct err *err)
{
    return file_read_beneath(AT_FDCWD, path, FILE_LINKS_BENEATH, max, contents, err);
}

int file_read_beneath(int directory, const char *path, enum file_links links, size_t max,
                      struct strbuf *contents, struct err *err)
{
    const struct tree_node *node = look_up(directory, path);

    if (!node)
        return failed(err, -ENOENT, "open", path);
    if (node->directory)
        return failed(err, -EISDIR, "read", path);
    if (node->length > max)
        return failed(err, -EFBIG, "read", path);
    strbuf_add_bytes(contents, node->bytes ? node->bytes : "", node->length);
    return 0;
}

/* replacing */

int file_replace(int directory, const char *path, const struct file_contents *contents,
                 struct err *err)
{
    const char *name;
    struct tree_node *parent = parent_of(directory, path, &name), *node;

    if (!parent)
        return failed(err, -ENOENT, "replace", path);
    if (!parent->directory)
        return failed(err, -ENOTDIR, "replace", path);
    if (disk_is_full(path))
        return failed(err, -ENOSPC, "replace", path);
    node = tree_child(parent, name, strlen(name));
    if (!node)
        node = tree_add(parent, name, strlen(name), false);
    if (node->directory)
        return failed(err, -EISDIR, "replace", path);
    tree_set(node, contents->bytes, contents->length);
    node->mode = contents->mode;
    trace("  writes %s (%zu bytes)", path, contents->length);
    life_may_end(path);
    return 0;
}

int file_remove_temporaries(int directory, const char *path, struct err *err)
{
    struct tree_node *node = look_up(directory, path);

    return node ? 0 : failed(err, -ENOENT, "list", path);
}

/* links: files here, that hold where they lead */

int file_link_replace(int directory, const char *path, const char *target, struct err *err)
{
    struct file_contents contents = {.bytes = target, .length = strlen(target), .mode = S_IFLNK};

    return file_replace(directory, path, &contents, err);
}

bool file_link_is_dangling(int directory, const char *path)
{
    const struct tree_node *node = look_up(directory, path);

    return node && node->mode == S_IFLNK && !tree_has(world->tree, node->bytes);
}

/* directories */

int directory_make(int directory, const char *path, mode_t mode, struct err *err)
{
    struct tree_node *node = start_of(directory, path);
    const char *rest = path;

    for (;;) {
        size_t length;
        struct tree_node *child;

        rest += strspn(rest, "/");
        length = strcspn(rest, "/");
        if (!length)
            return 0;
        child = tree_child(node, rest, length);
        if (!child) {
            if (disk_is_full(path))
                return failed(err, -ENOSPC, "make directory", path);
            child = tree_add(node, rest, length, true);
            child->mode = mode;
        }
        if (!child->directory)
            return failed(err, -ENOTDIR, "make directory", path);
        node = child;
        rest += length;
    }
}

int directory_list(int directory, const char *path, size_t max, struct arena *arena,
                   struct directory_listing *listing, struct err *err)
{
    const struct tree_node *node = look_up(directory, path);
    size_t count = 0;

    if (!node)
        return failed(err, -ENOENT, "list", path);
    if (!node->directory)
        return failed(err, -ENOTDIR, "list", path);
    for (const struct tree_node *child = node->children; child; child = child->next)
        count++;
    if (count > max)
        return failed(err, -E2BIG, "list", path);
    *listing = (struct directory_listing){
        .items = arena_array(arena, struct directory_entry, count), .count = count};
    count = 0;
    for (const struct tree_node *child = node->children; child; child = child->next)
        listing->items[count++] = (struct directory_entry){arena_strdup(arena, child->name),
                                                           child->directory ? DT_DIR : DT_REG};
    return 0;
}

/* removing */

/* One entry at a time, as the real one: the agent may be killed in between. */
static void remove_node(struct tree_node *node)
{
    while (node->children)
        remove_node(node->children);
    tree_unlink(node);
    life_may_end(node->name);
}

int tree_remove(int directory, const char *path, struct err *err)
{
    struct tree_node *node = look_up(directory, path);

    if (!node)
        return 0;
    if (!node->parent)
        return failed(err, -EINVAL, "remove", path);
    if (world->bug == BUG_RECORDS_STAY && str_has_suffix(path, ".json"))
        return 0;
    trace("  removes %s", path);
    if (world->bug == BUG_REMOVES_TOO_MUCH && str_has_prefix(path, "pods/"))
        node = node->parent;
    remove_node(node);
    return 0;
}

int directories_remove(int directory, const char *path, struct err *err)
{
    return tree_remove(directory, path, err);
}

/* mounts: none are needed for what the world's pods declare */

int mount_tmpfs(int directory, const char *name, uint64_t bytes, struct err *err)
{
    return 0;
}

int mount_bind(int part, int target, const char *name, struct err *err)
{
    return 0;
}

bool mount_is_point(int directory, const char *path)
{
    return false;
}

int mount_undo(int directory, const char *path, struct err *err)
{
    return 0;
}
