/* sys/wheel: the wheel on a virtual clock, against a naive model, and on a real timerfd. */
#include "test.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/loop.h"
#include "nodeagent/sys/wheel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define MSEC USEC_PER_MSEC
#define DAY (24 * 3600 * USEC_PER_SEC)

struct item {
    struct wheel_timer timer;
    struct wheel *wheel;
    struct item *other;
    usec_t again;
    unsigned fired;
    unsigned *sequence;
    unsigned place;
};

static void item_fire(struct wheel_timer *timer)
{
    struct item *item = container_of(timer, struct item, timer);

    item->fired++;
    if (item->sequence)
        item->place = ++*item->sequence;
    if (item->other)
        wheel_cancel(&item->other->timer);
    if (item->again)
        wheel_arm(item->wheel, timer, item->again);
}

static void item_init(struct item *item, struct wheel *wheel)
{
    *item = (struct item){.wheel = wheel};
    wheel_timer_init(&item->timer, item_fire);
}

static unsigned turn_to(struct wheel *wheel, usec_t now)
{
    struct wheel_timer *timer;
    unsigned count = 0;

    while ((timer = wheel_pop(wheel, now))) {
        timer->fire(timer);
        count++;
    }
    return count;
}

static void test_fires_once_and_never_early(void **state)
{
    struct wheel *wheel = wheel_new(5 * MSEC);
    struct item item;

    item_init(&item, wheel);
    assert_int_equal(wheel_next(wheel), USEC_NEVER);
    wheel_arm(wheel, &item.timer, 10 * MSEC + 1);
    assert_true(wheel_timer_armed(&item.timer));
    assert_int_equal(item.timer.deadline, 10 * MSEC + 1);
    assert_int_equal(wheel_next(wheel), 11 * MSEC);
    assert_int_equal(turn_to(wheel, 11 * MSEC - 1), 0);
    assert_int_equal(turn_to(wheel, 11 * MSEC), 1);
    assert_false(wheel_timer_armed(&item.timer));
    assert_int_equal(item.timer.deadline, USEC_NEVER);
    assert_int_equal(wheel_next(wheel), USEC_NEVER);
    assert_int_equal(turn_to(wheel, DAY), 0);
    wheel_free(wheel);
}

static void test_cancel_and_move(void **state)
{
    struct wheel *wheel = wheel_new(0);
    struct item item;

    item_init(&item, wheel);
    wheel_cancel(&item.timer);
    wheel_arm(wheel, &item.timer, 100 * MSEC);
    assert_int_equal(wheel_next(wheel), 100 * MSEC);
    wheel_arm(wheel, &item.timer, 90000 * MSEC);
    assert_int_equal(turn_to(wheel, 89999 * MSEC), 0);
    wheel_arm(wheel, &item.timer, 89999 * MSEC + 500);
    assert_int_equal(wheel_next(wheel), 90000 * MSEC);
    wheel_arm(wheel, &item.timer, USEC_NEVER);
    assert_false(wheel_timer_armed(&item.timer));
    assert_int_equal(turn_to(wheel, DAY), 0);
    wheel_free(wheel);
}

/* A slot that a cancelled timer left behind is used again, for something later. */
static void test_next_after_cancel(void **state)
{
    struct wheel *wheel = wheel_new(0);
    struct item item;

    item_init(&item, wheel);
    wheel_arm(wheel, &item.timer, 70 * MSEC);
    assert_int_equal(wheel_next(wheel), 70 * MSEC);
    wheel_cancel(&item.timer);
    assert_int_equal(turn_to(wheel, 4096 * MSEC), 0);
    wheel_arm(wheel, &item.timer, (4096 + 100) * MSEC);
    assert_true(wheel_next(wheel) > 4096 * MSEC);
    assert_true(wheel_next(wheel) <= (4096 + 100) * MSEC);
    assert_int_equal(turn_to(wheel, (4096 + 100) * MSEC), 1);
    wheel_free(wheel);
}

static void test_late_tick_keeps_the_order(void **state)
{
    static const usec_t deadlines[] = {900, 3, 70000, 64, 65, 63, 4096, 4095, 3, 262144};
    static const unsigned places[] = {6, 1, 9, 4, 5, 3, 8, 7, 2, 10};
    struct item items[array_size(deadlines)];
    struct wheel *wheel = wheel_new(0);
    unsigned sequence = 0;

    for (unsigned i = 0; i < array_size(items); i++) {
        item_init(&items[i], wheel);
        items[i].sequence = &sequence;
        wheel_arm(wheel, &items[i].timer, deadlines[i] * MSEC);
    }
    assert_int_equal(turn_to(wheel, 90 * DAY), array_size(items));
    for (unsigned i = 0; i < array_size(items); i++)
        assert_int_equal(items[i].place, places[i]);
    wheel_free(wheel);
}

static void test_callbacks_may_do_anything(void **state)
{
    struct wheel *wheel = wheel_new(0);
    struct item first, second, third;

    item_init(&first, wheel);
    item_init(&second, wheel);
    item_init(&third, wheel);
    wheel_arm(wheel, &first.timer, 10 * MSEC);
    wheel_arm(wheel, &second.timer, 10 * MSEC);
    wheel_arm(wheel, &third.timer, 20 * MSEC);
    first.other = &second;   /* due in the same tick */
    first.again = 15 * MSEC; /* still before this late turn's now */
    third.other = &first;    /* which has been armed again for the past */
    assert_int_equal(turn_to(wheel, 14 * MSEC), 1);
    assert_int_equal(second.fired, 0);
    assert_int_equal(wheel_next(wheel), 15 * MSEC);
    assert_int_equal(turn_to(wheel, 30 * MSEC), 2);
    assert_int_equal(first.fired, 2); /* at 10 and 15; 31 would be next, but it is cancelled */
    assert_int_equal(third.fired, 1);
    wheel_free(wheel);
}

/* One that always arms itself for the past keeps nobody else from firing, however late it is. */
static void test_the_past_is_the_next_millisecond(void **state)
{
    struct wheel *wheel = wheel_new(100 * MSEC);
    struct item item, other;

    item_init(&item, wheel);
    item_init(&other, wheel);
    item.again = 1;
    wheel_arm(wheel, &item.timer, 0);
    wheel_arm(wheel, &other.timer, 130 * MSEC);
    assert_int_equal(wheel_next(wheel), 101 * MSEC);
    assert_int_equal(turn_to(wheel, 100 * MSEC), 0);
    assert_int_equal(turn_to(wheel, 200 * MSEC), 2);
    assert_int_equal(other.fired, 1);
    assert_int_equal(wheel_next(wheel), 201 * MSEC);
    /* The machine slept for months. */
    wheel_arm(wheel, &other.timer, 90 * DAY);
    assert_ptr_equal(wheel_pop(wheel, 90 * DAY), &item.timer);
    item_fire(&item.timer);
    assert_ptr_equal(wheel_pop(wheel, 90 * DAY), &other.timer);
    assert_null(wheel_pop(wheel, 90 * DAY));
    assert_int_equal(wheel_next(wheel), 90 * DAY + MSEC);
    assert_int_equal(turn_to(wheel, 90 * DAY + MSEC), 1);
    wheel_free(wheel);
}

static void test_far_deadlines_and_jumps(void **state)
{
    static const usec_t deadlines[] = {
        100 * DAY, 365 * DAY, 40000 * DAY, USEC_NEVER / 2, USEC_NEVER - 1,
    };
    struct item items[array_size(deadlines)];
    struct wheel *wheel = wheel_new(3 * DAY + 12345);

    for (unsigned i = 0; i < array_size(items); i++) {
        item_init(&items[i], wheel);
        wheel_arm(wheel, &items[i].timer, deadlines[i]);
    }
    for (unsigned i = 0; i + 1 < array_size(items); i++) {
        assert_int_equal(turn_to(wheel, deadlines[i] - 1), 0);
        assert_int_equal(turn_to(wheel, deadlines[i] + MSEC), 1);
        assert_int_equal(items[i].fired, 1);
    }
    assert_int_equal(turn_to(wheel, 1), 0); /* backwards: nothing happens */
    assert_int_equal(turn_to(wheel, USEC_NEVER - 1), 1);
    wheel_free(wheel);
}

static void test_free_cancels(void **state)
{
    struct wheel *wheel = wheel_new(0);
    struct item near, far, due, fresh;

    item_init(&near, wheel);
    item_init(&far, wheel);
    item_init(&due, wheel);
    item_init(&fresh, wheel);
    wheel_arm(wheel, &near.timer, 5 * MSEC);
    wheel_arm(wheel, &due.timer, 5 * MSEC);
    wheel_arm(wheel, &far.timer, DAY);
    assert_ptr_equal(wheel_pop(wheel, 5 * MSEC), &near.timer);
    assert_int_equal(wheel_next(wheel), 5 * MSEC); /* there is more at this tick */
    wheel_arm(wheel, &fresh.timer, DAY);
    assert_null(wheel_free(wheel));
    assert_null(wheel_free(NULL));
    assert_false(wheel_timer_armed(&far.timer));
    assert_false(wheel_timer_armed(&due.timer));
    assert_false(wheel_timer_armed(&fresh.timer));
    wheel_cancel(&far.timer);
}

/* the model: timers in an array, the next one found by looking at all */

enum {
    MODEL_TIMERS = 64,
    MODEL_OPERATIONS = 60000,
};

struct model {
    uint64_t random;
    struct wheel *wheel;
    usec_t now;
    uint64_t tick;
    uint64_t turned_to;
    unsigned armed;
    struct model_timer {
        struct wheel_timer timer;
        struct model *model;
        uint64_t due; /* tick, 0: not armed */
        unsigned order;
    } timers[MODEL_TIMERS];
};

static uint64_t model_random(struct model *model, uint64_t below)
{
    model->random ^= model->random << 13;
    model->random ^= model->random >> 7;
    model->random ^= model->random << 17;
    return model->random % below;
}

static usec_t model_distance(struct model *model)
{
    static const usec_t scales[] = {
        500, 3 * MSEC, 100 * MSEC, 10 * USEC_PER_SEC, 3600 * USEC_PER_SEC, 60 * DAY, 100000 * DAY,
    };

    return model_random(model, scales[model_random(model, array_size(scales))]);
}

static struct model_timer *model_first(struct model *model)
{
    struct model_timer *first = NULL;

    for (unsigned i = 0; i < MODEL_TIMERS; i++) {
        struct model_timer *timer = &model->timers[i];

        if (timer->due && (!first || timer->due < first->due ||
                           (timer->due == first->due && timer->order < first->order)))
            first = timer;
    }
    return first;
}

static void model_arm(struct model *model, struct model_timer *timer)
{
    usec_t deadline = model->now + model_distance(model);

    if (model_random(model, 8) == 0)
        deadline = usec_sub(model->now, model_distance(model));
    wheel_arm(model->wheel, &timer->timer, deadline);
    timer->due = (deadline + MSEC - 1) / MSEC;
    if (timer->due <= model->tick)
        timer->due = model->turned_to + 1;
    timer->order = model->armed++;
}

static void model_change(struct model *model)
{
    struct model_timer *timer = &model->timers[model_random(model, MODEL_TIMERS)];

    if (model_random(model, 3)) {
        model_arm(model, timer);
    } else {
        wheel_cancel(&timer->timer);
        timer->due = 0;
    }
}

static void model_fire(struct wheel_timer *timer)
{
    struct model_timer *self = container_of(timer, struct model_timer, timer);

    if (model_random(self->model, 2))
        model_arm(self->model, self);
    if (model_random(self->model, 4) == 0)
        model_change(self->model);
}

static bool model_turn(struct model *model, unsigned budget)
{
    uint64_t now_tick = model->turned_to = model->now / MSEC;

    for (; budget; budget--) {
        struct model_timer *expected = model_first(model);
        struct wheel_timer *timer;

        if (expected && expected->due > now_tick)
            expected = NULL;
        timer = wheel_pop(model->wheel, model->now);
        if (timer != (expected ? &expected->timer : NULL))
            return false;
        model->tick = MAX(model->tick, expected ? expected->due : now_tick);
        if (!expected)
            return true;
        expected->due = 0;
        timer->fire(timer);
    }
    return true;
}

static bool model_next_is_right(struct model *model)
{
    struct model_timer *first = model_first(model);
    usec_t next = wheel_next(model->wheel);

    return first ? next <= first->due * MSEC : next == USEC_NEVER;
}

/* The clock goes to what the wheel says is next as the loop's would, stands still, or jumps. */
static void model_pass_time(struct model *model)
{
    usec_t next = wheel_next(model->wheel);

    switch (model_random(model, 3)) {
    case 0:
        if (next != USEC_NEVER)
            model->now = MAX(model->now, next);
        break;
    case 1:
        model->now += model_distance(model);
        break;
    }
}

static bool model_run(struct model *model, uint64_t seed)
{
    model->random = seed;
    model->now = DAY + 777;
    model->tick = model->turned_to = model->now / MSEC;
    model->wheel = wheel_new(model->now);
    for (unsigned i = 0; i < MODEL_TIMERS; i++) {
        model->timers[i].model = model;
        wheel_timer_init(&model->timers[i].timer, model_fire);
    }
    for (unsigned i = 0; i < MODEL_OPERATIONS; i++) {
        model_change(model);
        if (!model_next_is_right(model))
            return false;
        if (model_random(model, 4))
            continue;
        model_pass_time(model);
        if (!model_turn(model, 1 + (unsigned)model_random(model, 100)))
            return false;
    }
    return true;
}

static void test_agrees_with_the_model(void **state)
{
    const uint64_t seeds[] = {1, 20240229, 0xfeedface};

    for (unsigned i = 0; i < array_size(seeds); i++) {
        struct model model = {0};
        bool agrees = model_run(&model, seeds[i]);

        wheel_free(model.wheel);
        if (!agrees)
            fail_msg("the wheel and the model disagree with seed %llu",
                     (unsigned long long)seeds[i]);
    }
}

/* on the loop */

struct stage {
    struct loop *loop;
    struct wheel *wheel;
    struct wheel_driver *driver;
};

static int stage_open(void **state)
{
    struct stage *stage = mem_new(struct stage);

    stage->wheel = wheel_new(clock_boottime());
    assert_int_equal(loop_new(&stage->loop, NULL), 0);
    assert_int_equal(wheel_driver_new(&stage->driver, stage->wheel, stage->loop, NULL), 0);
    *state = stage;
    return 0;
}

static int stage_close(void **state)
{
    struct stage *stage = *state;

    assert_null(wheel_driver_free(stage->driver));
    assert_null(wheel_driver_free(NULL));
    wheel_free(stage->wheel);
    loop_free(stage->loop);
    free(stage);
    return 0;
}

static void test_real_timer_wakes_the_loop(void **state)
{
    struct stage *stage = *state;
    usec_t begin = clock_boottime();
    struct item item, far;

    item_init(&item, stage->wheel);
    item_init(&far, stage->wheel);
    wheel_arm(stage->wheel, &far.timer, USEC_NEVER - 1);
    assert_int_equal(loop_turn(stage->loop, 0, NULL), 0);
    wheel_arm(stage->wheel, &item.timer, begin + 20 * MSEC);
    while (!item.fired)
        assert_true(loop_turn(stage->loop, 10 * USEC_PER_SEC, NULL) >= 0);
    assert_true(clock_boottime() >= begin + 20 * MSEC);
    assert_true(clock_boottime() < begin + 5 * USEC_PER_SEC);
    assert_false(far.fired);
    wheel_cancel(&far.timer);
    assert_int_equal(loop_turn(stage->loop, 0, NULL), 0);
}

static void test_early_deadline_wakes_the_loop(void **state)
{
    struct wheel *wheel = wheel_new(0);
    struct stage *stage = *state;
    struct wheel_driver *driver;
    struct item item;

    /* A wheel that was started at 0 long ago, and a timer for its very beginning. */
    wheel_driver_free(stage->driver);
    assert_int_equal(wheel_driver_new(&driver, wheel, stage->loop, NULL), 0);
    item_init(&item, wheel);
    wheel_arm(wheel, &item.timer, 0);
    assert_int_equal(loop_turn(stage->loop, 10 * USEC_PER_SEC, NULL), 1);
    assert_int_equal(item.fired, 1);
    wheel_driver_free(driver);
    wheel_free(wheel);
    assert_int_equal(wheel_driver_new(&stage->driver, stage->wheel, stage->loop, NULL), 0);
}

enum {
    MANY = 1000,
};

static void test_a_turn_has_a_budget(void **state)
{
    struct stage *stage = *state;
    struct item *items = mem_zalloc(MANY * sizeof(*items));
    unsigned sequence = 0, turns = 0;
    usec_t now = clock_boottime();

    for (unsigned i = 0; i < MANY; i++) {
        item_init(&items[i], stage->wheel);
        items[i].sequence = &sequence;
        wheel_arm(stage->wheel, &items[i].timer, now);
    }
    while (sequence < MANY) {
        unsigned before = sequence;

        assert_int_equal(loop_turn(stage->loop, 10 * USEC_PER_SEC, NULL), 1);
        assert_true(sequence - before <= LOOP_BUDGET_EVENTS);
        turns++;
    }
    assert_true(turns >= MANY / LOOP_BUDGET_EVENTS);
    for (unsigned i = 0; i < MANY; i++)
        assert_int_equal(items[i].place, i + 1);
    free(items);
}

static void test_without_descriptors(void **state)
{
    struct stage *stage = *state;
    struct wheel_driver *driver;
    struct rlimit before, none;
    struct err err = {0};

    getrlimit(RLIMIT_NOFILE, &before);
    none = before;
    none.rlim_cur = 0;
    setrlimit(RLIMIT_NOFILE, &none);
    assert_int_equal(wheel_driver_new(&driver, stage->wheel, stage->loop, &err), -EMFILE);
    setrlimit(RLIMIT_NOFILE, &before);
    assert_non_null(strstr(err.text, "no timer descriptor"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fires_once_and_never_early),
        cmocka_unit_test(test_cancel_and_move),
        cmocka_unit_test(test_next_after_cancel),
        cmocka_unit_test(test_late_tick_keeps_the_order),
        cmocka_unit_test(test_callbacks_may_do_anything),
        cmocka_unit_test(test_the_past_is_the_next_millisecond),
        cmocka_unit_test(test_far_deadlines_and_jumps),
        cmocka_unit_test(test_free_cancels),
        cmocka_unit_test(test_agrees_with_the_model),
        cmocka_unit_test_setup_teardown(test_real_timer_wakes_the_loop, stage_open, stage_close),
        cmocka_unit_test_setup_teardown(test_early_deadline_wakes_the_loop, stage_open,
                                        stage_close),
        cmocka_unit_test_setup_teardown(test_a_turn_has_a_budget, stage_open, stage_close),
        cmocka_unit_test_setup_teardown(test_without_descriptors, stage_open, stage_close),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
