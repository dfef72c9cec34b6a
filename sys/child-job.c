/*
 * A program in the helper. Pipes are read as long as there is something, into memory up to the
 * request's limits and beyond them into nothing, so a program never waits for a reader.
 *
 * It is over when its main process is: what else is in the group is killed before that process is
 * reaped, while its number cannot be given to anybody else, and what is in the pipes by then is
 * the output. Nobody waits for the end of the pipes; a daemon may hold them for ever.
 */
#include "child-job.h"
#include "child-program.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/files.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    READ_CHUNK = 64 * 1024, /* a pipe's usual size */
};

static struct job *job_new(uint64_t id, struct strbuf *request)
{
    struct job *job = mem_new(struct job);

    list_init(&job->link);
    job->id = id;
    job->request = *request;
    *request = STRBUF_INIT;
    job->input_fd = job->failure_fd = job->captures[0].fd = job->captures[1].fd = -1;
    return job;
}

struct job *job_free(struct job *job)
{
    list_unlink(&job->link);
    fd_close_at(&job->input_fd);
    fd_close_at(&job->failure_fd);
    for (size_t i = 0; i < array_size(job->captures); i++) {
        fd_close_at(&job->captures[i].fd);
        strbuf_deinit(&job->captures[i].bytes);
    }
    strbuf_deinit(&job->request);
    free(job);
    return NULL;
}

/* starting */

/* `count` strings from the request; the array ends in NULL. */
static char **take_strings(char **next, const char *end, uint32_t count)
{
    /* Each takes a byte at least, which bounds the array. */
    char **strings = count <= end - *next ? mem_alloc((count + 1) * sizeof(*strings)) : NULL;

    for (uint32_t i = 0; strings && i < count; i++) {
        char *nul = memchr(*next, '\0', (size_t)(end - *next));

        if (!nul) {
            free(strings);
            return NULL;
        }
        strings[i] = *next;
        *next = nul + 1;
    }
    if (strings)
        strings[count] = NULL;
    return strings;
}

/* Finds argv and environment, which the caller frees, whatever is returned. */
static int job_decode(struct job *job, struct program_setup *setup, char ***argv,
                      char ***environment)
{
    struct wire_spawn spawn;
    const char *end = job->request.text + job->request.length;
    char *next, *directory;

    if (job->request.length <= sizeof(spawn))
        return -EBADMSG;
    next = job->request.text + sizeof(spawn);
    memcpy(&spawn, job->request.text, sizeof(spawn));
    directory = next;
    next = memchr(next, '\0', (size_t)(end - next));
    if (!next++ || spawn.argument_count == 0)
        return -EBADMSG;
    *argv = take_strings(&next, end, spawn.argument_count);
    if (!*argv || !(*environment = take_strings(&next, end, spawn.environment_count)))
        return -EBADMSG;
    if (end - next != spawn.input_length)
        return -EBADMSG;
    job->input = next;
    job->input_left = spawn.input_length;
    job->deadline = spawn.deadline;
    job->ends_with_agent = spawn.ends_with_agent;
    for (size_t i = 0; i < array_size(job->captures); i++)
        job->captures[i].max = MIN(spawn.output_max[i], (uint32_t)CHILD_OUTPUT_MAX);
    setup->argv = *argv;
    setup->environment = *environment;
    setup->directory = directory;
    return 0;
}

/* A pipe of which the helper's end does not block; the program's may. */
static int pipe_open(int *ours, int *theirs, bool we_read)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    *ours = ends[we_read ? 0 : 1];
    *theirs = ends[we_read ? 1 : 0];
    return fcntl(*ours, F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
}

static int job_fork(struct job *job, struct program_setup *setup, struct err *err)
{
    int r = job->input_left ? pipe_open(&job->input_fd, &setup->input, false) : 0;

    for (size_t i = 0; r == 0 && i < array_size(job->captures); i++)
        r = pipe_open(&job->captures[i].fd, &setup->output[i], true);
    if (r == 0)
        r = pipe_open(&job->failure_fd, &setup->failure, true);
    setup->helper = getpid();
    if (r == 0) {
        job->pid = fork();
        r = job->pid < 0 ? -errno : 0;
    }
    if (r < 0)
        return err_set(err, r, "cannot run %s: %s", setup->argv[0], strerror(-r));
    if (job->pid == 0)
        program_run(setup);
    /* It does so too; whoever comes first, the group is there before it can be killed. */
    setpgid(job->pid, job->pid);
    return 0;
}

int job_start(struct job **started, uint64_t id, struct strbuf *request, struct err *err)
{
    struct program_setup setup = {.input = -1, .output = {-1, -1}, .failure = -1};
    _cleanup_(mem_free_at) char **argv = NULL;
    _cleanup_(mem_free_at) char **environment = NULL;
    struct job *job = job_new(id, request);
    int r = job_decode(job, &setup, &argv, &environment);

    if (r < 0) {
        err_set(err, r, "the request to run a program is malformed");
    } else {
        job->started = clock_monotonic();
        job->deadline = MIN(job->deadline, usec_add(job->started, CHILD_TIMEOUT_MAX));
        r = job_fork(job, &setup, err);
    }
    fd_close_at(&setup.input);
    fd_close_at(&setup.output[0]);
    fd_close_at(&setup.output[1]);
    fd_close_at(&setup.failure);
    *started = r < 0 ? job_free(job) : job;
    return r;
}

/* pipes */

void job_poll(const struct job *job, struct pollfd polled[JOB_POLL_MAX])
{
    polled[0] = (struct pollfd){.fd = job->input_fd, .events = POLLOUT};
    for (size_t i = 0; i < array_size(job->captures); i++)
        polled[i + 1] = (struct pollfd){.fd = job->captures[i].fd, .events = POLLIN};
}

static void write_input(struct job *job)
{
    ssize_t written = write(job->input_fd, job->input, job->input_left);

    if (written >= 0) {
        job->input += written;
        job->input_left -= (size_t)written;
    }
    /* A program need not read what it is given. */
    if (!job->input_left || (written < 0 && errno != EAGAIN && errno != EINTR))
        fd_close_at(&job->input_fd);
}

/* One read; how much there was. */
static size_t capture_read(struct capture *capture)
{
    char bytes[READ_CHUNK];
    ssize_t got = read(capture->fd, bytes, sizeof(bytes));
    size_t kept;

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (got <= 0) {
        fd_close_at(&capture->fd);
        return 0;
    }
    kept = MIN((size_t)got, capture->max - capture->bytes.length);
    strbuf_add_bytes(&capture->bytes, bytes, kept);
    capture->dropped += (size_t)got - kept;
    return (size_t)got;
}

void job_serve(struct job *job, const struct pollfd polled[JOB_POLL_MAX])
{
    if (polled[0].revents)
        write_input(job);
    for (size_t i = 0; i < array_size(job->captures); i++)
        if (polled[i + 1].revents)
            capture_read(&job->captures[i]);
}

/* What was written before the end; a daemon that still writes gets no more than the pipe holds. */
static void capture_drain(struct capture *capture)
{
    int size = capture->fd >= 0 ? fcntl(capture->fd, F_GETPIPE_SZ) : 0;

    for (size_t total = 0, got = 1; capture->fd >= 0 && got && total < (size_t)MAX(size, 0);)
        total += got = capture_read(capture);
}

/* ending */

void job_kill(struct job *job, usec_t now)
{
    if (job->stage == JOB_KILLED)
        return;
    kill(-job->pid, SIGKILL);
    job->stage = JOB_KILLED;
    job->deadline = usec_add(now, JOB_KILL_PATIENCE);
}

bool job_expire(struct job *job, usec_t now)
{
    switch (job->stage) {
    case JOB_RUNS:
        kill(-job->pid, SIGTERM);
        job->stage = JOB_ASKED;
        job->deadline = usec_add(now, JOB_TERM_PATIENCE);
        return true;
    case JOB_ASKED:
        job_kill(job, now);
        return true;
    case JOB_KILLED:
        break;
    }
    return false;
}

static usec_t usec_of(const struct timeval *time)
{
    return (usec_t)time->tv_sec * USEC_PER_SEC + (usec_t)time->tv_usec;
}

static void encode(struct wire_result *head, struct job *job, const struct err *err,
                   struct strbuf *result)
{
    if (job) {
        head->wall_usec = usec_sub(clock_monotonic(), job->started);
        for (size_t i = 0; i < array_size(job->captures); i++) {
            head->output_length[i] = (uint32_t)job->captures[i].bytes.length;
            head->output_dropped[i] = job->captures[i].dropped;
        }
    }
    head->code = err->code;
    strbuf_add_bytes(result, head, sizeof(*head));
    for (size_t i = 0; i < array_size(head->output_length); i++) {
        if (job)
            strbuf_add_bytes(result, job->captures[i].bytes.text, job->captures[i].bytes.length);
        strbuf_add_char(result, '\0');
    }
    strbuf_add(result, err->text);
    strbuf_add_char(result, '\0');
}

void job_finish(struct job *job, struct strbuf *result)
{
    struct wire_result head = {.outcome = CHILD_EXITED, .pid = job->pid};
    struct err err = {0};
    struct rusage usage;
    int status;

    kill(-job->pid, SIGKILL);
    assert_that(wait4(job->pid, &status, 0, &usage) == job->pid);
    for (size_t i = 0; i < array_size(job->captures); i++)
        capture_drain(&job->captures[i]);
    head.user_usec = usec_of(&usage.ru_utime);
    head.system_usec = usec_of(&usage.ru_stime);
    head.status = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
    if (job->stage != JOB_RUNS) {
        head.outcome = CHILD_TIMED_OUT;
    } else if (read(job->failure_fd, &err, sizeof(err)) == sizeof(err)) {
        head.outcome = CHILD_NOT_STARTED;
        head.status = head.pid = 0; /* our own fork's */
    } else if (WIFSIGNALED(status)) {
        head.outcome = CHILD_SIGNALLED;
    }
    encode(&head, job, &err, result);
}

void job_abandon(struct job *job, struct strbuf *result)
{
    struct wire_result head = {.outcome = CHILD_TIMED_OUT, .pid = job->pid};
    struct err err;

    err_set(&err, -ETIMEDOUT, "process %d was killed but does not end; is a disk or server hung?",
            (int)job->pid);
    encode(&head, job, &err, result);
}

void job_refused(const struct err *err, struct strbuf *result)
{
    struct wire_result head = {.outcome = CHILD_NOT_STARTED};

    encode(&head, NULL, err, result);
}
