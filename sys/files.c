/*
 * Opening, reading and replacing files, making and listing directories. The kernel resolves paths
 * (openat2, RESOLVE_BENEATH), so that there is nothing here that could be raced.
 *
 * The type of a file is only known once it is open, and an open may wait for ever (a fifo) or act
 * (a terminal): O_NONBLOCK and O_NOCTTY first, then fstat decides.
 */
#include "files-private.h"
#include "nodeagent/base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    READ_CHUNK = 16 * 1024,
};

int fd_duplicate(int fd)
{
    return fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

void fd_close_at(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void directory_close_at(DIR **directory)
{
    if (*directory)
        closedir(*directory);
}

/* The directory's own name is only known to /proc, and only wanted in sentences. */
const char *file_full_path(int directory, const char *path, char text[PATH_MAX])
{
    char link[64];
    ssize_t length = -1;

    if (directory != AT_FDCWD && *path != '/') {
        snprintf(link, sizeof(link), "/proc/self/fd/%d", directory);
        length = readlink(link, text, PATH_MAX - 1);
    }
    if (length <= 0)
        return path;
    if (strcmp(path, "."))
        snprintf(text + length, (size_t)(PATH_MAX - length), "/%s", path);
    else
        text[length] = '\0';
    return text;
}

int file_failed(struct err *err, int code, const char *verb, int directory, const char *path)
{
    char text[PATH_MAX];
    const char *name = file_full_path(directory, path, text);

    switch (code) {
    case -EXDEV:
        return err_set(err, code, "cannot %s %s: the path leads out of its directory", verb, name);
    case -ELOOP:
        return err_set(err, code, "cannot %s %s: there is a symbolic link in the path", verb, name);
    case -ENOSYS:
        return err_set(err, code, "cannot %s %s: this needs openat2, Linux 5.6 or later", verb,
                       name);
    default:
        return err_set(err, code, "cannot %s %s: %s", verb, name, strerror(-code));
    }
}

int file_openat2(int directory, const char *path, int flags, mode_t mode, uint64_t resolve)
{
    struct open_how how = {
        .flags = (uint64_t)(unsigned)(flags | O_CLOEXEC),
        .mode = mode,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | resolve,
    };

    for (int i = 0; i < FILE_OPEN_TRIES_MAX; i++) {
        int fd = (int)syscall(SYS_openat2, directory, path, &how, sizeof(how));

        if (fd >= 0)
            return fd;
        if (errno != EAGAIN && errno != EINTR)
            break;
    }
    return -errno;
}

int file_open_beneath(int directory, const char *path, int flags, mode_t mode,
                      enum file_links links, struct err *err)
{
    uint64_t resolve = links == FILE_LINKS_REFUSED ? RESOLVE_NO_SYMLINKS : 0;
    int fd = file_openat2(directory, path, flags, mode, resolve);

    return fd < 0 ? file_failed(err, fd, "open", directory, path) : fd;
}

int file_place_open(int directory, const char *path, struct file_place *place, struct err *err)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    char parent[PATH_MAX] = ".";

    if (!*name || !strcmp(name, ".") || !strcmp(name, "..") || strlen(name) > NAME_MAX)
        return err_set(err, -EINVAL, "%s does not end in the name of a file",
                       file_full_path(directory, path, parent));
    if (slash && (size_t)(slash - path) >= sizeof(parent))
        return file_failed(err, -ENAMETOOLONG, "open", directory, path);
    if (slash) {
        memcpy(parent, path, (size_t)(slash - path));
        parent[slash - path] = '\0';
    }
    strcpy(place->name, name);
    place->parent = file_open_beneath(directory, slash == path ? "/" : parent,
                                      O_RDONLY | O_DIRECTORY, 0, FILE_LINKS_REFUSED, err);
    return MIN(place->parent, 0);
}

void file_place_close(struct file_place *place)
{
    fd_close_at(&place->parent);
}

/* reading */

static int read_all(int fd, size_t max, struct strbuf *contents)
{
    size_t start = contents->length;
    char chunk[READ_CHUNK];

    for (;;) {
        ssize_t got = read(fd, chunk, sizeof(chunk));

        if (got == 0)
            return 0;
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 || contents->length - start + (size_t)got > max) {
            int code = got < 0 ? -errno : -EFBIG;

            strbuf_truncate(contents, start);
            return code;
        }
        strbuf_add_bytes(contents, chunk, (size_t)got);
    }
}

static int read_regular(int directory, const char *path, int fd, size_t max,
                        struct strbuf *contents, struct err *err)
{
    char text[PATH_MAX];
    struct stat status;
    int r;

    if (fstat(fd, &status) < 0)
        return file_failed(err, -errno, "look at", directory, path);
    if (!S_ISREG(status.st_mode))
        return err_set(err, S_ISDIR(status.st_mode) ? -EISDIR : -EINVAL,
                       "cannot read %s: it is not a regular file",
                       file_full_path(directory, path, text));
    r = read_all(fd, max, contents);
    if (r == -EFBIG)
        return err_set(err, r, "cannot read %s: it has more than the %zu bytes allowed",
                       file_full_path(directory, path, text), max);
    return r < 0 ? file_failed(err, r, "read", directory, path) : 0;
}

int file_read(const char *path, size_t max, struct strbuf *contents, struct err *err)
{
    _cleanup_(fd_close_at) int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

    if (fd < 0)
        return file_failed(err, -errno, "open", AT_FDCWD, path);
    return read_regular(AT_FDCWD, path, fd, max, contents, err);
}

int file_read_beneath(int directory, const char *path, enum file_links links, size_t max,
                      struct strbuf *contents, struct err *err)
{
    _cleanup_(fd_close_at) int fd =
        file_open_beneath(directory, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, links, err);

    return fd < 0 ? fd : read_regular(directory, path, fd, max, contents, err);
}

/* replacing */

void file_temporary_name(char name[FILE_TEMPORARY_NAME_MAX])
{
    uint64_t random = 0;

    /* Short of bytes only before the kernel's generator is seeded; O_EXCL catches what is left. */
    if (getrandom(&random, sizeof(random), GRND_NONBLOCK) < 0)
        random = (uint64_t)getpid();
    snprintf(name, FILE_TEMPORARY_NAME_MAX, FILE_TEMPORARY_PREFIX "%016llx",
             (unsigned long long)random);
}

static int write_all(int fd, const char *bytes, size_t length)
{
    while (length) {
        ssize_t written = write(fd, bytes, length);

        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return -errno;
        bytes += written;
        length -= (size_t)written;
    }
    return 0;
}

static int write_contents(int fd, const struct file_contents *contents)
{
    bool keep = contents->owner == FILE_OWNER_KEEP && contents->group == FILE_GROUP_KEEP;
    int r = write_all(fd, contents->bytes, contents->length);

    if (r < 0)
        return r;
    /* The mode last: a change of owner clears the set-id bits. */
    if ((!keep && fchown(fd, contents->owner, contents->group) < 0) ||
        fchmod(fd, contents->mode) < 0)
        return -errno;
    return !contents->fleeting && fsync(fd) < 0 ? -errno : 0;
}

/* Writes and renames; `temporary` is gone afterwards, one way or the other. */
static int replace_in(int parent, const char *temporary, const char *name,
                      const struct file_contents *contents)
{
    _cleanup_(fd_close_at) int fd =
        openat(parent, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    int r;

    if (fd < 0)
        return -errno;
    r = write_contents(fd, contents);
    if (r == 0 && renameat(parent, temporary, parent, name) < 0)
        r = -errno;
    if (r < 0) {
        unlinkat(parent, temporary, 0);
        return r;
    }
    return !contents->fleeting && fsync(parent) < 0 ? -errno : 0;
}

int file_replace(int directory, const char *path, const struct file_contents *contents,
                 struct err *err)
{
    _cleanup_(file_place_close) struct file_place place = {.parent = -1};
    char temporary[FILE_TEMPORARY_NAME_MAX];
    int r = file_place_open(directory, path, &place, err);

    if (r < 0)
        return r;
    file_temporary_name(temporary);
    r = replace_in(place.parent, temporary, place.name, contents);
    return r < 0 ? file_failed(err, r, "replace", directory, path) : 0;
}

/* directories */

static int open_to_list(int directory, const char *path, DIR **stream, struct err *err)
{
    int fd = file_open_beneath(directory, path, O_RDONLY | O_DIRECTORY, 0, FILE_LINKS_BENEATH, err);

    if (fd < 0)
        return fd;
    *stream = fdopendir(fd);
    assert_that(*stream);
    return 0;
}

/* The C library hides the -ENOENT of a directory that vanished; its link count tells. */
static int end_of(DIR *stream)
{
    struct stat status;

    if (errno)
        return -errno;
    return fstat(dirfd(stream), &status) == 0 && status.st_nlink == 0 ? -ENOENT : 0;
}

/* 1 and an entry, 0 at the end, or a negative errno; "." and ".." are left out. */
static int next_entry(DIR *stream, struct dirent **entry)
{
    do {
        errno = 0;
        *entry = readdir(stream);
        if (!*entry)
            return end_of(stream);
    } while (!strcmp((*entry)->d_name, ".") || !strcmp((*entry)->d_name, ".."));
    return 1;
}

int file_remove_temporaries(int directory, const char *path, struct err *err)
{
    _cleanup_(directory_close_at) DIR *stream = NULL;
    struct dirent *entry;
    int removed = 0, r = open_to_list(directory, path, &stream, err);

    if (r < 0)
        return r;
    while ((r = next_entry(stream, &entry)) > 0) {
        if (!str_has_prefix(entry->d_name, FILE_TEMPORARY_PREFIX))
            continue;
        if (unlinkat(dirfd(stream), entry->d_name, 0) < 0 && errno != ENOENT)
            return file_failed(err, -errno, "remove", dirfd(stream), entry->d_name);
        removed++;
    }
    return r < 0 ? file_failed(err, r, "list", directory, path) : removed;
}

static int compare_entries(const void *a, const void *b)
{
    const struct directory_entry *left = a, *right = b;

    return strcmp(left->name, right->name);
}

static int list_entries(DIR *stream, size_t max, struct arena *arena,
                        struct directory_listing *listing)
{
    _cleanup_(mem_free_at) struct directory_entry *items = NULL;
    size_t count = 0, space = 0;
    struct dirent *entry;
    int r;

    while ((r = next_entry(stream, &entry)) > 0) {
        if (count == max)
            return -E2BIG;
        items = mem_grow(items, count, &space, sizeof(*items));
        items[count++] =
            (struct directory_entry){arena_strdup(arena, entry->d_name), entry->d_type};
    }
    if (r < 0)
        return r;
    *listing = (struct directory_listing){.count = count};
    if (count) {
        qsort(items, count, sizeof(*items), compare_entries);
        listing->items = arena_array(arena, struct directory_entry, count);
        memcpy(listing->items, items, count * sizeof(*items));
    }
    return 0;
}

int directory_list(int directory, const char *path, size_t max, struct arena *arena,
                   struct directory_listing *listing, struct err *err)
{
    _cleanup_(directory_close_at) DIR *stream = NULL;
    char text[PATH_MAX];
    int r = open_to_list(directory, path, &stream, err);

    if (r < 0)
        return r;
    r = list_entries(stream, max, arena, listing);
    if (r == -E2BIG)
        return err_set(err, r, "cannot list %s: it has more than the %zu entries allowed",
                       file_full_path(directory, path, text), max);
    return r < 0 ? file_failed(err, r, "list", directory, path) : 0;
}

/* One step down, made if it is not there; replaces *fd. */
static int make_step(int *fd, const char *name, mode_t mode)
{
    bool made = mkdirat(*fd, name, 0700) == 0;
    int next;

    if (!made && errno != EEXIST)
        return -errno;
    next = file_openat2(*fd, name, O_RDONLY | O_DIRECTORY, 0, RESOLVE_NO_SYMLINKS);
    if (next < 0)
        return next;
    close(*fd);
    *fd = next;
    return made && fchmod(next, mode) < 0 ? -errno : 0;
}

/* Mostly all but the last step are there; `rest` are those that may have to be made. */
static int start_to_make(int directory, char *steps, char **rest)
{
    char *slash = strrchr(steps, '/');
    int fd = -ENOENT;

    if (slash) {
        *slash = '\0';
        fd = file_openat2(directory, steps, O_RDONLY | O_DIRECTORY, 0, RESOLVE_NO_SYMLINKS);
        *slash = '/';
    }
    *rest = fd < 0 ? steps : slash + 1;
    return fd < 0 ? file_openat2(directory, ".", O_RDONLY | O_DIRECTORY, 0, RESOLVE_NO_SYMLINKS)
                  : fd;
}

int directory_make(int directory, const char *path, mode_t mode, struct err *err)
{
    _cleanup_(mem_free_at) char *steps = mem_strdup(path);
    _cleanup_(fd_close_at) int fd = -1;
    char *rest, *name;

    if (*path == '/')
        return file_failed(err, -EXDEV, "make directory", directory, path);
    fd = start_to_make(directory, steps, &rest);
    if (fd < 0)
        return file_failed(err, fd, "make directory", directory, path);
    for (int depth = 0; (name = strsep(&rest, "/")); depth++) {
        int r = depth == DIRECTORY_PATH_DEPTH ? -ENAMETOOLONG : 0;

        if (r == 0 && *name)
            r = make_step(&fd, name, mode);
        if (r < 0)
            return file_failed(err, r, "make directory", directory, path);
    }
    return 0;
}

int directory_open(const char *path, mode_t mode, struct err *err)
{
    _cleanup_(mem_free_at) char *steps = mem_strdup(path);
    int fd;

    for (char *slash = steps; slash; *slash = '/') {
        slash = strchr(slash + 1, '/');
        if (slash)
            *slash = '\0';
        if (mkdir(steps, mode) < 0 && errno != EEXIST && errno != EROFS)
            return file_failed(err, -errno, "make directory", AT_FDCWD, steps);
        if (!slash)
            break;
    }
    fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? file_failed(err, -errno, "open", AT_FDCWD, path) : fd;
}

/* symbolic links */

int file_link_replace(int directory, const char *path, const char *target, struct err *err)
{
    _cleanup_(file_place_close) struct file_place place = {.parent = -1};
    char name[FILE_TEMPORARY_NAME_MAX];
    int r = file_place_open(directory, path, &place, err);

    if (r < 0)
        return r;
    file_temporary_name(name);
    if (symlinkat(target, place.parent, name) < 0)
        return file_failed(err, -errno, "make link", directory, path);
    if (renameat(place.parent, name, place.parent, place.name) == 0)
        return 0;
    r = -errno;
    unlinkat(place.parent, name, 0);
    return file_failed(err, r, "make link", directory, path);
}

bool file_link_is_dangling(int directory, const char *path)
{
    struct stat status;

    return fstatat(directory, path, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(status.st_mode) &&
           fstatat(directory, path, &status, 0) < 0 && errno == ENOENT;
}
