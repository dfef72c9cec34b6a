/* Commands of exec probes, run by the runtime. */
#pragma once

#include "nodeagent/probes/attempt.h"

struct cri;
struct wheel;

struct probe_runtime {
    struct cri *cri;
    struct wheel *wheel;
};

struct probe_exec probe_exec_of(struct probe_runtime *runtime); /* which outlives it */
