/*
 * Which messages are one too many. Who says ever other things of one kind (a probe whose output has
 * a time in it) is told of in so many events, and from then on in one that has the newest.
 */
#pragma once

#include "nodeagent/base/list.h"
#include "nodeagent/base/map.h"
#include "nodeagent/base/time.h"

enum {
    SIMILAR_MESSAGES_MAX = 9, /* different ones of a kind that are events of their own */
    SIMILAR_KINDS_MAX = 4096, /* remembered, those that were heard of last: as the reference */
};

#define SIMILAR_PAUSE_USEC (600 * USEC_PER_SEC) /* without another: all begins anew */

struct similar {
    struct map kinds;
    struct list heard; /* the longest ago first */
};

void similar_init(struct similar *similar);
void similar_deinit(struct similar *similar);

/* Hashes say which kind it is (of which object, type and reason) and which message. Is it to be
 * combined with the others of its kind? */
bool similar_add(struct similar *similar, uint64_t kind, uint64_t message, usec_t now);
