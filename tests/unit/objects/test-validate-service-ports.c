/* objects/validate-service-ports: the ports of services. */
#include "document.h"

static void test_ports(void **state)
{
    static const struct finding_case cases[] = {
        {"ports: [{port: 80}]", ""},
        {"type: ClusterIP", "Required ports"},
        {"clusterIP: None", ""},
        {"type: ExternalName, externalName: a", ""},
        {"ports: [null]", "Invalid ports[0].port, Invalid ports[0].targetPort"},
        {"ports: [{port: 80, name: 'a.b', protocol: tcp, appProtocol: ''}]",
         "Invalid ports[0].name, NotSupported ports[0].protocol, Invalid ports[0].appProtocol"},
        {"ports: [{port: 80, targetPort: '80'}]", "Invalid ports[0].targetPort"},
        {"ports: [{port: 80, targetPort: 65536}]", "Invalid ports[0].targetPort"},
        {"ports: [{port: 80, nodePort: 30000}]", "Forbidden ports[0].nodePort"},
        {0},
    };

    assert_cases("{apiVersion: v1, kind: Service, metadata: {name: s}, spec: {%s}}", "spec", cases);
}

static void test_several(void **state)
{
    static const struct finding_case cases[] = {
        {"{name: a, port: 53}, {name: b, port: 53, protocol: UDP}", ""},
        {"{port: 80}, {port: 81}", "Required ports[0].name, Required ports[1].name"},
        {"{name: a, port: 80}, {name: a, port: 81}", "Duplicate ports[1].name"},
        {"{name: a, port: 80}, {name: b, port: 80, targetPort: 8080}", "Duplicate ports[1]"},
        {0},
    };

    assert_cases("{apiVersion: v1, kind: Service, metadata: {name: s}, spec: {ports: [%s]}}",
                 "spec", cases);
    assert_findings("{apiVersion: v1, kind: Service, metadata: {name: s}, spec: {type: "
                    "ExternalName, externalName: a, ports: [{name: a, port: 80, nodePort: 1}, "
                    "{name: b, port: 81, nodePort: 1}]}}",
                    "spec", "Duplicate ports[1].nodePort");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ports),
        cmocka_unit_test(test_several),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
