/* objects/static-pod: what a static pod may not contain. */
#include "fixture.h"

static char *findings_of(const char *yaml, enum finding_level level)
{
    struct document document;
    char *findings;

    document_read(&document, yaml);
    assert_non_null(document.object);
    /* Only what the check says. */
    report_deinit(&document.report);
    report_init(&document.report, NULL);
    pod_check_static(pod_of(document.object), STATIC_REFERS_TO_NOTHING, level, &document.report);
    array_for_each (finding, document.report.findings) {
        assert_int_equal(finding->level, level);
        assert_int_equal(finding->reason, FINDING_STATIC);
        assert_true(str_has_prefix(finding->message, "a static pod may not reference "));
    }
    findings = document_findings(&document, "spec");
    document_deinit(&document);
    return findings;
}

static void assert_checked(const char *frame, const struct finding_case *cases)
{
    for (; cases->text; cases++) {
        char *yaml = fill_frame(frame, cases->text);

        for (int level = FINDING_WARNING; level <= FINDING_ERROR; level++) {
            char *found = findings_of(yaml, (enum finding_level)level);

            if (strcmp(found, cases->findings) != 0)
                fail_msg("%s\nexpected: %s\nfound:    %s", yaml, cases->findings, found);
            free(found);
        }
        free(yaml);
    }
}

/* The findings with each path below `prefix`. */
static char *below(const char *prefix, const char *findings)
{
    struct strbuf text = STRBUF_INIT;
    const char *next;

    for (; (next = strstr(findings, "NotInStaticPod ")); findings = next) {
        next += strlen("NotInStaticPod ");
        strbuf_add_bytes(&text, findings, (size_t)(next - findings));
        strbuf_add(&text, prefix);
    }
    strbuf_add(&text, findings);
    return strbuf_take(&text);
}

static void test_pod(void **state)
{
    static const struct finding_case cases[] = {
        {"hostname: a", ""},
        {"serviceAccountName: a", "NotInStaticPod serviceAccountName"},
        {"serviceAccount: a", "NotInStaticPod serviceAccountName"},
        {"serviceAccountName: ''", ""},
        {"imagePullSecrets: [{name: a}]", "NotInStaticPod imagePullSecrets"},
        {"imagePullSecrets: [{}, {name: a}, {name: b}]", "NotInStaticPod imagePullSecrets"},
        {"imagePullSecrets: [{name: ''}, {}]", ""},
        {"imagePullSecrets: []", ""},
        {"resourceClaims: [{name: a, resourceClaimName: b}]", "NotInStaticPod resourceClaims"},
        {"serviceAccountName: a, imagePullSecrets: [{name: a}], resourceClaims: [{}]",
         "NotInStaticPod serviceAccountName, NotInStaticPod imagePullSecrets, "
         "NotInStaticPod resourceClaims"},
        /* What the API resolves elsewhere, or not at all */
        {"priorityClassName: a, runtimeClassName: b, nodeName: n1, hostNetwork: true", ""},
        {0},
    };

    assert_checked(POD_SPEC, cases);
}

static void test_volumes(void **state)
{
    static const struct finding_case cases[] = {
        {"secret: {secretName: a}", "NotInStaticPod secret"},
        {"configMap: {name: a}", "NotInStaticPod configMap"},
        {"csi: {driver: a}", "NotInStaticPod csi"},
        {"persistentVolumeClaim: {claimName: a}", "NotInStaticPod persistentVolumeClaim"},
        {"ephemeral: {volumeClaimTemplate: {spec: {}}}", "NotInStaticPod ephemeral"},
        {"azureFile: {secretName: a, shareName: b}", "NotInStaticPod azureFile"},
        {"glusterfs: {endpoints: a, path: b}", "NotInStaticPod glusterfs"},
        /* With a secret */
        {"rbd: {image: a, secretRef: {name: s}}", "NotInStaticPod rbd.secretRef"},
        {"iscsi: {iqn: a, secretRef: {name: s}}", "NotInStaticPod iscsi.secretRef"},
        {"cephfs: {monitors: [a], secretRef: {name: s}}", "NotInStaticPod cephfs.secretRef"},
        {"cinder: {volumeID: a, secretRef: {name: s}}", "NotInStaticPod cinder.secretRef"},
        {"flexVolume: {driver: a, secretRef: {name: s}}", "NotInStaticPod flexVolume.secretRef"},
        {"scaleIO: {gateway: a, secretRef: {name: s}}", "NotInStaticPod scaleIO.secretRef"},
        {"storageos: {volumeName: a, secretRef: {name: s}}", "NotInStaticPod storageos.secretRef"},
        /* Without one, or with one that is not filled in */
        {"rbd: {image: a, secretRef: {}}", ""},
        {"iscsi: {iqn: a}", ""},
        {"cephfs: {monitors: [a], secretRef: {name: ''}}", ""},
        {"cinder: {volumeID: a}", ""},
        {"flexVolume: {driver: a, secretRef: {}}", ""},
        {"scaleIO: {gateway: a}", ""},
        {"storageos: {volumeName: a}", ""},
        /* Of the node and of the network */
        {"hostPath: {path: /a}", ""},
        {"emptyDir: {}", ""},
        {"downwardAPI: {items: [{path: a, fieldRef: {fieldPath: metadata.name}}]}", ""},
        {"image: {reference: a}", ""},
        {"nfs: {server: a, path: /b}", ""},
        {"fc: {wwids: [a]}", ""},
        {"gitRepo: {repository: a}", ""},
        {"gcePersistentDisk: {pdName: a}", ""},
        {"awsElasticBlockStore: {volumeID: a}", ""},
        {"azureDisk: {diskName: a, diskURI: b}", ""},
        {"vsphereVolume: {volumePath: a}", ""},
        {"photonPersistentDisk: {pdID: a}", ""},
        {"portworxVolume: {volumeID: a}", ""},
        {"quobyte: {registry: a, volume: b}", ""},
        {"flocker: {datasetName: a}", ""},
        /* Projected */
        {"projected: {sources: [{secret: {name: a}}, {configMap: {name: a}}, {downwardAPI: {}},"
         "{serviceAccountToken: {path: a}}, {clusterTrustBundle: {path: a}}, {podCertificate: {}}, "
         "{}]}",
         "NotInStaticPod projected.sources[0].secret, NotInStaticPod "
         "projected.sources[1].configMap, NotInStaticPod projected.sources[3].serviceAccountToken, "
         "NotInStaticPod projected.sources[4].clusterTrustBundle, NotInStaticPod "
         "projected.sources[5].podCertificate"},
        {"projected: {sources: [{downwardAPI: {items: []}}]}", ""},
        {"projected: {}", ""},
        {0},
    };

    for (const struct finding_case *at = cases; at->text; at++) {
        char *expected = below("volumes[1].", at->findings);

        assert_checked("{apiVersion: v1, kind: Pod, spec: {volumes: [{name: x, emptyDir: {}}, "
                       "{name: v, %s}]}}",
                       (const struct finding_case[]){{at->text, expected}, {0}});
        free(expected);
    }
}

static void test_environment(void **state)
{
    static const struct finding_case cases[] = {
        {"env: [{name: A, value: b}, {name: B, valueFrom: {fieldRef: {fieldPath: metadata.name}}},"
         "{name: C, valueFrom: {resourceFieldRef: {resource: limits.cpu}}}, {name: D, valueFrom: {"
         "fileKeyRef: {volumeName: v, path: p, key: k}}}, {name: E, valueFrom: {}}]",
         ""},
        {"env: [{name: A, valueFrom: {configMapKeyRef: {name: c, key: k}}}, {name: B, valueFrom: {"
         "secretKeyRef: {name: s, key: k, optional: true}}}]",
         "NotInStaticPod env[0].valueFrom.configMapKeyRef, NotInStaticPod "
         "env[1].valueFrom.secretKeyRef"},
        {"envFrom: [{configMapRef: {name: c}}, {prefix: P}, {secretRef: {name: s}}]",
         "NotInStaticPod envFrom[0].configMapRef, NotInStaticPod envFrom[2].secretRef"},
        {0},
    };

    for (const struct finding_case *at = cases; at->text; at++) {
        char *of_containers = below("containers[1].", at->findings),
             *of_init = below("initContainers[1].", at->findings);

        assert_checked("{apiVersion: v1, kind: Pod, spec: {containers: [{name: x}, {%s}]}}",
                       (const struct finding_case[]){{at->text, of_containers}, {0}});
        assert_checked("{apiVersion: v1, kind: Pod, spec: {initContainers: [{name: x}, {%s}]}}",
                       (const struct finding_case[]){{at->text, of_init}, {0}});
        free(of_init);
        free(of_containers);
    }
}

static void test_what_a_manifest_directory_can_hold(void **state)
{
    static const char *const allowed[] = {
        "imagePullSecrets: [{name: a}]",
        "volumes: [{name: v, secret: {secretName: a}}, {name: w, configMap: {name: a}}]",
        "volumes: [{name: v, projected: {sources: [{secret: {name: a}}, {configMap: {name: a}}]}}]",
        "volumes: [{name: v, rbd: {image: a, secretRef: {name: s}}}]",
        "initContainers: [{name: i, envFrom: [{configMapRef: {name: c}}, {secretRef: {name: c}}], "
        "env: [{name: A, valueFrom: {configMapKeyRef: {name: c, key: k}}}, {name: B, valueFrom: "
        "{secretKeyRef: {name: s, key: k}}}]}]",
    };
    static const char *const refused[] = {
        "serviceAccountName: a",
        "resourceClaims: [{name: a, resourceClaimName: b}]",
        "volumes: [{name: v, csi: {driver: a}}]",
        "volumes: [{name: v, persistentVolumeClaim: {claimName: a}}]",
        "volumes: [{name: v, azureFile: {secretName: a, shareName: b}}]",
        "volumes: [{name: v, projected: {sources: [{serviceAccountToken: {path: a}}]}}]",
    };

    for (size_t i = 0; i < array_size(allowed) + array_size(refused); i++) {
        bool good = i < array_size(allowed);
        char *yaml = fill_frame(POD_SPEC, good ? allowed[i] : refused[i - array_size(allowed)]);
        struct document document;

        document_read(&document, yaml);
        assert_non_null(document.object);
        report_deinit(&document.report);
        report_init(&document.report, NULL);
        pod_check_static(pod_of(document.object), STATIC_REFERS_TO_CONFIG, FINDING_ERROR,
                         &document.report);
        if (document.report.errors != (good ? 0 : 1))
            fail_msg("%s: %zu errors", yaml, document.report.errors);
        document_deinit(&document);
        free(yaml);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pod),
        cmocka_unit_test(test_volumes),
        cmocka_unit_test(test_environment),
        cmocka_unit_test(test_what_a_manifest_directory_can_hold),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
