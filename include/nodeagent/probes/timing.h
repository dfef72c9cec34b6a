/*
 * Periods and timeouts below a second, by annotations of the pod:
 *
 *     nodeagent.dev/probe.<container>.<liveness|readiness|startup>: period=200ms,timeout=100ms
 *     nodeagent.dev/probe.close: fin
 */
#pragma once

#include "nodeagent/probes/judge.h"

#define PROBE_QUICK_MIN_USEC (50 * USEC_PER_MSEC)

enum {
    PROBE_QUICK_RATE_MAX = 2000, /* attempts a second that annotations may ask for, of all pods */
};

/*
 * Changes the timing as the annotation says, whole or not at all. 0, or -EINVAL with what is wrong
 * with it (the annotation's name first).
 */
int probe_timing_annotated(struct probe_timing *timing, const struct pod *pod,
                           const char *container, enum probe_type type, struct err *err);

/* Is it one of these, and wrong: does it name no probe? What it says is checked above. */
int probe_annotation_check(const struct pod *pod, const struct string_pair *annotation,
                           struct err *err);

/* Attempts a second, in thousandths. */
uint64_t probe_timing_rate(const struct probe_timing *timing);

/* Connections are closed with a FIN, in place of a reset? */
bool probe_closes(const struct pod *pod);
