/*
 * Sockets are accepted here, so that running out of connections or descriptors is a pause and not a
 * busy loop.
 *
 * A handshake of TLS takes the loop for up to a millisecond, and needs no credential: with many of
 * them anybody could make the agent late. So a window of time has few of them, and one client has
 * a share of these: whatever it does, it delays itself. It waits inside, as the others stand behind
 * it. What is closed before its handshake costs no more than an accept, which the loop's budget
 * bounds.
 */
#include "door.h"
#include "listener.h"
#include "nodeagent/base/list.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/net/address.h"
#include "nodeagent/server.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/log.h"
#include "nodeagent/sys/loop.h"
#include "nodeagent/sys/wheel.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

struct guest {
    struct list link; /* while it waits */
    int fd;
    union net_address address;
};

struct door {
    struct door_options options;
    struct loop_source *listener;
    struct wheel_timer pause;
    bool short_of; /* descriptors, which was told */
    unsigned inside;
    struct list waiting;
    unsigned waiting_count;
    struct wheel_timer window; /* armed: there was a handshake in it */
    union net_address served[SERVER_HANDSHAKES_MAX];
    unsigned served_count;
};

/* whether anybody is accepted */

bool door_is_full(const struct door *door)
{
    return door->inside + door->waiting_count >= door->options.inside_max;
}

static void open_or_close(struct door *door)
{
    bool open = !door_is_full(door) && !wheel_timer_armed(&door->pause);

    if (door->listener)
        loop_change_fd(door->listener, open ? EPOLLIN : 0, NULL);
}

void door_entered(struct door *door)
{
    door->inside++;
}

void door_left(struct door *door)
{
    door->inside--;
    open_or_close(door);
}

static void on_pause_over(struct wheel_timer *timer)
{
    open_or_close(container_of(timer, struct door, pause));
}

static void pause_for_descriptors(struct door *door)
{
    if (!door->short_of)
        log_warning("port %u: nobody can be accepted for now: %m",
                    (unsigned)listener_port(door->options.socket));
    door->short_of = true;
    wheel_arm(door->options.wheel, &door->pause,
              usec_add(clock_boottime(), SERVER_ACCEPT_PAUSE_USEC));
}

/* turns */

static unsigned served_of(const struct door *door, const struct guest *guest)
{
    unsigned count = 0;

    for (unsigned i = 0; i < door->served_count; i++)
        count += net_address_is_same_host(&door->served[i], &guest->address);
    return count;
}

static unsigned waiting_of(const struct door *door, const struct guest *guest)
{
    unsigned count = 0;

    list_for_each (node, &door->waiting)
        count += net_address_is_same_host(&list_entry(node, struct guest, link)->address,
                                          &guest->address);
    return count;
}

static bool may_enter(const struct door *door, const struct guest *guest)
{
    return !door->options.handshakes || (door->served_count < SERVER_HANDSHAKES_MAX &&
                                         served_of(door, guest) < SERVER_HANDSHAKES_PER_CLIENT_MAX);
}

static void let_in(struct door *door, const struct guest *guest)
{
    const struct door_options *options = &door->options;

    if (!options->take(options->owner, guest->fd, &guest->address.any,
                       net_address_length(&guest->address)) ||
        !options->handshakes)
        return;
    door->served[door->served_count++] = guest->address;
    if (!wheel_timer_armed(&door->window))
        wheel_arm(options->wheel, &door->window, usec_add(clock_boottime(), SERVER_WINDOW_USEC));
}

static void let_wait(struct door *door, const struct guest *guest)
{
    struct guest *waiting = mem_new(struct guest);

    *waiting = *guest;
    list_push_back(&door->waiting, &waiting->link);
    door->waiting_count++;
}

static void receive(struct door *door, const struct guest *guest)
{
    if (may_enter(door, guest))
        let_in(door, guest);
    else if (waiting_of(door, guest) < SERVER_HANDSHAKES_PER_CLIENT_MAX)
        let_wait(door, guest);
    else
        close(guest->fd);
}

static void on_window_over(struct wheel_timer *timer)
{
    struct door *door = container_of(timer, struct door, window);
    struct guest *guest;
    struct list waiting;

    list_init(&waiting);
    list_splice(&waiting, &door->waiting);
    door->waiting_count = 0;
    door->served_count = 0;
    while ((guest = list_first(&waiting, struct guest, link))) {
        list_unlink(&guest->link);
        receive(door, guest);
        free(guest);
    }
    open_or_close(door);
}

/* accepting */

static void on_clients(void *data, int fd, uint32_t events)
{
    struct loop_budget budget = loop_budget_begin();
    struct door *door = data;

    do {
        struct guest guest = {0};
        socklen_t length = sizeof(guest.address);

        if (door_is_full(door))
            break;
        guest.fd = accept4(fd, &guest.address.any, &length, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (guest.fd >= 0) {
            door->short_of = false;
            receive(door, &guest);
        } else if (errno == EAGAIN) {
            return;
        } else if (errno != EINTR && errno != ECONNABORTED) {
            pause_for_descriptors(door);
            break;
        }
    } while (loop_budget_spend(&budget));
    open_or_close(door);
}

/* the whole */

int door_new(struct door **result, const struct door_options *options, struct err *err)
{
    struct door *door = mem_new(struct door);
    int r;

    door->options = *options;
    list_init(&door->waiting);
    wheel_timer_init(&door->pause, on_pause_over);
    wheel_timer_init(&door->window, on_window_over);
    r = loop_watch_fd(options->loop, &door->listener, LOOP_CLIENTS, options->socket, EPOLLIN,
                      on_clients, door, err);
    if (r < 0) {
        free(door);
        return r;
    }
    *result = door;
    return 0;
}

struct door *door_free(struct door *door)
{
    if (!door)
        return NULL;
    loop_source_free(door->listener);
    wheel_cancel(&door->pause);
    wheel_cancel(&door->window);
    list_for_each_safe (node, &door->waiting) {
        struct guest *guest = list_entry(node, struct guest, link);

        close(guest->fd);
        free(guest);
    }
    free(door);
    return NULL;
}
