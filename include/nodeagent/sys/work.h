/*
 * The pool: threads for calls that may block (stat on a dead mount, a DNS lookup). A job runs on
 * some thread and its result comes back on the loop; jobs with the same key (a pod) run one at a
 * time, in order.
 *
 * A job has two halves with two owners. `argument` belongs to the pool from a successful submit
 * until it is freed, after the run returned or when it will never run: whatever a thread may still
 * touch lives there. `owner` is the loop's half and is never seen by a thread. So a job can be
 * given up while its thread hangs, and its owner may go.
 */
#pragma once

#include "nodeagent/base/err.h"
#include "nodeagent/base/time.h"

#include <stdbool.h>

enum {
    WORK_THREADS_MIN = 4,          /* always there: a few calls at once never wait for a thread */
    WORK_THREADS_MAX = 64,         /* not stuck; this many calls may hang before others wait */
    WORK_STUCK_MAX = 64,           /* stuck threads that are replaced; then the pool shrinks */
    WORK_STACK_BYTES = 256 * 1024, /* of 128 threads: 32 MiB of address space */
    WORK_QUEUED_MAX = 8192,        /* jobs that wait: 16 for each of 500 pods */
    WORK_QUEUED_KEY_MAX = 64,      /* behind one key; who wants more does not wait for answers */
};

#define WORK_IDLE_USEC (10 * USEC_PER_SEC) /* then a thread above the minimum ends */
#define WORK_RETRY_USEC (1 * USEC_PER_SEC) /* after the system refused a thread */
#define WORK_STOP_USEC (1 * USEC_PER_SEC)  /* what stopping waits for threads to return */

struct work;
struct work_job;
struct loop;
struct wheel;

/* On a thread of the pool, all signals blocked; 0 or a negative errno. */
typedef int work_run_fn(void *argument);

/*
 * On the loop, exactly once for each submitted job. `argument` is there, to be read or to be taken
 * from, if the run returned in time; it is NULL if the job
 *   -ECANCELED  was cancelled, queued or running
 *   -ETIMEDOUT  ran longer than its limit
 *   -EBUSY      was queued behind one that did, or no thread is left: all are stuck
 */
typedef void work_done_fn(void *owner, void *argument, int result);

/* On the loop's thread, but on the job's own if that returns when the pool is gone: it may not
 * touch anything else. */
typedef void work_free_fn(void *argument);

struct work_order {
    const char *key; /* copied; NULL: runs beside any other */
    usec_t limit_usec;
    work_run_fn *run;
    work_done_fn *done;
    work_free_fn *free;
    void *argument;
    void *owner;
};

/* The loop and the wheel outlive the pool. */
int work_new(struct work **result, struct loop *loop, struct wheel *wheel, struct err *err);

/* Cancels all jobs, and leaves threads that do not return in WORK_STOP_USEC to themselves. Not
 * from within a callback of the pool. */
struct work *work_free(struct work *work);

/*
 * 0, and `done` will be called, never from within here; `*job` (may be NULL) is good until then.
 * Or, and nothing was taken over:
 *   -ENOBUFS    the queue is full, the pool's or the key's
 *   -EBUSY      a job of this key is stuck, or all threads are: it cannot run until one returns
 *   -ESHUTDOWN  the pool is being freed
 */
int work_submit(struct work *work, const struct work_order *order, struct work_job **job,
                struct err *err);

/* Calls `done` before it returns; if the job runs, it goes on by itself and its key with it. */
void work_cancel(struct work_job *job);

struct work_stats {
    unsigned threads; /* stuck ones included */
    unsigned busy;    /* running a job in time */
    unsigned stuck;
    unsigned queued;
    uint64_t finished; /* runs that returned, late ones included */
    uint64_t timed_out;
    uint64_t refused; /* by a full queue, by a stuck key, by stuck threads */
};

const struct work_stats *work_stats(const struct work *work);
