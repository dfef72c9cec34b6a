/*
 * Many sockets behind one descriptor: a nested epoll, drained a batch at a time.
 *
 * What the budget does not reach stays in the batch for the next turn. Dropping it would be
 * unfair: the kernel has already put it at the end of its queue, so with slow callbacks the same
 * few sockets would come first for ever. No wake-up is needed for what stays: as long as it is
 * still ready the epoll descriptor is readable, and otherwise nobody misses it.
 */
#include "loop-private.h"
#include "nodeagent/base/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

struct loop_set {
    struct loop *loop;
    struct loop_source *source;
    int epoll_fd;
    bool delivering;
    bool freed; /* while delivering: there are no sockets any more */
    size_t sockets;
    struct epoll_event batch[LOOP_BUDGET_EVENTS]; /* data.ptr NULL: removed since */
    unsigned next;
    unsigned count;
};

static void set_fetch(struct loop_set *set, unsigned limit)
{
    int count = epoll_wait(set->epoll_fd, set->batch, (int)limit, 0);

    set->next = 0;
    set->count = count > 0 ? (unsigned)count : 0;
    for (unsigned i = 0; i < set->count; i++)
        ((struct loop_socket *)set->batch[i].data.ptr)->place = i + 1;
}

/* Calls for what is in the batch; false when the budget ended first. */
static bool set_deliver(struct loop_set *set, struct loop_budget *budget)
{
    while (set->next < set->count) {
        struct epoll_event *event = &set->batch[set->next++];
        struct loop_socket *socket = event->data.ptr;

        if (!socket)
            continue;
        socket->place = 0;
        /* They may have changed since the kernel reported. */
        uint32_t events = event->events & (socket->events | EPOLLERR | EPOLLHUP);

        if (!events)
            continue;
        socket->ready(socket, events);
        if (set->loop->stopped || !loop_budget_spend(budget))
            return false;
    }
    return true;
}

static void set_destroy(struct loop_set *set)
{
    close(set->epoll_fd);
    free(set);
}

static void set_ready(void *data, int fd, uint32_t events)
{
    struct loop_set *set = data;
    struct loop_budget budget = loop_budget_begin();

    set->delivering = true;
    if (set_deliver(set, &budget) && !set->freed) {
        set_fetch(set, budget.events);
        set_deliver(set, &budget);
    }
    set->delivering = false;
    if (set->freed)
        set_destroy(set);
}

int loop_set_new(struct loop_set **result, struct loop *loop, enum loop_class class,
                 struct err *err)
{
    struct loop_set *set = mem_new(struct loop_set);
    int r;

    set->loop = loop;
    set->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (set->epoll_fd < 0) {
        free(set);
        return err_set(err, -errno, "event loop: no descriptor for a set of sockets: %m");
    }
    r = loop_watch_fd(loop, &set->source, class, set->epoll_fd, EPOLLIN, set_ready, set, err);
    if (r < 0) {
        close(set->epoll_fd);
        free(set);
        return r;
    }
    *result = set;
    return 0;
}

struct loop_set *loop_set_free(struct loop_set *set)
{
    if (!set)
        return NULL;
    assert_that(!set->sockets);
    loop_source_free(set->source);
    set->freed = true;
    if (!set->delivering)
        set_destroy(set);
    return NULL;
}

static void set_forget(struct loop_socket *socket)
{
    if (socket->place)
        socket->set->batch[socket->place - 1].data.ptr = NULL;
    socket->place = 0;
}

int loop_set_change(struct loop_socket *socket, uint32_t events, struct err *err)
{
    struct epoll_event event = {.events = events, .data.ptr = socket};
    int operation;

    if (events == socket->events)
        return 0;
    /* The kernel reports errors even if nothing was asked for: silent sockets leave the epoll. */
    if (!events) {
        operation = EPOLL_CTL_DEL;
        set_forget(socket);
    } else {
        operation = socket->events ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    }
    if (epoll_ctl(socket->set->epoll_fd, operation, socket->fd, &event) < 0)
        return err_set(err, -errno, "event loop: socket %d cannot be watched: %m", socket->fd);
    socket->events = events;
    return 0;
}

int loop_set_add(struct loop_set *set, struct loop_socket *socket, int fd, uint32_t events,
                 loop_socket_fn *ready, struct err *err)
{
    int r;

    *socket = (struct loop_socket){.set = set, .ready = ready, .fd = fd};
    r = loop_set_change(socket, events, err);
    if (r < 0) {
        socket->set = NULL;
        return r;
    }
    set->sockets++;
    return 0;
}

void loop_set_remove(struct loop_socket *socket)
{
    if (!socket->set)
        return;
    /* It fails only for a descriptor that was closed before, which the kernel then forgot. */
    loop_set_change(socket, 0, NULL);
    socket->set->sockets--;
    socket->set = NULL;
}
