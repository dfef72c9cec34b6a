/*
 * The Node object: made when there is none, put right when there is one, and kept up to date: at
 * once when the node becomes ready or stops to be, else by turns, of which only those that have
 * something to say send anything.
 */
#include "cluster-private.h"
#include "node-news.h"
#include "node-patch.h"
#include "node-view.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/sys/chance.h"
#include "nodeagent/sys/log.h"

#include <stdlib.h>

#define BEGINNING_USEC (10 * USEC_PER_SEC)
#define BEGINNING_LOOK_USEC (50 * USEC_PER_MSEC)
#define RETRY_MIN_USEC (200 * USEC_PER_MSEC)
#define RETRY_MAX_USEC (7 * USEC_PER_SEC)

#define CGROUP_V1_WARNING "cgroup v1 support is in maintenance mode, please migrate to cgroup v2"

struct cluster_node {
    struct cluster *cluster;
    struct api_watch *watch;
    struct wheel_timer timer;
    struct api_call *call;
    struct object *answer; /* the Node, as the server answered last */
    struct node_view *view;
    struct node *told;  /* by the call that is under way */
    unsigned news;      /* in that */
    char *unkept;       /* a patch that the server takes without effect; NULL: none */
    bool started;       /* an event told of the start of this agent */
    bool unschedulable; /* as it was seen last */
    bool adopted;       /* it was put right, or made, by this agent */
    bool again;         /* something changed while a request was under way */
    usec_t report_due;  /* though nothing changed */
    usec_t retry;
    char *trouble; /* which was told */
};

static struct agent *agent_of(const struct cluster_node *node)
{
    return node->cluster->agent;
}

/* The newest that is known of it; NULL: there is none. */
static struct object *seen(const struct cluster_node *node)
{
    struct object *watched = api_watch_find(node->watch, NULL, agent_of(node)->config->node_name);

    if (!watched)
        return node->answer; /* it was just made */
    if (node->answer && str_equal(watched->metadata.uid, node->answer->metadata.uid) &&
        version_is_older(watched->metadata.resource_version,
                         node->answer->metadata.resource_version))
        return node->answer;
    return watched;
}

struct object *cluster_node_seen(const struct cluster *cluster)
{
    return seen(cluster->node);
}

void cluster_node_prime(struct cluster_node *node, struct object *object)
{
    api_watch_prime(node->watch, &object, 1);
}

static bool is_ready(const struct node *node)
{
    array_for_each (condition, node->status.conditions)
        if (str_equal(condition->type, "Ready"))
            return str_equal(condition->status, "True");
    return false;
}

/* turns */

static void turn_at(struct cluster_node *node, usec_t delay)
{
    wheel_arm(agent_of(node)->parts.wheel, &node->timer, usec_add(clock_boottime(), delay));
}

static void next_turn(struct cluster_node *node)
{
    usec_t period = agent_of(node)->config->node_status_update_usec;

    turn_at(node, chance_between(period, period + period / 25));
}

static void set_trouble(struct cluster_node *node, const char *text)
{
    if (text && !str_equal(node->trouble, text))
        log_warning("%s", text);
    free(node->trouble);
    node->trouble = text ? mem_strdup(text) : NULL;
}

/* what is said */

/* `still`: as it would be without another heartbeat. */
static struct node *compute(struct cluster_node *node, struct object *before, bool still)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    struct node_inputs inputs;
    struct node *(*make)(const struct node_inputs *inputs, struct err *trouble) =
        !before         ? node_object_new
        : node->adopted ? node_object_refresh
                        : node_object_adopt;
    struct node *result;
    struct err err;

    node_view_read(node->view, &inputs, &arena);
    inputs.seen = before ? node_of(before) : NULL;
    inputs.still = still;
    if (!cluster_csi_is_done(node->cluster->csi))
        strings_add(&arena, &inputs.troubles, "CSINode is not yet initialized");
    result = make(&inputs, &err);
    if (err.code)
        set_trouble(node, err.text);
    node_view_follow(node->view, result);
    return result;
}

/* events about it */

static void tell_event(struct cluster_node *node, const struct object *about, bool warning,
                       const char *reason, const char *message)
{
    struct event_object object = {
        .kind = "Node",
        .name = about->metadata.name,
        .uid = about->metadata.uid,
    };

    events_add(agent_of(node)->events, &object, warning, reason, message);
}

static void tell_status(struct cluster_node *node, const struct object *about, const char *reason)
{
    _cleanup_(mem_free_at) char *message =
        mem_printf("Node %s status is now: %s", about->metadata.name, reason);

    tell_event(node, about, false, reason, message);
}

static void tell_start(struct cluster_node *node)
{
    tell_event(node, node->answer, false, "Starting", "Starting kubelet.");
    if (!agent_of(node)->parts.facts->cgroup_v2)
        tell_event(node, node->answer, true, "CgroupV1", CGROUP_V1_WARNING);
}

/* What the server has now, of which it did not know before. */
static void tell_news(struct cluster_node *node)
{
    _cleanup_(mem_free_at) char *reboot =
        mem_printf("Node %s has been rebooted, boot id: %s", agent_of(node)->config->node_name,
                   agent_of(node)->parts.facts->boot_id);

    for (enum node_news one = 0; one < NODE_NEWS; one++) {
        if (!(node->news & 1U << one))
            continue;
        if (one == NODE_REBOOTED)
            tell_event(node, node->answer, true, node_news_reason(one), reboot);
        else
            tell_status(node, node->answer, node_news_reason(one));
    }
    node->news = 0;
}

/* requests */

static void forget_told(struct cluster_node *node)
{
    if (node->told)
        object_unref(&node->told->object);
    node->told = NULL;
}

/* A server may not know a field that it is told, or have it switched off. */
static void compare_with_told(struct cluster_node *node)
{
    _cleanup_(strbuf_deinit) struct strbuf patch = STRBUF_INIT;

    free(node->unkept);
    node->unkept = NULL;
    if (node_patch_write(node_of(node->answer), node->told, &patch))
        node->unkept = strbuf_take(&patch);
}

/* Is there nothing new but what the server did not keep when it was told that? */
static bool is_unkept(struct cluster_node *node, struct object *before)
{
    _cleanup_(strbuf_deinit) struct strbuf patch = STRBUF_INIT;
    struct node *now;

    if (!node->unkept)
        return false;
    now = compute(node, before, true);
    node_patch_write(node_of(before), now, &patch);
    object_unref(&now->object);
    return str_equal(patch.text, node->unkept);
}

static void failed(struct cluster_node *node, const char *why)
{
    set_trouble(node, why);
    turn_at(node, chance_between(node->retry, 2 * node->retry));
    node->retry = MIN(2 * node->retry, RETRY_MAX_USEC);
}

/* Does the server have the Node now? */
static bool done(struct cluster_node *node, const struct api_reply *reply)
{
    struct object *answer = NULL;
    struct err err;

    node->call = NULL;
    if (!reply->failure)
        answer = cluster_answer(&object_kind_node, OBJECT_DROP_RAW, reply, &err);
    if (!answer) {
        forget_told(node);
        if (reply->failure && reply->failure->code == 404) { /* whatever the watch missed */
            node->answer = object_unref(node->answer);
            node->adopted = false;
        }
        failed(node, reply->failure ? reply->failure->err.text : err.text);
        return false;
    }
    set_trouble(node, NULL);
    node->retry = RETRY_MIN_USEC;
    object_unref(node->answer);
    node->answer = answer;
    compare_with_told(node);
    forget_told(node);
    if (!node->started)
        tell_start(node);
    node->started = true;
    tell_news(node);
    if (!node->adopted && !cluster_csi_is_done(node->cluster->csi))
        cluster_csi_check(node->cluster->csi);
    node->adopted = true;
    if (node->again)
        turn_at(node, 0);
    else
        next_turn(node);
    node->again = false;
    return true;
}

static void on_made(void *owner, const struct api_reply *reply)
{
    struct cluster_node *node = owner;

    if (done(node, reply))
        log_info("registered node %s", agent_of(node)->config->node_name);
    cluster_lease_soon(node->cluster->lease);
}

static void on_told(void *owner, const struct api_reply *reply)
{
    done(owner, reply);
}

static void create(struct cluster_node *node)
{
    struct node *made = compute(node, NULL, false);
    _cleanup_(strbuf_deinit) struct strbuf body = STRBUF_INIT;
    struct json_writer writer;
    struct api_request request = {
        .method = "POST",
        .path = "/api/v1/nodes",
        .class = API_HEARTBEAT,
    };

    json_writer_init(&writer, &body, false);
    object_encode(&made->object, &writer);
    json_writer_deinit(&writer);
    request.body = body.text;
    node->told = made;
    node->news = node_news(NULL, made);
    node->call = api_begin(node->cluster->api, &request, on_made, node);
}

static bool is_due(const struct cluster_node *node)
{
    return !node->adopted || clock_boottime() >= node->report_due;
}

static void tell(struct cluster_node *node, struct object *before)
{
    struct node *now = compute(node, before, false);
    usec_t period = agent_of(node)->config->node_status_report_usec;
    _cleanup_(strbuf_deinit) struct strbuf patch = STRBUF_INIT;
    bool changed = node_patch_write(node_of(before), now, &patch) && !is_unkept(node, before);
    char *path;

    if (!changed && !is_due(node)) {
        object_unref(&now->object);
        next_turn(node);
        return;
    }
    node->told = now;
    node->news = node_news(node_of(before), now);
    node->report_due =
        usec_add(clock_boottime(), changed ? chance_between(period / 2, period * 3 / 2) : period);
    path = mem_printf("/api/v1/nodes/%s/status", agent_of(node)->config->node_name);
    node->call = api_begin(node->cluster->api,
                           &(struct api_request){
                               .method = "PATCH",
                               .path = path,
                               .body = patch.text,
                               .type = API_STRATEGIC_MERGE,
                               .class = API_HEARTBEAT,
                           },
                           on_told, node);
    free(path);
}

/* What the agent that was here before told holds on while this one finds its feet: else each start
 * would say once that the node is not ready. */
static bool may_say_more_soon(const struct cluster_node *node, struct object *before)
{
    const struct agent *agent = agent_of(node);

    return !node->adopted && is_ready(node_of(before)) &&
           usec_sub(clock_boottime(), agent->began) < BEGINNING_USEC &&
           (!cluster_csi_is_done(node->cluster->csi) ||
            str_empty(runtime_state_name(agent->runtime)) ||
            runtime_state_trouble(agent->runtime) || agent_network_trouble(agent));
}

static void on_turn(struct wheel_timer *timer)
{
    struct cluster_node *node = container_of(timer, struct cluster_node, timer);
    struct object *before = seen(node);

    if (!node_view_is_settled(node->view) || (before && may_say_more_soon(node, before)))
        turn_at(node, BEGINNING_LOOK_USEC);
    else if (before)
        tell(node, before);
    else if (agent_of(node)->config->register_node)
        create(node);
    else
        next_turn(node);
}

void cluster_node_changed(struct cluster_node *node)
{
    if (node->call)
        node->again = true;
    else if (api_watch_is_complete(node->watch))
        turn_at(node, 0);
}

static void on_view_changed(void *owner)
{
    cluster_node_changed(owner);
}

/* the watch */

static void on_set(void *owner, struct object *object)
{
    struct cluster_node *node = owner;
    bool unschedulable = node_of(object)->spec.unschedulable;

    if (unschedulable != node->unschedulable)
        tell_status(node, object, unschedulable ? "NodeNotSchedulable" : "NodeSchedulable");
    node->unschedulable = unschedulable;
    cluster_checkpoint_changed(node->cluster->checkpoint);
}

/* Somebody deleted it: this node is there yet. */
static void on_gone(void *owner, struct object *object)
{
    struct cluster_node *node = owner;

    log_warning("node %s was deleted from the cluster: it is registered again",
                object->metadata.name);
    node->answer = object_unref(node->answer);
    node->adopted = false;
    cluster_csi_forget(node->cluster->csi);
    if (node->call)
        api_cancel(node->call); /* it is about the one that is gone */
    node->call = NULL;
    forget_told(node);
    turn_at(node, chance_between(USEC_PER_SEC, 3 * USEC_PER_SEC));
}

static void on_complete(void *owner)
{
    struct cluster_node *node = owner;

    if (seen(node) && !cluster_csi_is_done(node->cluster->csi))
        cluster_csi_check(node->cluster->csi);
    if (!node->call)
        turn_at(node, 0);
}

struct cluster_node *cluster_node_new(struct cluster *cluster)
{
    struct cluster_node *node = mem_new(struct cluster_node);
    char *selector = mem_printf("metadata.name=%s", cluster->agent->config->node_name);
    struct api_watch_options watch = {
        .api = cluster->api,
        .wheel = cluster->agent->parts.wheel,
        .kind = &object_kind_node,
        .path = "/api/v1/nodes",
        .selector = selector,
        .owner = node,
        .set = on_set,
        .gone = on_gone,
        .complete = on_complete,
    };

    node->cluster = cluster;
    node->retry = RETRY_MIN_USEC;
    wheel_timer_init(&node->timer, on_turn);
    node->view = node_view_new(cluster->agent, on_view_changed, node);
    node->watch = api_watch_new(&watch);
    free(selector);
    return node;
}

struct cluster_node *cluster_node_free(struct cluster_node *node)
{
    if (!node)
        return NULL;
    if (node->call)
        api_cancel(node->call);
    wheel_cancel(&node->timer);
    api_watch_free(node->watch);
    node_view_free(node->view);
    forget_told(node);
    object_unref(node->answer);
    free(node->unkept);
    free(node->trouble);
    free(node);
    return NULL;
}
