/*
 * Turns and sources.
 *
 * sd-event calls one source per wait, always the one with the best priority: a source that is
 * ready all the time would starve those below it. So a source that was called steps back behind
 * all classes until the turn ends, and a turn ends when nobody who is ready is left in front.
 * Everything is a descriptor to sd-event (signals are signalfds of our own), because only there
 * stepping back costs no system call.
 */
#include "loop-private.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/sys/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

struct loop_source {
    struct loop *loop;
    struct list link; /* in the loop's ready or called */
    sd_event_source *io;
    enum loop_class class;
    int own_fd; /* closed with the source, or -1 */
    void (*serve)(struct loop_source *source, int fd, uint32_t events);
    union {
        loop_fd_fn *on_fd;
        loop_signal_fn *on_signal;
    };
    void *data;
};

int loop_new(struct loop **result, struct err *err)
{
    struct loop *loop = mem_new(struct loop);
    int r;

    list_init(&loop->ready);
    list_init(&loop->called);
    r = sd_event_new(&loop->event);
    if (r < 0) {
        free(loop);
        return err_set(err, r, "event loop: cannot be created: %s", strerror(-r));
    }
    r = loop_inbox_init(loop, err);
    if (r < 0) {
        sd_event_unref(loop->event);
        free(loop);
        return r;
    }
    *result = loop;
    return 0;
}

struct loop *loop_free(struct loop *loop)
{
    if (!loop)
        return NULL;
    loop_inbox_deinit(loop);
    assert_that(list_empty(&loop->ready) && list_empty(&loop->called) && !loop->before_wait);
    sd_event_unref(loop->event);
    free(loop);
    return NULL;
}

void loop_before_wait(struct loop *loop, void (*call)(void *data), void *data)
{
    assert_that(!call || !loop->before_wait);
    loop->before_wait = call;
    loop->before_wait_data = data;
}

static void turn_begin(struct loop *loop)
{
    loop->turn_began = clock_monotonic();
}

static void turn_end(struct loop *loop)
{
    struct loop_turns *turns = &loop->turns;

    turns->last = usec_sub(clock_monotonic(), loop->turn_began);
    turns->longest = MAX(turns->longest, turns->last);
    turns->late += turns->last > LOOP_LATE_USEC;
    turns->count++;
    list_for_each (node, &loop->called) {
        struct loop_source *source = list_entry(node, struct loop_source, link);

        assert_that(sd_event_source_set_priority(source->io, source->class) >= 0);
    }
    list_splice(&loop->ready, &loop->called);
}

/* Did the last wait find a source that was not called in this turn? */
static bool turn_goes_on(struct loop *loop)
{
    if (loop->stopped)
        return false;
    list_for_each (node, &loop->ready) {
        if (sd_event_source_get_pending(list_entry(node, struct loop_source, link)->io) > 0)
            return true;
    }
    return false;
}

static int loop_wait(struct loop *loop, usec_t timeout)
{
    int r = sd_event_prepare(loop->event);

    return r == 0 ? sd_event_wait(loop->event, timeout) : r;
}

int loop_turn(struct loop *loop, usec_t timeout, struct err *err)
{
    int r;

    if (loop->before_wait)
        loop->before_wait(loop->before_wait_data);
    r = loop_wait(loop, timeout);
    if (r > 0) {
        turn_begin(loop);
        do
            r = sd_event_dispatch(loop->event);
        while (r > 0 && turn_goes_on(loop) && (r = loop_wait(loop, 0)) > 0);
        turn_end(loop);
        if (r >= 0)
            return 1;
    }
    if (r < 0)
        return err_set(err, r, "event loop: waiting failed: %s", strerror(-r));
    return 0;
}

int loop_run(struct loop *loop, struct err *err)
{
    while (!loop->stopped) {
        int r = loop_turn(loop, USEC_NEVER, err);

        if (r < 0)
            return r;
    }
    loop->stopped = false;
    return loop->code;
}

void loop_stop(struct loop *loop, int code)
{
    loop->stopped = true;
    loop->code = code;
}

const struct loop_turns *loop_turns(const struct loop *loop)
{
    return &loop->turns;
}

struct loop_budget loop_budget_begin(void)
{
    return (struct loop_budget){
        .events = LOOP_BUDGET_EVENTS,
        .until = usec_add(clock_monotonic(), LOOP_BUDGET_USEC),
    };
}

bool loop_budget_spend(struct loop_budget *budget)
{
    if (--budget->events == 0)
        return false;
    return clock_monotonic() < budget->until;
}

static int source_called(sd_event_source *io, int fd, uint32_t events, void *data)
{
    struct loop_source *source = data;

    /* All of it before the callback, which may free the source. */
    list_unlink(&source->link);
    list_push_back(&source->loop->called, &source->link);
    assert_that(sd_event_source_set_priority(io, source->class + LOOP_CLASS_COUNT) >= 0);
    source->serve(source, fd, events);
    return 0;
}

/* Takes over `source`, which the caller has described, also when it fails. */
static int source_add(struct loop_source *source, int fd, uint32_t events,
                      struct loop_source **result, struct err *err)
{
    int r;

    list_init(&source->link);
    r = sd_event_add_io(source->loop->event, &source->io, fd, events, source_called, source);
    if (r >= 0)
        r = sd_event_source_set_priority(source->io, source->class);
    if (r < 0) {
        loop_source_free(source);
        return err_set(err, r, "event loop: descriptor %d cannot be watched: %s", fd, strerror(-r));
    }
    list_push_back(&source->loop->ready, &source->link);
    *result = source;
    return 0;
}

static struct loop_source *source_new(struct loop *loop, enum loop_class class, void *data)
{
    struct loop_source *source = mem_new(struct loop_source);

    source->loop = loop;
    source->class = class;
    source->own_fd = -1;
    source->data = data;
    return source;
}

struct loop_source *loop_source_free(struct loop_source *source)
{
    if (!source)
        return NULL;
    list_unlink(&source->link);
    sd_event_source_disable_unref(source->io);
    if (source->own_fd >= 0)
        close(source->own_fd);
    free(source);
    return NULL;
}

static void serve_fd(struct loop_source *source, int fd, uint32_t events)
{
    source->on_fd(source->data, fd, events);
}

int loop_watch_fd(struct loop *loop, struct loop_source **result, enum loop_class class, int fd,
                  uint32_t events, loop_fd_fn *call, void *data, struct err *err)
{
    struct loop_source *source = source_new(loop, class, data);

    source->serve = serve_fd;
    source->on_fd = call;
    return source_add(source, fd, events, result, err);
}

int loop_change_fd(struct loop_source *source, uint32_t events, struct err *err)
{
    int r = 0;

    if (events)
        r = sd_event_source_set_io_events(source->io, events);
    if (r >= 0)
        r = sd_event_source_set_enabled(source->io, events ? SD_EVENT_ON : SD_EVENT_OFF);
    if (r < 0)
        return err_set(err, r, "event loop: a descriptor's events cannot be changed: %s",
                       strerror(-r));
    return 0;
}

static void serve_signal(struct loop_source *source, int fd, uint32_t events)
{
    struct signalfd_siginfo info;

    if (read(fd, &info, sizeof(info)) == sizeof(info))
        source->on_signal(source->data, (int)info.ssi_signo);
}

int loop_watch_signal(struct loop *loop, struct loop_source **result, enum loop_class class,
                      int signal, loop_signal_fn *call, void *data, struct err *err)
{
    struct loop_source *source;
    sigset_t set;
    int fd;

    sigemptyset(&set);
    sigaddset(&set, signal);
    assert_that(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
    fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0)
        return err_set(err, -errno, "event loop: signal %d cannot be watched: %m", signal);
    source = source_new(loop, class, data);
    source->own_fd = fd;
    source->serve = serve_signal;
    source->on_signal = call;
    return source_add(source, fd, EPOLLIN, result, err);
}
