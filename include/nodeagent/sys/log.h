/*
 * The log. Under systemd records go to the journal with their fields; elsewhere each is a line on
 * stderr: "time level message pod=... container=...".
 *
 * A caller never waits: once log_start() was called, records go through a bounded ring to a thread
 * that does the waiting. What does not fit is dropped and counted, and the log says how many as
 * soon as it can. Before and after, records are written at once or dropped, without waiting either.
 * The same holds in a forked process, which has no such thread. Programs that log ignore SIGPIPE.
 *
 * A record that repeats the one before it is counted, not written; the count follows at the next
 * other record, or after LOG_FOLD_USEC.
 *
 * There is one log in a process, and it is the one global: every function may have something to
 * say, and a pointer to it in each signature would say nothing. log_set() sets it, once, before
 * there are threads; until then nothing is logged.
 */
#pragma once

#include "nodeagent/base/err.h"
#include "nodeagent/base/macros.h"
#include "nodeagent/base/time.h"

#include <stdbool.h>

struct log;

enum {
    LOG_RING_SIZE = 256 * 1024, /* about 1,000 records: a burst, such as the start of 100 pods */
    LOG_RECORD_MAX = 3 * 1024,  /* message and fields; what is longer is cut, so that a line fits */
    LOG_LINE_MAX = 4 * 1024,    /* PIPE_BUF: lines of several writers are never mixed */
};

#define LOG_FOLD_USEC (10 * USEC_PER_SEC)
#define LOG_JOURNAL_SOCKET "/run/systemd/journal/socket"

/* The numbers are syslog's. */
enum log_level {
    LOG_LEVEL_ERROR = 3,
    LOG_LEVEL_WARNING = 4,
    LOG_LEVEL_NOTICE = 5,
    LOG_LEVEL_INFO = 6,
    LOG_LEVEL_DEBUG = 7,
};

struct log_options {
    const char *identifier; /* the program, for the journal */
    enum log_level threshold;
    int fd;                     /* where lines go: STDERR_FILENO */
    const char *journal_socket; /* NULL: LOG_JOURNAL_SOCKET */
    usec_t fold_usec;           /* 0: LOG_FOLD_USEC */
};

/* Names are the journal's: A-Z, 0-9 and _. A NULL value leaves the field out. */
struct log_field {
    const char *name;
    const char *value;
};

struct log_site {
    const char *file;
    const char *function;
    int line;
};

/* the object: it looks at JOURNAL_STREAM, NO_COLOR and TERM */
struct log *log_new(const struct log_options *options);
struct log *log_free(struct log *log);
void log_set(struct log *log);
void log_set_threshold(struct log *log, enum log_level threshold);

/* the thread */
int log_start(struct log *log, struct err *err);
/* Waits until everything is written, at most `timeout`: 0 or -ETIMEDOUT. */
int log_flush(struct log *log, usec_t timeout);
/* Flushes, drops and counts what could not be written, and ends the thread. */
void log_stop(struct log *log, usec_t timeout);
/* Records lost since log_new(). */
uint64_t log_dropped(struct log *log);

/* records */
#define log_error(...) log_with(LOG_LEVEL_ERROR, NULL, __VA_ARGS__)
#define log_warning(...) log_with(LOG_LEVEL_WARNING, NULL, __VA_ARGS__)
#define log_notice(...) log_with(LOG_LEVEL_NOTICE, NULL, __VA_ARGS__)
#define log_info(...) log_with(LOG_LEVEL_INFO, NULL, __VA_ARGS__)
#define log_debug(...) log_with(LOG_LEVEL_DEBUG, NULL, __VA_ARGS__)

/* log_with(LOG_LEVEL_INFO, LOG_FIELDS({"POD", pod}, {"CONTAINER", name}), "started in %d ms", ms)
 */
#define LOG_FIELDS(...) ((const struct log_field[]){__VA_ARGS__, {NULL, NULL}})
#define LOG_SITE (&(const struct log_site){__FILE__, __func__, __LINE__})

#define log_with(level, fields, ...)                                                               \
    do {                                                                                           \
        if (log_enabled(level))                                                                    \
            log_write((level), LOG_SITE, (fields), __VA_ARGS__);                                   \
    } while (0)

/* The sentence of a struct err, with its errno as a field. */
#define log_failure(level, fields, err)                                                            \
    do {                                                                                           \
        if (log_enabled(level))                                                                    \
            log_write_failure((level), LOG_SITE, (fields), (err));                                 \
    } while (0)

bool log_enabled(enum log_level level);
void log_write(enum log_level level, const struct log_site *site, const struct log_field *fields,
               const char *format, ...) _printf_(4, 5);
void log_write_failure(enum log_level level, const struct log_site *site,
                       const struct log_field *fields, const struct err *err);
