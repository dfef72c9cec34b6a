/*
 * Writing a volume's files, all in one step:
 *
 *     ..data  -> ..2026_11_21_00_29_00.175040     one link, replaced by a rename
 *     ..2026_11_21_00_29_00.175040/a, cfg/b       the files
 *     a       -> ..data/a                         a link for each first name of a path
 *     cfg     -> ..data/cfg
 *
 * Who reads through the links sees all the old files or all the new ones. What a killed writer left
 * begins with ".." and is not what ..data leads to: the next one removes it, also if it has nothing
 * to write. Links are looked at one by one for the same reason.
 *
 * A name of a mount point, or one that a container's subPath made, is a directory: it stays, and
 * hides a file of that name.
 */
#include "nodeagent/base/map.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/base/str.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/files.h"
#include "payload.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define DATA "..data"
#define DATA_NEW "..data_tmp"
#define DATA_PREFIX DATA "/"

enum {
    ENTRIES_MAX = PAYLOAD_FILES_MAX + 1024, /* of one directory: mount points, and litter */
    NAME_TRIES_MAX = 1000,
    COMPARE_CHUNK = 16 * 1024,
};

struct writing {
    int directory; /* the volume's */
    const struct payload *payload;
    int64_t group;
    struct arena arena;
    const char *current; /* the directory that ..data leads to; NULL: there is none */
    struct err *err;
};

static int failed(struct writing *writing, const char *verb, const char *name)
{
    return err_set(writing->err, -errno, "cannot %s %s: %s", verb, name, strerror(errno));
}

/* what is there */

/* Where a link leads to, or NULL: it is none. */
static const char *link_target(struct writing *writing, const char *name)
{
    char target[PATH_MAX];
    ssize_t length = readlinkat(writing->directory, name, target, sizeof(target));

    return length < 0 ? NULL : arena_strndup(&writing->arena, target, (size_t)length);
}

static const char *current_directory(struct writing *writing)
{
    const char *target = link_target(writing, DATA);

    return target && str_has_prefix(target, "..") && target[2] && !strchr(target, '/') ? target
                                                                                       : NULL;
}

static bool has_bytes(int fd, const struct payload_file *file)
{
    char chunk[COMPARE_CHUNK];
    size_t at = 0;

    for (;;) {
        ssize_t got = read(fd, chunk, sizeof(chunk));

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got == 0 && at == file->length;
        if ((size_t)got > file->length - at || memcmp(chunk, file->bytes + at, (size_t)got))
            return false;
        at += (size_t)got;
    }
}

static bool is_same(const struct writing *writing, int directory, const struct payload_file *file)
{
    struct stat status;
    struct err ignored;
    _cleanup_(fd_close_at) int fd = file_open_beneath(
        directory, file->path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, FILE_LINKS_REFUSED, &ignored);

    return fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
           (status.st_mode & 07777) == file->mode &&
           (file->owner < 0 || status.st_uid == (uid_t)file->owner) &&
           (writing->group < 0 || status.st_gid == (gid_t)writing->group) && has_bytes(fd, file);
}

/* How many there are that are no directories; -1: nobody can tell. */
static int64_t count_files(int directory, const char *path, unsigned depth, struct arena *arena)
{
    struct directory_listing listing = {0};
    int64_t count = 0;
    struct err err;
    int r = directory_list(directory, path, ENTRIES_MAX, arena, &listing, &err);

    if (r < 0)
        return r == -ENOTDIR ? 1 : -1;
    if (depth > DIRECTORY_PATH_DEPTH)
        return -1;
    array_for_each (entry, listing) {
        const char *name = arena_printf(arena, "%s/%s", path, entry->name);
        int64_t more = entry->type == DT_REG || entry->type == DT_LNK
                           ? 1
                           : count_files(directory, name, depth + 1, arena);

        if (more < 0)
            return -1;
        count += more;
    }
    return count;
}

static bool is_current(struct writing *writing)
{
    _cleanup_(fd_close_at) int directory = -1;
    struct err ignored;

    if (!writing->current)
        return false;
    directory = file_open_beneath(writing->directory, writing->current, O_RDONLY | O_DIRECTORY, 0,
                                  FILE_LINKS_REFUSED, &ignored);
    if (directory < 0)
        return false;
    array_for_each (file, writing->payload->files)
        if (!is_same(writing, directory, file))
            return false;
    return count_files(directory, ".", 0, &writing->arena) ==
           (int64_t)writing->payload->files.count;
}

/* writing */

static mode_t directory_mode(const struct writing *writing)
{
    return writing->group < 0 ? 0755 : 0755 | S_ISGID;
}

/* The point in time, and what makes it the only one of its name. */
static int make_fresh(struct writing *writing, const char **name)
{
    usec_t now = clock_wall();
    time_t seconds = (time_t)(now / USEC_PER_SEC);
    char text[64];
    struct tm parts;

    strftime(text, sizeof(text), "..%Y_%m_%d_%H_%M_%S", gmtime_r(&seconds, &parts));
    for (unsigned i = 0; i < NAME_TRIES_MAX; i++) {
        *name = arena_printf(&writing->arena, "%s.%06llu", text,
                             (unsigned long long)(now % USEC_PER_SEC + i));
        if (mkdirat(writing->directory, *name, 0700) == 0)
            return 0;
        if (errno != EEXIST)
            break;
    }
    return failed(writing, "make directory", *name);
}

static int write_file(const struct writing *writing, int directory, const struct payload_file *file)
{
    struct file_contents contents = {
        .bytes = file->bytes,
        .length = file->length,
        .mode = file->mode,
        .owner = file->owner < 0 ? FILE_OWNER_KEEP : (uid_t)file->owner,
        .group = writing->group < 0 ? FILE_GROUP_KEEP : (gid_t)writing->group,
        .fleeting = true, /* compared before the first container starts after a boot */
    };
    const char *slash = strrchr(file->path, '/');
    _cleanup_(mem_free_at) char *folder =
        mem_strndup(file->path, slash ? (size_t)(slash - file->path) : 0);
    int r = 0;

    /* Its group is that of the directory around it, by the set-group-id bit. */
    if (slash)
        r = directory_make(directory, folder, directory_mode(writing), writing->err);
    return r < 0 ? r : file_replace(directory, file->path, &contents, writing->err);
}

static int fill_fresh(struct writing *writing, const char *name)
{
    _cleanup_(fd_close_at) int directory = file_open_beneath(
        writing->directory, name, O_RDONLY | O_DIRECTORY, 0, FILE_LINKS_REFUSED, writing->err);
    gid_t group = writing->group < 0 ? FILE_GROUP_KEEP : (gid_t)writing->group;

    if (directory < 0)
        return directory;
    if (fchown(directory, FILE_OWNER_KEEP, group) < 0 ||
        fchmod(directory, directory_mode(writing)) < 0)
        return failed(writing, "change", name);
    array_for_each (file, writing->payload->files) {
        int r = write_file(writing, directory, file);

        if (r < 0)
            return r;
    }
    return 0;
}

/* The one step. */
static int swap(struct writing *writing, const char *name)
{
    int r = tree_remove(writing->directory, DATA_NEW, writing->err);

    if (r < 0)
        return r;
    if (symlinkat(name, writing->directory, DATA_NEW) < 0 ||
        renameat(writing->directory, DATA_NEW, writing->directory, DATA) < 0)
        return failed(writing, "replace", DATA);
    writing->current = name;
    return 0;
}

static int write_fresh(struct writing *writing)
{
    const char *name;
    struct err ignored;
    int r = make_fresh(writing, &name);

    if (r < 0)
        return r;
    r = fill_fresh(writing, name);
    if (r == 0)
        r = swap(writing, name);
    if (r < 0)
        tree_remove(writing->directory, name, &ignored); /* or the next one does it */
    return r;
}

/* links */

/* Who owns the file owns its link. */
static int make_link(struct writing *writing, const char *name, const struct payload_file *file)
{
    const char *target = arena_printf(&writing->arena, DATA_PREFIX "%s", name);

    if (symlinkat(target, writing->directory, name) < 0)
        return errno == EEXIST ? 0 : failed(writing, "make link", name);
    if (file->owner >= 0 && fchownat(writing->directory, name, (uid_t)file->owner, FILE_GROUP_KEEP,
                                     AT_SYMLINK_NOFOLLOW) < 0)
        return failed(writing, "change", name);
    return 0;
}

static int make_links(struct writing *writing, struct map *names)
{
    array_for_each (file, writing->payload->files) {
        size_t length = strcspn(file->path, "/");
        const char *name = arena_strndup(&writing->arena, file->path, length);
        int r;

        if (map_put(names, name, writing))
            continue; /* another file of the same directory */
        r = make_link(writing, name, file);
        if (r < 0)
            return r;
    }
    return 0;
}

static bool is_stale(struct writing *writing, const struct map *names, const char *name)
{
    const char *target;

    if (str_has_prefix(name, ".."))
        return !str_equal(name, DATA) && !str_equal(name, writing->current);
    if (map_get(names, name))
        return false;
    target = link_target(writing, name);
    return target && str_has_prefix(target, DATA_PREFIX) &&
           str_equal(target + strlen(DATA_PREFIX), name);
}

static int sweep(struct writing *writing, const struct map *names)
{
    struct directory_listing listing = {0};
    int r = directory_list(writing->directory, ".", ENTRIES_MAX, &writing->arena, &listing,
                           writing->err);

    for (size_t i = 0; i < listing.count && r == 0; i++)
        if (is_stale(writing, names, listing.items[i].name))
            r = tree_remove(writing->directory, listing.items[i].name, writing->err);
    return r;
}

int payload_write(int directory, const struct payload *payload, int64_t group, struct err *err)
{
    struct writing writing = {
        .directory = directory,
        .payload = payload,
        .group = group,
        .arena = ARENA_INIT_DOCUMENT,
        .err = err,
    };
    _cleanup_(map_deinit) struct map names = MAP_INIT;
    bool same;
    int r = 0;

    writing.current = current_directory(&writing);
    same = is_current(&writing);
    if (!same)
        r = write_fresh(&writing);
    if (r == 0)
        r = make_links(&writing, &names);
    if (r == 0)
        r = sweep(&writing, &names);
    arena_deinit(&writing.arena);
    return r < 0 ? r : !same;
}
