/* Chance, so that what thousands of agents do is not done at the same moment. */
#pragma once

#include "nodeagent/base/time.h"

/* Somewhere from `low` up to, and without, `high`; `low` when there is nothing between. */
usec_t chance_between(usec_t low, usec_t high);
