/*
 * The agent under test. Its code only ever runs within life_call(); the functions here are called
 * in there.
 */
#pragma once

#include "world.h"

/* Places the agent is told to use. */
#define SUBJECT_ROOT "/var/lib/kubelet"
#define SUBJECT_RUN "/run/nodeagent"
#define SUBJECT_LOGS "/var/log/pods"

/* A new one on this world. */
void subject_start(void *unused);
/* As at SIGTERM: in order, and pods run on. */
void subject_stop(void *unused);
/* What it publishes: a v1 PodList. */
void subject_tell(void *strbuf);
/* Has it looked at everything once? */
bool subject_is_settled(void);
