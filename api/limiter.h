/* How often something may be done: a bucket of tokens, from which one may borrow. Pure. */
#pragma once

#include "nodeagent/base/time.h"

struct limiter {
    double rate; /* a second; 0: no limit */
    double burst;
    double tokens; /* below zero: taken in advance */
    usec_t at;
};

void limiter_init(struct limiter *limiter, double rate, double burst, usec_t now);

/* Takes one; returns from when on it may be used. */
usec_t limiter_take(struct limiter *limiter, usec_t now);

/* One that was taken and will not be used. */
void limiter_give_back(struct limiter *limiter);
