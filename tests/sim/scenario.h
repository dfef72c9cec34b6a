/*
 * What happens in a seed: a storm, in which manifests come and go, the runtime and the agent are
 * killed, disks fill up and clocks jump; then calm, in which everything must become as declared;
 * then quiet, in which nothing may be done; then, for some, the end of all pods.
 */
#pragma once

#include "world.h"

struct outcome {
    uint64_t seed;
    enum invariant violated;
    usec_t violated_at;
    char violation[VIOLATION_TEXT_MAX];
    unsigned steps;
    unsigned faults;
    unsigned kills;
    usec_t lasted; /* of its own time */
    struct choices_taken taken;
};

struct order {
    uint64_t seed;
    const uint64_t *left_out; /* choices; sorted */
    size_t left_out_count;
    unsigned bug; /* enum bug */
    bool tracing; /* on stdout */
};

struct happening_kind {
    const char *name;
    unsigned weight;
    void (*happens)(const char *key);
};

/* cluster.c: of members only */
enum { CLUSTER_HAPPENING_KINDS = 10 };
extern const struct happening_kind cluster_happenings[CLUSTER_HAPPENING_KINDS];

/* Runs a seed to its end. */
void scenario_run(const struct order *order, struct outcome *outcome);

/* The parts of it. */
void world_begin(const struct order *order, struct choices_taken *taken);
void world_end(void);

/* life.c */
void life_begin(void *unused);
void life_stop(void);
