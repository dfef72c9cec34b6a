/*
 * sys/work: jobs run later, in any order but that of their keys. A job may hang: its owner is told
 * when its limit is over, its key is stuck until it returns, and it may still do its work then.
 *
 * A job's own half is run in one step. The agent may be killed in it, between any two of the
 * system calls that it makes.
 */
#include "nodeagent/base/map.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/sys/work.h"
#include "sys.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    RATE_HANGS = 60, /* of 10,000 */
};

#define RUN_MIN (usec_t)20
#define RUN_MAX (20 * USEC_PER_MSEC)
#define HANGS_MIN (1 * USEC_PER_SEC)
#define HANGS_MAX (200 * USEC_PER_SEC)

struct work {
    struct list jobs; /* all that were not done */
    struct map keys;  /* struct work_key by name: those that are held */
    struct work_stats stats;
};

struct work_key {
    char *name;
    struct list queue;
    unsigned queued;
    bool stuck;
};

struct work_job {
    struct work *work;
    struct work_order order;
    struct work_key *key;
    struct list link;   /* in work->jobs, until it is done or given up */
    struct list queued; /* behind its key */
    struct event *event;
    struct event *limit;
    bool given_up; /* nobody waits for it */
};

static void job_begin(struct work_job *job);

int work_new(struct work **result, struct loop *loop, struct wheel *wheel, struct err *err)
{
    struct work *work = mem_new(struct work);

    list_init(&work->jobs);
    *result = work;
    return 0;
}

static void key_release(struct work_key *key, struct work *work)
{
    struct work_job *next;

    if (!key)
        return;
    key->stuck = false;
    next = list_first(&key->queue, struct work_job, queued);
    if (next) {
        list_unlink(&next->queued);
        key->queued--;
        job_begin(next);
        return;
    }
    map_remove(&work->keys, key->name);
    free(key->name);
    free(key);
}

/* Calls the owner: the job's last moment for it. */
static void job_done(struct work_job *job, void *argument, int result)
{
    list_unlink(&job->link);
    job->given_up = true;
    event_cancel(job->limit);
    job->limit = NULL;
    job->order.done(job->order.owner, argument, result);
}

static void job_free(struct work_job *job)
{
    job->order.free(job->order.argument);
    free(job);
}

/* It never ran and never will. */
static void job_drop(struct work_job *job, int result)
{
    struct work *work = job->work;

    work->stats.queued--;
    if (!list_empty(&job->queued)) {
        list_unlink(&job->queued);
        job->key->queued--;
        job_done(job, NULL, result);
    } else {
        struct work_key *key = job->key;

        event_cancel(job->event);
        job_done(job, NULL, result);
        key_release(key, work);
    }
    job_free(job);
}

static void job_runs(void *data)
{
    struct work_job *job = data;
    struct work *work = job->work;
    struct work_key *key = job->key;
    int result;

    job->event = NULL;
    work->stats.finished++;
    result = job->order.run(job->order.argument);
    if (!job->given_up)
        job_done(job, job->order.argument, result);
    job_free(job);
    key_release(key, work);
}

static void job_times_out(void *data)
{
    struct work_job *job = data, *other;
    struct work_key *key = job->key;

    job->limit = NULL;
    job->work->stats.timed_out++;
    if (key)
        key->stuck = true;
    job_done(job, NULL, -ETIMEDOUT);
    while (key && (other = list_first(&key->queue, struct work_job, queued)))
        job_drop(other, -EBUSY);
}

static void job_begin(struct work_job *job)
{
    const char *name = job->key ? job->key->name : "-";
    usec_t takes = draw_usec_wide(SITE_DURATION, name, RUN_MIN, RUN_MAX);

    job->work->stats.queued--;
    if (choose(SITE_WORK_HANGS, name, RATE_HANGS)) {
        takes = draw_usec_wide(SITE_DURATION, name, HANGS_MIN, HANGS_MAX);
        if (!job->key)
            world_disturb();
    }
    /* A limit that is not reached is no event. */
    if (takes >= job->order.limit_usec)
        job->limit =
            event_add_agent(job->order.limit_usec, "work times out", name, job_times_out, job);
    job->event = event_add_agent(takes, "work", name, job_runs, job);
}

static struct work_key *key_new(struct work *work, const char *name)
{
    struct work_key *key = mem_new(struct work_key);

    key->name = mem_strdup(name);
    list_init(&key->queue);
    map_put(&work->keys, name, key);
    return key;
}

int work_submit(struct work *work, const struct work_order *order, struct work_job **result,
                struct err *err)
{
    struct work_key *key = order->key ? map_get(&work->keys, order->key) : NULL;
    struct work_job *job;

    assert_that(order->limit_usec && order->limit_usec != USEC_NEVER);
    life_may_end(order->key ? order->key : "work");
    if (key && key->stuck) {
        work->stats.refused++;
        return err_set(err, -EBUSY, "worker pool: %s: an earlier job is stuck", order->key);
    }
    if (key && key->queued >= WORK_QUEUED_KEY_MAX) {
        work->stats.refused++;
        return err_set(err, -ENOBUFS, "worker pool: %s: %u jobs are queued already", order->key,
                       key->queued);
    }
    job = mem_new(struct work_job);
    job->work = work;
    job->order = *order;
    job->order.key = NULL;
    list_init(&job->queued);
    list_push_back(&work->jobs, &job->link);
    work->stats.queued++;
    if (key) {
        job->key = key;
        key->queued++;
        list_push_back(&key->queue, &job->queued);
    } else {
        job->key = order->key ? key_new(work, order->key) : NULL;
        job_begin(job);
    }
    if (result)
        *result = job;
    return 0;
}

void work_cancel(struct work_job *job)
{
    if (!list_empty(&job->queued))
        job_drop(job, -ECANCELED);
    else
        job_done(job, NULL, -ECANCELED);
}

struct work *work_free(struct work *work)
{
    struct work_job *job;

    if (!work)
        return NULL;
    while ((job = list_first(&work->jobs, struct work_job, link)))
        work_cancel(job);
    /* What still runs goes on by itself. */
    return NULL;
}

const struct work_stats *work_stats(const struct work *work)
{
    return &work->stats;
}
