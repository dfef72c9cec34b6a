/* What one prober knows of its probe, when it attempts next, and what a verdict means. Pure. */
#pragma once

#include "nodeagent/probes/probers.h"

struct probe_timing {
    usec_t delay;
    usec_t period;
    usec_t timeout;
    uint32_t success_threshold;
    uint32_t failure_threshold;
};

struct judge {
    enum probe_type type;
    enum probe_result result;
    bool held;      /* decided, until the container is another one */
    bool last_good; /* of the run */
    uint32_t run;   /* of equal verdicts */
    usec_t first;   /* ticks are at this point of the boot clock, and every period after it */
    usec_t due;     /* the next tick; USEC_NEVER: none */
    const struct probe_timing *timing;
};

/* By what the container's document says. */
struct probe_timing probe_timing_of(const struct probe *probe);

/* `gated`: it waits for judge_open(). One with a result that is remembered goes on with the next
 * tick; a new one makes up for those that were missed. */
void judge_init(struct judge *judge, enum probe_type type, const struct probe_timing *timing,
                usec_t started, enum probe_result remembered, bool gated, usec_t now);

/* The container has started up, by its startup probe. */
void judge_open(struct judge *judge, usec_t now);

/* An attempt begins. */
void judge_begin(struct judge *judge, usec_t now);

/* It ended. True: the result is another one. */
bool judge_take(struct judge *judge, enum probe_verdict verdict);

/* The message of the event that tells of it, "Liveness probe failed: ...", to be freed, and its
 * reason. NULL: no event does. */
char *judge_event(enum probe_type type, enum probe_verdict verdict, const char *text,
                  const char **reason);
