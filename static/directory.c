/*
 * A manifest directory, or a single manifest. Looking happens in the pool (scan.h); here is what
 * each file was understood as last, and when to look again:
 *
 *     inotify ─► watch: settled? ─┐
 *     period, files on their way ─┴─► scan, in the pool ─► apply ─► source_deliver
 *
 * What a scan read is thrown away if the file was touched meanwhile. A file that is gone keeps its
 * pod for a while, and for longer if the directory is not the same any more, or none: that looks
 * like an unmount.
 */
#include "nodeagent/base/mem.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/wheel.h"
#include "nodeagent/sys/work.h"
#include "scan.h"
#include "source.h"
#include "watch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define GONE_USEC (300 * USEC_PER_MSEC)     /* editors and installers delete and create again */
#define ABSENT_USEC (1 * USEC_PER_SEC)      /* between looks for a place that is not there */
#define RETRY_USEC (100 * USEC_PER_MSEC)    /* after a file changed while it was read */
#define SCAN_LIMIT_USEC (60 * USEC_PER_SEC) /* 256 MiB at 10 MiB a second, and some */

struct manifest_file {
    struct file_id id;
    struct directory_id directory; /* where it was seen last */
    struct manifest *good;         /* as it was understood last, or NULL */
    struct manifest *bad;          /* why it is not understood now, or NULL */
    usec_t gone_since;             /* USEC_NEVER: it is there */
};

struct directory {
    struct static_source source;
    struct watch watch;
    char *watch_failure; /* why there is none, or NULL */
    struct wheel_timer timer;
    struct work_job *job;
    struct map files; /* paths to struct manifest_file */
    enum scan_form form;
    int watched;         /* watch descriptor, or negative */
    usec_t looked;       /* when the last look began */
    usec_t next;         /* look, by the clock */
    usec_t absent_since; /* USEC_NEVER: the place is there */
    bool looked_well;    /* once, at least */
    struct manifest *problem;
};

static void directory_look(struct directory *directory);

static void file_free(struct manifest_file *file)
{
    manifest_free(file->good);
    manifest_free(file->bad);
    free(file);
}

/* when to look */

static void arm(struct directory *directory)
{
    if (!directory->job)
        wheel_arm(directory->source.options.wheel, &directory->timer,
                  MIN(directory->next, directory->watch.due));
}

static void look_at_latest(struct directory *directory, usec_t when)
{
    directory->next = MIN(directory->next, when);
}

static void something_happened(void *owner)
{
    arm(owner);
}

static void timer_fired(struct wheel_timer *timer)
{
    directory_look(container_of(timer, struct directory, timer));
}

/* what was found */

static void set_problem(struct directory *directory, struct manifest *problem)
{
    manifest_free(directory->problem);
    directory->problem = problem;
}

static struct manifest_file *file_at(struct directory *directory, const char *path)
{
    struct manifest_file *file = map_get(&directory->files, path);

    if (!file) {
        file = mem_new(struct manifest_file);
        file->gone_since = USEC_NEVER;
        map_put(&directory->files, path, file);
    }
    return file;
}

static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static void take_manifest(struct manifest_file *file, struct scan_entry *entry)
{
    struct manifest *manifest = entry->manifest;

    entry->manifest = NULL;
    file->id = entry->id;
    file->bad = manifest_free(file->bad);
    if (!manifest->good) {
        file->bad = manifest;
        return;
    }
    if (file->good)
        manifest_keep_same(manifest, file->good);
    manifest_free(file->good);
    file->good = manifest;
}

/* It is not settled: it stays what it was, and is there. */
static void hold_file(struct directory *directory, const struct scan *scan, const char *path,
                      usec_t until)
{
    struct manifest_file *file = map_get(&directory->files, path);

    look_at_latest(directory, until);
    if (!file)
        return;
    file->gone_since = USEC_NEVER;
    file->directory = scan->directory;
}

static void take_entry(struct directory *directory, const struct scan *scan,
                       struct scan_entry *entry, usec_t now)
{
    usec_t until = watch_holds(&directory->watch, name_of(entry->path), now);
    struct manifest_file *file;

    if (entry->outcome == SCAN_HELD || (entry->outcome == SCAN_READ && until)) {
        hold_file(directory, scan, entry->path, until ? until : usec_add(now, RETRY_USEC));
        return;
    }
    file = file_at(directory, entry->path);
    if (entry->outcome == SCAN_NO_FILE) {
        manifest_free(file->bad);
        file->bad = entry->manifest;
        entry->manifest = NULL;
        file->id = (struct file_id){0};
        return; /* without a file, as far as its pod is concerned */
    }
    file->gone_since = USEC_NEVER;
    file->directory = scan->directory;
    if (entry->outcome == SCAN_READ)
        take_manifest(file, entry);
}

static bool is_same_directory(const struct directory_id *a, const struct directory_id *b)
{
    return a->device == b->device && a->inode == b->inode;
}

/* A file that this look did not find: true if its time is up. */
static bool file_is_over(struct directory *directory, const struct scan *scan, const char *path,
                         struct manifest_file *file, usec_t now)
{
    bool moved = !is_same_directory(&file->directory, &scan->directory);
    usec_t until;

    if (!file->good)
        return true;
    if (file->gone_since == USEC_NEVER)
        file->gone_since = now;
    until = usec_add(file->gone_since, moved ? directory->source.options.period : GONE_USEC);
    if (until <= now)
        return true;
    look_at_latest(directory, until);
    if (moved) {
        file->id = (struct file_id){0}; /* to be read again, and this forgotten, if it comes back */
        manifest_free(file->bad);
        file->bad = manifest_problem(path, true,
                                     "is gone, and the directory is not the one that held it "
                                     "(unmounted?); what it made is kept for a while");
    }
    return false;
}

static void drop_missing(struct directory *directory, const struct scan *scan, usec_t now)
{
    struct map found = MAP_INIT;
    struct map_entry *entry;
    size_t at = 0;

    array_for_each (present, scan->entries)
        map_put(&found, present->path, present);
    while ((entry = map_next(&directory->files, &at))) {
        const struct scan_entry *present = map_get(&found, entry->key);
        struct manifest_file *file = entry->value;

        if (present && present->outcome != SCAN_NO_FILE)
            continue;
        if (!file_is_over(directory, scan, entry->key, file, now))
            continue;
        if (present) {
            file->good = manifest_free(file->good);
            file->gone_since = USEC_NEVER;
        } else {
            map_remove(&directory->files, entry->key);
            file_free(file);
        }
    }
    map_deinit(&found);
}

static void take_files(struct directory *directory, struct scan *scan, usec_t now)
{
    directory->absent_since = USEC_NEVER;
    directory->looked_well = true;
    array_for_each (entry, scan->entries)
        take_entry(directory, scan, entry, now);
    drop_missing(directory, scan, now);
}

static void forget_files(struct directory *directory)
{
    struct map_entry *entry;
    size_t at = 0;

    while ((entry = map_next(&directory->files, &at)))
        file_free(entry->value);
    map_deinit(&directory->files);
    directory->files = MAP_INIT;
}

/* An empty set, but not as soon as a mount goes away. */
static void take_absence(struct directory *directory, usec_t now)
{
    const struct static_options *options = &directory->source.options;

    directory->looked_well = true;
    look_at_latest(directory, usec_add(now, ABSENT_USEC));
    if (directory->absent_since == USEC_NEVER)
        directory->absent_since = now;
    if (usec_sub(now, directory->absent_since) >= options->period)
        forget_files(directory);
    if (map_count(&directory->files))
        set_problem(directory,
                    manifest_problem(options->place, true,
                                     "does not exist any more (unmounted?); what it made is kept "
                                     "for a while, and stopped if it does not come back"));
}

static void take_watch(struct directory *directory, const struct scan *scan)
{
    const struct static_options *options = &directory->source.options;

    directory->form = scan->form;
    watch_restrict(&directory->watch, scan->form == SCAN_FILE ? name_of(options->place) : NULL);
    if (scan->err.code == -ENOENT)
        return;
    if (directory->watch.fd >= 0 && directory->watched >= 0 && directory->watched != scan->watch)
        watch_remove(&directory->watch, directory->watched);
    directory->watched = scan->watch;
    if (directory->watch_failure)
        set_problem(directory,
                    manifest_problem(options->place, false, "%s", directory->watch_failure));
    else if (scan->watch < 0)
        set_problem(directory, manifest_problem(options->place, false,
                                                "changes are only seen by looking now and then, "
                                                "inotify fails: %s; raise "
                                                "fs.inotify.max_user_watches",
                                                strerror(-scan->watch)));
}

/* telling */

static int compare_candidates(const void *a, const void *b)
{
    const struct source_candidate *left = a, *right = b;

    return strcmp(left->path, right->path);
}

/* The last thing of a turn here: the owner may free the source. */
static void deliver(struct directory *directory)
{
    _cleanup_(mem_free_at) struct source_candidate *candidates =
        mem_zalloc(sizeof(*candidates) * (map_count(&directory->files) + 1));
    struct source_view view = {
        .candidates.items = candidates,
        .problem = directory->problem,
        .complete = directory->looked_well,
    };
    struct map_entry *entry;
    size_t at = 0;

    while ((entry = map_next(&directory->files, &at))) {
        const struct manifest_file *file = entry->value;

        candidates[view.candidates.count++] = (struct source_candidate){
            .path = entry->key,
            .good = file->good,
            .bad = file->bad,
            .leaving = file->gone_since != USEC_NEVER,
        };
        view.complete &= file->good || !file->bad || file->bad->good;
    }
    qsort(candidates, view.candidates.count, sizeof(*candidates), compare_candidates);
    source_deliver(&directory->source, &view);
}

/* looking */

static void not_looked(struct directory *directory, int code)
{
    const char *why = code == -ENOBUFS ? "too much else is waiting to be read"
                                       : "its disk or mount does not answer";

    set_problem(directory,
                manifest_problem(directory->source.options.place, true,
                                 "cannot be looked at: %s; what was there is kept", why));
    arm(directory);
    deliver(directory);
}

static void apply(struct directory *directory, struct scan *scan)
{
    usec_t now = clock_boottime();

    watch_drain(&directory->watch);
    set_problem(directory, NULL);
    take_watch(directory, scan);
    if (scan->err.code == 0)
        take_files(directory, scan, now);
    else if (scan->err.code == -ENOENT)
        take_absence(directory, now);
    else
        set_problem(directory,
                    manifest_problem(directory->source.options.place, true, "%s", scan->err.text));
    arm(directory);
    deliver(directory);
}

static void scan_done(void *owner, void *argument, int result)
{
    struct directory *directory = owner;

    directory->job = NULL;
    if (result == -ECANCELED)
        return;
    if (argument)
        apply(directory, argument);
    else
        not_looked(directory, result);
}

static struct scan *prepare_scan(struct directory *directory)
{
    struct scan *scan =
        scan_new(&directory->source.options, directory->form, (int64_t)clock_wall());
    struct map_entry *entry;
    size_t at = 0;

    scan->inotify = watch_duplicate(&directory->watch);
    while ((entry = map_next(&directory->files, &at))) {
        const struct manifest_file *file = entry->value;

        scan_know(scan, entry->key, &file->id);
        if (watch_holds(&directory->watch, name_of(entry->key), directory->looked))
            scan_hold(scan, entry->key);
    }
    return scan;
}

static void directory_look(struct directory *directory)
{
    const struct static_options *options = &directory->source.options;
    struct work_order order = {
        .key = options->place,
        .limit_usec = SCAN_LIMIT_USEC,
        .run = scan_run,
        .done = scan_done,
        .free = scan_free,
        .owner = directory,
    };
    struct scan *scan;
    int r;

    watch_drain(&directory->watch);
    directory->looked = clock_boottime();
    watch_begin_look(&directory->watch, directory->looked);
    directory->next = usec_add(directory->looked, options->period);
    scan = prepare_scan(directory);
    order.argument = scan;
    r = work_submit(options->work, &order, &directory->job, NULL);
    if (r < 0) {
        scan_free(scan);
        not_looked(directory, r);
    }
}

/* making */

static void directory_free(struct static_source *source)
{
    struct directory *directory = container_of(source, struct directory, source);

    if (directory->job)
        work_cancel(directory->job);
    wheel_cancel(&directory->timer);
    watch_close(&directory->watch);
    forget_files(directory);
    set_problem(directory, NULL);
    free(directory->watch_failure);
    source_deinit(source);
    free(directory);
}

/* "/etc/manifests/" and "/etc/manifests" are one place, whose files have one path and UID. */
static void trim_place(struct static_source *source)
{
    char *place = (char *)source->options.place;
    size_t length = strlen(place);

    while (length > 1 && place[length - 1] == '/')
        place[--length] = '\0';
}

int static_directory_new(struct static_source **result, const struct static_options *options,
                         struct err *err)
{
    struct directory *directory;
    struct err failure;

    assert_that(options->work && options->wheel && options->period);
    if (options->place[0] != '/')
        return err_set(err, -EINVAL,
                       "static pod path \"%s\": must be absolute, begin it with \"/\"",
                       options->place);
    directory = mem_new(struct directory);
    source_init(&directory->source, options, directory_free);
    trim_place(&directory->source);
    wheel_timer_init(&directory->timer, timer_fired);
    directory->watched = -ENOENT;
    directory->absent_since = USEC_NEVER;
    if (watch_open(&directory->watch, options->loop, something_happened, directory, &failure) < 0)
        directory->watch_failure = mem_strdup(failure.text);
    directory->next = clock_boottime();
    arm(directory);
    *result = &directory->source;
    return 0;
}
