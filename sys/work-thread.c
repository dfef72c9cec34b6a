/*
 * A thread of the pool.
 *
 * Who frees a worker? The loop, after joining the thread, unless the pool goes while the thread
 * hangs: then the worker is orphaned, the thread is detached, and should it ever return it frees
 * itself and touches nothing else. Both decide under the worker's lock, so it is one or the other.
 */
#include "nodeagent/base/mem.h"
#include "work-private.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

static void worker_destroy(struct worker *worker)
{
    pthread_mutex_destroy(&worker->lock);
    pthread_cond_destroy(&worker->changed);
    free(worker);
}

static void worker_run_one(struct worker *worker)
{
    work_run_fn *run = worker->run;
    void *argument = worker->argument;
    int result;

    pthread_mutex_unlock(&worker->lock);
    result = run(argument);
    pthread_mutex_lock(&worker->lock);
    worker->result = result;
    worker->run = NULL;
}

static void *worker_main(void *data)
{
    struct worker *worker = data;
    bool orphaned;

    pthread_mutex_lock(&worker->lock);
    while (!worker->orphaned) {
        if (worker->run) {
            worker_run_one(worker);
            if (!worker->orphaned)
                loop_post(worker->loop, &worker->returned);
            pthread_cond_signal(&worker->changed);
        } else if (worker->stop) {
            break;
        } else {
            pthread_cond_wait(&worker->changed, &worker->lock);
        }
    }
    orphaned = worker->orphaned;
    pthread_mutex_unlock(&worker->lock);
    if (orphaned) {
        worker->free_argument(worker->argument);
        worker_destroy(worker);
    }
    return NULL;
}

/* The stack is small, and no signal is ever delivered to the thread. */
static int worker_start(struct worker *worker)
{
    pthread_attr_t attributes;
    sigset_t all, before;
    int r;

    assert_that(pthread_attr_init(&attributes) == 0);
    assert_that(pthread_attr_setstacksize(&attributes, WORK_STACK_BYTES) == 0);
    sigfillset(&all);
    assert_that(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
    r = -pthread_create(&worker->thread, &attributes, worker_main, worker);
    assert_that(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
    pthread_attr_destroy(&attributes);
    if (r == 0)
        pthread_setname_np(worker->thread, "work");
    return r;
}

int worker_new(struct worker **result, struct loop *loop, loop_post_fn *returned)
{
    struct worker *worker = mem_new(struct worker);
    pthread_condattr_t attributes;
    int r;

    worker->loop = loop;
    list_init(&worker->link);
    loop_post_init(&worker->returned, returned);
    assert_that(pthread_mutex_init(&worker->lock, NULL) == 0);
    assert_that(pthread_condattr_init(&attributes) == 0);
    assert_that(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0);
    assert_that(pthread_cond_init(&worker->changed, &attributes) == 0);
    pthread_condattr_destroy(&attributes);
    r = worker_start(worker);
    if (r < 0) {
        worker_destroy(worker);
        return r;
    }
    *result = worker;
    return 0;
}

void worker_run(struct worker *worker, work_run_fn *run, work_free_fn *free_argument,
                void *argument)
{
    pthread_mutex_lock(&worker->lock);
    worker->run = run;
    worker->free_argument = free_argument;
    worker->argument = argument;
    pthread_cond_signal(&worker->changed);
    pthread_mutex_unlock(&worker->lock);
}

bool worker_has_returned(struct worker *worker)
{
    bool returned;

    pthread_mutex_lock(&worker->lock);
    returned = !worker->run;
    pthread_mutex_unlock(&worker->lock);
    return returned;
}

struct worker *worker_free(struct worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    worker->stop = true;
    pthread_cond_signal(&worker->changed);
    pthread_mutex_unlock(&worker->lock);
    pthread_join(worker->thread, NULL);
    worker_destroy(worker);
    return NULL;
}

void worker_abandon(struct worker *worker, usec_t until)
{
    struct timespec deadline = {
        .tv_sec = (time_t)(until / USEC_PER_SEC),
        .tv_nsec = (long)(until % USEC_PER_SEC * 1000),
    };
    int r = 0;

    pthread_mutex_lock(&worker->lock);
    while (worker->run && r != ETIMEDOUT)
        r = pthread_cond_timedwait(&worker->changed, &worker->lock, &deadline);
    if (worker->run) {
        worker->orphaned = true;
        pthread_detach(worker->thread);
        pthread_mutex_unlock(&worker->lock);
        return;
    }
    pthread_mutex_unlock(&worker->lock);
    loop_post_cancel(worker->loop, &worker->returned);
    worker->free_argument(worker->argument);
    worker_free(worker);
}
