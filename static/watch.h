/*
 * What happens in a directory (inotify), and which files are not settled: somebody may still be
 * writing them, or about to put them back.
 */
#pragma once

#include "nodeagent/base/err.h"
#include "nodeagent/base/map.h"
#include "nodeagent/base/time.h"

#include <stdbool.h>

struct loop;
struct loop_source;

enum {
    WATCH_NAMES_MAX = 8192, /* remembered; when more files change at once, none is held back */
};

#define WATCH_SETTLE_USEC (100 * USEC_PER_MSEC) /* after any event: most editors need 10 ms */
#define WATCH_CLOSED_USEC (50 * USEC_PER_MSEC)  /* after a close: a save may have more of them */
#define WATCH_RENAMED_USEC (2 * USEC_PER_MSEC)  /* what was renamed into place is whole */
#define WATCH_BUSY_USEC (1 * USEC_PER_SEC)      /* then a look is taken, whatever goes on */

/* A file that is open for writing is waited for: what is there may be half of it. */
#define WATCH_WRITER_QUIET_USEC                                                                    \
    (10 * USEC_PER_SEC)                           /* a writer that says nothing for so long ...    \
                                                   */
#define WATCH_WRITER_MAX_USEC (30 * USEC_PER_SEC) /* ... or never ends is not waited for */

typedef void watch_fn(void *owner);

struct watch {
    int fd; /* -1: there is no inotify; everything still works, but slower */
    struct loop_source *source;
    struct map names; /* to struct touch: what changed since it was settled */
    usec_t first;     /* event since watch_begin_look(); USEC_NEVER: none */
    usec_t due;       /* when to look; USEC_NEVER: no need to */
    char *only;       /* the one name that matters, or NULL */
    watch_fn *call;
    void *owner;
};

/* `call` comes when `due` may have changed. */
int watch_open(struct watch *watch, struct loop *loop, watch_fn *call, void *owner,
               struct err *err);
void watch_close(struct watch *watch);
void watch_restrict(struct watch *watch, const char *only);

/* Takes in what the kernel has, without calling anybody. */
void watch_drain(struct watch *watch);

/* Before a look: forgets what has settled, and that a look is due. */
void watch_begin_look(struct watch *watch, usec_t now);

/* Until when the file is to be left alone, or 0. */
usec_t watch_holds(const struct watch *watch, const char *name, usec_t now);

/* A descriptor for another thread, on which it calls watch_add(); or -1. */
int watch_duplicate(const struct watch *watch);

/* Watches a directory: a watch descriptor, the same for the same directory; or a negative errno. */
int watch_add(int fd, const char *path);
void watch_remove(struct watch *watch, int descriptor);
