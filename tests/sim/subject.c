/* The agent under test: its parts, as agent/main.c puts them together. */
#include "subject.h"
#include "agent.h"
#include "node-machine.h"
#include "nodeagent/api/client.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/net/rpc.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/files.h"
#include "nodeagent/sys/loop.h"
#include "nodeagent/sys/wheel.h"
#include "nodeagent/sys/work.h"

#include <stdlib.h>
#include <string.h>

struct subject {
    struct config config;
    struct node_machine machine;
    struct node_facts facts;
    struct agent_parts parts;
    struct wheel_driver *driver;
    struct agent *agent;
    struct arena arena;
};

static struct subject *subject;

static void configure(struct config *config)
{
    *config = (struct config){
        .arena = ARENA_INIT_DOCUMENT,
        .root_dir = SUBJECT_ROOT,
        .run_dir = SUBJECT_RUN,
        .pod_logs_dir = SUBJECT_LOGS,
        .container_logs_dir = "/var/log/containers",
        .runtime_endpoint = "unix:///run/containerd/containerd.sock",
        .resolv_conf = "/etc/resolv.conf",
        .node_name = "node",
        .max_pods = 110,
        .static_pod_path = "/etc/kubernetes/manifests",
        .file_check_usec = 20 * USEC_PER_SEC,
        .http_check_usec = 20 * USEC_PER_SEC,
        .cluster_domain = "cluster.local",
        .cgroup_driver = CGROUP_DRIVER_CGROUPFS,
        .cgroup_root = "/",
        .cpu_cfs_quota = true,
        .cpu_cfs_quota_period = 100 * USEC_PER_MSEC,
        .max_container_restart_period = world->restart_period_max,
        .runtime_request_timeout = world->request_timeout,
        .max_parallel_image_pulls = 4,
        .registry_pull_qps = 5,
        .registry_burst = 10,
        .container_log_max_bytes = 10 << 20,
        .container_log_max_files = 5,
        .container_log_max_workers = 2,
        .container_log_interval = 10 * USEC_PER_SEC,
        .kubeconfig = world->api ? "/etc/kubernetes/kubelet.conf" : NULL,
        .register_node = true,
        .controller_attach_detach = true,
        .kubernetes_version = "v1.36.2",
        .node_status_update_usec = 10 * USEC_PER_SEC,
        .node_status_report_usec = 300 * USEC_PER_SEC,
        .node_lease_seconds = 40,
        .node_status_images_max = 50,
        .api_qps = 50,
        .api_burst = 100,
        .event_qps = 50,
        .event_burst = 100,
    };
}

static void add_quantity(struct quantity_map *map, const char *name, const char *text)
{
    struct err err;

    map->items[map->count].name = name;
    assert_that(quantity_parse(text, strlen(text), &map->items[map->count].quantity, &err) == 0);
    map->count++;
}

static void know_node(struct subject *node)
{
    static const char *address = "192.0.2.10";
    _cleanup_(strbuf_deinit) struct strbuf boot_id = STRBUF_INIT;
    struct node_facts *facts = &node->facts;
    struct err err;

    assert_that(file_read("/proc/sys/kernel/random/boot_id", 64, &boot_id, &err) == 0);
    node->machine = (struct node_machine){
        .machine_id = "machine",
        .system_uuid = "system",
        .boot_id = arena_strndup(&node->arena, boot_id.text, strcspn(boot_id.text, "\n")),
        .kernel_version = "6.1",
        .os_image = "an image",
        .architecture = "amd64",
        .cpus = 4,
        .memory_bytes = (int64_t)16 << 30,
    };
    facts->config = &node->config;
    facts->machine = &node->machine;
    facts->boot_id = arena_strndup(&node->arena, boot_id.text, strcspn(boot_id.text, "\n"));
    facts->addresses.items = &address;
    facts->addresses.count = 1;
    facts->memory_bytes = (int64_t)16 << 30;
    facts->cgroup_v2 = true;
    facts->cgroup_driver = CGROUP_DRIVER_CGROUPFS;
    facts->allocatable.items = arena_alloc(&node->arena, sizeof(*facts->allocatable.items) * 3);
    add_quantity(&facts->allocatable, "cpu", "4");
    add_quantity(&facts->allocatable, "memory", "16Gi");
    add_quantity(&facts->allocatable, "pods", "110");
}

static int identify(void *owner, struct api_identity *identity, struct err *err)
{
    *identity = (struct api_identity){.authorization = "Bearer of-the-node"};
    return 0;
}

static void on_refused(void *owner, usec_t began)
{
}

static int open_api(struct subject *node, struct err *err)
{
    struct api_options options = {
        .loop = node->parts.loop,
        .wheel = node->parts.wheel,
        .work = node->parts.work,
        .server = "https://api",
        .user_agent = "simulation",
        .rate = node->config.api_qps,
        .burst = node->config.api_burst,
        .event_rate = node->config.event_qps,
        .event_burst = node->config.event_burst,
        .identify = identify,
        .refused = on_refused,
    };

    return world->api ? api_new(&node->parts.api, &options, err) : 0;
}

static int open_parts(struct subject *node, struct err *err)
{
    struct agent_parts *parts = &node->parts;
    int r = loop_new(&parts->loop, err);

    parts->wheel = wheel_new(clock_boottime());
    if (r == 0)
        r = wheel_driver_new(&node->driver, parts->wheel, parts->loop, err);
    if (r == 0)
        r = work_new(&parts->work, parts->loop, parts->wheel, err);
    if (r == 0)
        r = rpc_new(&parts->rpc, parts->loop, err);
    if (r == 0)
        r = open_api(node, err);
    return r;
}

void subject_start(void *unused)
{
    struct err err;

    subject = mem_new(struct subject);
    subject->arena = ARENA_INIT_DOCUMENT;
    configure(&subject->config);
    know_node(subject);
    subject->parts.facts = &subject->facts;
    if (open_parts(subject, &err) == 0 &&
        agent_new(&subject->agent, &subject->config, &subject->parts, &err) == 0) {
        agent_watch_events(subject->agent, NULL, NULL); /* the API server is told all the same */
        return;
    }
    trace("  the agent does not start: %s", err.text);
    life_ends_here();
}

void subject_stop(void *unused)
{
    agent_free(subject->agent);
    api_free(subject->parts.api);
    rpc_free(subject->parts.rpc);
    work_free(subject->parts.work);
    wheel_driver_free(subject->driver);
    wheel_free(subject->parts.wheel);
    loop_free(subject->parts.loop);
    arena_deinit(&subject->arena);
    free(subject);
    subject = NULL;
}

void subject_tell(void *strbuf)
{
    struct json_writer writer;

    json_writer_init(&writer, strbuf, false);
    agent_write_pods(subject->agent, &writer);
    json_writer_deinit(&writer);
}

bool subject_is_settled(void)
{
    return agent_is_settled(subject->agent);
}
