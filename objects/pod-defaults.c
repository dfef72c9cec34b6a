/* The defaults that the API server fills into a pod. */
#include "defaults.h"
#include "nodeagent/objects/image.h"
#include "nodeagent/objects/resources.h"
#include "pod-rules.h"

#include <string.h>

static void set_int32(int32_t *number, int32_t value)
{
    if (!*number)
        *number = value;
}

static void set_http_get(struct http_get_action *http_get)
{
    if (!http_get)
        return;
    default_string(&http_get->path, "/");
    default_string(&http_get->scheme, "HTTP");
}

static void set_probe(struct probe *probe)
{
    if (!probe)
        return;
    set_int32(&probe->timeout_seconds, 1);
    set_int32(&probe->period_seconds, 10);
    set_int32(&probe->success_threshold, 1);
    set_int32(&probe->failure_threshold, 3);
    set_http_get(probe->handler.http_get);
    if (probe->handler.grpc && !probe->handler.grpc->service)
        probe->handler.grpc->service = "";
}

/*
 * lifecycle.stopSignal is behind a gate that is off in 1.36: the server drops it, and with it a
 * lifecycle that holds nothing else.
 */
static void drop_stop_signal(struct container *container)
{
    struct lifecycle *lifecycle = container->lifecycle;

    if (!lifecycle->stop_signal)
        return;
    lifecycle->stop_signal = NULL;
    if (!lifecycle->post_start && !lifecycle->pre_stop)
        container->lifecycle = NULL;
}

static void set_lifecycle(struct container *container)
{
    if (!container->lifecycle)
        return;
    drop_stop_signal(container);
    if (!container->lifecycle)
        return;
    if (container->lifecycle->post_start)
        set_http_get(container->lifecycle->post_start->http_get);
    if (container->lifecycle->pre_stop)
        set_http_get(container->lifecycle->pre_stop->http_get);
}

static void set_env(struct container *container)
{
    array_for_each (env, container->env) {
        if (env->value_from && env->value_from->field_ref)
            default_string(&env->value_from->field_ref->api_version, "v1");
        if (env->value_from && env->value_from->file_key_ref &&
            env->value_from->file_key_ref->optional == OPT_UNSET)
            env->value_from->file_key_ref->optional = OPT_FALSE;
    }
}

/* Adds an entry, unless there is one of that name. */
static void set_quantity(struct quantity_sum *sum, const struct quantity_pair *pair)
{
    if (!quantity_sum_get(sum, pair->name))
        quantity_sum_append(sum, pair->name, &pair->quantity);
}

static void set_requests_from_limits(struct resources *resources, struct arena *arena)
{
    struct quantity_sum requests;

    quantity_sum_init(&requests, &resources->requests, arena);
    array_for_each (limit, resources->limits)
        set_quantity(&requests, limit);
    resources->requests = quantity_sum_finish(&requests);
}

static void set_container(struct container *container)
{
    default_string(&container->termination_message_path, "/dev/termination-log");
    default_string(&container->termination_message_policy, "File");
    default_string(&container->image_pull_policy,
                   image_default_pull_policy(container->image ? container->image : ""));
    array_for_each (port, container->ports)
        default_string(&port->protocol, "TCP");
    set_probe(container->liveness_probe);
    set_probe(container->readiness_probe);
    set_probe(container->startup_probe);
    set_lifecycle(container);
    set_env(container);
    quantity_map_round_up(&container->resources.limits);
    quantity_map_round_up(&container->resources.requests);
}

static void set_host_ports(struct container_list *containers)
{
    array_for_each (container, *containers) {
        array_for_each (port, container->ports)
            set_int32(&port->host_port, port->container_port);
    }
}

static bool is_cpu_or_memory(const char *name)
{
    return str_equal(name, "cpu") || str_equal(name, "memory");
}

static void set_pod_limits(struct pod_spec *spec, struct arena *arena)
{
    struct resources *resources = spec->resources;
    struct quantity_map total;
    struct quantity_sum limits, requests;

    if (!resources->limits.count && !resources->requests.count)
        return;
    total = pod_containers_total(spec, RESOURCE_LIMITS, arena);
    quantity_sum_init(&limits, &resources->limits, arena);
    quantity_sum_init(&requests, &resources->requests, arena);
    array_for_each (pair, total) {
        if (resource_is_hugepages(pair->name) && !quantity_sum_get(&requests, pair->name))
            set_quantity(&limits, pair);
    }
    quantity_sum_finish(&requests);
    resources->limits = quantity_sum_finish(&limits);
}

static void set_pod_requests(struct pod_spec *spec, struct arena *arena)
{
    struct resources *resources = spec->resources;
    struct quantity_map total;
    struct quantity_sum requests;

    if (!resources->limits.count)
        return;
    total = pod_containers_total(spec, RESOURCE_REQUESTS, arena);
    quantity_sum_init(&requests, &resources->requests, arena);
    array_for_each (pair, total) {
        if (is_cpu_or_memory(pair->name))
            set_quantity(&requests, pair);
    }
    array_for_each (limit, resources->limits) {
        if (is_cpu_or_memory(limit->name) || resource_is_hugepages(limit->name))
            set_quantity(&requests, limit);
    }
    resources->requests = quantity_sum_finish(&requests);
}

/* A pod's own resources take what its containers imply and leave out. */
static void set_pod_resources(struct pod_spec *spec, struct arena *arena)
{
    quantity_map_round_up(&spec->resources->limits);
    quantity_map_round_up(&spec->resources->requests);
    set_pod_limits(spec, arena);
    set_pod_requests(spec, arena);
}

static void set_spec(struct pod_spec *spec, struct arena *arena)
{
    default_string(&spec->restart_policy, "Always");
    default_string(&spec->dns_policy, "ClusterFirst");
    default_string(&spec->scheduler_name, "default-scheduler");
    if (!spec->security_context)
        spec->security_context = arena_new(arena, struct pod_security_context);
    if (!spec->termination_grace_period_seconds.set)
        spec->termination_grace_period_seconds = (struct opt_int64){30, true};
    if (spec->enable_service_links == OPT_UNSET)
        spec->enable_service_links = OPT_TRUE;
    default_string(&spec->service_account_name, spec->service_account);
    spec->service_account = spec->service_account_name;
    quantity_map_round_up(&spec->overhead);
    if (spec->host_network) {
        set_host_ports(&spec->init_containers);
        set_host_ports(&spec->containers);
    }
}

void pod_set_defaults(struct object *object)
{
    struct pod *pod = pod_of(object);
    struct pod_spec *spec = &pod->spec;
    struct arena *arena = &object->arena;

    array_for_each (volume, spec->volumes)
        volume_set_defaults(volume, arena);
    array_for_each (container, spec->init_containers) {
        set_container(container);
        set_requests_from_limits(&container->resources, arena);
    }
    array_for_each (container, spec->containers) {
        set_container(container);
        set_requests_from_limits(&container->resources, arena);
    }
    array_for_each (container, spec->ephemeral_containers)
        set_container(container);
    set_spec(spec, arena);
    if (spec->resources)
        set_pod_resources(spec, arena);
}
