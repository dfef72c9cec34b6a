/*
 * What the files of the agent share: its state, the pods it knows, and the operations under way.
 */
#pragma once

#include "agent.h"
#include "cluster.h"
#include "container-files.h"
#include "events.h"
#include "images.h"
#include "log-rotation.h"
#include "network-calls.h"
#include "network.h"
#include "nodeagent/base/list.h"
#include "nodeagent/base/map.h"
#include "nodeagent/cri/cache.h"
#include "nodeagent/pod.h"
#include "nodeagent/probes/attempt.h"
#include "nodeagent/static.h"
#include "nodeagent/sys/loop.h"
#include "nodeagent/sys/wheel.h"
#include "nodeagent/sys/work.h"
#include "outcome.h"
#include "probe-exec.h"
#include "probing.h"
#include "runtime-state.h"

enum {
    /* Sandboxes and containers being made or removed at once. More at once are slower in sum
     * (bench: cri-start-*). */
    TURNS_MAX_PER_CORE = 4,
    TURNS_MAX = 16,
    PLANS_PER_TURN = 16, /* a plan costs some 50 µs */
    HOOK_OUTPUT_MAX = 1024,
};

#define FILES_LIMIT_USEC (60 * USEC_PER_SEC) /* of a job with a pod's files */
#define TURN_USEC (5 * USEC_PER_SEC)         /* who takes longer does not keep others waiting */
#define SWEEP_USEC (20 * USEC_PER_SEC)
#define RECORD_DELAY_USEC (5 * USEC_PER_SEC) /* of what need not be on record at once */
#define RECORD_RETRY_USEC (5 * USEC_PER_SEC) /* once it could not be written */

/* A pod that is nearly ready goes first: so pods become ready one after the other. */
enum turn_queue { TURN_CONTAINERS, TURN_OTHERS, TURN_QUEUES };

struct source {
    struct static_source *source; /* NULL: none is configured */
    bool delivered;
    list_of(struct static_problem) problems; /* copies, in `arena` */
    struct arena arena;
};

struct agent {
    const struct config *config;
    struct agent_parts parts;
    struct cri *cri;
    struct cri_cache *cache;
    struct runtime_state *runtime;
    struct images *images;
    struct network *network;
    struct network_calls *network_calls;
    struct events *events;
    agent_event_fn *event_watcher; /* NULL: nobody */
    void *event_watcher_owner;
    agent_begun_fn *begun; /* NULL: nobody waits for the runtime */
    void *begun_owner;
    struct probe_runtime probe_runtime;
    struct probe_engine *probe_engine; /* NULL: nothing is probed yet */
    struct probers *probers;           /* the same */
    struct probe_exec exec;            /* runs commands of probes */
    struct probe_engine *hook_engine;  /* NULL: no hook was asked for over HTTP yet */
    struct source directory;
    struct source url;
    struct source cluster_pods;
    struct cluster *cluster;   /* NULL: static pods alone */
    struct map pods;           /* UID to struct agent_pod */
    struct map names;          /* "namespace/name" to one of its pods */
    struct map config_objects; /* "Kind/namespace/name" to struct object, held */
    struct list dirty;         /* pods to plan */
    struct loop_post plan_post;
    bool plan_posted;
    struct list turn_queues[TURN_QUEUES]; /* tasks that wait for their turn */
    unsigned turns;                       /* taken */
    unsigned turns_max;
    uint64_t next_sequence;
    bool looked;      /* the first look at the whole runtime was made */
    bool all_planned; /* for the first time */
    usec_t began;
    struct wheel_timer sweep;
    struct work_job *sweep_job;
    struct wheel_timer network_gc;
    usec_t network_gc_due;
    struct child *collecting;     /* what networks left */
    bool network_collected;       /* by this agent, once at least */
    struct string_list left_logs; /* directories of logs, to be removed if they are no pod's */
    struct arena left_arena;
    struct log_rotations *log_rotations; /* NULL: the configuration wants none */
    struct arena scratch;                /* for one plan */
    struct agent_directories directories;
    struct node_files node_files;
    int records;             /* the directory's descriptor */
    struct list records_due; /* pods whose record is to be written in a moment */
    struct wheel_timer records_timer;
    agent_finished_fn *finished; /* NULL: goes on */
    void *finished_owner;
    struct wheel_timer finish;
};

struct pod_report {           /* to the API server, of one of its pods */
    struct api_call *call;    /* under way; NULL: none */
    struct object *answer;    /* the pod, as the server answered last; NULL: not yet */
    bool told;                /* something, by this agent */
    bool due;                 /* details, too */
    struct wheel_timer later; /* ... from then on */
    bool deleted;             /* the server was told that it is gone */
    bool refused;             /* something: the next round tries again */
    bool complained;          /* ... which was logged */
    uint64_t said;            /* a hash of the status told last; 0: none, or it may be told again */
    uint64_t said_version;    /* a hash of the version that this made; 0: not known */
};

struct termination { /* what a container left as its last words */
    struct list link;
    struct agent_pod *pod;
    char *id;
    char *text; /* NULL while it is being read */
    struct work_job *job;
};

struct agent_pod {
    struct agent *agent;
    char *uid;
    char *told_uid; /* what its source calls it; NULL: the same */
    char *name;
    char *name_space;
    struct list namesakes;      /* a ring of those of the same name */
    uint64_t sequence;          /* who came first has the name */
    struct object *object;      /* NULL: only the runtime, a record or a directory know it */
    struct object *next_object; /* to be run under this UID once everything of now is gone */
    struct source *source;
    bool static_pod;
    bool removed;
    bool prepared;
    bool released;
    bool cleaned;
    bool planned;         /* by what was really observed */
    char *refusal_reason; /* NULL: it is not refused */
    char *refusal_message;
    struct arena arena; /* of memory and blockers */
    struct pod_memory memory;
    list_of(struct pod_blocker) blockers;
    uint64_t record_hash; /* of what was recorded last; 0: nothing */
    char *record_trouble; /* why it could not be recorded; NULL */
    struct list record_due;
    struct list tasks;
    struct list terminations;
    struct list dirty;
    struct wheel_timer timer;
    bool expecting;
    struct pod_report report;
    struct list tokens;  /* of its service account */
    bool refers;         /* what it refers to is watched for it */
    bool checkpoint_due; /* what a checkpoint says of it may be another */
    bool volumes_due;    /* what their files are made of may have changed */
    struct work_job *volumes_job;
    struct wheel_timer volumes_timer;
    char *network_call; /* its newest ADD, as nodeagent-cni told of it; NULL */
};

static inline const struct pod *pod_object(const struct agent_pod *pod)
{
    return pod->object ? pod_of(pod->object) : NULL;
}

/* pods.c */
struct agent_pod *pods_find(struct agent *agent, const char *uid);
/* One that only the runtime, a record or a directory know. */
struct agent_pod *pods_add_found(struct agent *agent, const char *uid, const char *name_space,
                                 const char *name);
void pods_take_set(struct agent *agent, struct source *source, const struct static_set *set);
void pods_find_orphans(struct agent *agent);
void pods_rank(struct agent *agent); /* after the first look */
void pods_free(struct agent *agent);
void pod_free(struct agent_pod *pod); /* forgets it, and nothing else */
void pod_wanted(struct agent *agent, struct source *source, struct object *object);
void pod_unwanted(struct agent_pod *pod);
/* What the source told so far is all it has, or not. */
void pods_source_delivered(struct agent *agent, struct source *source, bool complete);
void pod_log(const struct agent_pod *pod, const char *what);
bool pod_uid_is_safe(const char *uid); /* as the name of a file */
void pod_gone(struct agent_pod *pod);  /* frees it, and lets the next of its name go on */
void pod_event(struct agent_pod *pod, const char *container, bool warning, const char *reason,
               const char *message);
const char *pod_waits_for(const struct agent_pod *pod);
bool pod_is_ready(const struct pod_status *status); /* NULL: it is not */
bool pods_sources_complete(const struct agent *agent);
/* Of the name that it has in a pod's annotation; any other name stands for all of them. */
bool pods_source_is_complete(const struct agent *agent, const char *name);

/* taking-over.c */
void pods_take_over(struct agent *agent);

/* planning.c */
void pod_touch(struct agent_pod *pod);
void pods_touch_all(struct agent *agent);
void pods_touch_waiting(struct agent *agent); /* those that wait for a look */
void planning_post(struct loop_post *post);
/* What would be planned now, for its blockers: probes go on between two plans. */
void pod_explain_now(struct agent_pod *pod, struct arena *arena, struct pod_plan *plan);

/* admitting.c */
void pod_judge(struct agent_pod *pod, const struct pod_observed *observed);

/* observing.c */
const char *agent_network_trouble(const struct agent *agent); /* NULL: there is none */
void pod_observe(struct agent_pod *pod, struct arena *arena, struct pod_observed *observed);
void pod_desire(struct agent_pod *pod, struct arena *arena, struct pod_desired *desired);
void pod_forget_terminations(struct agent_pod *pod);

/* record-file.c */
int records_open(struct agent *agent, struct err *err);
/* Before what it tells of is begun. Trouble is told of here, and remembered. */
bool record_write(struct agent_pod *pod, const struct pod_memory *memory);
/* What the next agent would find out by itself too is collected for a while. */
void record_write_soon(struct agent_pod *pod);
void records_write_due(struct agent *agent);
void record_remove(struct agent_pod *pod);
void records_load(struct agent *agent);

/* tasks.c: operations being carried out */
struct task {
    struct list link;        /* of its pod */
    struct list queue;       /* of those that wait for their turn */
    struct wheel_timer turn; /* armed while it has its turn */
    struct agent_pod *pod;
    uint64_t id;
    enum pod_operation_kind kind;
    struct cri_call *call;
    struct work_job *job;
    struct image_request *image;
    struct hook_request *hook; /* over HTTP */
    struct wheel_timer timer;
    usec_t patience; /* with what the pod refers to */
    void (*begin)(struct task *task);
    char *made_id; /* what a start, or a new sandbox, made */
    const struct task_files *files;
    const struct err *files_err; /* in the job's argument */
};

struct task_files { /* a job of a task */
    work_run_fn *run;
    void (*done)(struct task *task, void *argument);
    work_free_fn *free;
    const char *reason; /* of a failure; NULL: it is done all the same, with NULL if it is late */
    const char *what;   /* is late, when it is */
};

void tasks_begin(struct agent_pod *pod, const struct pod_operation *operation);
void tasks_cancel_stale(struct agent_pod *pod); /* those whose operations are not remembered */
void tasks_cancel_all(struct agent_pod *pod);
void tasks_finish(struct agent *agent); /* once `agent->finished` is set */
void task_done(struct task *task, const struct outcome *outcome);
void task_failed(struct task *task, const char *reason, const struct err *err);
/* A start whose pod ends meanwhile is given up, and the task done: a look shows what was made. */
bool task_is_void(struct task *task);
void task_give_up(struct task *task);
/* By what the runtime answered; `reason` is that of a failure. */
void task_replied(struct task *task, const struct cri_reply *reply, const char *reason);
struct pod_operation *task_operation(struct task *task);
void task_say(struct task *task, const char *format, ...) _printf_(2, 3);
/* Calls the runtime; a refusal ends the task. */
void task_call(struct task *task, const struct cri_method *method, const ProtobufCMessage *request,
               usec_t timeout, cri_done_fn *done);
/* `err` is in the argument; a failure, or a refusal, ends the task. */
void task_submit(struct task *task, const struct task_files *files, void *argument,
                 const struct err *err);

void task_prepare(struct task *task);
void task_clean(struct task *task);
void task_run_sandbox(struct task *task);
void task_stop_sandbox(struct task *task);
void task_remove_sandbox(struct task *task);
void task_image(struct task *task);
void task_start(struct task *task);
void task_stop(struct task *task);
void task_remove_container(struct task *task);
void task_hook(struct task *task);

/* hook-http.c */
void hook_request_begin(struct task *task, const struct container *container,
                        const struct http_get_action *get);
void hook_request_cancel(struct hook_request *request);

/* translating.c */
struct translation pod_translation(struct agent_pod *pod, struct arena *arena,
                                   const struct cri_pod *seen);

/* volume-files.c: volumes whose files come from objects */
int pod_order_volumes(struct agent_pod *pod, int root, struct arena *arena,
                      struct volume_orders *orders, struct err *err);
void pod_follow_volumes(struct agent_pod *pod, const struct pod_observed *observed); /* if due */
void pod_volumes_changed(struct agent_pod *pod); /* the pod did, or a token */
void pods_volumes_changed(struct agent *agent);  /* some ConfigMap or Secret did */
void pod_begin_volumes(struct agent_pod *pod);
void pod_end_volumes(struct agent_pod *pod);

/* network-gc.c: what networks left of sandboxes that are gone */
void network_gc_begin(struct agent *agent);
void network_gc_end(struct agent *agent);
void network_gc_soon(struct agent *agent);
void network_gc_after_trouble(struct agent *agent);

/* sweep.c: what belongs to no pod */
void sweep_begin(struct agent *agent);
void sweep_end(struct agent *agent);
