/* objects/validate-affinity: where a pod may be placed. */
#include "fixture.h"

static void test_node_terms(void **state)
{
    static const struct finding_case cases[] = {
        {"", ""},
        {"matchExpressions: [{key: a, operator: In, values: [b, \"\"]}, {key: a, operator: NotIn, "
         "values: [b]}, {key: a, operator: Exists}, {key: a, operator: DoesNotExist}, {key: a, "
         "operator: Gt, values: [\"1\"]}, {key: a, operator: Lt, values: [x]}]",
         ""},
        {"matchExpressions: [{}]",
         "Invalid matchExpressions[0].operator, Invalid matchExpressions[0].key"},
        {"matchExpressions: [{key: a, operator: in, values: [b]}]",
         "Invalid matchExpressions[0].operator"},
        {"matchExpressions: [{key: a, operator: In}]", "Required matchExpressions[0].values"},
        {"matchExpressions: [{key: a, operator: NotIn, values: []}]",
         "Required matchExpressions[0].values"},
        {"matchExpressions: [{key: a, operator: Exists, values: [b]}]",
         "Forbidden matchExpressions[0].values"},
        {"matchExpressions: [{key: a, operator: DoesNotExist, values: [b]}]",
         "Forbidden matchExpressions[0].values"},
        {"matchExpressions: [{key: a, operator: Gt}]", "Required matchExpressions[0].values"},
        {"matchExpressions: [{key: a, operator: Lt, values: [\"1\", \"2\"]}]",
         "Required matchExpressions[0].values"},
        {"matchExpressions: [{key: a, operator: Gt, values: [\"-1\"]}]",
         "Invalid matchExpressions[0].values[0]"},
        {"matchExpressions: [{key: a b, operator: In, values: [c, c d]}]",
         "Invalid matchExpressions[0].key, Invalid matchExpressions[0].values[1]"},
        {"matchFields: [{key: metadata.name, operator: In, values: [node-1.a]}, {key: "
         "metadata.name, operator: NotIn, values: [b]}]",
         ""},
        {"matchFields: [{}]", "Invalid matchFields[0].operator, Invalid matchFields[0].key"},
        {"matchFields: [{key: metadata.name, operator: Exists}]",
         "Invalid matchFields[0].operator"},
        {"matchFields: [{key: metadata.name, operator: In}]", "Required matchFields[0].values"},
        {"matchFields: [{key: metadata.name, operator: In, values: [a, B]}]",
         "Required matchFields[0].values, Invalid matchFields[0].values[1]"},
        {"matchFields: [{key: metadata.uid, operator: In, values: [B]}]",
         "Invalid matchFields[0].key"},
        {0},
    };
    static const struct sentence_case sentences[] = {
        {"matchExpressions: [{key: a, operator: in, values: [b]}]",
         "\"in\" must be In, NotIn, Exists, DoesNotExist, Gt or Lt"},
        {"matchExpressions: [{key: a, operator: Gt}]",
         "must hold exactly one value with operator Gt"},
        {"matchFields: [{key: metadata.uid, operator: In, values: [b]}]",
         "\"metadata.uid\" must be metadata.name"},
        {0},
    };

    assert_cases("{apiVersion: v1, kind: Pod, metadata: {name: web, labels: {app: web}}, spec: "
                 "{containers: [{name: a, image: a}], affinity: {nodeAffinity: "
                 "{requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{%s}]}}}}}",
                 "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution."
                 "nodeSelectorTerms[0]",
                 cases);
    assert_sentences(
        "{apiVersion: v1, kind: Pod, metadata: {name: web, labels: {app: web}}, spec: {containers: "
        "[{name: a, image: a}], affinity: {nodeAffinity: "
        "{requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{%s}]}}}}}",
        sentences);
}

/* Their values are not checked. */
static void test_preferred_node_terms(void **state)
{
    static const struct finding_case cases[] = {
        {"matchExpressions: [{key: a, operator: Gt, values: [\"-1\"]}]", ""},
        {"matchExpressions: [{key: a b, operator: In}]",
         "Required preference.matchExpressions[0].values, Invalid "
         "preference.matchExpressions[0].key"},
        {0},
    };

    assert_cases(
        "{apiVersion: v1, kind: Pod, metadata: {name: web, labels: {app: web}}, spec: {containers: "
        "[{name: a, image: a}], affinity: {nodeAffinity: "
        "{preferredDuringSchedulingIgnoredDuringExecution: [{weight: 1, preference: {%s}}]}}}}",
        "spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0]", cases);
}

static void test_node_affinity(void **state)
{
    static const struct finding_case cases[] = {
        {"affinity: {}", ""},
        {"affinity: {nodeAffinity: {}, podAffinity: {}, podAntiAffinity: {}}", ""},
        {"affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {}}}",
         "Required requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms"},
        {"affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: "
         "{nodeSelectorTerms: []}}}",
         "Required requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms"},
        {"affinity: {nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 1, "
         "preference: {}}, {weight: 100}]}}",
         ""},
        {"affinity: {nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{}, {weight: "
         "101}, {weight: -1}]}}",
         "Invalid preferredDuringSchedulingIgnoredDuringExecution[0].weight, Invalid "
         "preferredDuringSchedulingIgnoredDuringExecution[1].weight, Invalid "
         "preferredDuringSchedulingIgnoredDuringExecution[2].weight"},
        {0},
    };
    static const struct sentence_case sentences[] = {
        {"affinity: {nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{}]}}",
         "must be from 1 to 100"},
        {0},
    };

    assert_cases(POD_SPEC, "spec.affinity.nodeAffinity", cases);
    assert_sentences(POD_SPEC, sentences);
}

static void test_pod_terms(void **state)
{
    static const struct finding_case cases[] = {
        {"labelSelector: {matchLabels: {a: b}}, namespaces: [a, b], namespaceSelector: "
         "{matchLabels: {c: d}}",
         ""},
        {"namespaces: [a, A, a.b]", "Invalid namespace, Invalid namespace"},
        {"labelSelector: {matchLabels: {a b: c}}, namespaceSelector: {matchExpressions: [{}]}",
         "Invalid labelSelector.matchLabels, Invalid "
         "namespaceSelector.matchExpressions[0].operator, Invalid "
         "namespaceSelector.matchExpressions[0].key"},
        {"matchLabelKeys: [a], mismatchLabelKeys: [b]",
         "Forbidden matchLabelKeys, Forbidden mismatchLabelKeys"},
        {"matchLabelKeys: [], mismatchLabelKeys: []", ""},
        {"labelSelector: {}, matchLabelKeys: [a b], mismatchLabelKeys: [c d]",
         "Invalid matchLabelKeys[0], Invalid mismatchLabelKeys[0]"},
        {"labelSelector: {}, matchLabelKeys: [b, a], mismatchLabelKeys: [a]",
         "Invalid matchLabelKeys[1]"},
        {"labelSelector: {}, matchLabelKeys: [app]", ""},
        {"labelSelector: {matchLabels: {app: x}}, matchLabelKeys: [app]", "Invalid [0]"},
        {"labelSelector: {matchLabels: {other: x}}, matchLabelKeys: [other]", ""},
        {"labelSelector: {matchLabels: {other: x}, matchExpressions: [{key: other, operator: "
         "Exists}]}, matchLabelKeys: [app, other]",
         "Invalid [1]"},
        {"labelSelector: {matchExpressions: [{key: app, operator: Exists}]}, matchLabelKeys: [app]",
         "Invalid [0]"},
        {"labelSelector: {}, matchLabelKeys: [app, app]", "Invalid [1]"},
        {"labelSelector: {}, matchLabelKeys: [app], mismatchLabelKeys: [app]",
         "Invalid matchLabelKeys[0], Invalid [0]"},
        {"labelSelector: {matchLabels: {app: x}}, mismatchLabelKeys: [app]", ""},
        {0},
    };
    static const struct sentence_case sentences[] = {
        {"matchLabelKeys: [a]", "needs a labelSelector beside it"},
        {"labelSelector: {matchLabels: {app: x}}, matchLabelKeys: [app]",
         "\"app\" is in labelSelector already"},
        {"labelSelector: {}, matchLabelKeys: [a], mismatchLabelKeys: [a]",
         "must not be in mismatchLabelKeys, too"},
        {0},
    };

    assert_cases("{apiVersion: v1, kind: Pod, metadata: {name: web, labels: {app: web}}, spec: "
                 "{containers: [{name: a, image: a}], affinity: {podAffinity: "
                 "{requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: t, %s}]}}}}",
                 "spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0]",
                 cases);
    assert_sentences("{apiVersion: v1, kind: Pod, metadata: {name: web, labels: {app: web}}, spec: "
                     "{containers: [{name: a, image: a}], affinity: {podAffinity: "
                     "{requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: t, %s}]}}}}",
                     sentences);
}

static void test_pod_affinity(void **state)
{
    static const struct finding_case cases[] = {
        {"affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{}, "
         "{topologyKey: a b}]}}",
         "Required requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey, Invalid "
         "requiredDuringSchedulingIgnoredDuringExecution[1].topologyKey"},
        {"affinity: {podAntiAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: "
         "0, podAffinityTerm: {topologyKey: t}}, {weight: 1}]}}",
         "Invalid preferredDuringSchedulingIgnoredDuringExecution[0].weight, Required "
         "preferredDuringSchedulingIgnoredDuringExecution[1].podAffinityTerm.topologyKey"},
        {"affinity: {podAntiAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: "
         "1, podAffinityTerm: {topologyKey: t, labelSelector: {matchLabels: {app: x}}, "
         "matchLabelKeys: [app]}}]}}",
         "Invalid preferredDuringSchedulingIgnoredDuringExecution[0].podAffinityTerm[0]"},
        {0},
    };

    assert_cases(POD_SPEC, "spec.affinity.podAntiAffinity", cases);
}

static void test_spread(void **state)
{
    static const struct finding_case cases[] = {
        {"labelSelector: {matchLabels: {a: b}}, minDomains: 1, nodeAffinityPolicy: Honor, "
         "nodeTaintsPolicy: Ignore, matchLabelKeys: [app]",
         ""},
        {"minDomains: 0", "Invalid minDomains"},
        {"minDomains: -1", "Invalid minDomains"},
        {"nodeAffinityPolicy: '', nodeTaintsPolicy: honor",
         "NotSupported nodeAffinityPolicy, NotSupported nodeTaintsPolicy"},
        {"matchLabelKeys: [a]", "Forbidden matchLabelKeys"},
        {"labelSelector: {}, matchLabelKeys: [a b]", "Invalid matchLabelKeys[0]"},
        {"labelSelector: {matchLabels: {app: x}}, matchLabelKeys: [app]", "Invalid [0]"},
        {"labelSelector: {matchLabels: {a b: c}}", "Invalid labelSelector.matchLabels"},
        {0},
    };

    assert_cases("{apiVersion: v1, kind: Pod, metadata: {name: web, labels: {app: web}}, spec: "
                 "{containers: [{name: a, image: a}], topologySpreadConstraints: [{maxSkew: 1, "
                 "topologyKey: t, whenUnsatisfiable: DoNotSchedule, %s}]}}",
                 "spec.topologySpreadConstraints[0]", cases);
}

static void test_spread_as_a_whole(void **state)
{
    static const struct finding_case cases[] = {
        {"topologySpreadConstraints: [{}]",
         "Invalid [0].maxSkew, Required [0].topologyKey, NotSupported [0].whenUnsatisfiable"},
        {"topologySpreadConstraints: [{maxSkew: 1, topologyKey: any thing, whenUnsatisfiable: "
         "ScheduleAnyway}]",
         ""},
        {"topologySpreadConstraints: [{maxSkew: 1, topologyKey: t, whenUnsatisfiable: "
         "ScheduleAnyway, minDomains: 1}]",
         "Invalid [0].minDomains"},
        {"topologySpreadConstraints: [{maxSkew: 1, topologyKey: t, whenUnsatisfiable: "
         "ScheduleAnyway}, {maxSkew: 1, topologyKey: t, whenUnsatisfiable: DoNotSchedule}, "
         "{maxSkew: 2, topologyKey: t, whenUnsatisfiable: ScheduleAnyway}, {maxSkew: 2, "
         "topologyKey: t, whenUnsatisfiable: ScheduleAnyway}]",
         "Duplicate [0].{topologyKey, whenUnsatisfiable}, Duplicate [2].{topologyKey, "
         "whenUnsatisfiable}"},
        {0},
    };
    static const struct sentence_case sentences[] = {
        {"topologySpreadConstraints: [{}]", "must be at least 1"},
        {"topologySpreadConstraints: [{maxSkew: 1, topologyKey: t, whenUnsatisfiable: "
         "ScheduleAnyway, minDomains: 1}]",
         "is for whenUnsatisfiable DoNotSchedule only"},
        {"topologySpreadConstraints: [{maxSkew: 1, topologyKey: t}]",
         "\"\" is not supported; use DoNotSchedule or ScheduleAnyway"},
        {0},
    };

    assert_cases(POD_SPEC, "spec.topologySpreadConstraints", cases);
    assert_sentences(POD_SPEC, sentences);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_node_terms),        cmocka_unit_test(test_preferred_node_terms),
        cmocka_unit_test(test_node_affinity),     cmocka_unit_test(test_pod_terms),
        cmocka_unit_test(test_pod_affinity),      cmocka_unit_test(test_spread),
        cmocka_unit_test(test_spread_as_a_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
