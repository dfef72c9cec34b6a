/*
 * The runtime counts whole seconds: a command that has less time is waited for until the second is
 * over, and has failed all the same. So commands of one probe never overlap.
 */
#include "probe-exec.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/cri/client.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/wheel.h"

#include <stdlib.h>

/* Beyond the command's own time. A runtime waits for the command's output to end, too, which may be
 * never, if it left something running. */
#define EXEC_PATIENCE_USEC (3 * USEC_PER_SEC)

struct execution {
    struct cri_call *call;
    struct wheel_timer refusal;
    struct err err; /* of a call that could not be made */
    usec_t began;
    usec_t timeout;
    probe_exec_done_fn *done;
    void *done_owner;
};

static void execution_end(struct execution *execution, const struct probe_exec_reply *reply)
{
    execution->done(execution->done_owner, reply);
    wheel_cancel(&execution->refusal);
    free(execution);
}

static bool is_over(const struct execution *execution, usec_t limit)
{
    return usec_sub(clock_boottime(), execution->began) >= limit;
}

/* The runtime's limit is told by the same code as our own, which is later. */
static bool is_killed(const struct execution *execution, const struct cri_reply *reply)
{
    if (reply->status == RPC_OK)
        return execution->timeout % USEC_PER_SEC && is_over(execution, execution->timeout);
    return reply->status == RPC_DEADLINE_EXCEEDED &&
           !is_over(execution, usec_add(execution->timeout, EXEC_PATIENCE_USEC));
}

static void on_executed(void *owner, const struct cri_reply *reply)
{
    struct execution *execution = owner;
    const Cri__ExecSyncResponse *response = reply->message;
    struct probe_exec_reply told = {.how = PROBE_EXEC_FAILED, .text = reply->text};

    execution->call = NULL;
    if (response) {
        told.how = PROBE_EXEC_ENDED;
        told.exit_code = response->exit_code;
        told.out = response->stdout.data;
        told.out_length = response->stdout.len;
        told.err = response->stderr.data;
        told.err_length = response->stderr.len;
    }
    if (is_killed(execution, reply))
        told.how = PROBE_EXEC_KILLED;
    else if (reply->status == RPC_DEADLINE_EXCEEDED)
        told.how = PROBE_EXEC_UNANSWERED;
    execution_end(execution, &told);
}

static void on_refusal(struct wheel_timer *timer)
{
    struct execution *execution = container_of(timer, struct execution, refusal);
    struct probe_exec_reply told = {.how = PROBE_EXEC_FAILED, .text = execution->err.text};

    execution_end(execution, &told);
}

static void *begin(void *owner, const char *container_id, const struct string_list *command,
                   usec_t timeout, probe_exec_done_fn *done, void *done_owner)
{
    const struct probe_runtime *runtime = owner;
    struct execution *execution = mem_new(struct execution);
    Cri__ExecSyncRequest request = CRI__EXEC_SYNC_REQUEST__INIT;

    execution->began = clock_boottime();
    execution->timeout = timeout;
    execution->done = done;
    execution->done_owner = done_owner;
    wheel_timer_init(&execution->refusal, on_refusal);
    request.container_id = (char *)container_id;
    request.n_cmd = command->count;
    request.cmd = (char **)command->items;
    request.timeout = (int64_t)((timeout + USEC_PER_SEC - 1) / USEC_PER_SEC);
    if (cri_call(&execution->call, runtime->cri, &cri_exec_sync, &request.base,
                 usec_add(timeout, EXEC_PATIENCE_USEC), on_executed, execution,
                 &execution->err) < 0)
        wheel_arm(runtime->wheel, &execution->refusal, execution->began);
    return execution;
}

static void cancel(void *call)
{
    struct execution *execution = call;

    if (execution->call)
        cri_cancel(execution->call);
    wheel_cancel(&execution->refusal);
    free(execution);
}

struct probe_exec probe_exec_of(struct probe_runtime *runtime)
{
    return (struct probe_exec){.owner = runtime, .begin = begin, .cancel = cancel};
}
