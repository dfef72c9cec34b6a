/*
 * What the files of the core share: the planner at work, looking things up in what was observed
 * and remembered, and adding to the plan.
 */
#pragma once

#include "nodeagent/base/str.h"
#include "nodeagent/pod.h"

struct planner {
    const struct pod_desired *desired;
    const struct pod_observed *observed;
    struct pod_now now;
    struct arena *arena;
    struct pod_plan *plan;
    struct pod_memory *memory; /* the plan's */
    uint64_t first_operation;  /* of this plan */
};

/* lists that live in an arena: they are short, so each addition makes a new array */
void *model_append(struct arena *arena, void *list, size_t item_size);
void model_remove(void *list, size_t item_size, size_t index);

#define append(arena, list)                                                                        \
    ((__typeof__((list)->items))model_append((arena), (list), sizeof(*(list)->items)))
#define remove_at(list, index) model_remove((list), sizeof(*(list)->items), (index))

/* observed */
const struct seen_container *seen_newest(const struct pod_observed *observed, const char *name);
const struct seen_container *seen_newest_exited(const struct pod_observed *observed,
                                                const char *name);
const struct seen_container *seen_by_id(const struct pod_observed *observed, const char *id);
/* Running, or in a state that nobody knows: it is to be stopped before anything else. */
bool seen_is_live(const struct seen_container *seen);
/* It ended without ever having run. */
bool seen_is_stillborn(const struct seen_container *seen);
const struct seen_probes *seen_probes_of(const struct pod_observed *observed, const char *name);

/* remembered */
struct pod_container_memory *memory_container(struct planner *planner, const char *name);
const struct pod_container_memory *memory_find(const struct pod_memory *memory, const char *name);
struct pod_kill *memory_kill(struct pod_memory *memory, const char *id);
/* Was it killed to be started again, and has not started yet? */
bool memory_restart_due(const struct pod_memory *memory, const char *name);
bool memory_sandbox_stopped(const struct pod_memory *memory, const char *id);

/* operations */
struct pod_operation *operation_find(struct planner *planner, enum pod_operation_kind kind,
                                     const char *target);
/* One for this container, or for the pod when it is "". */
struct pod_operation *operation_find_named(struct planner *planner, enum pod_operation_kind kind,
                                           const char *name);
bool operation_any(const struct planner *planner, enum pod_operation_kind kind);
void operation_drop(struct planner *planner, const struct pod_operation *operation);
/* NULL: too many are under way. */
struct pod_operation *operation_new(struct planner *planner, enum pod_operation_kind kind,
                                    const char *name, const char *target);

/* retries of what failed */
void retry_note(struct planner *planner, const struct pod_operation *operation);
void retry_forget(struct planner *planner, enum pod_operation_kind kind, const char *target);
/* May it be tried now? If not, the plan wakes when it may, and a blocker says why it waits. */
bool retry_due(struct planner *planner, enum pod_operation_kind kind, const char *target);
/* Has it failed so often that it is tried every POD_RETRY_MAX? */
bool retry_is_hopeless(struct planner *planner, enum pod_operation_kind kind, const char *target);

/* explanations */
struct pod_blocker *block(struct planner *planner, const char *reason, const char *container,
                          const char *format, ...) _printf_(4, 5);
void tell(struct planner *planner, bool warning, const char *reason, const char *container,
          const char *format, ...) _printf_(5, 6);
void wake_at(struct planner *planner, usec_t when);
const char *seconds_text(struct arena *arena, usec_t duration); /* "1m20s" */

/* the pod */
int64_t pod_grace_seconds(const struct pod *pod);

/* restart.c: policies */
bool restart_wanted(const struct pod *pod, struct pod_container_ref ref, int32_t exit_code);
bool restart_all_asked(const struct pod *pod, struct pod_container_ref ref, int32_t exit_code);
bool restart_on_change(const struct pod *pod, struct pod_container_ref ref); /* not Never */
/* Is it made from another declaration than the container has now? */
bool hash_changed(struct pod_container_ref ref, const struct seen_container *seen);
bool init_failed(const struct seen_container *seen);
/* Of an init container that failed. */
bool init_restarts(const struct pod *pod, struct pod_container_ref ref, int32_t exit_code);

/* backoff.c */
usec_t crash_delay_left(struct planner *planner, struct pod_container_ref ref);
void crash_advance(struct planner *planner, struct pod_container_ref ref);
void image_failed(struct planner *planner, const char *image, const struct pod_operation *failed);
const struct pod_image_memory *image_backoff(struct planner *planner, const char *image,
                                             usec_t *left);
void backoff_forget(struct planner *planner);

/* settle.c: what ended operations mean */
void settle(struct planner *planner);

/* stop.c: ends containers and sandboxes; true: something of it is still to be waited for */
enum stop_hooks { STOP_WITH_HOOKS, STOP_WITHOUT_HOOKS };

struct stop {
    int64_t grace_seconds; /* negative: the pod's own */
    enum stop_hooks hooks;
    const char *message; /* of the event; NULL: "Stopping container NAME" */
};

bool stop_container(struct planner *planner, const struct seen_container *seen,
                    const struct stop *stop);
bool stop_all_containers(struct planner *planner, const struct stop *stop);
bool stop_all_sandboxes(struct planner *planner);
bool remove_container(struct planner *planner, const struct seen_container *seen);

/* start.c */
enum start_result {
    START_BUSY,    /* something of it is under way: nothing else starts before it */
    START_BLOCKED, /* it has to wait; others need not */
};
enum start_result start_container(struct planner *planner, struct pod_container_ref ref,
                                  const struct seen_sandbox *sandbox);
bool start_prepare(struct planner *planner); /* true: prepared */

/* run.c, end.c, collect.c */
void plan_run(struct planner *planner);
bool any_regular_created(const struct planner *planner); /* and has not ended */
void plan_end(struct planner *planner);
void plan_collect(struct planner *planner); /* what is not needed any more */
void enter_stage(struct planner *planner, enum pod_stage stage);
bool pod_is_wanted(const struct planner *planner); /* some source has it, and not to be deleted */
void end_naturally(struct planner *planner);       /* it has nothing left to live for */

/* status.c: do the statuses of its containers say that it ended? */
bool pod_is_over(const struct planner *planner);

/* sandbox.c */
struct sandbox_choice {
    const struct seen_sandbox *keep; /* NULL: a new one is needed */
    uint32_t attempt;                /* of the new one */
    const char *old_id;              /* the one it replaces, when that is to be told; or NULL */
};
struct sandbox_choice sandbox_choose(const struct pod *pod, const struct pod_observed *observed);
bool sandbox_worth_making(const struct planner *planner, const struct sandbox_choice *choice);
