/*
 * Removing a tree that others may have made, and may still be changing.
 *
 * The walk keeps a stack of open directories, and every name is removed relative to its open
 * parent: whatever is renamed meanwhile, nothing outside is touched. A directory is entered with
 * RESOLVE_NO_XDEV, by which the kernel refuses mount points (bind mounts of the same file system
 * too), and RESOLVE_NO_SYMLINKS.
 *
 * The stack is TREE_DEPTH_MAX high. A directory that would lie deeper is renamed to the top of the
 * tree, where a later scan finds it, so any depth is removed with a bounded number of descriptors.
 */
#include "files-private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct level {
    DIR *stream;
    char name[NAME_MAX + 1]; /* in the level above, or in the place of the whole tree */
    int scans;
};

struct removal {
    const struct file_place *place;
    struct level levels[TREE_DEPTH_MAX];
    int depth; /* levels in use */
    int moves;
};

static int parent_of(const struct removal *removal, int depth)
{
    return depth ? dirfd(removal->levels[depth - 1].stream) : removal->place->parent;
}

static int removal_failed(const struct removal *removal, const char *name, int code,
                          struct err *err)
{
    int parent = parent_of(removal, removal->depth);
    char text[PATH_MAX];

    if (code == -EXDEV || code == -EBUSY)
        return err_set(err, -EBUSY, "cannot remove %s: something is mounted on it",
                       file_full_path(parent, name, text));
    return file_failed(err, code, "remove", parent, name);
}

static int move_to_top(struct removal *removal, const char *name)
{
    char temporary[FILE_TEMPORARY_NAME_MAX];

    if (removal->moves++ == TREE_MOVES_MAX)
        return -ENAMETOOLONG;
    file_temporary_name(temporary);
    if (renameat(parent_of(removal, removal->depth), name, dirfd(removal->levels[0].stream),
                 temporary) < 0)
        return -errno;
    return 0;
}

/* Opens a directory as the next level; -ENOTDIR and -ELOOP say that it is none. */
static int enter(struct removal *removal, const char *name)
{
    struct level *level = &removal->levels[removal->depth];
    int fd = file_openat2(parent_of(removal, removal->depth), name, O_RDONLY | O_DIRECTORY, 0,
                          RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);

    if (fd < 0)
        return fd;
    if (removal->depth == TREE_DEPTH_MAX) {
        close(fd);
        return move_to_top(removal, name);
    }
    level->stream = fdopendir(fd);
    assert_that(level->stream);
    snprintf(level->name, sizeof(level->name), "%s", name);
    level->scans = 0;
    removal->depth++;
    return 0;
}

/*
 * A name of which readdir() said, some time ago, what it is. -EISDIR: it was exchanged between
 * the two looks at it.
 */
static int remove_name(struct removal *removal, const char *name, unsigned char type)
{
    int r = 0;

    if (type != DT_DIR) {
        if (unlinkat(parent_of(removal, removal->depth), name, 0) == 0 || errno == ENOENT)
            return 0;
        if (errno != EISDIR)
            return -errno;
    }
    /* Many are empty. */
    if (unlinkat(parent_of(removal, removal->depth), name, AT_REMOVEDIR) == 0)
        return 0;
    r = enter(removal, name);
    if (r == -ENOENT)
        return 0;
    if (r != -ENOTDIR && r != -ELOOP)
        return r;
    return unlinkat(parent_of(removal, removal->depth), name, 0) < 0 && errno != ENOENT ? -errno
                                                                                        : 0;
}

/* The innermost level was read to its end: it is removed, or read again when it has grown. */
static int leave(struct removal *removal)
{
    struct level *level = &removal->levels[removal->depth - 1];

    /* Not there, or not a directory any more: the scan of the level above deals with it. */
    if (unlinkat(parent_of(removal, removal->depth - 1), level->name, AT_REMOVEDIR) == 0 ||
        errno == ENOENT || errno == ENOTDIR) {
        closedir(level->stream);
        removal->depth--;
        return 0;
    }
    if (errno != ENOTEMPTY && errno != EEXIST)
        return -errno;
    /* What was moved to the top is work that we made, not somebody else. */
    if (++level->scans > TREE_SCANS_MAX + (removal->depth == 1 ? removal->moves : 0))
        return -ENOTEMPTY;
    rewinddir(level->stream);
    return 0;
}

static int remove_levels(struct removal *removal, struct err *err)
{
    while (removal->depth) {
        struct level *level = &removal->levels[removal->depth - 1];
        struct dirent *entry;
        int r;

        errno = 0;
        entry = readdir(level->stream);
        if (!entry && errno && errno != ENOENT)
            return removal_failed(removal, ".", -errno, err);
        if (!entry) {
            r = leave(removal);
            if (r < 0)
                return removal_failed(removal, ".", r, err);
            continue;
        }
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
            continue;
        r = remove_name(removal, entry->d_name, entry->d_type);
        /* What keeps changing is left for the next scan, of which there are so many. */
        if (r < 0 && r != -EISDIR)
            return removal_failed(removal, entry->d_name, r, err);
    }
    return 0;
}

int tree_remove(int directory, const char *path, struct err *err)
{
    _cleanup_(file_place_close) struct file_place place = {.parent = -1};
    struct removal removal = {.place = &place};
    struct err reason;
    int r = file_place_open(directory, path, &place, &reason);

    if (r == -ENOENT)
        return 0;
    if (r < 0)
        return err_set(err, r, "%s", reason.text);
    /* Unknown: first as a file. A directory is told apart by unlinkat() itself. */
    r = remove_name(&removal, place.name, DT_UNKNOWN);
    if (r < 0)
        return removal_failed(&removal, place.name, r, err);
    r = remove_levels(&removal, err);
    while (removal.depth)
        closedir(removal.levels[--removal.depth].stream);
    return r;
}

/* directories alone */

static int remove_directories(int directory, const char *path, unsigned depth, struct arena *arena,
                              struct err *err)
{
    struct directory_listing listing = {0};
    int r = directory_list(directory, path, SIZE_MAX, arena, &listing, err);

    if (r < 0)
        return r == -ENOENT ? 0 : r;
    if (depth == TREE_DEPTH_MAX)
        return err_set(err, -ELOOP, "cannot remove %s: it is too deep", path);
    for (size_t i = 0; i < listing.count && r == 0; i++)
        if (listing.items[i].type == DT_DIR)
            r = remove_directories(directory,
                                   arena_printf(arena, "%s/%s", path, listing.items[i].name),
                                   depth + 1, arena, err);
    if (r == 0 && unlinkat(directory, path, AT_REMOVEDIR) < 0 && errno != ENOENT)
        return file_failed(err, -errno, "remove", directory, path);
    return r;
}

int directories_remove(int directory, const char *path, struct err *err)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;

    return remove_directories(directory, path, 0, &arena, err);
}
