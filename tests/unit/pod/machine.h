/*
 * A toy runtime, in which a pod is played: the plan's actions are carried out at once (or fail, or
 * wait, or are of unknown fate, as a test says), containers exit when told to, the clock moves when
 * told to, and the agent is restarted: all it knows then is the record, written and read back.
 */
#pragma once

#include "../objects/fixture.h"

#include "nodeagent/pod.h"

enum {
    MACHINE_ITEMS_MAX = 64,
    MACHINE_STEPS_MAX = 400,
};

#define MACHINE_POD "{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {%s}}"

struct machine {
    struct document document;
    char *yaml;
    struct pod_desired desired;
    struct pod_memory memory;
    struct pod_plan plan; /* the last */
    struct pod_now now;
    struct arena arena; /* of everything: tests are short */
    struct seen_container containers[MACHINE_ITEMS_MAX];
    size_t container_count;
    struct seen_sandbox sandboxes[MACHINE_ITEMS_MAX];
    size_t sandbox_count;
    struct seen_probes probes[MACHINE_ITEMS_MAX];
    size_t probe_count;
    bool prepared;
    bool released;
    bool cleaned;
    const char *network_trouble;
    const char *trouble;
    usec_t looked;
    unsigned ids;
    struct strbuf log;    /* actions, a word each: "start:web#1" */
    struct strbuf events; /* a line each: "Warning Failed web: Error: gone" */
    bool sees_late;       /* what is observed is what the last look showed, not what is there */
    struct {
        struct seen_container containers[MACHINE_ITEMS_MAX];
        size_t container_count;
        struct seen_sandbox sandboxes[MACHINE_ITEMS_MAX];
        size_t sandbox_count;
    } look;
    const char *hold; /* actions of this word are begun, and do not end */
};

static inline void machine_init(struct machine *machine, const char *yaml)
{
    static const char *const ips[] = {"192.0.2.1", NULL};
    struct pod *pod;

    *machine = (struct machine){
        .arena = ARENA_INIT_DOCUMENT,
        .now = {.boot = 1000 * USEC_PER_SEC, .wall = 1700000000LL * 1000000},
    };
    pod = read_pod(&machine->document, yaml);
    if (str_empty(pod->object.metadata.name_space))
        pod->object.metadata.name_space = "default";
    if (str_empty(pod->object.metadata.uid))
        pod->object.metadata.uid = "uid-1";
    machine->desired = (struct pod_desired){
        .pod = pod,
        .static_pod = true,
        .node_ips = ips,
        .runtime_name = "toy",
    };
    assert_int_equal(pod->status.conditions.count, 0);
    machine->memory.admitted = true;
    machine->looked = machine->now.boot;
}

/* A pod of this specification, that a manifest declares. */
static inline void machine_spec(struct machine *machine, const char *spec)
{
    char *yaml = fill_frame(MACHINE_POD, spec);

    machine_init(machine, yaml);
    machine->yaml = yaml;
}

/* ... and that the API declares. */
static inline void machine_api(struct machine *machine, const char *spec)
{
    machine_spec(machine, spec);
    machine->desired.static_pod = false;
}

static inline void machine_deinit(struct machine *machine)
{
    free(machine->yaml);
    document_deinit(&machine->document);
    arena_deinit(&machine->arena);
    strbuf_deinit(&machine->log);
    strbuf_deinit(&machine->events);
}

static inline void machine_look_again(struct machine *machine)
{
    memcpy(machine->look.containers, machine->containers, sizeof(machine->containers));
    memcpy(machine->look.sandboxes, machine->sandboxes, sizeof(machine->sandboxes));
    machine->look.container_count = machine->container_count;
    machine->look.sandbox_count = machine->sandbox_count;
}

/* The runtime is looked at: from here on that is what is observed. */
static inline void machine_look(struct machine *machine)
{
    machine->looked = machine->now.boot;
    machine_look_again(machine);
}

static inline void machine_glance(struct machine *machine)
{
    if (!machine->sees_late)
        machine->looked = machine->now.boot;
}

static inline void machine_advance(struct machine *machine, usec_t duration)
{
    machine->now.boot += duration;
    machine->now.wall += (int64_t)duration;
    machine_glance(machine);
}

/* what becomes of the declaration */

static inline struct pod *machine_pod(struct machine *machine)
{
    return pod_of(machine->document.object);
}

static inline void machine_delete(struct machine *machine, int64_t grace_seconds)
{
    struct object_meta *meta = &machine_pod(machine)->object.metadata;

    meta->deletion_timestamp = (struct opt_time){.usec = machine->now.wall, .set = true};
    meta->deletion_grace_period_seconds = (struct opt_int64){.value = grace_seconds, .set = true};
}

/* Once it runs, one for debugging is added. */
static inline void machine_add_ephemeral(struct machine *machine, const char *name)
{
    struct container_list *list = &machine_pod(machine)->spec.ephemeral_containers;
    struct container *items = arena_array(&machine->arena, struct container, list->count + 1);

    if (list->count)
        memcpy(items, list->items, list->count * sizeof(*items));
    items[list->count] = (struct container){.name = name, .image = "debug"};
    list->items = items;
    list->count++;
}

static inline void machine_change_image(struct machine *machine, const char *name,
                                        const char *image)
{
    struct pod_container_ref ref = pod_container_find(machine->desired.pod, name);

    assert_non_null(ref.container);
    ((struct container *)ref.container)->image = image;
}

/* newest first */
static inline struct seen_container *machine_container(struct machine *machine, const char *name)
{
    for (size_t i = 0; i < machine->container_count; i++)
        if (!strcmp(machine->containers[i].name, name))
            return &machine->containers[i];
    return NULL;
}

static inline void machine_exit(struct machine *machine, const char *name, int code)
{
    struct seen_container *seen = machine_container(machine, name);

    assert_non_null(seen);
    seen->state = POD_EXITED;
    seen->exit_code = code;
    seen->reason = code ? "Error" : "Completed";
    seen->finished_usec = machine->now.wall;
    seen->termination = "";
}

static inline void machine_lose_containers(struct machine *machine)
{
    machine->container_count = 0;
}

static inline void machine_exit_id(struct machine *machine, const char *id, int code)
{
    for (size_t i = 0; i < machine->container_count; i++)
        if (!strcmp(machine->containers[i].id, id) && machine->containers[i].state != POD_EXITED) {
            machine->containers[i].state = POD_EXITED;
            machine->containers[i].exit_code = code;
            machine->containers[i].reason = code ? "Error" : "Completed";
            machine->containers[i].finished_usec = machine->now.wall;
            machine->containers[i].termination = "";
        }
}

static inline void machine_probe(struct machine *machine, const char *name,
                                 struct seen_probes probes)
{
    size_t i;

    for (i = 0; i < machine->probe_count; i++)
        if (!strcmp(machine->probes[i].name, name))
            break;
    probes.name = name;
    machine->probes[i] = probes;
    machine->probe_count = MAX(machine->probe_count, i + 1);
}

static inline void machine_remove_container(struct machine *machine, const char *id)
{
    for (size_t i = 0; i < machine->container_count; i++)
        if (!strcmp(machine->containers[i].id, id)) {
            memmove(&machine->containers[i], &machine->containers[i + 1],
                    (machine->container_count - i - 1) * sizeof(*machine->containers));
            machine->container_count--;
            return;
        }
}

static inline void machine_effect_start(struct machine *machine,
                                        const struct pod_operation *operation)
{
    struct pod_container_ref ref = pod_container_find(machine->desired.pod, operation->name);
    char hash[POD_HASH_TEXT_MAX];
    struct seen_container *seen = &machine->containers[0];

    machine_probe(machine, ref.container->name, (struct seen_probes){0});
    for (size_t i = 0; i < machine->container_count; i++)
        if (!strcmp(machine->containers[i].id, operation->target)) {
            machine->containers[i].state = POD_RUNNING;
            machine->containers[i].started_usec = machine->now.wall;
            return;
        }
    assert_true(machine->container_count + 1 < MACHINE_ITEMS_MAX);
    memmove(seen + 1, seen, machine->container_count++ * sizeof(*seen));
    *seen = (struct seen_container){
        .id = arena_printf(&machine->arena, "c%u", machine->ids++),
        .name = ref.container->name,
        .sandbox_id = arena_strdup(&machine->arena, operation->sandbox),
        .state = POD_RUNNING,
        .attempt = operation->attempt,
        .restart_count = (int32_t)operation->attempt,
        .hash = arena_strdup(&machine->arena, pod_container_hash(ref.container, hash)),
        .created_usec = machine->now.wall,
        .started_usec = machine->now.wall,
        .image = ref.container->image,
        .image_id = "sha256:1",
    };
}

static inline void machine_effect_sandbox(struct machine *machine,
                                          const struct pod_operation *operation)
{
    static const char *const ips[] = {"10.0.0.2"};
    struct seen_sandbox *seen = &machine->sandboxes[0];

    memmove(seen + 1, seen, machine->sandbox_count++ * sizeof(*seen));
    *seen = (struct seen_sandbox){
        .id = arena_printf(&machine->arena, "s%u", machine->ids++),
        .attempt = operation->attempt,
        .ready = true,
        .created_usec = machine->now.wall,
        .host_network = machine->desired.pod->spec.host_network,
        .network_known = true,
        .ips = ips,
        .ip_count = 1,
    };
}

static inline void machine_effect(struct machine *machine, struct pod_operation *operation)
{
    switch (operation->kind) {
    case POD_PREPARE:
        machine->prepared = true;
        break;
    case POD_CLEAN:
        machine->cleaned = true;
        break;
    case POD_RELEASE:
        machine->released = true;
        break;
    case POD_RUN_SANDBOX:
        machine_effect_sandbox(machine, operation);
        break;
    case POD_STOP_SANDBOX:
        for (size_t i = 0; i < machine->sandbox_count; i++)
            if (!strcmp(machine->sandboxes[i].id, operation->target))
                machine->sandboxes[i].ready = false;
        break;
    case POD_REMOVE_SANDBOX:
        for (size_t i = machine->container_count; i-- > 0;)
            if (!strcmp(machine->containers[i].sandbox_id, operation->target))
                machine_remove_container(machine, machine->containers[i].id);
        for (size_t i = 0; i < machine->sandbox_count; i++)
            if (!strcmp(machine->sandboxes[i].id, operation->target)) {
                memmove(&machine->sandboxes[i], &machine->sandboxes[i + 1],
                        (machine->sandbox_count - i - 1) * sizeof(*machine->sandboxes));
                machine->sandbox_count--;
                break;
            }
        break;
    case POD_IMAGE:
        operation->image_id = "sha256:1";
        operation->message = "there";
        break;
    case POD_START:
        machine_effect_start(machine, operation);
        break;
    case POD_STOP:
        machine_exit_id(machine, operation->target, 143);
        break;
    case POD_REMOVE_CONTAINER:
        machine_remove_container(machine, operation->target);
        break;
    case POD_POST_START:
    case POD_PRE_STOP:
        break;
    }
}

static inline const char *machine_word(const struct pod_operation *operation)
{
    static const char *const words[] = {
        [POD_PREPARE] = "prepare",
        [POD_RUN_SANDBOX] = "sandbox",
        [POD_STOP_SANDBOX] = "stopbox",
        [POD_REMOVE_SANDBOX] = "removebox",
        [POD_IMAGE] = "image",
        [POD_START] = "start",
        [POD_POST_START] = "poststart",
        [POD_PRE_STOP] = "prestop",
        [POD_STOP] = "stop",
        [POD_REMOVE_CONTAINER] = "remove",
        [POD_CLEAN] = "clean",
        [POD_RELEASE] = "release",
    };

    return words[operation->kind];
}

static inline void machine_note(struct machine *machine, const struct pod_operation *operation)
{
    strbuf_printf(&machine->log, "%s%s", machine->log.length ? " " : "", machine_word(operation));
    if (!str_empty(operation->name))
        strbuf_printf(&machine->log, ":%s", operation->name);
    if (operation->kind == POD_START || operation->kind == POD_RUN_SANDBOX)
        strbuf_printf(&machine->log, "#%u", operation->attempt);
    if (operation->kind == POD_STOP || operation->kind == POD_PRE_STOP)
        strbuf_printf(&machine->log, "/%lld", (long long)operation->grace_seconds);
}

static inline struct pod_observed machine_observed(struct machine *machine)
{
    struct pod_observed observed = {
        .looked = machine->looked,
        .trouble = machine->trouble,
        .prepared = machine->prepared,
        .released = machine->released,
        .cleaned = machine->cleaned,
        .network_trouble = machine->network_trouble,
    };

    if (!machine->sees_late)
        machine_look_again(machine);
    observed.containers.items = machine->look.containers;
    observed.containers.count = machine->look.container_count;
    observed.sandboxes.items = machine->look.sandboxes;
    observed.sandboxes.count = machine->look.sandbox_count;
    observed.probes.items = machine->probes;
    observed.probes.count = machine->probe_count;
    return observed;
}

/* One plan; its actions are noted, not carried out. */
static inline void machine_plan(struct machine *machine)
{
    struct pod_observed observed = machine_observed(machine);

    pod_plan(&machine->desired, &observed, &machine->memory, machine->now, &machine->arena,
             &machine->plan);
    if (machine->desired.pod && observed.looked) {
        machine->plan.memory.published = pod_status(
            &machine->desired, &observed, &machine->plan.memory, machine->now, &machine->arena);
        pod_explain(&machine->desired, &observed, machine->plan.memory.published, &machine->arena,
                    &machine->plan);
    }
    pod_memory_copy(&machine->memory, &machine->plan.memory, &machine->arena);
    array_for_each (action, machine->plan.actions)
        machine_note(machine, action);
    array_for_each (event, machine->plan.events)
        strbuf_printf(&machine->events, "%s %s%s%s: %s\n", event->warning ? "Warning" : "Normal",
                      event->reason, event->container ? " " : "",
                      event->container ? event->container : "", event->message);
}

static inline struct pod_operation *machine_operation(struct machine *machine, const char *word)
{
    array_for_each (operation, machine->memory.operations)
        if (operation->state == POD_OPERATION_INTENDED && !strcmp(machine_word(operation), word))
            return operation;
    return NULL;
}

static inline void machine_end(struct machine *machine, struct pod_operation *operation,
                               enum pod_operation_state state, const char *reason,
                               const char *message)
{
    machine->now.boot++;
    operation->state = state;
    operation->ended = machine->now.boot;
    operation->reason = reason;
    if (message)
        operation->message = message;
    machine->now.boot++;
    machine_glance(machine);
}

/* Ends the operation that was begun by this word. */
static inline void machine_fail(struct machine *machine, const char *word, const char *reason,
                                const char *message)
{
    struct pod_operation *operation = machine_operation(machine, word);

    assert_non_null(operation);
    machine_end(machine, operation, POD_OPERATION_FAILED, reason, message);
}

static inline void machine_finish(struct machine *machine, const char *word)
{
    struct pod_operation *operation = machine_operation(machine, word);

    assert_non_null(operation);
    machine_effect(machine, operation);
    machine_end(machine, operation, POD_OPERATION_DONE, NULL, NULL);
}

/* Nobody knows what became of it: it had its effect, or not. */
static inline void machine_lose(struct machine *machine, const char *word, bool effect)
{
    struct pod_operation *operation = machine_operation(machine, word);

    assert_non_null(operation);
    if (effect)
        machine_effect(machine, operation);
    machine_end(machine, operation, POD_OPERATION_UNKNOWN, NULL, NULL);
}

/* the record */

static inline char *machine_record(const struct pod_memory *memory)
{
    struct strbuf text = STRBUF_INIT;
    struct json_writer writer;

    json_writer_init(&writer, &text, false);
    pod_memory_write(memory, &writer);
    json_writer_deinit(&writer);
    return strbuf_take(&text);
}

static inline int machine_read_record(const char *text, usec_t restarted, struct arena *arena,
                                      struct pod_memory *memory, struct err *err)
{
    struct json_findings findings = {0};
    struct json *root = NULL;

    assert_int_equal(
        json_parse(arena, text, strlen(text), &json_limits_manifest, &findings, &root, err), 0);
    return pod_memory_read(root, restarted, arena, memory, err);
}

/* The agent starts again: with what is on record, and what it has not observed yet. */
static inline void machine_restart(struct machine *machine)
{
    char *text = machine_record(&machine->memory);
    struct err err;

    machine->now.boot++;
    if (machine_read_record(text, machine->now.boot, &machine->arena, &machine->memory, &err) < 0)
        fail_msg("%s: %s", err.text, text);
    free(text);
    machine->probe_count = 0;
    machine->prepared = false;
    machine->now.boot++;
    machine_glance(machine);
}

/* Plans and carries out until nothing is left to do now. */
static inline void machine_run(struct machine *machine)
{
    for (int i = 0; i < MACHINE_STEPS_MAX; i++) {
        struct pod_operation *next = NULL;

        machine_plan(machine);
        array_for_each (operation, machine->memory.operations)
            if (operation->state == POD_OPERATION_INTENDED &&
                !str_equal(machine_word(operation), machine->hold)) {
                next = operation;
                break;
            }
        if (!next)
            return;
        machine_effect(machine, next);
        machine_end(machine, next, POD_OPERATION_DONE, NULL, NULL);
    }
    fail_msg("the plan does not come to rest: %s", machine->log.text);
}

/* The actions since the last question. */
static inline void assert_actions(struct machine *machine, const char *expected)
{
    assert_string_equal(machine->log.text ? machine->log.text : "", expected);
    strbuf_truncate(&machine->log, 0);
}

/* Sleeps until the plan wants to be woken, at most `max`, and goes on. */
static inline void machine_sleep(struct machine *machine, usec_t max)
{
    usec_t end = usec_add(machine->now.boot, max);

    for (machine_run(machine); machine->plan.wake < end; machine_run(machine))
        machine_advance(machine, usec_sub(machine->plan.wake, machine->now.boot));
    machine_advance(machine, usec_sub(end, machine->now.boot));
    machine_run(machine);
}

/* From its declaration to where it waits for something to happen; what it did is not told. */
static inline void machine_start(struct machine *machine)
{
    machine_run(machine);
    strbuf_truncate(&machine->log, 0);
    strbuf_truncate(&machine->events, 0);
}

static inline void assert_runs(struct machine *machine, const char *name, bool expected)
{
    const struct seen_container *seen = machine_container(machine, name);
    bool runs = seen && seen->state == POD_RUNNING;

    if (runs != expected)
        fail_msg("%s %s", name, runs ? "runs" : "does not run");
}

static inline void assert_phase(const struct machine *machine, const char *expected)
{
    assert_string_equal(machine->memory.published->phase, expected);
}

static inline const struct pod_condition *machine_condition(const struct machine *machine,
                                                            const char *type)
{
    array_for_each (condition, machine->memory.published->conditions)
        if (!strcmp(condition->type, type))
            return condition;
    fail_msg("there is no condition %s", type);
    return NULL;
}

static inline const struct container_status *machine_status(const struct machine *machine,
                                                            const char *name)
{
    const struct container_status_list *lists[] = {
        &machine->memory.published->container_statuses,
        &machine->memory.published->init_container_statuses,
        &machine->memory.published->ephemeral_container_statuses,
    };

    for (size_t i = 0; i < array_size(lists); i++)
        array_for_each (status, *lists[i])
            if (!strcmp(status->name, name))
                return status;
    fail_msg("there is no status of %s", name);
    return NULL;
}

static inline void assert_waiting(const struct machine *machine, const char *name,
                                  const char *reason)
{
    const struct container_status *status = machine_status(machine, name);

    assert_non_null(status->state.waiting);
    assert_string_equal(status->state.waiting->reason, reason);
}

static inline void assert_condition(const struct machine *machine, const char *type,
                                    const char *status, const char *reason, const char *message)
{
    const struct pod_condition *condition = machine_condition(machine, type);

    assert_string_equal(condition->status, status);
    assert_string_equal(condition->reason ? condition->reason : "", reason ? reason : "");
    assert_string_equal(condition->message ? condition->message : "", message ? message : "");
}

/* Part of an event's line. */
static inline void assert_event(const struct machine *machine, const char *text)
{
    if (!machine->events.text || !strstr(machine->events.text, text))
        fail_msg("there was no event %s, but: %s", text,
                 machine->events.text ? machine->events.text : "");
}

static inline void assert_no_event(const struct machine *machine, const char *text)
{
    if (machine->events.text && strstr(machine->events.text, text))
        fail_msg("there was an event %s: %s", text, machine->events.text);
}

static inline const struct pod_blocker *machine_blocker(const struct machine *machine,
                                                        const char *reason)
{
    array_for_each (blocker, machine->plan.blockers)
        if (!strcmp(blocker->reason, reason))
            return blocker;
    fail_msg("there is no blocker %s", reason);
    return NULL;
}
