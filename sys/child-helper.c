/*
 * The helper process. One thread, one poll: the agent's socket, SIGCHLD, and the pipes of the
 * programs. It reaps whatever is reparented to it (it is a subreaper), so a program's orphans are
 * no zombies.
 *
 * Process numbers are safe here without pidfds: all programs are this process's children, and a
 * number stays taken until it is reaped, which happens in one place.
 */
#include "child-helper.h"
#include "child-job.h"
#include "child-program.h"
#include "child-wire.h"
#include "nodeagent/sys/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    POLLED_MAX = 2 + JOB_POLL_MAX * CHILD_IN_FLIGHT_MAX,
};

struct helper {
    struct wire wire;
    int signals;
    struct list jobs;
    size_t job_count;
    bool agent_gone;
    struct wire_sockets kept;
    usec_t keep_until; /* once the agent is gone */
};

/* setting up */

/*
 * The null device for stdin and stdout; stderr stays, for the message of a failed assertion. If the
 * agent was started without these three, its socket has the number of one of them.
 */
static void descriptors_set(int socket)
{
    int null = open("/dev/null", O_RDWR), safe = fcntl(socket, F_DUPFD_CLOEXEC, HELPER_SOCKET_FD);

    assert_that(null >= 0 && safe >= 0);
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fd != STDERR_FILENO || fcntl(fd, F_GETFD) < 0 || fd == socket)
            assert_that(dup2(null, fd) == fd);
    if (safe != HELPER_SOCKET_FD)
        assert_that(dup3(safe, HELPER_SOCKET_FD, O_CLOEXEC) == HELPER_SOCKET_FD);
    closefrom(HELPER_SOCKET_FD + 1);
}

/* It ends when the agent does, not when a terminal or a service manager signals them all. */
static int signals_set(void)
{
    static const int ignored[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGPIPE, SIGUSR1, SIGUSR2};
    struct sigaction action = {.sa_handler = SIG_DFL};
    sigset_t set;
    int fd;

    for (int i = 1; i < _NSIG; i++)
        sigaction(i, &action, NULL);
    action.sa_handler = SIG_IGN;
    for (size_t i = 0; i < array_size(ignored); i++)
        sigaction(ignored[i], &action, NULL);
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_SETMASK, &set, NULL);
    fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    assert_that(fd >= 0);
    return fd;
}

/* jobs */

static void answer(struct helper *helper, uint64_t id, struct strbuf *result)
{
    if (helper->agent_gone)
        strbuf_deinit(result);
    else
        wire_queue(&helper->wire, id, WIRE_RESULT, result);
}

static void spawn(struct helper *helper, uint64_t id, struct strbuf *request)
{
    struct strbuf result = STRBUF_INIT;
    struct job *job = NULL;
    struct err err;

    if (helper->job_count == CHILD_IN_FLIGHT_MAX)
        err_set(&err, -EBUSY, "%d programs are running, which is the most", CHILD_IN_FLIGHT_MAX);
    else
        job_start(&job, id, request, &err);
    if (!job) {
        job_refused(&err, &result);
        answer(helper, id, &result);
        return;
    }
    list_push_back(&helper->jobs, &job->link);
    helper->job_count++;
}

static void forget(struct helper *helper, struct job *job, struct strbuf *result)
{
    answer(helper, job->id, result);
    job_free(job);
    helper->job_count--;
}

static struct job *find_by_pid(struct helper *helper, pid_t pid)
{
    list_for_each (node, &helper->jobs) {
        struct job *job = list_entry(node, struct job, link);

        if (job->pid == pid)
            return job;
    }
    return NULL;
}

static void kill_by_id(struct helper *helper, uint64_t id)
{
    list_for_each (node, &helper->jobs) {
        struct job *job = list_entry(node, struct job, link);

        if (job->id == id)
            job_kill(job, clock_monotonic());
    }
}

static void keep(struct helper *helper, struct wire_message *message)
{
    wire_sockets_close(&helper->kept);
    helper->kept = message->sockets;
    message->sockets.count = 0;
}

/* events */

static void reap(struct helper *helper)
{
    struct signalfd_siginfo signals;
    siginfo_t ended;

    while (read(helper->signals, &signals, sizeof(signals)) > 0)
        ;
    for (;;) {
        struct strbuf result = STRBUF_INIT;
        struct job *job;

        ended.si_pid = 0;
        if (waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) < 0 || !ended.si_pid)
            return;
        job = find_by_pid(helper, ended.si_pid);
        if (!job) {
            waitpid(ended.si_pid, NULL, 0);
            continue;
        }
        job_finish(job, &result);
        forget(helper, job, &result);
    }
}

static void lose_agent(struct helper *helper)
{
    helper->agent_gone = true;
    helper->keep_until = usec_add(clock_monotonic(), CHILD_KEEP);
    wire_deinit(&helper->wire);
    list_for_each (node, &helper->jobs) {
        struct job *job = list_entry(node, struct job, link);

        if (job->ends_with_agent)
            job_kill(job, clock_monotonic());
    }
}

static void serve_agent(struct helper *helper)
{
    struct wire_message message;
    int r;

    while ((r = wire_receive(&helper->wire, &message)) > 0) {
        if (message.kind == WIRE_SPAWN)
            spawn(helper, message.id, &message.payload);
        else if (message.kind == WIRE_KILL)
            kill_by_id(helper, message.id);
        else if (message.kind == WIRE_KEEP)
            keep(helper, &message);
        wire_sockets_close(&message.sockets);
        strbuf_deinit(&message.payload);
    }
    if (r < 0 || wire_flush(&helper->wire) < 0)
        lose_agent(helper);
}

static void expire(struct helper *helper)
{
    usec_t now = clock_monotonic();

    list_for_each_safe (node, &helper->jobs) {
        struct job *job = list_entry(node, struct job, link);
        struct strbuf result = STRBUF_INIT;

        if (now < job->deadline || job_expire(job, now))
            continue;
        /* Should it die after all, it is reaped as a stranger. */
        job_abandon(job, &result);
        forget(helper, job, &result);
    }
    if (helper->agent_gone && now >= helper->keep_until)
        wire_sockets_close(&helper->kept);
}

static int timeout_msec(const struct helper *helper)
{
    usec_t next = helper->agent_gone ? helper->keep_until : USEC_NEVER;

    list_for_each (node, &helper->jobs)
        next = MIN(next, list_entry(node, struct job, link)->deadline);
    if (next == USEC_NEVER)
        return -1;
    next = usec_sub(next, clock_monotonic());
    return (int)MIN(next / USEC_PER_MSEC + 1, (usec_t)60000);
}

static void turn(struct helper *helper)
{
    struct pollfd polled[POLLED_MAX] = {
        {.fd = helper->agent_gone ? -1 : helper->wire.fd,
         .events = POLLIN | (wire_idle(&helper->wire) ? 0 : POLLOUT)},
        {.fd = helper->signals, .events = POLLIN},
    };
    nfds_t count = 2;

    list_for_each (node, &helper->jobs) {
        job_poll(list_entry(node, struct job, link), polled + count);
        count += JOB_POLL_MAX;
    }
    if (poll(polled, count, timeout_msec(helper)) < 0)
        return;
    count = 2;
    list_for_each (node, &helper->jobs) {
        job_serve(list_entry(node, struct job, link), polled + count);
        count += JOB_POLL_MAX;
    }
    reap(helper);
    expire(helper);
    if (!helper->agent_gone)
        serve_agent(helper);
}

void helper_main(int socket)
{
    struct helper helper = {0};

    list_init(&helper.jobs);
    prctl(PR_SET_NAME, "nodeagent-child");
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    setsid();
    assert_that(chdir("/") == 0);
    descriptors_set(socket);
    helper.signals = signals_set();
    wire_init(&helper.wire, HELPER_SOCKET_FD);
    while (!helper.agent_gone || helper.job_count || helper.kept.count)
        turn(&helper);
    close(helper.signals);
    coverage_keep();
    _exit(0);
}
