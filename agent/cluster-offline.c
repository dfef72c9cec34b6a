/*
 * Beginning without the API server. After a short wait for it the checkpoint is read, in the pool,
 * and the watches are primed with what it has: from there on its pods are as any others, and what
 * they refer to is found. It is no complete set, so nothing ends for being absent from it; the
 * first set of the server's is compared with it and takes over.
 */
#include "checkpoint.h"
#include "cluster-private.h"
#include "cluster.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LOADING_USEC (60 * USEC_PER_SEC)
#define HEARD_LATELY_USEC (90 * USEC_PER_SEC) /* a request that waits is looked at more often */

struct cluster_offline {
    struct cluster *cluster;
    struct wheel_timer wait;
    struct work_job *job;
    struct checkpoint_loaded *loaded; /* NULL: not, or not any more */
    struct map objects;               /* "Kind/namespace/name" to struct object, of `loaded` */
    struct map absent;                /* the same: the server had none */
    char *says;
    struct arena arena; /* of the problems */
    struct string_list problems;
};

static struct agent *agent_of(const struct cluster_offline *offline)
{
    return offline->cluster->agent;
}

static void say(struct cluster_offline *offline, char *text)
{
    bool news = text && !str_equal(text, offline->says);

    free(offline->says);
    offline->says = text;
    if (news)
        log_warning("%s", text);
}

static void add_problem(struct cluster_offline *offline, const char *text)
{
    strings_add(&offline->arena, &offline->problems, arena_strdup(&offline->arena, text));
    log_warning("%s", text);
}

/* what pods refer to */

static void take_object(struct cluster_offline *offline, struct object *object)
{
    const struct object_meta *meta = &object->metadata;
    _cleanup_(mem_free_at) char *key =
        mem_printf("%s/%s/%s", object->kind->name, meta->name_space, meta->name);
    struct object *other = map_get(&offline->objects, key);

    /* Each pod's file is of another moment. */
    if (!other || version_is_older(other->metadata.resource_version, meta->resource_version))
        map_put(&offline->objects, key, object);
}

static void take_references(struct cluster_offline *offline, const struct checkpoint_file *file)
{
    const struct object *pod = file->objects.items[0];

    for (size_t i = 1; i < file->objects.count; i++)
        take_object(offline, file->objects.items[i]);
    array_for_each (name, file->absent) {
        const char *slash = strchr(*name, '/');
        _cleanup_(mem_free_at) char *key = slash
                                               ? mem_printf("%.*s/%s%s", (int)(slash - *name),
                                                            *name, pod->metadata.name_space, slash)
                                               : mem_strdup(*name);

        map_put(&offline->absent, key, offline);
    }
}

void cluster_offline_prime(struct cluster_offline *offline, struct api_watch *watch,
                           const char *key)
{
    struct object *object = map_get(&offline->objects, key);

    if (cluster_is_complete(offline->cluster))
        return; /* the server is there: it tells what is */
    if (object)
        api_watch_prime(watch, &object, 1);
    else if (map_get(&offline->absent, key))
        api_watch_prime(watch, NULL, 0);
}

/* what pods share */

static void prime_kind(struct cluster_offline *offline, const struct object_kind *kind,
                       struct api_watch *watch)
{
    const struct checkpoint_file *file = &offline->loaded->node;
    struct object **objects =
        arena_array(&offline->loaded->arena, struct object *, file->objects.count);
    size_t count = 0;

    array_for_each (object, file->objects)
        if ((*object)->kind == kind)
            objects[count++] = *object;
    api_watch_prime(watch, objects, count);
}

static void prime_shared(struct cluster_offline *offline)
{
    struct cluster *cluster = offline->cluster;

    prime_kind(offline, &object_kind_service, cluster->services);
    prime_kind(offline, &object_kind_runtime_class, cluster->runtime_classes);
    array_for_each (object, offline->loaded->node.objects)
        if ((*object)->kind == &object_kind_node)
            cluster_node_prime(cluster->node, *object);
}

/* pods */

/* What a record of this boot tells of it; NULL: nothing. */
static const struct pod_memory *memory_of(const struct cluster_offline *offline, const char *uid)
{
    const struct agent_pod *pod = pods_find(agent_of(offline), uid);

    return pod ? &pod->memory : NULL;
}

static bool is_run(struct cluster_offline *offline, const struct checkpoint_file *file)
{
    const struct pod *pod = pod_of(file->objects.items[0]);
    const struct object_meta *meta = &pod->object.metadata;
    const struct pod_memory *memory = memory_of(offline, meta->uid);
    struct arena *arena = &offline->loaded->arena;
    const char *why;

    if (memory && memory->leaving && !meta->deletion_timestamp.set)
        return false; /* the server had said that it is gone */
    why = checkpoint_refusal(pod, agent_of(offline)->config->node_name, memory && memory->admitted,
                             arena);
    if (why)
        add_problem(offline, arena_printf(arena, "pod %s/%s is not run from the checkpoint: %s",
                                          meta->name_space, meta->name, why));
    return !why;
}

static void run_pods(struct cluster_offline *offline)
{
    struct checkpoint_loaded *loaded = offline->loaded;
    struct object **pods = arena_array(&loaded->arena, struct object *, loaded->pods.count);
    char heard[TIME_TEXT_MAX];
    size_t count = 0;

    array_for_each (file, loaded->pods)
        if (is_run(offline, file))
            pods[count++] = file->objects.items[0];
    time_format_rfc3339(loaded->node.heard, heard);
    say(offline,
        mem_printf("the API server is away: %zu of the pods of the checkpoint of %s are run", count,
                   heard));
    api_watch_prime(offline->cluster->pods, pods, count);
    array_for_each (file, loaded->pods) {
        struct agent_pod *pod = pods_find(agent_of(offline), file->objects.items[0]->metadata.uid);

        if (pod && pod->object == file->objects.items[0])
            array_for_each (token, file->tokens)
                cluster_tokens_restore(pod, token);
    }
}

/* It stays: watches that begin later are primed, too. */
static void take(struct cluster_offline *offline, struct checkpoint_loaded *loaded)
{
    offline->loaded = mem_new(struct checkpoint_loaded);
    *offline->loaded = *loaded;
    *loaded = (struct checkpoint_loaded){.root = -1};
    array_for_each (problem, offline->loaded->problems)
        add_problem(offline, *problem);
    array_for_each (file, offline->loaded->pods)
        take_references(offline, file);
    prime_shared(offline);
    run_pods(offline);
}

/* reading */

/* A clock that is behind says nothing of the age: a machine may have lost it with its power. */
static bool is_too_old(const struct cluster_offline *offline, int64_t heard)
{
    int64_t age = (int64_t)clock_wall() - heard;

    return age > 0 && (usec_t)age > agent_of(offline)->config->checkpoint_max_age;
}

static void refuse_old(struct cluster_offline *offline, int64_t heard)
{
    char then[TIME_TEXT_MAX], most[TIME_TEXT_MAX];
    usec_t max_age = agent_of(offline)->config->checkpoint_max_age;

    say(offline,
        mem_printf("the API server is away, and the checkpoint is of %s, which is longer ago than "
                   "offline.maxAge (%s): no pod is started from it",
                   time_format_rfc3339(heard, then),
                   duration_format((int64_t)MIN(max_age, INT64_MAX / 1000) * 1000, most)));
}

static void wait(struct cluster_offline *offline)
{
    wheel_arm(agent_of(offline)->parts.wheel, &offline->wait,
              usec_add(clock_boottime(), agent_of(offline)->config->checkpoint_wait));
}

/* The disk is slow, or busy with something else. */
static bool may_pass(int result)
{
    return result == -ETIMEDOUT || result == -EBUSY || result == -ENOBUFS || result == -EIO ||
           result == -EMFILE || result == -ENFILE;
}

static void on_loaded(void *owner, void *argument, int result)
{
    struct cluster_offline *offline = owner;
    struct checkpoint_loaded *loaded = argument;

    offline->job = NULL;
    if (result == -ECANCELED || cluster_is_complete(offline->cluster))
        return;
    if (may_pass(result) || (result == 0 && is_too_old(offline, loaded->node.heard)))
        wait(offline);
    if (result == -ENOENT)
        say(offline, mem_strdup("the API server is away, and there is no checkpoint: no pod of the "
                                "cluster is started"));
    else if (result < 0)
        say(offline, mem_printf("the API server is away, and the checkpoint is of no use: %s",
                                loaded ? loaded->err.text : "reading takes too long"));
    else if (is_too_old(offline, loaded->node.heard))
        refuse_old(offline, loaded->node.heard); /* the clock may yet be put right */
    else
        take(offline, loaded);
}

/* `offline` is NULL if what comes of it is nobody's business. */
static int submit(struct agent *agent, struct cluster_offline *offline, work_run_fn *run,
                  work_done_fn *done)
{
    struct work_order order = {
        .key = CHECKPOINT_DIRECTORY,
        .limit_usec = LOADING_USEC,
        .run = run,
        .done = done,
        .free = checkpoint_loaded_free,
        .argument = checkpoint_loaded_new(agent->directories.root),
        .owner = offline,
    };
    struct err err;
    int r = work_submit(agent->parts.work, &order, offline ? &offline->job : NULL, &err);

    if (r == 0)
        return 0;
    checkpoint_loaded_free(order.argument);
    log_failure(LOG_LEVEL_WARNING, NULL, &err);
    return r;
}

/* removing */

static void on_removed(void *owner, void *argument, int result)
{
    const struct checkpoint_loaded *loaded = argument;

    if (result < 0 && loaded)
        log_failure(LOG_LEVEL_WARNING, NULL, &loaded->err);
}

void cluster_offline_remove(struct agent *agent)
{
    submit(agent, NULL, checkpoint_remove, on_removed);
}

/* its life */

/* A server that refuses this node is not away, nor is one that has yet to give it a certificate:
 * the node may have been removed. */
static bool is_not_away(const struct cluster_offline *offline)
{
    const struct api *bootstrap = agent_of(offline)->parts.bootstrap;
    usec_t heard = bootstrap ? api_heard(bootstrap) : 0;

    return api_watch_is_refused(offline->cluster->pods) ||
           (heard && usec_sub(clock_boottime(), heard) < HEARD_LATELY_USEC);
}

static void on_wait(struct wheel_timer *timer)
{
    struct cluster_offline *offline = container_of(timer, struct cluster_offline, wait);

    if (is_not_away(offline) ||
        may_pass(submit(agent_of(offline), offline, checkpoint_load, on_loaded)))
        wait(offline);
}

static void forget(struct cluster_offline *offline)
{
    map_deinit(&offline->objects);
    map_deinit(&offline->absent);
    if (offline->loaded)
        checkpoint_loaded_free(offline->loaded);
    offline->loaded = NULL;
    offline->problems = (struct string_list){0};
    arena_deinit(&offline->arena);
    free(offline->says);
    offline->says = NULL;
}

void cluster_offline_over(struct cluster_offline *offline)
{
    struct map_entry *entry;

    wheel_cancel(&offline->wait);
    if (offline->loaded)
        log_info("the API server has told of all pods: they are no more run from the checkpoint");
    for (size_t at = 0; (entry = map_next(&agent_of(offline)->pods, &at));)
        cluster_tokens_hurry(entry->value);
    forget(offline);
}

struct cluster_offline *cluster_offline_new(struct cluster *cluster)
{
    struct cluster_offline *offline = mem_new(struct cluster_offline);

    offline->cluster = cluster;
    offline->arena = ARENA_INIT(1024, 4096);
    wheel_timer_init(&offline->wait, on_wait);
    if (cluster->agent->config->checkpoint)
        wait(offline);
    else
        cluster_offline_remove(cluster->agent);
    return offline;
}

struct cluster_offline *cluster_offline_free(struct cluster_offline *offline)
{
    if (!offline)
        return NULL;
    wheel_cancel(&offline->wait);
    if (offline->job)
        work_cancel(offline->job);
    forget(offline);
    free(offline);
    return NULL;
}

const char *cluster_offline_says(const struct cluster *cluster)
{
    return cluster->offline->says;
}

const struct string_list *cluster_offline_problems(const struct cluster *cluster)
{
    return &cluster->offline->problems;
}
