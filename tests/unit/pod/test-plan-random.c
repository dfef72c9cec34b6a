/*
 * pod/plan, by chance: pods, faults, exits, unknown fates and restarts of the agent, from seeds.
 * What must hold is checked at each step; and once nothing goes wrong any more, the pod becomes
 * what it should.
 */
#include "machine.h"

#include <stdio.h>

enum {
    SEEDS = 150,
    STEPS = 120,
    CALM_STEPS = 600,
};

static uint64_t random_state;

static unsigned chance(unsigned of) /* 0 to of - 1 */
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (unsigned)(random_state >> 33) % of;
}

static void add_container(struct strbuf *spec, const char *prefix, unsigned number, bool init)
{
    bool sidecar = init && chance(2);

    strbuf_printf(spec, "%s{name: %s%u, image: x", number ? ", " : "", prefix, number);
    if (sidecar)
        strbuf_add(spec, ", restartPolicy: Always");
    else if (!chance(6))
        strbuf_add(spec, ", restartPolicy: Never, restartPolicyRules: [{action: "
                         "RestartAllContainers, exitCodes: {operator: In, values: [42]}}]");
    if (!init || sidecar) {
        if (!chance(3))
            strbuf_printf(spec, ", lifecycle: {%spreStop: {exec: {command: [x]}}}",
                          chance(2) ? "postStart: {exec: {command: [x]}}, " : "");
        if (!chance(3))
            strbuf_add(spec, ", livenessProbe: {exec: {command: [x]}}");
        if (!chance(3))
            strbuf_add(spec, ", startupProbe: {exec: {command: [x]}}");
    }
    strbuf_add_char(spec, '}');
}

static void add_containers(struct strbuf *spec, const char *prefix, unsigned count, bool init)
{
    for (unsigned i = 0; i < count; i++)
        add_container(spec, prefix, i, init);
}

static const char *const policies[] = {"Always", "OnFailure", "Never"};

static char *random_spec(void)
{
    struct strbuf spec = STRBUF_INIT;

    strbuf_printf(&spec, "restartPolicy: %s, terminationGracePeriodSeconds: %u, initContainers: [",
                  policies[chance(3)], chance(40));
    add_containers(&spec, "i", chance(4), true);
    strbuf_add(&spec, "], containers: [");
    add_containers(&spec, "c", 1 + chance(3), false);
    strbuf_add_char(&spec, ']');
    return strbuf_take(&spec);
}

/* what must hold */

static void assert_targets_are_seen(struct machine *machine)
{
    array_for_each (action, machine->plan.actions) {
        bool found = str_empty(action->target);

        for (size_t i = 0; i < machine->look.container_count; i++)
            found = found || str_equal(machine->look.containers[i].id, action->target);
        for (size_t i = 0; i < machine->look.sandbox_count; i++)
            found = found || str_equal(machine->look.sandboxes[i].id, action->target);
        if (!found)
            fail_msg("%s of %s, which is not there", machine_word(action), action->target);
    }
}

static bool is_live(const struct seen_container *seen)
{
    return seen->state == POD_RUNNING || seen->state == POD_UNKNOWN;
}

static void assert_starts_are_single(struct machine *machine)
{
    array_for_each (action, machine->plan.actions) {
        if (action->kind != POD_START)
            continue;
        for (size_t i = 0; i < machine->container_count; i++)
            if (!strcmp(machine->containers[i].name, action->name) &&
                is_live(&machine->containers[i]))
                fail_msg("%s is started beside itself", action->name);
        array_for_each (other, machine->memory.operations)
            if (other->kind == POD_START && other->id != action->id &&
                str_equal(other->name, action->name))
                fail_msg("%s is started twice", action->name);
        if (machine->plan.memory.stage != POD_STAGE_RUN)
            fail_msg("%s is started in a pod that ends", action->name);
    }
}

static void assert_sandboxes_are_single(const struct machine *machine)
{
    size_t ready = 0;

    for (size_t i = 0; i < machine->sandbox_count; i++)
        ready += machine->sandboxes[i].ready;
    array_for_each (action, machine->plan.actions)
        ready += action->kind == POD_RUN_SANDBOX;
    array_for_each (operation, machine->memory.operations)
        ready += operation->kind == POD_RUN_SANDBOX && operation->state == POD_OPERATION_INTENDED &&
                 operation->id < machine->memory.next_operation - machine->plan.actions.count;
    assert_true(ready <= 1);
}

static void assert_nothing_is_left(const struct machine *machine)
{
    assert_int_equal(machine->memory.stage, POD_STAGE_GONE);
    array_for_each (operation, machine->memory.operations)
        assert_true(operation->kind != POD_RUN_SANDBOX && operation->kind != POD_START);
    assert_int_equal(machine->container_count, 0);
    assert_int_equal(machine->sandbox_count, 0);
}

static char *plan_text(const struct pod_plan *plan)
{
    char *record = machine_record(&plan->memory), *text;

    text = mem_printf("%zu actions, %zu events, wake %llu, %s", plan->actions.count,
                      plan->events.count, (unsigned long long)plan->wake, record);
    free(record);
    return text;
}

static void assert_same_again(struct machine *machine, const struct pod_memory *before)
{
    struct pod_observed observed = machine_observed(machine);
    struct pod_plan first, again;
    char *text, *text_again;

    pod_plan(&machine->desired, &observed, before, machine->now, &machine->arena, &first);
    pod_plan(&machine->desired, &observed, before, machine->now, &machine->arena, &again);
    text = plan_text(&first);
    text_again = plan_text(&again);
    assert_string_equal(text, text_again);
    free(text);
    free(text_again);
}

static void assert_status_is_sound(const struct machine *machine, const char *phase_before)
{
    const struct pod_status *status = machine->memory.published;
    bool final = str_equal(status->phase, "Failed") || str_equal(status->phase, "Succeeded");

    if (str_equal(phase_before, "Failed") || str_equal(phase_before, "Succeeded"))
        assert_string_equal(status->phase, phase_before);
    if (!final)
        return;
    assert_string_equal(machine_condition(machine, "Ready")->status, "False"); /* check 55 */
    if (!str_empty(phase_before) && !strcmp(phase_before, status->phase))
        return;
    for (size_t i = 0; i < machine->container_count; i++)
        assert_false(is_live(&machine->containers[i]));
}

static void plan(struct machine *machine)
{
    const char *phase = machine->memory.published ? machine->memory.published->phase : NULL;

    assert_same_again(machine, &machine->memory);
    machine_plan(machine);
    assert_targets_are_seen(machine);
    assert_starts_are_single(machine);
    assert_sandboxes_are_single(machine);
    assert_status_is_sound(machine, phase);
    assert_true(machine->plan.wake > machine->now.boot);
    if (machine->memory.stage == POD_STAGE_GONE)
        assert_nothing_is_left(machine);
}

/* what may happen */

static struct pod_operation *random_operation(struct machine *machine)
{
    struct pod_operation *chosen = NULL;
    unsigned count = 0;

    array_for_each (operation, machine->memory.operations)
        if (operation->state == POD_OPERATION_INTENDED && !chance(++count))
            chosen = operation;
    return chosen;
}

/* The runtime knows names: what is there under one is not made again. */
static bool takes_effect(const struct machine *machine, const struct pod_operation *operation)
{
    bool found = str_empty(operation->target);

    for (size_t i = 0; i < machine->container_count; i++) {
        const struct seen_container *seen = &machine->containers[i];

        found = found || str_equal(seen->id, operation->target);
        if (operation->kind == POD_START && str_empty(operation->target) &&
            !strcmp(seen->name, operation->name) && seen->attempt == operation->attempt &&
            str_equal(seen->sandbox_id, operation->sandbox))
            return false;
        if (operation->kind == POD_START && str_equal(seen->id, operation->target) &&
            seen->state != POD_CREATED)
            return false;
    }
    for (size_t i = 0; i < machine->sandbox_count; i++)
        found = found || str_equal(machine->sandboxes[i].id, operation->target);
    return found;
}

/* False: none is under way. */
static bool end_some_operation(struct machine *machine, bool faults)
{
    struct pod_operation *operation = random_operation(machine);
    unsigned fate = faults ? chance(10) : 9;
    bool effect;

    if (!operation)
        return false;
    effect = fate > 2 || chance(2);
    if (!takes_effect(machine, operation)) {
        machine_end(machine, operation, POD_OPERATION_FAILED, "Error", "name in use");
        return true;
    }
    if (effect && (fate > 2 || operation->kind != POD_IMAGE))
        machine_effect(machine, operation);
    if (effect && operation->kind == POD_START && fate <= 2 && chance(2))
        machine_container(machine, operation->name)->state = POD_CREATED;
    if (fate == 0)
        machine_end(machine, operation, POD_OPERATION_UNKNOWN, NULL, NULL);
    else if (fate <= 2)
        machine_end(machine, operation, POD_OPERATION_FAILED,
                    operation->kind == POD_IMAGE && chance(2) ? "ErrImagePull" : "Error", "fault");
    else
        machine_end(machine, operation, POD_OPERATION_DONE, NULL, NULL);
    return true;
}

static int random_exit(void)
{
    static const int codes[] = {0, 0, 1, 42, 137};

    return codes[chance(array_size(codes))];
}

static struct seen_container *random_running(struct machine *machine)
{
    struct seen_container *chosen = NULL;
    unsigned count = 0;

    for (size_t i = 0; i < machine->container_count; i++)
        if (machine->containers[i].state == POD_RUNNING && !chance(++count))
            chosen = &machine->containers[i];
    return chosen;
}

static void happen(struct machine *machine)
{
    struct seen_container *running = random_running(machine);

    switch (chance(20)) {
    case 0:
    case 1:
        if (running)
            machine_exit_id(machine, running->id, random_exit());
        break;
    case 2:
        if (running)
            machine_probe(machine, running->name,
                          (struct seen_probes){
                              .startup = chance(3), .liveness = chance(3), .readiness = chance(3)});
        break;
    case 3:
        if (!chance(4) && running)
            running->state = POD_UNKNOWN;
        break;
    case 4:
        if (!chance(6) && machine->sandbox_count) {
            machine->sandboxes[0].ready = false;
            if (chance(2))
                machine->sandboxes[0].ip_count = 0;
        }
        break;
    case 5:
        machine_restart(machine);
        break;
    case 6:
        if (!chance(8) && running)
            machine_remove_container(machine, running->id);
        break;
    case 7:
        if (!chance(10))
            machine_change_image(machine, "c0", chance(2) ? "y" : "x");
        break;
    case 8:
        machine_advance(machine, chance(20) * USEC_PER_SEC);
        break;
    case 9:
        if (!chance(20))
            machine_delete(machine, chance(20));
        break;
    case 10:
        if (!chance(40))
            machine->desired.removed = true;
        break;
    case 11:
    case 12:
    case 13:
        machine_look(machine);
        break;
    default:
        end_some_operation(machine, true);
        break;
    }
}

/* Nothing goes wrong any more: true when the pod rests. */
static bool calm_step(struct machine *machine)
{
    static const struct seen_probes all_is_well = {
        .startup = POD_PROBE_SUCCESS,
        .liveness = POD_PROBE_SUCCESS,
        .readiness = POD_PROBE_SUCCESS,
    };
    bool init_runs = false;

    machine->now.boot++;
    machine_look(machine);
    plan(machine);
    if (end_some_operation(machine, false))
        return false;
    for (size_t i = 0; i < machine->container_count; i++) {
        struct seen_container *seen = &machine->containers[i];

        if (seen->state != POD_RUNNING)
            continue;
        if (pod_container_find(machine->desired.pod, seen->name).kind == POD_CONTAINER_INIT) {
            machine_exit_id(machine, seen->id, 0);
            init_runs = true;
        }
        machine_probe(machine, seen->name, all_is_well);
    }
    if (init_runs)
        return false;
    machine_look(machine);
    plan(machine);
    if (machine->plan.actions.count)
        return false;
    if (machine->plan.wake == USEC_NEVER)
        return true;
    machine_advance(machine, usec_sub(machine->plan.wake, machine->now.boot));
    return false;
}

static void calm_down(struct machine *machine)
{
    for (int i = 0; i < CALM_STEPS; i++)
        if (calm_step(machine))
            return;
    fail_msg("it does not come to rest: %s", machine->log.text);
}

static void assert_all_run(struct machine *machine)
{
    array_for_each (container, machine->desired.pod->spec.containers)
        if (str_empty(container->restart_policy))
            assert_runs(machine, container->name, true);
    assert_phase(machine, "Running");
}

static void play(uint64_t seed)
{
    char *spec;
    struct machine machine;

    random_state = seed * 0x9e3779b97f4a7c15u + 1;
    spec = random_spec();
    machine_api(&machine, spec);
    machine.desired.static_pod = chance(2);
    machine.sees_late = true;
    machine_look(&machine);
    for (int i = 0; i < STEPS && machine.memory.stage != POD_STAGE_GONE; i++) {
        happen(&machine);
        if (machine.memory.stage != POD_STAGE_GONE)
            plan(&machine);
    }
    if (!chance(3))
        machine_add_ephemeral(&machine, "e");
    if (machine.memory.stage != POD_STAGE_GONE)
        calm_down(&machine);
    if (machine.memory.stage == POD_STAGE_RUN &&
        !strcmp(machine.desired.pod->spec.restart_policy, "Always"))
        assert_all_run(&machine);
    machine.desired.removed = true;
    if (machine.memory.stage != POD_STAGE_GONE)
        calm_down(&machine);
    assert_nothing_is_left(&machine);
    machine_deinit(&machine);
    free(spec);
}

static uint64_t playing;

static void test_pods_by_chance(void **state)
{
    for (playing = 1; playing <= SEEDS; playing++)
        play(playing);
}

static int tell_seed(void **state)
{
    if (playing <= SEEDS)
        print_message("seed %llu\n", (unsigned long long)playing);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_pods_by_chance, tell_seed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
