/* objects/runtime-class: the RuntimeClass kind. */
#include "document.h"

#include "nodeagent/objects/runtime_class.h"

static void test_round_trip(void **state)
{
    assert_encoded("{apiVersion: node.k8s.io/v1, kind: RuntimeClass, metadata: {name: r}, handler: "
                   "h, overhead: {podFixed: {cpu: 100u, memory: 64Mi}}, scheduling: "
                   "{nodeSelector: {a: b}, tolerations: [{key: k, operator: Exists, effect: "
                   "NoExecute, tolerationSeconds: 5}]}}",
                   "{\"apiVersion\":\"node.k8s.io/v1\",\"kind\":\"RuntimeClass\",\"metadata\":{"
                   "\"name\":\"r\"},\"handler\":\"h\",\"overhead\":{\"podFixed\":{\"cpu\":\"1m\","
                   "\"memory\":\"64Mi\"}},\"scheduling\":{\"nodeSelector\":{\"a\":\"b\"},"
                   "\"tolerations\":[{\"key\":\"k\",\"operator\":\"Exists\",\"effect\":"
                   "\"NoExecute\",\"tolerationSeconds\":5}]}}");
}

static void test_absent(void **state)
{
    struct document document;

    document_read(&document, "{apiVersion: node.k8s.io/v1, kind: RuntimeClass, metadata: {name: "
                             "r}, handler: h}");
    assert_null(runtime_class_of(document.object)->overhead);
    assert_null(runtime_class_of(document.object)->scheduling);
    document_deinit(&document);
}

static void test_rules(void **state)
{
    static const struct finding_case cases[] = {
        {"handler: a.b", "Invalid handler"},
        {"spec: {handler: h}", "UnknownField spec, Invalid handler"},
        {"handler: h, overhead: {podFixed: {cpu: -1, storage: 1}}",
         "Invalid overhead.limits[cpu], Invalid overhead.limits[storage]"},
        {"handler: h, overhead: {podFixed: {hugepages-2Mi: 2Mi}}", "Forbidden overhead"},
        {"handler: h, overhead: {podFixed: {hugepages-2Mi: 2Mi, memory: 1}}", ""},
        {"handler: h, overhead: {}", ""},
        {"handler: h, scheduling: {nodeSelector: {a b: c}, tolerations: [{}]}",
         "Invalid scheduling.nodeSelector, Invalid scheduling.tolerations[0].operator"},
        {0},
    };

    assert_cases("{apiVersion: node.k8s.io/v1, kind: RuntimeClass, metadata: {name: r, namespace: "
                 "Ignored, finalizers: [bare]}, %s}",
                 "", cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_absent),
        cmocka_unit_test(test_rules),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
