/*
 * What must hold, checked by what the world knows. Some are checked when something happens, the
 * others after each step or every now and then.
 */
#pragma once

#include "world.h"

struct api_call;
struct call;
struct container;
struct manifest;
struct sandbox;

/* something happens */
void checks_call_sent(const struct call *call);
void checks_sandbox_runs(const struct sandbox *sandbox, usec_t asked);
void checks_container_runs(const struct container *container);
void checks_container_ended(const struct container *container);
void checks_stopped_after_end(const struct container *container);
void checks_told_to_end(const struct container *container); /* its sandbox ends */
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

/* Without an API server: what is to run by a manifest alone does? */
bool checks_static_go_on(struct strbuf *why);

/* Was it taken away, so that this life of it ends though it is back? */
bool pod_has_to_go(const struct manifest *manifest);

/* justify.c: is there any reason to stop it? */
bool may_stop_container(const struct container *container);
bool may_stop_sandbox(const struct sandbox *sandbox);
bool pod_may_end(const struct manifest *manifest);
bool pod_ends_by_itself(const struct manifest *manifest); /* though it is wanted */

/* checks-api.c */
void checks_request_sent(const struct api_call *call);
bool checks_is_of_mirror(const char *uid);
void checks_sandbox_asked_for(const char *uid);
void checks_status_became(const char *uid, const char *before, const char *after);

/* converge-api.c: has the API server what the agent says? */
bool checks_told(struct strbuf *why);

/* published.c: what the agent says, compared with what there is and was */
void published_check(void);
