/* Telling what commands that took too long left running. */
#pragma once

#include "nodeagent/probes/attempt.h"

struct agent;

/* Runs commands as `agent->exec` does, and tells what those that were killed left. */
struct probe_exec probe_exec_watching(struct agent *agent);
