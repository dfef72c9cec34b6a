/* One program that the helper runs: started from a request, watched, and turned into a result. */
#pragma once

#include "child-wire.h"

#include <poll.h>

enum {
    JOB_POLL_MAX = 3, /* its stdin, stdout, stderr */
};

/* After SIGTERM: time to take back what is half done, no more. */
#define JOB_TERM_PATIENCE (500 * USEC_PER_MSEC)
/* After SIGKILL; a process that is stuck in the kernel (a dead NFS server) does not even die. */
#define JOB_KILL_PATIENCE (2 * USEC_PER_SEC)

enum job_stage {
    JOB_RUNS,
    JOB_ASKED, /* its group got SIGTERM */
    JOB_KILLED,
};

struct capture {
    int fd;
    size_t max;
    struct strbuf bytes;
    uint64_t dropped;
};

struct job {
    struct list link;
    uint64_t id;
    pid_t pid;
    usec_t started;
    usec_t deadline; /* of this stage */
    enum job_stage stage;
    bool ends_with_agent;
    struct strbuf request;
    const char *input; /* in the request */
    size_t input_left;
    int input_fd;
    int failure_fd;
    struct capture captures[2];
};

/* Takes the request's bytes. The job is NULL when there is an error. */
int job_start(struct job **job, uint64_t id, struct strbuf *request, struct err *err);
struct job *job_free(struct job *job);

/* pipes */
void job_poll(const struct job *job, struct pollfd polled[JOB_POLL_MAX]);
void job_serve(struct job *job, const struct pollfd polled[JOB_POLL_MAX]);

/* SIGKILL for its process group; it must not have been reaped. */
void job_kill(struct job *job, usec_t now);

/* The deadline has passed: the next stage begins. False: there is none, it is to be given up. */
bool job_expire(struct job *job, usec_t now);

/* Reaps the program, which has ended, and whatever is left of its group; fills `result`. */
void job_finish(struct job *job, struct strbuf *result);

/* Gives up on a program that cannot be killed. */
void job_abandon(struct job *job, struct strbuf *result);

/* The result of what never ran. */
void job_refused(const struct err *err, struct strbuf *result);
