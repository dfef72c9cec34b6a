/* objects/validate-node: the rules of nodes. */
#include "document.h"

static void test_taints(void **state)
{
    static const struct finding_case cases[] = {
        {"{key: a, effect: NoSchedule}, {key: a, effect: NoExecute}", ""},
        {"{}", "Invalid key, Required effect"},
        {"{key: a b, value: c d, effect: noschedule}",
         "Invalid key, Invalid value, NotSupported effect"},
        {"{key: a, effect: NoSchedule}, {key: a, value: b, effect: NoSchedule}",
         "Duplicate metadata.taints[1]"},
        {0},
    };

    assert_cases("{apiVersion: v1, kind: Node, metadata: {name: nn}, spec: {taints: [%s]}}",
                 "metadata.taints[0]", cases);
}

static void test_networks(void **state)
{
    static const struct finding_case cases[] = {
        {"podCIDRs: [10.0.0.0/24, 'fd00::/64']", ""},
        {"podCIDR: 10.0.0.0", "Invalid spec.podCIDRs[0]"},
        {"podCIDRs: [10.0.0.0/24, 10.1.0.0/24]", "Invalid spec.podCIDRs"},
        {"podCIDRs: ['fd00::/64', 'fd01::/64']", "Invalid spec.podCIDRs"},
        {"podCIDRs: [10.0.0.1/24, 'fd00::/64']", "Invalid spec.podCIDRs[0]"},
        {"podCIDRs: [bad, 'fd00::/64']", "Invalid spec.podCIDRs[0], Invalid spec.podCIDRs"},
        {"podCIDRs: [10.0.0.0/24, 'fd00::/64', 10.1.0.0/24]", "Invalid spec.podCIDRs"},
        {0},
    };

    assert_cases("{apiVersion: v1, kind: Node, metadata: {name: nn}, spec: {%s}}", "", cases);
}

static void test_status(void **state)
{
    static const struct finding_case cases[] = {
        {"capacity: {cpu: 100m, any name: 1, pods: 5}", ""},
        {"capacity: {cpu: -1}, allocatable: {}", "Invalid status.capacity.cpu"},
        {"capacity: {example.com/gpu: 1500m}",
         "Invalid status.capacity.example.com/gpu, Invalid status.allocatable.example.com/gpu"},
        {"nodeInfo: {swap: {}}", ""},
        {"nodeInfo: {swap: {capacity: -1}}", "Invalid metadata.nodeSwapStatus.capacity"},
        {"declaredFeatures: [A, A/b, Ab]", ""},
        {"declaredFeatures: [A, A, B1]", "Duplicate status.declaredFeatures[1]"},
        {"declaredFeatures: [B, A]", "Invalid status.declaredFeatures[1]"},
        {"declaredFeatures: ['', A/, A/1, A_, a]",
         "Invalid status.declaredFeatures[0], Invalid status.declaredFeatures[1], "
         "Invalid status.declaredFeatures[2], Invalid status.declaredFeatures[3], "
         "Invalid status.declaredFeatures[4]"},
        {0},
    };

    assert_cases("{apiVersion: v1, kind: Node, metadata: {name: nn}, status: {%s}}", "", cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_taints),
        cmocka_unit_test(test_networks),
        cmocka_unit_test(test_status),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
