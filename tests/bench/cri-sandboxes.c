/*
 * What sandboxes a container runtime has, as it tells itself, one on a line:
 *
 *     ID ready|not-ready host|own NAME ADDRESS
 *
 * "host" has the node's network. One without an address has "-".
 */
#include "nodeagent/base/mem.h"
#include "nodeagent/cri/client.h"
#include "nodeagent/sys/loop.h"

#include <stdio.h>
#include <stdlib.h>

#define CALL_TIMEOUT (30 * USEC_PER_SEC)

struct asking {
    struct loop *loop;
    struct cri *cri;
    char **ids;
    size_t count;
    size_t at;
};

static void fail(const char *text)
{
    fprintf(stderr, "cri-sandboxes: %s\n", text);
    exit(1);
}

static void call(struct asking *asking, const struct cri_method *method,
                 const ProtobufCMessage *request, cri_done_fn *done)
{
    struct cri_call *call;
    struct err err;

    if (cri_call(&call, asking->cri, method, request, CALL_TIMEOUT, done, asking, &err) < 0)
        fail(err.text);
}

static void print_status(const Cri__PodSandboxStatus *status)
{
    const Cri__LinuxPodSandboxStatus *of_linux = status->linux_status;
    const Cri__NamespaceOption *options =
        of_linux && of_linux->namespaces ? of_linux->namespaces->options : NULL;
    const char *address = status->network ? status->network->ip : "";

    printf("%s %s %s %s %s\n", status->id,
           status->state == CRI__POD_SANDBOX_STATE__SANDBOX_READY ? "ready" : "not-ready",
           options && options->network == CRI__NAMESPACE_MODE__NODE ? "host" : "own",
           status->metadata ? status->metadata->name : "-", *address ? address : "-");
}

static void ask_next(struct asking *asking);

/* One may have gone since they were listed. */
static void on_status(void *owner, const struct cri_reply *reply)
{
    const Cri__PodSandboxStatusResponse *response = reply->message;

    if (reply->status != RPC_OK && reply->status != RPC_NOT_FOUND)
        fail(reply->text);
    if (response && response->status)
        print_status(response->status);
    ask_next(owner);
}

static void ask_next(struct asking *asking)
{
    Cri__PodSandboxStatusRequest request = CRI__POD_SANDBOX_STATUS_REQUEST__INIT;

    if (asking->at == asking->count) {
        loop_stop(asking->loop, 0);
        return;
    }
    request.pod_sandbox_id = asking->ids[asking->at++];
    call(asking, &cri_pod_sandbox_status, &request.base, on_status);
}

static void on_list(void *owner, const struct cri_reply *reply)
{
    const Cri__ListPodSandboxResponse *response = reply->message;
    struct asking *asking = owner;

    if (!response)
        fail(reply->text);
    asking->ids = mem_zalloc((response->n_items + 1) * sizeof(*asking->ids));
    for (; asking->count < response->n_items; asking->count++)
        asking->ids[asking->count] = mem_strdup(response->items[asking->count]->id);
    ask_next(asking);
}

int main(int argc, char **argv)
{
    Cri__ListPodSandboxRequest request = CRI__LIST_POD_SANDBOX_REQUEST__INIT;
    struct asking asking = {0};
    struct rpc *rpc;
    struct err err;

    if (argc != 2) {
        fputs("Usage: cri-sandboxes ENDPOINT\n", stderr);
        return 2;
    }
    if (loop_new(&asking.loop, &err) < 0 || rpc_new(&rpc, asking.loop, &err) < 0 ||
        cri_new(&asking.cri, rpc, argv[1], NULL, &err) < 0)
        fail(err.text);
    call(&asking, &cri_list_pod_sandbox, &request.base, on_list);
    loop_run(asking.loop, NULL);
    for (size_t i = 0; i < asking.count; i++)
        free(asking.ids[i]);
    free(asking.ids);
    cri_free(asking.cri);
    rpc_free(rpc);
    loop_free(asking.loop);
    return 0;
}
