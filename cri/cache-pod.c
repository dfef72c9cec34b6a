/* From the runtime's messages to what the cache keeps of a pod. */
#include "cache-private.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/base/str.h"
#include "nodeagent/objects/pod.h"

#include <string.h>

#define LABEL_NAME "io.kubernetes.pod.name"
#define LABEL_NAMESPACE "io.kubernetes.pod.namespace"
#define LABEL_CONTAINER "io.kubernetes.container.name"
#define ANNOTATION_HASH "io.kubernetes.container.hash"
#define ANNOTATION_RESTARTS "io.kubernetes.container.restartCount"
#define ANNOTATION_TERMINATION_PATH "io.kubernetes.container.terminationMessagePath"
#define ANNOTATION_TERMINATION_POLICY "io.kubernetes.container.terminationMessagePolicy"

enum {
    NSEC_PER_USEC = 1000,
    IPS_MAX = 16, /* of a sandbox; two families with one each is what there is */
};

/* texts */

static const char *keep(struct arena *arena, const char *text)
{
    return str_empty(text) ? "" : arena_strdup(arena, text);
}

static const char *pair_value(Cri__Pair *const *pairs, size_t count, const char *key)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(pairs[i]->key, key))
            return pairs[i]->value;
    return NULL;
}

static int32_t restarts(const char *text)
{
    int64_t number;

    if (!text || str_to_i64(text, &number) < 0 || number < 0 || number > INT32_MAX)
        return 0;
    return (int32_t)number;
}

/* sandboxes */

bool take_sandbox(struct listed_sandbox *to, const Cri__PodSandbox *from, struct arena *arena)
{
    const char *label = pair_value(from->labels, from->n_labels, LABEL_UID);

    if (str_empty(from->id) || !from->metadata || str_empty(from->metadata->uid))
        return false;
    *to = (struct listed_sandbox){
        .of.uid = keep(arena, from->metadata->uid),
        .of.name = keep(arena, from->metadata->name),
        .of.name_space = keep(arena, from->metadata->namespace_),
        .unlabelled = !str_equal(label, from->metadata->uid),
        .sandbox.id = keep(arena, from->id),
        .sandbox.attempt = from->metadata->attempt,
        .sandbox.ready = from->state == CRI__POD_SANDBOX_STATE__SANDBOX_READY,
        .sandbox.created_usec = from->created_at / NSEC_PER_USEC,
        .sandbox.runtime_handler = keep(arena, from->runtime_handler),
        .sandbox.config_source =
            keep(arena, pair_value(from->annotations, from->n_annotations, POD_ANNOTATION_SOURCE)),
        .sandbox.own_uid = !str_empty(
            pair_value(from->annotations, from->n_annotations, POD_ANNOTATION_STATIC_UID)),
    };
    return true;
}

static bool uses_host_network(const Cri__PodSandboxStatus *status)
{
    return status->linux_status && status->linux_status->namespaces &&
           status->linux_status->namespaces->options &&
           status->linux_status->namespaces->options->network == CRI__NAMESPACE_MODE__NODE;
}

static void take_ips(struct cri_sandbox *to, const Cri__PodSandboxNetworkStatus *from,
                     struct arena *arena)
{
    size_t more = MIN(from->n_additional_ips, IPS_MAX - (size_t)1);

    if (str_empty(from->ip))
        return;
    to->ips = arena_array(arena, const char *, 1 + more);
    to->ips[to->ip_count++] = keep(arena, from->ip);
    for (size_t i = 0; i < more; i++)
        to->ips[to->ip_count++] = keep(arena, from->additional_ips[i]->ip);
}

/* What a list says as well: what the owner made was not listed. */
static void take_sandbox_head(struct cri_sandbox *to, const Cri__PodSandboxStatus *from,
                              struct arena *arena)
{
    to->created_usec = from->created_at / NSEC_PER_USEC;
    to->runtime_handler = keep(arena, from->runtime_handler);
    to->config_source =
        keep(arena, pair_value(from->annotations, from->n_annotations, POD_ANNOTATION_SOURCE));
    to->own_uid =
        !str_empty(pair_value(from->annotations, from->n_annotations, POD_ANNOTATION_STATIC_UID));
}

void take_sandbox_status(struct cri_sandbox *to, const Cri__PodSandboxStatus *from,
                         struct arena *arena)
{
    take_sandbox_head(to, from, arena);
    to->ready = from->state == CRI__POD_SANDBOX_STATE__SANDBOX_READY;
    to->host_network = uses_host_network(from);
    to->network_known = from->network != NULL;
    to->ips = NULL;
    to->ip_count = 0;
    if (from->network)
        take_ips(to, from->network, arena);
}

/* containers */

static enum cri_state state_of(Cri__ContainerState state)
{
    return (unsigned)state <= CRI_UNKNOWN ? (enum cri_state)state : CRI_UNKNOWN;
}

bool take_container(struct listed_container *to, const Cri__Container *from, struct arena *arena)
{
    const char *uid = pair_value(from->labels, from->n_labels, LABEL_UID);
    const char *name = pair_value(from->labels, from->n_labels, LABEL_CONTAINER);

    if (str_empty(from->id) || !from->metadata || str_empty(uid))
        return false;
    *to = (struct listed_container){
        .of.uid = keep(arena, uid),
        .of.name = keep(arena, pair_value(from->labels, from->n_labels, LABEL_NAME)),
        .of.name_space = keep(arena, pair_value(from->labels, from->n_labels, LABEL_NAMESPACE)),
        .container.id = keep(arena, from->id),
        .container.name = keep(arena, str_empty(name) ? from->metadata->name : name),
        .container.sandbox_id = keep(arena, from->pod_sandbox_id),
        .container.state = state_of(from->state),
        .container.attempt = from->metadata->attempt,
        .container.restart_count =
            restarts(pair_value(from->annotations, from->n_annotations, ANNOTATION_RESTARTS)),
        .container.hash =
            keep(arena, pair_value(from->annotations, from->n_annotations, ANNOTATION_HASH)),
        .container.created_usec = from->created_at / NSEC_PER_USEC,
        .container.reason = "",
        .container.message = "",
        .container.image = from->image ? keep(arena, from->image->image) : "",
        .container.image_id = keep(arena, from->image_ref),
        .container.log_path = "",
    };
    return true;
}

static const char *termination_path(const Cri__ContainerStatus *status)
{
    const char *inside =
        pair_value(status->annotations, status->n_annotations, ANNOTATION_TERMINATION_PATH);

    for (size_t i = 0; !str_empty(inside) && i < status->n_mounts; i++)
        if (str_equal(status->mounts[i]->container_path, inside))
            return status->mounts[i]->host_path;
    return NULL;
}

static void take_container_head(struct cri_container *to, const Cri__ContainerStatus *from,
                                struct arena *arena)
{
    to->restart_count =
        restarts(pair_value(from->annotations, from->n_annotations, ANNOTATION_RESTARTS));
    to->hash = keep(arena, pair_value(from->annotations, from->n_annotations, ANNOTATION_HASH));
    to->created_usec = from->created_at / NSEC_PER_USEC;
}

void take_container_status(struct cri_container *to, const Cri__ContainerStatus *from,
                           struct arena *arena)
{
    const char *path = termination_path(from);
    const char *policy =
        pair_value(from->annotations, from->n_annotations, ANNOTATION_TERMINATION_POLICY);

    take_container_head(to, from, arena);
    to->state = state_of(from->state);
    to->started_usec = from->started_at / NSEC_PER_USEC;
    to->finished_usec = from->finished_at / NSEC_PER_USEC;
    to->exit_code = from->exit_code;
    to->reason = keep(arena, from->reason);
    to->message = keep(arena, from->message);
    if (from->image)
        to->image = keep(arena, from->image->image);
    to->image_id = keep(arena, from->image_ref);
    to->log_path = keep(arena, from->log_path);
    to->termination_path = path ? arena_strdup(arena, path) : NULL;
    to->termination_from_logs = str_equal(policy, "FallbackToLogsOnError");
}

/* order */

static int newer_first(int64_t a, int64_t b)
{
    return a == b ? 0 : a < b ? 1 : -1;
}

int compare_sandboxes(const void *left, const void *right)
{
    const struct listed_sandbox *a = left, *b = right;
    int order = strcmp(a->of.uid, b->of.uid);

    if (!order)
        order = newer_first(a->sandbox.attempt, b->sandbox.attempt);
    if (!order)
        order = newer_first(a->sandbox.created_usec, b->sandbox.created_usec);
    return order ? order : strcmp(a->sandbox.id, b->sandbox.id);
}

/* The attempt says more than the time of creation, which is the wall clock's. */
int compare_containers(const void *left, const void *right)
{
    const struct listed_container *a = left, *b = right;
    int order = strcmp(a->of.uid, b->of.uid);

    if (!order)
        order = newer_first(a->container.attempt, b->container.attempt);
    if (!order)
        order = newer_first(a->container.created_usec, b->container.created_usec);
    return order ? order : strcmp(a->container.id, b->container.id);
}

/* whole pods */

static const size_t sandbox_texts[] = {
    offsetof(struct cri_sandbox, id),
    offsetof(struct cri_sandbox, runtime_handler),
    offsetof(struct cri_sandbox, config_source),
};

static const size_t container_texts[] = {
    offsetof(struct cri_container, id),         offsetof(struct cri_container, name),
    offsetof(struct cri_container, sandbox_id), offsetof(struct cri_container, hash),
    offsetof(struct cri_container, reason),     offsetof(struct cri_container, message),
    offsetof(struct cri_container, image),      offsetof(struct cri_container, image_id),
    offsetof(struct cri_container, log_path),   offsetof(struct cri_container, termination_path),
};

static const char *const *text_at(const void *object, size_t offset)
{
    return (const char *const *)((const char *)object + offset);
}

static size_t text_size(const char *text)
{
    return str_empty(text) ? 0 : strlen(text) + 1;
}

static size_t texts_size(const void *object, const size_t *offsets, size_t count)
{
    size_t size = 0;

    for (size_t i = 0; i < count; i++)
        size += text_size(*text_at(object, offsets[i]));
    return size;
}

size_t pod_size(const struct cri_pod *pod)
{
    size_t size = text_size(pod->name) + text_size(pod->name_space) +
                  pod->sandboxes.count * sizeof(*pod->sandboxes.items) +
                  pod->containers.count * sizeof(*pod->containers.items);

    array_for_each (sandbox, pod->sandboxes) {
        size += texts_size(sandbox, sandbox_texts, array_size(sandbox_texts)) +
                sandbox->ip_count * sizeof(*sandbox->ips);
        for (size_t i = 0; i < sandbox->ip_count; i++)
            size += text_size(sandbox->ips[i]);
    }
    array_for_each (container, pod->containers)
        size += texts_size(container, container_texts, array_size(container_texts));
    return size;
}

static void copy_texts(struct arena *arena, void *object, const size_t *offsets, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char **text = (const char **)text_at(object, offsets[i]);

        if (*text)
            *text = keep(arena, *text);
    }
}

static const char **copy_ips(struct arena *arena, const struct cri_sandbox *from)
{
    const char **ips = from->ip_count ? arena_array(arena, const char *, from->ip_count) : NULL;

    for (size_t i = 0; i < from->ip_count; i++)
        ips[i] = keep(arena, from->ips[i]);
    return ips;
}

void pod_copy(struct cri_pod *to, const struct cri_pod *from, struct arena *arena)
{
    to->name = keep(arena, from->name);
    to->name_space = keep(arena, from->name_space);
    to->sandboxes.items = arena_array(arena, struct cri_sandbox, from->sandboxes.count);
    to->sandboxes.count = from->sandboxes.count;
    to->containers.items = arena_array(arena, struct cri_container, from->containers.count);
    to->containers.count = from->containers.count;
    for (size_t i = 0; i < from->sandboxes.count; i++) {
        struct cri_sandbox *sandbox = &to->sandboxes.items[i];

        *sandbox = from->sandboxes.items[i];
        sandbox->ips = copy_ips(arena, sandbox);
        copy_texts(arena, sandbox, sandbox_texts, array_size(sandbox_texts));
    }
    for (size_t i = 0; i < from->containers.count; i++) {
        to->containers.items[i] = from->containers.items[i];
        copy_texts(arena, &to->containers.items[i], container_texts, array_size(container_texts));
    }
}

static bool texts_equal(const void *a, const void *b, const size_t *offsets, size_t count)
{
    bool equal = true;

    for (size_t i = 0; equal && i < count; i++)
        equal = str_equal(*text_at(a, offsets[i]), *text_at(b, offsets[i]));
    return equal;
}

static bool sandbox_equal(const struct cri_sandbox *a, const struct cri_sandbox *b)
{
    bool equal = texts_equal(a, b, sandbox_texts, array_size(sandbox_texts)) &&
                 a->attempt == b->attempt && a->ready == b->ready &&
                 a->created_usec == b->created_usec && a->host_network == b->host_network &&
                 a->network_known == b->network_known && a->ip_count == b->ip_count;

    for (size_t i = 0; equal && i < a->ip_count; i++)
        equal = str_equal(a->ips[i], b->ips[i]);
    return equal;
}

static bool container_equal(const struct cri_container *a, const struct cri_container *b)
{
    return texts_equal(a, b, container_texts, array_size(container_texts)) &&
           a->state == b->state && a->attempt == b->attempt &&
           a->restart_count == b->restart_count && a->created_usec == b->created_usec &&
           a->started_usec == b->started_usec && a->finished_usec == b->finished_usec &&
           a->exit_code == b->exit_code && a->termination_from_logs == b->termination_from_logs;
}

bool pod_equal(const struct cri_pod *a, const struct cri_pod *b)
{
    bool equal =
        a->sandboxes.count == b->sandboxes.count && a->containers.count == b->containers.count;

    for (size_t i = 0; equal && i < a->sandboxes.count; i++)
        equal = sandbox_equal(&a->sandboxes.items[i], &b->sandboxes.items[i]);
    for (size_t i = 0; equal && i < a->containers.count; i++)
        equal = container_equal(&a->containers.items[i], &b->containers.items[i]);
    return equal;
}

bool pod_empty(const struct cri_pod *pod)
{
    return !pod->sandboxes.count && !pod->containers.count;
}

struct cri_sandbox *pod_sandbox(const struct cri_pod *pod, const char *id)
{
    array_for_each (sandbox, pod->sandboxes)
        if (str_equal(sandbox->id, id))
            return sandbox;
    return NULL;
}

struct cri_container *pod_container(const struct cri_pod *pod, const char *id)
{
    array_for_each (container, pod->containers)
        if (str_equal(container->id, id))
            return container;
    return NULL;
}
