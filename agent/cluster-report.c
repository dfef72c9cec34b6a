/*
 * Telling the API server what becomes of this node's pods. Of a pod at most one request is under
 * way: what changes meanwhile is told together, with the next. The first one of this agent's, and
 * each that changes the phase, names the version that it was made from, so that nobody's newer word
 * is taken back; refused, the pod is read and all is compared again.
 *
 * A static pod is told of by its mirror, which is made first.
 */
#include "cluster-private.h"
#include "cluster.h"

#include "nodeagent/api/status_patch.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/sys/log.h"

#include <stdlib.h>
#include <string.h>

#define DETAILS_USEC (1 * USEC_PER_SEC) /* that they may wait for news */

/* Is the answer newer than all that the watch told? Then it is of a mirror that was just made, and
 * not of one that was deleted meanwhile. */
static bool is_news(const struct agent_pod *pod, const struct object *answer)
{
    return version_is_older(api_watch_version(pod->agent->cluster->pods),
                            answer->metadata.resource_version);
}

/* The pod as the server has it, as far as this agent heard; NULL: it has none. An answer is kept
 * until the watch has told as much. */
static struct object *seen(struct agent_pod *pod)
{
    struct object *watched = pod->static_pod ? cluster_mirror_of(pod) : pod->object,
                  *answer = pod->report.answer;

    if (!watched && answer && is_news(pod, answer))
        return answer;
    if (watched && answer && str_equal(watched->metadata.uid, answer->metadata.uid) &&
        version_is_older(watched->metadata.resource_version, answer->metadata.resource_version))
        return answer;
    pod->report.answer = object_unref(answer);
    return watched;
}

static void begin(struct agent_pod *pod, const char *method, const char *rest, const char *body,
                  api_done_fn *done)
{
    bool post = !strcmp(method, "POST");
    char *path = mem_printf("/api/v1/namespaces/%s/pods%s%s%s", pod->name_space, post ? "" : "/",
                            post ? "" : pod->name, rest);
    struct api_request request = {
        .method = method,
        .path = path,
        .body = body,
        .type = !strcmp(method, "PATCH") ? API_STRATEGIC_MERGE : NULL,
    };

    pod->report.call = api_begin(pod->agent->cluster->api, &request, done, pod);
    free(path);
}

static void complain(struct agent_pod *pod, const char *trouble)
{
    if (!pod->report.complained)
        log_warning("%s; it is tried again", trouble);
    pod->report.complained = true;
}

/* What cannot be done now is done in a later round. */
static void put_off(struct agent_pod *pod, const struct api_reply *reply)
{
    pod->report.refused = true;
    if (reply->failure->code != 404 && reply->failure->code != 422)
        complain(pod, reply->failure->err.text);
}

static void went_well(struct agent_pod *pod)
{
    if (pod->report.complained)
        log_info("pod %s/%s: the API server takes what is told again", pod->name_space, pod->name);
    pod->report.complained = false;
}

/* One that is not understood changes nothing; the watch will tell. What has a mirror's name may be
 * another's pod. */
static void take_answer(struct agent_pod *pod, const struct api_reply *reply)
{
    struct err err;
    struct object *answer = cluster_answer(&object_kind_pod, OBJECT_DROP_RAW, reply, &err);

    if (!answer) {
        complain(pod, err.text);
        return;
    }
    went_well(pod);
    object_unref(pod->report.answer);
    pod->report.answer = answer;
    if (pod->static_pod && !is_mirror(answer))
        pod->report.answer = object_unref(answer);
}

static void report(struct agent_pod *pod);

/* telling */

static uint64_t version_hash(const struct object *object)
{
    const char *version = object ? object->metadata.resource_version : NULL;

    return version ? map_hash(version, strlen(version)) : 0;
}

static void on_read(void *owner, const struct api_reply *reply)
{
    struct agent_pod *pod = owner;

    pod->report.call = NULL;
    pod->report.refused = true; /* but for this one more try */
    if (reply->failure)
        return;
    take_answer(pod, reply);
    report(pod);
}

static void on_told(void *owner, const struct api_reply *reply)
{
    struct agent_pod *pod = owner;

    pod->report.call = NULL;
    if (!reply->failure) {
        pod->report.told = true;
        pod->report.refused = false;
        take_answer(pod, reply);
        pod->report.said_version = version_hash(pod->report.answer);
        cluster_report(pod);
    } else if (reply->failure->code == 409 && !pod->report.refused) {
        begin(pod, "GET", "", NULL, on_read);
    } else {
        if (reply->failure->code == 404) /* an answer may come later than what the watch tells */
            pod->report.answer = object_unref(pod->report.answer);
        put_off(pod, reply);
    }
}

/* The same twice: the server takes it and has something else, as one does that does not know a
 * field. It is told again when somebody else has changed the pod. */
static bool is_said(const struct agent_pod *pod, uint64_t hash, const struct object *server)
{
    const struct pod_report *report = &pod->report;

    return report->said == hash && !report->refused &&
           (!report->said_version || report->said_version == version_hash(server));
}

/* Of the status in a patch, whatever its preconditions. */
static uint64_t hash_of(const struct strbuf *patch)
{
    const char *status = strstr(patch->text, "\"status\":");

    return map_hash(status, patch->length - (size_t)(status - patch->text));
}

/* False: there is nothing to tell. */
static bool tell(struct agent_pod *pod, struct object *server)
{
    const char *version = server->metadata.resource_version;
    const struct pod_status *status = pod->memory.published;
    const struct pod *shown = pod_of(server);
    bool careful = !pod->report.told || !str_equal(shown->status.phase, status->phase);
    _cleanup_(strbuf_deinit) struct strbuf patch = STRBUF_INIT;
    enum status_change change =
        status_patch(shown, status, server->metadata.uid, careful ? version : NULL, &patch);

    if (change == STATUS_SAME)
        return false;
    if (is_said(pod, hash_of(&patch), server))
        return true;
    if (careful && !version) { /* it was remembered: what the server has now was not understood */
        begin(pod, "GET", "", NULL, on_read);
        return true;
    }
    if (change == STATUS_DETAIL && pod->report.told && !pod->report.due) {
        if (!wheel_timer_armed(&pod->report.later))
            wheel_arm(pod->agent->parts.wheel, &pod->report.later,
                      usec_add(clock_boottime(), DETAILS_USEC));
        return true;
    }
    /* The next agent goes on from there; if that cannot be, the cluster is told all the same. */
    record_write(pod, &pod->memory);
    pod->report.said = hash_of(&patch);
    pod->report.said_version = 0;
    pod->report.due = false;
    wheel_cancel(&pod->report.later);
    begin(pod, "PATCH", "/status", patch.text, on_told);
    return true;
}

/* deleting */

static void on_deleted(void *owner, const struct api_reply *reply)
{
    struct agent_pod *pod = owner;

    pod->report.call = NULL;
    if (!reply->failure || reply->failure->code == 404)
        pod->report.deleted = true; /* the watch says so, too */
    else
        put_off(pod, reply);
}

static void delete_seen(struct agent_pod *pod, const struct object *server, api_done_fn *done)
{
    char *body = mem_printf("{\"gracePeriodSeconds\":0,\"preconditions\":{\"uid\":\"%s\"}}",
                            server->metadata.uid);

    begin(pod, "DELETE", "", body, done);
    free(body);
}

static bool is_to_be_deleted(const struct agent_pod *pod, struct object *server)
{
    return pod->memory.stage == POD_STAGE_GONE && !pod->report.deleted &&
           pod->object->metadata.deletion_timestamp.set &&
           pod_phase_is_final(pod_of(server)->status.phase);
}

/* What is on record may be older than what the agent before told last: nothing is told before the
 * runtime was looked at. */
static bool has_news(const struct agent_pod *pod)
{
    return pod->planned && pod->memory.published;
}

/* mirrors */

static void on_mirror_deleted(void *owner, const struct api_reply *reply)
{
    struct agent_pod *pod = owner;

    pod->report.call = NULL;
    if (reply->failure && reply->failure->code != 404)
        put_off(pod, reply);
    else
        pod->report.answer = object_unref(pod->report.answer);
}

static void on_mirror_made(void *owner, const struct api_reply *reply)
{
    struct agent_pod *pod = owner;

    pod->report.call = NULL;
    if (reply->failure) {
        put_off(pod, reply);
        return;
    }
    pod->report.told = false;
    take_answer(pod, reply);
    cluster_report(pod);
}

static void make_mirror(struct agent_pod *pod)
{
    struct object *node = cluster_node_seen(pod->agent->cluster);
    _cleanup_(strbuf_deinit) struct strbuf body = STRBUF_INIT;

    if (!node || !cluster_is_complete(pod->agent->cluster))
        return;
    cluster_mirror_write(pod->object, node, &body);
    begin(pod, "POST", "", body.text, on_mirror_made);
}

static void report_mirror(struct agent_pod *pod)
{
    struct object *mirror = seen(pod);

    if (pod_waits_for(pod))
        return; /* the other's mirror has the name */
    if (!mirror)
        make_mirror(pod);
    else if (!cluster_mirror_fits(pod, mirror))
        delete_seen(pod, mirror, on_mirror_deleted);
    else if (has_news(pod))
        tell(pod, mirror);
}

/* the two ends */

static void report(struct agent_pod *pod)
{
    struct object *server;

    if (pod->static_pod) {
        report_mirror(pod);
        return;
    }
    server = seen(pod);
    if (!has_news(pod) || tell(pod, server))
        return;
    if (is_to_be_deleted(pod, server))
        delete_seen(pod, server, on_deleted);
}

/* Nothing of it will run again. */
static void need_no_more(struct agent_pod *pod)
{
    cluster_tokens_forget(pod);
    if (pod->refers)
        cluster_refer(pod, pod->object);
}

/* Before the server has told of all pods there is nothing to compare with. */
static bool may_report(const struct agent_pod *pod)
{
    const struct cluster *cluster = pod->agent->cluster;

    return cluster && cluster_is_complete(cluster) && pod->object && !pod->removed &&
           !pod->report.call && !pod->report.refused;
}

void cluster_report(struct agent_pod *pod)
{
    if (!may_report(pod))
        return;
    if (pod->memory.stage >= POD_STAGE_ENDED)
        need_no_more(pod);
    report(pod);
}

void cluster_report_round(struct agent_pod *pod)
{
    if (!pod->report.call)
        pod->report.refused = false;
    if (!pod->report.said_version)
        pod->report.said = 0;
    cluster_report(pod);
}

void cluster_mirror_gone(struct agent_pod *pod)
{
    pod->report.answer = object_unref(pod->report.answer);
    cluster_report(pod);
}

static void on_later(struct wheel_timer *timer)
{
    struct agent_pod *pod = container_of(timer, struct agent_pod, report.later);

    pod->report.due = true;
    cluster_report(pod);
}

void cluster_report_init(struct agent_pod *pod)
{
    wheel_timer_init(&pod->report.later, on_later);
}

void cluster_report_no_more(struct agent_pod *pod)
{
    wheel_cancel(&pod->report.later);
    if (pod->report.call)
        api_cancel(pod->report.call);
    object_unref(pod->report.answer);
}
