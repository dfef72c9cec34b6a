/* The four conditions of a Node that are the agent's; those of others stay as they are. */
#include "node-object-private.h"

#include "nodeagent/base/str.h"

#include <string.h>

enum { OWN_CONDITIONS = 4 };

static struct node_condition *find(struct node_status *status, const char *type)
{
    for (size_t i = 0; i < status->conditions.count; i++)
        if (str_equal(status->conditions.items[i].type, type))
            return &status->conditions.items[i];
    return NULL;
}

/* The time of a transition is that of the status alone; the wire has whole seconds. */
static void set(struct node_status *status, struct node_condition fresh,
                const struct node_inputs *inputs)
{
    int64_t usec_per_sec = (int64_t)USEC_PER_SEC;
    struct opt_time now = {inputs->now_usec - inputs->now_usec % usec_per_sec, true};
    struct node_condition *old = find(status, fresh.type);
    bool stays = old && str_equal(old->status, fresh.status);

    fresh.last_heartbeat_time = old && inputs->still ? old->last_heartbeat_time : now;
    fresh.last_transition_time = stays ? old->last_transition_time : now;
    if (!old)
        old = &status->conditions.items[status->conditions.count++];
    *old = fresh;
}

/* pressure */

static const struct pressure {
    const char *type;
    const char *reasons[2]; /* without, and under pressure */
    const char *messages[2];
} memory = {"MemoryPressure",
            {"KubeletHasSufficientMemory", "KubeletHasInsufficientMemory"},
            {"kubelet has sufficient memory available",
             "kubelet has insufficient memory available"}},
  disk = {"DiskPressure",
          {"KubeletHasNoDiskPressure", "KubeletHasDiskPressure"},
          {"kubelet has no disk pressure", "kubelet has disk pressure"}},
  pid = {"PIDPressure",
         {"KubeletHasSufficientPID", "KubeletHasInsufficientPID"},
         {"kubelet has sufficient PID available", "kubelet has insufficient PID available"}};

static void set_pressure(struct node_status *status, const struct pressure *pressure, bool pressed,
                         const struct node_inputs *inputs)
{
    set(status,
        (struct node_condition){
            .type = pressure->type,
            .status = pressed ? "True" : "False",
            .reason = pressure->reasons[pressed],
            .message = pressure->messages[pressed],
        },
        inputs);
}

/* readiness */

static void add_all(struct arena *arena, struct string_list *list, const struct string_list *more)
{
    for (size_t i = 0; i < more->count; i++)
        strings_add(arena, list, node_text(more->items[i], arena));
}

static void add_runtime(struct arena *arena, struct string_list *list, const char *what,
                        const char *type, const struct runtime_condition *condition)
{
    const char *sentence;

    if (condition->told ? condition->good : list->count)
        return; /* it is well; or nothing is known of it, for a reason that was given */
    if (condition->told)
        sentence = arena_printf(arena, "%s not ready: %s=false reason:%s message:%s", what, type,
                                condition->reason, condition->message);
    else
        sentence = arena_printf(arena, "%s not ready: the runtime does not report %s", what, type);
    strings_add(arena, list, node_text(sentence, arena));
}

static const char *joined(struct arena *arena, const struct string_list *list)
{
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;

    for (size_t i = 0; i < list->count; i++)
        strbuf_printf(&text, "%s%s", i ? ", " : "", list->items[i]);
    return arena_strndup(arena, text.text ? text.text : "", text.length);
}

/* Without one of these nothing could be scheduled to it. */
static const char *missing_capacity(const struct node *draft, const struct config *config,
                                    struct arena *arena)
{
    static const char *const names[] = {"cpu", "memory", "pods", "ephemeral-storage"};
    size_t count = array_size(names) - !config->local_storage_isolation;
    struct string_list missing = {0};

    for (size_t i = 0; i < count; i++)
        if (!quantity_map_get(&draft->status.capacity, names[i]))
            strings_add(arena, &missing, names[i]);
    return missing.count ? arena_printf(arena, "missing node capacity for resources: %s",
                                        joined(arena, &missing))
                         : NULL;
}

static const char *not_ready(const struct node *draft, const struct node_inputs *inputs,
                             struct arena *arena)
{
    const struct node_runtime *runtime = inputs->runtime;
    const char *missing = missing_capacity(draft, inputs->config, arena);
    struct string_list all = {0};

    add_all(arena, &all, &runtime->troubles);
    add_runtime(arena, &all, "container runtime", "RuntimeReady", &runtime->ready);
    add_runtime(arena, &all, "container runtime network", "NetworkReady", &runtime->network);
    add_all(arena, &all, &inputs->troubles);
    if (missing)
        strings_add(arena, &all, missing);
    if (!all.count)
        return NULL;
    return all.count == 1 ? all.items[0] : arena_printf(arena, "[%s]", joined(arena, &all));
}

static void set_ready(struct node *draft, const struct node_inputs *inputs, struct arena *arena)
{
    const char *wrong = not_ready(draft, inputs, arena);
    const char *right = "kubelet is posting ready status";

    if (!str_empty(inputs->warning))
        right = arena_printf(arena, "%s. WARNING: %s", right, node_text(inputs->warning, arena));
    set(&draft->status,
        (struct node_condition){
            .type = "Ready",
            .status = wrong ? "False" : "True",
            .reason = wrong ? "KubeletNotReady" : "KubeletReady",
            .message = wrong ? wrong : right,
        },
        inputs);
}

void node_set_conditions(struct node *draft, const struct node_inputs *inputs, struct arena *arena)
{
    struct node_status *status = &draft->status;
    struct node_condition *items =
        arena_array(arena, struct node_condition, status->conditions.count + OWN_CONDITIONS);

    if (status->conditions.count)
        memcpy(items, status->conditions.items, status->conditions.count * sizeof(*items));
    status->conditions.items = items;
    set_pressure(status, &memory, inputs->memory_pressure, inputs);
    set_pressure(status, &disk, inputs->disk_pressure, inputs);
    set_pressure(status, &pid, inputs->pid_pressure, inputs);
    set_ready(draft, inputs, arena);
}
