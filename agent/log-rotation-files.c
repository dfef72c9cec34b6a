/*
 * The files of containers' logs. Names of rotated files sort by their age: a new one is never
 * called earlier than those that are there, though the clock may go back, each year by an hour.
 */
#include "log-rotation-files.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#define STAMP_FORMAT "%Y%m%d-%H%M%S"
#define PACKED_SUFFIX ".gz"
#define UNFINISHED_SUFFIX ".tmp"

struct rotated {
    const char *name;
    bool packed;
};

struct place { /* of one log */
    struct arena arena;
    int directory;
    const char *path;
    const char *name;                /* the last part of the path */
    list_of(struct rotated) rotated; /* the oldest first */
};

static void place_close(struct place *place)
{
    arena_deinit(&place->arena);
    fd_close_at(&place->directory);
}

/* A refused deed, of a file beside the log. */
static int refused(const struct place *place, const char *verb, const char *name, int code,
                   struct err *err)
{
    return err_set(err, -code, "log %s: cannot %s %s: %s", place->path, verb, name, strerror(code));
}

static int place_open(struct place *place, int logs, const char *path, struct err *err)
{
    const char *slash = strrchr(path, '/');

    *place = (struct place){.arena = ARENA_INIT_DOCUMENT, .directory = -1, .path = path};
    if (!slash)
        return err_set(err, -EINVAL, "log %s: it is in no directory of a container", path);
    place->name = slash + 1;
    place->directory =
        file_open_beneath(logs, arena_strndup(&place->arena, path, (size_t)(slash - path)),
                          O_RDONLY | O_DIRECTORY, 0, FILE_LINKS_REFUSED, err);
    return place->directory < 0 ? place->directory : 0;
}

/* looking */

enum container_log_sight container_log_look(int logs, const char *path, uint64_t size)
{
    struct err err;
    _cleanup_(fd_close_at) int fd =
        file_open_beneath(logs, path, O_PATH | O_NOFOLLOW, 0, FILE_LINKS_REFUSED, &err);
    struct stat status;

    if (fd < 0)
        return fd == -ENOENT ? CONTAINER_LOG_MISSING : CONTAINER_LOG_FINE;
    if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
        return CONTAINER_LOG_FINE;
    return status.st_size > 0 && (uint64_t)status.st_size >= size ? CONTAINER_LOG_LARGE
                                                                  : CONTAINER_LOG_FINE;
}

static bool is_regular(const struct place *place, const char *name)
{
    struct stat status;

    return fstatat(place->directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISREG(status.st_mode);
}

/* what is there of earlier rotations */

/* What comes behind "0.log." in a name, or NULL. */
static const char *rest_of(const struct place *place, const char *name)
{
    size_t length = strlen(place->name);

    return !strncmp(name, place->name, length) && name[length] == '.' ? name + length + 1 : NULL;
}

static bool is_stamp(const char *text, size_t length)
{
    static const char form[CONTAINER_LOG_STAMP_SIZE] = "00000000-000000";

    if (length != strlen(form))
        return false;
    for (size_t i = 0; i < length; i++)
        if (form[i] == '-' ? text[i] != '-' : text[i] < '0' || text[i] > '9')
            return false;
    return true;
}

static int remove_file(const struct place *place, const char *name, struct err *err)
{
    if (unlinkat(place->directory, name, 0) == 0 || errno == ENOENT)
        return 0;
    return refused(place, "remove", name, errno, err);
}

/* `next`: the name after it, of the sorted ones. A file of which there is a compressed one was to
 * be removed when the agent ended. */
static int take_entry(struct place *place, const char *name, const char *next, struct err *err)
{
    const char *rest = rest_of(place, name);
    bool packed = rest && str_has_suffix(rest, PACKED_SUFFIX);

    if (!rest || !is_regular(place, name))
        return 0;
    if (str_has_suffix(rest, UNFINISHED_SUFFIX))
        return remove_file(place, name, err);
    if (!is_stamp(rest, strlen(rest) - (packed ? strlen(PACKED_SUFFIX) : 0)))
        return 0;
    if (!packed && next && str_has_prefix(next, name) &&
        str_equal(next + strlen(name), PACKED_SUFFIX) && is_regular(place, next))
        return remove_file(place, name, err);
    place->rotated.items[place->rotated.count++] = (struct rotated){name, packed};
    return 0;
}

static int take_stock(struct place *place, struct err *err)
{
    struct directory_listing listing;
    int r = directory_list(place->directory, ".", CONTAINER_LOG_ENTRIES_MAX, &place->arena,
                           &listing, err);

    if (r < 0)
        return r;
    place->rotated.items = arena_array(&place->arena, struct rotated, listing.count);
    for (size_t i = 0; i < listing.count && r == 0; i++)
        r = take_entry(place, listing.items[i].name,
                       i + 1 < listing.count ? listing.items[i + 1].name : NULL, err);
    return r;
}

/* rotating */

static void stamp_at(time_t when, struct tm *(*convert)(const time_t *, struct tm *),
                     char stamp[CONTAINER_LOG_STAMP_SIZE])
{
    struct tm parts;

    if (!convert(&when, &parts) ||
        strftime(stamp, CONTAINER_LOG_STAMP_SIZE, STAMP_FORMAT, &parts) == 0)
        *stamp = '\0';
}

/* The second after; which zone it is in does not matter for that. */
static void stamp_after(const char *before, char stamp[CONTAINER_LOG_STAMP_SIZE])
{
    char text[CONTAINER_LOG_STAMP_SIZE];
    struct tm parts = {0};

    memcpy(text, before, CONTAINER_LOG_STAMP_SIZE - 1);
    text[CONTAINER_LOG_STAMP_SIZE - 1] = '\0';
    *stamp = '\0';
    if (strptime(text, STAMP_FORMAT, &parts))
        stamp_at(timegm(&parts) + 1, gmtime_r, stamp);
    if (strcmp(stamp, text) < 0)
        *stamp = '\0';
}

static int choose_stamp(const struct place *place, char stamp[CONTAINER_LOG_STAMP_SIZE],
                        struct err *err)
{
    size_t count = place->rotated.count;
    const char *newest = count ? place->rotated.items[count - 1].name : NULL;

    stamp_at((time_t)(clock_wall() / USEC_PER_SEC), localtime_r, stamp);
    if (newest && strncmp(stamp, rest_of(place, newest), strlen(stamp)) <= 0)
        stamp_after(rest_of(place, newest), stamp);
    if (*stamp)
        return 0;
    return err_set(err, -EOVERFLOW, "log %s: there is no name after %s: rename that file",
                   place->path, newest ? newest : place->name);
}

/* Room for the log and for what it is about to become. */
static int remove_oldest(struct place *place, uint32_t files_max, struct err *err)
{
    size_t keep = files_max > 2 ? files_max - 2 : 0;
    int r = 0;

    for (size_t i = 0; i + keep < place->rotated.count && r == 0; i++)
        r = remove_file(place, place->rotated.items[i].name, err);
    return r;
}

static int rename_log(struct place *place, const char *stamp, struct err *err)
{
    const char *name = arena_printf(&place->arena, "%s.%s", place->name, stamp);

    if (!is_regular(place, place->name))
        return err_set(err, -EINVAL, "log %s: it is no regular file any more", place->path);
    if (renameat2(place->directory, place->name, place->directory, name, RENAME_NOREPLACE) == 0)
        return 0;
    return refused(place, "rename it to", name, errno, err);
}

int container_log_rotate(int logs, const char *path, uint32_t files_max,
                         char stamp[CONTAINER_LOG_STAMP_SIZE], struct err *err)
{
    _cleanup_(place_close) struct place place;
    int r = place_open(&place, logs, path, err);

    if (r == 0)
        r = take_stock(&place, err);
    if (r == 0)
        r = choose_stamp(&place, stamp, err);
    if (r == 0)
        r = remove_oldest(&place, files_max, err);
    return r < 0 ? r : rename_log(&place, stamp, err);
}

int container_log_restore(int logs, const char *path, const char *stamp, struct err *err)
{
    _cleanup_(place_close) struct place place;
    const char *name;
    int r = place_open(&place, logs, path, err);

    if (r < 0)
        return r;
    name = arena_printf(&place.arena, "%s.%s", place.name, stamp);
    if (renameat2(place.directory, name, place.directory, place.name, RENAME_NOREPLACE) == 0)
        return 0;
    return errno == EEXIST ? 1 : refused(&place, "take back its name from", name, errno, err);
}

/* compressing */

static int copy_compressed(int from, gzFile to)
{
    _cleanup_(mem_free_at) char *chunk = mem_alloc(CONTAINER_LOG_CHUNK_SIZE);

    for (;;) {
        ssize_t got = read(from, chunk, CONTAINER_LOG_CHUNK_SIZE);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got < 0 ? -errno : 0;
        errno = 0;
        if (gzwrite(to, chunk, (unsigned)got) != got)
            return errno ? -errno : -EIO;
    }
}

/* Of the same mode, and on the disk: its source is removed next. */
static int fill_compressed(int from, int to)
{
    struct stat status;
    gzFile file;
    int copy, r;

    if (fstat(from, &status) < 0 || !S_ISREG(status.st_mode))
        return -EINVAL;
    copy = fd_duplicate(to);
    file = copy < 0 ? NULL : gzdopen(copy, "wb");
    if (!file) {
        fd_close_at(&copy);
        return -EMFILE;
    }
    r = copy_compressed(from, file);
    errno = 0;
    if (gzclose_w(file) != Z_OK && r == 0)
        r = errno ? -errno : -EIO;
    if (r == 0 && (fchmod(to, status.st_mode & 0777) < 0 || fsync(to) < 0))
        r = -errno;
    return r;
}

static int compress_file(struct place *place, const char *name, struct err *err)
{
    const char *packed = arena_printf(&place->arena, "%s" PACKED_SUFFIX, name);
    const char *unfinished = arena_printf(&place->arena, "%s" UNFINISHED_SUFFIX, name);
    _cleanup_(fd_close_at) int from = file_open_beneath(
        place->directory, name, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, FILE_LINKS_REFUSED, err);
    _cleanup_(fd_close_at) int to = -1;
    int r;

    if (from < 0)
        return from;
    to = file_open_beneath(place->directory, unfinished, O_WRONLY | O_CREAT | O_EXCL, 0600,
                           FILE_LINKS_REFUSED, err);
    if (to < 0)
        return to;
    r = fill_compressed(from, to);
    if (r == 0 && renameat(place->directory, unfinished, place->directory, packed) < 0)
        r = -errno;
    if (r < 0) {
        unlinkat(place->directory, unfinished, 0);
        return refused(place, "compress", name, -r, err);
    }
    return remove_file(place, name, err);
}

int container_log_compress(int logs, const char *path, struct err *err)
{
    _cleanup_(place_close) struct place place;
    int r = place_open(&place, logs, path, err);

    if (r == 0)
        r = take_stock(&place, err);
    for (size_t i = 0; i + 1 < place.rotated.count && r == 0; i++)
        if (!place.rotated.items[i].packed)
            r = compress_file(&place, place.rotated.items[i].name, err);
    return r;
}

/* removing */

int container_log_remove(int logs, const char *path, struct err *err)
{
    _cleanup_(place_close) struct place place;
    struct directory_listing listing = {0};
    int r = place_open(&place, logs, path, err);

    if (r == 0)
        r = directory_list(place.directory, ".", CONTAINER_LOG_ENTRIES_MAX, &place.arena, &listing,
                           err);
    for (size_t i = 0; i < listing.count && r == 0; i++)
        if (str_equal(listing.items[i].name, place.name) || rest_of(&place, listing.items[i].name))
            r = remove_file(&place, listing.items[i].name, err);
    return r == -ENOENT ? 0 : r;
}
