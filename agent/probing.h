/*
 * The agent's probes: which containers are probed, commands run in them, and what became of it.
 * Nothing of it is there before a pod has a probe.
 */
#pragma once

#include "config.h"
#include "nodeagent/base/arena.h"
#include "nodeagent/pod.h"

#define PROBE_USER_AGENT "kube-probe/" KUBERNETES_MINOR

struct agent;
struct agent_pod;

/* After a plan: what runs now is what is probed. */
void pod_probe(struct agent_pod *pod, struct arena *arena, const struct pod_observed *observed);
void pod_probe_no_more(struct agent_pod *pod);

/* The results so far; of containers that are not probed yet, those on record. */
void pod_observe_probes(struct agent_pod *pod, struct arena *arena, struct pod_observed *observed);

void probing_end(struct agent *agent);

/* What HTTP hooks are asked for with; NULL: it cannot be had, which is told in the log. */
struct probe_engine *probing_hook_engine(struct agent *agent);
