/* objects/pod-defaults: what the API server fills in. */
#include "fixture.h"

/* The encoded pod has that part. */
static void assert_part(const char *frame, const char *text, const char *expected)
{
    char *yaml = fill_frame(frame, text), *encoded;
    struct document document;

    document_read(&document, yaml);
    assert_non_null(document.object);
    encoded = object_text(document.object);
    if (!strstr(encoded, expected))
        fail_msg("%s\nexpected: %s\nfound:    %s", yaml, expected, encoded);
    free(encoded);
    document_deinit(&document);
    free(yaml);
}

static void assert_no_part(const char *frame, const char *text, const char *unexpected)
{
    char *yaml = fill_frame(frame, text), *encoded;
    struct document document;

    document_read(&document, yaml);
    encoded = object_text(document.object);
    if (strstr(encoded, unexpected))
        fail_msg("%s\nfound:    %s", yaml, encoded);
    free(encoded);
    document_deinit(&document);
    free(yaml);
}

static void test_the_whole(void **state)
{
    assert_encoded(
        "{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {containers: [{name: a,"
        "image: a}]}}",
        "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"web\"},"
        "\"spec\":{\"containers\":[{\"name\":\"a\",\"image\":\"a\","
        "\"terminationMessagePath\":\"/dev/termination-log\","
        "\"terminationMessagePolicy\":\"File\",\"imagePullPolicy\":\"Always\"}],"
        "\"restartPolicy\":\"Always\",\"terminationGracePeriodSeconds\":30,"
        "\"dnsPolicy\":\"ClusterFirst\",\"securityContext\":{},"
        "\"schedulerName\":\"default-scheduler\",\"enableServiceLinks\":true}}");
}

static void test_pod(void **state)
{
    static const struct {
        const char *text, *part;
    } cases[] = {
        {"restartPolicy: ''", "\"restartPolicy\":\"Always\""},
        {"restartPolicy: Never", "\"restartPolicy\":\"Never\""},
        {"dnsPolicy: ''", "\"dnsPolicy\":\"ClusterFirst\""},
        {"dnsPolicy: Default", "\"dnsPolicy\":\"Default\""},
        {"schedulerName: ''", "\"schedulerName\":\"default-scheduler\""},
        {"schedulerName: mine", "\"schedulerName\":\"mine\""},
        {"enableServiceLinks: false", "\"enableServiceLinks\":false"},
        {"terminationGracePeriodSeconds: 0", "\"terminationGracePeriodSeconds\":0"},
        {"terminationGracePeriodSeconds: -5", "\"terminationGracePeriodSeconds\":-5"},
        {"terminationGracePeriodSeconds: null", "\"terminationGracePeriodSeconds\":30"},
        {"securityContext: {runAsUser: 0}", "\"securityContext\":{\"runAsUser\":0}"},
        {"serviceAccount: old", "\"serviceAccountName\":\"old\",\"serviceAccount\":\"old\""},
        {"serviceAccount: old, serviceAccountName: new",
         "\"serviceAccountName\":\"new\",\"serviceAccount\":\"new\""},
        {"overhead: {cpu: 1u, memory: 1.0005}",
         "\"overhead\":{\"cpu\":\"1m\",\"memory\":\"1001m\"}"},
        /* What is not filled in */
        {"tolerations: [{key: a}]", "\"tolerations\":[{\"key\":\"a\"}]"},
        {"topologySpreadConstraints: [{}]", "\"topologySpreadConstraints\":[{\"maxSkew\":0,"
                                            "\"topologyKey\":\"\",\"whenUnsatisfiable\":\"\"}]"},
    };
    static const char *const absent[] = {"hostUsers",      "preemptionPolicy", "seccompProfile",
                                         "serviceAccount", "priority",         "nodeName",
                                         "status"};

    for (size_t i = 0; i < array_size(cases); i++)
        assert_part(POD_SPEC, cases[i].text, cases[i].part);
    for (size_t i = 0; i < array_size(absent); i++)
        assert_no_part(POD_SPEC, "hostname: a", absent[i]);
}

static void test_container(void **state)
{
    static const struct {
        const char *text, *part;
    } cases[] = {
        {"image: 'b:1'", "\"imagePullPolicy\":\"IfNotPresent\""},
        {"image: 'b:latest'", "\"imagePullPolicy\":\"Always\""},
        {"image: 'no good'", "\"imagePullPolicy\":\"IfNotPresent\""},
        {"image: null", "\"imagePullPolicy\":\"IfNotPresent\""},
        {"imagePullPolicy: Never", "\"imagePullPolicy\":\"Never\""},
        {"terminationMessagePath: /m, terminationMessagePolicy: FallbackToLogsOnError",
         "\"terminationMessagePath\":\"/"
         "m\",\"terminationMessagePolicy\":\"FallbackToLogsOnError\""},
        {"ports: [{containerPort: 1}, {containerPort: 2, protocol: UDP}]",
         "\"ports\":[{\"containerPort\":1,\"protocol\":\"TCP\"},{\"containerPort\":2,\"protocol\":"
         "\"UDP\"}]"},
        /* probes: P01 */
        {"livenessProbe: {httpGet: {port: 80}}",
         "\"livenessProbe\":{\"httpGet\":{\"path\":\"/\",\"port\":80,\"scheme\":\"HTTP\"},"
         "\"timeoutSeconds\":1,\"periodSeconds\":10,\"successThreshold\":1,\"failureThreshold\":"
         "3}"},
        {"readinessProbe: {httpGet: {port: a, path: /x, scheme: HTTPS}, timeoutSeconds: -1,"
         "periodSeconds: -2, successThreshold: -3, failureThreshold: -4}",
         "\"readinessProbe\":{\"httpGet\":{\"path\":\"/x\",\"port\":\"a\",\"scheme\":\"HTTPS\"},"
         "\"timeoutSeconds\":-1,\"periodSeconds\":-2,\"successThreshold\":-3,"
         "\"failureThreshold\":-4}"},
        {"startupProbe: {grpc: {port: 1}}", "\"grpc\":{\"port\":1,\"service\":\"\"}"},
        {"startupProbe: {grpc: {port: 1, service: s}}", "\"grpc\":{\"port\":1,\"service\":\"s\"}"},
        {"startupProbe: {tcpSocket: {port: 1}}",
         "\"tcpSocket\":{\"port\":1},\"timeoutSeconds\":1,\"periodSeconds\":10"},
        {"lifecycle: {postStart: {httpGet: {port: 1}}, preStop: {httpGet: {port: 2}}}",
         "\"lifecycle\":{\"postStart\":{\"httpGet\":{\"path\":\"/"
         "\",\"port\":1,\"scheme\":\"HTTP\"}},"
         "\"preStop\":{\"httpGet\":{\"path\":\"/\",\"port\":2,\"scheme\":\"HTTP\"}}}"},
        {"lifecycle: {preStop: {exec: {command: [a]}}, stopSignal: SIGUSR1}",
         "\"lifecycle\":{\"preStop\":{\"exec\":{\"command\":[\"a\"]}}}"},
        {"lifecycle: {}", "\"lifecycle\":{}"},
        {"env: [{name: A, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]",
         "\"fieldRef\":{\"apiVersion\":\"v1\",\"fieldPath\":\"metadata.name\"}"},
        {"env: [{name: A, valueFrom: {fieldRef: {apiVersion: v2}}}]",
         "\"fieldRef\":{\"apiVersion\":\"v2\"}"},
        {"env: [{name: A, valueFrom: {fileKeyRef: {volumeName: v, path: p, key: k}}}]",
         "\"key\":\"k\",\"optional\":false}"},
        {"env: [{name: A, valueFrom: {fileKeyRef: {optional: true}}}]", "\"optional\":true"},
        {"env: [{name: A, valueFrom: {configMapKeyRef: {name: c, key: k}}}, {name: B, value: x}]",
         "{\"configMapKeyRef\":{\"name\":\"c\",\"key\":\"k\"}}},{\"name\":\"B\",\"value\":\"x\"}"},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        assert_part(POD_CONTAINER, cases[i].text, cases[i].part);
        assert_part(POD_INIT, cases[i].text, cases[i].part);
        assert_part("{apiVersion: v1, kind: Pod, spec: {ephemeralContainers: [{name: e, image: a, "
                    "%s}]}}",
                    cases[i].text, cases[i].part);
    }
    /* A lifecycle of nothing but a signal is none; restartPolicy has no default. */
    assert_no_part(POD_CONTAINER, "lifecycle: {stopSignal: SIGUSR1}", "lifecycle");
    assert_no_part(POD_INIT, "tty: true", "\"restartPolicy\":\"Always\",\"terminationMessage");
}

static void test_resources(void **state)
{
    static const struct {
        const char *text, *part;
    } cases[] = {
        {"limits: {cpu: 1}", "\"limits\":{\"cpu\":\"1\"},\"requests\":{\"cpu\":\"1\"}"},
        {"limits: {cpu: 1, memory: 1Gi}, requests: {cpu: 100m}",
         "\"requests\":{\"cpu\":\"100m\",\"memory\":\"1Gi\"}"},
        {"limits: {cpu: 1}, requests: {cpu: 0}", "\"requests\":{\"cpu\":\"0\"}"},
        {"requests: {cpu: 1}", "\"resources\":{\"requests\":{\"cpu\":\"1\"}}"},
        {"limits: {cpu: 0.1m}, requests: {cpu: 1n}",
         "\"limits\":{\"cpu\":\"1m\"},\"requests\":{\"cpu\":\"1m\"}"},
        {"limits: {cpu: 1500u}", "\"limits\":{\"cpu\":\"2m\"},\"requests\":{\"cpu\":\"2m\"}"},
        {"limits: {cpu: -1500u}", "\"limits\":{\"cpu\":\"-2m\"}"}, /* away from zero */
        {"limits: {a: 1, b: 2, c: 3, d: 4, e: 5, f: 6}, requests: {f: 1, b: 0}",
         "\"requests\":{\"f\":\"1\",\"b\":\"0\",\"a\":\"1\",\"c\":\"3\",\"d\":\"4\",\"e\":\"5\"}"},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        char *text = mem_printf("resources: {%s}", cases[i].text);

        assert_part(POD_CONTAINER, text, cases[i].part);
        assert_part(POD_INIT, text, cases[i].part);
        free(text);
    }
    /* An ephemeral container's are rounded only. */
    assert_no_part("{apiVersion: v1, kind: Pod, spec: {ephemeralContainers: [{name: e, %s}]}}",
                   "resources: {limits: {cpu: 1}}", "requests");
}

#define POD_RESOURCES                                                                              \
    "{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {%s, hostname: end}}"

static void test_pod_resources(void **state)
{
    static const struct {
        const char *text, *part;
    } cases[] = {
        /* Nothing is filled into what is not there, or is empty. */
        {"containers: [{resources: {limits: {cpu: 1}}}], resources: {}", "\"resources\":{}}"},
        {"containers: [{resources: {requests: {cpu: 1}}}], resources: {requests: {memory: 1Gi}}",
         "\"resources\":{\"requests\":{\"memory\":\"1Gi\"}}}"},
        /* With limits, what the containers request, and then the limits themselves. */
        {"containers: [{resources: {requests: {cpu: 1}}}, {resources: {requests: {cpu: 500m}}}],"
         "resources: {limits: {cpu: 4, memory: 2Gi}}",
         "\"resources\":{\"limits\":{\"cpu\":\"4\",\"memory\":\"2Gi\"},\"requests\":{\"cpu\":"
         "\"1500m\",\"memory\":\"2Gi\"}}}"},
        {"containers: [{resources: {requests: {cpu: 1}}}], resources: {limits: {cpu: 4},"
         "requests: {cpu: 2}}",
         "\"requests\":{\"cpu\":\"2\"}}}"},
        {"containers: [{resources: {requests: {memory: 1Gi, ephemeral-storage: 1Gi}}}],"
         "resources: {limits: {cpu: 1}}",
         "\"resources\":{\"limits\":{\"cpu\":\"1\"},\"requests\":{\"memory\":\"1Gi\",\"cpu\":"
         "\"1\"}}}"},
        /* Huge pages of the containers' limits. */
        {"containers: [{resources: {limits: {hugepages-2Mi: 4Mi, cpu: 1}}}],"
         "resources: {requests: {cpu: 1}}",
         "\"resources\":{\"limits\":{\"hugepages-2Mi\":\"4Mi\"},\"requests\":{\"cpu\":\"1\","
         "\"hugepages-2Mi\":\"4Mi\"}}}"},
        {"containers: [{resources: {limits: {hugepages-2Mi: 4Mi}}}],"
         "resources: {limits: {hugepages-2Mi: 8Mi}}",
         "\"resources\":{\"limits\":{\"hugepages-2Mi\":\"8Mi\"},\"requests\":{\"hugepages-2Mi\":"
         "\"8Mi\"}}}"},
        {"containers: [{resources: {limits: {hugepages-2Mi: 4Mi}}}],"
         "resources: {requests: {hugepages-2Mi: 8Mi}}",
         "\"resources\":{\"requests\":{\"hugepages-2Mi\":\"8Mi\"}}}"},
        {"containers: [], resources: {limits: {cpu: 1u}, requests: {cpu: 1u}}",
         "\"resources\":{\"limits\":{\"cpu\":\"1m\"},\"requests\":{\"cpu\":\"1m\"}}}"},
        /* Other resources are not the pod's. */
        {"containers: [], resources: {limits: {a.b/c: 1}}",
         "\"resources\":{\"limits\":{\"a.b/c\":\"1\"}}}"},
    };

    for (size_t i = 0; i < array_size(cases); i++)
        assert_part(POD_RESOURCES, cases[i].text, cases[i].part);
}

static void test_host_network(void **state)
{
    static const char frame[] =
        "{apiVersion: v1, kind: Pod, spec: {%s, containers: [{ports: [{containerPort: 80}, {"
        "containerPort: 81, hostPort: 82}]}], initContainers: [{ports: [{containerPort: 83}]}],"
        "ephemeralContainers: [{ports: [{containerPort: 84}]}]}}";

    assert_part(frame, "hostNetwork: true",
                "[{\"hostPort\":80,\"containerPort\":80,\"protocol\":\"TCP\"},{\"hostPort\":82,");
    assert_part(frame, "hostNetwork: true", "[{\"hostPort\":83,\"containerPort\":83,");
    assert_part(frame, "hostNetwork: true", "[{\"containerPort\":84,");
    assert_part(frame, "hostNetwork: false", "[{\"containerPort\":80,");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_whole),     cmocka_unit_test(test_pod),
        cmocka_unit_test(test_container),     cmocka_unit_test(test_resources),
        cmocka_unit_test(test_pod_resources), cmocka_unit_test(test_host_network),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
