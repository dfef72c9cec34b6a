/*
 * A plain client of a container runtime, with no agent: what an agent costs is measured against it.
 * Pods of one container go through phases, with a limited number of them under way in each:
 *
 *   pull     PullImage, with --pull
 *   start    RunPodSandbox, PodSandboxStatus, ImageStatus, CreateContainer, StartContainer,
 *            ContainerStatus (it must be running)
 *   exec     ExecSync of a command, with --exec
 *   stop     StopContainer, StopPodSandbox
 *   remove   RemoveContainer, RemovePodSandbox
 *
 * Each phase begins when the one before has ended for all pods. It prints `name value unit` lines:
 * the time of each phase from its first call to its last answer, of the median and the slowest pod
 * in it, and the mean of each call.
 */
#include "cri-client.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/loop.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    CALL_SECONDS = 120,
    PATH_BYTES_MAX = 512,
};

enum step {
    STEP_PULL,
    STEP_RUN,
    STEP_SANDBOX_STATUS,
    STEP_IMAGE_STATUS,
    STEP_CREATE,
    STEP_START,
    STEP_STATUS,
    STEP_EXEC,
    STEP_STOP,
    STEP_STOP_SANDBOX,
    STEP_REMOVE,
    STEP_REMOVE_SANDBOX,
    STEP_COUNT,
};

enum phase {
    PHASE_PULL,
    PHASE_START,
    PHASE_EXEC,
    PHASE_STOP,
    PHASE_REMOVE,
    PHASE_COUNT,
};

struct client {
    struct options options;
    struct loop *loop;
    struct rpc *rpc;
    struct cri *cri;
    struct pod *pods;
    enum phase phase;
    unsigned begun;
    unsigned ended;
    usec_t spent[STEP_COUNT];
};

struct pod {
    struct client *client;
    enum step step;
    usec_t begun; /* the phase, for this pod */
    usec_t took;
    usec_t since; /* the call under way */
    char uid[40];
    char name[80];
    char directory[PATH_BYTES_MAX];
    char *sandbox;
    char *container;
    struct cri_call *call;
};

static void pod_go_on(struct pod *pod);

static void fail(const struct cri_method *method, const struct cri_reply *reply)
{
    fprintf(stderr, "cri-client: %s: %s: %s\n", cri_method_name(method),
            rpc_status_name(reply->status), reply->text);
    exit(1);
}

static struct order pod_order(const struct pod *pod, struct arena *arena)
{
    return (struct order){
        .options = &pod->client->options,
        .name = pod->name,
        .uid = pod->uid,
        .directory = pod->client->options.log_directory ? pod->directory : NULL,
        .arena = arena,
    };
}

/* files */

static void fail_path(const char *path)
{
    fprintf(stderr, "cri-client: %s: %s\n", path, strerror(errno));
    exit(1);
}

static void path_beneath(char path[PATH_BYTES_MAX], const char *directory, const char *name)
{
    if (snprintf(path, PATH_BYTES_MAX, "%s/%s", directory, name) >= PATH_BYTES_MAX) {
        errno = ENAMETOOLONG;
        fail_path(directory);
    }
}

static void make_directory(const char *path)
{
    if (mkdir(path, 0755) < 0 && errno != EEXIST)
        fail_path(path);
}

static void make_file(const struct pod *pod, const char *name, const char *text)
{
    char path[PATH_BYTES_MAX];
    FILE *file;

    path_beneath(path, pod->directory, name);
    file = fopen(path, "we");
    if (!file || fputs(text, file) < 0 || fclose(file) < 0)
        fail_path(path);
}

/* Logs, which the runtime makes, want directories to be there; and what is mounted. */
static void make_files(struct pod *pod)
{
    char path[PATH_BYTES_MAX];

    path_beneath(pod->directory, pod->client->options.log_directory, pod->name);
    path_beneath(path, pod->directory, "main");
    make_directory(pod->directory);
    make_directory(path);
    make_file(pod, "hosts", "127.0.0.1\tlocalhost\n");
    make_file(pod, "termination-log", "");
}

/* steps */

static void pod_call(struct pod *pod, const struct cri_method *method,
                     const ProtobufCMessage *request, cri_done_fn *done)
{
    struct err err;

    pod->since = clock_monotonic();
    if (cri_call(&pod->call, pod->client->cri, method, request, CALL_SECONDS * USEC_PER_SEC, done,
                 pod, &err) < 0) {
        fprintf(stderr, "cri-client: %s\n", err.text);
        exit(1);
    }
}

static void pod_step_done(struct pod *pod, const struct cri_method *method,
                          const struct cri_reply *reply)
{
    if (reply->status != RPC_OK)
        fail(method, reply);
    pod->client->spent[pod->step] += clock_monotonic() - pod->since;
    pod->step++;
    pod_go_on(pod);
}

static void on_pull(void *owner, const struct cri_reply *reply)
{
    pod_step_done(owner, &cri_pull_image, reply);
}

static void pod_pull(struct pod *pod)
{
    const struct options *options = &pod->client->options;
    Cri__PullImageRequest request = CRI__PULL_IMAGE_REQUEST__INIT;
    Cri__ImageSpec image = CRI__IMAGE_SPEC__INIT;
    Cri__AuthConfig auth = CRI__AUTH_CONFIG__INIT;
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    struct order order = pod_order(pod, &arena);

    image.image = (char *)options->image;
    request.image = &image;
    request.sandbox_config = order_sandbox(&order);
    if (options->user) {
        auth.username = (char *)options->user;
        auth.password = (char *)options->password;
        request.auth = &auth;
    }
    pod_call(pod, &cri_pull_image, &request.base, on_pull);
}

static void on_run(void *owner, const struct cri_reply *reply)
{
    const Cri__RunPodSandboxResponse *response = reply->message;
    struct pod *pod = owner;

    if (response)
        pod->sandbox = mem_strdup(response->pod_sandbox_id);
    pod_step_done(pod, &cri_run_pod_sandbox, reply);
}

static void pod_run(struct pod *pod)
{
    Cri__RunPodSandboxRequest request = CRI__RUN_POD_SANDBOX_REQUEST__INIT;
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    struct order order = pod_order(pod, &arena);

    if (pod->client->options.log_directory)
        make_files(pod);
    request.config = order_sandbox(&order);
    pod_call(pod, &cri_run_pod_sandbox, &request.base, on_run);
}

static void on_sandbox_status(void *owner, const struct cri_reply *reply)
{
    const Cri__PodSandboxStatusResponse *response = reply->message;

    if (response &&
        (!response->status || response->status->state != CRI__POD_SANDBOX_STATE__SANDBOX_READY)) {
        fprintf(stderr, "cri-client: the sandbox is not ready\n");
        exit(1);
    }
    pod_step_done(owner, &cri_pod_sandbox_status, reply);
}

static void pod_sandbox_status(struct pod *pod)
{
    Cri__PodSandboxStatusRequest request = CRI__POD_SANDBOX_STATUS_REQUEST__INIT;

    request.pod_sandbox_id = pod->sandbox;
    pod_call(pod, &cri_pod_sandbox_status, &request.base, on_sandbox_status);
}

static void on_image_status(void *owner, const struct cri_reply *reply)
{
    pod_step_done(owner, &cri_image_status, reply);
}

static void pod_image_status(struct pod *pod)
{
    Cri__ImageStatusRequest request = CRI__IMAGE_STATUS_REQUEST__INIT;
    Cri__ImageSpec image = CRI__IMAGE_SPEC__INIT;

    image.image = (char *)pod->client->options.image;
    request.image = &image;
    pod_call(pod, &cri_image_status, &request.base, on_image_status);
}

static void on_create(void *owner, const struct cri_reply *reply)
{
    const Cri__CreateContainerResponse *response = reply->message;
    struct pod *pod = owner;

    if (response)
        pod->container = mem_strdup(response->container_id);
    pod_step_done(pod, &cri_create_container, reply);
}

static void pod_create(struct pod *pod)
{
    Cri__CreateContainerRequest request = CRI__CREATE_CONTAINER_REQUEST__INIT;
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    struct order order = pod_order(pod, &arena);

    request.pod_sandbox_id = pod->sandbox;
    request.config = order_container(&order);
    request.sandbox_config = order_sandbox(&order);
    pod_call(pod, &cri_create_container, &request.base, on_create);
}

static void on_start(void *owner, const struct cri_reply *reply)
{
    pod_step_done(owner, &cri_start_container, reply);
}

static void pod_start(struct pod *pod)
{
    Cri__StartContainerRequest request = CRI__START_CONTAINER_REQUEST__INIT;

    request.container_id = pod->container;
    pod_call(pod, &cri_start_container, &request.base, on_start);
}

static void on_exec(void *owner, const struct cri_reply *reply)
{
    const Cri__ExecSyncResponse *response = reply->message;

    if (response && (response->exit_code || response->stdout.len != 3 ||
                     memcmp(response->stdout.data, "hi\n", 3) != 0)) {
        fprintf(stderr, "cri-client: exec exited with %d and %zu bytes\n", response->exit_code,
                response->stdout.len);
        exit(1);
    }
    pod_step_done(owner, &cri_exec_sync, reply);
}

static void pod_exec(struct pod *pod)
{
    Cri__ExecSyncRequest request = CRI__EXEC_SYNC_REQUEST__INIT;
    char *command[] = {(char *)"echo", (char *)"hi"};

    request.container_id = pod->container;
    request.n_cmd = array_size(command);
    request.cmd = command;
    request.timeout = 10;
    pod_call(pod, &cri_exec_sync, &request.base, on_exec);
}

static void on_status(void *owner, const struct cri_reply *reply)
{
    const Cri__ContainerStatusResponse *response = reply->message;

    if (response &&
        (!response->status || response->status->state != CRI__CONTAINER_STATE__CONTAINER_RUNNING)) {
        fprintf(stderr, "cri-client: the container is not running\n");
        exit(1);
    }
    pod_step_done(owner, &cri_container_status, reply);
}

static void pod_status(struct pod *pod)
{
    Cri__ContainerStatusRequest request = CRI__CONTAINER_STATUS_REQUEST__INIT;

    request.container_id = pod->container;
    pod_call(pod, &cri_container_status, &request.base, on_status);
}

static void on_stop(void *owner, const struct cri_reply *reply)
{
    pod_step_done(owner, &cri_stop_container, reply);
}

static void pod_stop(struct pod *pod)
{
    Cri__StopContainerRequest request = CRI__STOP_CONTAINER_REQUEST__INIT;

    request.container_id = pod->container;
    request.timeout = pod->client->options.grace_seconds;
    pod_call(pod, &cri_stop_container, &request.base, on_stop);
}

static void on_remove(void *owner, const struct cri_reply *reply)
{
    pod_step_done(owner, &cri_remove_container, reply);
}

static void pod_remove(struct pod *pod)
{
    Cri__RemoveContainerRequest request = CRI__REMOVE_CONTAINER_REQUEST__INIT;

    request.container_id = pod->container;
    pod_call(pod, &cri_remove_container, &request.base, on_remove);
}

static void on_stop_sandbox(void *owner, const struct cri_reply *reply)
{
    pod_step_done(owner, &cri_stop_pod_sandbox, reply);
}

static void pod_stop_sandbox(struct pod *pod)
{
    Cri__StopPodSandboxRequest request = CRI__STOP_POD_SANDBOX_REQUEST__INIT;

    request.pod_sandbox_id = pod->sandbox;
    pod_call(pod, &cri_stop_pod_sandbox, &request.base, on_stop_sandbox);
}

static void on_remove_sandbox(void *owner, const struct cri_reply *reply)
{
    pod_step_done(owner, &cri_remove_pod_sandbox, reply);
}

static void pod_remove_sandbox(struct pod *pod)
{
    Cri__RemovePodSandboxRequest request = CRI__REMOVE_POD_SANDBOX_REQUEST__INIT;

    request.pod_sandbox_id = pod->sandbox;
    pod_call(pod, &cri_remove_pod_sandbox, &request.base, on_remove_sandbox);
}

static const struct {
    const char *name;
    void (*begin)(struct pod *pod);
} steps[] = {
    [STEP_PULL] = {"pull-image", pod_pull},
    [STEP_RUN] = {"run-sandbox", pod_run},
    [STEP_SANDBOX_STATUS] = {"sandbox-status", pod_sandbox_status},
    [STEP_IMAGE_STATUS] = {"image-status", pod_image_status},
    [STEP_CREATE] = {"create-container", pod_create},
    [STEP_START] = {"start-container", pod_start},
    [STEP_STATUS] = {"container-status", pod_status},
    [STEP_EXEC] = {"exec-sync", pod_exec},
    [STEP_STOP] = {"stop-container", pod_stop},
    [STEP_STOP_SANDBOX] = {"stop-sandbox", pod_stop_sandbox},
    [STEP_REMOVE] = {"remove-container", pod_remove},
    [STEP_REMOVE_SANDBOX] = {"remove-sandbox", pod_remove_sandbox},
};

/* phases */

static const struct {
    const char *name;
    enum step first;
    enum step last;
} phases[] = {
    [PHASE_PULL] = {"pull", STEP_PULL, STEP_PULL},
    [PHASE_START] = {"start", STEP_RUN, STEP_STATUS},
    [PHASE_EXEC] = {"exec", STEP_EXEC, STEP_EXEC},
    [PHASE_STOP] = {"stop", STEP_STOP, STEP_STOP_SANDBOX},
    [PHASE_REMOVE] = {"remove", STEP_REMOVE, STEP_REMOVE_SANDBOX},
};

static void pod_begin(struct client *client)
{
    struct pod *pod = &client->pods[client->begun++];

    pod->begun = clock_monotonic();
    pod->step = phases[client->phase].first;
    pod_go_on(pod);
}

static void pod_go_on(struct pod *pod)
{
    struct client *client = pod->client;

    if (pod->step <= phases[client->phase].last) {
        steps[pod->step].begin(pod);
        return;
    }
    pod->took = clock_monotonic() - pod->begun;
    client->ended++;
    if (client->begun < client->options.pods)
        pod_begin(client);
    else if (client->ended == client->options.pods)
        loop_stop(client->loop, 0);
}

static int compare_times(const void *left, const void *right)
{
    const usec_t a = *(const usec_t *)left, b = *(const usec_t *)right;

    return (a > b) - (a < b);
}

static void print_figure(const char *name, const char *what, double usec)
{
    printf("cri-%s%s %.2f ms\n", name, what, usec / USEC_PER_MSEC);
}

static void print_phase(const struct client *client, usec_t took)
{
    const char *name = phases[client->phase].name;
    const unsigned pods = client->options.pods;
    usec_t *times = mem_alloc(pods * sizeof(*times));

    for (unsigned i = 0; i < pods; i++)
        times[i] = client->pods[i].took;
    qsort(times, pods, sizeof(*times), compare_times);
    print_figure(name, "-all", (double)took);
    print_figure(name, "-pod-median", (double)times[pods / 2]);
    print_figure(name, "-pod-max", (double)times[pods - 1]);
    for (enum step step = phases[client->phase].first; step <= phases[client->phase].last; step++)
        print_figure(steps[step].name, "-mean", (double)client->spent[step] / pods);
    free(times);
}

static void run_phase(struct client *client, enum phase phase)
{
    const struct options *options = &client->options;
    const unsigned flight = phase < PHASE_STOP ? options->flight : options->stop_flight;
    const usec_t begun = clock_monotonic();

    client->phase = phase;
    client->begun = client->ended = 0;
    for (unsigned i = 0; i < MIN(flight, options->pods); i++)
        pod_begin(client);
    loop_run(client->loop, NULL);
    print_phase(client, clock_monotonic() - begun);
}

/* the runtime's name, asked first */

static void on_version(void *owner, const struct cri_reply *reply)
{
    const Cri__VersionResponse *version = reply->message;

    if (!version)
        fail(&cri_version, reply);
    printf("cri-runtime %s %s\n", version->runtime_name, version->runtime_version);
    loop_stop(owner, 0);
}

static void ask_version(struct client *client)
{
    Cri__VersionRequest request = CRI__VERSION_REQUEST__INIT;
    struct cri_call *call;

    request.version = (char *)"0.1.0";
    assert_that(cri_call(&call, client->cri, &cri_version, &request.base, 10 * USEC_PER_SEC,
                         on_version, client->loop, NULL) == 0);
    loop_run(client->loop, NULL);
}

/* all of it */

static void make_pods(struct client *client)
{
    client->pods = mem_zalloc(client->options.pods * sizeof(*client->pods));
    for (unsigned i = 0; i < client->options.pods; i++) {
        struct pod *pod = &client->pods[i];

        pod->client = client;
        snprintf(pod->name, sizeof(pod->name), "%s-%u", client->options.prefix, i);
        snprintf(pod->uid, sizeof(pod->uid), "00000000-0000-4000-8000-%012u", i);
    }
}

static void free_pods(struct client *client)
{
    for (unsigned i = 0; i < client->options.pods; i++) {
        free(client->pods[i].sandbox);
        free(client->pods[i].container);
    }
    free(client->pods);
}

int main(int argc, char **argv)
{
    struct client client = {0};
    struct err err;

    options_read(&client.options, argc, argv);
    if (loop_new(&client.loop, &err) < 0 || rpc_new(&client.rpc, client.loop, &err) < 0 ||
        cri_new(&client.cri, client.rpc, client.options.endpoint, NULL, &err) < 0) {
        fprintf(stderr, "cri-client: %s\n", err.text);
        return 1;
    }
    ask_version(&client);
    make_pods(&client);
    if (client.options.pull)
        run_phase(&client, PHASE_PULL);
    run_phase(&client, PHASE_START);
    if (client.options.exec)
        run_phase(&client, PHASE_EXEC);
    if (!client.options.keep) {
        run_phase(&client, PHASE_STOP);
        run_phase(&client, PHASE_REMOVE);
    }
    free_pods(&client);
    cri_free(client.cri);
    rpc_free(client.rpc);
    loop_free(client.loop);
    return 0;
}
