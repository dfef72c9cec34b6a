/* objects/service: the fields and defaults of services. */
#include "document.h"

#include "nodeagent/objects/service.h"

static void test_round_trip(void **state)
{
    static const char text[] =
        "{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"metadata\":{\"name\":\"s\"},\"spec\":{"
        "\"ports\":[{\"name\":\"a\",\"protocol\":\"UDP\",\"appProtocol\":\"http\",\"port\":80,"
        "\"targetPort\":\"web\",\"nodePort\":30080}],\"selector\":{\"app\":\"s\"},"
        "\"clusterIP\":\"10.0.0.1\",\"clusterIPs\":[\"10.0.0.1\"],\"type\":\"LoadBalancer\","
        "\"externalIPs\":[\"192.0.2.1\"],\"sessionAffinity\":\"ClientIP\","
        "\"loadBalancerIP\":\"192.0.2.2\",\"loadBalancerSourceRanges\":[\"192.0.2.0/24\"],"
        "\"externalName\":\"x\",\"externalTrafficPolicy\":\"Local\","
        "\"healthCheckNodePort\":30081,\"publishNotReadyAddresses\":true,"
        "\"sessionAffinityConfig\":{\"clientIP\":{\"timeoutSeconds\":60}},"
        "\"ipFamilies\":[\"IPv4\"],\"ipFamilyPolicy\":\"SingleStack\","
        "\"allocateLoadBalancerNodePorts\":false,\"loadBalancerClass\":\"a/b\","
        "\"internalTrafficPolicy\":\"Local\",\"trafficDistribution\":\"PreferClose\"},"
        "\"status\":{\"loadBalancer\":{\"ingress\":[{\"ip\":\"192.0.2.1\",\"hostname\":\"h\","
        "\"ipMode\":\"VIP\",\"ports\":[{\"port\":80,\"protocol\":\"TCP\",\"error\":\"e\"}]}]},"
        "\"conditions\":[{\"type\":\"T\",\"status\":\"True\",\"observedGeneration\":1,"
        "\"lastTransitionTime\":\"2026-01-02T03:04:05Z\",\"reason\":\"R\",\"message\":\"m\"}]}}";

    assert_findings(text, "", "");
    assert_encoded(text, text);
}

struct encoding {
    const char *spec;
    const char *expected;
};

static void test_defaults(void **state)
{
    static const struct encoding cases[] = {
        {"{ports: [{port: 80}], sessionAffinityConfig: {clientIP: {timeoutSeconds: 1}}}",
         "\"ports\":[{\"protocol\":\"TCP\",\"port\":80,\"targetPort\":80}],\"type\":\"ClusterIP\","
         "\"sessionAffinity\":\"None\",\"internalTrafficPolicy\":\"Cluster\""},
        {"{ports: [{port: 80, targetPort: ''}, {port: 81, targetPort: 0}], type: ClusterIP, "
         "externalIPs: [192.0.2.1]}",
         "\"ports\":[{\"protocol\":\"TCP\",\"port\":80,\"targetPort\":80},{\"protocol\":\"TCP\","
         "\"port\":81,\"targetPort\":81}],\"type\":\"ClusterIP\",\"externalIPs\":[\"192.0.2.1\"],"
         "\"sessionAffinity\":\"None\",\"externalTrafficPolicy\":\"Cluster\","
         "\"internalTrafficPolicy\":\"Cluster\""},
        {"{type: LoadBalancer, sessionAffinity: ClientIP, sessionAffinityConfig: {clientIP: {}}}",
         "\"type\":\"LoadBalancer\",\"sessionAffinity\":\"ClientIP\",\"externalTrafficPolicy\":"
         "\"Cluster\",\"sessionAffinityConfig\":{\"clientIP\":{\"timeoutSeconds\":10800}},"
         "\"allocateLoadBalancerNodePorts\":true,\"internalTrafficPolicy\":\"Cluster\""},
        {"{type: NodePort, sessionAffinity: ClientIP, sessionAffinityConfig: {clientIP: "
         "{timeoutSeconds: 0}}}",
         "\"type\":\"NodePort\",\"sessionAffinity\":\"ClientIP\",\"externalTrafficPolicy\":"
         "\"Cluster\",\"sessionAffinityConfig\":{\"clientIP\":{\"timeoutSeconds\":0}},"
         "\"internalTrafficPolicy\":\"Cluster\""},
        {"{type: ExternalName, externalName: a}",
         "\"type\":\"ExternalName\",\"sessionAffinity\":\"None\",\"externalName\":\"a\""},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        char *yaml = mem_printf("{apiVersion: v1, kind: Service, metadata: {name: s}, spec: %s}",
                                cases[i].spec);
        char *text = mem_printf("{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"metadata\":{"
                                "\"name\":\"s\"},\"spec\":{%s}}",
                                cases[i].expected);

        assert_encoded(yaml, text);
        free(text);
        free(yaml);
    }
}

static void test_port_values(void **state)
{
    struct document document;
    struct service_spec *spec;

    document_read(&document, "{apiVersion: v1, kind: Service, metadata: {name: s}, spec: {ports: "
                             "[{port: 80, targetPort: web}]}}");
    spec = &service_of(document.object)->spec;
    assert_string_equal(spec->ports.items[0].target_port.string, "web");
    assert_null(spec->cluster_ip);
    document_deinit(&document);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_port_values),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
