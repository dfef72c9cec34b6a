/*
 * The timer wheel: every deadline in the house. 1 ms resolution; arming and cancelling cost about
 * as much as a list's insert and remove; nothing ticks while nothing is due.
 *
 * A timer never fires early, and never in the millisecond it was armed in: one that arms itself
 * for the past goes on with the next millisecond and cannot hold up the others. Timers fire in the
 * order of their deadlines (in whole milliseconds), then of their arming, however late they are.
 */
#pragma once

#include "nodeagent/base/err.h"
#include "nodeagent/base/list.h"
#include "nodeagent/base/time.h"

#include <stdbool.h>

struct wheel;
struct wheel_timer;

typedef void wheel_fn(struct wheel_timer *timer);

/* Embedded in its owner. */
struct wheel_timer {
    struct list link;
    usec_t deadline; /* USEC_NEVER unless armed; one in the past becomes the next millisecond */
    wheel_fn *fire;
};

struct wheel *wheel_new(usec_t now);
struct wheel *wheel_free(struct wheel *wheel); /* cancels what is armed */

/* timers: all of it may be done from within callbacks, to any timer */

static inline void wheel_timer_init(struct wheel_timer *timer, wheel_fn *fire)
{
    list_init(&timer->link);
    timer->deadline = USEC_NEVER;
    timer->fire = fire;
}

static inline bool wheel_timer_armed(const struct wheel_timer *timer)
{
    return !list_empty(&timer->link);
}

/* Moves it if it is armed already; USEC_NEVER cancels. */
void wheel_arm(struct wheel *wheel, struct wheel_timer *timer, usec_t deadline);

static inline void wheel_cancel(struct wheel_timer *timer)
{
    list_unlink(&timer->link);
    timer->deadline = USEC_NEVER;
}

/* turning: pure, the clock is an argument */

/* The next timer that is due, no longer armed, or NULL. The caller fires it. */
struct wheel_timer *wheel_pop(struct wheel *wheel, usec_t now);

/* When to pop next. It may be too early if timers were cancelled, never too late. */
usec_t wheel_next(struct wheel *wheel);

/* driving: one timerfd on the loop, armed before each wait for the next occupied slot */

struct loop;
struct wheel_driver;

int wheel_driver_new(struct wheel_driver **result, struct wheel *wheel, struct loop *loop,
                     struct err *err);
struct wheel_driver *wheel_driver_free(struct wheel_driver *driver);
