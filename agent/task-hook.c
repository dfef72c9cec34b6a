/* Lifecycle hooks: exec, sleep, and those asked for over HTTP (hook-http.c). */
#include "shell.h"

#include "nodeagent/sys/clock.h"

#include <errno.h>

static void done(struct task *task)
{
    static const struct outcome good = {.state = POD_OPERATION_DONE};

    task_done(task, &good);
}

static void on_executed(void *owner, const struct cri_reply *reply)
{
    struct task *task = owner;
    const Cri__ExecSyncResponse *response = reply->message;
    struct err err;

    task->call = NULL;
    if (reply->status != RPC_OK) {
        err_set(&err, -EIO, "%s", reply->text);
        task_failed(task, "HookError", &err);
    } else if (response->exit_code) {
        err_set(&err, -EIO, "its command ended with exit code %d", (int)response->exit_code);
        task_failed(task, "HookError", &err);
    } else {
        done(task);
    }
}

static void execute(struct task *task, const struct exec_action *action)
{
    Cri__ExecSyncRequest request = CRI__EXEC_SYNC_REQUEST__INIT;

    request.container_id = (char *)task_operation(task)->target;
    request.n_cmd = action->command.count;
    request.cmd = (char **)action->command.items;
    /* No limit of its own: a preStop hook is given up when the grace is over. */
    task_call(task, &cri_exec_sync, &request.base, USEC_NEVER, on_executed);
}

static void on_slept(struct wheel_timer *timer)
{
    done(container_of(timer, struct task, timer));
}

static const struct handler *handler_of(const struct task *task,
                                        const struct pod_operation *operation)
{
    const struct container *container =
        pod_container_find(pod_object(task->pod), operation->name).container;

    return task->kind == POD_POST_START ? container->lifecycle->post_start
                                        : container->lifecycle->pre_stop;
}

void task_hook(struct task *task)
{
    const struct pod_operation *operation = task_operation(task);
    const struct handler *handler = handler_of(task, operation);
    struct err err;

    if (handler->exec) {
        execute(task, handler->exec);
    } else if (handler->sleep) {
        wheel_timer_init(&task->timer, on_slept);
        wheel_arm(task->pod->agent->parts.wheel, &task->timer,
                  usec_add(clock_boottime(),
                           usec_mul(USEC_PER_SEC, (uint64_t)MAX(handler->sleep->seconds, 0))));
    } else if (handler->http_get) {
        hook_request_begin(task,
                           pod_container_find(pod_object(task->pod), operation->name).container,
                           handler->http_get);
    } else {
        err_set(&err, -ENOTSUP,
                "Cannot run handler: invalid handler: it has no exec, httpGet or "
                "sleep");
        task_failed(task, "HookError", &err);
    }
}
