/* The place of tests of attempts: a loop, an engine, and a runtime that answers as it is told. */
#pragma once

#include "test.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/probes/attempt.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/loop.h"
#include "nodeagent/sys/wheel.h"
#include "nodeagent/sys/work.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define PATIENCE (20 * USEC_PER_SEC)
#define SHORTLY (200 * USEC_PER_MSEC)

enum {
    ATTEMPTS_MAX = 4,
};

struct place {
    struct loop *loop;
    struct wheel *wheel;
    struct wheel_driver *driver;
    struct work *work;
    struct probe_engine *engine;
    /* of the attempt that ended last */
    unsigned done;
    struct probe_outcome outcome; /* with texts of its own */
    /* the runtime */
    bool deaf; /* it never answers */
    struct probe_exec_reply reply;
    struct loop_post post;
    probe_exec_done_fn *exec_done;
    void *exec_owner;
    usec_t timeout;
    unsigned cancelled;
};

/* the runtime */

static inline void runtime_posted(struct loop_post *post)
{
    struct place *place = container_of(post, struct place, post);

    place->exec_done(place->exec_owner, &place->reply);
}

static inline void *runtime_begin(void *owner, const char *container_id,
                                  const struct string_list *command, usec_t timeout,
                                  probe_exec_done_fn *done, void *done_owner)
{
    struct place *place = owner;

    assert_string_equal(container_id, "containerd://1");
    assert_true(command->count > 0);
    place->timeout = timeout;
    place->exec_done = done;
    place->exec_owner = done_owner;
    if (!place->deaf)
        loop_post(place->loop, &place->post);
    return place;
}

static inline void runtime_cancel(void *call)
{
    struct place *place = call;

    loop_post_cancel(place->loop, &place->post);
    place->cancelled++;
}

/* the place */

static inline void new_engine(struct place *place, bool runtime)
{
    struct probe_engine_options options = {
        .loop = place->loop,
        .wheel = place->wheel,
        .work = place->work,
        .user_agent = "kube-probe/1.36",
        .attempts_max = ATTEMPTS_MAX,
    };

    if (runtime)
        options.exec = (struct probe_exec){place, runtime_begin, runtime_cancel};
    assert_int_equal(probe_engine_new(&place->engine, &options, NULL), 0);
}

static inline int place_set_up(void **state)
{
    struct place *place = mem_new(struct place);

    signal(SIGPIPE, SIG_IGN);
    place->wheel = wheel_new(clock_boottime());
    assert_int_equal(loop_new(&place->loop, NULL), 0);
    assert_int_equal(wheel_driver_new(&place->driver, place->wheel, place->loop, NULL), 0);
    assert_int_equal(work_new(&place->work, place->loop, place->wheel, NULL), 0);
    loop_post_init(&place->post, runtime_posted);
    new_engine(place, true);
    *state = place;
    return 0;
}

static inline void forget_outcome(struct place *place)
{
    free((char *)place->outcome.text);
    free((char *)place->outcome.target);
    free((char *)place->outcome.body);
    free((char *)place->outcome.head);
    free((char *)place->outcome.left);
}

static inline int place_tear_down(void **state)
{
    struct place *place = *state;

    assert_null(probe_engine_free(place->engine));
    assert_null(work_free(place->work));
    wheel_driver_free(place->driver);
    wheel_free(place->wheel);
    loop_free(place->loop);
    forget_outcome(place);
    free(place);
    return 0;
}

/* attempts */

static inline void take(void *owner, const struct probe_outcome *outcome)
{
    struct place *place = owner;

    forget_outcome(place);
    place->done++;
    place->outcome = *outcome;
    assert_int_equal(outcome->body[outcome->body_length], '\0');
    assert_true(outcome->times.ended > 0);
    place->outcome.text = mem_strdup(outcome->text);
    place->outcome.target = mem_strdup(outcome->target);
    place->outcome.body = mem_strndup(outcome->body, outcome->body_length);
    place->outcome.head = mem_strdup(outcome->head);
    place->outcome.left = outcome->left ? mem_strdup(outcome->left) : NULL;
}

static inline void turn_until_done(struct place *place, unsigned done)
{
    usec_t patience = clock_boottime() + PATIENCE;

    while (place->done < done) {
        assert_true(clock_boottime() < patience);
        assert_true(loop_turn(place->loop, 100 * USEC_PER_MSEC, NULL) >= 0);
    }
}

/* Waits for the outcome. */
static inline void attempt(struct place *place, struct probe_order order, bool keep_head)
{
    unsigned before = place->done;

    order.timeout = order.timeout ? order.timeout : PATIENCE;
    probe_attempt_begin(place->engine, &order, keep_head, take, place);
    assert_int_equal(place->done, before); /* never from within */
    turn_until_done(place, before + 1);
}

static inline void assert_outcome(const struct place *place, enum probe_verdict verdict,
                                  const char *text)
{
    assert_string_equal(place->outcome.text, text);
    assert_string_equal(probe_verdict_name(place->outcome.verdict), probe_verdict_name(verdict));
}

#define in_place(test) cmocka_unit_test_setup_teardown(test, place_set_up, place_tear_down)
