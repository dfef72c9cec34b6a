/*
 * A hierarchical timer wheel without ticks.
 *
 * Time is a number of milliseconds written in digits of six bits; a level holds a digit, with a
 * slot for each of its 64 values. A timer hangs in the level of the highest digit in which its
 * deadline differs from the wheel's time, in the slot of the deadline's digit. So
 *
 *   - everything in a level is due before everything in the levels above it, and within a level
 *     the slots follow each other without wrapping around: the first occupied slot of the lowest
 *     occupied level is what comes next;
 *   - when the wheel's time enters a slot above level 0, the timers in it differ from the time in
 *     lower digits only, and move down. A timer moves at most once a level, so months can pass at
 *     once and cost only the timers there are.
 *
 * Arming only puts the timer in a line; it is hung into its slot when the wheel is next asked what
 * comes, before the loop waits. A timer that is moved or cancelled in the turn it was armed in (an
 * idle timeout that every packet pushes back, a call that is answered at once) never gets there.
 *
 * Each level has a bit for each slot that may be occupied. Cancelling leaves the bit alone, which
 * makes it a plain unlink; whoever looks for the next slot clears the bits of empty ones.
 */
#include "nodeagent/sys/wheel.h"
#include "nodeagent/base/mem.h"

#include <stdlib.h>

enum {
    DIGIT_BITS = 6,
    SLOTS = 1 << DIGIT_BITS,
    LEVELS = 9, /* 54 bits of milliseconds; 64 bits of microseconds are just a little more */
};

#define TICK_MAX (((uint64_t)1 << (DIGIT_BITS * LEVELS)) - 1)
#define DEADLINE_MAX (TICK_MAX * USEC_PER_MSEC) /* later ones, but for never, count as this */

struct slot {
    struct list timers;
    uint64_t earliest; /* no timer in it is due before; a cancelled one may have been */
};

struct wheel {
    uint64_t tick;      /* the wheel's time; nothing before it is left */
    uint64_t turned_to; /* the latest clock seen: `tick` lags while late timers are popped */
    struct list armed;  /* not yet in a slot, in the order of their arming */
    struct list due;    /* at this tick */
    uint64_t occupied[LEVELS];
    struct slot slots[LEVELS][SLOTS];
};

static void slot_init(struct slot *slot)
{
    list_init(&slot->timers);
    slot->earliest = UINT64_MAX;
}

struct wheel *wheel_new(usec_t now)
{
    struct wheel *wheel = mem_new(struct wheel);

    wheel->tick = wheel->turned_to = now / USEC_PER_MSEC;
    list_init(&wheel->armed);
    list_init(&wheel->due);
    for (unsigned level = 0; level < LEVELS; level++)
        for (unsigned i = 0; i < SLOTS; i++)
            slot_init(&wheel->slots[level][i]);
    return wheel;
}

static void cancel_all(struct list *timers)
{
    struct wheel_timer *timer;

    while ((timer = list_first(timers, struct wheel_timer, link)))
        wheel_cancel(timer);
}

struct wheel *wheel_free(struct wheel *wheel)
{
    if (!wheel)
        return NULL;
    cancel_all(&wheel->armed);
    cancel_all(&wheel->due);
    for (unsigned level = 0; level < LEVELS; level++)
        for (unsigned i = 0; i < SLOTS; i++)
            cancel_all(&wheel->slots[level][i].timers);
    free(wheel);
    return NULL;
}

/* The first tick that does not lie before the deadline. */
static uint64_t tick_of(usec_t deadline)
{
    return (MIN(deadline, DEADLINE_MAX) + USEC_PER_MSEC - 1) / USEC_PER_MSEC;
}

/* The tick lies after the wheel's. Whatever list the timer was in, the caller drops it whole. */
static void wheel_place(struct wheel *wheel, struct wheel_timer *timer, uint64_t tick)
{
    unsigned level = (63 - (unsigned)__builtin_clzll(tick ^ wheel->tick)) / DIGIT_BITS;
    unsigned i = tick >> (level * DIGIT_BITS) & (SLOTS - 1);
    struct slot *slot;

    assert_that(level < LEVELS);
    slot = &wheel->slots[level][i];
    slot->earliest = MIN(slot->earliest, tick);
    list_push_back(&slot->timers, &timer->link);
    wheel->occupied[level] |= (uint64_t)1 << i;
}

void wheel_arm(struct wheel *wheel, struct wheel_timer *timer, usec_t deadline)
{
    list_unlink(&timer->link);
    timer->deadline = deadline;
    if (deadline != USEC_NEVER)
        list_push_back(&wheel->armed, &timer->link);
}

/*
 * The past is the millisecond after the clock's, not after the wheel's: when the machine slept for
 * months, a timer that keeps arming itself for the past would fire for each of theirs, and the
 * others would have to wait for that.
 */
static void wheel_place_armed(struct wheel *wheel)
{
    list_for_each_safe (node, &wheel->armed) {
        struct wheel_timer *timer = list_entry(node, struct wheel_timer, link);
        uint64_t tick = tick_of(timer->deadline);

        if (tick <= wheel->tick) {
            tick = wheel->turned_to + 1;
            timer->deadline = tick * USEC_PER_MSEC;
        }
        wheel_place(wheel, timer, tick);
    }
    list_init(&wheel->armed);
}

/* The slot that comes next, or NULL, and the tick at which it begins. */
static struct slot *wheel_first(struct wheel *wheel, uint64_t *begin)
{
    wheel_place_armed(wheel);
    for (unsigned level = 0; level < LEVELS; level++) {
        for (; wheel->occupied[level]; wheel->occupied[level] &= wheel->occupied[level] - 1) {
            unsigned i = (unsigned)__builtin_ctzll(wheel->occupied[level]);
            struct slot *slot = &wheel->slots[level][i];
            unsigned shift = level * DIGIT_BITS;

            if (list_empty(&slot->timers)) {
                slot->earliest = UINT64_MAX;
                continue;
            }
            *begin = (wheel->tick >> shift >> DIGIT_BITS << DIGIT_BITS | i) << shift;
            return slot;
        }
    }
    return NULL;
}

/* The wheel's time is where the slot begins: what is due now is due, the rest moves down. */
static void wheel_enter(struct wheel *wheel, struct slot *slot)
{
    struct list timers = LIST_INIT(timers);

    list_splice(&timers, &slot->timers);
    slot->earliest = UINT64_MAX;
    list_for_each_safe (node, &timers) {
        struct wheel_timer *timer = list_entry(node, struct wheel_timer, link);
        uint64_t tick = tick_of(timer->deadline);

        if (tick <= wheel->tick)
            list_push_back(&wheel->due, node);
        else
            wheel_place(wheel, timer, tick);
    }
}

struct wheel_timer *wheel_pop(struct wheel *wheel, usec_t now)
{
    uint64_t now_tick = now / USEC_PER_MSEC, begin;
    struct wheel_timer *timer;
    struct slot *slot;

    if (now_tick > wheel->turned_to) {
        wheel_place_armed(wheel);
        wheel->turned_to = now_tick;
    }
    while (list_empty(&wheel->due) && (slot = wheel_first(wheel, &begin)) && begin <= now_tick) {
        wheel->tick = begin;
        wheel_enter(wheel, slot);
    }
    timer = list_first(&wheel->due, struct wheel_timer, link);
    if (timer)
        wheel_cancel(timer);
    else
        wheel->tick = MAX(wheel->tick, now_tick);
    return timer;
}

usec_t wheel_next(struct wheel *wheel)
{
    uint64_t begin;
    struct slot *slot;

    if (!list_empty(&wheel->due))
        return wheel->tick * USEC_PER_MSEC;
    slot = wheel_first(wheel, &begin);
    return slot ? MAX(slot->earliest, begin) * USEC_PER_MSEC : USEC_NEVER;
}
