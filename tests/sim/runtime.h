/*
 * The model runtime: what containerd does with CRI calls, as far as a client can tell. Sandboxes,
 * containers, names, images, the lives of processes; and calls, which take time, may be given up
 * by their client, and may then go on to their end or be rolled back.
 *
 * Ids and UIDs are readable here: "s4-pod-2-v1" is a sandbox of the pod whose UID is "pod-2-v1".
 */
#pragma once

#include "nodeagent/base/list.h"
#include "nodeagent/base/map.h"
#include "nodeagent/net/rpc.h"
#include "runtime.pb-c.h"
#include "world.h"

enum {
    ID_MAX = 64,
    KEY_MAX = 60, /* as that of an event */
    REPLY_TEXT_MAX = 400,
};

/* Which one it behaves like; spec/cri.md 7. */
enum flavour {
    FLAVOUR_1_6,
    FLAVOUR_1_7,
    FLAVOUR_2,
    FLAVOUR_COUNT,
};

struct pod_container; /* of a manifest */

struct sandbox {
    struct list link;
    char id[ID_MAX];
    char name[256]; /* reserved while it exists */
    Cri__RunPodSandboxRequest *request;
    const Cri__PodSandboxMetadata *metadata;
    bool ready;     /* as it says; and its process runs */
    bool stopped;   /* a StopPodSandbox succeeded */
    bool ever_died; /* by itself */
    bool host_network;
    usec_t made; /* the world's */
    int64_t created_at;
    char ip[24];
    bool removing;
};

struct container {
    struct list link;
    char id[ID_MAX];
    char name[256];
    struct sandbox *sandbox; /* NULL: removed */
    char sandbox_id[ID_MAX];
    Cri__CreateContainerRequest *request;
    Cri__ContainerConfig *config;
    const char *uid;           /* by its label */
    Cri__ContainerState state; /* as it says */
    bool alive;                /* its process runs */
    bool starting;
    usec_t start_sent; /* when it was asked for */
    bool removing;
    bool ever_unknown;
    bool hook_failed; /* its postStart, to the agent: it is to end */
    bool ignores_term;
    bool stop_sent;                              /* by an agent, whatever became of it */
    bool asked_to_end;                           /* TERM was sent, or worse */
    bool hook_sent;                              /* its preStop: the agent means it to end */
    int64_t created_at, started_at, finished_at; /* nanoseconds of the wall */
    usec_t started, finished;                    /* the world's */
    int32_t exit_code;
    const char *reason;
    const char *message;
    bool said_started; /* published; a probe that said so may not be made again */
    bool said_ready;
    bool not_ready;    /* its readiness probe failed since it was said to be ready */
    bool fails;        /* its last answer to that */
    bool not_live;     /* its liveness or startup probe failed, as often as it takes */
    unsigned probed;   /* times, by its startup probe */
    unsigned failures; /* of its liveness probe, in a row */
    struct event *ends;
    struct event *killed; /* when its grace is over */
    usec_t killed_at;
    struct pod_container *spec;
};

struct image {
    struct list link;
    char name[64];
    char id[80];
    bool present;
};

struct runtime {
    enum flavour flavour;
    bool down;
    bool network_ready;
    struct list sandboxes;
    struct list containers;
    struct list images;
    struct list calls;
    struct map names; /* who has them: an id, or "a call" */
    unsigned next_id;
    unsigned next_ip;
    uint64_t next_call;
    uint64_t changes; /* of what a look would show */
};

struct runtime *runtime_new(void);
struct runtime *runtime_free(struct runtime *runtime);

/* calls */

struct call;
typedef void call_fn(struct call *call);

enum method_kind {
    METHOD_NODE,   /* concerns everything: lists, status */
    METHOD_STATUS, /* of one thing */
    METHOD_CHANGE, /* of a pod */
    METHOD_IMAGE,
    METHOD_STREAM,
};

struct method {
    const char *name;
    enum method_kind kind;
    const ProtobufCMessageDescriptor *request;
    call_fn *begin;
};

struct call {
    struct list link;
    struct rpc_call *client; /* NULL: it does not wait any more */
    unsigned life;           /* of the agent that sent it */
    const struct method *method;
    ProtobufCMessage *request;
    char key[KEY_MAX]; /* method and whom it concerns: what choices are made for */
    char uid[ID_MAX];  /* of the pod; "" */
    usec_t sent;
    usec_t takes_longer; /* on the way, in the runtime, on the way back */
    usec_t answered_late;
    bool reply_lost;
    usec_t given_up; /* when the client went */
    bool rolls_back; /* when the client is gone */
    struct event *event;
    call_fn *next;
    char reserved[256];
    struct sandbox *sandbox;
    struct container *container;
    struct image *image;
};

const struct method *runtime_method(const char *path);
/* Whom a request concerns: fills key and uid. */
void runtime_name_call(struct call *call);
void runtime_begin(struct call *call);
void runtime_free_call(struct call *call);

/* for handlers: each ends with one of these */
void call_after(struct call *call, usec_t delay, call_fn *next);
void call_reply(struct call *call, const ProtobufCMessage *response);
void call_fail(struct call *call, enum rpc_status status, const char *format, ...) _printf_(3, 4);
/* Did the client give up, and is this one of those operations that stop then? Ends the call. */
bool call_is_abandoned(struct call *call);

/* the network's side: net-rpc.c */
void net_reply(struct call *call, enum rpc_status status, const char *text,
               const ProtobufCMessage *response);
void net_agent_died(void);
void net_runtime_died(void);
void net_hint(const struct container *container, Cri__ContainerEventType type);

/* objects */
struct sandbox *sandbox_find(const char *id);
struct container *container_find(const char *id);
int64_t runtime_now(void); /* nanoseconds of the wall */
bool name_reserve(struct call *call, const char *what, const char *name);
void name_give(struct call *call, const char *id); /* from the call to an object */
void name_release(const char *name);

/* lives: runtime-life.c */
void container_begins(struct container *container);
void container_ends(struct container *container, int32_t exit_code, const char *reason);
/* TERM now, KILL when the grace is over and somebody still waits for it. */
void container_hook_failed(const Cri__ExecSyncRequest *request);
void container_asked_to_end(struct container *container, usec_t grace);
void container_drop(struct container *container);
void sandbox_ends(struct sandbox *sandbox);
void sandbox_drop(struct sandbox *sandbox);

void runtime_add_image(const char *name);
/* An image that is there, by name or id. */
const struct image *runtime_image(const char *image);

/* what befalls it */
void runtime_dies(void);
void runtime_returns(void);
void runtime_machine_boots(void);

/* handlers, by file */
call_fn serve_version, serve_status, serve_runtime_config, serve_update_runtime_config,
    serve_events;
call_fn serve_list_sandboxes, serve_sandbox_status, serve_list_containers, serve_container_status;
call_fn serve_run_sandbox, serve_stop_sandbox, serve_remove_sandbox;
call_fn serve_create_container, serve_start_container, serve_stop_container, serve_remove_container,
    serve_exec, serve_nothing;
call_fn container_stop_ends;
call_fn serve_list_images, serve_image_status, serve_pull_image, serve_remove_image,
    serve_image_fs_info;
