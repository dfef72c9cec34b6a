/*
 * The pool. All decisions are the loop's: which job may run, on which thread, and when a thread
 * counts as stuck. Threads know one run at a time (work-thread.c), so nothing here needs a lock.
 *
 * A key is held from when its job may run until that run returned, however late. A stuck run
 * keeps its key: a second job of the pod beside it would be what the key exists to prevent, and
 * most likely the second thread to hang. Those queued behind it fail at once, and so do new ones,
 * so everybody can say what they wait for.
 */
#include "nodeagent/base/map.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/sys/clock.h"
#include "work-private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct work {
    struct loop *loop;
    struct wheel *wheel;
    struct list idle; /* the last to become idle first, so that the others can end */
    struct list busy;
    struct list stuck;
    struct list waiting; /* jobs that may run, for a thread */
    struct map keys;     /* struct work_key by name: those that are held */
    struct wheel_timer retry;
    bool stopping;
    struct work_stats stats;
};

struct work_key {
    char *name;
    struct list queue; /* jobs, in order */
    unsigned queued;
    bool stuck;
};

struct work_job {
    struct work *work;
    struct work_order order; /* but for its key */
    struct work_key *key;
    struct worker *worker; /* that runs it */
    struct list link;      /* else, in the key's queue or among those waiting */
    bool behind;           /* the former */
};

static int work_keep_minimum(struct work *work);
static void work_schedule(struct work *work);

static void key_free(struct work *work, struct work_key *key)
{
    map_remove(&work->keys, key->name);
    free(key->name);
    free(key);
}

/* Nobody runs under the key any more: the next one may. */
static void key_release(struct work *work, struct work_key *key)
{
    struct work_job *next;

    if (!key)
        return;
    key->stuck = false;
    next = list_first(&key->queue, struct work_job, link);
    if (!next) {
        key_free(work, key);
        return;
    }
    list_unlink(&next->link);
    key->queued--;
    next->behind = false;
    list_push_back(&work->waiting, &next->link);
}

/* The job's last moment. It is in no list and no thread's any more. */
static void job_done(struct work_job *job, void *argument, int result)
{
    struct work_order order = job->order;

    free(job);
    order.done(order.owner, argument, result);
}

/* For one that waits or is queued. */
static void job_drop(struct work_job *job, int result)
{
    struct work *work = job->work;
    struct work_order order = job->order;

    list_unlink(&job->link);
    work->stats.queued--;
    if (job->behind) {
        job->key->queued--;
    } else {
        key_release(work, job->key);
        work_schedule(work);
    }
    job_done(job, NULL, result);
    order.free(order.argument);
}

static void worker_move(struct worker *worker, struct list *list, bool busy, bool stuck)
{
    struct work_stats *stats = &worker->work->stats;

    stats->busy += (unsigned)busy - (unsigned)worker->busy;
    stats->stuck += (unsigned)stuck - (unsigned)worker->stuck;
    worker->busy = busy;
    worker->stuck = stuck;
    list_unlink(&worker->link);
    list_push_front(list, &worker->link);
}

/* Threads that run jobs in time or could. */
static unsigned work_healthy(const struct work *work)
{
    return work->stats.threads - work->stats.stuck;
}

static void worker_end(struct worker *worker)
{
    wheel_cancel(&worker->timer);
    list_unlink(&worker->link);
    worker->work->stats.threads--;
    worker_free(worker);
}

/* Nothing runs, and nothing will unless a stuck thread returns. */
static bool work_is_exhausted(const struct work *work)
{
    return work->stats.stuck == WORK_THREADS_MAX + WORK_STUCK_MAX;
}

static void job_timed_out(struct worker *worker)
{
    struct work *work = worker->work;
    struct work_key *key = worker->key;
    struct work_job *job = worker->job, *other;

    worker->job = NULL;
    worker_move(worker, &work->stuck, false, true);
    work->stats.timed_out++;
    if (key)
        key->stuck = true;
    work_keep_minimum(work);
    work_schedule(work);
    if (job)
        job_done(job, NULL, -ETIMEDOUT);
    /* The key stays: only the loop's next look at the thread's post can release it. */
    while (key && (other = list_first(&key->queue, struct work_job, link)))
        job_drop(other, -EBUSY);
    while (work_is_exhausted(work) && (other = list_first(&work->waiting, struct work_job, link)))
        job_drop(other, -EBUSY);
}

static void worker_timer(struct wheel_timer *timer)
{
    struct worker *worker = container_of(timer, struct worker, timer);

    if (!worker->busy) {
        if (work_healthy(worker->work) > WORK_THREADS_MIN)
            worker_end(worker);
    } else if (!worker_has_returned(worker)) {
        job_timed_out(worker);
    }
    /* Else the loop is late, and the return is on its way. */
}

static void worker_returned(struct loop_post *post)
{
    struct worker *worker = container_of(post, struct worker, returned);
    struct work *work = worker->work;
    struct work_job *job = worker->job;
    work_free_fn *free_argument = worker->free_argument;
    void *argument = worker->argument;
    int result = worker->result;

    work->stats.finished++;
    key_release(work, worker->key);
    worker->job = NULL;
    worker->key = NULL;
    if (worker->stuck) {
        work->stats.stuck--;
        worker_end(worker);
    } else {
        worker_move(worker, &work->idle, false, false);
        wheel_arm(work->wheel, &worker->timer,
                  work_healthy(work) > WORK_THREADS_MIN ? usec_add(clock_boottime(), WORK_IDLE_USEC)
                                                        : USEC_NEVER);
    }
    work_schedule(work);
    if (job)
        job_done(job, argument, result);
    free_argument(argument);
}

static int work_add_thread(struct work *work)
{
    struct worker *worker;
    int r = worker_new(&worker, work->loop, worker_returned);

    if (r < 0) {
        wheel_arm(work->wheel, &work->retry, usec_add(clock_boottime(), WORK_RETRY_USEC));
        return r;
    }
    worker->work = work;
    wheel_timer_init(&worker->timer, worker_timer);
    list_push_front(&work->idle, &worker->link);
    work->stats.threads++;
    return 0;
}

static bool work_may_grow(const struct work *work, unsigned healthy_max)
{
    return work_healthy(work) < healthy_max &&
           work->stats.threads < WORK_THREADS_MAX + WORK_STUCK_MAX;
}

static int work_keep_minimum(struct work *work)
{
    while (work_may_grow(work, WORK_THREADS_MIN)) {
        int r = work_add_thread(work);

        if (r < 0)
            return r;
    }
    return 0;
}

/* Is there an idle thread, or can there be another? */
static bool work_has_thread(struct work *work)
{
    if (!list_empty(&work->idle))
        return true;
    return work_may_grow(work, WORK_THREADS_MAX) && work_add_thread(work) == 0;
}

static void work_schedule(struct work *work)
{
    struct work_job *job;

    while (!work->stopping && (job = list_first(&work->waiting, struct work_job, link)) &&
           work_has_thread(work)) {
        struct worker *worker = list_first(&work->idle, struct worker, link);

        list_unlink(&job->link);
        work->stats.queued--;
        job->worker = worker;
        worker->job = job;
        worker->key = job->key;
        worker_move(worker, &work->busy, true, false);
        wheel_arm(work->wheel, &worker->timer, usec_add(clock_boottime(), job->order.limit_usec));
        worker_run(worker, job->order.run, job->order.free, job->order.argument);
    }
}

static void work_retry(struct wheel_timer *timer)
{
    struct work *work = container_of(timer, struct work, retry);

    if (work_keep_minimum(work) == 0)
        work_schedule(work);
}

int work_new(struct work **result, struct loop *loop, struct wheel *wheel, struct err *err)
{
    struct work *work = mem_new(struct work);
    int r;

    work->loop = loop;
    work->wheel = wheel;
    list_init(&work->idle);
    list_init(&work->busy);
    list_init(&work->stuck);
    list_init(&work->waiting);
    wheel_timer_init(&work->retry, work_retry);
    r = work_keep_minimum(work);
    if (r < 0) {
        work_free(work);
        return err_set(err, r, "worker pool: no thread can be started: %s", strerror(-r));
    }
    *result = work;
    return 0;
}

/* Callbacks may cancel, but neither start nor return anything meanwhile: workers stay put. */
static void work_cancel_all(struct work *work)
{
    struct work_job *job;

    /* Dropping one puts the next of its key here. */
    while ((job = list_first(&work->waiting, struct work_job, link)))
        job_drop(job, -ECANCELED);
    list_for_each (node, &work->busy) {
        struct worker *worker = list_entry(node, struct worker, link);

        if (worker->job)
            work_cancel(worker->job);
        while (worker->key && (job = list_first(&worker->key->queue, struct work_job, link)))
            job_drop(job, -ECANCELED);
    }
}

static void abandon_all(struct list *workers, usec_t until)
{
    struct worker *worker;

    while ((worker = list_first(workers, struct worker, link))) {
        struct work *work = worker->work;
        struct work_key *key = worker->key;

        wheel_cancel(&worker->timer);
        list_unlink(&worker->link);
        worker_abandon(worker, until);
        key_release(work, key);
    }
}

struct work *work_free(struct work *work)
{
    struct worker *worker;

    if (!work)
        return NULL;
    work->stopping = true;
    work_cancel_all(work);
    wheel_cancel(&work->retry);
    while ((worker = list_first(&work->idle, struct worker, link)))
        worker_end(worker);
    abandon_all(&work->stuck, 0);
    abandon_all(&work->busy, usec_add(clock_monotonic(), WORK_STOP_USEC));
    assert_that(map_count(&work->keys) == 0);
    map_deinit(&work->keys);
    free(work);
    return NULL;
}

static int work_refuse(struct work *work, const struct work_order *order,
                       const struct work_key *key, struct err *err)
{
    if (work->stopping)
        return err_set(err, -ESHUTDOWN, "worker pool: is stopping");
    if (key && key->stuck)
        return err_set(err, -EBUSY, "worker pool: %s: an earlier job is stuck", order->key);
    if (work_is_exhausted(work))
        return err_set(err, -EBUSY, "worker pool: %s%sall %u threads are stuck in earlier jobs",
                       order->key ? order->key : "", order->key ? ": " : "", work->stats.stuck);
    if (key && key->queued >= WORK_QUEUED_KEY_MAX)
        return err_set(err, -ENOBUFS, "worker pool: %s: %u jobs are queued already", order->key,
                       key->queued);
    if (work->stats.queued >= WORK_QUEUED_MAX)
        return err_set(err, -ENOBUFS,
                       "worker pool: %u jobs are queued already, %u threads are stuck",
                       work->stats.queued, work->stats.stuck);
    return 0;
}

static struct work_key *key_new(struct work *work, const char *name)
{
    struct work_key *key = mem_new(struct work_key);

    key->name = mem_strdup(name);
    key->stuck = false;
    list_init(&key->queue);
    map_put(&work->keys, name, key);
    return key;
}

int work_submit(struct work *work, const struct work_order *order, struct work_job **result,
                struct err *err)
{
    struct work_key *key = order->key ? map_get(&work->keys, order->key) : NULL;
    struct work_job *job;
    int r;

    assert_that(order->limit_usec && order->limit_usec != USEC_NEVER);
    r = work_refuse(work, order, key, err);
    if (r < 0) {
        work->stats.refused++;
        return r;
    }
    job = mem_new(struct work_job);
    job->work = work;
    job->order = *order;
    job->order.key = NULL;
    list_init(&job->link);
    work->stats.queued++;
    if (key) {
        job->key = key;
        job->behind = true;
        key->queued++;
        list_push_back(&key->queue, &job->link);
    } else {
        if (order->key)
            job->key = key_new(work, order->key);
        list_push_back(&work->waiting, &job->link);
        work_schedule(work);
    }
    if (result)
        *result = job;
    return 0;
}

void work_cancel(struct work_job *job)
{
    if (job->worker) {
        job->worker->job = NULL;
        job_done(job, NULL, -ECANCELED);
    } else {
        job_drop(job, -ECANCELED);
    }
}

const struct work_stats *work_stats(const struct work *work)
{
    return &work->stats;
}
