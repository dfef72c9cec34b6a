/* The last results of one probe, and what is counted of all of them. */
#pragma once

#include "nodeagent/base/json.h"
#include "nodeagent/probes/probers.h"

enum {
    PROBE_BUCKETS = 11, /* of durations: those of the reference */
};

struct history_entry {
    usec_t began; /* boot clock */
    int32_t code;
    uint32_t late; /* microseconds after the tick, as those below are after the beginning */
    uint32_t connected;
    uint32_t first_byte;
    uint32_t ended;
    uint8_t verdict;
};

struct history {
    struct history_entry entries[PROBE_HISTORY];
    uint64_t count; /* of all; the newest is at (count - 1) % PROBE_HISTORY */
    uint64_t successful;
    uint64_t failed;
    uint64_t agent_late;
    uint64_t errored;
    uint32_t buckets[PROBE_BUCKETS + 1]; /* of successful ones, the last without an upper end */
    usec_t duration;                     /* theirs, in sum */
    usec_t late_longest;
};

extern const usec_t probe_bucket_ends[PROBE_BUCKETS];

void history_add(struct history *history, const struct history_entry *entry);

/* Oldest first. `ahead`: from the boot clock to the wall clock. */
void history_write(const struct history *history, int64_t ahead, struct json_writer *writer);
