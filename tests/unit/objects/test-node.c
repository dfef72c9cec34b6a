/* objects/node: the fields and defaults of nodes. */
#include "document.h"

#include "nodeagent/objects/node.h"

static void test_round_trip(void **state)
{
    static const char text[] =
        "{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":{\"name\":\"nn\"},\"spec\":{"
        "\"podCIDR\":\"10.0.0.0/24\",\"podCIDRs\":[\"10.0.0.0/24\",\"fd00::/64\"],"
        "\"providerID\":\"p\",\"unschedulable\":true,\"taints\":[{\"key\":\"k\",\"value\":\"v\","
        "\"effect\":\"NoSchedule\",\"timeAdded\":\"2026-01-02T03:04:05Z\"}]},\"status\":{"
        "\"capacity\":{\"cpu\":\"4\"},\"allocatable\":{\"cpu\":\"3900m\"},\"phase\":\"Running\","
        "\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\",\"lastHeartbeatTime\":"
        "\"2026-01-02T03:04:05Z\",\"lastTransitionTime\":\"2026-01-02T03:04:05Z\","
        "\"reason\":\"R\",\"message\":\"m\"}],\"addresses\":[{\"type\":\"Hostname\","
        "\"address\":\"nn\"}],\"daemonEndpoints\":{\"kubeletEndpoint\":{\"Port\":10250}},"
        "\"nodeInfo\":{\"machineID\":\"a\",\"systemUUID\":\"b\",\"bootID\":\"c\","
        "\"kernelVersion\":\"d\",\"osImage\":\"e\",\"containerRuntimeVersion\":\"f\","
        "\"kubeletVersion\":\"g\",\"kubeProxyVersion\":\"\",\"operatingSystem\":\"linux\","
        "\"architecture\":\"amd64\",\"swap\":{\"capacity\":1024}},\"images\":[{\"names\":"
        "[\"a:1\"],\"sizeBytes\":5}],\"volumesInUse\":[\"v\"],\"volumesAttached\":[{"
        "\"name\":\"v\",\"devicePath\":\"/dev/sda\"}],\"runtimeHandlers\":[{\"name\":\"\","
        "\"features\":{\"recursiveReadOnlyMounts\":true,\"userNamespaces\":false}}],"
        "\"features\":{\"supplementalGroupsPolicy\":true},\"declaredFeatures\":[\"A\",\"B\"]}}";

    assert_encoded(text, text);
}

static void assert_defaults(const char *members, const char *expected)
{
    char *yaml = mem_printf("{apiVersion: v1, kind: Node, metadata: {name: nn}, %s}", members);
    char *text = mem_printf("{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":{\"name\":"
                            "\"nn\"},%s}",
                            expected);

    assert_encoded(yaml, text);
    free(text);
    free(yaml);
}

static void test_defaults(void **state)
{
    assert_defaults("status: {capacity: {cpu: 100u}}",
                    "\"status\":{\"capacity\":{\"cpu\":\"1m\"},\"allocatable\":{\"cpu\":\"1m\"}}");
    assert_defaults("status: {allocatable: {cpu: 100u}}",
                    "\"status\":{\"allocatable\":{\"cpu\":\"1m\"}}");
    assert_defaults("status: {images: [{sizeBytes: 5}]}",
                    "\"status\":{\"images\":[{\"names\":[],\"sizeBytes\":5}]}");
    assert_defaults("spec: {podCIDR: 10.0.0.0/24}",
                    "\"spec\":{\"podCIDR\":\"10.0.0.0/24\",\"podCIDRs\":[\"10.0.0.0/24\"]}");
    assert_defaults("spec: {podCIDRs: [10.0.0.0/24]}",
                    "\"spec\":{\"podCIDR\":\"10.0.0.0/24\",\"podCIDRs\":[\"10.0.0.0/24\"]}");
    assert_defaults("spec: {podCIDR: 10.0.0.0/24, podCIDRs: [10.1.0.0/24, 'fd00::/64']}",
                    "\"spec\":{\"podCIDR\":\"10.0.0.0/24\",\"podCIDRs\":[\"10.0.0.0/24\"]}");
}

static void test_old_configuration_is_passed_over(void **state)
{
    struct document document;

    document_read(&document, "{apiVersion: v1, kind: Node, metadata: {name: nn}, spec: "
                             "{configSource: {configMap: {name: c}}, externalID: x}, status: "
                             "{config: {error: e}}}");
    assert_int_equal(document.report.warnings, 0);
    assert_null(node_of(document.object)->spec.pod_cidr);
    document_deinit(&document);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_old_configuration_is_passed_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
