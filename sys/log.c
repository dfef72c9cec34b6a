/*
 * Records are formatted by the caller on its stack, compared with the one before, and copied into
 * the ring under a lock that is never held while something is written. The writer thread takes
 * them out one at a time and waits where it must: for room in the journal or in a pipe, for a
 * restarted journald, for the end of the program.
 *
 * Other things that must not block the loop (sd_notify) can become another kind of record.
 */
#include "nodeagent/sys/log.h"
#include "log-sink.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/files.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    RETRY_MSEC = 200,          /* between looks for a journald that is gone or full */
    WRITER_STACK = 256 * 1024, /* as every thread's here */
    REPEATED_TEXT_MAX = 64,    /* " (repeated 4294967295 times)" */
    RECORD_HEAD = offsetof(struct log_record, bytes),
};

struct log {
    atomic_int threshold;
    pid_t owner; /* a forked process has neither the thread nor a sane lock */
    usec_t fold_usec;
    struct log_sink sink; /* the thread's while it runs, else under the lock */
    pthread_t thread;
    int stop_event; /* readable once the thread shall end */
    atomic_bool stopping;
    pthread_mutex_t lock;  /* of all below */
    pthread_cond_t filled; /* for the thread */
    pthread_cond_t drained;
    bool running;
    bool failing; /* the last record could not be written: no use in saying so on its own */
    bool writing; /* a record is neither in the ring nor written */
    char *ring;
    size_t ring_start;
    size_t ring_used;
    uint64_t dropped; /* since the log last said so */
    uint64_t dropped_total;
    struct log_record last;
    uint64_t repeats; /* of `last` that were not written */
    usec_t fold_until;
};

static _Atomic(struct log *) the_log;

/* the ring */

static void ring_put(struct log *log, const void *bytes, size_t length)
{
    size_t at = (log->ring_start + log->ring_used) % LOG_RING_SIZE;
    size_t first = MIN(length, LOG_RING_SIZE - at);

    memcpy(log->ring + at, bytes, first);
    memcpy(log->ring, (const char *)bytes + first, length - first);
    log->ring_used += length;
}

static void ring_take(struct log *log, void *bytes, size_t length)
{
    size_t first = MIN(length, LOG_RING_SIZE - log->ring_start);

    memcpy(bytes, log->ring + log->ring_start, first);
    memcpy((char *)bytes + first, log->ring, length - first);
    log->ring_start = (log->ring_start + length) % LOG_RING_SIZE;
    log->ring_used -= length;
}

static bool ring_push(struct log *log, const struct log_record *record)
{
    size_t size = RECORD_HEAD + record->length;

    if (LOG_RING_SIZE - log->ring_used < size)
        return false;
    ring_put(log, record, size);
    pthread_cond_signal(&log->filled);
    return true;
}

static bool ring_pop(struct log *log, struct log_record *record)
{
    if (!log->ring_used)
        return false;
    ring_take(log, record, RECORD_HEAD);
    ring_take(log, record->bytes, record->length);
    return true;
}

/* records */

/* As much of "NAME=value" as there is room for. */
_printf_(3, 0) static void record_addv(struct log_record *record, const char *name,
                                       const char *format, va_list arguments)
{
    size_t room = LOG_RECORD_MAX - record->length, name_size = strlen(name) + 1;
    char *field = record->bytes + record->length, *value = field + name_size;
    int length;

    if (room <= name_size + 1)
        return;
    room -= name_size;
    memcpy(stpcpy(field, name), "=", 1);
    length = vsnprintf(value, room, format, arguments);
    length = MAX(length, 0);
    if ((size_t)length >= room)
        length = (int)utf8_cut(value, room - 1);
    value[length] = '\0';
    record->length += (uint32_t)(name_size + (size_t)length + 1);
}

_printf_(3, 4) static void record_add(struct log_record *record, const char *name,
                                      const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    record_addv(record, name, format, arguments);
    va_end(arguments);
}

static void record_begin(struct log_record *record, enum log_level level)
{
    record->time_usec = (int64_t)clock_wall();
    record->dropped = 0;
    record->level = level;
    record->length = 0;
}

static void record_end(struct log_record *record, const struct log_site *site,
                       const struct log_field *fields)
{
    for (; fields && fields->name; fields++)
        if (fields->value)
            record_add(record, fields->name, "%s", fields->value);
    record_add(record, "CODE_FILE", "%s", site->file);
    record_add(record, "CODE_LINE", "%d", site->line);
    record_add(record, "CODE_FUNC", "%s", site->function);
}

static bool record_repeats(const struct log_record *record, const struct log_record *last)
{
    return record->level == last->level && record->length == last->length &&
           !memcmp(record->bytes, last->bytes, last->length);
}

/* The record again, with a count behind its message. */
static void record_fold(struct log_record *folded, const struct log_record *last, uint64_t repeats)
{
    const char *field = last->bytes, *end = field + last->length;
    const char *message = strchr(field, '=') + 1;
    /* The count counts more than the end of a message that fills a record. */
    size_t length = utf8_cut(message, strnlen(message, LOG_RECORD_MAX - REPEATED_TEXT_MAX));

    record_begin(folded, (enum log_level)last->level);
    record_add(folded, "MESSAGE", "%.*s (repeated %llu times)", (int)length, message,
               (unsigned long long)repeats);
    for (field += strlen(field) + 1; field < end; field += strlen(field) + 1) {
        size_t name_length = (size_t)(strchr(field, '=') - field);
        char name[LOG_RECORD_MAX];

        memcpy(name, field, name_length);
        name[name_length] = '\0';
        record_add(folded, name, "%s", field + name_length + 1);
    }
}

/* under the lock */

static bool emit(struct log *log, const struct log_record *record)
{
    return log->running ? ring_push(log, record) : sink_write(&log->sink, record) == 0;
}

/* A record that tells of others leaves them to be told of again. */
static void drop(struct log *log, const struct log_record *record)
{
    log->dropped += record->dropped ? record->dropped : 1;
    log->dropped_total += record->dropped ? 0 : 1;
}

/* Says how many records are missing at this place; false when not even that can be said yet. */
static bool admit_drops(struct log *log)
{
    struct log_record record;

    if (!log->dropped)
        return true;
    record_begin(&record, LOG_LEVEL_WARNING);
    record_add(&record, "MESSAGE", "%llu log records were dropped, nobody read them in time",
               (unsigned long long)log->dropped);
    record.dropped = log->dropped;
    if (!emit(log, &record))
        return false;
    log->dropped = 0;
    return true;
}

static void put(struct log *log, const struct log_record *record)
{
    if (!admit_drops(log) || !emit(log, record))
        drop(log, record);
}

static void end_fold(struct log *log)
{
    struct log_record folded;

    if (!log->repeats)
        return;
    record_fold(&folded, &log->last, log->repeats);
    log->repeats = 0;
    put(log, &folded);
}

static void add(struct log *log, const struct log_record *record)
{
    if (!record_repeats(record, &log->last)) {
        end_fold(log);
        memcpy(&log->last, record, RECORD_HEAD + record->length);
        put(log, record);
        return;
    }
    if (log->repeats++ == 0) {
        log->fold_until = usec_add(clock_monotonic(), log->fold_usec);
        pthread_cond_signal(&log->filled);
    } else if (!log->running && clock_monotonic() >= log->fold_until) {
        end_fold(log);
    }
}

/* callers */

bool log_enabled(enum log_level level)
{
    struct log *log = atomic_load_explicit(&the_log, memory_order_acquire);

    return log && (int)level <= atomic_load_explicit(&log->threshold, memory_order_relaxed);
}

static void submit(const struct log_record *record)
{
    struct log *log = atomic_load_explicit(&the_log, memory_order_acquire);

    if (!log)
        return;
    if (getpid() != log->owner) {
        sink_write(&log->sink, record);
        return;
    }
    pthread_mutex_lock(&log->lock);
    add(log, record);
    pthread_mutex_unlock(&log->lock);
}

void log_write(enum log_level level, const struct log_site *site, const struct log_field *fields,
               const char *format, ...)
{
    struct log_record record;
    va_list arguments;

    record_begin(&record, level);
    va_start(arguments, format);
    record_addv(&record, "MESSAGE", format, arguments);
    va_end(arguments);
    record_end(&record, site, fields);
    submit(&record);
}

void log_write_failure(enum log_level level, const struct log_site *site,
                       const struct log_field *fields, const struct err *err)
{
    struct log_record record;

    record_begin(&record, level);
    record_add(&record, "MESSAGE", "%s", err->text);
    record_add(&record, "ERRNO", "%d", -err->code);
    record_end(&record, site, fields);
    submit(&record);
}

/* the thread */

/* Until the sink may take more, or the thread shall end. */
static void wait_for_room(struct log *log, int error)
{
    struct pollfd polled[] = {
        {.fd = log->stop_event, .events = POLLIN},
        {.fd = error == -EAGAIN ? log->sink.fd : -1, .events = POLLOUT},
    };

    poll(polled, array_size(polled), RETRY_MSEC);
}

static bool deliver(struct log *log, const struct log_record *record)
{
    for (;;) {
        int r = sink_write(&log->sink, record);

        if (r == 0)
            return true;
        if ((r != -EAGAIN && r != -ENOTCONN) || atomic_load(&log->stopping))
            return false;
        wait_for_room(log, r);
    }
}

static void wait_for_records(struct log *log)
{
    struct timespec until = {
        .tv_sec = (time_t)(log->fold_until / USEC_PER_SEC),
        .tv_nsec = (long)(log->fold_until % USEC_PER_SEC) * 1000,
    };

    if (log->repeats)
        pthread_cond_timedwait(&log->filled, &log->lock, &until);
    else
        pthread_cond_wait(&log->filled, &log->lock);
}

static void *writer(void *userdata)
{
    struct log_record record;
    struct log *log = userdata;

    pthread_mutex_lock(&log->lock);
    for (;;) {
        if (log->repeats && clock_monotonic() >= log->fold_until)
            end_fold(log);
        if (!log->ring_used && !log->failing)
            admit_drops(log);
        if (ring_pop(log, &record)) {
            bool delivered;

            log->writing = true;
            pthread_mutex_unlock(&log->lock);
            delivered = deliver(log, &record);
            pthread_mutex_lock(&log->lock);
            log->writing = false;
            log->failing = !delivered;
            if (!delivered)
                drop(log, &record);
            continue;
        }
        pthread_cond_broadcast(&log->drained);
        if (atomic_load(&log->stopping))
            break;
        wait_for_records(log);
    }
    pthread_mutex_unlock(&log->lock);
    return NULL;
}

/* Signals are the loop's. */
static int thread_start(struct log *log)
{
    pthread_attr_t attributes;
    sigset_t all, before;
    int r;

    sigfillset(&all);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, WRITER_STACK);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    r = pthread_create(&log->thread, &attributes, writer, log);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return -r;
}

int log_start(struct log *log, struct err *err)
{
    int r;

    assert_that(!log->running && getpid() == log->owner);
    log->stop_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (log->stop_event < 0)
        return err_set(err, -errno, "cannot start the log: %s", strerror(errno));
    atomic_store(&log->stopping, false);
    pthread_mutex_lock(&log->lock);
    r = thread_start(log);
    log->running = r == 0;
    pthread_mutex_unlock(&log->lock);
    if (r < 0) {
        fd_close_at(&log->stop_event);
        return err_set(err, r, "cannot start the log's thread: %s", strerror(-r));
    }
    pthread_setname_np(log->thread, "log");
    return 0;
}

static int flush_locked(struct log *log, usec_t timeout)
{
    usec_t deadline = usec_add(clock_monotonic(), timeout);
    struct timespec until = {
        .tv_sec = (time_t)(deadline / USEC_PER_SEC),
        .tv_nsec = (long)(deadline % USEC_PER_SEC) * 1000,
    };

    end_fold(log);
    if (!log->running)
        return admit_drops(log) ? 0 : -ETIMEDOUT;
    pthread_cond_signal(&log->filled);
    while (log->ring_used || log->writing)
        if (pthread_cond_timedwait(&log->drained, &log->lock, &until) == ETIMEDOUT)
            return -ETIMEDOUT;
    return 0;
}

int log_flush(struct log *log, usec_t timeout)
{
    int r;

    pthread_mutex_lock(&log->lock);
    r = flush_locked(log, timeout);
    pthread_mutex_unlock(&log->lock);
    return r;
}

void log_stop(struct log *log, usec_t timeout)
{
    if (!log->running)
        return;
    log_flush(log, timeout);
    atomic_store(&log->stopping, true);
    assert_that(eventfd_write(log->stop_event, 1) == 0);
    pthread_mutex_lock(&log->lock);
    pthread_cond_signal(&log->filled);
    pthread_mutex_unlock(&log->lock);
    pthread_join(log->thread, NULL);
    pthread_mutex_lock(&log->lock);
    log->running = false;
    admit_drops(log);
    pthread_mutex_unlock(&log->lock);
    fd_close_at(&log->stop_event);
}

/* the object */

struct log *log_new(const struct log_options *options)
{
    struct log *log = mem_new(struct log);
    pthread_condattr_t attributes;

    atomic_init(&log->threshold, (int)options->threshold);
    log->owner = getpid();
    log->fold_usec = options->fold_usec ? options->fold_usec : LOG_FOLD_USEC;
    log->stop_event = -1;
    log->ring = mem_alloc(LOG_RING_SIZE);
    sink_init(&log->sink, options);
    pthread_mutex_init(&log->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&log->filled, &attributes);
    pthread_cond_init(&log->drained, &attributes);
    pthread_condattr_destroy(&attributes);
    return log;
}

struct log *log_free(struct log *log)
{
    struct log *expected = log;

    if (!log)
        return NULL;
    assert_that(!log->running);
    atomic_compare_exchange_strong(&the_log, &expected, NULL);
    pthread_mutex_lock(&log->lock);
    end_fold(log);
    pthread_mutex_unlock(&log->lock);
    sink_deinit(&log->sink);
    pthread_mutex_destroy(&log->lock);
    pthread_cond_destroy(&log->filled);
    pthread_cond_destroy(&log->drained);
    free(log->ring);
    free(log);
    return NULL;
}

void log_set(struct log *log)
{
    atomic_store_explicit(&the_log, log, memory_order_release);
}

void log_set_threshold(struct log *log, enum log_level threshold)
{
    atomic_store_explicit(&log->threshold, (int)threshold, memory_order_relaxed);
}

uint64_t log_dropped(struct log *log)
{
    uint64_t dropped;

    pthread_mutex_lock(&log->lock);
    dropped = log->dropped_total;
    pthread_mutex_unlock(&log->lock);
    return dropped;
}
