/*
 * Keeping the checkpoint: every round, what the server told of is compared with what was written
 * last, and what is another now is written, in the pool. Before the server has told of all pods
 * what is on disk is all that is known, and stays; only that a pod has ended is written into its
 * file, so that it does not run again after the next boot.
 */
#include "checkpoint.h"
#include "cluster-private.h"
#include "cluster.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/objects/references.h"
#include "nodeagent/sys/log.h"

#include <errno.h>
#include <stdlib.h>

enum {
    SAVING_BYTES = 4 << 20, /* that are looked at in one round; the rest waits for the next */
    HEARD_PARTS = 20, /* of the maximum age: how exactly it is known when the server was heard */
};

#define HEARD_USEC_MAX (3600 * USEC_PER_SEC)
#define SAVING_USEC (60 * USEC_PER_SEC)

struct saved {
    uint64_t hash;  /* of the text */
    unsigned round; /* the last that it was wanted in */
    bool too_large; /* which was told; there is no file */
};

struct cluster_checkpoint {
    struct cluster *cluster;
    struct map saved; /* name of a file to struct saved: what is on disk, or is being written */
    unsigned round;
    size_t first;    /* pod of the next round: none is left out for ever */
    bool begun;      /* what is on disk and not wanted is gone */
    bool node_due;   /* what pods share may be another */
    int64_t heard;   /* the server, by the wall clock */
    int64_t written; /* ... as it is on disk */
    struct work_job *job;
    char *trouble;
};

/* what a file has */

static struct checkpoint_file file_for(struct arena *arena, size_t objects)
{
    struct checkpoint_file file = {0};

    file.objects.items = arena_array(arena, struct object *, objects);
    return file;
}

static void add_object(struct checkpoint_file *file, const struct object *object)
{
    file->objects.items[file->objects.count++] = (struct object *)object;
}

struct gathering {
    struct cluster *cluster;
    const char *name_space;
    struct arena *arena;
    struct checkpoint_file *file;
    struct map met;
    size_t bytes; /* in memory, which is not much less than as text */
    bool unknown; /* something it refers to is on its way yet */
};

static void gather(void *owner, const struct object_kind *kind, const char *name)
{
    struct gathering *gathering = owner;
    char *key = arena_printf(gathering->arena, "%s/%s", kind->name, name);
    const struct object *object;

    if (gathering->bytes > CHECKPOINT_FILE_MAX ||
        map_count(&gathering->met) == CLUSTER_REFERENCES_MAX ||
        map_put(&gathering->met, key, gathering))
        return;
    object = cluster_object_find(gathering->cluster, kind, gathering->name_space, name);
    if (object) {
        add_object(gathering->file, object);
        gathering->bytes += arena_size(&object->arena);
    } else if (cluster_object_is_unknown(gathering->cluster, kind, gathering->name_space, name)) {
        gathering->unknown = true;
    } else {
        strings_add(gathering->arena, &gathering->file->absent, key);
    }
}

/* The pod, with the status that this node found, which the server may not have heard of yet. Its
 * version is none of the server's then: whatever the server tells, once it is back, counts. */
static struct pod pod_to_save(const struct agent_pod *pod)
{
    struct pod shown = *pod_object(pod);

    if (pod->memory.published)
        shown.status = *pod->memory.published;
    shown.object.metadata.resource_version = NULL;
    return shown;
}

/* -EAGAIN: what the pod refers to is not known yet; -EFBIG: it is too much. */
static int write_pod(struct cluster_checkpoint *checkpoint, struct agent_pod *pod,
                     struct strbuf *text)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    struct checkpoint_file file = file_for(&arena, CLUSTER_REFERENCES_MAX + 1);
    struct gathering gathering = {checkpoint->cluster, pod->name_space, &arena, &file,
                                  .met = MAP_INIT};
    struct pod shown = pod_to_save(pod);

    add_object(&file, &shown.object);
    if (pod->refers)
        pod_references(&shown, gather, &gathering);
    map_deinit(&gathering.met);
    if (gathering.bytes > CHECKPOINT_FILE_MAX)
        return -EFBIG;
    if (gathering.unknown)
        return -EAGAIN;
    cluster_tokens_save(pod, &arena, &file);
    checkpoint_write(&file, text);
    return text->length > CHECKPOINT_FILE_MAX ? -EFBIG : 0;
}

/* Variables are made of those of the pods' namespaces, and of the API server's own. */
static bool is_used(const struct object *service, const struct map *name_spaces)
{
    return map_get(name_spaces, service->metadata.name_space) ||
           (str_equal(service->metadata.name_space, "default") &&
            str_equal(service->metadata.name, "kubernetes"));
}

static size_t count_shared(const struct cluster *cluster)
{
    size_t count = 1; /* the Node */

    for (size_t at = 0; api_watch_next(cluster->services, &at);)
        count++;
    for (size_t at = 0; api_watch_next(cluster->runtime_classes, &at);)
        count++;
    return count;
}

static void add_shared(const struct cluster *cluster, struct checkpoint_file *file)
{
    struct map name_spaces = MAP_INIT;
    const struct object *object;
    struct map_entry *entry;

    for (size_t at = 0; (entry = map_next(&cluster->agent->pods, &at));)
        map_put(&name_spaces, ((struct agent_pod *)entry->value)->name_space, entry);
    for (size_t at = 0; (object = api_watch_next(cluster->services, &at));)
        if (is_used(object, &name_spaces))
            add_object(file, object);
    for (size_t at = 0; (object = api_watch_next(cluster->runtime_classes, &at));)
        add_object(file, object);
    map_deinit(&name_spaces);
}

static void write_node(const struct cluster_checkpoint *checkpoint, int64_t heard,
                       struct strbuf *text)
{
    const struct cluster *cluster = checkpoint->cluster;
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    struct object *node = cluster_node_seen(cluster);
    struct checkpoint_file file = file_for(&arena, count_shared(cluster));
    struct node shown;

    file.heard = heard;
    if (node) {
        shown = *node_of(node);
        shown.status = (struct node_status){0}; /* it finds that out by itself */
        add_object(&file, &shown.object);
    }
    add_shared(cluster, &file);
    checkpoint_write(&file, text);
}

/* a round */

static struct saved *saved_of(struct cluster_checkpoint *checkpoint, const char *name)
{
    struct saved *saved = map_get(&checkpoint->saved, name);

    if (!saved) {
        saved = mem_new(struct saved);
        map_put(&checkpoint->saved, name, saved);
    }
    return saved;
}

static bool is_to_be_saved(const struct agent_pod *pod, bool whole)
{
    return (whole || pod->memory.stage >= POD_STAGE_ENDED) &&
           pod->source == &pod->agent->cluster_pods && pod->object && !pod->removed &&
           pod_uid_is_safe(pod->uid);
}

static void leave_out(struct cluster_checkpoint *checkpoint, const struct agent_pod *pod,
                      struct saved *saved)
{
    if (saved->too_large)
        return;
    log_warning("pod %s/%s is not in the checkpoint: with what it refers to it has more than %d "
                "MiB",
                pod->name_space, pod->name, CHECKPOINT_FILE_MAX >> 20);
    saved->too_large = true;
    saved->hash = 1;
    checkpoint->begun = false; /* what was there of it goes */
}

/* How many bytes were looked at. */
static size_t save_pod(struct cluster_checkpoint *checkpoint, struct agent_pod *pod,
                       struct checkpoint_saving *saving)
{
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT(256, 256);
    const char *name = checkpoint_pod_file(pod->uid, &arena);
    struct saved *saved = saved_of(checkpoint, name);
    size_t length;
    uint64_t hash;
    int r;

    if (saved->hash && !pod->checkpoint_due)
        return 0;
    r = write_pod(checkpoint, pod, &text);
    if (r == -EAGAIN)
        return 0;
    pod->checkpoint_due = false;
    if (r == -EFBIG) {
        leave_out(checkpoint, pod, saved);
        return CHECKPOINT_FILE_MAX;
    }
    checkpoint->node_due = true; /* its namespace may be new */
    hash = map_hash(text.text, text.length) | 1;
    length = text.length;
    if (hash == saved->hash && !saved->too_large)
        return length;
    saved->hash = hash;
    saved->too_large = false;
    checkpoint_saving_write(saving, name, &text);
    return length;
}

static void keep_pod(struct cluster_checkpoint *checkpoint, const struct agent_pod *pod,
                     struct checkpoint_saving *saving)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT(256, 256);
    const char *name = checkpoint_pod_file(pod->uid, &arena);
    struct saved *saved = saved_of(checkpoint, name);

    saved->round = checkpoint->round;
    if (!saved->too_large)
        checkpoint_saving_keep(saving, name);
}

static void save_pods(struct cluster_checkpoint *checkpoint, bool whole,
                      struct checkpoint_saving *saving)
{
    const struct map *all = &checkpoint->cluster->agent->pods;
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT(1024, 4096);
    struct agent_pod **pods = arena_array(&arena, struct agent_pod *, map_count(all) + 1);
    size_t count = 0, bytes = 0;
    struct map_entry *entry;

    for (size_t at = 0; (entry = map_next(all, &at));)
        if (is_to_be_saved(entry->value, whole))
            pods[count++] = entry->value;
    for (size_t i = 0; i < count && bytes < SAVING_BYTES; i++)
        bytes += save_pod(checkpoint, pods[checkpoint->first++ % count], saving);
    for (size_t i = 0; i < count; i++)
        keep_pod(checkpoint, pods[i], saving);
}

static usec_t heard_period(const struct cluster *cluster)
{
    return MIN(cluster->agent->config->checkpoint_max_age / HEARD_PARTS, HEARD_USEC_MAX);
}

static bool shared_is_known(const struct cluster *cluster)
{
    return cluster_knows(cluster, cluster->services) &&
           cluster_knows(cluster, cluster->runtime_classes);
}

static void save_node(struct cluster_checkpoint *checkpoint, struct checkpoint_saving *saving)
{
    int64_t since = checkpoint->heard - checkpoint->written;
    bool late = since < 0 || since >= (int64_t)heard_period(checkpoint->cluster);
    struct saved *saved = saved_of(checkpoint, CHECKPOINT_NODE_FILE);
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;
    uint64_t hash;

    saved->round = checkpoint->round;
    checkpoint_saving_keep(saving, CHECKPOINT_NODE_FILE);
    if ((!checkpoint->node_due && !late) || !shared_is_known(checkpoint->cluster))
        return;
    checkpoint->node_due = false;
    write_node(checkpoint, 0, &text);
    hash = map_hash(text.text, text.length) | 1;
    if (hash == saved->hash && !late)
        return;
    saved->hash = hash;
    checkpoint->written = checkpoint->heard;
    strbuf_truncate(&text, 0);
    write_node(checkpoint, checkpoint->heard, &text);
    checkpoint_saving_write(saving, CHECKPOINT_NODE_FILE, &text);
}

/* What is on disk and wanted no more goes. */
static void forget_others(struct cluster_checkpoint *checkpoint)
{
    struct map_entry *entry;

    for (size_t at = 0; (entry = map_next(&checkpoint->saved, &at));) {
        struct saved *saved = entry->value;

        if (saved->round == checkpoint->round)
            continue;
        map_remove(&checkpoint->saved, entry->key);
        free(saved);
        checkpoint->begun = false;
    }
}

/* All is written anew in the next round. */
static void forget_all(struct cluster_checkpoint *checkpoint)
{
    struct map_entry *entry;

    for (size_t at = 0; (entry = map_next(&checkpoint->saved, &at));)
        free(entry->value);
    map_deinit(&checkpoint->saved);
    checkpoint->saved = MAP_INIT;
    checkpoint->node_due = true;
    checkpoint->begun = false;
}

static void set_trouble(struct cluster_checkpoint *checkpoint, const char *text)
{
    if (text && !str_equal(checkpoint->trouble, text))
        log_warning("the checkpoint is not written: %s", text);
    free(checkpoint->trouble);
    checkpoint->trouble = text ? mem_strdup(text) : NULL;
}

static void on_saved(void *owner, void *argument, int result)
{
    struct cluster_checkpoint *checkpoint = owner;

    checkpoint->job = NULL;
    if (result == 0) {
        set_trouble(checkpoint, NULL);
        return;
    }
    forget_all(checkpoint);
    if (result != -ECANCELED)
        set_trouble(checkpoint,
                    argument ? checkpoint_saving_err(argument)->text : "writing takes too long");
}

static void submit(struct cluster_checkpoint *checkpoint, bool whole,
                   struct checkpoint_saving *saving)
{
    struct work_order order = {
        .key = CHECKPOINT_DIRECTORY,
        .limit_usec = SAVING_USEC,
        .run = checkpoint_save,
        .done = on_saved,
        .free = checkpoint_saving_free,
        .argument = saving,
        .owner = checkpoint,
    };
    struct err err;

    checkpoint->begun = checkpoint->begun || whole;
    if (work_submit(checkpoint->cluster->agent->parts.work, &order, &checkpoint->job, &err) == 0)
        return;
    checkpoint_saving_free(saving);
    forget_all(checkpoint);
    set_trouble(checkpoint, err.text);
}

/* With all that the server has told. */
static void complete(struct cluster_checkpoint *checkpoint, struct checkpoint_saving *saving)
{
    if (!cluster_trouble(checkpoint->cluster))
        checkpoint->heard = (int64_t)clock_wall();
    save_node(checkpoint, saving);
    forget_others(checkpoint);
}

void cluster_checkpoint_round(struct cluster_checkpoint *checkpoint)
{
    struct cluster *cluster = checkpoint ? checkpoint->cluster : NULL;
    struct checkpoint_saving *saving;
    bool whole;

    if (!checkpoint || checkpoint->job)
        return;
    whole = cluster_is_complete(cluster);
    saving = checkpoint_saving_new(cluster->agent->directories.root);
    checkpoint->round++;
    save_pods(checkpoint, whole, saving);
    if (whole)
        complete(checkpoint, saving);
    else
        checkpoint_saving_keep_all(saving);
    if (checkpoint_saving_bytes(saving) || (whole && !checkpoint->begun))
        submit(checkpoint, whole, saving);
    else
        checkpoint_saving_free(saving);
}

void cluster_checkpoint_changed(struct cluster_checkpoint *checkpoint)
{
    if (checkpoint)
        checkpoint->node_due = true;
}

struct cluster_checkpoint *cluster_checkpoint_new(struct cluster *cluster)
{
    struct cluster_checkpoint *checkpoint;

    if (!cluster->agent->config->checkpoint)
        return NULL;
    checkpoint = mem_new(struct cluster_checkpoint);
    checkpoint->cluster = cluster;
    checkpoint->node_due = true;
    return checkpoint;
}

struct cluster_checkpoint *cluster_checkpoint_free(struct cluster_checkpoint *checkpoint)
{
    if (!checkpoint)
        return NULL;
    if (checkpoint->job)
        work_cancel(checkpoint->job);
    forget_all(checkpoint);
    free(checkpoint->trouble);
    free(checkpoint);
    return NULL;
}
