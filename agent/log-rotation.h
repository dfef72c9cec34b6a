/*
 * Rotation of containers' logs: containerLogMaxSize and its like. Every interval one job of the
 * pool looks at the logs of all containers that run; what it finds too large is rotated.
 */
#pragma once

struct agent;
struct cri_container;
struct log_rotations;

enum {
    LOG_WORKERS_MAX = 8,  /* threads of the pool that may be busy with it; others want some too */
    LOG_REOPENS_MAX = 16, /* calls to the runtime at once: no more is begun while they hang */
};

/* NULL: the configuration wants none. */
struct log_rotations *log_rotations_new(struct agent *agent);
struct log_rotations *log_rotations_free(struct log_rotations *all);

/* Of a container's log, beneath the directory of all; NULL: it is elsewhere, as one is that a
 * kubelet with another directory had made. */
const char *container_log_path(const struct agent *agent, const struct cri_container *container);
