/* Time, steps, and the agent's lives. */
#include "world.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/sys/wheel.h"
#include "sys.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WALL_BEGAN ((usec_t)1790000000 * USEC_PER_SEC)
#define BOOT_BEGAN (30 * USEC_PER_SEC) /* what the clock of a machine says that just booted */

enum {
    RATE_KILL_STEP = 12,   /* of 10,000 */
    RATE_KILL_WITHIN = 40, /* at each call into the world */
};

struct world *world;

/* Sanitizers ask for it: an agent that was killed has leaked nothing. */
const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
    return "detect_leaks=0";
}

static const struct {
    const char *name;
    const char *sentence;
} invariants[] = {
#define X(name, sentence) {#name, sentence},
    INVARIANTS(X)
#undef X
};

const char *invariant_name(enum invariant invariant)
{
    return invariants[invariant].name;
}

const char *invariant_sentence(enum invariant invariant)
{
    return invariants[invariant].sentence;
}

/* what must be told */

/* Line by line, so that a crash loses nothing of it. */
void trace_line(const char *format, ...)
{
    va_list arguments;

    printf("%10.3f ", (double)world->now / USEC_PER_SEC);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
    fflush(stdout);
}

void violation(enum invariant invariant, const char *format, ...)
{
    va_list arguments;

    if (world->violated)
        return;
    world->violated = invariant;
    world->violated_at = world->now;
    va_start(arguments, format);
    vsnprintf(world->violation, sizeof(world->violation), format, arguments);
    va_end(arguments);
    trace("VIOLATION %s: %s", invariant_name(invariant), world->violation);
}

/* An assertion in agent's code ends that code; one of the simulation ends everything. */
_Noreturn void __wrap_assert_that_failed(const char *condition, const char *file, int line);

_Noreturn void __wrap_assert_that_failed(const char *condition, const char *file, int line)
{
    if (world && world->life.within) {
        violation(INVARIANT_SANE, "%s:%d: assertion failed: %s", file, line, condition);
        longjmp(world->life.end, 1);
    }
    fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, condition);
    abort();
}

/* time */

usec_t world_boottime(void)
{
    return world->now - world->booted + BOOT_BEGAN;
}

usec_t world_monotonic(void)
{
    return world_boottime() - world->asleep;
}

usec_t world_wall(void)
{
    return (usec_t)((int64_t)(WALL_BEGAN + world->now) + world->wall_offset);
}

void world_disturb(void)
{
    world->disturbed = world->now;
}

/* events: a heap by time, then by chance */

struct event {
    usec_t at;
    uint64_t tie;
    size_t place;  /* in the heap */
    unsigned life; /* of the agent; 0: the world's own */
    const char *label;
    char key[60];
    event_fn *call;
    void *data;
};

static bool event_before(const struct event *a, const struct event *b)
{
    return a->at != b->at ? a->at < b->at : a->tie < b->tie;
}

static void queue_place(struct event_queue *queue, size_t place, struct event *event)
{
    queue->items[place] = event;
    event->place = place;
}

static void queue_up(struct event_queue *queue, struct event *event)
{
    size_t place = event->place;

    for (; place && event_before(event, queue->items[(place - 1) / 2]); place = (place - 1) / 2)
        queue_place(queue, place, queue->items[(place - 1) / 2]);
    queue_place(queue, place, event);
}

static void queue_down(struct event_queue *queue, struct event *event)
{
    size_t place = event->place;

    for (;;) {
        size_t child = place * 2 + 1;

        if (child + 1 < queue->count && event_before(queue->items[child + 1], queue->items[child]))
            child++;
        if (child >= queue->count || !event_before(queue->items[child], event))
            break;
        queue_place(queue, place, queue->items[child]);
        place = child;
    }
    queue_place(queue, place, event);
}

static struct event *queue_add(usec_t after, const char *label, const char *key, unsigned life,
                               event_fn *call, void *data)
{
    struct event_queue *queue = &world->queue;
    struct event *event = mem_new(struct event);

    event->at = usec_add(world->now, after);
    /* Of events at the same time any may be first, in any seed another. */
    event->tie = (world->choices.seed ^ ++queue->sequence) * 0x9e3779b97f4a7c15;
    event->life = life;
    event->label = label;
    snprintf(event->key, sizeof(event->key), "%s", key);
    event->call = call;
    event->data = data;
    queue->items = mem_grow(queue->items, queue->count, &queue->space, sizeof(*queue->items));
    event->place = queue->count++;
    queue_up(queue, event);
    return event;
}

struct event *event_add(usec_t after, const char *label, const char *key, event_fn *call,
                        void *data)
{
    return queue_add(after, label, key, 0, call, data);
}

struct event *event_add_agent(usec_t after, const char *label, const char *key, event_fn *call,
                              void *data)
{
    return queue_add(after, label, key, world->life.number, call, data);
}

static void queue_take(struct event *event)
{
    struct event_queue *queue = &world->queue;
    struct event *last = queue->items[--queue->count];

    if (last == event)
        return;
    queue_place(queue, event->place, last);
    queue_up(queue, last);
    queue_down(queue, last);
}

void event_cancel(struct event *event)
{
    if (!event)
        return;
    queue_take(event);
    free(event);
}

/* the agent */

bool life_call(event_fn *call, void *data)
{
    struct agent_life *life = &world->life;

    assert_that(!life->within);
    if (setjmp(life->end) == 0) {
        life->within = true;
        call(data);
        life->within = false;
        return true;
    }
    life->within = false;
    life_end();
    return false;
}

bool life_is_to_end(const char *key)
{
    return world->life.within && choose(SITE_KILL_WITHIN_STEP, key, RATE_KILL_WITHIN);
}

void life_ends_here(void)
{
    assert_that(world->life.within);
    longjmp(world->life.end, 1);
}

void life_may_end(const char *key)
{
    if (life_is_to_end(key))
        life_ends_here();
}

/* steps */

static usec_t agent_ready_at(void)
{
    return MAX(world->now, world->life.frozen_until);
}

/* When the agent has something to do by itself, and whether that is a post. */
static usec_t agent_next(bool *post)
{
    usec_t next = USEC_NEVER, boot = world_boottime();

    *post = false;
    if (!world->life.alive)
        return USEC_NEVER;
    *post = loop_has_post(world->life.loop);
    if (*post)
        return agent_ready_at();
    if (world->life.wheel)
        next = wheel_next(world->life.wheel);
    if (next == USEC_NEVER)
        return USEC_NEVER;
    return MAX(agent_ready_at(), next > boot ? world->now + (next - boot) : world->now);
}

static void call_post(void *data)
{
    loop_call_post(data);
}

static void call_timer(void *data)
{
    struct wheel_timer *timer = wheel_pop(data, world_boottime());

    if (timer)
        timer->fire(timer);
}

static bool killed_before(const char *label, const char *key)
{
    char whole[80];

    snprintf(whole, sizeof(whole), "%s %s", label, key);
    if (!world->life.alive || !choose(SITE_KILL_BETWEEN_STEPS, whole, RATE_KILL_STEP))
        return false;
    life_end();
    return true;
}

static void step_agent(bool post)
{
    if (killed_before(post ? "post" : "timer", ""))
        return;
    if (post)
        life_call(call_post, world->life.loop);
    else
        life_call(call_timer, world->life.wheel);
}

static void step_event(struct event *event)
{
    bool agents = event->life;

    if (agents && (event->life != world->life.number || !world->life.alive)) {
        event_cancel(event);
        return;
    }
    if (agents && world->life.frozen_until > world->now) {
        queue_take(event);
        event->at = world->life.frozen_until;
        event->place = world->queue.count++;
        queue_up(&world->queue, event);
        return;
    }
    if (killed_before(event->label, event->key))
        return; /* it is next, unless it went with the agent */
    if (*event->label)
        trace("%s %s", event->label, event->key);
    queue_take(event);
    if (agents)
        life_call(event->call, event->data);
    else
        event->call(event->data);
    free(event);
}

static void advance(usec_t at)
{
    if (at <= world->now)
        return;
    world->now = at;
    world->steps_at_once = 0;
}

void world_step(void)
{
    struct event *event = world->queue.count ? world->queue.items[0] : NULL;
    usec_t event_at = event ? event->at : USEC_NEVER;
    bool post;
    usec_t agent_at = agent_next(&post);

    world->steps++;
    if (++world->steps_at_once > STEPS_AT_ONCE_MAX)
        violation(INVARIANT_SANE, "%d steps without any time passing", STEPS_AT_ONCE_MAX);
    if (world->steps > STEPS_MAX)
        violation(INVARIANT_SANE, "%d steps and no end", STEPS_MAX);
    assert_that(event || agent_at != USEC_NEVER);
    advance(MIN(MAX(event_at, world->now), agent_at));
    if (agent_at < event_at || (agent_at == event_at && draw(SITE_ORDER, "", 2)))
        step_agent(post);
    else
        step_event(event);
}
