/* The service manager's datagram socket. */
#include "notify.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/base/str.h"
#include "nodeagent/base/time.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/wheel.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct notify {
    struct wheel *wheel;
    struct wheel_timer timer;
    usec_t period; /* 0: nobody watches */
    int socket;    /* -1: nobody listens */
    struct sockaddr_un address;
    socklen_t length;
};

static void on_timer(struct wheel_timer *timer)
{
    struct notify *notify = container_of(timer, struct notify, timer);

    notify_say(notify, "WATCHDOG=1");
    wheel_arm(notify->wheel, timer, usec_add(clock_boottime(), notify->period));
}

/* Is this process the one that is to be watched? */
static usec_t watchdog_period(void)
{
    const char *period = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
    int64_t value;

    if (str_empty(period) || str_to_i64(period, &value) < 0 || value <= 0)
        return 0;
    if (!str_empty(pid) && strtol(pid, NULL, 10) != (long)getpid())
        return 0;
    return (usec_t)value / 2;
}

static void open_socket(struct notify *notify, const char *path)
{
    size_t length = path ? strlen(path) : 0;

    notify->socket = -1;
    if (length < 2 || length > sizeof(notify->address.sun_path) || (*path != '/' && *path != '@'))
        return;
    notify->address.sun_family = AF_UNIX;
    memcpy(notify->address.sun_path, path, length);
    if (*path == '@')
        notify->address.sun_path[0] = '\0'; /* an abstract name */
    notify->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    notify->socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

struct notify *notify_new(struct wheel *wheel)
{
    struct notify *notify = mem_new(struct notify);

    notify->wheel = wheel;
    notify->period = watchdog_period();
    open_socket(notify, getenv("NOTIFY_SOCKET"));
    wheel_timer_init(&notify->timer, on_timer);
    if (notify->socket >= 0 && notify->period)
        wheel_arm(wheel, &notify->timer, usec_add(clock_boottime(), notify->period));
    return notify;
}

struct notify *notify_free(struct notify *notify)
{
    if (!notify)
        return NULL;
    wheel_cancel(&notify->timer);
    if (notify->socket >= 0)
        close(notify->socket);
    free(notify);
    return NULL;
}

void notify_say(struct notify *notify, const char *state)
{
    if (notify->socket >= 0)
        sendto(notify->socket, state, strlen(state), MSG_DONTWAIT | MSG_NOSIGNAL,
               (const struct sockaddr *)&notify->address, notify->length);
}
