/*
 * A program run without a helper, which is for programs that are small themselves: they fork, and
 * wait for what comes of it.
 */
#include "child-job.h"
#include "child-message.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/files.h"

#include <limits.h>
#include <sys/pidfd.h>

/* Until its end, or until it is given up. */
static void see_through(struct job *job, struct strbuf *result)
{
    _cleanup_(fd_close_at) int ended = pidfd_open(job->pid, 0);

    assert_that(ended >= 0);
    for (;;) {
        struct pollfd polled[1 + JOB_POLL_MAX] = {{.fd = ended, .events = POLLIN}};
        usec_t now = clock_monotonic();

        if (now >= job->deadline && !job_expire(job, now)) {
            job_abandon(job, result);
            return;
        }
        job_poll(job, polled + 1);
        if (poll(polled, array_size(polled),
                 (int)MIN(usec_sub(job->deadline, now) / USEC_PER_MSEC + 1, (usec_t)INT_MAX)) < 0)
            continue;
        job_serve(job, polled + 1);
        if (polled[0].revents) {
            job_finish(job, result);
            return;
        }
    }
}

void child_run(const struct child_request *request, struct strbuf *storage,
               struct child_result *result)
{
    _cleanup_(strbuf_deinit) struct strbuf payload = STRBUF_INIT;
    struct job *job;
    struct err err;

    *result = (struct child_result){0};
    strbuf_truncate(storage, 0);
    request_encode(request, &payload);
    if (job_start(&job, 0, &payload, &err) < 0) {
        job_refused(&err, storage);
    } else {
        see_through(job, storage);
        job_free(job);
    }
    assert_that(result_decode(storage, result) == 0);
    result_explain(request->argv[0], request->timeout, result);
}
