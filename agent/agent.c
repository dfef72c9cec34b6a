/* The agent: its parts are wired here. */
#include "shell.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/sys/child.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/files.h"
#include "nodeagent/sys/log.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* sources */

static void on_directory(void *owner, const struct static_set *set)
{
    struct agent *agent = owner;

    pods_take_set(agent, &agent->directory, set);
}

static void on_url(void *owner, const struct static_set *set)
{
    struct agent *agent = owner;

    pods_take_set(agent, &agent->url, set);
}

static int open_sources(struct agent *agent, struct err *err)
{
    const struct config *config = agent->config;
    struct static_options options = {
        .place = config->static_pod_path,
        .node_name = config->node_name,
        .period = config->file_check_usec,
        .config_objects = !config->kubeconfig,
        .loop = agent->parts.loop,
        .wheel = agent->parts.wheel,
        .work = agent->parts.work,
        .changed = on_directory,
        .owner = agent,
    };
    int r = 0;

    if (config->static_pod_path)
        r = static_directory_new(&agent->directory.source, &options, err);
    if (r < 0 || !config->static_pod_url)
        return r;
    options.place = config->static_pod_url;
    options.period = config->http_check_usec;
    options.http = agent->parts.http;
    options.headers = config->static_pod_url_headers;
    options.changed = on_url;
    return static_url_new(&agent->url.source, &options, err);
}

/* the runtime */

static void on_seen(void *owner, const char *uid)
{
    struct agent *agent = owner;
    struct agent_pod *pod;

    if (!uid) {
        if (!agent->looked) {
            pods_take_over(agent);
            pods_rank(agent);
            agent->looked = true;
            network_gc_soon(agent);
        }
        pods_find_orphans(agent);
        pods_touch_waiting(agent);
        return;
    }
    pod = pods_find(agent, uid);
    if (pod)
        pod_touch(pod);
    else if (agent->looked)
        pods_find_orphans(agent);
}

static void tell_beginning(struct agent *agent)
{
    agent_begun_fn *begun = agent->begun;

    if (!begun || str_empty(runtime_state_name(agent->runtime)))
        return;
    agent->begun = NULL;
    begun(agent->begun_owner);
}

static void on_runtime(void *owner)
{
    struct agent *agent = owner;

    pods_touch_all(agent);
    if (agent->cluster)
        cluster_changed(agent->cluster);
    tell_beginning(agent);
}

static void on_networks(void *owner, const char *status)
{
    struct agent *agent = owner;
    bool before = network_is_ours(agent->network);

    network_told(agent->network, status);
    if (!before && network_is_ours(agent->network))
        network_gc_soon(agent);
}

/* A killed agent's calls go on to their end: none leaves half a sandbox or container behind. */
static void on_connected(void *owner, const int *sockets, size_t count)
{
    struct agent *agent = owner;

    if (agent->parts.helper)
        child_helper_keep(agent->parts.helper, sockets, count);
    network_gc_after_trouble(agent);
}

static int open_runtime(struct agent *agent, struct err *err)
{
    const struct config *config = agent->config;
    struct cri_cache_options cache = {
        .loop = agent->parts.loop,
        .wheel = agent->parts.wheel,
        .call_timeout = config->runtime_request_timeout,
        .changed = on_seen,
        .owner = agent,
    };
    struct runtime_options runtime = {
        .config = config,
        .wheel = agent->parts.wheel,
        .facts = agent->parts.facts,
        .changed = on_runtime,
        .networks = on_networks,
        .owner = agent,
    };
    struct network_options network = {
        .loop = agent->parts.loop,
        .wheel = agent->parts.wheel,
        .helper = agent->parts.helper,
        .changed = on_runtime,
        .owner = agent,
    };
    struct images_options images = {
        .config = config,
        .wheel = agent->parts.wheel,
        .work = agent->parts.work,
    };
    int r = cri_new(&agent->cri, agent->parts.rpc, config->runtime_endpoint, config->image_endpoint,
                    err);

    if (r < 0)
        return r;
    cri_watch_connection(agent->cri, on_connected, agent);
    cache.cri = runtime.cri = images.cri = agent->cri;
    agent->network = network_new(&network);
    agent->network_calls = network_calls_new();
    network_gc_begin(agent);
    agent->cache = cri_cache_new(&cache);
    agent->runtime = runtime_state_new(&runtime);
    agent->images = images_new(&images);
    return 0;
}

static int open_directories(struct agent *agent, struct err *err)
{
    const struct config *config = agent->config;

    agent->directories.root = directory_open(config->root_dir, 0750, err);
    if (agent->directories.root < 0)
        return agent->directories.root;
    agent->directories.logs = directory_open(config->pod_logs_dir, 0755, err);
    return agent->directories.logs < 0 ? err_prefix(err, "--pod-log-dir") : 0;
}

static unsigned turns_max(void)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    return (unsigned)MAX(MIN(cores * TURNS_MAX_PER_CORE, TURNS_MAX), TURNS_MAX_PER_CORE);
}

int agent_new(struct agent **result, const struct config *config, const struct agent_parts *parts,
              struct err *err)
{
    struct agent *agent = mem_new(struct agent);
    int r;

    agent->config = config;
    agent->parts = *parts;
    agent->began = clock_boottime();
    agent->directories = (struct agent_directories){.root = -1, .logs = -1};
    agent->records = -1;
    agent->turns_max = turns_max();
    agent->scratch = ARENA_INIT_DOCUMENT;
    agent->events = events_new(config->node_name);
    list_init(&agent->dirty);
    for (size_t i = 0; i < TURN_QUEUES; i++)
        list_init(&agent->turn_queues[i]);
    loop_post_init(&agent->plan_post, planning_post);
    r = open_directories(agent, err);
    if (r == 0)
        r = records_open(agent, err);
    if (r == 0)
        r = open_runtime(agent, err);
    if (r == 0) {
        records_load(agent);
        r = open_sources(agent, err);
    }
    if (r == 0 && parts->api)
        agent->cluster = cluster_new(agent, parts->api);
    else if (r == 0)
        cluster_offline_remove(agent);
    if (r < 0) {
        agent_free(agent);
        return r;
    }
    sweep_begin(agent);
    agent->log_rotations = log_rotations_new(agent);
    *result = agent;
    return 0;
}

void agent_network_call(struct agent *agent, const char *bytes, size_t length)
{
    struct network_call call;
    struct agent_pod *pod;
    struct err err;

    if (network_calls_take(agent->network_calls, bytes, length, &call, &err) < 0) {
        log_debug("what nodeagent-cni told is passed over: %s", err.text);
        return;
    }
    if (call.failed)
        network_doubt(agent->network);
    pod = call.text ? pods_find(agent, call.uid) : NULL;
    if (pod) {
        free(pod->network_call);
        pod->network_call = call.text;
    } else {
        free(call.text);
    }
}

void agent_finish(struct agent *agent, agent_finished_fn *call, void *owner)
{
    agent->finished = call;
    agent->finished_owner = owner;
    tasks_finish(agent);
}

struct agent *agent_free(struct agent *agent)
{
    if (!agent)
        return NULL;
    if (agent->finished)
        wheel_cancel(&agent->finish);
    agent->finished = NULL;
    sweep_end(agent);
    agent->log_rotations = log_rotations_free(agent->log_rotations);
    static_source_free(agent->directory.source);
    static_source_free(agent->url.source);
    if (agent->records >= 0) {
        records_write_due(agent);
        wheel_cancel(&agent->records_timer);
    }
    pods_free(agent);
    agent->cluster = cluster_free(agent->cluster); /* events may still be told */
    probing_end(agent);
    loop_post_cancel(agent->parts.loop, &agent->plan_post);
    runtime_state_free(agent->runtime);
    if (agent->network)
        network_gc_end(agent);
    network_free(agent->network);
    network_calls_free(agent->network_calls);
    images_free(agent->images);
    if (agent->cache)
        cri_cache_free(agent->cache);
    cri_free(agent->cri);
    events_free(agent->events);
    arena_deinit(&agent->directory.arena);
    arena_deinit(&agent->url.arena);
    arena_deinit(&agent->scratch);
    node_files_deinit(&agent->node_files);
    fd_close_at(&agent->directories.root);
    fd_close_at(&agent->directories.logs);
    fd_close_at(&agent->records);
    free(agent);
    return NULL;
}

bool agent_is_settled(const struct agent *agent)
{
    return agent->looked && pods_sources_complete(agent);
}

void agent_watch_beginning(struct agent *agent, agent_begun_fn *call, void *owner)
{
    agent->begun = call;
    agent->begun_owner = owner;
}
