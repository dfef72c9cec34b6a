/*
 * The core: what to do next for a pod, what to say of it, and why it is not ready. Pure functions
 * of what is desired, what was observed, what must be remembered, and the clock. Nothing here does
 * anything; agent/ carries out the actions and comes back with what it observed.
 *
 * Actions become operations: part of what is remembered (and recorded) until their outcome is
 * known. While one is under way the plan does nothing else to its target. One that ended counts
 * only together with a look at the runtime that began later; one whose fate is unknown (a deadline
 * passed, the agent was restarted) has no other outcome than what that look shows.
 */
#pragma once

#include "nodeagent/base/arena.h"
#include "nodeagent/base/err.h"
#include "nodeagent/base/time.h"
#include "nodeagent/objects/pod.h"

#include <stdbool.h>

/* figures of the lifecycle; spec and reference give them */
#define POD_CRASH_DELAY_FIRST (10 * USEC_PER_SEC)
#define POD_CRASH_DELAY_MAX (300 * USEC_PER_SEC)
#define POD_CRASH_FORGET (600 * USEC_PER_SEC)
#define POD_IMAGE_DELAY_FIRST (10 * USEC_PER_SEC)
#define POD_IMAGE_DELAY_MAX (300 * USEC_PER_SEC)
#define POD_IMAGE_FORGET (600 * USEC_PER_SEC)
#define POD_IMAGE_FAILURE_SHOWN (5 * USEC_PER_SEC) /* what was wrong, before: that it waits */
#define POD_RETRY_FIRST (1 * USEC_PER_SEC) /* of operations that failed for another reason */
#define POD_RETRY_MAX (10 * USEC_PER_SEC)

enum {
    POD_OPERATIONS_MAX = 64,   /* of one pod under way at once */
    POD_EXPLANATIONS_MAX = 64, /* blockers, or events, of one plan */
    POD_GRACE_MIN = 1,         /* seconds; of a pod that ends */
    POD_STOP_MIN = 2,          /* what a container gets at least */
    POD_MESSAGES_MAX = 12288,  /* bytes of termination messages of a pod together */
};

/* containers */

enum pod_container_kind {
    POD_CONTAINER_REGULAR,
    POD_CONTAINER_INIT,
    POD_CONTAINER_SIDECAR, /* an init container that is always restarted */
    POD_CONTAINER_EPHEMERAL,
};

struct pod_container_ref {
    const struct container *container; /* NULL: the pod has none of this name */
    enum pod_container_kind kind;
};

struct pod_container_ref pod_container_find(const struct pod *pod, const char *name);

enum {
    POD_HASH_TEXT_MAX = 9,
};

/* By which a change of a container is noticed: its name and image, as the kubelet does it. */
const char *pod_container_hash(const struct container *container, char text[POD_HASH_TEXT_MAX]);

const char *pod_qos_class(const struct pod *pod); /* "Guaranteed", "Burstable", "BestEffort" */

/* the clocks */

struct pod_now {
    usec_t boot;  /* what deadlines are measured in */
    int64_t wall; /* microseconds since 1970: what the wire has */
};

/* what is desired */

struct pod_desired {
    const struct pod *pod; /* NULL: no source ever told; only the runtime knows it (an orphan) */
    bool static_pod;
    bool removed;                /* gone from every source, each having delivered a whole set */
    const char *waits_for;       /* another pod of this full name has not ended: its UID */
    const char *refusal_reason;  /* not admitted to this node: "OutOfcpu" */
    const char *refusal_message; /* NULL: admitted */
    usec_t crash_delay_max;      /* 0: POD_CRASH_DELAY_MAX */
    const char *const *node_ips; /* ends in NULL */
    const char *runtime_name;    /* "containerd": prefix of published container ids */
};

/* what was observed */

enum pod_state { POD_CREATED, POD_RUNNING, POD_EXITED, POD_UNKNOWN };

struct seen_container {
    const char *id;
    const char *name;
    const char *sandbox_id;
    enum pod_state state;
    uint32_t attempt;
    int32_t restart_count;
    const char *hash;
    int64_t created_usec;
    int64_t started_usec;
    int64_t finished_usec;
    int32_t exit_code;
    const char *reason;
    const char *message;
    const char *termination; /* what the container left as its message; NULL: not read yet */
    const char *image;
    const char *image_id;
};

struct seen_sandbox {
    const char *id;
    uint32_t attempt;
    bool ready;
    int64_t created_usec;
    bool host_network;
    bool network_known;
    const char *const *ips;
    size_t ip_count;
};

enum pod_probe_result { POD_PROBE_NONE, POD_PROBE_SUCCESS, POD_PROBE_FAILURE };

struct seen_probes { /* of the running container of this name */
    const char *name;
    const char *id; /* its own: a later one knows nothing of these results */
    enum pod_probe_result startup;
    enum pod_probe_result liveness;
    enum pod_probe_result readiness;
    const char *startup_text; /* how it goes, for explanations: "failing 1 of 3: ..."; or NULL */
    const char *readiness_text;
};

struct pod_observed {
    usec_t looked;                             /* when the look that showed this began; 0: never */
    const char *trouble;                       /* why the last look failed; NULL: it did not */
    list_of(struct seen_sandbox) sandboxes;    /* newest first */
    list_of(struct seen_container) containers; /* newest first */
    list_of(struct seen_probes) probes;
    const char *network_trouble; /* why pods of their own network cannot start; NULL: they can */
    bool prepared;               /* its directories and volumes are there, made by this agent run */
    bool released;               /* its volumes and its cgroup are gone */
    bool cleaned;                /* nothing of it is left on the disk */
};

/* operations */

enum pod_operation_kind {
    POD_PREPARE,          /* directories and volumes */
    POD_RUN_SANDBOX,      /* attempt */
    POD_STOP_SANDBOX,     /* id */
    POD_REMOVE_SANDBOX,   /* id */
    POD_IMAGE,            /* name: make the image of the container present */
    POD_START,            /* name, attempt, sandbox; id: only start what was created before */
    POD_POST_START,       /* name, id */
    POD_PRE_STOP,         /* name, id, grace: seconds it may take */
    POD_STOP,             /* name, id, grace: seconds before it is killed */
    POD_REMOVE_CONTAINER, /* name, id */
    POD_CLEAN,            /* volumes and directories, and what is else */
    POD_RELEASE,          /* volumes: of one that ended and is still there, for people to look at */
};

const char *pod_operation_name(enum pod_operation_kind kind);
/* Does it change something in the runtime, so that only a look shows what became of it? */
bool pod_operation_needs_look(enum pod_operation_kind kind);
/* Must it be on record before it is begun? Else the runtime tells of it, or it may be done twice.
 */
bool pod_operation_needs_record(enum pod_operation_kind kind);

enum pod_operation_state {
    POD_OPERATION_INTENDED, /* recorded, maybe begun: unknown after a restart */
    POD_OPERATION_DONE,
    POD_OPERATION_FAILED,
    POD_OPERATION_UNKNOWN,
};

struct pod_operation {
    uint64_t id; /* in this pod */
    enum pod_operation_kind kind;
    enum pod_operation_state state;
    const char *name;     /* of the container; "" for what concerns the pod */
    const char *target;   /* id of the container or sandbox; "" before there is one */
    const char *sandbox;  /* of START: where */
    const char *image;    /* which, by its name in the pod, of IMAGE and START */
    const char *image_id; /* of START: the image; of IMAGE, when done: what to start */
    uint32_t attempt;
    int64_t grace_seconds;
    usec_t began; /* boot clock */
    usec_t ended;
    const char *reason;   /* of a failure: "ErrImagePull" */
    const char *message;  /* of a failure: what was wrong */
    const char *progress; /* what it is doing now, for explanations: "pulling web:2"; may be NULL */
};

/* what is remembered; all of it survives a restart of the agent, in the pod's record */

enum pod_stage {
    POD_STAGE_RUN,   /* wanted: keep it as declared */
    POD_STAGE_END,   /* stop everything */
    POD_STAGE_ENDED, /* everything stopped: its outcome is final */
    POD_STAGE_GONE,  /* and nothing of it is left anywhere */
};

struct pod_kill { /* of one container */
    const char *id;
    usec_t began;
    int64_t grace_seconds;
    bool pre_stop_done; /* or given up, or there is none */
};

struct pod_container_memory {
    const char *name;
    /* restarts */
    usec_t crash_delay;   /* 0: none yet */
    usec_t crash_updated; /* when that delay was chosen */
    int64_t crash_key;    /* of image and resources: another one starts afresh */
    const char *exit_id;  /* the newest container seen to have exited ... */
    usec_t exit_at;       /* ... and when, by the boot clock */
    uint32_t attempts;    /* started so far: the next attempt when no container is left */
    const char *free_id;  /* its end does not delay the next start: it was killed to be restarted */
    bool restart_due;     /* it was: it starts again whatever its policy says of that end */
    const char *hook_due; /* the started container whose postStart is not done yet */
    const char *hook_failed; /* the one whose postStart failed: it is to be killed */
    /* the last failure to start it, until it starts */
    const char *waiting_reason;
    const char *waiting_message;
    const char *failed_id; /* the created container that did not start; NULL */
    usec_t retry_at;
    usec_t retry_delay;
    /* the image, resolved for the next start */
    const char *image;    /* which */
    const char *image_id; /* NULL: ask again */
};

struct pod_image_memory {
    const char *image;
    usec_t delay;
    usec_t failed_at;
    const char *reason;
    const char *message;
};

struct pod_retry { /* of operations that are not a container's start */
    enum pod_operation_kind kind;
    const char *target;
    usec_t delay;
    usec_t at;
    const char *message;
};

struct pod_memory {
    enum pod_stage stage;
    bool admitted;
    usec_t stage_began;
    int64_t grace_seconds;  /* once ending: only ever less; 0: not ending */
    const char *end_reason; /* of the phase: "DeadlineExceeded"; NULL: none */
    const char *end_message;
    bool natural_end;    /* its containers ended by themselves */
    usec_t active_since; /* when it was first told of, by the boot clock; 0: not yet */
    bool leaving;        /* nobody wants it any more: it is to be removed, come what may */
    bool restart_all;    /* RestartAllContainers is under way */
    bool all_removed;    /* ... and no container is left: it ends with the next plan */
    uint64_t next_operation;
    const char *changed_sandbox; /* the one whose replacement was told */
    struct string_list stopped_sandboxes;
    list_of(struct pod_operation) operations;
    list_of(struct pod_container_memory) containers;
    list_of(struct pod_image_memory) images;
    list_of(struct pod_kill) kills;
    list_of(struct pod_retry) retries;
    list_of(struct seen_probes) probes; /* the results that were seen last */
    const struct pod_status *published; /* NULL: nothing yet */
};

/* what comes out */

struct pod_blocker {       /* why the pod is not what it should be yet */
    const char *reason;    /* a word: "ImagePull", "CrashLoopBackOff" */
    const char *container; /* NULL: the whole pod */
    const char *text;      /* the explanation */
    usec_t since;          /* boot clock; 0: unknown */
    usec_t until;          /* when it ends or is tried again; USEC_NEVER: when something changes */
};

struct pod_event {
    bool warning;
    const char *reason;
    const char *message;
    const char *container; /* NULL: the whole pod */
};

struct pod_plan {
    list_of(struct pod_operation) actions; /* new ones: all INTENDED, also in memory.operations */
    struct pod_memory memory;
    list_of(struct pod_blocker) blockers;
    list_of(struct pod_event) events;
    usec_t wake; /* plan again at this point of the boot clock, or USEC_NEVER */
};

/* Everything in the plan lives in `arena` or is borrowed from `desired->pod`. */
void pod_plan(const struct pod_desired *desired, const struct pod_observed *observed,
              const struct pod_memory *memory, struct pod_now now, struct arena *arena,
              struct pod_plan *plan);

/*
 * The status to publish: by what was observed, and by what was published before
 * (memory->published). The same life as a plan's. Not before the first look.
 */
const struct pod_status *pod_status(const struct pod_desired *desired,
                                    const struct pod_observed *observed,
                                    const struct pod_memory *memory, struct pod_now now,
                                    struct arena *arena);

/* Succeeded or Failed: no other follows. */
bool pod_phase_is_final(const char *phase);

/* One more blocker than the plan's: what a status without operations shows (probes, gates). */
void pod_explain(const struct pod_desired *desired, const struct pod_observed *observed,
                 const struct pod_status *status, struct arena *arena, struct pod_plan *plan);

void pod_memory_copy(struct pod_memory *to, const struct pod_memory *from, struct arena *arena);

/* the record: memory as JSON */
void pod_memory_write(const struct pod_memory *memory, struct json_writer *writer);
/* Operations that were intended are of unknown fate now: `restarted` is when they ended. */
int pod_memory_read(const struct json *document, usec_t restarted, struct arena *arena,
                    struct pod_memory *memory, struct err *err);

/* admission: whether the node takes the pod at all */

struct pod_node {
    const char *name;
    struct string_map labels;
    struct quantity_map allocatable;
    int64_t pods_max;
    struct string_list allowed_unsafe_sysctls;
    bool supplemental_groups_policy;
};

/* `others`: what this node runs or has admitted and not ended. True, or why not. */
bool pod_admit(const struct pod *pod, bool static_pod, const struct pod_node *node,
               const struct pod *const *others, size_t other_count, struct arena *arena,
               const char **reason, const char **message);
