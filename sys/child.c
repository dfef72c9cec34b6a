/*
 * The agent's side of running programs: requests go out, results come in, and the caller's loop is
 * asked for one descriptor. That is an epoll one over the helper's socket, so that waiting for room
 * to send needs no other interface than waiting for results.
 *
 * Of programs, bytes are all that crosses the socket. The helper reads a program's output itself
 * and sends what the limits let through once the program has ended: an agent that stalls stalls no
 * program, and nothing of a program is left to watch here.
 */
#include "nodeagent/sys/child.h"
#include "child-helper.h"
#include "child-message.h"
#include "child-wire.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/sys/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    HELPER_END_MSEC = 1000, /* patience with a helper that has nothing left to do; it takes 1 */
};

struct child_helper {
    struct wire wire;
    int epoll;
    bool watching_room;
    pid_t pid;
    struct list children;
    size_t in_flight;
    uint64_t last_id;
    struct err lost; /* code 0 while the helper lives */
};

struct child {
    struct list link;
    uint64_t id;
    char *program;
    usec_t timeout;
    child_done_fn done; /* NULL: cancelled */
    void *userdata;
};

/* the helper */

/*
 * The new process borrows this one's memory until it has become the helper, and so tells why it
 * could not.
 */
static int helper_spawn(pid_t *pid, const char *program, int socket)
{
    char name[] = "nodeagent-helper";
    char *arguments[] = {name, NULL};
    volatile int failure = 0;

    *pid = vfork();
    if (*pid == 0) {
        if (socket == HELPER_SOCKET_FD)
            fcntl(socket, F_SETFD, 0);
        else
            dup2(socket, HELPER_SOCKET_FD);
        execv(program, arguments);
        failure = -errno;
        _exit(1);
    }
    if (*pid < 0)
        return -errno;
    if (failure)
        waitpid(*pid, NULL, 0);
    return failure;
}

int child_helper_start(struct child_helper **started, const char *program, struct err *err)
{
    struct epoll_event event = {.events = EPOLLIN};
    struct child_helper *helper;
    int sockets[2], r;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0)
        return err_set(err, -errno, "cannot make a socket for the helper process: %s",
                       strerror(errno));
    helper = mem_new(struct child_helper);
    wire_init(&helper->wire, sockets[0]);
    list_init(&helper->children);
    helper->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (helper->epoll >= 0 && epoll_ctl(helper->epoll, EPOLL_CTL_ADD, sockets[0], &event) == 0)
        r = helper_spawn(&helper->pid, program, sockets[1]);
    else
        r = -errno;
    close(sockets[1]);
    if (r < 0) {
        wire_deinit(&helper->wire);
        fd_close_at(&helper->epoll);
        free(helper);
        return err_set(err, r, "cannot start the helper process %s: %s", program, strerror(-r));
    }
    *started = helper;
    return 0;
}

/* Reaps the helper if it ends in time; it happens at the end of this process, or of its own. */
static bool helper_wait(struct child_helper *helper, int timeout_msec, siginfo_t *ended)
{
    const struct timespec nap = {.tv_nsec = 1000000};

    for (;;) {
        ended->si_pid = 0;
        if (waitid(P_PID, (id_t)helper->pid, ended, WEXITED | WNOHANG) < 0)
            return false;
        if (ended->si_pid || timeout_msec-- <= 0)
            return ended->si_pid;
        nanosleep(&nap, NULL);
    }
}

static void child_free(struct child_helper *helper, struct child *child)
{
    list_unlink(&child->link);
    helper->in_flight--;
    free(child->program);
    free(child);
}

pid_t child_helper_pid(const struct child_helper *helper)
{
    return helper->pid;
}

size_t child_helper_in_flight(const struct child_helper *helper)
{
    return helper->in_flight;
}

int child_helper_fd(const struct child_helper *helper)
{
    return helper->epoll;
}

static void watch_room(struct child_helper *helper)
{
    bool wanted = !wire_idle(&helper->wire);
    struct epoll_event event = {.events = EPOLLIN | (wanted ? EPOLLOUT : 0)};

    if (wanted == helper->watching_room)
        return;
    assert_that(epoll_ctl(helper->epoll, EPOLL_CTL_MOD, helper->wire.fd, &event) == 0);
    helper->watching_room = wanted;
}

void child_helper_keep(struct child_helper *helper, const int *sockets, size_t count)
{
    if (helper->lost.code)
        return;
    wire_queue_sockets(&helper->wire, 0, WIRE_KEEP, sockets, count);
    wire_flush(&helper->wire);
    watch_room(helper);
}

struct child_helper *child_helper_free(struct child_helper *helper)
{
    bool busy;
    siginfo_t ended;

    if (!helper)
        return NULL;
    busy = helper->in_flight > 0;
    child_helper_keep(helper, NULL, 0);
    list_for_each_safe (node, &helper->children)
        child_free(helper, list_entry(node, struct child, link));
    wire_deinit(&helper->wire);
    fd_close_at(&helper->epoll);
    if (!helper->lost.code)
        helper_wait(helper, busy ? 0 : HELPER_END_MSEC, &ended);
    free(helper);
    return NULL;
}

/* results */

static void finish(struct child_helper *helper, struct child *child, struct child_result *result)
{
    child_done_fn done = child->done;
    void *userdata = child->userdata;

    result_explain(child->program, child->timeout, result);
    /* Before the call, which may well spawn the next. */
    child_free(helper, child);
    if (done)
        done(userdata, result);
}

static int deliver(struct child_helper *helper, const struct wire_message *message)
{
    struct child_result result = {0};
    int r = message->kind == WIRE_RESULT ? result_decode(&message->payload, &result) : -EBADMSG;

    if (r < 0)
        return r;
    list_for_each (node, &helper->children) {
        struct child *child = list_entry(node, struct child, link);

        if (child->id == message->id) {
            finish(helper, child, &result);
            return 0;
        }
    }
    return -EBADMSG;
}

/* The end: a sentence, and an answer for everybody who waits. */
static void lose_helper(struct child_helper *helper, int code)
{
    struct child *child;
    siginfo_t ended;

    if (!helper_wait(helper, HELPER_END_MSEC, &ended))
        err_set(&helper->lost, code, "the helper process %d, which runs programs, is gone: %s",
                (int)helper->pid, strerror(-code));
    else
        err_set(&helper->lost, -EPIPE, "the helper process %d, which runs programs, %s %d",
                (int)helper->pid,
                ended.si_code == CLD_EXITED ? "exited with status" : "was ended by signal",
                ended.si_status);
    while ((child = list_first(&helper->children, struct child, link))) {
        struct child_result result = {.outcome = CHILD_LOST, .out.bytes = "", .errors.bytes = ""};

        err_set(&result.err, helper->lost.code, "%s: %s", child->program, helper->lost.text);
        finish(helper, child, &result);
    }
}

int child_helper_dispatch(struct child_helper *helper, struct err *err)
{
    struct wire_message message;
    int r = 1;

    for (int i = 0; !helper->lost.code && r > 0 && i < CHILD_DISPATCH_MAX; i++) {
        r = wire_receive(&helper->wire, &message);
        if (r > 0) {
            r = deliver(helper, &message);
            strbuf_deinit(&message.payload);
            r = r == 0 ? 1 : r;
        }
    }
    if (r >= 0 && !helper->lost.code)
        r = wire_flush(&helper->wire);
    if (r < 0)
        lose_helper(helper, r);
    if (helper->lost.code)
        return err_set(err, helper->lost.code, "%s", helper->lost.text);
    watch_room(helper);
    return 0;
}

/* programs */

static int request_check(const struct child_helper *helper, const struct child_request *request,
                         struct err *err)
{
    const char *program = request->argv[0];

    assert_that(program);
    if (helper->lost.code)
        return err_set(err, helper->lost.code, "cannot run %s: %s", program, helper->lost.text);
    if (helper->in_flight == CHILD_IN_FLIGHT_MAX)
        return err_set(err, -EBUSY, "cannot run %s: %d programs are running, which is the most",
                       program, CHILD_IN_FLIGHT_MAX);
    if (request->input_length > CHILD_REQUEST_MAX)
        return err_set(err, -E2BIG, "cannot run %s: its input has %zu bytes of %d allowed", program,
                       request->input_length, CHILD_REQUEST_MAX);
    return 0;
}

int child_spawn(struct child_helper *helper, const struct child_request *request,
                child_done_fn done, void *userdata, struct child **spawned, struct err *err)
{
    _cleanup_(strbuf_deinit) struct strbuf payload = STRBUF_INIT;
    int r = request_check(helper, request, err);
    struct child *child;

    if (r < 0)
        return r;
    request_encode(request, &payload);
    if (payload.length > CHILD_REQUEST_MAX)
        return err_set(err, -E2BIG,
                       "cannot run %s: arguments, environment and input have %zu bytes of %d "
                       "allowed",
                       request->argv[0], payload.length, CHILD_REQUEST_MAX);
    child = mem_new(struct child);
    child->id = ++helper->last_id;
    child->program = mem_strdup(request->argv[0]);
    child->timeout = MIN(request->timeout, CHILD_TIMEOUT_MAX);
    child->done = done;
    child->userdata = userdata;
    list_push_back(&helper->children, &child->link);
    helper->in_flight++;
    wire_queue(&helper->wire, child->id, WIRE_SPAWN, &payload);
    if (spawned)
        *spawned = child;
    /* A dead helper is noticed, and everybody told, by the dispatch that its socket asks for. */
    wire_flush(&helper->wire);
    watch_room(helper);
    return 0;
}

void child_cancel(struct child_helper *helper, struct child *child)
{
    child->done = NULL;
    wire_queue(&helper->wire, child->id, WIRE_KILL, NULL);
    wire_flush(&helper->wire);
    watch_room(helper);
}
