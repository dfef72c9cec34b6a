/*
 * The rules for a file, from the events that bear its name:
 *
 *     written to            held until it is closed (at most WATCH_WRITER_*)
 *     renamed to it         held for WATCH_RENAMED_USEC
 *     closed                held for WATCH_CLOSED_USEC
 *     anything else         held for WATCH_SETTLE_USEC
 *     all the time          but not for more than WATCH_BUSY_USEC
 *
 * Dot files and leftovers (leftovers.h) come and go without notice, but for names that begin with
 * "..": whoever writes "..data" exchanges everything behind a link.
 */
#include "watch.h"
#include "leftovers.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/base/str.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/files.h"
#include "nodeagent/sys/loop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

enum {
    READ_BYTES = 16 * 1024, /* some 400 events */
    READS_MAX = 256,        /* the kernel queues 16384 events of at most 272 bytes */
};

struct touch {
    usec_t first;
    usec_t last;
    bool open;    /* written to, not closed since */
    usec_t quiet; /* to be waited for after the last event */
};

static void forget_names(struct watch *watch)
{
    struct map_entry *entry;
    size_t at = 0;

    while ((entry = map_next(&watch->names, &at)))
        free(entry->value);
    map_deinit(&watch->names);
    watch->names = MAP_INIT;
}

/* events */

static usec_t quiet_after(const struct inotify_event *event)
{
    if (event->len && event->mask & IN_MOVED_TO)
        return WATCH_RENAMED_USEC;
    return event->len && event->mask & IN_CLOSE_WRITE ? WATCH_CLOSED_USEC : WATCH_SETTLE_USEC;
}

static void touch(struct watch *watch, const struct inotify_event *event, usec_t now)
{
    struct touch *touch = map_get(&watch->names, event->name);

    if (!touch) {
        if (map_count(&watch->names) == WATCH_NAMES_MAX)
            return;
        touch = mem_new(struct touch);
        touch->first = now;
        map_put(&watch->names, event->name, touch);
    }
    touch->last = now;
    if (event->mask & IN_MODIFY)
        touch->open = true;
    if (event->mask & (IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CREATE))
        touch->open = false;
    touch->quiet = quiet_after(event);
}

static bool matters(const struct watch *watch, const struct inotify_event *event)
{
    if (!event->len || str_has_prefix(event->name, ".."))
        return true;
    return watch->only ? str_equal(event->name, watch->only) : !leftover_is(event->name);
}

static void take_event(struct watch *watch, const struct inotify_event *event, usec_t now)
{
    /* The kernel dropped events, and with them the ends of writes. */
    if (event->mask & IN_Q_OVERFLOW)
        forget_names(watch);
    if (event->mask & IN_IGNORED || !matters(watch, event))
        return;
    if (event->len)
        touch(watch, event, now);
    if (watch->first == USEC_NEVER)
        watch->first = now;
    watch->due = MIN(usec_add(now, quiet_after(event)), usec_add(watch->first, WATCH_BUSY_USEC));
}

/* Whether there may be more. */
static bool take_events(struct watch *watch)
{
    char buffer[READ_BYTES] __attribute__((aligned(__alignof__(struct inotify_event))));
    ssize_t got = watch->fd < 0 ? 0 : read(watch->fd, buffer, sizeof(buffer));
    usec_t now = clock_boottime();

    for (ssize_t at = 0; at < got;) {
        const struct inotify_event *event = (const struct inotify_event *)(buffer + at);

        take_event(watch, event, now);
        at += (ssize_t)(sizeof(*event) + event->len);
    }
    return got > 0;
}

static void watch_ready(void *data, int fd, uint32_t events)
{
    struct watch *watch = data;

    take_events(watch);
    watch->call(watch->owner);
}

void watch_drain(struct watch *watch)
{
    for (int i = 0; i < READS_MAX && take_events(watch); i++)
        ;
}

/* opening */

int watch_open(struct watch *watch, struct loop *loop, watch_fn *call, void *owner, struct err *err)
{
    int r;

    *watch = (struct watch){
        .names = MAP_INIT,
        .first = USEC_NEVER,
        .due = USEC_NEVER,
        .call = call,
        .owner = owner,
    };
    watch->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (watch->fd < 0)
        return err_set(err, -errno,
                       "changes are only seen by looking now and then, inotify fails: %m; raise "
                       "fs.inotify.max_user_instances");
    r = loop_watch_fd(loop, &watch->source, LOOP_API, watch->fd, EPOLLIN, watch_ready, watch, err);
    if (r < 0)
        watch_close(watch);
    return r;
}

void watch_close(struct watch *watch)
{
    watch->source = loop_source_free(watch->source);
    if (watch->fd >= 0)
        close(watch->fd);
    watch->fd = -1;
    forget_names(watch);
    free(watch->only);
    watch->only = NULL;
}

void watch_restrict(struct watch *watch, const char *only)
{
    free(watch->only);
    watch->only = only ? mem_strdup(only) : NULL;
}

/* looking */

static usec_t settles_at(const struct touch *touch)
{
    if (touch->open)
        return MIN(usec_add(touch->last, WATCH_WRITER_QUIET_USEC),
                   usec_add(touch->first, WATCH_WRITER_MAX_USEC));
    return MIN(usec_add(touch->last, touch->quiet), usec_add(touch->first, WATCH_BUSY_USEC));
}

usec_t watch_holds(const struct watch *watch, const char *name, usec_t now)
{
    const struct touch *touch = map_get(&watch->names, name);
    usec_t until = touch ? settles_at(touch) : 0;

    return until > now ? until : 0;
}

void watch_begin_look(struct watch *watch, usec_t now)
{
    struct map_entry *entry;
    size_t at = 0;

    while ((entry = map_next(&watch->names, &at))) {
        struct touch *touch = entry->value;

        if (settles_at(touch) <= now) {
            map_remove_bytes(&watch->names, entry->key, entry->key_length);
            free(touch);
        }
    }
    watch->first = USEC_NEVER;
    watch->due = USEC_NEVER;
}

/* watching: from the pool, as looking up a path may block */

int watch_duplicate(const struct watch *watch)
{
    return watch->fd < 0 ? -1 : fd_duplicate(watch->fd);
}

int watch_add(int fd, const char *path)
{
    int descriptor =
        inotify_add_watch(fd, path,
                          IN_CREATE | IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB | IN_MOVED_FROM |
                              IN_MOVED_TO | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR);

    return descriptor < 0 ? -errno : descriptor;
}

void watch_remove(struct watch *watch, int descriptor)
{
    inotify_rm_watch(watch->fd, descriptor);
}
