/* pod/admission: the first reason against a pod wins. */
#include "machine.h"

#include <stdio.h>

static struct quantity_pair amounts[] = {{.name = "cpu"}, {.name = "memory"}};

static struct pod_node make_node(void)
{
    static const char *sysctls[] = {"net.core.somaxconn", "kernel.msg*"};
    struct pod_node node = {.name = "node1", .pods_max = 2};
    struct err err;

    quantity_parse("2", 1, &amounts[0].quantity, &err);
    quantity_parse("1Gi", 3, &amounts[1].quantity, &err);
    node.allocatable.items = amounts;
    node.allocatable.count = 2;
    node.allowed_unsafe_sysctls.items = sysctls;
    node.allowed_unsafe_sysctls.count = 2;
    return node;
}

struct admission_case {
    const char *spec;
    const char *reason; /* NULL: it is taken */
    const char *message;
};

static const struct admission_case cases[] = {
    {"nodeName: node1", NULL, NULL},
    {"nodeName: node2", "NodeName",
     "Predicate NodeName failed: node(s) didn't match the requested node name"},
    {"securityContext: {sysctls: [{name: net.ipv4.tcp_syncookies, value: '1'}]}", NULL, NULL},
    {"securityContext: {sysctls: [{name: net.core.somaxconn, value: '1'}]}", NULL, NULL},
    {"securityContext: {sysctls: [{name: kernel.msgmax, value: '1'}]}", NULL, NULL},
    {"securityContext: {sysctls: [{name: vm.swappiness, value: '1'}]}", "SysctlForbidden",
     "forbidden sysctl: \"vm.swappiness\" not allowlisted"},
    {"securityContext: {sysctls: [{name: net/ipv4/tcp_syncookies, value: '1'}]}", NULL, NULL},
    {"securityContext: {sysctls: [{name: net/core/rmem_max, value: '1'}]}", "SysctlForbidden",
     "forbidden sysctl: \"net.core.rmem_max\" not allowlisted"},
    {"hostNetwork: true, securityContext: {sysctls: [{name: net.core.somaxconn, value: '1'}]}",
     "SysctlForbidden",
     "forbidden sysctl: \"net.core.somaxconn\" not allowed with host Net enabled"},
    {"hostIPC: true, securityContext: {sysctls: [{name: kernel.msgmax, value: '1'}]}",
     "SysctlForbidden", "forbidden sysctl: \"kernel.msgmax\" not allowed with host IPC enabled"},
    {"initContainers: [{name: s, image: a, restartPolicy: Always, resources: {requests: {cpu: "
     "1}}}, {name: i, image: a, resources: {requests: {cpu: 1}}}]",
     NULL, NULL},
    {"initContainers: [{name: s, image: a, restartPolicy: Always, resources: {requests: {cpu: "
     "1}}}, {name: i, image: a, resources: {requests: {cpu: 1100m}}}]",
     "OutOfcpu", "Node didn't have enough resource: cpu, requested: 2100, used: 0, capacity: 2000"},
    {"resources: {requests: {cpu: 3}}", "OutOfcpu",
     "Node didn't have enough resource: cpu, requested: 3000, used: 0, capacity: 2000"},
    {"os: {name: windows}", "PodOSNotSupported", /* check 51 */
     "Failed to admit pod as the OS field doesn't match node OS"},
    {"securityContext: {supplementalGroupsPolicy: Strict}", "SupplementalGroupsPolicyNotSupported",
     "SupplementalGroupsPolicy=Strict is not supported in this node"},
    {"overhead: {cpu: 1500m}, runtimeClassName: x", NULL, NULL},
    {"overhead: {cpu: 2001m}, runtimeClassName: x", "OutOfcpu",
     "Node didn't have enough resource: cpu, requested: 2001, used: 0, capacity: 2000"},
    {"overhead: {memory: 2Gi}, runtimeClassName: x", "OutOfmemory",
     "Node didn't have enough resource: memory, requested: 2147483648, used: 0, capacity: "
     "1073741824"},
    {"overhead: {example.com/thing: 7}, runtimeClassName: x", NULL, NULL},
};

static void test_rules(void **state)
{
    struct pod_node node = make_node();

    for (size_t i = 0; i < array_size(cases); i++) {
        struct arena arena = ARENA_INIT_DOCUMENT;
        char *yaml = fill_frame(POD_SPEC, cases[i].spec);
        const char *reason = NULL, *message = NULL;
        struct document document;

        document_read(&document, yaml);
        assert_non_null(document.object);
        assert_int_equal(
            pod_admit(pod_of(document.object), true, &node, NULL, 0, &arena, &reason, &message),
            !cases[i].reason);
        if (cases[i].reason) {
            assert_string_equal(reason, cases[i].reason);
            assert_string_equal(message, cases[i].message);
        }
        document_deinit(&document);
        free(yaml);
        arena_deinit(&arena);
    }
}

static void test_a_label_for_another_system(void **state)
{
    struct pod_node node = make_node();
    const char *reason, *message;
    struct machine machine;

    machine_init(&machine, "{apiVersion: v1, kind: Pod, metadata: {name: web, labels: "
                           "{kubernetes.io/os: windows}}, spec: {containers: [{name: a, image: "
                           "a}]}}");
    assert_false(
        pod_admit(machine.desired.pod, true, &node, NULL, 0, &machine.arena, &reason, &message));
    assert_string_equal(reason, "PodOSSelectorNodeLabelDoesNotMatch");
    machine_deinit(&machine);
}

/* Of pods whose one container, or whose spec, says this. */
static const char *against_other_in(const char *frame, const char *other, const char *mine,
                                    size_t copies)
{
    static char result[64];
    struct pod_node node = make_node();
    struct arena arena = ARENA_INIT_DOCUMENT;
    char *yaml_other = fill_frame(frame, other), *yaml = fill_frame(frame, mine);
    struct document document_other, document;
    const struct pod *others[4];
    const char *reason = "", *message = NULL;

    document_read(&document_other, yaml_other);
    document_read(&document, yaml);
    for (size_t i = 0; i < copies; i++)
        others[i] = pod_of(document_other.object);
    if (pod_admit(pod_of(document.object), true, &node, others, copies, &arena, &reason, &message))
        reason = "";
    snprintf(result, sizeof(result), "%s", reason);
    document_deinit(&document_other);
    document_deinit(&document);
    free(yaml_other);
    free(yaml);
    arena_deinit(&arena);
    return result;
}

static const char *against_other(const char *other, const char *mine, size_t copies)
{
    return against_other_in(POD_CONTAINER, other, mine, copies);
}

static void test_host_ports_of_init_containers(void **state)
{
    static const char *const init =
        "initContainers: [{name: i, image: i, ports: [{containerPort: 80, hostPort: 8080}]}]";
    static const char *const sidecar =
        "initContainers: [{name: i, image: i, restartPolicy: Always, ports: [{containerPort: 80, "
        "hostPort: 8080}]}]";

    assert_string_equal(against_other_in(POD_SPEC, init, sidecar, 1), "");
    assert_string_equal(against_other_in(POD_SPEC, sidecar, init, 1), "");
    assert_string_equal(against_other_in(POD_SPEC, sidecar, sidecar, 1), "NodePorts");
}

static void test_what_others_have(void **state)
{
    static const char *const port = "ports: [{containerPort: 80, hostPort: 8080}]";

    assert_string_equal(against_other(port, port, 1), "NodePorts");
    assert_string_equal(against_other(port, "ports: [{containerPort: 80, hostPort: 8081}]", 1), "");
    assert_string_equal(
        against_other(port, "ports: [{containerPort: 80, hostPort: 8080, protocol: UDP}]", 1), "");
    assert_string_equal(
        against_other(port, "ports: [{containerPort: 80, hostPort: 8080, hostIP: 10.0.0.1}]", 1),
        "NodePorts");
    assert_string_equal(against_other("resources: {requests: {cpu: 1500m}}",
                                      "resources: {requests: {cpu: 600m}}", 1),
                        "OutOfcpu");
    assert_string_equal(against_other("resources: {requests: {cpu: 1500m}}",
                                      "resources: {requests: {cpu: 500m}}", 1),
                        "");
    assert_string_equal(against_other("tty: true", "tty: true", 2), "OutOfpods");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_a_label_for_another_system),
        cmocka_unit_test(test_what_others_have),
        cmocka_unit_test(test_host_ports_of_init_containers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
