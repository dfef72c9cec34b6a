/*
 * The wheel against a bare list, and how late 100,000 timers on a real timerfd are.
 * Prints `name value unit` lines.
 */
#include "nodeagent/base/mem.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/loop.h"
#include "nodeagent/sys/wheel.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    ROUNDS = 40,         /* the best counts: the machine is shared */
    POPULATION = 8192,   /* timers that are armed together, then cancelled in another order */
    OPERATIONS = 131072, /* of a round */
    ARMED = 100000,      /* on the timerfd */
    SPREAD_MSEC = 2000,  /* their deadlines */
};

struct bench {
    struct wheel *wheel;
    struct loop *loop;
    unsigned fired;
    usec_t latest;
    usec_t sum;
    struct list head;
    struct wheel_timer *timers;
    usec_t *deadlines;
    unsigned *order;
};

struct lateness_timer {
    struct wheel_timer timer;
    usec_t wanted;
    struct bench *bench;
};

static uint64_t random_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void nothing(struct wheel_timer *timer)
{
}

static void list_hot(struct bench *bench)
{
    for (unsigned i = 0; i < OPERATIONS; i++) {
        list_push_back(&bench->head, &bench->timers[0].link);
        __asm__ volatile("" ::: "memory");
        list_unlink(&bench->timers[0].link);
        __asm__ volatile("" ::: "memory");
    }
}

static void wheel_hot(struct bench *bench)
{
    for (unsigned i = 0; i < OPERATIONS; i++) {
        wheel_arm(bench->wheel, &bench->timers[0], bench->deadlines[i % POPULATION]);
        __asm__ volatile("" ::: "memory");
        wheel_cancel(&bench->timers[0]);
        __asm__ volatile("" ::: "memory");
    }
}

static void list_many(struct bench *bench)
{
    for (unsigned round = 0; round < OPERATIONS / POPULATION; round++) {
        for (unsigned i = 0; i < POPULATION; i++)
            list_push_back(&bench->head, &bench->timers[i].link);
        for (unsigned i = 0; i < POPULATION; i++)
            list_unlink(&bench->timers[bench->order[i]].link);
    }
}

static void wheel_round(struct bench *bench, bool turn)
{
    for (unsigned i = 0; i < POPULATION; i++)
        wheel_arm(bench->wheel, &bench->timers[i], bench->deadlines[i]);
    if (turn)
        wheel_next(bench->wheel);
    for (unsigned i = 0; i < POPULATION; i++)
        wheel_cancel(&bench->timers[bench->order[i]]);
}

static void wheel_many(struct bench *bench)
{
    for (unsigned round = 0; round < OPERATIONS / POPULATION; round++)
        wheel_round(bench, false);
}

/* Between arming and cancelling the loop waits, so the timers are hung into their slots. */
static void wheel_waiting(struct bench *bench)
{
    for (unsigned round = 0; round < OPERATIONS / POPULATION; round++)
        wheel_round(bench, true);
}

static void measure(struct bench *bench, void (*run)(struct bench *), double *best_ns)
{
    usec_t begin = clock_monotonic();

    run(bench);
    *best_ns = MIN(*best_ns, (double)(clock_monotonic() - begin) * 1000 / OPERATIONS);
}

static void compare(struct bench *bench, const char *name, void (*list)(struct bench *),
                    void (*wheel)(struct bench *))
{
    double list_ns = 1e9, wheel_ns = 1e9;

    for (unsigned i = 0; i < ROUNDS; i++) {
        measure(bench, list, &list_ns);
        measure(bench, wheel, &wheel_ns);
    }
    printf("list-insert-remove-%s %.2f ns\n", name, list_ns);
    printf("wheel-arm-cancel-%s %.2f ns\n", name, wheel_ns);
    printf("wheel-list-ratio-%s %.2f times\n", name, wheel_ns / list_ns);
}

static void bench_arming(void)
{
    uint64_t random = 88172645463325252;
    struct bench bench = {.wheel = wheel_new(clock_boottime())};
    usec_t now = clock_boottime();

    list_init(&bench.head);
    bench.timers = mem_zalloc(POPULATION * sizeof(*bench.timers));
    bench.deadlines = mem_zalloc(POPULATION * sizeof(*bench.deadlines));
    bench.order = mem_zalloc(POPULATION * sizeof(*bench.order));
    for (unsigned i = 0; i < POPULATION; i++) {
        unsigned other = (unsigned)(random_next(&random) % (i + 1));

        wheel_timer_init(&bench.timers[i], nothing);
        bench.deadlines[i] = now + random_next(&random) % (600 * USEC_PER_SEC);
        bench.order[i] = bench.order[other];
        bench.order[other] = i;
    }
    compare(&bench, "one", list_hot, wheel_hot);
    compare(&bench, "many", list_many, wheel_many);
    compare(&bench, "waiting", list_many, wheel_waiting);
    wheel_free(bench.wheel);
    free(bench.timers);
    free(bench.deadlines);
    free(bench.order);
}

static void measure_lateness(struct wheel_timer *timer)
{
    struct lateness_timer *self = container_of(timer, struct lateness_timer, timer);
    usec_t late = usec_sub(clock_boottime(), self->wanted);

    self->bench->latest = MAX(self->bench->latest, late);
    self->bench->sum += late;
    if (++self->bench->fired == ARMED)
        loop_stop(self->bench->loop, 0);
}

static int bench_lateness(struct err *err)
{
    struct lateness_timer *timers = mem_zalloc(ARMED * sizeof(*timers));
    struct bench bench = {.wheel = wheel_new(clock_boottime())};
    struct wheel_driver *driver;
    uint64_t random = 88172645463325252;
    usec_t begin;
    int r;

    r = loop_new(&bench.loop, err);
    if (r < 0)
        return r;
    r = wheel_driver_new(&driver, bench.wheel, bench.loop, err);
    if (r < 0)
        return r;
    begin = clock_boottime() + 200 * USEC_PER_MSEC;
    for (unsigned i = 0; i < ARMED; i++) {
        timers[i].bench = &bench;
        timers[i].wanted = begin + random_next(&random) % (SPREAD_MSEC * USEC_PER_MSEC);
        wheel_timer_init(&timers[i].timer, measure_lateness);
        wheel_arm(bench.wheel, &timers[i].timer, timers[i].wanted);
    }
    r = loop_run(bench.loop, err);
    printf("wheel-100k-late-worst %.2f ms\n", (double)bench.latest / 1000);
    printf("wheel-100k-late-mean %.2f ms\n", (double)bench.sum / ARMED / 1000);
    printf("wheel-100k-turn-longest %.2f ms\n", (double)loop_turns(bench.loop)->longest / 1000);
    wheel_driver_free(driver);
    loop_free(bench.loop);
    wheel_free(bench.wheel);
    free(timers);
    return r;
}

int main(void)
{
    struct err err;

    bench_arming();
    if (bench_lateness(&err) < 0) {
        fprintf(stderr, "bench-wheel: %s\n", err.text);
        return 1;
    }
    return 0;
}
