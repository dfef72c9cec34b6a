/*
 * The clocks. Everything else in the house reads time here, so a simulation that links its own
 * clock owns all time there is.
 */
#pragma once

#include "nodeagent/base/time.h"

/* Stands still while the machine sleeps: how long something took. */
usec_t clock_monotonic(void);

/* Goes on while the machine sleeps: what deadlines on the wheel are measured in. */
usec_t clock_boottime(void);

/* Microseconds since 1970, as set by whoever sets it: for the wire only, never to subtract. */
usec_t clock_wall(void);
