/*
 * The choices that a seed makes. Each is drawn from the seed, a site (what is chosen), a key (for
 * whom) and how often it was chosen there before, never from one stream of numbers: a choice that
 * is left out changes nothing about the others. That is what makes a failing seed small: a choice
 * taken has a name, and a run can be repeated with a list of names that are not taken.
 */
#pragma once

#include "nodeagent/base/time.h"

#include <stdbool.h>

/* name, does it count as a fault */
#define SITES(X)                                                                                   \
    /* chosen: taken or not */                                                                     \
    X(POD, false)                                                                                  \
    X(HAPPENING_ALONE, false)                                                                      \
    X(HAPPENING, true)                                                                             \
    X(KILL_BETWEEN_STEPS, true)                                                                    \
    X(KILL_WITHIN_STEP, true)                                                                      \
    X(CALL_FAILS, true)                                                                            \
    X(REPLY_IS_LOST, true)                                                                         \
    X(CALL_COMES_LATE, true)                                                                       \
    X(CALL_HANGS, true)                                                                            \
    X(REPLY_COMES_LATE, true)                                                                      \
    X(GIVEN_UP_ROLLS_BACK, false)                                                                  \
    X(STREAM_ENDS, true)                                                                           \
    X(HINT_IS_LOST, true)                                                                          \
    X(HINT_COMES_LATE, true)                                                                       \
    X(HINT_COMES_TWICE, true)                                                                      \
    X(WORK_HANGS, true)                                                                            \
    X(DISK_FULL, true)                                                                             \
    X(SANDBOX_FAILS, true)                                                                         \
    X(CREATE_FAILS, true)                                                                          \
    X(START_FAILS, true)                                                                           \
    X(PULL_FAILS, true)                                                                            \
    X(EXEC_FAILS, true)                                                                            \
    X(PROBE_FAILS, true)                                                                           \
    X(EXITS_EARLY, true)                                                                           \
    X(SANDBOX_DIES, true)                                                                          \
    X(STATE_IS_LOST, true)                                                                         \
    X(EXIT_IS_LOST, true)                                                                          \
    X(API_FAILS, true)                                                                             \
    X(API_REPLY_IS_LOST, true)                                                                     \
    X(API_REFUSES, true)                                                                           \
    X(API_HANGS, true)                                                                             \
    X(API_COMES_LATE, true)                                                                        \
    X(API_REPLY_COMES_LATE, true)                                                                  \
    X(API_STALE, true)                                                                             \
    X(API_BEHIND, true)                                                                            \
    X(STREAM_TORN, true)                                                                           \
    X(STREAM_EXPIRES, true)                                                                        \
    X(STREAM_STALLS, true)                                                                         \
    X(TERM_IS_IGNORED, false)                                                                      \
    X(BUG, false)                                                                                  \
    /* drawn: a number */                                                                          \
    X(WORLD, false)                                                                                \
    X(RECIPE, false)                                                                               \
    X(SCHEDULE, false)                                                                             \
    X(ORDER, false)                                                                                \
    X(LATENCY, false)                                                                              \
    X(DURATION, false)                                                                             \
    X(LIFETIME, false)                                                                             \
    X(DETAIL, false)                                                                               \
    /* chosen; the last, so that older seeds stay what they were */                                \
    X(LOG_IS_LOST, true)                                                                           \
    X(LOG_GROWS, true)

enum site {
#define X(name, fault) SITE_##name,
    SITES(X)
#undef X
        SITE_COUNT,
};

enum {
    CHOICES_MAX = 8192, /* taken in one run and remembered; more end the run's faults */
};

struct choice {
    uint64_t id;
    enum site site;
    char key[44];
    unsigned nth; /* at this site for this key */
};

struct choices_taken {
    size_t count;
    struct choice items[CHOICES_MAX];
};

struct choices {
    uint64_t seed;
    const uint64_t *left_out; /* sorted */
    size_t left_out_count;
    unsigned intensity;          /* percent of the rates below */
    bool calm;                   /* no more faults */
    struct choices_taken *taken; /* where the driver sees them, even after a crash */
    unsigned faults;
    struct counter *counters; /* how often by site and key; open addressing */
    size_t counter_space;
    size_t counter_count;
};

void choices_init(struct choices *choices, uint64_t seed, struct choices_taken *taken);
void choices_deinit(struct choices *choices);

const char *site_name(enum site site);

/* Is it taken? `rate` is of 10,000. Faults are only taken while it is not calm. */
bool choose(enum site site, const char *key, unsigned rate);

/* A number below `limit`. */
uint64_t draw(enum site site, const char *key, uint64_t limit);
usec_t draw_usec(enum site site, const char *key, usec_t least, usec_t most);
/* The same, where short ones are as likely as long ones: each factor of two has its share. */
usec_t draw_usec_wide(enum site site, const char *key, usec_t least, usec_t most);
