/* The clocks, in microseconds. */
#pragma once

#include "nodeagent/base/time.h"

#include <time.h>

static inline usec_t now_usec(clockid_t clock)
{
    struct timespec now;

    assert_that(clock_gettime(clock, &now) == 0);
    return (usec_t)now.tv_sec * USEC_PER_SEC + (usec_t)now.tv_nsec / 1000;
}
