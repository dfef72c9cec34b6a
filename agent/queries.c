/* What operators are told: pods with their statuses, events, and what blocks. */
#include "shell.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/probes/probers.h"
#include "nodeagent/sys/clock.h"

#include <errno.h>
#include <string.h>

enum {
    WHY_EVENTS_MAX = 10, /* of a pod, the newest */
};

static void begin_list(struct json_writer *writer, const char *kind)
{
    json_write_object(writer);
    json_write_string_member(writer, "kind", kind);
    json_write_string_member(writer, "apiVersion", "v1");
    json_write_name(writer, "metadata");
    json_write_object(writer);
    json_write_object_end(writer);
    json_write_name(writer, "items");
    json_write_array(writer);
}

/* pods */

/* The object as it is desired, with the status that is published. */
static void write_pod(const struct agent_pod *pod, struct json_writer *writer)
{
    struct pod shown = *pod_object(pod);

    if (pod->memory.published)
        shown.status = *pod->memory.published;
    object_encode(&shown.object, writer);
}

void agent_write_pods(struct agent *agent, struct json_writer *writer)
{
    struct map_entry *entry;

    begin_list(writer, "PodList");
    for (size_t at = 0; (entry = map_next(&agent->pods, &at));)
        if (((struct agent_pod *)entry->value)->object)
            write_pod(entry->value, writer);
    json_write_array_end(writer);
    json_write_object_end(writer);
}

/* why */

/* A point of the boot clock, told by the wall clock. */
static void write_point(struct json_writer *writer, const char *name, usec_t boot)
{
    int64_t ahead = (int64_t)boot - (int64_t)clock_boottime();
    char text[TIME_TEXT_MAX];

    json_write_string_member(writer, name,
                             time_format_rfc3339((int64_t)clock_wall() + ahead, text));
}

static void write_blocker(const struct pod_blocker *blocker, struct json_writer *writer)
{
    json_write_object(writer);
    json_write_string_member(writer, "reason", blocker->reason);
    if (blocker->container)
        json_write_string_member(writer, "container", blocker->container);
    json_write_string_member(writer, "text", blocker->text);
    if (blocker->since)
        write_point(writer, "since", blocker->since);
    if (blocker->until != USEC_NEVER)
        write_point(writer, "until", blocker->until);
    json_write_object_end(writer);
}

static void write_trouble(const char *reason, const char *text, struct json_writer *writer)
{
    struct pod_blocker blocker = {.reason = reason, .text = text, .until = USEC_NEVER};

    if (text)
        write_blocker(&blocker, writer);
}

static void write_problems(const struct source *source, struct json_writer *writer)
{
    array_for_each (problem, source->problems) {
        _cleanup_(mem_free_at) char *text = mem_printf("%s: %s", problem->place, problem->sentence);

        write_trouble(problem->refused ? "ManifestRefused" : "ManifestWarning", text, writer);
    }
}

static void write_cluster(const struct cluster *cluster, struct json_writer *writer)
{
    write_trouble("ApiServerTrouble", cluster_trouble(cluster), writer);
    write_trouble("Checkpoint", cluster_offline_says(cluster), writer);
    array_for_each (problem, *cluster_offline_problems(cluster))
        write_trouble("CheckpointRefused", *problem, writer);
}

static void write_node(const struct agent *agent, struct json_writer *writer)
{
    json_write_name(writer, "node");
    json_write_object(writer);
    json_write_name(writer, "blockers");
    json_write_array(writer);
    write_trouble("RuntimeDown", runtime_state_trouble(agent->runtime), writer);
    write_trouble("NetworkNotReady", agent_network_trouble(agent), writer);
    /* It says the same, in gRPC's words, of a runtime that is down. */
    if (!runtime_state_trouble(agent->runtime))
        write_trouble("RuntimeTrouble", cri_cache_health(agent->cache).trouble, writer);
    if (agent->cluster)
        write_cluster(agent->cluster, writer);
    write_problems(&agent->directory, writer);
    write_problems(&agent->url, writer);
    json_write_array_end(writer);
    json_write_string_member(writer, "networkFile", network_file(agent->network));
    json_write_name(writer, "networkPlugins");
    network_calls_write(agent->network_calls, writer);
    json_write_object_end(writer);
}

/* It was JSON when it came. */
static void write_network(const struct agent_pod *pod, struct json_writer *writer)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    struct json_findings findings;
    struct json *call;
    struct err err;

    if (!pod->network_call || json_parse(&arena, pod->network_call, strlen(pod->network_call),
                                         &json_limits_manifest, &findings, &call, &err) < 0)
        return;
    json_write_name(writer, "network");
    json_write_value(writer, call);
}

/* One that ended well is not waited for. */
static bool has_succeeded(const struct agent_pod *pod)
{
    return pod->memory.published && str_equal(pod->memory.published->phase, "Succeeded");
}

static void write_why(struct agent_pod *pod, struct json_writer *writer)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    struct pod_plan plan;

    pod_explain_now(pod, &arena, &plan);
    json_write_object(writer);
    json_write_string_member(writer, "namespace", pod->name_space);
    json_write_string_member(writer, "name", pod->name);
    json_write_string_member(writer, "uid", pod->uid);
    json_write_string_member(writer, "phase",
                             pod->memory.published ? pod->memory.published->phase : "");
    json_write_bool_member(writer, "ready", pod_is_ready(pod->memory.published));
    json_write_name(writer, "blockers");
    json_write_array(writer);
    write_trouble("RecordNotWritten", pod->record_trouble, writer);
    array_for_each (blocker, plan.blockers)
        write_blocker(blocker, writer);
    json_write_array_end(writer);
    write_network(pod, writer);
    json_write_name(writer, "events");
    events_write_of(pod->agent->events, pod->uid, WHY_EVENTS_MAX, writer);
    json_write_object_end(writer);
}

/* NAME, NAMESPACE/NAME, either without the node's name at the end, a UID or its beginning. */
static bool is_meant(const struct agent_pod *pod, const char *asked)
{
    const char *slash = strchr(asked, '/'), *name = slash ? slash + 1 : asked;
    size_t length = strlen(name);

    if (slash && (strlen(pod->name_space) != (size_t)(slash - asked) ||
                  strncmp(pod->name_space, asked, (size_t)(slash - asked)) != 0))
        return false;
    if (!strcmp(pod->name, name) || (!slash && str_has_prefix(pod->uid, name)))
        return true;
    return pod->static_pod && str_has_prefix(pod->name, name) && pod->name[length] == '-' &&
           str_equal(pod->name + length + 1, pod->agent->config->node_name);
}

static int find_meant(struct agent *agent, const char *asked, const struct agent_pod **meant,
                      struct err *err)
{
    struct map_entry *entry;

    *meant = NULL;
    for (size_t at = 0; (entry = map_next(&agent->pods, &at));) {
        if (!is_meant(entry->value, asked))
            continue;
        if (*meant)
            return err_set(err, -EINVAL,
                           "\"%s\" may be pod %s/%s or %s/%s: name it by its namespace or UID",
                           asked, (*meant)->name_space, (*meant)->name,
                           ((struct agent_pod *)entry->value)->name_space,
                           ((struct agent_pod *)entry->value)->name);
        *meant = entry->value;
    }
    return *meant ? 0 : err_set(err, -ENOENT, "there is no pod \"%s\" on this node", asked);
}

int agent_write_why(struct agent *agent, const char *asked, struct json_writer *writer,
                    struct err *err)
{
    const struct agent_pod *meant = NULL;
    struct map_entry *entry;
    int r = asked ? find_meant(agent, asked, &meant, err) : 0;

    if (r < 0)
        return r;
    json_write_object(writer);
    write_node(agent, writer);
    json_write_name(writer, "pods");
    json_write_array(writer);
    for (size_t at = 0; (entry = map_next(&agent->pods, &at));) {
        struct agent_pod *pod = entry->value;

        if (meant ? pod == meant : !pod_is_ready(pod->memory.published) && !has_succeeded(pod))
            write_why(pod, writer);
    }
    json_write_array_end(writer);
    json_write_object_end(writer);
    return 0;
}

/* probes */

int agent_write_probes(struct agent *agent, const char *asked, struct json_writer *writer,
                       struct err *err)
{
    const struct agent_pod *meant = NULL;
    int r = asked ? find_meant(agent, asked, &meant, err) : 0;

    if (r < 0)
        return r;
    json_write_object(writer);
    json_write_name(writer, "probes");
    if (agent->probers) {
        probers_write(agent->probers, meant ? meant->uid : NULL, writer);
    } else {
        json_write_array(writer);
        json_write_array_end(writer);
    }
    json_write_object_end(writer);
    return 0;
}

void agent_write_metrics(struct agent *agent, struct strbuf *text)
{
    if (agent->probers)
        probers_write_metrics(agent->probers, text);
}

/* events */

void agent_write_events(struct agent *agent, struct json_writer *writer)
{
    events_write_list(agent->events, writer);
}

static void on_event(void *owner, const char *json, size_t length)
{
    struct agent *agent = owner;

    if (agent->event_watcher)
        agent->event_watcher(agent->event_watcher_owner, json, length);
    if (agent->cluster)
        cluster_event(agent->cluster, json, length);
}

void agent_watch_events(struct agent *agent, agent_event_fn *call, void *owner)
{
    agent->event_watcher = call;
    agent->event_watcher_owner = owner;
    events_watch(agent->events, call || agent->cluster ? on_event : NULL, agent);
}
