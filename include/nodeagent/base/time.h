/*
 * Time as arithmetic: microseconds in 64 bits, saturating, and the two ways Kubernetes writes
 * time down. Reading a clock is sys/clock's job.
 */
#pragma once

#include "nodeagent/base/macros.h"

typedef uint64_t usec_t; /* a duration, or a point on one of the clocks */

#define USEC_NEVER UINT64_MAX
#define USEC_PER_MSEC ((usec_t)1000)
#define USEC_PER_SEC ((usec_t)1000000)

/* USEC_NEVER absorbs; a sum that does not fit is USEC_NEVER, a difference below zero is 0. */
usec_t usec_add(usec_t a, usec_t b);
usec_t usec_sub(usec_t a, usec_t b);
usec_t usec_mul(usec_t a, uint64_t factor);

enum {
    TIME_TEXT_MAX = 40, /* bytes for any of the texts below, NUL included */
};

/*
 * RFC 3339 as the API writes it ("2026-01-02T03:04:05Z", MicroTime with six decimals); any offset
 * is read. Points before 1970 are negative.
 */
int time_parse_rfc3339(const char *text, int64_t *usec_since_1970);
const char *time_format_rfc3339(int64_t usec_since_1970, char text[TIME_TEXT_MAX]);
const char *time_format_rfc3339_micro(int64_t usec_since_1970, char text[TIME_TEXT_MAX]);

/* Go's duration syntax: "1h30m", "1.5s", "100ms", "-2us", "0"; exact to the nanosecond. */
int duration_parse(const char *text, int64_t *nanoseconds);
const char *duration_format(int64_t nanoseconds, char text[TIME_TEXT_MAX]);
