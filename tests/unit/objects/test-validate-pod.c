/* objects/validate-pod: the specification as a whole. */
#include "fixture.h"

static void test_hostname_lengths(void **state)
{
    char *name = letters('h', 254);

    assert_made(POD_SPEC, "spec", mem_printf("hostnameOverride: %.64s", name), "");
    assert_made(POD_SPEC, "spec", mem_printf("hostnameOverride: %.65s", name),
                "TooLong hostnameOverride");
    assert_made(POD_SPEC, "spec", mem_printf("hostnameOverride: %s", name),
                "Invalid hostnameOverride, TooLong hostnameOverride");
    assert_made(POD_SPEC, "spec", mem_printf("hostname: %.63s", name), "");
    assert_made(POD_SPEC, "spec", mem_printf("hostname: %.64s", name), "Invalid hostname");
    free(name);
}

/* Findings point at what they are about: line by line. */
static void test_places(void **state)
{
    static const char yaml[] = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: W\nspec:\n"
                               "  containers:\n  - name: a\n    image: a\n    ports:\n"
                               "    - containerPort: 0\n  hostname: H\n";
    static const unsigned lines[] = {4, 10, 11};
    struct document document;

    document_read(&document, yaml);
    assert_int_equal(document.report.findings.count, array_size(lines));
    for (size_t i = 0; i < array_size(lines); i++)
        assert_int_equal(
            json_place(yaml, strlen(yaml), document.report.findings.items[i].offset).line,
            lines[i]);
    document_deinit(&document);
}

static void test_names(void **state)
{
    static const struct finding_case cases[] = {
        {"nodeName: n.a, serviceAccountName: s.a, priorityClassName: p.a, hostname: h, subdomain: "
         "s, runtimeClassName: r.a",
         ""},
        {"nodeName: '', serviceAccountName: '', priorityClassName: '', hostname: '', subdomain: ''",
         ""},
        {"nodeName: Nn", "Invalid nodeName"},
        {"serviceAccountName: a_b", "Invalid serviceAccountName"},
        {"serviceAccount: a_b", "Invalid serviceAccountName"},
        {"priorityClassName: P", "Invalid priorityClassName"},
        {"hostname: a.b", "Invalid hostname"},
        {"subdomain: a.b", "Invalid subdomain"},
        {"runtimeClassName: ''", "Invalid runtimeClassName"},
        {"runtimeClassName: R", "Invalid runtimeClassName"},
        {0},
    };
    static const struct sentence_case sentences[] = {
        {"hostname: a.b", "\"a.b\" must be a DNS label: at most 63 lower-case letters, digits and "
                          "\"-\", beginning and ending with a letter or digit"},
        {0},
    };

    assert_cases(POD_SPEC, "spec", cases);
    assert_sentences(POD_SPEC, sentences);
}

static void test_hostname_override(void **state)
{
    static const struct finding_case cases[] = {
        {"hostnameOverride: a.b", ""},
        {"hostnameOverride: ''", "Invalid hostnameOverride"},
        {"hostnameOverride: a, setHostnameAsFQDN: true", "Forbidden hostnameOverride"},
        {"hostnameOverride: a, setHostnameAsFQDN: false", ""},
        {"hostnameOverride: a, hostNetwork: true", "Forbidden hostnameOverride"},
        {0},
    };
    static const struct sentence_case sentences[] = {
        {"hostnameOverride: a, hostNetwork: true", "must not be set when hostNetwork is true"},
        {"hostnameOverride: a, setHostnameAsFQDN: true",
         "must not be set when setHostnameAsFQDN is true"},
        {0},
    };

    assert_cases(POD_SPEC, "spec", cases);
    assert_sentences(POD_SPEC, sentences);
}

static void test_policies(void **state)
{
    static const struct finding_case cases[] = {
        {"restartPolicy: OnFailure, preemptionPolicy: Never, activeDeadlineSeconds: 1", ""},
        {"activeDeadlineSeconds: 2147483647", ""},
        {"activeDeadlineSeconds: 2147483648", "Invalid activeDeadlineSeconds"},
        {"activeDeadlineSeconds: 0", "Invalid activeDeadlineSeconds"},
        {"activeDeadlineSeconds: -9223372036854775808", "Invalid activeDeadlineSeconds"},
        {"restartPolicy: always", "NotSupported restartPolicy"},
        {"preemptionPolicy: ''", "Required preemptionPolicy"},
        {"preemptionPolicy: x", "NotSupported preemptionPolicy"},
        {"terminationGracePeriodSeconds: -5, priority: -2147483648, schedulerName: \"any thing\", "
         "imagePullSecrets: [{}, {name: \"A b\"}], enableServiceLinks: false",
         ""},
        {0},
    };
    static const struct sentence_case sentences[] = {
        {"activeDeadlineSeconds: 0", "must be from 1 to 2147483647"},
        {0},
    };

    assert_cases(POD_SPEC, "spec", cases);
    assert_sentences(POD_SPEC, sentences);
}

static void test_selectors_and_aliases(void **state)
{
    static const struct finding_case cases[] = {
        {"nodeSelector: {a: b}", ""},
        {"nodeSelector: {a b: c d}", "Invalid nodeSelector, Invalid nodeSelector"},
        {"hostAliases: [{ip: 1.1.1.1, hostnames: [a.b]}, {ip: \"::1\"}]", ""},
        {"hostAliases: [{}]", "Invalid hostAliases[0].ip"},
        {"hostAliases: [{ip: x, hostnames: [a, A, \"\"]}]",
         "Invalid hostAliases[0].ip, Invalid hostAliases[0].hostnames[1], Invalid "
         "hostAliases[0].hostnames[2]"},
        {0},
    };

    assert_cases(POD_SPEC, "spec", cases);
}

static void test_gates(void **state)
{
    static const struct finding_case cases[] = {
        {"readinessGates: [{conditionType: a.b/c}, {conditionType: a.b/c}]", ""},
        {"readinessGates: [{}]", "Invalid readinessGates[0].conditionType"},
        {"readinessGates: [{conditionType: a b}]", "Invalid readinessGates[0].conditionType"},
        {"schedulingGates: [{name: a}, {name: b/c}]", ""},
        {"schedulingGates: [{}]", "Invalid schedulingGates[0]"},
        {"schedulingGates: [{name: a}, {name: b}, {name: a}]", "Duplicate schedulingGates[2]"},
        {"schedulingGates: [{}, {}]",
         "Invalid schedulingGates[0], Invalid schedulingGates[1], Duplicate schedulingGates[1]"},
        {"schedulingGates: [{name: a}], nodeName: n1", "Forbidden nodeName"},
        {"schedulingGates: [], nodeName: n1", ""},
        {0},
    };
    static const struct sentence_case sentences[] = {
        {"schedulingGates: [{name: a}], nodeName: n1",
         "must not be set while schedulingGates hold the pod back"},
        {"schedulingGates: [{name: a}, {name: a}]", "\"a\" is listed twice"},
        {0},
    };

    assert_cases(POD_SPEC, "spec", cases);
    assert_sentences(POD_SPEC, sentences);
}

static void test_resource_claims(void **state)
{
    static const struct finding_case cases[] = {
        {"resourceClaims: [{name: a, resourceClaimName: b.c}, {name: b, resourceClaimTemplateName: "
         "c}]",
         ""},
        {"resourceClaims: [{}]", "Required [0].name, Invalid [0]"},
        {"resourceClaims: [{name: A, resourceClaimName: a, resourceClaimTemplateName: b}]",
         "Invalid [0].name, Invalid [0]"},
        {"resourceClaims: [{name: a, resourceClaimName: ''}]", "Invalid [0].resourceClaimName"},
        {"resourceClaims: [{name: a, resourceClaimTemplateName: A}]",
         "Invalid [0].resourceClaimTemplateName"},
        {"resourceClaims: [{name: a, resourceClaimName: b}, {name: a, resourceClaimName: b}]",
         "Duplicate [1].name"},
        {"resourceClaims: [{resourceClaimName: b}, {resourceClaimName: b}]",
         "Required [0].name, Required [1].name, Duplicate [1].name"},
        {0},
    };
    static const struct sentence_case sentences[] = {
        {"resourceClaims: [{name: a}]",
         "must have either resourceClaimName or resourceClaimTemplateName"},
        {"resourceClaims: [{name: a, resourceClaimName: b}, {name: a, resourceClaimName: b}]",
         "\"a\" names two claims"},
        {0},
    };

    assert_cases(POD_SPEC, "spec.resourceClaims", cases);
    assert_sentences(POD_SPEC, sentences);
}

/* One mistake in each part: all of them come out, in the order of the checks. */
static void test_all_parts(void **state)
{
    static const struct finding_case cases[] = {
        {"volumes: [{}], containers: [{}], restartPolicy: x, dnsPolicy: x, nodeSelector: {\"\": "
         "a}, hostname: H, hostnameOverride: \"\", securityContext: {fsGroup: -1, windowsOptions: "
         "{hostProcess: true}}, os: {}, affinity: {nodeAffinity: "
         "{requiredDuringSchedulingIgnoredDuringExecution: {}}}, topologySpreadConstraints: "
         "[{maxSkew: 1, topologyKey: t}], tolerations: [{}], hostAliases: [{}], readinessGates: "
         "[{}], resourceClaims: [{name: a}], overhead: {x: 1}, resources: {claims: []}",
         "Invalid metadata.name, Invalid metadata.annotations[kubernetes.io/config.mirror], "
         "Required spec.volumes[0].name, Required spec.containers[0].name, Required "
         "spec.containers[0].image, NotSupported spec.restartPolicy, NotSupported spec.dnsPolicy, "
         "Invalid spec.nodeSelector, Invalid spec.hostname, Invalid spec.hostnameOverride, Invalid "
         "spec.securityContext.fsGroup, Invalid spec.hostNetwork, Required spec.os.name, Required "
         "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution."
         "nodeSelectorTerms, NotSupported spec.topologySpreadConstraints[0].whenUnsatisfiable, "
         "Invalid spec.tolerations[0].operator, Invalid spec.hostAliases[0].ip, Invalid "
         "spec.readinessGates[0].conditionType, Invalid spec.resourceClaims[0], Invalid "
         "spec.overhead.limits[x], Forbidden spec.resources.claims"},
        {0},
    };

    assert_cases("{apiVersion: v1, kind: Pod, metadata: {name: W, annotations: "
                 "{kubernetes.io/config.mirror: x}}, spec: {%s}}",
                 "", cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),     cmocka_unit_test(test_hostname_override),
        cmocka_unit_test(test_policies),  cmocka_unit_test(test_selectors_and_aliases),
        cmocka_unit_test(test_gates),     cmocka_unit_test(test_resource_claims),
        cmocka_unit_test(test_all_parts), cmocka_unit_test(test_hostname_lengths),
        cmocka_unit_test(test_places),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
