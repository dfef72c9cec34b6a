/* Starting, stopping and removing containers. */
#include "log-links.h"
#include "log-rotation-files.h"
#include "log-rotation.h"
#include "shell.h"
#include "translate-check.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/sys/files.h"
#include "nodeagent/sys/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* starting */

static void on_started(void *owner, const struct cri_reply *reply)
{
    struct task *task = owner;

    task->call = NULL;
    if (reply->status == RPC_OK)
        log_link_make(task->pod, task_operation(task)->name, task->made_id,
                      task_operation(task)->attempt);
    task_replied(task, reply, "RunContainerError");
}

static void start(struct task *task)
{
    Cri__StartContainerRequest request = CRI__START_CONTAINER_REQUEST__INIT;

    request.container_id = task->made_id;
    task_say(task, "starting");
    task_call(task, &cri_start_container, &request.base,
              task->pod->agent->config->runtime_request_timeout, on_started);
}

static void on_created(void *owner, const struct cri_reply *reply)
{
    struct task *task = owner;
    const Cri__CreateContainerResponse *response = reply->message;
    struct err err;

    task->call = NULL;
    if (reply->status != RPC_OK) {
        task_replied(task, reply, "CreateContainerError");
        return;
    }
    if (str_empty(response->container_id)) {
        err_set(&err, -EBADMSG, "the runtime created a container without an id");
        task_failed(task, "CreateContainerError", &err);
        return;
    }
    task->made_id = mem_strdup(response->container_id);
    if (!task_is_void(task))
        start(task);
}

/* The last of the sandbox's details: it is asked for with every container. */
static const struct cri_pod *seen_pod(struct task *task)
{
    return cri_cache_pod(task->pod->agent->cache, task->pod->uid);
}

static const struct cri_container *find_container(const struct cri_pod *seen, const char *id)
{
    if (seen)
        array_for_each (container, seen->containers)
            if (str_equal(container->id, id))
                return container;
    return NULL;
}

static uint32_t sandbox_attempt(const struct cri_pod *seen, const char *id)
{
    if (seen)
        array_for_each (sandbox, seen->sandboxes)
            if (str_equal(sandbox->id, id))
                return sandbox->attempt;
    return 0;
}

static const char *target_id(const struct cri_pod *seen, const struct container *container)
{
    if (seen && !str_empty(container->target_container_name))
        array_for_each (other, seen->containers)
            if (str_equal(other->name, container->target_container_name))
                return other->id;
    return NULL;
}

static int make_order(struct task *task, const struct container_files *files,
                      struct pod_container_ref ref, const struct cri_pod *seen,
                      struct container_order *order, struct err *err)
{
    const struct pod_operation *operation = task_operation(task);

    *order = (struct container_order){
        .container = ref.container,
        .kind = ref.kind,
        .attempt = operation->attempt,
        .image_id = operation->image_id,
        .image_user = images_user(task->pod->agent->images, operation->image_id),
        .places = files->places,
        .hosts_path = files->hosts_path,
        .termination_path = files->termination_path,
        .target_id = target_id(seen, ref.container),
    };
    if (!str_empty(ref.container->target_container_name) && !order->target_id)
        return err_set(err, -ENOENT, "unable to find target container %s",
                       ref.container->target_container_name);
    return 0;
}

static void create(struct task *task, const struct container_files *files)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    const struct cri_pod *seen = seen_pod(task);
    const struct pod_operation *operation = task_operation(task);
    struct pod_container_ref ref = pod_container_find(pod_object(task->pod), operation->name);
    struct translation translation = pod_translation(task->pod, &arena, seen);
    Cri__CreateContainerRequest request = CRI__CREATE_CONTAINER_REQUEST__INIT;
    struct string_map warnings = {0};
    struct container_order order;
    struct resolv_conf host;
    struct err err;

    if (!str_equal(ref.container->image, operation->image)) {
        task_give_up(task); /* the pod has another since the image was looked for */
        return;
    }
    request.pod_sandbox_id = (char *)operation->sandbox;
    if (translate_check_capabilities(ref.container, &err) < 0 ||
        make_order(task, files, ref, seen, &order, &err) < 0 ||
        translate_container(&translation, &order, &request.config, &err) < 0 ||
        node_files_resolv_conf(&task->pod->agent->node_files, &arena, &host, &err) < 0 ||
        translate_sandbox(&translation, &host, sandbox_attempt(seen, operation->sandbox),
                          &request.sandbox_config, &warnings, &err) < 0) {
        task_failed(task, "CreateContainerConfigError", &err);
        return;
    }
    task_say(task, "creating");
    task_call(task, &cri_create_container, &request.base,
              task->pod->agent->config->runtime_request_timeout, on_created);
}

static void on_files(struct task *task, void *container_files)
{
    const struct container_files *files = container_files;

    node_files_take(&task->pod->agent->node_files, files->node);
    if (!task_is_void(task))
        create(task, files);
}

static void prepare_files(struct task *task)
{
    static const struct task_files job = {
        .run = container_files_make,
        .done = on_files,
        .free = container_files_free,
        .reason = "CreateContainerConfigError",
        .what = "preparing the container's files",
    };
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    struct pod_container_ref ref =
        pod_container_find(pod_object(task->pod), task_operation(task)->name);
    struct translation translation = pod_translation(task->pod, &arena, seen_pod(task));
    struct container_files *files;
    struct err err;

    task_say(task, "preparing its files");
    files = container_files_new(&translation, &task->pod->agent->directories, ref.container,
                                task_operation(task)->attempt, &err);
    if (!files) {
        task_failed(task, "CreateContainerConfigError", &err);
        return;
    }
    files->node = node_reading_new(&task->pod->agent->node_files, task->pod->agent->config);
    task_submit(task, &job, files, &files->err);
}

static void on_image_user(void *owner, const struct outcome *outcome)
{
    struct task *task = owner;

    task->image = NULL;
    if (outcome->state == POD_OPERATION_DONE)
        prepare_files(task);
    else
        task_done(task, outcome);
}

void task_start(struct task *task)
{
    const struct pod_operation *operation = task_operation(task);

    if (!str_empty(operation->target)) {
        task->made_id = mem_strdup(operation->target);
        start(task);
        return;
    }
    if (images_knows_user(task->pod->agent->images, operation->image_id)) {
        prepare_files(task);
        return;
    }
    task->image =
        images_ask_user(task->pod->agent->images, operation->image_id, on_image_user, task);
}

/* stopping and removing */

static void on_stopped(void *owner, const struct cri_reply *reply)
{
    struct task *task = owner;

    task->call = NULL;
    task_replied(task, reply, "KillContainerError");
}

void task_stop(struct task *task)
{
    const struct pod_operation *operation = task_operation(task);
    Cri__StopContainerRequest request = CRI__STOP_CONTAINER_REQUEST__INIT;
    usec_t grace = usec_mul(USEC_PER_SEC, (uint64_t)operation->grace_seconds);

    request.container_id = (char *)operation->target;
    request.timeout = operation->grace_seconds;
    task_say(task, "stopping: it has %lld s", (long long)operation->grace_seconds);
    task_call(task, &cri_stop_container, &request.base,
              usec_add(task->pod->agent->config->runtime_request_timeout, grace), on_stopped);
}

struct log_removal { /* a job */
    struct err err;
    bool failed;
    int logs;
    char *path;
};

static int remove_log(void *argument)
{
    struct log_removal *removal = argument;

    removal->failed = container_log_remove(removal->logs, removal->path, &removal->err) < 0;
    return 0;
}

static void log_removal_free(void *argument)
{
    struct log_removal *removal = argument;

    fd_close_at(&removal->logs);
    free(removal->path);
    free(removal);
}

static void remove_container(struct task *task)
{
    Cri__RemoveContainerRequest request = CRI__REMOVE_CONTAINER_REQUEST__INIT;

    request.container_id = (char *)task_operation(task)->target;
    task_call(task, &cri_remove_container, &request.base,
              task->pod->agent->config->runtime_request_timeout, on_stopped);
}

/* A log that stays is removed with the others of its pod. */
static void on_log_removed(struct task *task, void *log_removal)
{
    const struct log_removal *removal = log_removal;

    if (removal && removal->failed)
        log_failure(LOG_LEVEL_WARNING, NULL, &removal->err);
    remove_container(task);
}

/* The log goes first: nothing else tells of it once the runtime has forgotten the container. */
void task_remove_container(struct task *task)
{
    static const struct task_files job = {
        .run = remove_log,
        .done = on_log_removed,
        .free = log_removal_free,
    };
    const struct agent *agent = task->pod->agent;
    const struct cri_container *container =
        find_container(seen_pod(task), task_operation(task)->target);
    const char *path = container ? container_log_path(agent, container) : NULL;
    struct log_removal *removal;

    if (!path) {
        remove_container(task);
        return;
    }
    removal = mem_new(struct log_removal);
    removal->logs = fd_duplicate(agent->directories.logs);
    removal->path = mem_strdup(path);
    task_submit(task, &job, removal, &removal->err);
}
