/* The kernel's clocks in microseconds. */
#include "nodeagent/sys/clock.h"

#include <time.h>

static usec_t clock_read(clockid_t clock)
{
    struct timespec time;

    assert_that(clock_gettime(clock, &time) == 0);
    return (usec_t)time.tv_sec * USEC_PER_SEC + (usec_t)time.tv_nsec / 1000;
}

usec_t clock_monotonic(void)
{
    return clock_read(CLOCK_MONOTONIC);
}

usec_t clock_boottime(void)
{
    return clock_read(CLOCK_BOOTTIME);
}

usec_t clock_wall(void)
{
    return clock_read(CLOCK_REALTIME);
}
