/* objects/pod-status-fields: every field of a pod's status. */
#include "fields.h"

#include "pod-fields.h"

#define STATUS                                                                                     \
    "state: {waiting: {reason: r, message: m}, running: {startedAt: '2026-01-02T03:04:05Z'},"      \
    "terminated: {exitCode: -1, signal: 9, reason: r, message: m, startedAt: "                     \
    "'2026-01-02T03:04:05Z', finishedAt: '2026-01-02T03:04:06Z', containerID: c}}, lastState: {"   \
    "terminated: {exitCode: 0, startedAt: null, finishedAt: null}}, ready: true, restartCount: 3," \
    "image: i, imageID: d, containerID: c, started: false, allocatedResources: {cpu: 100m},"       \
    "resources: {limits: {cpu: 100m}}, volumeMounts: [{name: v, mountPath: /m, readOnly: true,"    \
    "recursiveReadOnly: Disabled, volumeStatus: {image: {imageRef: r}}}], user: {linux: {uid: 0,"  \
    "gid: 1, supplementalGroups: [2, 1]}}, allocatedResourcesStatus: [{name: nn, resources: [{"    \
    "resourceID: r, health: Healthy, message: ''}]}], stopSignal: SIGTERM"

#define POD_BEGIN "{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {"
#define SPEC                                                                                       \
    "restartPolicy: Always, terminationGracePeriodSeconds: 30, dnsPolicy: ClusterFirst,"           \
    "securityContext: {}, schedulerName: default-scheduler, enableServiceLinks: true}, "

static const char whole[] = POD_BEGIN SPEC
    "status: {observedGeneration: 9223372036854775807, phase: Running, conditions: [{type: Ready,"
    "observedGeneration: 1, status: 'True', lastProbeTime: null, lastTransitionTime: "
    "'2026-01-02T03:04:05Z', reason: r, message: m}, {type: a, status: b, lastProbeTime: "
    "'2026-01-02T03:04:05Z', lastTransitionTime: null}], message: m, reason: r,"
    "nominatedNodeName: nn, hostIP: 10.0.0.1, hostIPs: [{ip: 10.0.0.1}], podIP: 10.1.0.1, podIPs: "
    "[{ip: 10.1.0.1}, {ip: 'fd00::1'}], startTime: '1969-12-31T23:59:59Z', initContainerStatuses: "
    "[{name: i, " STATUS "}], containerStatuses: [{name: a, " STATUS "}], qosClass: Burstable,"
    "ephemeralContainerStatuses: [{name: e, " STATUS "}], resourceClaimStatuses: [{name: c,"
    "resourceClaimName: ''}], allocatedResources: {memory: 1Gi}, resources: {requests: {cpu: '1'},"
    "claims: [{name: c, request: q}]}}}";

static void test_comes_back(void **state)
{
    assert_comes_back(whole);
}

static void test_document_is_whole(void **state)
{
    static const struct schema *const no_others[] = {NULL};
    struct whole_document document;
    struct usage usage = {0};

    whole_init(&document, whole);
    walk_fields(&pod_status_schema, (struct json *)json_get(document.root, "status"), NULL,
                mark_used, &usage);
    assert_all_used(&usage, &pod_status_schema, no_others);
    arena_deinit(&document.arena);
}

static void test_wrong_types(void **state)
{
    struct whole_document document;
    struct path path = path_name(NULL, "status");

    whole_init(&document, whole);
    walk_fields(&pod_status_schema, (struct json *)json_get(document.root, "status"), &path,
                try_wrong_values, document.root);
    arena_deinit(&document.arena);
}

/* What the API always writes, and what it leaves out. */
static void test_always_written(void **state)
{
    assert_encoded(
        "{apiVersion: v1, kind: Pod, spec: {containers: null}, status: {containerStatuses"
        ": [{}], conditions: [{}], hostIPs: [{}], resourceClaimStatuses: [{}]}}",
        "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"spec\":{\"restartPolicy\":\"Always\","
        "\"terminationGracePeriodSeconds\":30,\"dnsPolicy\":\"ClusterFirst\","
        "\"securityContext\":{},\"schedulerName\":\"default-scheduler\","
        "\"enableServiceLinks\":true},\"status\":{\"conditions\":[{\"type\":\"\","
        "\"status\":\"\",\"lastProbeTime\":null,\"lastTransitionTime\":null}],"
        "\"hostIPs\":[{\"ip\":\"\"}],\"containerStatuses\":[{\"name\":\"\","
        "\"ready\":false,\"restartCount\":0,\"image\":\"\",\"imageID\":\"\"}],"
        "\"resourceClaimStatuses\":[{\"name\":\"\"}]}}");
}

/* A status is not validated: the server overwrites it. Only its shape matters. */
static void test_unknown_and_ignored(void **state)
{
    static const struct finding_case cases[] = {
        {"{phase: Nonsense, podIP: x, resize: 1, extendedResourceClaimStatus: [],"
         "nodeAllocatableResourceClaimStatuses: 7}",
         ""},
        {"{pahse: a}", "UnknownField status.pahse"},
        {"{containerStatuses: [{state: {waitin: {}}}]}",
         "UnknownField status.containerStatuses[0].state.waitin"},
        {0},
    };

    assert_cases("{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: a, "
                 "image: a}]}, status: %s}",
                 "", cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_comes_back),          cmocka_unit_test(test_document_is_whole),
        cmocka_unit_test(test_wrong_types),         cmocka_unit_test(test_always_written),
        cmocka_unit_test(test_unknown_and_ignored),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
