/* From the runtime's messages to what is kept of them, copied into an arena. */
#include "cache-private.h"

#include "nodeagent/base/str.h"

#include <stdlib.h>
#include <string.h>

#define LABEL_UID "io.kubernetes.pod.uid"
#define LABEL_CONTAINER "io.kubernetes.container.name"
#define ANNOTATION_HASH "io.kubernetes.container.hash"
#define ANNOTATION_RESTARTS "io.kubernetes.container.restartCount"
#define ANNOTATION_TERMINATION_PATH "io.kubernetes.container.terminationMessagePath"
#define ANNOTATION_TERMINATION_POLICY "io.kubernetes.container.terminationMessagePolicy"

enum {
    NSEC_PER_USEC = 1000,
    IPS_MAX = 16,
};

const char *pair_value(Cri__Pair *const *pairs, size_t count, const char *key)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(pairs[i]->key, key))
            return pairs[i]->value;
    return NULL;
}

const char *uid_of_container(const Cri__Container *container)
{
    const char *uid = pair_value(container->labels, container->n_labels, LABEL_UID);

    return str_empty(uid) || !container->metadata || str_empty(container->id) ? NULL : uid;
}

const char *uid_of_sandbox(const Cri__PodSandbox *sandbox)
{
    if (!sandbox->metadata || str_empty(sandbox->metadata->uid) || str_empty(sandbox->id))
        return NULL;
    return sandbox->metadata->uid;
}

static const char *keep(const char *text, struct arena *arena)
{
    return str_empty(text) ? "" : arena_strdup(arena, text);
}

/* sandboxes */

void take_sandbox(struct cri_sandbox *to, const Cri__PodSandbox *from, struct arena *arena)
{
    *to = (struct cri_sandbox){
        .id = keep(from->id, arena),
        .attempt = from->metadata->attempt,
        .ready = from->state == CRI__POD_SANDBOX_STATE__SANDBOX_READY,
        .created_usec = from->created_at / NSEC_PER_USEC,
        .runtime_handler = keep(from->runtime_handler, arena),
    };
}

static bool uses_host_network(const Cri__PodSandboxStatus *status)
{
    return status->linux_status && status->linux_status->namespaces &&
           status->linux_status->namespaces->options &&
           status->linux_status->namespaces->options->network == CRI__NAMESPACE_MODE__NODE;
}

void take_sandbox_status(struct cri_sandbox *to, const Cri__PodSandboxStatus *from,
                         struct arena *arena)
{
    const Cri__PodSandboxNetworkStatus *network = from->network;

    to->ready = from->state == CRI__POD_SANDBOX_STATE__SANDBOX_READY;
    to->host_network = uses_host_network(from);
    to->network_known = network != NULL;
    to->ip_count = 0;
    if (!network || str_empty(network->ip))
        return;
    to->ips = arena_array(arena, const char *, MIN(network->n_additional_ips, IPS_MAX) + 1);
    to->ips[to->ip_count++] = arena_strdup(arena, network->ip);
    for (size_t i = 0; i < MIN(network->n_additional_ips, IPS_MAX); i++)
        to->ips[to->ip_count++] = keep(network->additional_ips[i]->ip, arena);
}

/* containers */

static int32_t number_of(const char *text)
{
    int64_t number;

    return text && str_to_i64(text, &number) == 0 && number >= 0 && number <= INT32_MAX
               ? (int32_t)number
               : 0;
}

void take_container(struct cri_container *to, const Cri__Container *from, struct arena *arena)
{
    const char *name = pair_value(from->labels, from->n_labels, LABEL_CONTAINER);

    *to = (struct cri_container){
        .id = keep(from->id, arena),
        .name = keep(str_empty(name) ? from->metadata->name : name, arena),
        .sandbox_id = keep(from->pod_sandbox_id, arena),
        .state = (unsigned)from->state <= CRI_UNKNOWN ? (enum cri_state)from->state : CRI_UNKNOWN,
        .attempt = from->metadata->attempt,
        .restart_count =
            number_of(pair_value(from->annotations, from->n_annotations, ANNOTATION_RESTARTS)),
        .hash = keep(pair_value(from->annotations, from->n_annotations, ANNOTATION_HASH), arena),
        .created_usec = from->created_at / NSEC_PER_USEC,
        .reason = "",
        .message = "",
        .image = from->image ? keep(from->image->image, arena) : "",
        .image_id = keep(from->image_ref, arena),
        .log_path = "",
    };
}

static const char *termination_path(const Cri__ContainerStatus *status)
{
    const char *inside =
        pair_value(status->annotations, status->n_annotations, ANNOTATION_TERMINATION_PATH);

    for (size_t i = 0; inside && i < status->n_mounts; i++)
        if (!strcmp(status->mounts[i]->container_path, inside))
            return status->mounts[i]->host_path;
    return NULL;
}

void take_container_status(struct cri_container *to, const Cri__ContainerStatus *from,
                           struct arena *arena)
{
    const char *path = termination_path(from);

    to->state = (unsigned)from->state <= CRI_UNKNOWN ? (enum cri_state)from->state : CRI_UNKNOWN;
    to->created_usec = from->created_at / NSEC_PER_USEC;
    to->started_usec = from->started_at / NSEC_PER_USEC;
    to->finished_usec = from->finished_at / NSEC_PER_USEC;
    to->exit_code = from->exit_code;
    to->reason = keep(from->reason, arena);
    to->message = keep(from->message, arena);
    to->image = from->image ? keep(from->image->image, arena) : "";
    to->image_id = keep(from->image_ref, arena);
    to->log_path = keep(from->log_path, arena);
    to->termination_path = path ? arena_strdup(arena, path) : NULL;
    to->termination_from_logs =
        str_equal(pair_value(from->annotations, from->n_annotations, ANNOTATION_TERMINATION_POLICY),
                  "FallbackToLogsOnError");
}

/* whole pods */

static int newest_sandbox_first(const void *left, const void *right)
{
    const struct cri_sandbox *a = left, *b = right;

    if (a->attempt != b->attempt)
        return a->attempt < b->attempt ? 1 : -1;
    if (a->created_usec != b->created_usec)
        return a->created_usec < b->created_usec ? 1 : -1;
    return strcmp(a->id, b->id);
}

static int newest_container_first(const void *left, const void *right)
{
    const struct cri_container *a = left, *b = right;

    /* Attempts only grow; the clock by which a runtime dates what it creates may be set back. */
    if (a->attempt != b->attempt)
        return a->attempt < b->attempt ? 1 : -1;
    if (a->created_usec != b->created_usec)
        return a->created_usec < b->created_usec ? 1 : -1;
    return strcmp(a->id, b->id);
}

void pod_sort(struct cri_pod *pod)
{
    if (pod->sandboxes.count)
        qsort(pod->sandboxes.items, pod->sandboxes.count, sizeof(*pod->sandboxes.items),
              newest_sandbox_first);
    if (pod->containers.count)
        qsort(pod->containers.items, pod->containers.count, sizeof(*pod->containers.items),
              newest_container_first);
}

static void copy_sandbox(struct cri_sandbox *to, const struct cri_sandbox *from,
                         struct arena *arena)
{
    *to = *from;
    to->id = keep(from->id, arena);
    to->runtime_handler = keep(from->runtime_handler, arena);
    if (from->ip_count) {
        to->ips = arena_array(arena, const char *, from->ip_count);
        for (size_t i = 0; i < from->ip_count; i++)
            to->ips[i] = keep(from->ips[i], arena);
    }
}

static void copy_container(struct cri_container *to, const struct cri_container *from,
                           struct arena *arena)
{
    *to = *from;
    to->id = keep(from->id, arena);
    to->name = keep(from->name, arena);
    to->sandbox_id = keep(from->sandbox_id, arena);
    to->hash = keep(from->hash, arena);
    to->reason = keep(from->reason, arena);
    to->message = keep(from->message, arena);
    to->image = keep(from->image, arena);
    to->image_id = keep(from->image_id, arena);
    to->log_path = keep(from->log_path, arena);
    to->termination_path =
        from->termination_path ? arena_strdup(arena, from->termination_path) : NULL;
}

void pod_copy(struct cri_pod *to, const struct cri_pod *from, struct arena *arena)
{
    *to = *from;
    to->uid = keep(from->uid, arena);
    to->name = keep(from->name, arena);
    to->name_space = keep(from->name_space, arena);
    to->sandboxes.items = arena_array(arena, struct cri_sandbox, from->sandboxes.count);
    for (size_t i = 0; i < from->sandboxes.count; i++)
        copy_sandbox(&to->sandboxes.items[i], &from->sandboxes.items[i], arena);
    to->containers.items = arena_array(arena, struct cri_container, from->containers.count);
    for (size_t i = 0; i < from->containers.count; i++)
        copy_container(&to->containers.items[i], &from->containers.items[i], arena);
}

static bool sandbox_equal(const struct cri_sandbox *a, const struct cri_sandbox *b)
{
    bool equal = !strcmp(a->id, b->id) && a->ready == b->ready &&
                 a->host_network == b->host_network && a->network_known == b->network_known &&
                 a->ip_count == b->ip_count;

    for (size_t i = 0; equal && i < a->ip_count; i++)
        equal = !strcmp(a->ips[i], b->ips[i]);
    return equal;
}

/* Of one container, everything else follows from its state. */
static bool container_equal(const struct cri_container *a, const struct cri_container *b)
{
    return !strcmp(a->id, b->id) && a->state == b->state && a->started_usec == b->started_usec &&
           a->finished_usec == b->finished_usec && a->exit_code == b->exit_code &&
           !strcmp(a->reason, b->reason) && !strcmp(a->message, b->message);
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

const struct cri_sandbox *pod_sandbox(const struct cri_pod *pod, const char *id)
{
    array_for_each (sandbox, pod->sandboxes)
        if (!strcmp(sandbox->id, id))
            return sandbox;
    return NULL;
}

const struct cri_container *pod_container(const struct cri_pod *pod, const char *id)
{
    array_for_each (container, pod->containers)
        if (!strcmp(container->id, id))
            return container;
    return NULL;
}
