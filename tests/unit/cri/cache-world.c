/* Plays net, the loop and the clock for the cache. */
#include "cache-world.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/base/str.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/loop.h"
#include "nodeagent/sys/wheel.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CALLS_LOGGED = 65536,
    TURNS_MAX = 100000,
};

struct rpc_channel {
    struct list calls;
};

struct rpc_call {
    struct list link;
    char *method;
    char *about;
    uint8_t *answer;
    size_t length;
    enum rpc_status status;
    const char *text;
    bool held;
    bool dead; /* cancelled, while a message is handed over */
    bool busy;
    usec_t deadline;
    rpc_message_fn *message;
    rpc_done_fn *done;
    void *owner;
};

struct logged {
    char method[32];
    char about[72];
    usec_t at;
};

/* The cache has one world at a time, which these functions find without its help. */
static struct {
    struct world *world;
    struct list calls;
    struct list posts;
    usec_t now;
    struct logged *log;
    size_t log_count;
} here;

/* sys */

usec_t clock_boottime(void)
{
    return here.now++;
}

usec_t clock_monotonic(void)
{
    return here.now;
}

void loop_post(struct loop *loop, struct loop_post *post)
{
    list_push_back(&here.posts, &post->link);
}

void loop_post_cancel(struct loop *loop, struct loop_post *post)
{
    list_unlink(&post->link);
}

/* answers */

static void answer_with(struct rpc_call *call, const ProtobufCMessage *message)
{
    call->length = protobuf_c_message_get_packed_size(message);
    call->answer = mem_alloc(call->length + 1);
    protobuf_c_message_pack(message, call->answer);
}

#define PAIR(pair_key, pair_value)                                                                 \
    {                                                                                              \
        .base = PROTOBUF_C_MESSAGE_INIT(&cri__pair__descriptor), .key = (char *)(pair_key),        \
        .value = (char *)(pair_value)                                                              \
    }

static void list_sandboxes(struct rpc_call *call)
{
    struct world *world = here.world;
    Cri__ListPodSandboxResponse response = CRI__LIST_POD_SANDBOX_RESPONSE__INIT;
    struct {
        Cri__PodSandbox sandbox, *pointer;
        Cri__PodSandboxMetadata metadata;
        Cri__Pair label, *labels[1];
    } *parts = mem_zalloc(sizeof(*parts) * (world->sandbox_count + 1));
    Cri__PodSandbox **items = mem_zalloc(sizeof(*items) * (world->sandbox_count + 1));

    for (size_t i = 0; i < world->sandbox_count; i++) {
        const struct world_sandbox *from = &world->sandboxes[i];
        Cri__Pair label = PAIR("io.kubernetes.pod.uid", from->uid);

        if (!from->id || (*call->about && (from->no_label || !str_equal(call->about, from->uid))))
            continue;
        cri__pod_sandbox__init(&parts[i].sandbox);
        cri__pod_sandbox_metadata__init(&parts[i].metadata);
        parts[i].label = label;
        parts[i].labels[0] = &parts[i].label;
        parts[i].metadata.uid = (char *)from->uid;
        parts[i].metadata.name = (char *)"pod";
        parts[i].metadata.namespace_ = (char *)"default";
        parts[i].metadata.attempt = from->attempt;
        parts[i].sandbox.id = (char *)from->id;
        parts[i].sandbox.metadata = from->no_metadata ? NULL : &parts[i].metadata;
        parts[i].sandbox.state = from->not_ready;
        parts[i].sandbox.created_at = from->created * 1000000000;
        parts[i].sandbox.n_labels = !from->no_label;
        parts[i].sandbox.labels = parts[i].labels;
        items[response.n_items++] = &parts[i].sandbox;
    }
    response.items = items;
    answer_with(call, &response.base);
    free(items);
    free(parts);
}

static void list_containers(struct rpc_call *call)
{
    struct world *world = here.world;
    Cri__ListContainersResponse response = CRI__LIST_CONTAINERS_RESPONSE__INIT;
    struct {
        Cri__Container container;
        Cri__ContainerMetadata metadata;
        Cri__Pair pairs[5], *labels[3], *annotations[2];
    } *parts = mem_zalloc(sizeof(*parts) * (world->container_count + 1));
    Cri__Container **items = mem_zalloc(sizeof(*items) * (world->container_count + 1));

    for (size_t i = 0; i < world->container_count; i++) {
        const struct world_container *from = &world->containers[i];
        Cri__Pair pairs[] = {
            PAIR("io.kubernetes.pod.uid", from->uid),
            PAIR("io.kubernetes.pod.name", "pod"),
            PAIR("io.kubernetes.pod.namespace", "default"),
            PAIR("io.kubernetes.container.hash", "1a2b"),
            PAIR("io.kubernetes.container.restartCount", from->restarts),
        };

        if (!from->id || (*call->about && !str_equal(call->about, from->uid)))
            continue;
        cri__container__init(&parts[i].container);
        cri__container_metadata__init(&parts[i].metadata);
        memcpy(parts[i].pairs, pairs, sizeof(pairs));
        for (size_t j = 0; j < 3; j++)
            parts[i].labels[j] = &parts[i].pairs[j];
        for (size_t j = 0; j < 2; j++)
            parts[i].annotations[j] = &parts[i].pairs[3 + j];
        parts[i].metadata.name = (char *)from->name;
        parts[i].metadata.attempt = from->attempt;
        parts[i].container.id = (char *)from->id;
        parts[i].container.pod_sandbox_id = (char *)from->sandbox_id;
        parts[i].container.metadata = from->no_metadata ? NULL : &parts[i].metadata;
        parts[i].container.state = (Cri__ContainerState)from->state;
        parts[i].container.created_at = from->created * 1000000000;
        parts[i].container.image_ref = (char *)"sha256:1";
        parts[i].container.n_labels = from->uid ? 3 : 0;
        parts[i].container.labels = parts[i].labels;
        parts[i].container.n_annotations = from->restarts ? 2 : 1;
        parts[i].container.annotations = parts[i].annotations;
        items[response.n_containers++] = &parts[i].container;
    }
    response.containers = items;
    answer_with(call, &response.base);
    free(items);
    free(parts);
}

static void not_found(struct rpc_call *call)
{
    call->status = RPC_NOT_FOUND;
    call->text = "not found";
}

static void sandbox_status(struct rpc_call *call)
{
    Cri__PodSandboxStatusResponse response = CRI__POD_SANDBOX_STATUS_RESPONSE__INIT;
    Cri__PodSandboxStatus status = CRI__POD_SANDBOX_STATUS__INIT;
    Cri__PodSandboxNetworkStatus network = CRI__POD_SANDBOX_NETWORK_STATUS__INIT;
    Cri__PodIP more = CRI__POD_IP__INIT, *mores[] = {&more};
    Cri__LinuxPodSandboxStatus linux_status = CRI__LINUX_POD_SANDBOX_STATUS__INIT;
    Cri__Namespace namespaces = CRI__NAMESPACE__INIT;
    Cri__NamespaceOption options = CRI__NAMESPACE_OPTION__INIT;
    const struct world_sandbox *from = NULL;

    for (size_t i = 0; i < here.world->sandbox_count; i++)
        if (str_equal(here.world->sandboxes[i].id, call->about))
            from = &here.world->sandboxes[i];
    if (!from || from->vanishes) {
        not_found(call);
        return;
    }
    status.id = (char *)from->id;
    status.state = from->not_ready;
    status.created_at = from->created * 1000000000;
    network.ip = (char *)(from->ip ? from->ip : "");
    if (from->ip2) {
        more.ip = (char *)from->ip2;
        network.n_additional_ips = 1;
        network.additional_ips = mores;
    }
    status.network = from->no_network ? NULL : &network;
    options.network = from->host_network ? CRI__NAMESPACE_MODE__NODE : CRI__NAMESPACE_MODE__POD;
    namespaces.options = &options;
    linux_status.namespaces = &namespaces;
    status.linux_status = &linux_status;
    response.status = &status;
    answer_with(call, &response.base);
}

static void container_status(struct rpc_call *call)
{
    Cri__ContainerStatusResponse response = CRI__CONTAINER_STATUS_RESPONSE__INIT;
    Cri__ContainerStatus status = CRI__CONTAINER_STATUS__INIT;
    Cri__ImageSpec image = CRI__IMAGE_SPEC__INIT;
    Cri__Mount mount = CRI__MOUNT__INIT, other = CRI__MOUNT__INIT, *mounts[] = {&other, &mount};
    Cri__Pair pairs[] = {
        PAIR("io.kubernetes.container.terminationMessagePath", "/dev/end"),
        PAIR("io.kubernetes.container.terminationMessagePolicy", "FallbackToLogsOnError"),
        PAIR("io.kubernetes.container.hash", "1a2b"),
        PAIR("io.kubernetes.container.restartCount", NULL),
    };
    Cri__Pair *annotations[] = {&pairs[0], &pairs[1], &pairs[2], &pairs[3]};
    const struct world_container *from = NULL;

    for (size_t i = 0; i < here.world->container_count; i++)
        if (str_equal(here.world->containers[i].id, call->about))
            from = &here.world->containers[i];
    if (!from || from->vanishes) {
        not_found(call);
        return;
    }
    status.id = (char *)from->id;
    status.state = (Cri__ContainerState)from->state;
    status.created_at = from->created * 1000000000;
    status.started_at = from->state == CRI_CREATED ? 0 : status.created_at + 1000000000;
    status.finished_at = from->state == CRI_EXITED ? status.created_at + 2000000000 : 0;
    status.exit_code = from->exit_code;
    status.reason = (char *)(from->reason ? from->reason : "");
    status.log_path = (char *)"/var/log/pods/x/0.log";
    image.image = (char *)"web:1";
    status.image = &image;
    status.image_ref = (char *)"sha256:1";
    other.container_path = (char *)"/other";
    mount.container_path = (char *)"/dev/end";
    mount.host_path = (char *)"/host/end";
    status.n_mounts = array_size(mounts);
    status.mounts = mounts;
    pairs[3].value = (char *)from->restarts;
    status.n_annotations = from->restarts ? 4 : 3;
    status.annotations = annotations;
    response.status = from->no_status ? NULL : &status;
    answer_with(call, &response.base);
}

/* What the request asks about: an id, or the UID in a filter. */
static char *about_of(const char *method, const void *bytes, size_t length)
{
    char *about = NULL;

    if (str_equal(method, "ListPodSandbox")) {
        Cri__ListPodSandboxRequest *request =
            cri__list_pod_sandbox_request__unpack(NULL, length, bytes);

        if (request->filter) {
            assert_int_equal(request->filter->n_label_selector, 1);
            assert_string_equal(request->filter->label_selector[0]->key, "io.kubernetes.pod.uid");
            about = mem_strdup(request->filter->label_selector[0]->value);
        }
        cri__list_pod_sandbox_request__free_unpacked(request, NULL);
    } else if (str_equal(method, "ListContainers")) {
        Cri__ListContainersRequest *request =
            cri__list_containers_request__unpack(NULL, length, bytes);

        if (request->filter)
            about = mem_strdup(request->filter->label_selector[0]->value);
        cri__list_containers_request__free_unpacked(request, NULL);
    } else if (str_equal(method, "PodSandboxStatus")) {
        Cri__PodSandboxStatusRequest *request =
            cri__pod_sandbox_status_request__unpack(NULL, length, bytes);

        about = mem_strdup(request->pod_sandbox_id);
        cri__pod_sandbox_status_request__free_unpacked(request, NULL);
    } else if (str_equal(method, "ContainerStatus")) {
        Cri__ContainerStatusRequest *request =
            cri__container_status_request__unpack(NULL, length, bytes);

        about = mem_strdup(request->container_id);
        cri__container_status_request__free_unpacked(request, NULL);
    }
    return about ? about : mem_strdup("");
}

static const struct world_rule *rule_for(const char *method, const char *about)
{
    const struct world *world = here.world;

    for (size_t i = world->rule_count; i-- > 0;) {
        const struct world_rule *rule = &world->rules[i];

        if ((!rule->method || str_equal(rule->method, method)) &&
            (!rule->about || str_equal(rule->about, about)))
            return rule;
    }
    return NULL;
}

static void answer(struct rpc_call *call)
{
    const struct world_rule *rule = rule_for(call->method, call->about);

    if (rule && rule->hold)
        call->held = true;
    if (rule && rule->status) {
        call->status = rule->status;
        call->text = rule->text ? rule->text : "so the test wants it";
    } else if (str_equal(call->method, "ListPodSandbox")) {
        list_sandboxes(call);
    } else if (str_equal(call->method, "ListContainers")) {
        list_containers(call);
    } else if (str_equal(call->method, "PodSandboxStatus")) {
        sandbox_status(call);
    } else if (str_equal(call->method, "ContainerStatus")) {
        container_status(call);
    } else if ((str_equal(call->method, "Subscribe") && here.world->no_containerd_events) ||
               (str_equal(call->method, "GetContainerEvents") && here.world->no_cri_events)) {
        call->status = RPC_UNIMPLEMENTED;
        call->text = "unknown service";
    } else {
        call->held = true; /* a stream: it lasts */
    }
}

/* net */

const char *rpc_status_name(enum rpc_status status)
{
    return status == RPC_UNAVAILABLE ? "Unavailable" : "SomeStatus";
}

int rpc_channel_new(struct rpc_channel **result, struct rpc *rpc, const char *target,
                    struct err *err)
{
    *result = mem_new(struct rpc_channel);
    return 0;
}

void rpc_channel_watch(struct rpc_channel *channel, rpc_connected_fn *connected, void *owner)
{
}

struct rpc_channel *rpc_channel_free(struct rpc_channel *channel)
{
    free(channel);
    return NULL;
}

static void call_free(struct rpc_call *call)
{
    list_unlink(&call->link);
    free(call->method);
    free(call->about);
    free(call->answer);
    free(call);
}

static int call_new(struct rpc_call **result, const struct rpc_request *request,
                    rpc_message_fn *message, rpc_done_fn *done, void *owner, struct err *err)
{
    const char *method = strrchr(request->method, '/') + 1;
    char *about = about_of(method, request->bytes, request->length);
    const struct world_rule *rule = rule_for(method, about);
    struct logged *logged = &here.log[here.log_count++];
    struct rpc_call *call;

    assert_true(here.log_count < CALLS_LOGGED);
    snprintf(logged->method, sizeof(logged->method), "%s", method);
    snprintf(logged->about, sizeof(logged->about), "%s", about);
    logged->at = here.now;
    if (rule && rule->refuse) {
        free(about);
        return err_set(err, -EBUSY, "%s: 1024 calls are in flight already", method);
    }
    call = mem_new(struct rpc_call);
    call->method = mem_strdup(method);
    call->about = about;
    call->message = message;
    call->done = done;
    call->owner = owner;
    call->text = "";
    call->deadline = usec_add(here.now, request->timeout);
    list_push_back(&here.calls, &call->link);
    answer(call);
    *result = call;
    return 0;
}

int rpc_unary(struct rpc_call **result, struct rpc_channel *channel,
              const struct rpc_request *request, rpc_done_fn *done, void *owner, struct err *err)
{
    return call_new(result, request, NULL, done, owner, err);
}

int rpc_stream(struct rpc_call **result, struct rpc_channel *channel,
               const struct rpc_request *request, rpc_message_fn *message, rpc_done_fn *done,
               void *owner, struct err *err)
{
    return call_new(result, request, message, done, owner, err);
}

void rpc_cancel(struct rpc_call *call)
{
    if (call->busy)
        call->dead = true;
    else
        call_free(call);
}

/* the runtime's content */

struct world_sandbox *world_sandbox(struct world *world, const char *uid, const char *id)
{
    struct world_sandbox *sandbox = &world->sandboxes[world->sandbox_count++];

    assert_true(world->sandbox_count <= WORLD_OBJECTS);
    *sandbox = (struct world_sandbox){.id = id, .uid = uid, .ip = "10.0.0.1", .created = 100};
    return sandbox;
}

struct world_container *world_container(struct world *world, const char *uid, const char *id)
{
    struct world_container *container = &world->containers[world->container_count++];

    assert_true(world->container_count <= WORLD_OBJECTS);
    *container = (struct world_container){.id = id,
                                          .uid = uid,
                                          .sandbox_id = "s",
                                          .name = "main",
                                          .state = CRI_RUNNING,
                                          .created = 200};
    return container;
}

struct world_rule *world_rule(struct world *world, struct world_rule rule)
{
    assert_true(world->rule_count < WORLD_RULES);
    world->rules[world->rule_count] = rule;
    return &world->rules[world->rule_count++];
}

/* turning */

static bool run_posts(void)
{
    struct list posts;
    bool any = !list_empty(&here.posts);

    list_init(&posts);
    list_splice(&posts, &here.posts);
    while (!list_empty(&posts)) {
        struct loop_post *post = list_first(&posts, struct loop_post, link);

        list_unlink(&post->link);
        post->call(post);
    }
    return any;
}

static void deliver(struct rpc_call *call)
{
    struct rpc_reply reply = {
        .status = call->status,
        .text = call->text,
        .bytes = call->status == RPC_OK ? call->answer : NULL,
        .length = call->status == RPC_OK ? call->length : 0,
    };

    list_unlink(&call->link);
    call->done(call->owner, &reply);
    call_free(call);
}

static bool deliver_one(void)
{
    list_for_each (node, &here.calls) {
        struct rpc_call *call = list_entry(node, struct rpc_call, link);

        if (!call->held) {
            deliver(call);
            return true;
        }
    }
    return false;
}

static bool fire_one(void)
{
    struct wheel_timer *timer = wheel_pop(here.world->wheel, here.now);

    if (timer)
        timer->fire(timer);
    return timer != NULL;
}

static bool expire_one(void)
{
    list_for_each (node, &here.calls) {
        struct rpc_call *call = list_entry(node, struct rpc_call, link);

        if (call->deadline <= here.now) {
            call->status = RPC_DEADLINE_EXCEEDED;
            call->text = "Deadline Exceeded";
            deliver(call);
            return true;
        }
    }
    return false;
}

void world_turn(struct world *world)
{
    while (run_posts())
        ;
}

void world_settle(struct world *world)
{
    unsigned turns = 0;

    while (run_posts() || deliver_one() || fire_one())
        assert_true(++turns < TURNS_MAX);
}

static usec_t next_deadline(void)
{
    usec_t next = USEC_NEVER;

    list_for_each (node, &here.calls)
        next = MIN(next, list_entry(node, struct rpc_call, link)->deadline);
    return next;
}

void world_pass(struct world *world, usec_t usec)
{
    usec_t end = here.now + usec, next;
    unsigned turns = 0;

    for (;;) {
        world_settle(world);
        next = MIN(wheel_next(world->wheel), next_deadline());
        if (next > end)
            break;
        here.now = MAX(here.now, next);
        expire_one();
        assert_true(++turns < TURNS_MAX);
    }
    here.now = MAX(here.now, end);
    world_settle(world);
}

void world_release_newest(struct world *world, const char *method)
{
    for (struct list *node = here.calls.previous; node != &here.calls; node = node->previous) {
        struct rpc_call *call = list_entry(node, struct rpc_call, link);

        if (call->held && str_equal(call->method, method)) {
            deliver(call);
            world_turn(world);
            return;
        }
    }
    fail_msg("no call of %s is held", method);
}

void world_release_all(struct world *world)
{
    world->rule_count = 0;
    list_for_each (node, &here.calls) {
        struct rpc_call *call = list_entry(node, struct rpc_call, link);

        call->held = call->message != NULL;
    }
}

/* looking at what happened */

unsigned world_in_flight(const struct world *world, const char *method)
{
    unsigned count = 0;

    list_for_each (node, &here.calls) {
        const struct rpc_call *call = list_entry(node, struct rpc_call, link);

        count += method ? str_equal(call->method, method) : !call->message;
    }
    return count;
}

unsigned world_calls_about(const struct world *world, const char *method, const char *about)
{
    unsigned count = 0;

    for (size_t i = 0; i < here.log_count; i++)
        count += str_equal(here.log[i].method, method) &&
                 (!about || str_equal(here.log[i].about, about));
    return count;
}

unsigned world_calls(const struct world *world, const char *method)
{
    return world_calls_about(world, method, NULL);
}

void world_forget_calls(struct world *world)
{
    here.log_count = 0;
}

usec_t world_last_call(const struct world *world, const char *method)
{
    for (size_t i = here.log_count; i-- > 0;)
        if (str_equal(here.log[i].method, method))
            return here.log[i].at;
    return 0;
}

usec_t world_now(const struct world *world)
{
    return here.now;
}

static void on_changed(void *owner, const char *uid)
{
    struct world *world = owner;
    size_t length = strlen(world->told);

    snprintf(world->told + length, sizeof(world->told) - length, "%s,", uid ? uid : "*");
    if (world->on_told)
        world->on_told(world, uid);
}

void world_expect_told(struct world *world, const char *told)
{
    assert_string_equal(world->told, told);
    *world->told = '\0';
}

/* streams */

static struct rpc_call *stream(const char *method)
{
    list_for_each (node, &here.calls) {
        struct rpc_call *call = list_entry(node, struct rpc_call, link);

        if (call->message && (!method || str_equal(call->method, method)))
            return call;
    }
    return NULL;
}

bool world_stream_open(const struct world *world, const char *method)
{
    return stream(method) != NULL;
}

void world_stream_message(struct world *world, const void *bytes, size_t length)
{
    struct rpc_call *call = stream(NULL);

    assert_non_null(call);
    call->busy = true;
    call->message(call->owner, bytes, length);
    call->busy = false;
    if (call->dead)
        call_free(call);
}

void world_stream_end(struct world *world, enum rpc_status status)
{
    struct rpc_call *call = stream(NULL);

    assert_non_null(call);
    call->status = status;
    deliver(call);
    world_turn(world);
}

/* the place of each test */

int world_set_up(void **state)
{
    struct world *world = mem_new(struct world);

    here.world = world;
    here.now = 1000 * USEC_PER_SEC;
    here.log = mem_zalloc(sizeof(*here.log) * CALLS_LOGGED);
    here.log_count = 0;
    list_init(&here.calls);
    list_init(&here.posts);
    world->wheel = wheel_new(here.now);
    assert_int_equal(cri_new(&world->cri, NULL, "/run/x.sock", NULL, NULL), 0);
    *state = world;
    return 0;
}

void world_begin(struct world *world)
{
    struct cri_cache_options options = {
        .cri = world->cri,
        .wheel = world->wheel,
        .call_timeout = 120 * USEC_PER_SEC,
        .changed = on_changed,
        .owner = world,
    };

    world->cache = cri_cache_new(&options);
}

int world_tear_down(void **state)
{
    struct world *world = *state;

    cri_cache_free(world->cache);
    assert_true(list_empty(&here.calls));
    assert_true(list_empty(&here.posts));
    assert_int_equal(wheel_next(world->wheel), USEC_NEVER);
    cri_free(world->cri);
    wheel_free(world->wheel);
    free(here.log);
    free(world);
    return 0;
}
