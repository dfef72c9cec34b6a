/* objects/lease: the Lease kind. */
#include "document.h"

#include "nodeagent/objects/lease.h"

static void test_round_trip(void **state)
{
    assert_encoded(
        "{apiVersion: coordination.k8s.io/v1, kind: Lease, metadata: {name: l, namespace: nn}, "
        "spec: {holderIdentity: '', leaseDurationSeconds: 40, acquireTime: "
        "'2026-01-02T03:04:05.000001Z', renewTime: '2026-01-02T05:04:05.123456+02:00', "
        "leaseTransitions: 0, strategy: s, preferredHolder: p}}",
        "{\"apiVersion\":\"coordination.k8s.io/v1\",\"kind\":\"Lease\",\"metadata\":{"
        "\"name\":\"l\",\"namespace\":\"nn\"},\"spec\":{\"holderIdentity\":\"\","
        "\"leaseDurationSeconds\":40,\"acquireTime\":\"2026-01-02T03:04:05.000001Z\","
        "\"renewTime\":\"2026-01-02T03:04:05.123456Z\",\"leaseTransitions\":0,"
        "\"strategy\":\"s\",\"preferredHolder\":\"p\"}}");
}

static void test_absent(void **state)
{
    struct document document;

    document_read(&document, "{apiVersion: coordination.k8s.io/v1, kind: Lease, metadata: {name: "
                             "l}, spec: {renewTime: null}}");
    assert_null(lease_of(document.object)->spec.holder_identity);
    assert_false(lease_of(document.object)->spec.renew_time.set);
    document_deinit(&document);
}

static void test_rules(void **state)
{
    static const struct finding_case cases[] = {
        {"{leaseDurationSeconds: 1, leaseTransitions: 0}", ""},
        {"{leaseDurationSeconds: 0, leaseTransitions: -1}",
         "Invalid leaseDurationSeconds, Invalid leaseTransitions"},
        {"{renewTime: '2026-01-02T03:04:05Z'}", "Type renewTime"},
        {"{strategy: 1}", "Type strategy"},
        {0},
    };

    assert_cases("{apiVersion: coordination.k8s.io/v1, kind: Lease, metadata: {name: l, "
                 "finalizers: [bare]}, spec: %s}",
                 "spec", cases);
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
