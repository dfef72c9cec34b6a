/*
 * Reasons to stop what runs. The world knows more than the agent, so where the agent could not know
 * better the answer is yes: it is only no when nothing at all could have led to it.
 */
#include "checks.h"
#include "manifests.h"
#include "runtime.h"

#include <string.h>

#define DEADLINE_SLACK (2 * USEC_PER_SEC)

/* One that failed its liveness or startup probe, and is not restarted, counts as ended. */
static bool is_alive(const struct pod_container *spec)
{
    list_for_each (node, &world->runtime->containers) {
        const struct container *container = list_entry(node, struct container, link);

        if (container->spec == spec && container->alive &&
            !(container->not_live && spec->manifest->policy == RESTART_NEVER))
            return true;
    }
    return false;
}

static bool is_to_be_killed(const struct pod_container *spec)
{
    list_for_each (node, &world->runtime->containers) {
        const struct container *container = list_entry(node, struct container, link);

        if (container->spec == spec && container->alive && container->not_live)
            return true;
    }
    return false;
}

/* Is it done, by the pod's policy? */
static bool has_ended(const struct pod_container *spec)
{
    return (spec->exits || is_to_be_killed(spec)) && !is_alive(spec) &&
           (spec->manifest->policy == RESTART_NEVER ||
            (spec->last_code == 0 && (!spec->last_was_stopped || spec->last_was_unknown)));
}

static bool containers_are_done(const struct manifest *manifest)
{
    bool all = true;

    if (manifest->policy == RESTART_ALWAYS)
        return false;
    for (size_t i = 0; i < manifest->container_count; i++) {
        const struct pod_container *spec = &manifest->containers[i];

        if (spec->kind == KIND_INIT && manifest->policy == RESTART_NEVER && spec->exits &&
            spec->last_code)
            return true;
        all &= spec->kind != KIND_REGULAR || has_ended(spec);
    }
    return all;
}

bool pod_ends_by_itself(const struct manifest *manifest)
{
    usec_t age = world->now - manifest->known_since + DEADLINE_SLACK;

    if (manifest->deadline_seconds && age >= (usec_t)manifest->deadline_seconds * USEC_PER_SEC)
        return true;
    return manifest->disturbed || containers_are_done(manifest);
}

bool pod_may_end(const struct manifest *manifest)
{
    return !manifest->ever_delivered || manifest->told_removed || pod_ends_by_itself(manifest);
}

static bool has_twin(const struct container *container)
{
    list_for_each (node, &world->runtime->containers) {
        const struct container *other = list_entry(node, struct container, link);

        if (other != container && other->spec == container->spec && other->alive)
            return true;
    }
    return false;
}

bool may_stop_container(const struct container *container)
{
    if (!container->spec || pod_may_end(container->spec->manifest))
        return true;
    return !container->alive || container->spec->changed || container->ever_unknown ||
           container->hook_failed || container->not_live || container->asked_to_end ||
           !container->sandbox->ready || has_twin(container);
}

bool may_stop_sandbox(const struct sandbox *sandbox)
{
    const struct manifest *manifest = manifests_find(sandbox->metadata->uid);
    unsigned ready = 0;

    if (!manifest || !sandbox->ready || pod_may_end(manifest))
        return true;
    list_for_each (node, &world->runtime->sandboxes) {
        const struct sandbox *other = list_entry(node, struct sandbox, link);

        ready += other->ready && !strcmp(other->metadata->uid, sandbox->metadata->uid);
    }
    return ready > 1;
}
