/*
 * Operations being carried out. A task ends once: by task_done(), or unheard, when the core does
 * not remember its operation any more (the pod ended meanwhile, or is gone).
 */
#include "shell.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/log.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct pod_operation *task_operation(struct task *task)
{
    array_for_each (operation, task->pod->memory.operations)
        if (operation->id == task->id)
            return operation;
    return NULL;
}

/* turns: what keeps the runtime busy is done by a few at a time */

/* A container's stop mostly waits for the container: it needs no turn. */
static bool needs_turn(enum pod_operation_kind kind)
{
    return kind == POD_RUN_SANDBOX || kind == POD_START || kind == POD_STOP_SANDBOX ||
           kind == POD_REMOVE_SANDBOX || kind == POD_REMOVE_CONTAINER;
}

static struct task *next_queued(struct agent *agent)
{
    for (size_t i = 0; i < TURN_QUEUES; i++)
        if (!list_empty(&agent->turn_queues[i]))
            return list_first(&agent->turn_queues[i], struct task, queue);
    return NULL;
}

static void begin_queued(struct agent *agent)
{
    struct task *task;

    while (!agent->finished && agent->turns < agent->turns_max && (task = next_queued(agent))) {
        list_unlink(&task->queue);
        agent->turns++;
        wheel_arm(agent->parts.wheel, &task->turn, usec_add(clock_boottime(), TURN_USEC));
        task->begin(task);
    }
}

static void on_long_turn(struct wheel_timer *timer)
{
    struct agent *agent = container_of(timer, struct task, turn)->pod->agent;

    agent->turns--;
    begin_queued(agent);
}

static void queue(struct task *task)
{
    struct agent *agent = task->pod->agent;
    enum turn_queue queue = task->kind == POD_START ? TURN_CONTAINERS : TURN_OTHERS;

    task_say(task, "%s: waits for its turn", pod_operation_name(task->kind));
    list_push_back(&agent->turn_queues[queue], &task->queue);
    begin_queued(agent);
}

/* the agent ends */

/* A container's stop takes its time, and the next agent goes on with it. */
static bool is_to_finish(const struct task *task)
{
    return task->call && task->kind != POD_STOP;
}

static void finished(struct agent *agent)
{
    agent_finished_fn *call = agent->finished;

    wheel_cancel(&agent->finish);
    call(agent->finished_owner);
}

static void on_finish_timer(struct wheel_timer *timer)
{
    finished(container_of(timer, struct agent, finish));
}

static void finish_if_idle(struct agent *agent)
{
    struct map_entry *entry;

    for (size_t at = 0; (entry = map_next(&agent->pods, &at));) {
        struct agent_pod *pod = entry->value;

        list_for_each (node, &pod->tasks)
            if (is_to_finish(list_entry(node, struct task, link)))
                return;
    }
    finished(agent);
}

void tasks_finish(struct agent *agent)
{
    wheel_timer_init(&agent->finish, on_finish_timer);
    wheel_arm(agent->parts.wheel, &agent->finish, usec_add(clock_boottime(), AGENT_FINISH));
    finish_if_idle(agent);
}

static void task_free(struct task *task)
{
    struct agent *agent = task->pod->agent;

    if (task->call)
        cri_cancel(task->call);
    if (task->image)
        image_request_cancel(task->image);
    if (task->hook)
        hook_request_cancel(task->hook);
    if (task->job) {
        struct work_job *job = task->job;

        task->job = NULL;
        work_cancel(job);
    }
    wheel_cancel(&task->timer);
    list_unlink(&task->link);
    list_unlink(&task->queue);
    if (wheel_timer_armed(&task->turn))
        agent->turns--;
    wheel_cancel(&task->turn);
    free(task->made_id);
    free(task);
    begin_queued(agent);
    if (agent->finished)
        finish_if_idle(agent);
}

/* outcomes */

static void learn(const struct task *task, const struct pod_operation *operation)
{
    static const enum cri_deed_kind kinds[] = {
        [POD_RUN_SANDBOX] = CRI_RAN_SANDBOX,  [POD_START] = CRI_STARTED_CONTAINER,
        [POD_STOP] = CRI_STOPPED_CONTAINER,   [POD_STOP_SANDBOX] = CRI_STOPPED_SANDBOX,
        [POD_REMOVE_CONTAINER] = CRI_REMOVED, [POD_REMOVE_SANDBOX] = CRI_REMOVED,
    };
    struct cri_deed deed = {
        .kind = kinds[task->kind],
        .id = task->made_id ? task->made_id : operation->target,
        .name = task->pod->name,
        .name_space = task->pod->name_space,
        .container = operation->name,
        .sandbox_id = operation->sandbox,
        .attempt = operation->attempt,
    };

    cri_cache_learn(task->pod->agent->cache, task->pod->uid, &deed);
}

void task_done(struct task *task, const struct outcome *outcome)
{
    struct agent_pod *pod = task->pod;
    struct pod_operation *operation = task_operation(task);

    operation->state = outcome->state;
    operation->ended = clock_boottime();
    operation->reason = outcome->reason ? arena_strdup(&pod->arena, outcome->reason) : NULL;
    operation->message = arena_strdup(&pod->arena, outcome->message ? outcome->message : "");
    if (outcome->image_id)
        operation->image_id = arena_strdup(&pod->arena, outcome->image_id);
    if (!pod_operation_needs_look(task->kind))
        pod_touch(pod);
    else if (outcome->answered) /* these two touch the pod when they are done */
        learn(task, operation);
    else
        cri_cache_look(pod->agent->cache, pod->uid);
    task_free(task);
}

void task_failed(struct task *task, const char *reason, const struct err *err)
{
    struct outcome outcome = {
        .state = POD_OPERATION_FAILED,
        .reason = reason,
        .message = err->text,
    };

    task_done(task, &outcome);
}

/*
 * May it have been done, or be done yet? Then only a look can tell. A name that is "reserved" is
 * that of a call whose answer never came: it is still at work, or its outcome is there to be seen.
 */
static bool fate_is_unknown(const struct cri_reply *reply)
{
    switch (reply->status) {
    case RPC_CANCELLED:
    case RPC_DEADLINE_EXCEEDED:
    case RPC_UNAVAILABLE:
    case RPC_INTERNAL:
        return true;
    default:
        return strstr(reply->text, "is reserved for") != NULL;
    }
}

void task_give_up(struct task *task)
{
    static const struct outcome given_up = {.state = POD_OPERATION_UNKNOWN};

    task_done(task, &given_up);
}

bool task_is_void(struct task *task)
{
    bool is_void = task->pod->memory.stage != POD_STAGE_RUN;

    if (is_void)
        task_give_up(task);
    return is_void;
}

static enum pod_operation_state state_of(struct task *task, const struct cri_reply *reply)
{
    bool ends = task->kind != POD_RUN_SANDBOX && task->kind != POD_START;

    if (reply->status == RPC_OK || (ends && reply->status == RPC_NOT_FOUND))
        return POD_OPERATION_DONE;
    return fate_is_unknown(reply) ? POD_OPERATION_UNKNOWN : POD_OPERATION_FAILED;
}

void task_replied(struct task *task, const struct cri_reply *reply, const char *reason)
{
    enum pod_operation_state state = state_of(task, reply);
    struct outcome outcome = {
        .state = state,
        .reason = reason,
        .message = state == POD_OPERATION_DONE ? "" : reply->text,
        .answered = reply->status == RPC_OK,
    };

    task_done(task, &outcome);
}

void task_say(struct task *task, const char *format, ...)
{
    struct pod_operation *operation = task_operation(task);
    va_list arguments;

    va_start(arguments, format);
    operation->progress = arena_vprintf(&task->pod->arena, format, arguments);
    va_end(arguments);
}

/* doing */

void task_call(struct task *task, const struct cri_method *method, const ProtobufCMessage *request,
               usec_t timeout, cri_done_fn *done)
{
    struct err err;

    if (cri_call(&task->call, task->pod->agent->cri, method, request, timeout, done, task, &err) <
        0)
        task_failed(task, "RuntimeError", &err);
}

static void files_done(void *owner, void *argument, int result)
{
    struct task *task = owner;
    const struct task_files *files = task->files;
    struct err late;

    if (!task->job)
        return; /* cancelled */
    task->job = NULL;
    if (!files->reason || (argument && result == 0)) {
        files->done(task, argument);
        return;
    }
    if (!argument)
        err_set(&late, result, "%s took too long: %s", files->what, strerror(-result));
    task_failed(task, files->reason, argument ? task->files_err : &late);
}

void task_submit(struct task *task, const struct task_files *files, void *argument,
                 const struct err *err)
{
    struct work_order order = {
        .key = task->pod->uid,
        .limit_usec = FILES_LIMIT_USEC,
        .run = files->run,
        .done = files_done,
        .free = files->free,
        .argument = argument,
        .owner = task,
    };
    struct err refusal;

    task->files = files;
    task->files_err = err;
    if (work_submit(task->pod->agent->parts.work, &order, &task->job, &refusal) == 0)
        return;
    files->free(argument);
    task_failed(task, "FilesError", &refusal);
}

static void (*const begins[])(struct task *) = {
    [POD_PREPARE] = task_prepare,
    [POD_RUN_SANDBOX] = task_run_sandbox,
    [POD_STOP_SANDBOX] = task_stop_sandbox,
    [POD_REMOVE_SANDBOX] = task_remove_sandbox,
    [POD_IMAGE] = task_image,
    [POD_START] = task_start,
    [POD_POST_START] = task_hook,
    [POD_PRE_STOP] = task_hook,
    [POD_STOP] = task_stop,
    [POD_REMOVE_CONTAINER] = task_remove_container,
    [POD_CLEAN] = task_clean,
    [POD_RELEASE] = task_clean,
};

static void no_timer(struct wheel_timer *timer)
{
}

void tasks_begin(struct agent_pod *pod, const struct pod_operation *operation)
{
    struct task *task = mem_new(struct task);

    task->pod = pod;
    task->id = operation->id;
    task->kind = operation->kind;
    task->begin = begins[operation->kind];
    wheel_timer_init(&task->timer, no_timer);
    wheel_timer_init(&task->turn, on_long_turn);
    list_init(&task->queue);
    list_push_back(&pod->tasks, &task->link);
    if (needs_turn(task->kind))
        queue(task);
    else
        task->begin(task);
}

void tasks_cancel_stale(struct agent_pod *pod)
{
    list_for_each_safe (node, &pod->tasks) {
        struct task *task = list_entry(node, struct task, link);

        if (!task_operation(task))
            task_free(task);
    }
}

void tasks_cancel_all(struct agent_pod *pod)
{
    while (!list_empty(&pod->tasks))
        task_free(list_first(&pod->tasks, struct task, link));
}
