/* Looking things up for the planner, and adding to its plan. */
#include "model.h"

#include <stdarg.h>
#include <string.h>

struct any_list {
    char *items;
    size_t count;
};

void *model_append(struct arena *arena, void *list, size_t item_size)
{
    struct any_list *any = list;
    char *items = arena_zalloc(arena, (any->count + 1) * item_size);

    if (any->count)
        memcpy(items, any->items, any->count * item_size);
    any->items = items;
    return items + any->count++ * item_size;
}

void model_remove(void *list, size_t item_size, size_t index)
{
    struct any_list *any = list;
    char *item = any->items + index * item_size;

    assert_that(index < any->count);
    memmove(item, item + item_size, (any->count - index - 1) * item_size);
    any->count--;
}

/* observed */

const struct seen_container *seen_newest(const struct pod_observed *observed, const char *name)
{
    array_for_each (seen, observed->containers)
        if (str_equal(seen->name, name))
            return seen;
    return NULL;
}

const struct seen_container *seen_newest_exited(const struct pod_observed *observed,
                                                const char *name)
{
    array_for_each (seen, observed->containers)
        if (seen->state == POD_EXITED && str_equal(seen->name, name))
            return seen;
    return NULL;
}

const struct seen_container *seen_by_id(const struct pod_observed *observed, const char *id)
{
    array_for_each (seen, observed->containers)
        if (str_equal(seen->id, id))
            return seen;
    return NULL;
}

bool seen_is_live(const struct seen_container *seen)
{
    return seen->state == POD_RUNNING || seen->state == POD_UNKNOWN;
}

bool seen_is_stillborn(const struct seen_container *seen)
{
    return seen->state == POD_EXITED && seen->started_usec <= 0;
}

const struct seen_probes *seen_probes_of(const struct pod_observed *observed, const char *name)
{
    array_for_each (probes, observed->probes)
        if (str_equal(probes->name, name))
            return probes;
    return NULL;
}

/* remembered */

const struct pod_container_memory *memory_find(const struct pod_memory *memory, const char *name)
{
    array_for_each (container, memory->containers)
        if (str_equal(container->name, name))
            return container;
    return NULL;
}

struct pod_container_memory *memory_container(struct planner *planner, const char *name)
{
    struct pod_container_memory *container;

    array_for_each (known, planner->memory->containers)
        if (str_equal(known->name, name))
            return known;
    container = append(planner->arena, &planner->memory->containers);
    container->name = arena_strdup(planner->arena, name);
    return container;
}

struct pod_kill *memory_kill(struct pod_memory *memory, const char *id)
{
    array_for_each (kill, memory->kills)
        if (str_equal(kill->id, id))
            return kill;
    return NULL;
}

bool memory_restart_due(const struct pod_memory *memory, const char *name)
{
    const struct pod_container_memory *container = memory_find(memory, name);

    return container && container->restart_due;
}

bool memory_sandbox_stopped(const struct pod_memory *memory, const char *id)
{
    return string_list_has(&memory->stopped_sandboxes, id);
}

/* operations */

struct pod_operation *operation_find(struct planner *planner, enum pod_operation_kind kind,
                                     const char *target)
{
    array_for_each (operation, planner->memory->operations)
        if (operation->kind == kind && str_equal(operation->target, target))
            return operation;
    return NULL;
}

struct pod_operation *operation_find_named(struct planner *planner, enum pod_operation_kind kind,
                                           const char *name)
{
    array_for_each (operation, planner->memory->operations)
        if (operation->kind == kind && str_equal(operation->name, name))
            return operation;
    return NULL;
}

bool operation_any(const struct planner *planner, enum pod_operation_kind kind)
{
    array_for_each (operation, planner->memory->operations)
        if (operation->kind == kind)
            return true;
    return false;
}

void operation_drop(struct planner *planner, const struct pod_operation *operation)
{
    remove_at(&planner->memory->operations,
              (size_t)(operation - planner->memory->operations.items));
}

struct pod_operation *operation_new(struct planner *planner, enum pod_operation_kind kind,
                                    const char *name, const char *target)
{
    struct pod_operation *operation;

    if (planner->memory->operations.count >= POD_OPERATIONS_MAX)
        return NULL;
    operation = append(planner->arena, &planner->memory->operations);
    operation->id = planner->memory->next_operation++;
    operation->kind = kind;
    operation->name = arena_strdup(planner->arena, name);
    operation->target = arena_strdup(planner->arena, target);
    operation->began = planner->now.boot;
    return operation;
}

const char *pod_operation_name(enum pod_operation_kind kind)
{
    static const char *const names[] = {
        [POD_PREPARE] = "preparing directories and volumes",
        [POD_RUN_SANDBOX] = "creating the sandbox",
        [POD_STOP_SANDBOX] = "stopping the sandbox",
        [POD_REMOVE_SANDBOX] = "removing the sandbox",
        [POD_IMAGE] = "looking for the image",
        [POD_START] = "starting",
        [POD_POST_START] = "running the postStart hook",
        [POD_PRE_STOP] = "running the preStop hook",
        [POD_STOP] = "stopping",
        [POD_REMOVE_CONTAINER] = "removing what is left of it",
        [POD_CLEAN] = "removing directories and volumes",
        [POD_RELEASE] = "removing volumes",
    };

    return names[kind];
}

/* retries */

static struct pod_retry *retry_find(struct planner *planner, enum pod_operation_kind kind,
                                    const char *target)
{
    array_for_each (retry, planner->memory->retries)
        if (retry->kind == kind && str_equal(retry->target, target))
            return retry;
    return NULL;
}

void retry_note(struct planner *planner, const struct pod_operation *operation)
{
    struct pod_retry *retry = retry_find(planner, operation->kind, operation->target);

    if (!retry) {
        retry = append(planner->arena, &planner->memory->retries);
        retry->kind = operation->kind;
        retry->target = operation->target;
    }
    retry->delay = retry->delay ? MIN(2 * retry->delay, POD_RETRY_MAX) : POD_RETRY_FIRST;
    retry->at = usec_add(planner->now.boot, retry->delay);
    retry->message = operation->message;
}

void retry_forget(struct planner *planner, enum pod_operation_kind kind, const char *target)
{
    struct pod_retry *retry = retry_find(planner, kind, target);

    if (retry)
        remove_at(&planner->memory->retries, (size_t)(retry - planner->memory->retries.items));
}

bool retry_due(struct planner *planner, enum pod_operation_kind kind, const char *target)
{
    const struct pod_retry *retry = retry_find(planner, kind, target);
    struct pod_blocker *blocker;

    if (!retry || retry->at <= planner->now.boot)
        return true;
    blocker = block(planner, "Retry", NULL, "%s failed: %s", pod_operation_name(kind),
                    retry->message ? retry->message : "");
    blocker->until = retry->at;
    wake_at(planner, retry->at);
    return false;
}

bool retry_is_hopeless(struct planner *planner, enum pod_operation_kind kind, const char *target)
{
    const struct pod_retry *retry = retry_find(planner, kind, target);

    return retry && retry->delay == POD_RETRY_MAX;
}

/* explanations */

struct pod_blocker *block(struct planner *planner, const char *reason, const char *container,
                          const char *format, ...)
{
    struct pod_blocker *blocker;
    va_list arguments;

    if (planner->plan->blockers.count >= POD_EXPLANATIONS_MAX)
        return &planner->plan->blockers.items[POD_EXPLANATIONS_MAX - 1];
    blocker = append(planner->arena, &planner->plan->blockers);
    va_start(arguments, format);
    blocker->text = arena_vprintf(planner->arena, format, arguments);
    va_end(arguments);
    blocker->reason = reason;
    blocker->container = container ? arena_strdup(planner->arena, container) : NULL;
    blocker->until = USEC_NEVER;
    return blocker;
}

void tell(struct planner *planner, bool warning, const char *reason, const char *container,
          const char *format, ...)
{
    struct pod_event *event;
    va_list arguments;

    if (planner->plan->events.count >= POD_EXPLANATIONS_MAX)
        return;
    event = append(planner->arena, &planner->plan->events);
    va_start(arguments, format);
    event->message = arena_vprintf(planner->arena, format, arguments);
    va_end(arguments);
    event->warning = warning;
    event->reason = reason;
    event->container = container ? arena_strdup(planner->arena, container) : NULL;
}

void wake_at(struct planner *planner, usec_t when)
{
    planner->plan->wake = MIN(planner->plan->wake, when);
}

const char *seconds_text(struct arena *arena, usec_t duration)
{
    char text[TIME_TEXT_MAX];
    usec_t seconds = duration / USEC_PER_SEC;

    return arena_strdup(arena, duration_format((int64_t)(seconds * 1000000000), text));
}

/* the pod */

int64_t pod_grace_seconds(const struct pod *pod)
{
    return pod->spec.termination_grace_period_seconds.set
               ? pod->spec.termination_grace_period_seconds.value
               : POD_STOP_MIN;
}
