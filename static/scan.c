/*
 * A file is read when its identity changed. One that changes while it is read is left for the next
 * look; one that changed within a tick of the kernel's clock is read again then, as a second
 * change in the tick would not show.
 *
 * A single file is a directory of which one name matters: what a rename replaces is seen only
 * there.
 */
#include "scan.h"
#include "leftovers.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/files.h"
#include "watch.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TICK_USEC (20 * USEC_PER_MSEC) /* file times advance every 10 ms at HZ=100 */

struct scan *scan_new(const struct static_options *options, enum scan_form form, int64_t seen)
{
    struct scan *scan = mem_new(struct scan);

    scan->arena = ARENA_INIT_DOCUMENT;
    scan->place = arena_strdup(&scan->arena, options->place);
    scan->form = form;
    scan->inotify = -1;
    scan->watch = -ENOSYS;
    scan->origin = (struct manifest_origin){
        .form = MANIFEST_FILE,
        .node_name = arena_strdup(&scan->arena, options->node_name),
        .seen = seen,
        .config_objects = options->config_objects,
    };
    return scan;
}

void scan_know(struct scan *scan, const char *path, const struct file_id *id)
{
    struct file_id *copy = arena_new(&scan->arena, struct file_id);

    *copy = *id;
    map_put(&scan->known, path, copy);
}

void scan_hold(struct scan *scan, const char *path)
{
    map_put(&scan->held, path, scan);
}

void scan_free(void *data)
{
    struct scan *scan = data;

    array_for_each (entry, scan->entries)
        manifest_free(entry->manifest);
    free(scan->entries.items);
    map_deinit(&scan->known);
    map_deinit(&scan->held);
    fd_close_at(&scan->inotify);
    arena_deinit(&scan->arena);
    free(scan);
}

/* files */

static struct file_id id_of(const struct stat *status)
{
    struct file_id id;

    memset(&id, 0, sizeof(id)); /* it is compared as bytes */
    id.device = status->st_dev;
    id.inode = status->st_ino;
    id.size = status->st_size;
    id.modified = status->st_mtim;
    id.changed = status->st_ctim;
    return id;
}

static bool is_same_file(const struct file_id *a, const struct file_id *b)
{
    return !memcmp(a, b, sizeof(*a));
}

static bool changed_just_now(const struct file_id *id)
{
    usec_t changed = (usec_t)id->changed.tv_sec * USEC_PER_SEC + (usec_t)id->changed.tv_nsec / 1000,
           now = clock_wall();

    return usec_sub(now, changed) < TICK_USEC && usec_sub(changed, now) < TICK_USEC;
}

static void add_entry(struct scan *scan, const char *path, enum scan_outcome outcome,
                      const struct file_id *id, struct manifest *manifest)
{
    scan->entries.items = mem_grow(scan->entries.items, scan->entries.count, &scan->space,
                                   sizeof(*scan->entries.items));
    scan->entries.items[scan->entries.count++] = (struct scan_entry){
        .path = path,
        .outcome = outcome,
        .id = id ? *id : (struct file_id){0},
        .manifest = manifest,
    };
}

static const char *type_name(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFDIR:
        return "a directory";
    case S_IFIFO:
        return "a fifo";
    case S_IFSOCK:
        return "a socket";
    default:
        return "a device";
    }
}

static void add_unreadable(struct scan *scan, const char *path, const struct file_id *id,
                           const char *sentence)
{
    add_entry(scan, path, SCAN_READ, id, manifest_problem(path, true, "%s", sentence));
}

static void read_file(struct scan *scan, const char *path, struct file_id *id)
{
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;
    bool recent = changed_just_now(id);
    struct file_id after;
    struct stat status;
    struct err err;

    if (file_read(path, SCAN_FILE_BYTES_MAX, &text, &err) < 0) {
        /* It may be readable the next time, and nothing about it would have changed. */
        if (err.code != -ENOENT)
            add_unreadable(scan, path, NULL, err.text);
        return;
    }
    if (stat(path, &status) < 0)
        return;
    after = id_of(&status);
    if (!is_same_file(id, &after)) {
        add_entry(scan, path, SCAN_HELD, NULL, NULL);
        return;
    }
    scan->origin.place = path;
    add_entry(scan, path, SCAN_READ, recent ? NULL : id,
              manifest_read(&scan->origin, text.text ? text.text : "", text.length));
}

static void look_at_regular(struct scan *scan, const char *path, const struct stat *status)
{
    struct file_id id = id_of(status);
    const struct file_id *known = map_get(&scan->known, path);

    scan->bytes += (uint64_t)status->st_size;
    if (map_get(&scan->held, path))
        add_entry(scan, path, SCAN_HELD, NULL, NULL);
    else if (known && is_same_file(known, &id))
        add_entry(scan, path, SCAN_SAME, &id, NULL);
    else if (status->st_size > SCAN_FILE_BYTES_MAX)
        add_unreadable(scan, path, &id, "has more than the 10 MiB allowed");
    else if (scan->bytes > SCAN_BYTES_MAX)
        add_unreadable(scan, path, NULL,
                       "is not read: with the files before it, in the order of "
                       "names, it has more than the 256 MiB allowed");
    else
        read_file(scan, path, &id);
}

static void look_at(struct scan *scan, const char *path)
{
    struct stat status;
    int r = stat(path, &status) < 0 ? -errno : 0;

    if (r == 0 && S_ISREG(status.st_mode))
        look_at_regular(scan, path, &status);
    else if (r == 0)
        add_entry(scan, path, SCAN_NO_FILE, NULL,
                  manifest_problem(path, false, "is %s, not a file; it is not looked into",
                                   type_name(status.st_mode)));
    else if (r != -ENOENT)
        add_unreadable(scan, path, NULL, strerror(-r));
    else if (lstat(path, &status) == 0)
        add_entry(scan, path, SCAN_NO_FILE, NULL,
                  manifest_problem(path, false, "is a link to nothing"));
}

/* directories */

static const char *join(struct scan *scan, const char *directory, const char *name)
{
    size_t length = strlen(directory);

    return arena_printf(&scan->arena, "%s%s%s", directory,
                        length && directory[length - 1] == '/' ? "" : "/", name);
}

static bool is_file_name(const struct directory_entry *entry)
{
    return !leftover_is(entry->name);
}

static int list_files(struct scan *scan, int directory)
{
    struct directory_listing listing;
    size_t files = 0;
    int r = directory_list(directory, ".", SCAN_ENTRIES_MAX, &scan->arena, &listing, &scan->err);

    if (r < 0)
        return r;
    array_for_each (entry, listing)
        files += is_file_name(entry);
    if (files > SCAN_FILES_MAX)
        return err_set(&scan->err, -E2BIG,
                       "has %zu files, more than the %d allowed; it is not looked into until there "
                       "are fewer",
                       files, SCAN_FILES_MAX);
    array_for_each (entry, listing) {
        if (is_file_name(entry))
            look_at(scan, join(scan, scan->place, entry->name));
    }
    return 0;
}

/* Watches, then opens: what changes in between is told. */
static int open_watched(struct scan *scan, const char *path)
{
    struct stat status;
    int fd;

    if (scan->inotify >= 0)
        scan->watch = watch_add(scan->inotify, path);
    fd = open(path, O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return err_set(&scan->err, -errno, "cannot open directory %s: %m", path);
    if (fstat(fd, &status) < 0) {
        close(fd);
        return err_set(&scan->err, -errno, "cannot look at %s: %m", path);
    }
    scan->directory = (struct directory_id){status.st_dev, status.st_ino};
    return fd;
}

static int scan_directory(struct scan *scan)
{
    _cleanup_(fd_close_at) int fd = open_watched(scan, scan->place);

    return fd < 0 ? fd : list_files(scan, fd);
}

static int scan_file(struct scan *scan)
{
    _cleanup_(fd_close_at) int fd = -1;
    char *path = arena_strdup(&scan->arena, scan->place);

    fd = open_watched(scan, dirname(path));
    if (fd < 0)
        return fd;
    look_at(scan, scan->place);
    return 0;
}

/* What the place is now; what it was while there is nothing. */
static int find_form(struct scan *scan)
{
    struct stat status;

    if (stat(scan->place, &status) == 0) {
        scan->form = S_ISDIR(status.st_mode) ? SCAN_DIRECTORY : SCAN_FILE;
        return 0;
    }
    if (errno != ENOENT && errno != ENOTDIR)
        return err_set(&scan->err, -errno, "cannot look at it: %m");
    if (scan->form == SCAN_FILE)
        return 0;
    return err_set(&scan->err, -ENOENT, "does not exist");
}

int scan_run(void *data)
{
    struct scan *scan = data;
    int r = find_form(scan);

    if (r == 0)
        r = scan->form == SCAN_FILE ? scan_file(scan) : scan_directory(scan);
    if (r == -ENOTDIR)
        scan->err.code = -ENOENT;
    return 0;
}
