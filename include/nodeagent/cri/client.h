/*
 * The container runtime: typed calls over gRPC. The messages are those of runtime.pb-c.h, made
 * from cri/runtime.proto.
 */
#pragma once

#include "nodeagent/net/rpc.h"
#include "runtime.pb-c.h"

#include <stdbool.h>

struct cri;
struct cri_call;
struct cri_method;

/* What the runtime is called by default. */
#define CRI_DEFAULT_ENDPOINT "unix:///run/containerd/containerd.sock"

/* `image_endpoint` may be NULL: images are at the runtime's. Both are URLs as the kubelet's. */
int cri_new(struct cri **result, struct rpc *rpc, const char *runtime_endpoint,
            const char *image_endpoint, struct err *err);
struct cri *cri_free(struct cri *cri); /* cancels what is in flight */

/* Of the runtime's channel: see rpc_channel_watch(). */
void cri_watch_connection(struct cri *cri, rpc_connected_fn *connected, void *owner);

/* methods */

extern const struct cri_method cri_version;
extern const struct cri_method cri_status;
extern const struct cri_method cri_runtime_config;
extern const struct cri_method cri_update_runtime_config;
extern const struct cri_method cri_run_pod_sandbox;
extern const struct cri_method cri_stop_pod_sandbox;
extern const struct cri_method cri_remove_pod_sandbox;
extern const struct cri_method cri_pod_sandbox_status;
extern const struct cri_method cri_list_pod_sandbox;
extern const struct cri_method cri_create_container;
extern const struct cri_method cri_start_container;
extern const struct cri_method cri_stop_container;
extern const struct cri_method cri_remove_container;
extern const struct cri_method cri_list_containers;
extern const struct cri_method cri_container_status;
extern const struct cri_method cri_update_container_resources;
extern const struct cri_method cri_reopen_container_log;
extern const struct cri_method cri_exec_sync;
extern const struct cri_method cri_get_container_events; /* a stream */
extern const struct cri_method cri_list_images;
extern const struct cri_method cri_image_status;
extern const struct cri_method cri_pull_image;
extern const struct cri_method cri_remove_image;
extern const struct cri_method cri_image_fs_info;

const char *cri_method_name(const struct cri_method *method); /* "RunPodSandbox" */

/* calls */

struct cri_reply {
    enum rpc_status status;
    const char *text;    /* what the runtime says to a failure, else "" */
    const void *message; /* the method's response when RPC_OK; valid during the callback */
};

typedef void cri_done_fn(void *owner, const struct cri_reply *reply);
typedef void cri_event_fn(void *owner, const void *message);

/*
 * `request` must be the method's. `done` comes once, from the loop, unless the call is cancelled.
 * A response that cannot be understood is RPC_INTERNAL.
 */
int cri_call(struct cri_call **result, struct cri *cri, const struct cri_method *method,
             const ProtobufCMessage *request, usec_t timeout, cri_done_fn *done, void *owner,
             struct err *err);

/* The same for a method that streams; `done` says how it ended. */
int cri_watch(struct cri_call **result, struct cri *cri, const struct cri_method *method,
              const ProtobufCMessage *request, cri_event_fn *event, cri_done_fn *done, void *owner,
              struct err *err);

void cri_cancel(struct cri_call *call);
