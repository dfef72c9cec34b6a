/* What tests of sys/work share: a pool on a loop, a gate that holds threads, jobs that answer. */
#pragma once

#include "test.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/loop.h"
#include "nodeagent/sys/wheel.h"
#include "nodeagent/sys/work.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LIMIT (30 * USEC_PER_SEC) /* none of these is meant to expire */
#define SHORT (20 * USEC_PER_MSEC)

struct stage {
    struct loop *loop;
    struct wheel *wheel;
    struct wheel_driver *driver;
    struct work *work;
};

static inline int stage_open(void **state)
{
    struct stage *stage = mem_new(struct stage);

    stage->wheel = wheel_new(clock_boottime());
    assert_int_equal(loop_new(&stage->loop, NULL), 0);
    assert_int_equal(wheel_driver_new(&stage->driver, stage->wheel, stage->loop, NULL), 0);
    assert_int_equal(work_new(&stage->work, stage->loop, stage->wheel, NULL), 0);
    *state = stage;
    return 0;
}

static inline int stage_close(void **state)
{
    struct stage *stage = *state;

    assert_null(work_free(stage->work));
    wheel_driver_free(stage->driver);
    wheel_free(stage->wheel);
    loop_free(stage->loop);
    free(stage);
    return 0;
}

/* a gate that holds threads until it is opened; it outlives them all */

struct gate {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool open;
    unsigned inside;
    unsigned freed;
};

static inline struct gate *gate_new(void)
{
    struct gate *gate = mem_new(struct gate);

    pthread_mutex_init(&gate->lock, NULL);
    pthread_cond_init(&gate->changed, NULL);
    return gate;
}

static inline void gate_free(struct gate *gate)
{
    pthread_mutex_destroy(&gate->lock);
    pthread_cond_destroy(&gate->changed);
    free(gate);
}

static inline void gate_pass(struct gate *gate)
{
    pthread_mutex_lock(&gate->lock);
    gate->inside++;
    pthread_cond_broadcast(&gate->changed);
    while (!gate->open)
        pthread_cond_wait(&gate->changed, &gate->lock);
    gate->inside--;
    pthread_mutex_unlock(&gate->lock);
}

static inline void gate_open(struct gate *gate)
{
    pthread_mutex_lock(&gate->lock);
    gate->open = true;
    pthread_cond_broadcast(&gate->changed);
    pthread_mutex_unlock(&gate->lock);
}

static inline void gate_wait_inside(struct gate *gate, unsigned count)
{
    pthread_mutex_lock(&gate->lock);
    while (gate->inside < count)
        pthread_cond_wait(&gate->changed, &gate->lock);
    pthread_mutex_unlock(&gate->lock);
}

static inline void gate_count_freed(struct gate *gate)
{
    pthread_mutex_lock(&gate->lock);
    gate->freed++;
    pthread_cond_broadcast(&gate->changed);
    pthread_mutex_unlock(&gate->lock);
}

static inline unsigned gate_freed(struct gate *gate)
{
    unsigned freed;

    pthread_mutex_lock(&gate->lock);
    freed = gate->freed;
    pthread_mutex_unlock(&gate->lock);
    return freed;
}

/* jobs: the owner's half on the stage, the thread's half on the heap */

struct task {
    struct gate *gate;
    int (*run)(struct task *task);
    struct task_owner *owner;
    int answer;
    char scratch[64]; /* written by the thread to the very end */
};

struct task_owner {
    struct stage *stage;
    struct work_job *job;
    struct task_owner *cancel_too;
    unsigned done;
    int result;
    int answer;
    bool had_argument;
    unsigned *sequence;
    unsigned place;
};

static inline int task_run(void *argument)
{
    struct task *task = argument;
    int r = task->run(task);

    memset(task->scratch, 'x', sizeof(task->scratch));
    return r;
}

static inline void task_done(void *data, void *argument, int result)
{
    struct task_owner *owner = data;
    struct task *task = argument;

    owner->done++;
    owner->job = NULL;
    owner->result = result;
    owner->had_argument = task;
    if (task)
        owner->answer = task->answer;
    if (owner->sequence)
        owner->place = ++*owner->sequence;
    if (owner->cancel_too && owner->cancel_too->job)
        work_cancel(owner->cancel_too->job);
}

static inline void task_free(void *argument)
{
    struct task *task = argument;
    struct gate *gate = task->gate;

    free(task);
    if (gate)
        gate_count_freed(gate);
}

static inline int submit(struct task_owner *owner, struct stage *stage, const char *key,
                         usec_t limit, int (*run)(struct task *), struct gate *gate,
                         struct err *err)
{
    struct task *task = mem_new(struct task);
    int r;

    owner->stage = stage;
    task->gate = gate;
    task->run = run;
    task->owner = owner;
    r = work_submit(stage->work,
                    &(struct work_order){
                        .key = key,
                        .limit_usec = limit,
                        .run = task_run,
                        .done = task_done,
                        .free = task_free,
                        .argument = task,
                        .owner = owner,
                    },
                    &owner->job, err);
    if (r < 0)
        free(task);
    return r;
}

static inline void wait_done(struct task_owner *owner)
{
    while (!owner->done)
        assert_true(loop_turn(owner->stage->loop, 10 * USEC_PER_SEC, NULL) >= 0);
    assert_int_equal(owner->done, 1);
}

static inline int run_answer(struct task *task)
{
    task->answer = 42;
    return -ENOENT;
}

static inline int run_gate(struct task *task)
{
    gate_pass(task->gate);
    return 0;
}

static inline void wait_stuck(struct stage *stage, unsigned count)
{
    while (work_stats(stage->work)->stuck != count)
        assert_true(loop_turn(stage->loop, 10 * USEC_PER_SEC, NULL) >= 0);
}

#define stage_test(name) cmocka_unit_test_setup_teardown(name, stage_open, stage_close)
