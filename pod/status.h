/* What the files that make a status share. */
#pragma once

#include "model.h"

struct reporter {
    const struct pod_desired *desired;
    const struct pod *pod;
    const struct pod_observed *observed;
    const struct pod_memory *memory;
    struct pod_now now;
    struct arena *arena;
    const struct pod_status *previous; /* never NULL: all zero when there is none */
    struct pod_status *status;
    bool ended; /* everything stopped for good */
};

/* status-containers.c */
void report_containers(struct reporter *reporter);
/* The final word on those that nobody can find. */
void report_all_ends(struct reporter *reporter);

/* phase.c */
const char *report_phase(const struct reporter *reporter);

/* status-conditions.c */
void report_conditions(struct reporter *reporter);

const struct container_status *status_of(const struct container_status_list *list,
                                         const char *name);
