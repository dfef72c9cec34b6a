/* Processes that run seeds, and what they report by memory that is shared. */
#include "run.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/base/str.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    STEPS_WANTED = 1000, /* of a seed */
    FAULTS_WANTED = 5,
    KILLS_WANTED = 1,
    JOBS_MAX = 64,
};

struct report {
    struct outcome outcome; /* of the seed at hand, and of the one that failed */
    struct totals totals;
};

struct worker {
    pid_t pid; /* 0: none */
    struct report *report;
};

static struct report *report_new(void)
{
    void *memory = mmap(NULL, sizeof(struct report), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    assert_that(memory != MAP_FAILED);
    return memory;
}

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void count(struct totals *totals, const struct outcome *outcome)
{
    if (!totals->seeds || outcome->steps < totals->steps_min)
        totals->steps_min = outcome->steps;
    if (!totals->seeds || outcome->faults < totals->faults_min)
        totals->faults_min = outcome->faults;
    if (!totals->seeds || outcome->kills < totals->kills_min)
        totals->kills_min = outcome->kills;
    totals->short_seeds += outcome->steps < STEPS_WANTED || outcome->faults < FAULTS_WANTED ||
                           outcome->kills < KILLS_WANTED;
    totals->seeds++;
    totals->steps += outcome->steps;
    totals->faults += outcome->faults;
    totals->kills += outcome->kills;
    totals->lasted += outcome->lasted;
}

static void add(struct totals *sum, const struct totals *part)
{
    if (!part->seeds)
        return;
    if (!sum->seeds || part->steps_min < sum->steps_min)
        sum->steps_min = part->steps_min;
    if (!sum->seeds || part->faults_min < sum->faults_min)
        sum->faults_min = part->faults_min;
    if (!sum->seeds || part->kills_min < sum->kills_min)
        sum->kills_min = part->kills_min;
    sum->short_seeds += part->short_seeds;
    sum->seeds += part->seeds;
    sum->steps += part->steps;
    sum->faults += part->faults;
    sum->kills += part->kills;
    sum->lasted += part->lasted;
}

/* What did the process end with that it could not report? */
static void note_crash(struct outcome *outcome, int status)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) <= 1)
        return;
    outcome->violated = INVARIANT_SANE;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        snprintf(outcome->violation, sizeof(outcome->violation), "it did not end in %d s",
                 SEED_SECONDS_MAX);
    else if (WIFSIGNALED(status))
        snprintf(outcome->violation, sizeof(outcome->violation), "it crashed: %s",
                 strsignal(WTERMSIG(status)));
    else
        snprintf(outcome->violation, sizeof(outcome->violation), "it ended with exit code %d",
                 WEXITSTATUS(status));
}

/* one */

static int child_runs(const struct order *order, struct outcome *outcome)
{
    alarm(SEED_SECONDS_MAX);
    outcome->seed = order->seed;
    scenario_run(order, outcome);
    return outcome->violated != INVARIANT_NONE;
}

void run_one(const struct order *order, struct outcome *outcome)
{
    struct report *report = report_new();
    int status = 0;
    pid_t pid;

    fflush(NULL);
    pid = fork();
    assert_that(pid >= 0);
    if (pid == 0)
        _exit(child_runs(order, &report->outcome));
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    note_crash(&report->outcome, status);
    *outcome = report->outcome;
    munmap(report, sizeof(*report));
}

/* many */

static int worker_main(uint64_t from, uint64_t seeds, const struct runs *runs,
                       struct report *report)
{
    for (uint64_t i = 0; i < seeds; i++) {
        struct order order = {.seed = from + i, .bug = runs->bug};

        if (child_runs(&order, &report->outcome))
            return 1;
        count(&report->totals, &report->outcome);
        if (runs->verbose)
            printf("seed %llu: %u steps, %u faults, %u kills, %.0f s\n",
                   (unsigned long long)order.seed, report->outcome.steps, report->outcome.faults,
                   report->outcome.kills, (double)report->outcome.lasted / USEC_PER_SEC);
    }
    fflush(stdout);
    return 0;
}

static void worker_start(struct worker *worker, uint64_t from, uint64_t seeds,
                         const struct runs *runs)
{
    fflush(NULL);
    worker->report->totals = (struct totals){0};
    worker->report->outcome.violated = INVARIANT_NONE;
    worker->pid = fork();
    assert_that(worker->pid >= 0);
    if (worker->pid == 0)
        _exit(worker_main(from, seeds, runs, worker->report));
}

static struct worker *worker_wait(struct worker *workers, unsigned jobs, int *status)
{
    for (;;) {
        pid_t pid = waitpid(-1, status, 0);

        for (unsigned i = 0; i < jobs; i++) {
            if (pid > 0 && workers[i].pid == pid) {
                workers[i].pid = 0;
                return &workers[i];
            }
        }
        if (pid < 0 && errno != EINTR)
            return NULL;
    }
}

/* Starts what may be started; returns how many run. */
static unsigned start_workers(struct worker *workers, const struct runs *runs, uint64_t *next,
                              bool more)
{
    unsigned running = 0;

    for (unsigned i = 0; i < runs->jobs; i++) {
        uint64_t left = runs->from + runs->count - *next;

        if (!workers[i].pid && more && left) {
            uint64_t seeds = MIN(left, (uint64_t)SEEDS_A_PROCESS);

            worker_start(&workers[i], *next, seeds, runs);
            *next += seeds;
        }
        running += workers[i].pid != 0;
    }
    return running;
}

bool run_all(const struct runs *runs, struct totals *totals, struct outcome *outcome)
{
    struct worker workers[JOBS_MAX] = {0};
    double end = runs->seconds ? now() + runs->seconds : 1e18;
    uint64_t next = runs->from;
    bool good = true;

    assert_that(runs->jobs && runs->jobs <= JOBS_MAX);
    for (unsigned i = 0; i < runs->jobs; i++)
        workers[i].report = report_new();
    while (start_workers(workers, runs, &next, good && now() < end)) {
        struct worker *worker;
        int status;

        worker = worker_wait(workers, runs->jobs, &status);
        assert_that(worker);
        note_crash(&worker->report->outcome, status);
        add(totals, &worker->report->totals);
        if (worker->report->outcome.violated && good) {
            *outcome = worker->report->outcome;
            good = false;
        }
    }
    for (unsigned i = 0; i < runs->jobs; i++)
        munmap(workers[i].report, sizeof(struct report));
    return good;
}
