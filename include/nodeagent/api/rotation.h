/*
 * When to ask for a certificate: pure. What happened is told, the random numbers and both clocks
 * are handed in, and rotation_next() says what to do now and when to ask it again.
 *
 *     loaded, issued ──► rotation_take ──┐
 *     asked for one ───► rotation_ask ───┼──► rotation_next ──► step, wake
 *     that failed ─────► rotation_fail ──┘
 */
#pragma once

#include "nodeagent/base/time.h"

#include <stdbool.h>

#define ROTATION_ATTEMPT_MAX (15 * 60 * USEC_PER_SEC) /* from asking to the certificate */
#define ROTATION_RETRY_FIRST (2 * USEC_PER_SEC)       /* then doubled, until */
#define ROTATION_RETRY_MAX (32 * USEC_PER_SEC)
#define ROTATION_NONE_MAX                                                                          \
    (5 * 60 * USEC_PER_SEC)                   /* without a certificate, until the process ends */
#define ROTATION_LOOK_MAX (60 * USEC_PER_SEC) /* the wall clock may be set meanwhile */

enum rotation_step {
    ROTATION_WAIT,
    ROTATION_ASK,       /* begin an attempt, with a new key */
    ROTATION_BREAK_OFF, /* the attempt has had its time: it failed */
    ROTATION_EXIT,      /* end the process: started again it may bootstrap anew */
};

struct rotation_now {
    usec_t boot;
    int64_t wall; /* since 1970: certificates are dated by it */
};

struct rotation {
    bool exits; /* the process is of no use without: so it is with a client's certificate */
    bool present;
    int64_t due;          /* when to have it replaced, by the wall clock */
    int64_t not_after;    /* when it ends, by the wall clock */
    usec_t missing_since; /* by the boot clock, as are those below */
    bool asking;
    usec_t asked_at;
    unsigned failures; /* in a row */
    usec_t retry_at;
    bool refused; /* the last attempt failed by what the server said, not by its silence */
};

struct rotation_certificate {
    int64_t not_before, not_after;
};

struct rotation_verdict {
    enum rotation_step step;
    usec_t wake;     /* when to ask again if nothing happens, by the boot clock */
    const char *why; /* a sentence, for a step that gives up; else NULL */
};

void rotation_init(struct rotation *rotation, bool exits, usec_t boot);

/* `random` is at least 0 and less than 1. */
void rotation_take(struct rotation *rotation, const struct rotation_certificate *certificate,
                   double random);
/* An attempt begins; also one in place of another, when what is wanted has changed meanwhile. */
void rotation_ask(struct rotation *rotation, usec_t boot);
void rotation_fail(struct rotation *rotation, bool refused, double random, usec_t boot);

/* `outdated`: it does not speak for what it should (any more), such as addresses of the node. */
struct rotation_verdict rotation_next(const struct rotation *rotation, bool outdated,
                                      struct rotation_now now);
