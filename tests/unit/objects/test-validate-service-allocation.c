/* objects/validate-service-allocation: addresses and node ports. */
#include "document.h"

static void test_addresses(void **state)
{
    static const struct finding_case cases[] = {
        {"clusterIP: 10.0.0.1", ""},
        {"clusterIP: 10.0.0.256", "Invalid clusterIPs[0]"},
        {"clusterIPs: [10.0.0.1]", "Invalid clusterIPs"},
        {"clusterIP: 10.0.0.2, clusterIPs: [10.0.0.1]", "Invalid clusterIPs"},
        {"clusterIP: None, clusterIPs: [None, 10.0.0.1]", "Invalid clusterIPs"},
        {"clusterIP: 10.0.0.1, clusterIPs: [10.0.0.1, None]", "Invalid clusterIPs[1]"},
        {"clusterIP: 10.0.0.1, clusterIPs: [10.0.0.1, 'fd00::1', 10.0.0.2]", "Invalid clusterIPs"},
        {"clusterIP: 10.0.0.1, clusterIPs: [10.0.0.1, 10.0.0.2]", "Invalid clusterIPs"},
        {"clusterIP: 10.0.0.1, clusterIPs: [10.0.0.1, 'fd00::1'], ipFamilyPolicy: "
         "RequireDualStack",
         ""},
        {"clusterIP: 10.0.0.1, ipFamilies: [IPv6]", "Invalid clusterIPs[0]"},
        {"clusterIP: 'fd00::1', ipFamilies: [IPv4]", "Invalid clusterIPs[0]"},
        {"clusterIP: 'fd00::1', ipFamilies: [IPv6]", ""},
        {"clusterIP: None, ipFamilies: [IPv6]", ""},
        {0},
    };

    assert_cases("{apiVersion: v1, kind: Service, metadata: {name: s}, spec: {ports: [{port: 80}], "
                 "%s}}",
                 "spec", cases);
}

static void test_families(void **state)
{
    static const struct finding_case cases[] = {
        {"ipFamilies: [ipv4]", "NotSupported ipFamilies[0]"},
        {"ipFamilies: [IPv4, IPv4]", "Duplicate ipFamilies[1]"},
        {"ipFamilyPolicy: Any", "NotSupported ipFamilyPolicy"},
        {"ipFamilies: [IPv4, IPv6]", "Invalid ipFamilyPolicy"},
        {"ipFamilies: [IPv4, IPv6], ipFamilyPolicy: PreferDualStack", ""},
        {"ipFamilies: [IPv4, IPv6], clusterIP: None", ""},
        {"ipFamilies: [IPv4, IPv6], clusterIP: None, selector: {a: b}", "Invalid ipFamilyPolicy"},
        {"clusterIP: 10.0.0.1, clusterIPs: [10.0.0.1, 'fd00::1']", "Invalid ipFamilyPolicy"},
        {0},
    };

    assert_cases("{apiVersion: v1, kind: Service, metadata: {name: s}, spec: {ports: [{port: 80}], "
                 "%s}}",
                 "spec", cases);
}

static void test_node_ports(void **state)
{
    static const struct finding_case cases[] = {
        {"type: NodePort, ports: [{name: a, port: 80, nodePort: 30000}, {name: b, port: 81}]", ""},
        {"type: NodePort, ports: [{port: 80, nodePort: 29999}]", "Invalid ports[0].nodePort"},
        {"type: LoadBalancer, ports: [{port: 80, nodePort: 32768}]", "Invalid ports[0].nodePort"},
        {"type: NodePort, ports: [{name: a, port: 80, nodePort: 30000}, {name: b, port: 81, "
         "nodePort: 30000}, {name: c, port: 82, nodePort: 1}]",
         "Invalid ports[1].nodePort"},
        /* one number with two protocols shares its node port */
        {"type: NodePort, ports: [{name: a, port: 53, nodePort: 30053}, {name: b, port: 53, "
         "protocol: UDP, nodePort: 30053}]",
         ""},
        {"type: NodePort, ports: [{name: a, port: 53}, {name: b, port: 53, protocol: UDP, "
         "nodePort: 1}]",
         "Invalid ports[0].nodePort"},
        {"type: LoadBalancer, allocateLoadBalancerNodePorts: false, ports: [{name: a, port: 53}, "
         "{name: b, port: 53, protocol: UDP, nodePort: 1}]",
         "Invalid ports[1].nodePort"},
        {"type: NodePort, ports: [{name: a, port: 53, nodePort: 30053}, {name: b, port: 53, "
         "protocol: UDP, nodePort: 30054}]",
         ""},
        {"type: NodePort, ports: [{name: a, port: 53, nodePort: 30053}, {name: b, port: 53, "
         "protocol: UDP, nodePort: 1}]",
         "Invalid ports[1].nodePort"},
        {"type: ExternalName, externalName: a, ports: [{port: 80, nodePort: 1}]", ""},
        {0},
    };

    assert_cases("{apiVersion: v1, kind: Service, metadata: {name: s}, spec: {%s}}", "spec", cases);
}

static void test_health_check_port(void **state)
{
    static const struct finding_case cases[] = {
        {"healthCheckNodePort: 30001, ports: [{port: 80, nodePort: 30002}]", ""},
        {"healthCheckNodePort: 1, ports: [{port: 80}]", "Invalid "},
        {"healthCheckNodePort: 30002, ports: [{port: 80, nodePort: 30002}]", "Invalid "},
        {0},
    };

    assert_cases("{apiVersion: v1, kind: Service, metadata: {name: s}, spec: {type: LoadBalancer, "
                 "externalTrafficPolicy: Local, %s}}",
                 "", cases);
}

/* When allocation fails the server says nothing of the rest. */
static void test_hides_the_rest(void **state)
{
    assert_findings("{apiVersion: v1, kind: Service, metadata: {name: S}, spec: {clusterIP: x}}",
                    "", "Invalid spec.clusterIPs[0]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses),      cmocka_unit_test(test_families),
        cmocka_unit_test(test_node_ports),     cmocka_unit_test(test_health_check_port),
        cmocka_unit_test(test_hides_the_rest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
