/*
 * What must hold, checked by what the world knows. Some are checked when something happens, the
 * others after each step or every now and then.
 */
#pragma once

#include "world.h"

struct call;
struct container;
struct manifest;
struct sandbox;

/* something happens */
void checks_call_sent(const struct call *call);
void checks_sandbox_runs(const struct sandbox *sandbox);
void checks_container_runs(const struct container *container);
void checks_container_ended(const struct container *container);
void checks_stopped_after_end(const struct container *container);
/* A pod of which nothing is left begins a new life when it comes back. */
void checks_may_forget(struct manifest *manifest);
void checks_agent_died(void);
void checks_clock_jumped(void);
void checks_machine_boots(void);

/* time goes by */
void checks_step(void);
void checks_look(void);

/* Is everything as declared? Else `why` (may be NULL) is told what is not. */
bool checks_converged(struct strbuf *why);

/* Was it taken away, so that this life of it ends though it is back? */
bool pod_has_to_go(const struct manifest *manifest);

/* justify.c: is there any reason to stop it? */
bool may_stop_container(const struct container *container);
bool may_stop_sandbox(const struct sandbox *sandbox);
bool pod_may_end(const struct manifest *manifest);
bool pod_ends_by_itself(const struct manifest *manifest); /* though it is wanted */

/* published.c: what the agent says, compared with what there is and was */
void published_check(void);
