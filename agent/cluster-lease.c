/*
 * The node's Lease: renewed every quarter of its time, whatever else goes on, so that the cluster
 * sees that this agent lives.
 */
#include "cluster-private.h"
#include "node-lease.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/sys/chance.h"
#include "nodeagent/sys/log.h"

#include <errno.h>
#include <stdlib.h>

enum {
    TRIES_MAX = 5, /* in a turn */
};

struct cluster_lease {
    struct cluster *cluster;
    struct wheel_timer timer;
    struct api_call *call;
    struct object *seen; /* as the server answered last; NULL: not known */
    unsigned tries;
    bool troubled; /* which was told */
};

static void next_turn(struct cluster_lease *lease)
{
    usec_t period = (usec_t)lease->cluster->agent->config->node_lease_seconds * USEC_PER_SEC / 4;

    wheel_arm(lease->cluster->agent->parts.wheel, &lease->timer,
              usec_add(clock_boottime(), chance_between(period, period + period / 25)));
}

static void turn_done(struct cluster_lease *lease, const char *trouble)
{
    if (trouble && !lease->troubled)
        log_warning("%s; the cluster takes this node for dead if that lasts", trouble);
    else if (!trouble && lease->troubled)
        log_info("the node's Lease is renewed again");
    lease->troubled = trouble != NULL;
    next_turn(lease);
}

static bool take_answer(struct cluster_lease *lease, const struct api_reply *reply, struct err *err)
{
    lease->seen = object_unref(lease->seen);
    lease->seen = cluster_answer(&object_kind_lease, OBJECT_KEEP_RAW, reply, err);
    return lease->seen;
}

static void ask(struct cluster_lease *lease, const char *method, bool named, const char *body,
                api_done_fn *done)
{
    const char *name = lease->cluster->agent->config->node_name;
    char *path =
        mem_printf("/apis/coordination.k8s.io/v1/namespaces/" LEASE_NAMESPACE "/leases%s%s",
                   named ? "/" : "", named ? name : "");
    struct api_request request = {
        .method = method,
        .path = path,
        .body = body,
        .class = API_HEARTBEAT,
    };

    lease->call = api_begin(lease->cluster->api, &request, done, lease);
    free(path);
}

static void renew(struct cluster_lease *lease);

static void on_read(void *owner, const struct api_reply *reply)
{
    struct cluster_lease *lease = owner;
    struct err err;

    lease->call = NULL;
    if (reply->failure && reply->failure->code != 404)
        turn_done(lease, reply->failure->err.text);
    else if (!reply->failure && !take_answer(lease, reply, &err))
        turn_done(lease, err.text);
    else
        renew(lease);
}

static void read_again(struct cluster_lease *lease)
{
    ask(lease, "GET", true, NULL, on_read);
}

static void on_written(void *owner, const struct api_reply *reply)
{
    struct cluster_lease *lease = owner;
    struct err err;

    lease->call = NULL;
    if (!reply->failure) {
        turn_done(lease, take_answer(lease, reply, &err) ? NULL : err.text);
        return;
    }
    lease->seen = object_unref(lease->seen);
    if (++lease->tries < TRIES_MAX && reply->failure->code)
        read_again(lease);
    else
        turn_done(lease, reply->failure->err.text);
}

/* Without the Node there is no Lease: nobody would remove it. */
static void renew(struct cluster_lease *lease)
{
    const struct object *node = cluster_node_seen(lease->cluster);
    struct node_owner owner = {
        .name = lease->cluster->agent->config->node_name,
        .uid = node ? node->metadata.uid : NULL,
    };
    _cleanup_(strbuf_deinit) struct strbuf body = STRBUF_INIT;
    int64_t now = (int64_t)clock_wall();
    struct err err;

    if (lease->seen) {
        if (node_lease_write_renewed(lease_of(lease->seen), &owner, now, &body, &err) < 0)
            turn_done(lease, err.text);
        else
            ask(lease, "PUT", true, body.text, on_written);
    } else if (node) {
        node_lease_write(&owner, lease->cluster->agent->config->node_lease_seconds, now, &body);
        ask(lease, "POST", false, body.text, on_written);
    } else {
        next_turn(lease);
    }
}

static void on_turn(struct wheel_timer *timer)
{
    struct cluster_lease *lease = container_of(timer, struct cluster_lease, timer);

    lease->tries = 0;
    if (lease->seen)
        renew(lease);
    else
        read_again(lease);
}

void cluster_lease_soon(struct cluster_lease *lease)
{
    if (!lease->call)
        wheel_arm(lease->cluster->agent->parts.wheel, &lease->timer, clock_boottime());
}

struct cluster_lease *cluster_lease_new(struct cluster *cluster)
{
    struct cluster_lease *lease = mem_new(struct cluster_lease);

    lease->cluster = cluster;
    wheel_timer_init(&lease->timer, on_turn);
    next_turn(lease);
    return lease;
}

struct cluster_lease *cluster_lease_free(struct cluster_lease *lease)
{
    if (!lease)
        return NULL;
    if (lease->call)
        api_cancel(lease->call);
    wheel_cancel(&lease->timer);
    object_unref(lease->seen);
    free(lease);
    return NULL;
}
