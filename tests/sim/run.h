/*
 * Running seeds in processes of their own: an agent's abandoned memory goes with the process, and
 * a crash ends one of them only.
 */
#pragma once

#include "scenario.h"

enum {
    SEEDS_A_PROCESS = 24,
    SEED_SECONDS_MAX = 60, /* of real time; a seed takes a tenth of a second */
};

struct totals {
    uint64_t seeds;
    uint64_t steps;
    uint64_t faults;
    uint64_t kills;
    usec_t lasted;
    unsigned steps_min; /* of one seed */
    unsigned faults_min;
    unsigned kills_min;
    uint64_t short_seeds; /* below what a seed has to have */
};

struct runs {
    uint64_t from;
    uint64_t count;
    unsigned seconds; /* 0: until all are done */
    unsigned jobs;
    unsigned bug; /* enum bug */
    bool verbose;
};

/* True: all went well. Else `outcome` is that of the first seed that did not. */
bool run_all(const struct runs *runs, struct totals *totals, struct outcome *outcome);

/* One seed, in a process of its own. A trace goes to stdout. */
void run_one(const struct order *order, struct outcome *outcome);

/* shrink.c: the same violation with as few choices as possible. Returns what to leave out. */
size_t shrink(struct outcome *outcome, unsigned bug, uint64_t **left_out);
