/*
 * A plain client of a container runtime, with no agent: it makes the calls that a pod of one
 * container needs, for PODS pods with FLIGHT of them under way, and prints what each step took.
 * What an agent costs is measured against it.
 */
#include "nodeagent/base/mem.h"
#include "nodeagent/base/str.h"
#include "nodeagent/cri/client.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/loop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CALL_SECONDS = 120,
};

enum step {
    STEP_RUN,
    STEP_CREATE,
    STEP_START,
    STEP_EXEC,
    STEP_STATUS,
    STEP_STOP,
    STEP_REMOVE,
    STEP_STOP_SANDBOX,
    STEP_REMOVE_SANDBOX,
    STEP_COUNT,
};

struct client {
    struct loop *loop;
    struct rpc *rpc;
    struct cri *cri;
    const char *image;
    unsigned pods;
    unsigned begun;
    unsigned ended;
    usec_t spent[STEP_COUNT];
};

struct pod {
    struct client *client;
    enum step step;
    usec_t since;
    char uid[40];
    char name[40];
    char *sandbox;
    char *container;
    struct cri_call *call;
};

static void pod_begin(struct client *client);
static void pod_go_on(struct pod *pod);

static void fail(const struct cri_method *method, const struct cri_reply *reply)
{
    fprintf(stderr, "cri-client: %s: %s: %s\n", cri_method_name(method),
            rpc_status_name(reply->status), reply->text);
    exit(1);
}

/* messages; they live until the call that packs them returns */

static Cri__NamespaceOption host_namespaces = {
    .base = PROTOBUF_C_MESSAGE_INIT(&cri__namespace_option__descriptor),
    .network = CRI__NAMESPACE_MODE__NODE,
    .pid = CRI__NAMESPACE_MODE__CONTAINER,
    .target_id = (char *)protobuf_c_empty_string,
};

struct sandbox_config {
    Cri__PodSandboxMetadata metadata;
    Cri__LinuxSandboxSecurityContext security;
    Cri__LinuxPodSandboxConfig linux_config;
    Cri__PodSandboxConfig config;
};

static Cri__PodSandboxConfig *sandbox_config(struct pod *pod, struct sandbox_config *parts)
{
    cri__pod_sandbox_metadata__init(&parts->metadata);
    cri__linux_sandbox_security_context__init(&parts->security);
    cri__linux_pod_sandbox_config__init(&parts->linux_config);
    cri__pod_sandbox_config__init(&parts->config);
    parts->metadata.name = pod->name;
    parts->metadata.uid = pod->uid;
    parts->metadata.namespace_ = (char *)"default";
    parts->security.namespace_options = &host_namespaces;
    parts->linux_config.security_context = &parts->security;
    parts->config.metadata = &parts->metadata;
    parts->config.linux_config = &parts->linux_config;
    return &parts->config;
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
    struct sandbox_config parts;

    request.config = sandbox_config(pod, &parts);
    pod_call(pod, &cri_run_pod_sandbox, &request.base, on_run);
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
    Cri__ContainerConfig config = CRI__CONTAINER_CONFIG__INIT;
    Cri__ContainerMetadata metadata = CRI__CONTAINER_METADATA__INIT;
    Cri__ImageSpec image = CRI__IMAGE_SPEC__INIT;
    char *command[] = {(char *)"sleep", (char *)"1000"};
    struct sandbox_config parts;

    metadata.name = (char *)"main";
    image.image = (char *)pod->client->image;
    config.metadata = &metadata;
    config.image = &image;
    config.n_command = array_size(command);
    config.command = command;
    request.pod_sandbox_id = pod->sandbox;
    request.config = &config;
    request.sandbox_config = sandbox_config(pod, &parts);
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
    [STEP_RUN] = {"run-sandbox", pod_run},
    [STEP_CREATE] = {"create-container", pod_create},
    [STEP_START] = {"start-container", pod_start},
    [STEP_EXEC] = {"exec", pod_exec},
    [STEP_STATUS] = {"container-status", pod_status},
    [STEP_STOP] = {"stop-container", pod_stop},
    [STEP_REMOVE] = {"remove-container", pod_remove},
    [STEP_STOP_SANDBOX] = {"stop-sandbox", pod_stop_sandbox},
    [STEP_REMOVE_SANDBOX] = {"remove-sandbox", pod_remove_sandbox},
};

static void pod_go_on(struct pod *pod)
{
    struct client *client = pod->client;

    if (pod->step < STEP_COUNT) {
        steps[pod->step].begin(pod);
        return;
    }
    free(pod->sandbox);
    free(pod->container);
    free(pod);
    client->ended++;
    if (client->begun < client->pods)
        pod_begin(client);
    else if (client->ended == client->pods)
        loop_stop(client->loop, 0);
}

static void pod_begin(struct client *client)
{
    struct pod *pod = mem_new(struct pod);

    pod->client = client;
    snprintf(pod->name, sizeof(pod->name), "plain-%u", client->begun);
    snprintf(pod->uid, sizeof(pod->uid), "00000000-0000-4000-8000-%012u", client->begun);
    client->begun++;
    pod_go_on(pod);
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

static int64_t number_argument(const char *text, int64_t highest)
{
    int64_t number;

    if (str_to_i64(text, &number) < 0 || number < 1 || number > highest) {
        fprintf(stderr, "cri-client: \"%s\" must be a number from 1 to %lld\n", text,
                (long long)highest);
        exit(2);
    }
    return number;
}

int main(int argc, char **argv)
{
    struct client client = {0};
    unsigned flight;
    usec_t begun;
    struct err err;

    if (argc != 5) {
        fprintf(stderr, "Usage: cri-client ENDPOINT IMAGE PODS FLIGHT\n");
        return 2;
    }
    client.image = argv[2];
    client.pods = (unsigned)number_argument(argv[3], 10000);
    flight = (unsigned)number_argument(argv[4], RPC_CALLS_MAX);
    if (loop_new(&client.loop, &err) < 0 || rpc_new(&client.rpc, client.loop, &err) < 0 ||
        cri_new(&client.cri, client.rpc, argv[1], NULL, &err) < 0) {
        fprintf(stderr, "cri-client: %s\n", err.text);
        return 1;
    }
    ask_version(&client);
    begun = clock_monotonic();
    for (unsigned i = 0; i < MIN(flight, client.pods); i++)
        pod_begin(&client);
    loop_run(client.loop, &err);
    for (size_t i = 0; i < STEP_COUNT; i++)
        printf("cri-%s %.2f ms\n", steps[i].name,
               (double)client.spent[i] / client.pods / USEC_PER_MSEC);
    printf("cri-pods %.2f ms\n", (double)(clock_monotonic() - begun) / USEC_PER_MSEC);
    cri_free(client.cri);
    rpc_free(client.rpc);
    loop_free(client.loop);
    return 0;
}
