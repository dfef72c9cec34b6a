/* objects/pod-fields: every field of a pod's specification. */
#include "fields.h"

#include "container-fields.h"
#include "pod-fields.h"
#include "volume-fields.h"

#define CONTAINER                                                                                  \
    "image: 'a:1', terminationMessagePath: /t, terminationMessagePolicy: File,"                    \
    "imagePullPolicy: Never"

#define SELECTOR "{matchLabels: {a: b}, matchExpressions: [{key: k, operator: In, values: [v]}]}"

#define TERM                                                                                       \
    "{labelSelector: " SELECTOR ", namespaces: [nn], topologyKey: t, namespaceSelector: {},"       \
    "matchLabelKeys: [m], mismatchLabelKeys: [o]}"

#define POD_AFFINITY                                                                               \
    "{requiredDuringSchedulingIgnoredDuringExecution: [" TERM "],"                                 \
    "preferredDuringSchedulingIgnoredDuringExecution: [{weight: 1, podAffinityTerm: " TERM "}]}"

#define NODE_TERM                                                                                  \
    "{matchExpressions: [{key: k, operator: Gt, values: ['1']}], matchFields: [{key: "             \
    "metadata.name, operator: In, values: [nn]}]}"

static const char whole[] =
    "{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {volumes: [{name: v, emptyDir: {}}],"
    "initContainers: [{name: i, " CONTAINER "}], containers: [{name: a, " CONTAINER "}],"
    "ephemeralContainers: [{name: e, " CONTAINER "}], restartPolicy: Never,"
    "terminationGracePeriodSeconds: -9223372036854775808, activeDeadlineSeconds: 5,"
    "dnsPolicy: None, nodeSelector: {z: yy, a: ''}, serviceAccountName: s, serviceAccount: s,"
    "automountServiceAccountToken: false, nodeName: nn, hostNetwork: true, hostPID: true,"
    "hostIPC: true, shareProcessNamespace: false, securityContext: {seLinuxOptions: {user: u, role:"
    " r, type: t, level: l}, windowsOptions: {gmsaCredentialSpecName: nn, gmsaCredentialSpec: s,"
    "runAsUserName: u, hostProcess: true}, runAsUser: 9223372036854775807, runAsGroup: 0,"
    "runAsNonRoot: true, supplementalGroups: [5, 1], supplementalGroupsPolicy: Strict, fsGroup: 7,"
    "sysctls: [{name: nn, value: ''}], fsGroupChangePolicy: Always, seccompProfile: {type: "
    "Localhost, localhostProfile: p}, appArmorProfile: {type: Unconfined}, seLinuxChangePolicy: "
    "Recursive}, imagePullSecrets: [{name: p}, {}], hostname: h, subdomain: s, affinity: {"
    "nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [" NODE_TERM
    ", {}]}, preferredDuringSchedulingIgnoredDuringExecution: [{weight: 100, preference: " NODE_TERM
    "}]}, podAffinity: " POD_AFFINITY ", podAntiAffinity: " POD_AFFINITY "},"
    "schedulerName: mine, tolerations: [{key: k, operator: Equal, value: v, effect: NoExecute,"
    "tolerationSeconds: -1}], hostAliases: [{ip: 1.1.1.1, hostnames: [b, a]}], priorityClassName: "
    "p,"
    "priority: -2147483648, dnsConfig: {nameservers: [1.1.1.1], searches: [s], options: [{name: nn,"
    "value: ''}, {name: m}]}, readinessGates: [{conditionType: c}], runtimeClassName: '',"
    "enableServiceLinks: false, preemptionPolicy: Never, overhead: {memory: 1Gi, cpu: '2'},"
    "topologySpreadConstraints: [{maxSkew: 1, topologyKey: t, whenUnsatisfiable: DoNotSchedule,"
    "labelSelector: " SELECTOR ", minDomains: 0, nodeAffinityPolicy: Honor, nodeTaintsPolicy: "
    "Ignore, matchLabelKeys: [k]}], setHostnameAsFQDN: false, os: {name: linux}, hostUsers: false,"
    "schedulingGates: [{name: g}], resourceClaims: [{name: c, resourceClaimName: '',"
    "resourceClaimTemplateName: t}], resources: {limits: {cpu: '1'}, requests: {cpu: '1'}, claims: "
    "[{name: c, request: r}]}, hostnameOverride: ''}}";

static void test_comes_back(void **state)
{
    assert_comes_back(whole);
}

static void test_document_is_whole(void **state)
{
    const struct schema *const others[] = {&container_schema, &ephemeral_container_schema,
                                           &volume_schema, NULL};
    struct whole_document document;
    struct usage usage = {0};

    whole_init(&document, whole);
    walk_fields(&pod_spec_schema, (struct json *)json_get(document.root, "spec"), NULL, mark_used,
                &usage);
    assert_all_used(&usage, &pod_spec_schema, others);
    arena_deinit(&document.arena);
}

static void test_wrong_types(void **state)
{
    struct whole_document document;
    struct path path = path_name(NULL, "spec");

    whole_init(&document, whole);
    walk_fields(&pod_spec_schema, (struct json *)json_get(document.root, "spec"), &path,
                try_wrong_values, document.root);
    arena_deinit(&document.arena);
}

static void test_unknown_fields(void **state)
{
    static const struct finding_case cases[] = {
        {"schedulingGroup: {podGroupName: 1}", ""}, /* known, and dropped */
        {"hostnetwork: true", "UnknownField hostnetwork"},
        {"securityContext: {privileged: true}", "UnknownField securityContext.privileged"},
        {"affinity: {nodeAffinity: {required: {}}}", "UnknownField affinity.nodeAffinity.required"},
        {"tolerations: [{operator: Exists, Key: a}]", "UnknownField tolerations[0].Key"},
        {"host: a, workloadRef: {}", "UnknownField host, UnknownField workloadRef"},
        {0},
    };
    static const struct sentence_case sentences[] = {
        {"hostnetwork: true", "unknown field; did you mean hostNetwork?"},
        {"hostPid: true", "unknown field; did you mean hostPID?"},
        {"toleration: []", "unknown field; did you mean tolerations?"},
        {"affinty: {}", "unknown field; did you mean affinity?"},
        {0},
    };

    assert_cases(POD_SPEC, "spec", cases);
    assert_sentences(POD_SPEC, sentences);
}

/* All that is null is as if it were not there. */
static void test_null_everywhere(void **state)
{
    struct strbuf nulls = STRBUF_INIT;
    struct whole_document document;
    const struct json *spec;
    char *yaml;

    whole_init(&document, whole);
    spec = json_get(document.root, "spec");
    for (uint32_t i = 0; i < spec->length; i++)
        if (!str_has_prefix(spec->members[i].name, "containers"))
            strbuf_printf(&nulls, "%s%.*s: null", nulls.length ? ", " : "",
                          (int)spec->members[i].name_length, spec->members[i].name);
    yaml = fill_frame(POD_SPEC, nulls.text);
    assert_findings(yaml, "", "");
    free(yaml);
    strbuf_deinit(&nulls);
    arena_deinit(&document.arena);
    assert_findings("{apiVersion: v1, kind: Pod, metadata: null, spec: null, status: null}", "",
                    "Required metadata.name, Required spec.containers");
    assert_findings("{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [null]}}",
                    "spec.containers[0]", "Required name, Required image");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_comes_back),      cmocka_unit_test(test_document_is_whole),
        cmocka_unit_test(test_wrong_types),     cmocka_unit_test(test_unknown_fields),
        cmocka_unit_test(test_null_everywhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
