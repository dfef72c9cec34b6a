/* The model runtime: how processes live and end. */
#include "checks.h"
#include "manifests.h"
#include "nodeagent/base/mem.h"
#include "runtime.h"
#include "sys.h"

#include <stdlib.h>
#include <string.h>

#define EXIT_MIN (5 * USEC_PER_MSEC) /* from TERM to the end */
#define EXIT_MAX (900 * USEC_PER_MSEC)
#define STOP_REPLY (5 * USEC_PER_MSEC)

enum {
    RATE_IGNORES_TERM = 1000, /* of 10,000 */
    RATE_EXITS_EARLY = 500,
    RATE_EXIT_LOST = 500, /* of those that end while nobody looks */
};

/* The file is there from the first line on. */
static void make_log(const struct container *container)
{
    _cleanup_(mem_free_at) char *path = mem_printf(
        "%s/%s", container->request->sandbox_config->log_directory, container->config->log_path);

    tree_put(world->tree, path, "");
}

static void ends_by_itself(void *data)
{
    struct container *container = data;

    container->ends = NULL;
    container_ends(container, container->exit_code,
                   container->exit_code == 0     ? "Completed"
                   : container->exit_code == 137 ? "OOMKilled"
                                                 : "Error");
}

void container_begins(struct container *container)
{
    usec_t lives = USEC_NEVER;
    int32_t code = 0;

    container->state = CRI__CONTAINER_STATE__CONTAINER_RUNNING;
    container->alive = true;
    container->started_at = runtime_now();
    container->started = world->now;
    world->runtime->changes++;
    trace("  runtime: container %s runs", container->id);
    if (container->spec)
        lives = manifests_lifetime(container->spec, &code);
    if (lives == USEC_NEVER && container->spec && !manifests_is_clean(container->uid) &&
        choose(SITE_EXITS_EARLY, container->id, RATE_EXITS_EARLY)) {
        lives = draw_usec_wide(SITE_LIFETIME, container->id, USEC_PER_MSEC, 100 * USEC_PER_SEC);
        code = 2;
    }
    container->exit_code = code;
    if (lives != USEC_NEVER)
        container->ends = event_add(lives, "exit of", container->id, ends_by_itself, container);
    make_log(container);
    checks_container_runs(container);
    net_hint(container, CRI__CONTAINER_EVENT_TYPE__CONTAINER_STARTED_EVENT);
}

static void wake_stops(struct container *container)
{
    list_for_each (node, &world->runtime->calls) {
        struct call *call = list_entry(node, struct call, link);

        if (call->container != container || call->method->begin != serve_stop_container)
            continue;
        call->container = NULL;
        call_after(call, STOP_REPLY, container_stop_ends);
    }
}

void container_ends(struct container *container, int32_t exit_code, const char *reason)
{
    event_cancel(container->ends);
    event_cancel(container->killed);
    container->ends = container->killed = NULL;
    container->alive = false;
    container->state = CRI__CONTAINER_STATE__CONTAINER_EXITED;
    container->finished_at = runtime_now();
    container->finished = world->now;
    container->exit_code = exit_code;
    container->reason = reason;
    if (world->runtime->down && choose(SITE_EXIT_IS_LOST, container->id, RATE_EXIT_LOST)) {
        container->exit_code = 255;
        container->reason = "Unknown";
    }
    world->runtime->changes++;
    trace("  runtime: container %s ends with %d (%s)", container->id, container->exit_code,
          container->reason);
    checks_container_ended(container);
    wake_stops(container);
    net_hint(container, CRI__CONTAINER_EVENT_TYPE__CONTAINER_STOPPED_EVENT);
}

/* being stopped */

static void obeys_term(void *data)
{
    struct container *container = data;

    container->ends = NULL;
    container_ends(container, draw(SITE_DETAIL, container->id, 2) ? 143 : 0, "Error");
}

static void is_killed(void *data)
{
    struct container *container = data;

    container->killed = NULL;
    list_for_each (node, &world->runtime->calls) {
        const struct call *call = list_entry(node, struct call, link);

        if (call->container == container && call->method->begin == serve_stop_container &&
            (call->client || !call->rolls_back)) {
            container_ends(container, 137, "Error");
            return;
        }
    }
}

void container_asked_to_end(struct container *container, usec_t grace)
{
    usec_t at = usec_add(world->now, grace);

    if (!container->asked_to_end) {
        container->ignores_term = choose(SITE_TERM_IS_IGNORED, container->id, RATE_IGNORES_TERM);
        if (!container->ignores_term) {
            event_cancel(container->ends);
            container->ends = event_add(draw_usec(SITE_LIFETIME, container->id, EXIT_MIN, EXIT_MAX),
                                        "TERM ends", container->id, obeys_term, container);
        }
    }
    container->asked_to_end = true;
    if (container->killed && container->killed_at <= at)
        return;
    event_cancel(container->killed);
    container->killed_at = at;
    container->killed = event_add(grace, "KILL ends", container->id, is_killed, container);
}

void container_drop(struct container *container)
{
    struct manifest *manifest = manifests_find(container->uid);

    list_for_each (node, &world->runtime->calls) {
        struct call *call = list_entry(node, struct call, link);

        if (call->container != container)
            continue;
        call->container = NULL;
        if (call->method->begin == serve_stop_container)
            call_after(call, STOP_REPLY, container_stop_ends);
    }
    event_cancel(container->ends);
    event_cancel(container->killed);
    list_unlink(&container->link);
    name_release(container->name);
    trace("  runtime: container %s is removed", container->id);
    world->runtime->changes++;
    cri__create_container_request__free_unpacked(container->request, NULL);
    free(container);
    checks_may_forget(manifest);
}
