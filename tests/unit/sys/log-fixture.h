/* What tests of sys/log share: a log into one end of something, and the other end. */
#pragma once

#include "test.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/base/str.h"
#include "nodeagent/sys/log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    PATIENCE_MSEC = 20000,
};

#define SECONDS(count) ((count)*USEC_PER_SEC)

/* A log into one end of something, and the other end. */
struct fixture {
    struct log *log;
    int reader;
    int writer;
    struct strbuf seen;
};

static inline struct log_options options_for(int fd)
{
    return (struct log_options){
        .identifier = "test", .threshold = LOG_LEVEL_INFO, .fd = fd, .fold_usec = SECONDS(60)};
}

static inline void open_log(struct fixture *fixture, int reader, int writer)
{
    struct log_options options = options_for(writer);

    fcntl(reader, F_SETFL, O_NONBLOCK);
    fixture->reader = reader;
    fixture->writer = writer;
    fixture->log = log_new(&options);
    log_set(fixture->log);
}

static inline int set_up(void **state)
{
    static struct fixture fixture;
    int ends[2];

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    fixture.seen = STRBUF_INIT;
    open_log(&fixture, ends[0], ends[1]);
    *state = &fixture;
    return 0;
}

static inline int tear_down(void **state)
{
    struct fixture *fixture = *state;

    log_stop(fixture->log, 0);
    log_free(fixture->log);
    close(fixture->reader);
    close(fixture->writer);
    strbuf_deinit(&fixture->seen);
    return 0;
}

/* Adds what is there to `seen`. */
static inline void look(struct fixture *fixture)
{
    char bytes[64 * 1024];
    ssize_t got;

    while ((got = read(fixture->reader, bytes, sizeof(bytes))) > 0)
        strbuf_add_bytes(&fixture->seen, bytes, (size_t)got);
}

static inline const char *seen(struct fixture *fixture)
{
    look(fixture);
    return fixture->seen.text ? fixture->seen.text : "";
}

static inline void forget(struct fixture *fixture)
{
    look(fixture);
    strbuf_truncate(&fixture->seen, 0);
}

static inline bool see(struct fixture *fixture, const char *text)
{
    for (int i = 0; i < PATIENCE_MSEC; i++) {
        if (strstr(seen(fixture), text))
            return true;
        usleep(1000);
    }
    return false;
}

static inline size_t occurrences(const char *text, const char *part)
{
    size_t count = 0;

    for (; (text = strstr(text, part)); text += strlen(part))
        count++;
    return count;
}

#define assert_seen(fixture, part) assert_non_null(strstr(seen(fixture), (part)))
#define assert_not_seen(fixture, part) assert_null(strstr(seen(fixture), (part)))

#define with_pipe(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
