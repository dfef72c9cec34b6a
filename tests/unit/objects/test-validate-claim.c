/* objects/validate-claim: the claim template of an ephemeral volume. */
#include "document.h"

#define TEMPLATE "spec.volumes[0].ephemeral.volumeClaimTemplate"
#define TEMPLATE_FRAME                                                                             \
    "{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {containers: [{name: web, image: "   \
    "web}], volumes: [{name: v, ephemeral: {volumeClaimTemplate: %s}}]}}"
#define SPEC_FRAME                                                                                 \
    "{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {containers: [{name: web, image: "   \
    "web}], volumes: [{name: v, ephemeral: {volumeClaimTemplate: {spec: {resources: {requests: "   \
    "{storage: 1}}, %s}}}}]}}"

static void test_metadata(void **state)
{
    static const struct finding_case cases[] = {
        {"{name: nn, generateName: g, namespace: s, selfLink: l, uid: u, resourceVersion: '1', "
         "generation: 1}",
         "Forbidden name, Forbidden generateName, Forbidden namespace, Forbidden selfLink, "
         "Forbidden uID, Forbidden resourceVersion, Forbidden generation"},
        {"{creationTimestamp: '2026-01-02T03:04:05Z', deletionTimestamp: '2026-01-02T03:04:05Z', "
         "deletionGracePeriodSeconds: 0, ownerReferences: [], finalizers: [], managedFields: []}",
         "Forbidden creationTimestamp, Forbidden deletionTimestamp, "
         "Forbidden deletionGracePeriodSeconds, Forbidden ownerReferences, Forbidden finalizers, "
         "Forbidden managedFields"},
        {"{name: '', creationTimestamp: null, generation: 0, finalizers: null}", ""},
        {"{labels: {a b: c}, annotations: {a b: c}}", "Invalid annotations, Invalid labels"},
        {0},
    };

    assert_cases("{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {containers: [{name: "
                 "web, image: web}], volumes: [{name: v, ephemeral: {volumeClaimTemplate: {spec: "
                 "{accessModes: [ReadWriteOnce], resources: {requests: {storage: 1}}}, metadata: "
                 "%s}}}]}}",
                 TEMPLATE ".metadata", cases);
}

static void test_required(void **state)
{
    static const struct finding_case cases[] = {
        {"null", "Required "},
        {"{}", "Required spec.accessModes, Required spec.resources[storage]"},
        {"{spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 0}}}}",
         "Invalid spec.resources[storage]"},
        {"{spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 100u, cpu: -1}}}}",
         ""},
        {0},
    };

    assert_cases(TEMPLATE_FRAME, TEMPLATE, cases);
}

static void test_modes(void **state)
{
    static const struct finding_case cases[] = {
        {"accessModes: [ReadWriteOncePod], volumeMode: Block", ""},
        {"accessModes: [Read, Write]", "NotSupported accessModes, NotSupported accessModes"},
        {"accessModes: [ReadWriteOncePod, Write]", "NotSupported accessModes"},
        {"accessModes: [ReadWriteOncePod, ReadOnlyMany]", "Forbidden accessModes"},
        {"accessModes: [ReadWriteMany], volumeMode: ''", "NotSupported volumeMode"},
        {"accessModes: [ReadWriteMany], storageClassName: A, volumeAttributesClassName: B",
         "Invalid storageClassName, Invalid volumeAttributesClassName"},
        {"accessModes: [ReadWriteMany], storageClassName: '', volumeAttributesClassName: ''", ""},
        {"accessModes: [ReadWriteMany], selector: {matchExpressions: [{key: a, operator: In}]}",
         "Required selector.matchExpressions[0].values"},
        {0},
    };

    assert_cases(SPEC_FRAME, TEMPLATE ".spec", cases);
}

static void test_data_sources(void **state)
{
    static const struct finding_case cases[] = {
        {"dataSource: {kind: PersistentVolumeClaim, name: a}", ""},
        {"dataSource: {}",
         "Required dataSource.name, Required dataSource.kind, Invalid dataSource"},
        {"dataSource: {apiGroup: A, kind: K, name: a}", "Invalid dataSource.apiGroup"},
        {"dataSourceRef: {kind: K, name: a}", "Invalid dataSourceRef"},
        {"dataSourceRef: {apiGroup: a, kind: K, name: a, namespace: B}",
         "Invalid dataSourceRef.namespace"},
        {"dataSource: {apiGroup: a, kind: K, name: a}, dataSourceRef: {apiGroup: a, kind: K, "
         "name: a}",
         ""},
        {"dataSource: {apiGroup: a, kind: K, name: a}, dataSourceRef: {apiGroup: a, kind: K, "
         "name: b}",
         "Invalid "},
        {"dataSource: {apiGroup: a, kind: K, name: a}, dataSourceRef: {apiGroup: a, kind: K, "
         "name: a, namespace: nn}",
         "Invalid "},
        {0},
    };

    assert_cases("{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {containers: [{name: "
                 "web, image: web}], volumes: [{name: v, ephemeral: {volumeClaimTemplate: {spec: "
                 "{accessModes: [ReadWriteOnce], resources: {requests: {storage: 1}}, %s}}}}]}}",
                 TEMPLATE ".spec", cases);
}

static void assert_claim_name(const char *pod_name, const char *findings)
{
    char *yaml = mem_printf("{apiVersion: v1, kind: Pod, metadata: {name: %s}, spec: {containers: "
                            "[{name: web, image: web}], volumes: [{name: v, ephemeral: "
                            "{volumeClaimTemplate: {spec: {accessModes: [ReadWriteOnce], "
                            "resources: {requests: {storage: 1}}}}}}]}}",
                            pod_name);

    assert_findings(yaml, "", findings);
    free(yaml);
}

/* The claim is named after pod and volume, and has 253 bytes for both. */
static void test_claim_name(void **state)
{
    struct strbuf name = STRBUF_INIT;

    while (name.length < 252)
        strbuf_add_char(&name, name.length % 50 == 49 ? '.' : 'a');
    assert_claim_name(name.text + 1, "");
    assert_claim_name(name.text, "Invalid spec.volumes[0].name");
    strbuf_deinit(&name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_metadata),   cmocka_unit_test(test_required),
        cmocka_unit_test(test_modes),      cmocka_unit_test(test_data_sources),
        cmocka_unit_test(test_claim_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
