/*
 * net/rpc: the way to the model runtime. Requests are decoded by the model with the same messages;
 * on the way they fail, come late or hang, and answers are lost though the work was done.
 */
#include "bugs.h"
#include "checks.h"
#include "manifests.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/net/rpc.h"
#include "runtime.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WAY_MIN (usec_t)50
#define WAY_MAX (usec_t)1500
#define LATE_MIN (500 * USEC_PER_MSEC)
#define STILL_READ (100 * USEC_PER_MSEC)
#define RUN_ON (1 * USEC_PER_SEC)
#define LATE_MAX (240 * USEC_PER_SEC)

/* Of 10,000 calls. Looks are many, and each fault of theirs stops everything for a while. */
static const struct rates {
    unsigned fails, lost, comes_late, hangs, answers_late;
} rates[] = {
    [METHOD_NODE] = {40, 20, 10, 10, 20},        [METHOD_STATUS] = {60, 30, 40, 40, 40},
    [METHOD_CHANGE] = {150, 120, 120, 120, 120}, [METHOD_IMAGE] = {100, 60, 60, 60, 60},
    [METHOD_STREAM] = {500, 0, 0, 0, 0},
};

struct rpc {
    struct loop *loop;
};

struct rpc_channel {
    struct list calls;
    size_t in_flight;
};

struct rpc_call {
    struct list link;
    uint64_t number;
    struct rpc_channel *channel;
    struct call *call; /* at the runtime */
    struct event *deadline;
    struct event *answer;
    rpc_message_fn *on_message;
    rpc_done_fn *on_done;
    void *owner;
    enum rpc_status status;
    char *text;
    uint8_t *bytes;
    size_t length;
    bool late;
};

const char *rpc_status_name(enum rpc_status status)
{
    static const char *const names[] = {
        "OK",
        "Canceled",
        "Unknown",
        "InvalidArgument",
        "DeadlineExceeded",
        "NotFound",
        "AlreadyExists",
        "PermissionDenied",
        "ResourceExhausted",
        "FailedPrecondition",
        "Aborted",
        "OutOfRange",
        "Unimplemented",
        "Internal",
        "Unavailable",
        "DataLoss",
        "Unauthenticated",
    };

    return (size_t)status < array_size(names) ? names[status] : "Unknown";
}

int rpc_new(struct rpc **result, struct loop *loop, struct err *err)
{
    *result = mem_new(struct rpc);
    (*result)->loop = loop;
    return 0;
}

struct rpc *rpc_free(struct rpc *rpc)
{
    free(rpc);
    return NULL;
}

int rpc_channel_new(struct rpc_channel **result, struct rpc *rpc, const char *target,
                    struct err *err)
{
    *result = mem_new(struct rpc_channel);
    list_init(&(*result)->calls);
    return 0;
}

void rpc_channel_watch(struct rpc_channel *channel, rpc_connected_fn *connected, void *owner)
{
}

struct rpc_channel *rpc_channel_free(struct rpc_channel *channel)
{
    struct rpc_call *rpc;

    if (!channel)
        return NULL;
    while ((rpc = list_first(&channel->calls, struct rpc_call, link)))
        rpc_cancel(rpc);
    free(channel);
    return NULL;
}

size_t rpc_channel_in_flight(const struct rpc_channel *channel)
{
    return channel->in_flight;
}

/* ends */

static void give_up(struct call *call)
{
    call->client = NULL;
    call->given_up = world->now;
    call->rolls_back = choose(SITE_GIVEN_UP_ROLLS_BACK, call->key, 5000);
}

static void rpc_forget(struct rpc_call *rpc)
{
    list_unlink(&rpc->link);
    rpc->channel->in_flight--;
    event_cancel(rpc->deadline);
    rpc->deadline = NULL;
    if (rpc->call)
        give_up(rpc->call);
    rpc->call = NULL;
}

static void rpc_release(struct rpc_call *rpc)
{
    free(rpc->text);
    free(rpc->bytes);
    free(rpc);
}

static void rpc_answered(void *data)
{
    struct rpc_call *rpc = data;
    struct rpc_reply reply = {
        .status = rpc->status, .text = rpc->text, .bytes = rpc->bytes, .length = rpc->length};

    rpc->answer = NULL;
    if (rpc->late)
        world->told_late = world->now;
    rpc_forget(rpc);
    rpc->on_done(rpc->owner, &reply);
    rpc_release(rpc);
}

/* To the agent a hook has failed when its call has. */
static void note_failure(const struct call *call)
{
    if (call && call->method->begin == serve_exec)
        container_hook_failed((const Cri__ExecSyncRequest *)call->request);
}

static void rpc_answer_after(struct rpc_call *rpc, usec_t delay, enum rpc_status status,
                             const char *text)
{
    if (status)
        note_failure(rpc->call);
    rpc->status = status;
    rpc->text = mem_strdup(text);
    rpc->answer = event_add_agent(delay, status ? "answer, failed:" : "answer",
                                  rpc->call ? rpc->call->key : text, rpc_answered, rpc);
}

static void rpc_deadline(void *data)
{
    struct rpc_call *rpc = data;

    rpc->deadline = NULL;
    event_cancel(rpc->answer);
    free(rpc->text);
    rpc->status = RPC_DEADLINE_EXCEEDED;
    rpc->text = mem_strdup("Deadline Exceeded");
    rpc_answered(rpc);
}

void rpc_cancel(struct rpc_call *rpc)
{
    event_cancel(rpc->answer);
    rpc_forget(rpc);
    rpc_release(rpc);
}

/* Copies the answer at once: the objects it is about may be gone when it arrives. */
void net_reply(struct call *call, enum rpc_status status, const char *text,
               const ProtobufCMessage *response)
{
    struct rpc_call *rpc = call->client;
    usec_t way = draw_usec(SITE_LATENCY, call->key, WAY_MIN, WAY_MAX);

    if (!rpc)
        return;
    rpc->late = call->answered_late;
    if (call->reply_lost) {
        status = RPC_UNAVAILABLE;
        text = "error reading from server: EOF";
        response = NULL;
    }
    if (response) {
        rpc->length = protobuf_c_message_get_packed_size(response);
        rpc->bytes = mem_alloc(rpc->length);
        protobuf_c_message_pack(response, rpc->bytes);
    }
    rpc_answer_after(rpc, way + call->answered_late, status, text);
    rpc->call = NULL;
    call->client = NULL;
}

/* the ends of others */

void net_agent_died(void)
{
    list_for_each (node, &world->runtime->calls) {
        struct call *call = list_entry(node, struct call, link);

        if (call->client)
            give_up(call);
    }
}

void net_runtime_died(void)
{
    list_for_each_safe (node, &world->runtime->calls) {
        struct call *call = list_entry(node, struct call, link);

        call->reply_lost = true;
        net_reply(call, RPC_UNAVAILABLE, "", NULL);
    }
}

/* sending */

#define TURN_USEC (50 * USEC_PER_MSEC) /* how often the deliberate bug looks whose turn it is */

static usec_t late(struct call *call)
{
    return draw_usec_wide(SITE_LATENCY, call->key, LATE_MIN, LATE_MAX);
}

static bool another_is_first(const struct call *call)
{
    if (world->bug != BUG_ONE_AT_A_TIME || call->method->kind != METHOD_CHANGE)
        return false;
    list_for_each (node, &world->runtime->calls) {
        const struct call *other = list_entry(node, struct call, link);

        if (other->method->kind == METHOD_CHANGE)
            return other != call;
    }
    return false;
}

static void request_arrives(void *data)
{
    struct call *call = data;

    call->event = NULL;
    if (another_is_first(call)) {
        call->event = event_add(TURN_USEC, "", "", request_arrives, call);
        return;
    }
    /* What was in the socket when its client went may still be read, but not much later: nobody
     * could guard against a sandbox that is asked for today and made tomorrow. */
    if (!call->client && world->now - call->given_up > STILL_READ)
        call->rolls_back = true;
    if (call_is_abandoned(call))
        return;
    runtime_begin(call);
}

/* What goes wrong with it. True: it does not even arrive. */
static bool choose_fate(struct call *call)
{
    const struct rates *rate = &rates[call->method->kind];

    if (manifests_is_clean(call->key))
        return false;
    if (choose(SITE_CALL_FAILS, call->key, rate->fails))
        return true;
    call->reply_lost = choose(SITE_REPLY_IS_LOST, call->key, rate->lost);
    if (choose(SITE_CALL_HANGS, call->key, rate->hangs))
        call->takes_longer = late(call);
    if (choose(SITE_REPLY_COMES_LATE, call->key, rate->answers_late))
        call->answered_late = late(call);
    return false;
}

static void refuse(struct rpc_call *rpc)
{
    static const struct {
        enum rpc_status status;
        const char *text;
    } failures[] = {
        {RPC_UNKNOWN, "transport is closing"},
        {RPC_UNAVAILABLE, "connection error: desc = \"transport: error while dialing\""},
        {RPC_INTERNAL, "stream terminated by RST_STREAM"},
        {RPC_RESOURCE_EXHAUSTED, "too many requests"},
    };
    size_t i = draw(SITE_DETAIL, rpc->call->key, array_size(failures));

    rpc_answer_after(rpc, draw_usec(SITE_LATENCY, rpc->call->key, WAY_MIN, WAY_MAX),
                     failures[i].status, failures[i].text);
    runtime_free_call(rpc->call);
    rpc->call = NULL;
}

static struct call *call_new(struct rpc_call *rpc, const struct rpc_request *request)
{
    struct call *call = mem_new(struct call);

    call->method = runtime_method(request->method);
    call->client = rpc;
    call->life = world->life.number;
    call->sent = world->now;
    call->request =
        protobuf_c_message_unpack(call->method->request, NULL, request->length, request->bytes);
    assert_that(call->request);
    list_push_back(&world->runtime->calls, &call->link);
    runtime_name_call(call);
    return call;
}

static void send(struct rpc_call *rpc)
{
    struct call *call = rpc->call;
    usec_t way = draw_usec(SITE_LATENCY, call->key, WAY_MIN, WAY_MAX), hangs;

    trace("  calls %s", call->key);
    if (call->method->kind != METHOD_STREAM)
        checks_call_sent(call);
    if (world->runtime->down) {
        rpc_answer_after(rpc, way, RPC_UNAVAILABLE, "connection refused");
        runtime_free_call(call);
        rpc->call = NULL;
        return;
    }
    if (choose_fate(call)) {
        if (call->method->kind == METHOD_NODE)
            world_disturb();
        refuse(rpc);
        return;
    }
    if (!manifests_is_clean(call->key) &&
        choose(SITE_CALL_COMES_LATE, call->key, rates[call->method->kind].comes_late))
        way += late(call);
    hangs = way + call->takes_longer + call->answered_late;
    if (call->method->kind == METHOD_NODE && hangs >= LATE_MIN)
        world->hampered_until = MAX(world->hampered_until, world->now + hangs + RUN_ON);
    call->event = event_add(way, "request", call->key, request_arrives, call);
}

static int rpc_start(struct rpc_call **result, struct rpc_channel *channel,
                     const struct rpc_request *request, rpc_message_fn *message, rpc_done_fn *done,
                     void *owner, struct err *err)
{
    char key[KEY_MAX] = "unknown";
    struct rpc_call *rpc;

    if (channel->in_flight >= RPC_CALLS_MAX)
        return err_set(err, -EBUSY, "%s: too many calls in flight", request->method);
    rpc = mem_new(struct rpc_call);
    rpc->number = ++world->runtime->next_call;
    rpc->channel = channel;
    rpc->on_message = message;
    rpc->on_done = done;
    rpc->owner = owner;
    list_push_back(&channel->calls, &rpc->link);
    channel->in_flight++;
    if (runtime_method(request->method)) {
        rpc->call = call_new(rpc, request);
        snprintf(key, sizeof(key), "%s", rpc->call->key);
        if (life_is_to_end(key)) {
            runtime_free_call(rpc->call);
            life_ends_here();
        }
        send(rpc);
    } else {
        rpc_answer_after(rpc, WAY_MAX, RPC_UNIMPLEMENTED, "unknown service");
    }
    if (request->timeout != USEC_NEVER)
        rpc->deadline =
            event_add_agent(request->timeout, "deadline", request->method, rpc_deadline, rpc);
    *result = rpc;
    life_may_end(key);
    return 0;
}

int rpc_unary(struct rpc_call **result, struct rpc_channel *channel,
              const struct rpc_request *request, rpc_done_fn *done, void *owner, struct err *err)
{
    return rpc_start(result, channel, request, NULL, done, owner, err);
}

int rpc_stream(struct rpc_call **result, struct rpc_channel *channel,
               const struct rpc_request *request, rpc_message_fn *message, rpc_done_fn *done,
               void *owner, struct err *err)
{
    return rpc_start(result, channel, request, message, done, owner, err);
}

/* hints: messages of a stream that stays open */

struct hint {
    uint64_t stream; /* by its number: it may end before the hint arrives */
    uint8_t *bytes;
    size_t length;
};

static struct rpc_call *open_stream(uint64_t number)
{
    list_for_each (node, &world->runtime->calls) {
        const struct call *call = list_entry(node, struct call, link);

        if (call->client && call->client->number == number)
            return call->client;
    }
    return NULL;
}

static void hint_arrives(void *data)
{
    struct hint *hint = data;
    struct rpc_call *rpc = open_stream(hint->stream);

    if (rpc)
        rpc->on_message(rpc->owner, hint->bytes, hint->length);
    free(hint->bytes);
    free(hint);
}

static void hint_send(struct call *call, const char *key, const ProtobufCMessage *event,
                      usec_t delay)
{
    struct hint *hint = mem_new(struct hint);

    hint->stream = call->client->number;
    hint->length = protobuf_c_message_get_packed_size(event);
    hint->bytes = mem_alloc(hint->length);
    protobuf_c_message_pack(event, hint->bytes);
    event_add_agent(delay, "hint", key, hint_arrives, hint);
}

void net_hint(const struct container *container, Cri__ContainerEventType type)
{
    Cri__ContainerEventResponse event = CRI__CONTAINER_EVENT_RESPONSE__INIT;

    event.container_id = (char *)container->id;
    event.container_event_type = type;
    event.created_at = runtime_now();
    list_for_each (node, &world->runtime->calls) {
        struct call *call = list_entry(node, struct call, link);
        usec_t delay = draw_usec(SITE_LATENCY, container->id, WAY_MIN, WAY_MAX);

        if (call->method->kind != METHOD_STREAM || !call->client)
            continue;
        if (choose(SITE_HINT_IS_LOST, container->id, 300))
            continue;
        if (choose(SITE_HINT_COMES_LATE, container->id, 300))
            delay += draw_usec_wide(SITE_LATENCY, container->id, LATE_MIN, LATE_MAX);
        if (choose(SITE_HINT_COMES_TWICE, container->id, 300))
            hint_send(call, container->id, &event.base, delay);
        hint_send(call, container->id, &event.base, delay);
    }
}
