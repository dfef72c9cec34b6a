/*
 * The node's servers. /healthz opens when the runtime has answered, and is well from then on: who
 * starts the agent waits for it. The node's API is not there yet, and says so to whoever asks.
 */
#pragma once

#include "agent.h"

struct serving;

/* A port that is taken fails, that of /healthz is only waited for. Blocks while certificates are
 * read or made. */
int serving_new(struct serving **result, const struct config *config,
                const struct agent_parts *parts, struct agent *agent, struct err *err);
struct serving *serving_free(struct serving *serving);
