/* agent/node-conditions: the texts of the conditions, and when their transitions were. */
#include "node-fixture.h"

static const struct node_condition *condition(const struct node *node, const char *type)
{
    array_for_each (one, node->status.conditions)
        if (str_equal(one->type, type))
            return one;
    fail_msg("no %s", type);
    return NULL;
}

static void test_pressure(void **state)
{
    static const struct {
        const char *type, *reason, *message;
    } cases[] = {
        {"MemoryPressure", "KubeletHasInsufficientMemory",
         "kubelet has insufficient memory available"},
        {"DiskPressure", "KubeletHasDiskPressure", "kubelet has disk pressure"},
        {"PIDPressure", "KubeletHasInsufficientPID", "kubelet has insufficient PID available"},
    };
    struct node_fixture *fixture = *state;
    struct node *node;

    fixture->inputs.memory_pressure = fixture->inputs.disk_pressure = fixture->inputs.pid_pressure =
        true;
    node = node_object_new(&fixture->inputs, &fixture->trouble);
    for (size_t i = 0; i < array_size(cases); i++) {
        assert_string_equal(condition(node, cases[i].type)->status, "True");
        assert_string_equal(condition(node, cases[i].type)->reason, cases[i].reason);
        assert_string_equal(condition(node, cases[i].type)->message, cases[i].message);
    }
    node_free(node);
}

/* readiness */

static const char *ready(struct node_fixture *fixture)
{
    struct node *node = node_object_new(&fixture->inputs, &fixture->trouble);
    const struct node_condition *one = condition(node, "Ready");
    const char *message = arena_strdup(&fixture->arena, one->message);
    bool good = str_equal(one->status, "True");

    assert_string_equal(one->reason, good ? "KubeletReady" : "KubeletNotReady");
    assert_int_equal(good, str_has_prefix(message, "kubelet is posting ready status"));
    node_free(node);
    return message;
}

static struct string_list one_trouble(struct node_fixture *fixture, const char *sentence)
{
    struct string_list list = {0};

    strings_add(&fixture->arena, &list, sentence);
    return list;
}

static void test_ready(void **state)
{
    struct node_fixture *fixture = *state;

    assert_string_equal(ready(fixture), "kubelet is posting ready status");
    fixture->inputs.warning = "swap is on";
    assert_string_equal(ready(fixture), "kubelet is posting ready status. WARNING: swap is on");
    fixture->runtime.ready =
        (struct runtime_condition){.told = true, .reason = "X", .message = "Y"};
    assert_string_equal(ready(fixture),
                        "container runtime not ready: RuntimeReady=false reason:X message:Y");
    fixture->runtime.network = fixture->runtime.ready;
    assert_string_equal(
        ready(fixture),
        "[container runtime not ready: RuntimeReady=false reason:X message:Y, container runtime "
        "network not ready: NetworkReady=false reason:X message:Y]");
    fixture->runtime.ready.good = true;
    fixture->inputs.troubles = one_trouble(fixture, "CSINode is not yet initialized");
    assert_string_equal(ready(fixture),
                        "[container runtime network not ready: NetworkReady=false reason:X "
                        "message:Y, CSINode is not yet initialized]");
}

static void test_a_runtime_that_said_nothing(void **state)
{
    struct node_fixture *fixture = *state;

    fixture->runtime.network = (struct runtime_condition){0};
    assert_string_equal(ready(fixture), "container runtime network not ready: the runtime does "
                                        "not report NetworkReady");
    fixture->runtime.ready = (struct runtime_condition){0};
    fixture->runtime.troubles =
        one_trouble(fixture, "container runtime status check may not have completed yet");
    assert_string_equal(ready(fixture),
                        "container runtime status check may not have completed yet");
}

static void test_missing_capacity(void **state)
{
    struct node_fixture *fixture = *state;

    fixture->machine.storage_bytes = 0;
    assert_string_equal(ready(fixture), "missing node capacity for resources: ephemeral-storage");
    fixture->config.local_storage_isolation = false;
    assert_string_equal(ready(fixture), "kubelet is posting ready status");
}

/* transitions */

#define OLD "2025-01-01T00:00:00Z"
#define SEEN(ready)                                                                                \
    "{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":{\"name\":\"n\"},\"status\":{"          \
    "\"conditions\":[{\"type\":\"KernelDeadlock\",\"status\":\"False\",\"lastHeartbeatTime\":"     \
    "\"" OLD "\",\"lastTransitionTime\":\"" OLD                                                    \
    "\",\"reason\":\"r\",\"message\":\"m\"},{\"type\":\"Ready\","                                  \
    "\"status\":\"" ready "\",\"lastHeartbeatTime\":\"" OLD "\",\"lastTransitionTime\":\"" OLD     \
    "\",\"reason\":\"r\",\"message\":\"m\"}]}}"

static void assert_transition(struct node_fixture *fixture, const char *seen_text, bool moves)
{
    struct node *seen = node_read(fixture, seen_text), *node;
    const struct node_condition *one, *foreign, *before = &seen->status.conditions.items[0];

    fixture->inputs.seen = seen;
    node = node_object_refresh(&fixture->inputs, &fixture->trouble);
    one = condition(node, "Ready");
    assert_true(one->last_heartbeat_time.usec == NOW * 1000000);
    assert_true(moves == (one->last_transition_time.usec == NOW * 1000000));
    assert_string_equal(one->reason, "KubeletReady");
    assert_string_equal(one->message, "kubelet is posting ready status");

    /* check 16: it stays where it is, as it is */
    foreign = &node->status.conditions.items[0];
    assert_int_equal(node->status.conditions.count, 5);
    assert_ptr_equal(one, &node->status.conditions.items[1]);
    assert_string_equal(foreign->type, "KernelDeadlock");
    assert_true(foreign->last_heartbeat_time.usec == before->last_heartbeat_time.usec);
    assert_string_equal(foreign->message, "m");
    node_free(node);
    node_free(seen);
}

static void test_transitions(void **state)
{
    struct node_fixture *fixture = *state;

    assert_transition(fixture, SEEN("True"), false);
    assert_transition(fixture, SEEN("False"), true);
    assert_transition(fixture, SEEN("Unknown"), true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_node(test_pressure),
        with_node(test_ready),
        with_node(test_a_runtime_that_said_nothing),
        with_node(test_missing_capacity),
        with_node(test_transitions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
