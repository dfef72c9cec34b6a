/* The pool's threads, for the pool. */
#pragma once

#include "nodeagent/sys/loop.h"
#include "nodeagent/sys/wheel.h"
#include "nodeagent/sys/work.h"

#include <pthread.h>

/*
 * A thread with room for one run. The loop hands it a run and is posted the return. What both
 * sides touch is under the lock; everything about jobs and keys is the loop's alone.
 */
struct worker {
    struct loop *loop;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    work_run_fn *run; /* NULL: returned, or nothing handed over yet */
    work_free_fn *free_argument;
    void *argument;
    int result;
    bool stop;     /* end when there is nothing to run */
    bool orphaned; /* nobody waits for the return: free everything and end */
    struct loop_post returned;

    /* the loop's */
    struct work *work;
    struct list link;         /* among the pool's idle, busy or stuck */
    struct wheel_timer timer; /* busy: the job's limit; idle: the end */
    struct work_job *job;     /* NULL: given up, the run goes on */
    struct work_key *key;     /* held by the run */
    bool busy;
    bool stuck;
};

/* Starts the thread; `returned` is called on the loop after each run. */
int worker_new(struct worker **result, struct loop *loop, loop_post_fn *returned);
void worker_run(struct worker *worker, work_run_fn *run, work_free_fn *free_argument,
                void *argument);

/* The run is over, though `returned` may still be on its way to the loop. */
bool worker_has_returned(struct worker *worker);

/* Ends the thread, which has nothing to run, and frees all. */
struct worker *worker_free(struct worker *worker);

/* Ends the thread when it returns, which is waited for until `until` on the monotonic clock. An
 * argument that was not freed yet is. */
void worker_abandon(struct worker *worker, usec_t until);
