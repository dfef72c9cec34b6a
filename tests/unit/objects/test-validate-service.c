/* objects/validate-service: types, clients, load balancers and traffic. */
#include "document.h"

#define SERVICE                                                                                    \
    "{apiVersion: v1, kind: Service, metadata: {name: s}, spec: {ports: [{port: 80}], %s}}"

static void test_types(void **state)
{
    static const struct finding_case cases[] = {
        {"type: Any", "NotSupported type"},
        {"clusterIP: None, type: LoadBalancer", "Invalid clusterIPs[0]"},
        {"clusterIP: None, type: NodePort", "Invalid clusterIPs[0]"},
        {"clusterIP: None, selector: {a: b}", ""},
        {"type: ExternalName, externalName: a.", ""},
        {"type: ExternalName", "Required externalName"},
        {"type: ExternalName, externalName: .", "Required externalName"},
        {"type: ExternalName, externalName: a..", "Invalid externalName"},
        {"type: ExternalName, externalName: a, clusterIP: 10.0.0.1, ipFamilies: [IPv4], "
         "ipFamilyPolicy: SingleStack",
         "Forbidden clusterIPs, Forbidden ipFamilies, Forbidden ipFamilyPolicy"},
        {"selector: {a b: c}", "Invalid selector"},
        {0},
    };

    assert_cases(SERVICE, "spec", cases);
}

static void test_clients(void **state)
{
    static const struct finding_case cases[] = {
        {"sessionAffinity: Cookie", "NotSupported sessionAffinity"},
        {"sessionAffinity: ClientIP, sessionAffinityConfig: {clientIP: {timeoutSeconds: 86400}}",
         ""},
        {"sessionAffinity: ClientIP, sessionAffinityConfig: {clientIP: {timeoutSeconds: 86401}}",
         "Invalid sessionAffinityConfig.clientIP.timeoutSeconds"},
        {"externalIPs: [192.0.2.1, 'fd00::1', 224.0.1.1, 'ff05::1']", ""},
        {"externalIPs: [x, 0.0.0.0, 127.1.1.1, 169.254.1.1, 224.0.0.5]",
         "Invalid externalIPs[0], Invalid externalIPs[1], Invalid externalIPs[2], "
         "Invalid externalIPs[3], Invalid externalIPs[4]"},
        {"externalIPs: ['::', '::1', 'fe80::1', 'ff02::1']",
         "Invalid externalIPs[0], Invalid externalIPs[1], Invalid externalIPs[2], "
         "Invalid externalIPs[3]"},
        {0},
    };

    assert_cases(SERVICE, "spec", cases);
}

static void test_load_balancers(void **state)
{
    static const struct finding_case cases[] = {
        {"type: LoadBalancer, loadBalancerSourceRanges: [' 10.0.0.0/8\t', 10.0.0.0/24]", ""},
        {"type: LoadBalancer, loadBalancerSourceRanges: [10.0.0.1/8, '']",
         "Invalid LoadBalancerSourceRanges[0], Invalid LoadBalancerSourceRanges[1]"},
        {"loadBalancerSourceRanges: [10.0.0.0/8]", "Forbidden LoadBalancerSourceRanges"},
        {"allocateLoadBalancerNodePorts: false", "Forbidden allocateLoadBalancerNodePorts"},
        {"loadBalancerClass: a", "Forbidden loadBalancerClass"},
        {"type: LoadBalancer, loadBalancerClass: ''", "Invalid loadBalancerClass"},
        {0},
    };

    assert_cases(SERVICE, "spec", cases);
}

static void test_annotations(void **state)
{
    static const struct finding_case cases[] = {
        {"{service.beta.kubernetes.io/load-balancer-source-ranges: ' '}}, spec: {type: "
         "LoadBalancer",
         ""},
        {"{service.beta.kubernetes.io/load-balancer-source-ranges: '10.0.0.0/8 , 10.1.0.0/16'}}, "
         "spec: {type: LoadBalancer",
         ""},
        {"{service.beta.kubernetes.io/load-balancer-source-ranges: '10.0.0.0/8, ,x'}}, spec: "
         "{type: LoadBalancer",
         "Invalid [service.beta.kubernetes.io/load-balancer-source-ranges], "
         "Invalid [service.beta.kubernetes.io/load-balancer-source-ranges]"},
        {"{service.beta.kubernetes.io/load-balancer-source-ranges: ''}}, spec: {type: ClusterIP",
         "Forbidden [service.beta.kubernetes.io/load-balancer-source-ranges]"},
        {"{service.kubernetes.io/topology-mode: Auto, "
         "service.kubernetes.io/topology-aware-hints: Auto}}, spec: {type: ClusterIP",
         ""},
        {"{service.kubernetes.io/topology-mode: Auto, "
         "service.kubernetes.io/topology-aware-hints: auto}}, spec: {type: ClusterIP",
         "Invalid [service.kubernetes.io/topology-mode]"},
        {0},
    };

    assert_cases("{apiVersion: v1, kind: Service, metadata: {name: s, annotations: %s, ports: "
                 "[{port: 80}]}}",
                 "metadata.annotations", cases);
}

static void test_traffic(void **state)
{
    static const struct finding_case cases[] = {
        {"externalTrafficPolicy: Cluster", "Invalid externalTrafficPolicy"},
        {"type: NodePort, externalTrafficPolicy: Any", "NotSupported externalTrafficPolicy"},
        {"healthCheckNodePort: 1", "Invalid healthCheckNodePort"},
        {"type: LoadBalancer, externalTrafficPolicy: Local, healthCheckNodePort: 30001", ""},
        {"internalTrafficPolicy: ''", "NotSupported internalTrafficPolicy"},
        {"trafficDistribution: PreferFar", "NotSupported trafficDistribution"},
        {0},
    };

    assert_cases(SERVICE, "spec", cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types),          cmocka_unit_test(test_clients),
        cmocka_unit_test(test_load_balancers), cmocka_unit_test(test_annotations),
        cmocka_unit_test(test_traffic),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
