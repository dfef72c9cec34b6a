/*
 * The node's CSINode: made once, though no driver is here yet, since the scheduler and the attacher
 * of volumes look for it. One that was another Node's of this name is made anew.
 */
#include "cluster-private.h"
#include "node-lease.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/sys/log.h"

#include <stdlib.h>

#define CSI_NODES "/apis/storage.k8s.io/v1/csinodes"
#define RETRY_USEC (5 * USEC_PER_SEC)

static const struct json_limits csi_limits = {.bytes_max = 4 << 20, .nodes_max = 100000};

struct cluster_csi {
    struct cluster *cluster;
    struct wheel_timer timer;
    struct api_call *call;
    bool done;
    bool told; /* what is wrong */
};

static void ask(struct cluster_csi *csi, const char *method, bool named, const char *body,
                api_done_fn *done)
{
    char *path = mem_printf(CSI_NODES "%s%s", named ? "/" : "",
                            named ? csi->cluster->agent->config->node_name : "");

    csi->call =
        api_begin(csi->cluster->api,
                  &(struct api_request){.method = method, .path = path, .body = body}, done, csi);
    free(path);
}

static void retry(struct cluster_csi *csi)
{
    wheel_arm(csi->cluster->agent->parts.wheel, &csi->timer,
              usec_add(clock_boottime(), RETRY_USEC));
}

static void later(struct cluster_csi *csi, const struct api_reply *reply)
{
    if (!csi->told)
        log_warning("%s; it is tried again", reply->failure->err.text);
    csi->told = true;
    retry(csi);
}

static void finish(struct cluster_csi *csi)
{
    csi->done = true;
    csi->told = false;
    cluster_node_changed(csi->cluster->node);
}

static bool owner_of(const struct cluster_csi *csi, struct node_owner *owner)
{
    const struct object *node = cluster_node_seen(csi->cluster);

    *owner = (struct node_owner){
        .name = csi->cluster->agent->config->node_name,
        .uid = node ? node->metadata.uid : NULL,
    };
    return node != NULL;
}

static void on_made(void *owner, const struct api_reply *reply)
{
    struct cluster_csi *csi = owner;

    csi->call = NULL;
    if (reply->failure)
        later(csi, reply);
    else
        finish(csi);
}

static void make(struct cluster_csi *csi)
{
    _cleanup_(strbuf_deinit) struct strbuf body = STRBUF_INIT;
    struct node_owner owner;

    if (!owner_of(csi, &owner)) {
        retry(csi);
        return;
    }
    csi_node_write(&owner, &body);
    ask(csi, "POST", false, body.text, on_made);
}

static void on_deleted(void *owner, const struct api_reply *reply)
{
    struct cluster_csi *csi = owner;

    csi->call = NULL;
    if (reply->failure && reply->failure->code != 404)
        later(csi, reply);
    else
        make(csi);
}

static void judge(struct cluster_csi *csi, const struct api_reply *reply)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    struct json_findings findings;
    struct node_owner owner;
    struct json *document;
    struct err err;

    if (!owner_of(csi, &owner) ||
        json_parse(&arena, reply->body, reply->length, &csi_limits, &findings, &document, &err) <
            0 ||
        document->type != JSON_OBJECT)
        retry(csi); /* the Node was deleted meanwhile, or this is no answer */
    else if (csi_node_is_stale(document, &owner))
        ask(csi, "DELETE", true, NULL, on_deleted);
    else
        finish(csi);
}

static void on_read(void *owner, const struct api_reply *reply)
{
    struct cluster_csi *csi = owner;

    csi->call = NULL;
    if (reply->failure && reply->failure->code == 404)
        make(csi);
    else if (reply->failure)
        later(csi, reply);
    else
        judge(csi, reply);
}

static void on_timer(struct wheel_timer *timer)
{
    struct cluster_csi *csi = container_of(timer, struct cluster_csi, timer);

    ask(csi, "GET", true, NULL, on_read);
}

void cluster_csi_forget(struct cluster_csi *csi)
{
    csi->done = false;
    if (csi->call)
        api_cancel(csi->call);
    csi->call = NULL;
    wheel_cancel(&csi->timer);
}

void cluster_csi_check(struct cluster_csi *csi)
{
    cluster_csi_forget(csi);
    wheel_arm(csi->cluster->agent->parts.wheel, &csi->timer, clock_boottime());
}

bool cluster_csi_is_done(const struct cluster_csi *csi)
{
    return csi->done;
}

struct cluster_csi *cluster_csi_new(struct cluster *cluster)
{
    struct cluster_csi *csi = mem_new(struct cluster_csi);

    csi->cluster = cluster;
    wheel_timer_init(&csi->timer, on_timer);
    return csi;
}

struct cluster_csi *cluster_csi_free(struct cluster_csi *csi)
{
    if (!csi)
        return NULL;
    if (csi->call)
        api_cancel(csi->call);
    wheel_cancel(&csi->timer);
    free(csi);
    return NULL;
}
