/*
 * The event loop, a thin wrapper over sd-event. One thread runs it and owns everything that hangs
 * from it; other threads may only loop_post().
 *
 * The loop works in turns. A turn waits, then calls every source that is ready once, in the order
 * of their classes; a source that has more to do has its next go in the next turn. So a flood in
 * one class delays the others, but starves none. Callbacks return nothing: an error is dealt with
 * by whom it concerns, and who cannot go on calls loop_stop().
 */
#pragma once

#include "nodeagent/base/err.h"
#include "nodeagent/base/list.h"
#include "nodeagent/base/time.h"

#include <signal.h>
#include <stdbool.h>
#include <sys/epoll.h>

struct loop;

enum {
    /* What one source may handle in a turn. A batch of sockets that are just read costs 0.3 ms
     * (bench-loop), so the clock below ends only what is slower than that. */
    LOOP_BUDGET_EVENTS = 128,
};

/* A few dozen sources that all use their share still make a turn below LOOP_LATE_USEC. */
#define LOOP_BUDGET_USEC (2 * USEC_PER_MSEC)

/* A tenth of the shortest probe timeout: after a longer turn, what failed may have failed here. */
#define LOOP_LATE_USEC (100 * USEC_PER_MSEC)

/* Within a turn, the first are called first. */
enum loop_class {
    LOOP_COMPLETIONS, /* and verdicts: what others wait for */
    LOOP_WHEEL,
    LOOP_API,
    LOOP_CLIENTS, /* on this machine */
    LOOP_CLASS_COUNT,
};

int loop_new(struct loop **result, struct err *err);
struct loop *loop_free(struct loop *loop); /* its sources and sets are freed before */

/* running */

/* Turns until loop_stop(), and returns the code given there; or a negative errno. */
int loop_run(struct loop *loop, struct err *err);

/* From within a callback: no other callback is called after this one. */
void loop_stop(struct loop *loop, int code);

/* One turn: waits at most this long. 1 if something was called, 0 if not, or a negative errno. */
int loop_turn(struct loop *loop, usec_t timeout, struct err *err);

/* sources; each may be freed at any time, also from within its own callback */

struct loop_source;

typedef void loop_fd_fn(void *data, int fd, uint32_t events);
typedef void loop_signal_fn(void *data, int signal);

/* Calls while `events` (EPOLLIN, EPOLLOUT) hold. The descriptor stays the caller's. */
int loop_watch_fd(struct loop *loop, struct loop_source **result, enum loop_class class, int fd,
                  uint32_t events, loop_fd_fn *call, void *data, struct err *err);

/* No events: the source is silent, whatever happens to the descriptor. */
int loop_change_fd(struct loop_source *source, uint32_t events, struct err *err);

/* Blocks the signal in this thread (do it before there are others), and leaves it blocked. */
int loop_watch_signal(struct loop *loop, struct loop_source **result, enum loop_class class,
                      int signal, loop_signal_fn *call, void *data, struct err *err);

struct loop_source *loop_source_free(struct loop_source *source);

/* posting: a call that another thread, or this one for later, hands to the loop */

struct loop_post;

typedef void loop_post_fn(struct loop_post *post);

struct loop_post {
    struct list link;
    loop_post_fn *call;
};

static inline void loop_post_init(struct loop_post *post, loop_post_fn *call)
{
    list_init(&post->link);
    post->call = call;
}

/* From any thread. The post belongs to the loop until it is called; then it may be posted again. */
void loop_post(struct loop *loop, struct loop_post *post);

/* From the loop's thread; harmless if it was not posted. */
void loop_post_cancel(struct loop *loop, struct loop_post *post);

/* sets: thousands of sockets as one source */

struct loop_set;
struct loop_socket;

/* A call may come without need (what was ready is not any more): sockets are non-blocking. */
typedef void loop_socket_fn(struct loop_socket *socket, uint32_t events);

struct loop_socket {
    struct loop_set *set; /* NULL outside of any */
    loop_socket_fn *ready;
    int fd;
    uint32_t events;
    unsigned place; /* in the batch at hand, counted from 1 */
};

int loop_set_new(struct loop_set **result, struct loop *loop, enum loop_class class,
                 struct err *err);
struct loop_set *loop_set_free(struct loop_set *set); /* when empty */

/* Any socket may be added, changed or removed from within any callback; its call never comes
 * after it was removed. Remove it before its descriptor is closed. */
int loop_set_add(struct loop_set *set, struct loop_socket *socket, int fd, uint32_t events,
                 loop_socket_fn *ready, struct err *err);
int loop_set_change(struct loop_socket *socket, uint32_t events, struct err *err);
void loop_set_remove(struct loop_socket *socket); /* harmless if it is in no set */

/* budgets: for a source that has more than one thing to do when it is called */

struct loop_budget {
    unsigned events;
    usec_t until;
};

struct loop_budget loop_budget_begin(void);

/* Something was done; may there be more in this turn? */
bool loop_budget_spend(struct loop_budget *budget);

/* turns */

struct loop_turns {
    uint64_t count;
    uint64_t late; /* longer than LOOP_LATE_USEC */
    usec_t last;
    usec_t longest;
};

/* The turns that ended, without their waits. */
const struct loop_turns *loop_turns(const struct loop *loop);
