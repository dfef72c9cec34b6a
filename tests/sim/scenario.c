/* The phases of a seed, and what happens in its storm. */
#include "scenario.h"
#include "api-server.h"
#include "checks.h"
#include "manifests.h"
#include "nodeagent/base/mem.h"
#include "runtime.h"
#include "subject.h"
#include "sys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    HAPPENINGS = 24, /* in a storm */
    CLUSTER_HAPPENINGS = 16,
    ALONE_HAPPENINGS = 8,
    ALONE_SEEDS = 16, /* of so many members one is left alone for long */
    FAULTS_MIN = 5,   /* a storm goes on until it had so many */
    KILLS_MIN = 1,
    STEPS_MIN = 1000,
    ROUNDS_MAX = 20, /* a seed whose choices were left out has an end, too */
};

#define STORM_USEC (150 * USEC_PER_SEC)
#define ALONE_USEC (7200 * USEC_PER_SEC)
#define ALONE_QUIET_AFTER (6000 * USEC_PER_SEC)
#define CALM_MAX (1500 * USEC_PER_SEC)  /* two of the longest back-offs, and time to act */
#define QUIET_AFTER (70 * USEC_PER_SEC) /* what was not told again for a minute is by then */
#define QUIET_USEC (60 * USEC_PER_SEC)
#define EMPTY_MAX (400 * USEC_PER_SEC)
#define LOOK_EVERY (2 * USEC_PER_SEC)

/* what happens */

static void network_returns(void *data)
{
    world->runtime->network_ready = true;
}

static void network_fails(const char *key)
{
    world->runtime->network_ready = false;
    event_add(draw_usec_wide(SITE_DURATION, key, USEC_PER_SEC, 30 * USEC_PER_SEC),
              "network is ready", "", network_returns, NULL);
}

static void disk_has_room(void *data)
{
    world->disk_full = false;
}

static void disk_fills(const char *key)
{
    world->disk_full = true;
    event_add(draw_usec_wide(SITE_DURATION, key, USEC_PER_SEC, 60 * USEC_PER_SEC), "disk has room",
              "", disk_has_room, NULL);
}

static void runtime_is_started(void *data)
{
    if (world->runtime->down)
        runtime_returns();
}

static void runtime_is_killed(const char *key)
{
    if (world->runtime->down)
        return;
    runtime_dies();
    event_add(draw_usec_wide(SITE_DURATION, key, 100 * USEC_PER_MSEC, 20 * USEC_PER_SEC),
              "runtime is started", "", runtime_is_started, NULL);
}

static void clock_jumps(const char *key)
{
    int64_t by = (int64_t)draw_usec_wide(SITE_DETAIL, key, USEC_PER_SEC, 7200 * USEC_PER_SEC);

    world->wall_offset += draw(SITE_DETAIL, key, 2) ? by : -by;
    checks_clock_jumped();
}

static void agent_is_frozen(const char *key)
{
    usec_t lasts = draw_usec_wide(SITE_DURATION, key, 100 * USEC_PER_MSEC, 40 * USEC_PER_SEC);

    world->life.frozen_until = world->now + lasts;
    world_disturb();
}

static void machine_sleeps(const char *key)
{
    usec_t lasts = draw_usec_wide(SITE_DURATION, key, USEC_PER_SEC, 3600 * USEC_PER_SEC);

    /* What was to happen meanwhile happens when it wakes up. */
    world->now += lasts;
    world->asleep += lasts;
    world_disturb();
}

static void agent_is_killed(const char *key)
{
    if (world->life.alive)
        life_end();
}

static void agent_is_stopped(const char *key)
{
    life_stop();
}

static void put_node_files(void)
{
    _cleanup_(mem_free_at) char *boot_id =
        mem_printf("0b00b1e5-0000-4000-8000-%012u\n", ++world->boots);

    tree_put(world->tree, "/proc/sys/kernel/random/boot_id", boot_id);
    tree_put(world->tree, "/etc/resolv.conf", "nameserver 10.0.0.2\n");
    tree_put(world->tree, "/etc/hosts", "127.0.0.1 localhost\n");
    tree_make(world->tree, "/run");
    tree_make(world->tree, "/etc/kubernetes/manifests");
}

static void machine_boots(const char *key)
{
    world->life.frozen_until = 0;
    agent_is_killed(key);
    if (!world->runtime->down)
        runtime_dies();
    runtime_machine_boots();
    tree_drop(world->tree, "/run");
    put_node_files();
    world->booted = world->now;
    world->asleep = 0;
    world->disk_full = false;
    checks_machine_boots();
}

static unsigned any_pod(const char *key)
{
    return (unsigned)draw(SITE_DETAIL, key, PODS_MAX);
}

static void pod_comes_or_goes(const char *key)
{
    unsigned index = any_pod(key);

    if (manifests_is_there(index))
        manifests_take_away(index);
    else
        manifests_put(index);
}

static void pod_changes(const char *key)
{
    manifests_change(any_pod(key));
}

/* Taken away and put back before everything of it is gone. */
static void pod_blinks(const char *key)
{
    unsigned index = any_pod(key);

    if (!manifests_is_there(index))
        return;
    manifests_take_away(index);
    if (draw(SITE_DETAIL, key, 2))
        manifests_put(index);
}

static void sandbox_dies(const char *key)
{
    size_t count = list_count(&world->runtime->sandboxes), at;

    if (!count)
        return;
    at = draw(SITE_DETAIL, key, count);
    list_for_each (node, &world->runtime->sandboxes) {
        struct sandbox *sandbox = list_entry(node, struct sandbox, link);

        if (at--)
            continue;
        if (!sandbox->ready || manifests_is_clean(sandbox->id))
            return;
        sandbox->ever_died = true;
        sandbox_ends(sandbox);
        manifests_find(sandbox->metadata->uid)->disturbed |=
            manifests_find(sandbox->metadata->uid)->policy == RESTART_NEVER;
        list_for_each (other, &world->runtime->containers) {
            struct container *container = list_entry(other, struct container, link);

            /* Their processes go with the namespace they share, or stay. */
            if (container->sandbox == sandbox && container->alive &&
                draw(SITE_DETAIL, container->id, 4))
                container_ends(container, 137, "Error");
        }
        return;
    }
}

static const struct happening_kind happenings[] = {
    {"pod comes or goes", 24, pod_comes_or_goes},
    {"pod changes", 12, pod_changes},
    {"pod blinks", 10, pod_blinks},
    {"agent is killed", 12, agent_is_killed},
    {"agent is stopped", 6, agent_is_stopped},
    {"agent is frozen", 6, agent_is_frozen},
    {"runtime is killed", 8, runtime_is_killed},
    {"network fails", 6, network_fails},
    {"sandbox dies", 6, sandbox_dies},
    {"disk fills", 4, disk_fills},
    {"clock jumps", 4, clock_jumps},
    {"machine sleeps", 1, machine_sleeps},
    {"machine boots", 1, machine_boots},
};

/* While the API server is away for long: what a node lives through without a cluster. */
static const struct happening_kind alone_happenings[] = {
    {"pod comes or goes", 8, pod_comes_or_goes}, {"pod changes", 4, pod_changes},
    {"agent is killed", 3, agent_is_killed},     {"agent is stopped", 3, agent_is_stopped},
    {"sandbox dies", 4, sandbox_dies},
};

struct happening {
    const struct happening_kind *what;
    enum site site;
    char key[16];
};

static void happen(void *data)
{
    struct happening *happening = data;

    if (choose(happening->site, happening->key, 10000)) {
        trace("* %s", happening->what->name);
        happening->what->happens(happening->key);
    }
    free(happening);
}

static const struct happening_kind *what_happens(const struct happening_kind *kinds, size_t count,
                                                 const char *key)
{
    unsigned sum = 0;
    uint64_t at;

    for (size_t i = 0; i < count; i++)
        sum += kinds[i].weight;
    for (at = draw(SITE_SCHEDULE, key, sum); at >= kinds->weight; kinds++)
        at -= kinds->weight;
    return kinds;
}

/* `where` tells the keys of one table from those of another. */
static void schedule(enum site site, const struct happening_kind *kinds, size_t kind_count,
                     const char *where, unsigned from, unsigned count, usec_t within)
{
    for (unsigned i = from; i < from + count; i++) {
        struct happening *happening = mem_new(struct happening);

        snprintf(happening->key, sizeof(happening->key), "%s%u", where, i);
        happening->site = site;
        happening->what = what_happens(kinds, kind_count, happening->key);
        event_add(draw_usec(SITE_SCHEDULE, happening->key, 0, within), "happening", happening->key,
                  happen, happening);
    }
}

/* the phases */

static void enter(enum phase phase)
{
    static const char *const names[] = {"storm", "alone", "calm", "quiet", "empty"};

    world->phase = phase;
    world->phase_began = world->now;
    world->log_lines = 0;
    trace("== %s", names[phase]);
}

static void put_clean_pod(void *data)
{
    manifests_put(PODS_MAX + (unsigned)(uintptr_t)data);
}

static void put_first_pods(void)
{
    char key[16];

    for (unsigned i = 0; i < PODS_MAX; i++) {
        snprintf(key, sizeof(key), "%u", i);
        if (choose(SITE_POD, key, 6000))
            manifests_put(i);
    }
    for (unsigned i = 0; i < CLEAN_PODS; i++) {
        snprintf(key, sizeof(key), "clean %u", i);
        if (choose(SITE_POD, key, 10000))
            event_add(draw_usec(SITE_SCHEDULE, key, 0, STORM_USEC), "", "", put_clean_pod,
                      (void *)(uintptr_t)i);
    }
}

static void look(void *data)
{
    checks_look();
    event_add(LOOK_EVERY, "", "", look, NULL);
}

static void steps_until(usec_t until, bool (*enough)(void))
{
    usec_t asked = world->now;

    while (!world->violated && world->now < until) {
        world_step();
        checks_step();
        if (enough && world->now >= asked + USEC_PER_SEC) {
            asked = world->now;
            if (enough())
                return;
        }
    }
}

static bool storm_was_enough(void)
{
    return world->now - world->phase_began >= STORM_USEC && world->choices.faults >= FAULTS_MIN &&
           world->kills >= KILLS_MIN && world->steps >= STEPS_MIN;
}

static void storm(void)
{
    enter(PHASE_STORM);
    put_first_pods();
    event_add(0, "agent is started", "", life_begin, NULL);
    event_add(LOOK_EVERY, "", "", look, NULL);
    for (unsigned round = 0; round < ROUNDS_MAX && !world->violated && !storm_was_enough();
         round++) {
        schedule(SITE_HAPPENING, happenings, array_size(happenings), "", round * HAPPENINGS,
                 HAPPENINGS, STORM_USEC);
        if (world->api)
            schedule(SITE_HAPPENING, cluster_happenings, CLUSTER_HAPPENING_KINDS, "cluster-",
                     round * CLUSTER_HAPPENINGS, CLUSTER_HAPPENINGS, STORM_USEC);
        steps_until(world->now + STORM_USEC, NULL);
    }
}

/* Everything works from now on, and whatever hangs is answered in a while. */
static void calm_down(void)
{
    world->choices.calm = true;
    world->disk_full = false;
    world->runtime->network_ready = true;
    runtime_is_started(NULL);
}

/* The API server is away. What can go on without it does, and when it is back it is told. */
static void be_alone(void)
{
    struct strbuf why = STRBUF_INIT;

    enter(PHASE_ALONE);
    calm_down();
    cluster_away(draw(SITE_WORLD, "how alone", 2) ? API_REFUSES : API_IS_SILENT);
    schedule(SITE_HAPPENING_ALONE, alone_happenings, array_size(alone_happenings), "alone-", 0,
             ALONE_HAPPENINGS, ALONE_QUIET_AFTER);
    steps_until(world->now + ALONE_USEC, NULL);
    if (!world->violated && !checks_static_go_on(&why))
        violation(INVARIANT_CONVERGES, "while the API server is away: %s", why.text);
    strbuf_deinit(&why);
}

static bool is_converged(void)
{
    return checks_converged(NULL) && checks_told(NULL);
}

static void become_calm(enum phase phase, usec_t within)
{
    struct strbuf why = STRBUF_INIT;

    enter(phase);
    calm_down();
    if (world->api)
        cluster_all_well();
    steps_until(world->now + within, is_converged);
    if (!world->violated && !checks_converged(&why))
        violation(phase == PHASE_EMPTY ? INVARIANT_ALL_GONE : INVARIANT_CONVERGES,
                  "after %llu s of calm: %s", (unsigned long long)(within / USEC_PER_SEC),
                  why.text);
    if (!world->violated && !checks_told(&why))
        violation(INVARIANT_TOLD, "after %llu s of calm: %s",
                  (unsigned long long)(within / USEC_PER_SEC), why.text);
    strbuf_deinit(&why);
}

static void be_quiet(void)
{
    struct strbuf why = STRBUF_INIT;

    /* Calls that hang are answered or given up, and what they hid is seen. */
    steps_until(world->now + world->request_timeout + QUIET_AFTER, NULL);
    enter(PHASE_QUIET);
    steps_until(world->now + QUIET_USEC, NULL);
    if (!world->violated && world->log_lines)
        violation(INVARIANT_QUIET, "%u lines were logged in %llu s of quiet", world->log_lines,
                  (unsigned long long)(QUIET_USEC / USEC_PER_SEC));
    if (!world->violated && !checks_converged(&why))
        violation(INVARIANT_CONVERGES, "it did not last: %s", why.text);
    if (!world->violated && !checks_told(&why))
        violation(INVARIANT_TOLD, "it did not last: %s", why.text);
    strbuf_deinit(&why);
}

static void play(void)
{
    storm();
    if (!world->violated && world->api && draw(SITE_WORLD, "alone", ALONE_SEEDS) == 0)
        be_alone();
    if (!world->violated)
        become_calm(PHASE_CALM, CALM_MAX);
    if (!world->violated)
        be_quiet();
    if (!world->violated && draw(SITE_WORLD, "all go", 2)) {
        for (unsigned i = 0; i < PODS_MAX + CLEAN_PODS; i++)
            manifests_take_away(i);
        become_calm(PHASE_EMPTY, EMPTY_MAX);
    }
}

/* the whole */

void world_begin(const struct order *order, struct choices_taken *taken)
{
    static const usec_t timeouts[] = {5 * USEC_PER_SEC, 30 * USEC_PER_SEC, 120 * USEC_PER_SEC};
    static const usec_t periods[] = {10 * USEC_PER_SEC, 40 * USEC_PER_SEC, 300 * USEC_PER_SEC};
    static struct world one;

    one = (struct world){0};
    world = &one;
    choices_init(&world->choices, order->seed, taken);
    world->choices.left_out = order->left_out;
    world->choices.left_out_count = order->left_out_count;
    world->choices.intensity = 30 + (unsigned)draw(SITE_WORLD, "intensity", 170);
    world->request_timeout = timeouts[draw(SITE_WORLD, "timeout", array_size(timeouts))];
    world->restart_period_max = periods[draw(SITE_WORLD, "period", array_size(periods))];
    world->tracing = order->tracing;
    world->bug = order->bug;
    world->tree = tree_new();
    world->runtime = runtime_new();
    world->manifests = manifests_new();
    if (draw(SITE_WORLD, "member of a cluster", 2)) {
        world->api = api_server_new();
        cluster_begin();
    }
    put_node_files();
    runtime_add_image(CLEAN "image:1");
    for (unsigned i = 0; i < 4; i++) {
        char name[32];

        snprintf(name, sizeof(name), "image-%u:1", i);
        if (draw(SITE_WORLD, name, 2))
            runtime_add_image(name);
    }
}

void world_end(void)
{
    world->ended = true;
    world->life.alive = false;
    api_server_free(world->api);
    runtime_free(world->runtime); /* and the events it waits for */
    while (world->queue.count)
        event_cancel(world->queue.items[0]);
    free(world->queue.items);
    manifests_free(world->manifests);
    tree_free(world->tree);
    choices_deinit(&world->choices);
    world = NULL;
}

void scenario_run(const struct order *order, struct outcome *outcome)
{
    world_begin(order, &outcome->taken);
    play();
    outcome->seed = order->seed;
    outcome->violated = world->violated;
    outcome->violated_at = world->violated_at;
    memcpy(outcome->violation, world->violation, sizeof(outcome->violation));
    outcome->steps = world->steps;
    outcome->faults = world->choices.faults;
    outcome->kills = world->kills;
    outcome->lasted = world->now;
    world_end();
}
