/* Asking the runtime how it is. */
#include "runtime-state.h"

#include "runtime-trouble.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/base/str.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/log.h"
#include "nodeagent/sys/wheel.h"

#include <stdlib.h>

#define CRI_VERSION "0.1.0"

enum { VERBOSE_EVERY = 12 }; /* a verbose status is some 10 KiB */

struct runtime_state {
    struct runtime_options options;
    struct wheel_timer timer;
    struct cri_call *call;
    struct arena features; /* of what it can do */
    struct runtime_abilities abilities;
    char *name; /* "" until it was told */
    char *version;
    char *trouble; /* NULL: none */
    char *network_trouble;
    usec_t good; /* the last good answer; 0: none yet */
    bool driver_known;
    unsigned terse; /* status answers since one that told everything */
};

static void ask_version(struct runtime_state *runtime);
static void ask_driver(struct runtime_state *runtime);
static void ask_status(struct runtime_state *runtime);

static void later(struct runtime_state *runtime)
{
    wheel_arm(runtime->options.wheel, &runtime->timer,
              usec_add(clock_boottime(), RUNTIME_STATUS_USEC));
}

/* Only a change is news. */
static void set_trouble(struct runtime_state *runtime, char **trouble, const char *what,
                        const char *text)
{
    if (str_equal(*trouble, text))
        return;
    free(*trouble);
    *trouble = text ? mem_strdup(text) : NULL;
    if (text)
        log_warning("%s: %s", what, text);
    else
        log_info("%s: all is well again", what);
    runtime->options.changed(runtime->options.owner);
}

static void failed(struct runtime_state *runtime, const struct cri_method *method,
                   enum rpc_status status, const char *text)
{
    _cleanup_(mem_free_at) char *sentence = runtime_trouble(
        runtime->options.config->runtime_endpoint, cri_method_name(method), status, text);

    /* A short interruption is none: an upgrade of the runtime takes some seconds. */
    if (!runtime->good || usec_sub(clock_boottime(), runtime->good) >= RUNTIME_DOWN_USEC)
        set_trouble(runtime, &runtime->trouble, "container runtime is down", sentence);
    later(runtime);
}

static void call(struct runtime_state *runtime, const struct cri_method *method,
                 const ProtobufCMessage *request, cri_done_fn *done)
{
    usec_t timeout = MIN(runtime->options.config->runtime_request_timeout, RUNTIME_PATIENCE_USEC);
    struct err err;

    if (cri_call(&runtime->call, runtime->options.cri, method, request, timeout, done, runtime,
                 &err) < 0)
        failed(runtime, method, RPC_INTERNAL, err.text);
}

/* status */

static const Cri__RuntimeCondition *find_condition(const Cri__RuntimeStatus *status,
                                                   const char *type)
{
    for (size_t i = 0; i < status->n_conditions; i++)
        if (str_equal(status->conditions[i]->type, type))
            return status->conditions[i];
    return NULL;
}

static void add(struct arena *arena, struct string_list *list, size_t max, const char *name)
{
    if (!list->items)
        list->items = arena_array(arena, const char *, max);
    list->items[list->count++] = arena_strdup(arena, name);
}

static struct runtime_handler handler_of(struct arena *arena, const Cri__RuntimeHandler *told)
{
    const Cri__RuntimeHandlerFeatures *can = told->features;
    struct runtime_handler handler = {
        .name = arena_strdup(arena, told->name),
        .features = arena_new(arena, struct runtime_handler_features),
    };

    *handler.features = (struct runtime_handler_features){
        .recursive_read_only_mounts = can && can->recursive_read_only_mounts ? OPT_TRUE : OPT_FALSE,
        .user_namespaces = can && can->user_namespaces ? OPT_TRUE : OPT_FALSE,
    };
    return handler;
}

static void take_features(struct runtime_state *runtime, const Cri__StatusResponse *response)
{
    struct node_facts *facts = runtime->options.facts;
    struct runtime_abilities *abilities = &runtime->abilities;

    arena_deinit(&runtime->features);
    runtime->features = ARENA_INIT(256, 1024);
    facts->user_namespace_handlers = (struct string_list){0};
    facts->recursive_read_only_handlers = (struct string_list){0};
    facts->supplemental_groups_policy =
        response->features && response->features->supplemental_groups_policy;
    *abilities = (struct runtime_abilities){
        .told = true,
        .handlers =
            arena_array(&runtime->features, struct runtime_handler, response->n_runtime_handlers),
        .features_told = response->features,
    };
    for (size_t i = 0; i < response->n_runtime_handlers; i++) {
        const Cri__RuntimeHandler *handler = response->runtime_handlers[i];
        size_t max = response->n_runtime_handlers;

        abilities->handlers[abilities->handler_count++] = handler_of(&runtime->features, handler);
        if (handler->features && handler->features->user_namespaces)
            add(&runtime->features, &facts->user_namespace_handlers, max, handler->name);
        if (handler->features && handler->features->recursive_read_only_mounts)
            add(&runtime->features, &facts->recursive_read_only_handlers, max, handler->name);
    }
}

static void take_condition(struct runtime_state *runtime, const Cri__RuntimeStatus *status,
                           const char *type, char **trouble, const char *what)
{
    const Cri__RuntimeCondition *condition = find_condition(status, type);
    _cleanup_(mem_free_at) char *text = NULL;

    if (!condition)
        text = mem_printf("the runtime does not report %s", type);
    else if (!condition->status)
        text = mem_printf("%s=false reason:%s message:%s", type, condition->reason,
                          condition->message);
    set_trouble(runtime, trouble, what, text);
}

/* What containerd has loaded from its CNI directory is told to those who ask at length only. */
static void tell_networks(struct runtime_state *runtime, const Cri__StatusResponse *response)
{
    const char *networks = NULL;

    if (++runtime->terse < VERBOSE_EVERY)
        return;
    runtime->terse = 0;
    for (size_t i = 0; i < response->n_info; i++)
        if (str_equal(response->info[i]->key, "cniconfig"))
            networks = response->info[i]->value;
    runtime->options.networks(runtime->options.owner, networks);
}

static void on_status(void *owner, const struct cri_reply *reply)
{
    struct runtime_state *runtime = owner;
    const Cri__StatusResponse *response = reply->message;

    runtime->call = NULL;
    if (reply->status != RPC_OK || !response->status) {
        if (reply->status == RPC_UNAVAILABLE) { /* it may come back as another version */
            runtime->driver_known = false;
            runtime->terse = VERBOSE_EVERY - 1;
        }
        failed(runtime, &cri_status, reply->status,
               reply->status == RPC_OK ? "no status in the answer" : reply->text);
        return;
    }
    runtime->good = clock_boottime();
    take_features(runtime, response);
    take_condition(runtime, response->status, "RuntimeReady", &runtime->trouble,
                   "container runtime is not ready");
    take_condition(runtime, response->status, "NetworkReady", &runtime->network_trouble,
                   "container runtime network not ready");
    tell_networks(runtime, response);
    later(runtime);
}

static void ask_status(struct runtime_state *runtime)
{
    Cri__StatusRequest request = CRI__STATUS_REQUEST__INIT;

    request.verbose = runtime->terse + 1 == VERBOSE_EVERY;
    call(runtime, &cri_status, &request.base, on_status);
}

/* the cgroup driver, which old runtimes do not tell */

static void on_driver(void *owner, const struct cri_reply *reply)
{
    struct runtime_state *runtime = owner;
    const Cri__RuntimeConfigResponse *response = reply->message;

    runtime->call = NULL;
    if (reply->status != RPC_OK && reply->status != RPC_UNIMPLEMENTED) {
        failed(runtime, &cri_runtime_config, reply->status, reply->text);
        return;
    }
    runtime->driver_known = true;
    if (reply->status == RPC_OK && response->linux_config)
        runtime->options.facts->cgroup_driver =
            response->linux_config->cgroup_driver == CRI__CGROUP_DRIVER__SYSTEMD
                ? CGROUP_DRIVER_SYSTEMD
                : CGROUP_DRIVER_CGROUPFS;
    ask_status(runtime);
}

static void ask_driver(struct runtime_state *runtime)
{
    Cri__RuntimeConfigRequest request = CRI__RUNTIME_CONFIG_REQUEST__INIT;

    call(runtime, &cri_runtime_config, &request.base, on_driver);
}

/* version */

static void on_version(void *owner, const struct cri_reply *reply)
{
    struct runtime_state *runtime = owner;
    const Cri__VersionResponse *response = reply->message;

    runtime->call = NULL;
    if (reply->status != RPC_OK) {
        failed(runtime, &cri_version, reply->status, reply->text);
        return;
    }
    if (!str_equal(response->version, CRI_VERSION) || str_empty(response->runtime_name) ||
        str_empty(response->runtime_version) || str_empty(response->runtime_api_version)) {
        failed(runtime, &cri_version, RPC_OK,
               "its answer is not that of a container runtime with the v1 CRI");
        return;
    }
    if (!str_equal(runtime->version, response->runtime_version) ||
        !str_equal(runtime->name, response->runtime_name))
        log_info("the container runtime is %s %s", response->runtime_name,
                 response->runtime_version);
    free(runtime->name);
    free(runtime->version);
    runtime->name = mem_strdup(response->runtime_name);
    runtime->version = mem_strdup(response->runtime_version);
    ask_driver(runtime);
}

static void ask_version(struct runtime_state *runtime)
{
    Cri__VersionRequest request = CRI__VERSION_REQUEST__INIT;

    request.version = (char *)CRI_VERSION;
    call(runtime, &cri_version, &request.base, on_version);
}

static void on_timer(struct wheel_timer *timer)
{
    struct runtime_state *runtime = container_of(timer, struct runtime_state, timer);

    if (runtime->driver_known)
        ask_status(runtime);
    else
        ask_version(runtime);
}

struct runtime_state *runtime_state_new(const struct runtime_options *options)
{
    struct runtime_state *runtime = mem_new(struct runtime_state);

    runtime->options = *options;
    runtime->terse = VERBOSE_EVERY - 1;
    runtime->name = mem_strdup("");
    runtime->version = mem_strdup("");
    runtime->trouble = mem_strdup("the container runtime has not answered yet");
    runtime->network_trouble = mem_strdup("the container runtime has not answered yet");
    wheel_timer_init(&runtime->timer, on_timer);
    ask_version(runtime);
    return runtime;
}

struct runtime_state *runtime_state_free(struct runtime_state *runtime)
{
    if (!runtime)
        return NULL;
    if (runtime->call)
        cri_cancel(runtime->call);
    wheel_cancel(&runtime->timer);
    arena_deinit(&runtime->features);
    free(runtime->name);
    free(runtime->version);
    free(runtime->trouble);
    free(runtime->network_trouble);
    free(runtime);
    return NULL;
}

const char *runtime_state_name(const struct runtime_state *runtime)
{
    return runtime->name;
}

const char *runtime_state_version(const struct runtime_state *runtime)
{
    return runtime->version ? runtime->version : "";
}

const char *runtime_state_trouble(const struct runtime_state *runtime)
{
    return runtime->trouble;
}

const char *runtime_state_network_trouble(const struct runtime_state *runtime)
{
    return runtime->network_trouble;
}

const struct runtime_abilities *runtime_state_abilities(const struct runtime_state *runtime)
{
    return &runtime->abilities;
}
