/*
 * What turns the wheel: a timerfd. Arming a timer does not touch it; before each wait it is set
 * to the wheel's next deadline if that has changed, which is at most one system call a turn.
 */
#include "loop-private.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/wheel.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

struct wheel_driver {
    struct wheel *wheel;
    struct loop *loop;
    struct loop_source *source;
    int timer_fd;
    usec_t set_to; /* USEC_NEVER: it will not expire */
    bool expired;  /* setting it anew ends that, and saves reading it */
};

static void driver_set(void *data)
{
    struct wheel_driver *driver = data;
    usec_t next = wheel_next(driver->wheel);
    struct itimerspec when = {0};

    if (next == driver->set_to && !driver->expired)
        return;
    driver->set_to = next;
    driver->expired = false;
    if (next != USEC_NEVER) {
        when.it_value.tv_sec = (time_t)(next / USEC_PER_SEC);
        when.it_value.tv_nsec = (long)(next % USEC_PER_SEC * 1000);
        when.it_value.tv_nsec += !next; /* zero would disarm it */
    }
    assert_that(timerfd_settime(driver->timer_fd, TFD_TIMER_ABSTIME, &when, NULL) == 0);
}

static void driver_expired(void *data, int fd, uint32_t events)
{
    struct wheel_driver *driver = data;
    struct loop_budget budget = loop_budget_begin();
    usec_t now = clock_boottime();
    struct wheel_timer *timer;

    driver->expired = true;
    while ((timer = wheel_pop(driver->wheel, now))) {
        timer->fire(timer);
        if (driver->loop->stopped || !loop_budget_spend(&budget))
            break;
    }
}

int wheel_driver_new(struct wheel_driver **result, struct wheel *wheel, struct loop *loop,
                     struct err *err)
{
    struct wheel_driver *driver = mem_new(struct wheel_driver);
    int r;

    driver->wheel = wheel;
    driver->loop = loop;
    driver->set_to = USEC_NEVER;
    driver->timer_fd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    if (driver->timer_fd < 0) {
        free(driver);
        return err_set(err, -errno, "timer wheel: no timer descriptor: %m");
    }
    r = loop_watch_fd(loop, &driver->source, LOOP_WHEEL, driver->timer_fd, EPOLLIN, driver_expired,
                      driver, err);
    if (r < 0) {
        close(driver->timer_fd);
        free(driver);
        return r;
    }
    loop_before_wait(loop, driver_set, driver);
    *result = driver;
    return 0;
}

struct wheel_driver *wheel_driver_free(struct wheel_driver *driver)
{
    if (!driver)
        return NULL;
    loop_before_wait(driver->loop, NULL, NULL);
    loop_source_free(driver->source);
    close(driver->timer_fd);
    free(driver);
    return NULL;
}
