/*
 * A world for probers: the test plays the clock, and what attempts are made of. An attempt ends
 * when the test says so, or by itself after `answer_after`.
 */
#pragma once

#include "test.h"

#include "prober.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/base/str.h"
#include "nodeagent/sys/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct probe_attempt {
    struct list link;
    struct wheel_timer timer;
    struct probe_order order;
    char container_id[64];
    probe_done_fn *done;
    void *owner;
};

struct world {
    usec_t now;
    struct wheel *wheel;
    struct probers *probers;
    struct object *object;
    struct list attempts;
    unsigned in_flight;
    unsigned in_flight_most;
    unsigned count;      /* of attempts begun */
    usec_t begun[64];    /* when the first of them were */
    usec_t answer_after; /* USEC_NEVER: by hand */
    enum probe_verdict verdict;
    const char *text;
    const char *left;
    usec_t connected;  /* after an attempt's beginning */
    char changes[512]; /* "uid," for each */
    char events[4096]; /* "reason container message\n" */
};

static struct world world;

/* what the room calls */

usec_t clock_boottime(void)
{
    return world.now;
}

usec_t clock_monotonic(void)
{
    return world.now;
}

usec_t clock_wall(void)
{
    return world.now + 1700000000 * USEC_PER_SEC;
}

static inline void attempt_end(struct probe_attempt *attempt, enum probe_verdict verdict)
{
    struct probe_outcome outcome = {
        .verdict = verdict,
        .text = verdict == PROBE_SUCCESS ? "" : world.text,
        .target = "there",
        .body = "",
        .left = world.left,
        .times = {.connected = world.connected, .first_byte = 200, .ended = 300},
    };

    list_unlink(&attempt->link);
    wheel_cancel(&attempt->timer);
    world.in_flight--;
    attempt->done(attempt->owner, &outcome);
    free(attempt);
}

static inline void on_answer(struct wheel_timer *timer)
{
    attempt_end(container_of(timer, struct probe_attempt, timer), world.verdict);
}

struct probe_attempt *probe_attempt_begin(struct probe_engine *engine,
                                          const struct probe_order *order, bool keep_head,
                                          probe_done_fn *done, void *owner)
{
    struct probe_attempt *attempt = mem_new(struct probe_attempt);

    attempt->order = *order;
    attempt->done = done;
    attempt->owner = owner;
    snprintf(attempt->container_id, sizeof(attempt->container_id), "%s", order->container_id);
    wheel_timer_init(&attempt->timer, on_answer);
    list_push_back(&world.attempts, &attempt->link);
    if (world.answer_after != USEC_NEVER)
        wheel_arm(world.wheel, &attempt->timer, world.now + world.answer_after);
    if (world.count < array_size(world.begun))
        world.begun[world.count] = world.now;
    world.count++;
    world.in_flight++;
    world.in_flight_most = MAX(world.in_flight_most, world.in_flight);
    return attempt;
}

void probe_attempt_cancel(struct probe_attempt *attempt)
{
    list_unlink(&attempt->link);
    wheel_cancel(&attempt->timer);
    world.in_flight--;
    free(attempt);
}

/* what the room tells */

static inline void on_changed(void *owner, const char *uid)
{
    size_t length = strlen(world.changes);

    snprintf(world.changes + length, sizeof(world.changes) - length, "%s,", uid);
}

static inline void on_event(void *owner, const char *uid, const char *container, bool warning,
                            const char *reason, const char *message)
{
    size_t length = strlen(world.events);

    assert_true(warning);
    snprintf(world.events + length, sizeof(world.events) - length, "%s %s %s\n", reason,
             container ? container : "-", message);
}

/* the world */

static inline struct object *world_decode(const char *text)
{
    static struct arena arena;
    struct json *document;
    struct json_findings findings;
    struct report report;
    struct object *object;
    struct err err;

    arena = ARENA_INIT_DOCUMENT;
    assert_int_equal(
        json_parse(&arena, text, strlen(text), &json_limits_manifest, &findings, &document, &err),
        0);
    report_init(&report, document);
    object = object_decode(document, OBJECT_DROP_RAW, &report);
    assert_non_null(object);
    report_deinit(&report);
    arena_deinit(&arena);
    return object;
}

/* A pod with one container "c"; `probes` are its fields, with single quotes. */
static inline void world_pod(const char *annotations, const char *probes)
{
    char *text = mem_printf("{'apiVersion':'v1','kind':'Pod','metadata':{'name':'p','namespace':"
                            "'n','annotations':{%s}},'spec':{'containers':[{'name':'c','image':"
                            "'i'%s}]}}",
                            annotations, probes);

    for (char *c = text; *c; c++)
        if (*c == '\'')
            *c = '"';
    object_unref(world.object);
    world.object = world_decode(text);
    free(text);
}

static inline int world_begin(void **state)
{
    struct probers_options options = {.execs_max = 2, .changed = on_changed, .event = on_event};

    world = (struct world){
        .now = 1000 * USEC_PER_SEC,
        .answer_after = USEC_PER_MSEC,
        .connected = 100,
        .text = "so the test wants it",
    };
    world.wheel = wheel_new(world.now);
    list_init(&world.attempts);
    options.wheel = world.wheel;
    world.probers = probers_new(&options);
    return 0;
}

static inline int world_end(void **state)
{
    probers_free(world.probers);
    assert_int_equal(world.in_flight, 0);
    assert_true(wheel_next(world.wheel) == USEC_NEVER);
    wheel_free(world.wheel);
    object_unref(world.object);
    return 0;
}

#define world_test(test) cmocka_unit_test_setup_teardown(test, world_begin, world_end)

/* Time passes a millisecond at a time. */
static inline void world_pass(usec_t duration)
{
    usec_t end = world.now + duration;
    struct wheel_timer *timer;

    while (world.now < end) {
        world.now += USEC_PER_MSEC;
        while ((timer = wheel_pop(world.wheel, world.now)))
            timer->fire(timer);
    }
}

/* Nothing runs meanwhile; then everything that is due does. */
static inline void world_stall(usec_t duration)
{
    struct wheel_timer *timer;

    world.now += duration;
    while ((timer = wheel_pop(world.wheel, world.now)))
        timer->fire(timer);
}

static struct probed_container told_container;

static inline void world_run_as(const char *uid, const char *id, usec_t started, bool ending,
                                const enum probe_result *results)
{
    struct probed_pod pod = {
        .uid = uid,
        .object = world.object,
        .ip = "10.0.0.1",
        .ending = ending,
    };

    told_container = (struct probed_container){
        .container = &pod_of(world.object)->spec.containers.items[0],
        .id = id,
        .started = started,
    };
    if (results)
        memcpy(told_container.results, results, sizeof(told_container.results));
    pod.containers.items = &told_container;
    pod.containers.count = id != NULL;
    probers_set(world.probers, &pod);
}

/* The container runs, since now. */
static inline void world_run(const char *id)
{
    world_run_as("u", id, world.now, false, NULL);
}

static inline enum probe_result world_result(const char *id, enum probe_type type)
{
    enum probe_result results[PROBE_TYPES];

    assert_true(probers_results(world.probers, "u", id, results));
    return results[type];
}

static inline unsigned world_count(void)
{
    unsigned count = world.count;

    world.count = 0;
    return count;
}
