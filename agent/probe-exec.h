/* Commands of exec probes, run by the runtime. */
#pragma once

#include "nodeagent/probes/attempt.h"

struct agent;

struct probe_exec probe_exec_of(struct agent *agent);
