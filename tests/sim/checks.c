/* Checks at what happens, and after each step. */
#include "checks.h"
#include "manifests.h"
#include "nodeagent/base/mem.h"
#include "runtime.h"
#include "subject.h"
#include "sys-tree.h"
#include "sys.h"

#include <stdio.h>
#include <string.h>

enum {
    WINDOW_CALLS_MAX = 150, /* of one pod in WINDOW_USEC; a busy start and end of one makes 60 */
};

#define WINDOW_USEC (60 * USEC_PER_SEC)
#define CLEAN_STARTS_IN (30 * USEC_PER_SEC)
#define DEADLINE_SLACK (2 * USEC_PER_SEC)
#define WAKING (100 * USEC_PER_MSEC)
#define BACK_OFF_FIRST (10 * USEC_PER_SEC)
#define BACK_OFF_FORGET (590 * USEC_PER_SEC) /* from the decision, a little before */
#define BACK_OFF_SLACK (1500 * USEC_PER_MSEC)

/* two of one */

void checks_sandbox_runs(const struct sandbox *sandbox, usec_t asked)
{
    const struct manifest *manifest = manifests_find(sandbox->metadata->uid);

    if (manifest && asked < manifest->life_began)
        return; /* it hung while the pod went and came again; it is stopped */
    list_for_each (node, &world->runtime->sandboxes) {
        const struct sandbox *other = list_entry(node, struct sandbox, link);

        if (other != sandbox && other->ready &&
            !strcmp(other->metadata->uid, sandbox->metadata->uid))
            violation(INVARIANT_ONE_SANDBOX, "%s runs beside %s", sandbox->id, other->id);
    }
}

static void check_no_twin(const struct container *container)
{
    list_for_each (node, &world->runtime->containers) {
        const struct container *other = list_entry(node, struct container, link);

        if (other != container && other->alive && other->spec == container->spec)
            violation(INVARIANT_ONE_CONTAINER, "%s runs beside %s", container->id, other->id);
    }
}

/* back-off */

/* Another image begins anew. */
static bool is_of_another_image(struct pod_container *spec, const struct container *container)
{
    const char *image = container->config->image->image;
    bool another = strcmp(spec->last_image, image);

    snprintf(spec->last_image, sizeof(spec->last_image), "%s", image);
    if (another)
        spec->delay = 0;
    return another;
}

static void check_back_off(const struct container *container)
{
    struct pod_container *spec = container->spec;
    usec_t first = MIN(BACK_OFF_FIRST, world->restart_period_max);
    bool known = spec->delay && world->now < spec->updated + BACK_OFF_FORGET;
    usec_t waited = world->now - spec->last_exit;

    /* With another sandbox the records of the old one may be gone, and with them their ends. */
    if (!spec->exits || strcmp(spec->last_sandbox, container->sandbox_id) || spec->last_was_stopped)
        return;
    if (known && waited + BACK_OFF_SLACK < spec->delay)
        violation(INVARIANT_BACK_OFF, "%s runs %.1f s after the one before ended, not %.1f s",
                  container->id, (double)waited / USEC_PER_SEC, (double)spec->delay / USEC_PER_SEC);
    spec->delay = known ? MIN(spec->delay * 2, world->restart_period_max) : first;
    spec->updated = world->now;
}

static void forget_back_offs(void)
{
    list_for_each (node, &world->manifests->all) {
        struct manifest *manifest = list_entry(node, struct manifest, link);

        for (size_t i = 0; i < manifest->container_count; i++)
            manifest->containers[i].delay = 0;
    }
}

/* What has ended for good stays so, whoever starts or ends. */
static void check_not_ended(const struct container *container)
{
    const struct pod_container *spec = container->spec;
    const struct manifest *manifest = spec->manifest;

    if (manifest->told_removed || manifest->disturbed)
        return;
    /* It counts from when the agent took the pod up, which was before anything of it ran. One that
     * wakes up goes on with what it was about, and then looks at the clock. With no room for
     * records no end can be begun, and what was begun before goes on. */
    if (manifest->deadline_seconds && manifest->started && !world->disk_full &&
        container->start_sent > world->life.frozen_until + WAKING &&
        container->start_sent >
            manifest->started + (usec_t)manifest->deadline_seconds * USEC_PER_SEC + DEADLINE_SLACK)
        violation(INVARIANT_UNDISTURBED, "%s runs after the pod's deadline", container->id);
    if (spec->kind == KIND_REGULAR && spec->exits && !spec->last_was_stopped &&
        !spec->last_never_ran &&
        (manifest->policy == RESTART_NEVER ||
         (manifest->policy == RESTART_ON_FAILURE && !spec->last_code)))
        violation(INVARIANT_UNDISTURBED, "%s runs, though the one before has ended for good",
                  container->id);
}

void checks_container_runs(const struct container *container)
{
    struct pod_container *spec = container->spec;

    if (!spec) {
        violation(INVARIANT_SANE, "%s runs, which no pod declares", container->id);
        return;
    }
    check_no_twin(container);
    check_not_ended(container);
    if (!is_of_another_image(spec, container))
        check_back_off(container);
    spec->starts++;
    if (!spec->manifest->started)
        spec->manifest->started = world->now;
    spec->manifest->ever_started = true;
}

static bool has_its_sandbox(const struct container *container)
{
    return container->sandbox && container->sandbox->ready;
}

void checks_container_ended(const struct container *container)
{
    struct pod_container *spec = container->spec;

    if (!spec)
        return;
    spec->manifest->ever_started = true; /* or tried to, which is the same to its phase */
    spec->exits++;
    /* A failed hook ends it for good, unless it was its sandbox that had to go. Of a stop that is
     * on its way then, the agent does not know whether it came in time. */
    spec->last_was_stopped = container->ever_unknown ||
                             ((container->asked_to_end || container->hook_sent) &&
                              (!container->hook_failed || !has_its_sandbox(container))) ||
                             (container->stop_sent && !has_its_sandbox(container));
    spec->last_was_unknown = container->ever_unknown;
    spec->last_never_ran = !container->started;
    spec->last_code = container->exit_code;
    if (!container->started)
        return; /* it never ran, and may be gone before anybody has seen it */
    spec->last_exit = world->now;
    memcpy(spec->last_sandbox, container->sandbox_id, sizeof(spec->last_sandbox));
}

/* It was seen running in a dead sandbox, and ended before the stop came: whose end this was is
 * not known to the agent, which starts it anew. */
void checks_stopped_after_end(const struct container *container)
{
    struct pod_container *spec = container->spec;

    if (spec && !has_its_sandbox(container) && !strcmp(spec->last_sandbox, container->sandbox_id))
        spec->last_was_stopped = true;
}

void checks_told_to_end(const struct container *container)
{
    if (container->spec && !container->asked_to_end)
        violation(INVARIANT_TOLD_TO_END, "%s is killed with its sandbox", container->id);
}

/* calls */

static void check_stop(const struct call *call, struct container *container)
{
    container->stop_sent = true;
    if (container->alive && !may_stop_container(container))
        violation(INVARIANT_UNDISTURBED, "%s, which has no reason to end", call->key);
}

static void check_stop_sandbox(const struct call *call, const struct sandbox *sandbox)
{
    if (!may_stop_sandbox(sandbox))
        violation(INVARIANT_UNDISTURBED, "%s, which has no reason to end", call->key);
    list_for_each (node, &world->runtime->containers) {
        struct container *container = list_entry(node, struct container, link);

        if (container->sandbox == sandbox)
            check_stop(call, container);
    }
}

static void count_call(struct manifest *manifest)
{
    if (!manifest)
        return;
    if (world->now - manifest->window > WINDOW_USEC) {
        manifest->window = world->now;
        manifest->window_calls = 0;
    }
    if (++manifest->window_calls > WINDOW_CALLS_MAX)
        violation(INVARIANT_BOUNDED, "%u calls for %s in a minute", manifest->window_calls,
                  manifest->uid);
}

static void note_hook(const Cri__ExecSyncRequest *request)
{
    struct container *container = container_find(request->container_id);

    if (container && str_equal(request->cmd[0], "preStop"))
        container->hook_sent = true;
}

void checks_call_sent(const struct call *call)
{
    const struct sandbox *sandbox;
    struct container *container;
    const char *id;

    if (call->method->kind == METHOD_NODE)
        return;
    if (world->phase == PHASE_QUIET)
        violation(INVARIANT_QUIET, "%s, though nothing has changed", call->key);
    if (call->method->kind != METHOD_CHANGE)
        return;
    count_call(manifests_find(call->uid));
    if (call->method->begin == serve_run_sandbox)
        checks_sandbox_asked_for(call->uid);
    id = ((const Cri__StopPodSandboxRequest *)call->request)->pod_sandbox_id;
    if (call->method->begin == serve_stop_container ||
        call->method->begin == serve_remove_container) {
        container = container_find(id);
        if (container)
            check_stop(call, container);
    } else if (call->method->begin == serve_exec) {
        note_hook((const void *)call->request);
    } else if (call->method->begin == serve_stop_sandbox ||
               call->method->begin == serve_remove_sandbox) {
        sandbox = sandbox_find(id);
        if (!sandbox)
            return;
        check_stop_sandbox(call, sandbox);
        if (call->method->begin == serve_remove_sandbox && !sandbox->stopped)
            violation(INVARIANT_STOPPED_FIRST, "%s, which was not stopped", call->key);
    }
}

/* what befalls the node */

/* How long ago something ended is told by the wall clock alone to an agent that did not see it. */
void checks_clock_jumped(void)
{
    forget_back_offs();
}

void checks_agent_died(void)
{
    if (world->lossy_writes)
        forget_back_offs();
    list_for_each (node, &world->manifests->all) {
        struct manifest *manifest = list_entry(node, struct manifest, link);

        manifest->forgotten |= world->lossy_writes;
        manifest->delivered = false;
    }
    world->lossy_writes = 0;
}

void checks_machine_boots(void)
{
    forget_back_offs();
    list_for_each (node, &world->manifests->all) {
        struct manifest *manifest = list_entry(node, struct manifest, link);

        manifest->disturbed |= manifest->policy == RESTART_NEVER;
        manifest->forgotten = true;
        manifest->begins_anew = !manifest->of_cluster; /* when it began is nowhere on record */
        manifest->started = 0;
    }
}

/* after each step */

static bool runs_alone(const struct manifest *manifest)
{
    for (size_t i = 0; i < manifest->container_count; i++) {
        bool alive = false;

        list_for_each (node, &world->runtime->containers) {
            const struct container *container = list_entry(node, struct container, link);

            alive |= container->spec == &manifest->containers[i] && container->alive;
        }
        if (!alive)
            return false;
    }
    return true;
}

/* Is anything wrong that concerns all pods? */
static bool is_disturbed(void)
{
    if (!world->life.alive || world->life.frozen_until > world->now || world->runtime->down ||
        !world->runtime->network_ready || world->disk_full)
        return true;
    return world->now < world->hampered_until;
}

static void check_clean(const struct manifest *manifest)
{
    usec_t since = MAX(world->disturbed, manifest->delivered_at);

    for (size_t i = 0; i < manifest->container_count; i++)
        since = MAX(since, manifest->containers[i].last_exit);
    if (!manifest->delivered || world->now - since < CLEAN_STARTS_IN || runs_alone(manifest))
        return;
    if (is_disturbed()) {
        world_disturb();
        return;
    }
    violation(INVARIANT_ISOLATED,
              "%s, which nothing ails, does not run %.1f s after everything was well",
              manifest->uid, (double)(world->now - since) / USEC_PER_SEC);
}

static void check_files_of(const struct container *container)
{
    char log[512];

    for (size_t i = 0; i < container->config->n_mounts; i++) {
        const char *path = container->config->mounts[i]->host_path;

        if (str_has_prefix(path, SUBJECT_ROOT) && !tree_has(world->tree, path))
            violation(INVARIANT_FILES_KEPT, "%s runs, and its %s is gone", container->id, path);
    }
    snprintf(log, sizeof(log), "%s/%s", container->request->sandbox_config->log_directory,
             container->config->log_path);
    if (!tree_has(world->tree, log))
        violation(INVARIANT_FILES_KEPT, "%s runs, and its log %s is gone", container->id, log);
}

static void check_files(void)
{
    if (world->tree->removals == world->tree->removals_checked)
        return;
    world->tree->removals_checked = world->tree->removals;
    list_for_each (node, &world->runtime->containers) {
        const struct container *container = list_entry(node, struct container, link);

        if (container->alive)
            check_files_of(container);
    }
}

void checks_step(void)
{
    if (is_disturbed())
        world_disturb();
    check_files();
    list_for_each (node, &world->manifests->all) {
        const struct manifest *manifest = list_entry(node, struct manifest, link);

        if (manifest->clean)
            check_clean(manifest);
    }
}

/* An agent that was killed before it had cleared up goes on with its life of before. */
static const struct tree_node *record_of(const struct manifest *manifest)
{
    char path[256];

    snprintf(path, sizeof(path), "%s/pods/%s.json", SUBJECT_RUN, manifest->uid);
    return tree_walk(world->tree->root, path);
}

bool pod_has_to_go(const struct manifest *manifest)
{
    const struct tree_node *record = record_of(manifest);
    static const char leaving[] = "\"leaving\":true";

    return record && memmem(record->bytes, record->length, leaving, strlen(leaving));
}

static bool sandbox_may_come(const struct manifest *manifest)
{
    list_for_each (node, &world->runtime->calls) {
        const struct call *call = list_entry(node, struct call, link);

        if (call->method->begin == serve_run_sandbox && !strcmp(call->uid, manifest->uid))
            return true;
    }
    return false;
}

void checks_may_forget(struct manifest *manifest)
{
    if (!manifest || !manifest->told_removed || !manifest->delivered || manifest->of_cluster)
        return;
    list_for_each (node, &world->runtime->sandboxes)
        if (!strcmp(list_entry(node, struct sandbox, link)->metadata->uid, manifest->uid))
            return;
    list_for_each (node, &world->runtime->containers)
        if (!strcmp(list_entry(node, struct container, link)->uid, manifest->uid))
            return;
    manifest->told_removed = sandbox_may_come(manifest); /* for the life before */
    manifest->disturbed = false;
    manifest->started = 0;
    manifest->delivered_at = manifest->life_began = world->now;
    if (!record_of(manifest))
        manifest->known_since = world->now;
    for (size_t i = 0; i < manifest->container_count; i++) {
        struct pod_container *spec = &manifest->containers[i];

        spec->starts = spec->exits = 0;
        spec->delay = 0;
    }
}

void checks_look(void)
{
    list_for_each (node, &world->manifests->all)
        checks_may_forget(list_entry(node, struct manifest, link));
    if (world->life.alive && world->life.frozen_until <= world->now)
        published_check();
}
