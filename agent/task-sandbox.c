/* Making, stopping and removing a pod's sandbox. */
#include "node-files.h"
#include "shell.h"

#include "nodeagent/base/mem.h"

#include <stdlib.h>

static void on_sandbox(void *owner, const struct cri_reply *reply)
{
    struct task *task = owner;
    const Cri__RunPodSandboxResponse *response = reply->message;

    task->call = NULL;
    if (response) {
        task->made_id = mem_strdup(response->pod_sandbox_id);
    } else { /* mostly it is the network */
        network_doubt(task->pod->agent->network);
        network_gc_after_trouble(task->pod->agent);
    }
    task_replied(task, reply, "CreatePodSandboxError");
}

static void tell_dns(struct task *task, const struct string_map *warnings)
{
    for (size_t i = 0; i < warnings->count; i++)
        pod_event(task->pod, NULL, true, warnings->items[i].name, warnings->items[i].value);
}

/* Without an API server there are no classes, and their names mean nothing. */
static int check_class(const struct task *task, struct err *err)
{
    const struct agent *agent = task->pod->agent;
    const char *name = pod_object(task->pod)->spec.runtime_class_name, *handler;

    return agent->cluster && !str_empty(name)
               ? cluster_runtime_handler(agent->cluster, name, &handler, err)
               : 0;
}

static void ask_for_sandbox(struct task *task)
{
    struct agent *agent = task->pod->agent;
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    struct translation translation = pod_translation(task->pod, &arena, NULL);
    Cri__RunPodSandboxRequest request = CRI__RUN_POD_SANDBOX_REQUEST__INIT;
    struct string_map warnings = {0};
    struct resolv_conf host;
    struct err err;

    if (check_class(task, &err) < 0 ||
        node_files_resolv_conf(&agent->node_files, &arena, &host, &err) < 0 ||
        translate_sandbox(&translation, &host, task_operation(task)->attempt, &request.config,
                          &warnings, &err) < 0) {
        task_failed(task, "CreatePodSandboxError", &err);
        return;
    }
    request.runtime_handler = (char *)(translation.handler ? translation.handler : "");
    tell_dns(task, &warnings);
    task_say(task, "creating the sandbox");
    task_call(task, &cri_run_pod_sandbox, &request.base,
              usec_mul(agent->config->runtime_request_timeout, 2), on_sandbox);
}

static void on_reading(struct task *task, void *reading)
{
    node_files_take(&task->pod->agent->node_files, reading);
    if (!task_is_void(task))
        ask_for_sandbox(task);
}

void task_run_sandbox(struct task *task)
{
    static const struct task_files files = {
        .run = node_reading_run,
        .done = on_reading,
        .free = node_reading_free,
        .reason = "CreatePodSandboxError",
        .what = "reading the node's resolv.conf",
    };
    struct agent *agent = task->pod->agent;
    struct node_reading *reading = node_reading_new(&agent->node_files, agent->config);

    if (reading)
        task_submit(task, &files, reading, &reading->err);
    else
        ask_for_sandbox(task);
}

static void on_sandbox_ended(void *owner, const struct cri_reply *reply)
{
    struct task *task = owner;

    task->call = NULL;
    task_replied(task, reply, "KillPodSandboxError");
}

void task_stop_sandbox(struct task *task)
{
    Cri__StopPodSandboxRequest request = CRI__STOP_POD_SANDBOX_REQUEST__INIT;

    request.pod_sandbox_id = (char *)task_operation(task)->target;
    task_call(task, &cri_stop_pod_sandbox, &request.base,
              task->pod->agent->config->runtime_request_timeout, on_sandbox_ended);
}

void task_remove_sandbox(struct task *task)
{
    Cri__RemovePodSandboxRequest request = CRI__REMOVE_POD_SANDBOX_REQUEST__INIT;

    request.pod_sandbox_id = (char *)task_operation(task)->target;
    task_call(task, &cri_remove_pod_sandbox, &request.base,
              task->pod->agent->config->runtime_request_timeout, on_sandbox_ended);
}
