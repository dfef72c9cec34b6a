/*
 * The Node object: made when there is none, put right when there is one, and kept up to date: at
 * once when the node becomes ready or stops to be, else by turns, of which only those that have
 * something to say send anything.
 */
#include "cluster-private.h"
#include "node-object.h"
#include "node-patch.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/sys/chance.h"
#include "nodeagent/sys/log.h"

#include <stdlib.h>
#include <string.h>

#define BEGINNING_USEC (10 * USEC_PER_SEC)
#define BEGINNING_LOOK_USEC (50 * USEC_PER_MSEC)
#define RETRY_MIN_USEC (200 * USEC_PER_MSEC)
#define RETRY_MAX_USEC (7 * USEC_PER_SEC)

struct cluster_node {
    struct cluster *cluster;
    struct api_watch *watch;
    struct wheel_timer timer;
    struct api_call *call;
    struct object *answer; /* the Node, as the server answered last */
    bool adopted;          /* it was put right, or made, by this agent */
    bool again;            /* something changed while a request was under way */
    usec_t report_due;     /* though nothing changed */
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

static const char *runtime_sentence(const char *trouble, struct arena *arena)
{
    return str_has_prefix(trouble, "RuntimeReady=")
               ? arena_printf(arena, "container runtime not ready: %s", trouble)
               : "container runtime is down";
}

static const char *network_sentence(const char *trouble, struct arena *arena)
{
    return arena_printf(arena, "container runtime network not ready: %s%s",
                        str_has_prefix(trouble, "NetworkReady=")
                            ? ""
                            : "NetworkReady=false reason:NetworkPluginNotReady message:",
                        trouble);
}

/* What is wrong is told in sentences, where the runtime's own words are only a part of it. */
static struct node_runtime describe_runtime(const struct agent *agent, struct arena *arena)
{
    const char *name = runtime_state_name(agent->runtime),
               *trouble = runtime_state_trouble(agent->runtime),
               *network_trouble = agent_network_trouble(agent);
    struct node_runtime runtime = {
        .name = name,
        .version = runtime_state_version(agent->runtime),
        .ready = {.told = true, .good = true},
        .network = {.told = true, .good = true},
    };

    if (trouble)
        strings_add(arena, &runtime.troubles, runtime_sentence(trouble, arena));
    else if (str_empty(name))
        strings_add(arena, &runtime.troubles,
                    "container runtime status check may not have completed yet");
    if (network_trouble)
        strings_add(arena, &runtime.troubles, network_sentence(network_trouble, arena));
    return runtime;
}

static struct node *compute(struct cluster_node *node, struct object *before)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    struct agent *agent = agent_of(node);
    struct node_network network;
    struct node_runtime runtime;
    struct node_inputs inputs = {
        .config = agent->config,
        .machine = agent->parts.facts->machine,
        .network = &network,
        .runtime = &runtime,
        .port = agent->config->port,
        .seen = before ? node_of(before) : NULL,
        .now_usec = (int64_t)clock_wall(),
    };
    struct node *(*make)(const struct node_inputs *inputs, struct err *trouble) =
        !before         ? node_object_new
        : node->adopted ? node_object_refresh
                        : node_object_adopt;
    struct node *result;
    struct err err;

    node_network_read(&network, "", &arena);
    runtime = describe_runtime(agent, &arena);
    if (!cluster_csi_is_done(node->cluster->csi))
        strings_add(&arena, &inputs.troubles, "CSINode is not yet initialized");
    result = make(&inputs, &err);
    if (err.code)
        set_trouble(node, err.text);
    return result;
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
        failed(node, reply->failure ? reply->failure->err.text : err.text);
        return false;
    }
    set_trouble(node, NULL);
    node->retry = RETRY_MIN_USEC;
    object_unref(node->answer);
    node->answer = answer;
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
    struct node *made = compute(node, NULL);
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
    object_unref(&made->object);
    request.body = body.text;
    node->call = api_begin(node->cluster->api, &request, on_made, node);
}

static bool is_due(const struct cluster_node *node)
{
    return !node->adopted || clock_boottime() >= node->report_due;
}

static void tell(struct cluster_node *node, struct object *before)
{
    struct node *now = compute(node, before);
    usec_t period = agent_of(node)->config->node_status_report_usec;
    _cleanup_(strbuf_deinit) struct strbuf patch = STRBUF_INIT;
    bool changed = node_patch_write(node_of(before), now, &patch);
    char *path;

    object_unref(&now->object);
    if (!changed && !is_due(node)) {
        next_turn(node);
        return;
    }
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

    if (before && may_say_more_soon(node, before))
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

/* the watch */

static void on_set(void *owner, struct object *object)
{
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
    object_unref(node->answer);
    free(node->trouble);
    free(node);
    return NULL;
}
