/* objects/validate-volume: names, one source each, the node's own sources and drivers. */
#include "document.h"

static void test_sources(void **state)
{
    static const struct finding_case cases[] = {
        {"{name: v, emptyDir: {medium: anything, sizeLimit: 0}}", ""},
        {"{name: v, emptyDir: {sizeLimit: -1}}", "Forbidden emptyDir.sizeLimit"},
        {"{name: v, hostPath: {path: relative//path}}", ""},
        {"{name: v, hostPath: {path: '', type: Folder}}", "Required hostPath.path"},
        {"{name: v, hostPath: {path: /a/.., type: directory}}",
         "Invalid hostPath.path, NotSupported hostPath.type"},
        {"{name: v, gitRepo: {directory: ..x}}", "Required gitRepo.repository"},
        {"{name: v, gitRepo: {repository: r, directory: /x}}", "Invalid gitRepo.directory"},
        {"{name: v, persistentVolumeClaim: {claimName: Any}}", ""},
        {"{name: v, persistentVolumeClaim: {}}", "Required persistentVolumeClaim.claimName"},
        {"{name: v, image: {pullPolicy: never}}",
         "Required image.reference, NotSupported image.pullPolicy"},
        {0},
    };

    assert_volume_cases(cases);
}

static void test_drivers(void **state)
{
    static const struct finding_case cases[] = {
        {"{name: v, csi: {driver: CSI.Example.com, nodePublishSecretRef: {name: s}}}", ""},
        {"{name: v, csi: {}}", "Required csi.driver"},
        {"{name: v, csi: {driver: "
         "a.bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb_}}",
         "Invalid csi.driver"},
        {"{name: v, csi: {driver: "
         "aa.bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb}}",
         "TooLong csi.driver"},
        {"{name: v, csi: {driver: d, nodePublishSecretRef: {}}}",
         "Required csi.nodePublishSecretRef.name"},
        {"{name: v, csi: {driver: d, nodePublishSecretRef: {name: A}}}", "Invalid csi.name"},
        {"{name: v, flexVolume: {driver: d, options: {example.com/a: b, ak8s.io: c, "
         "a/k8s.io: d}}}",
         ""},
        {"{name: v, flexVolume: {options: {a.Kubernetes.io/b: c, k8s.io: d}}}",
         "Required flexVolume.driver, Invalid flexVolume.options[a.Kubernetes.io/b], "
         "Invalid flexVolume.options[k8s.io]"},
        {0},
    };

    assert_volume_cases(cases);
}

static void test_one_source(void **state)
{
    static const struct finding_case cases[] = {
        {"{name: v, secret: {secretName: s}, nfs: {}, hostPath: {path: /p}}",
         "Forbidden secret, Forbidden nfs"},
        {"{name: v, cephfs: {}, downwardAPI: {}, rbd: {monitors: [m], image: i}}",
         "Forbidden cephFS, Forbidden downwarAPI"},
        {0},
    };

    assert_volume_cases(cases);
}

static void test_names(void **state)
{
    static const struct finding_case cases[] = {
        {"{emptyDir: {}}", "Required spec.volumes[0].name"},
        {"{name: a.b}", "Invalid spec.volumes[0].name"},
        {"{name: a}, {name: b}, {name: a}", "Duplicate spec.volumes[2].name"},
        {"{name: a, nfs: {server: s, path: p}}, {name: a}", "Invalid spec.volumes[0].nfs.path"},
        {"null", "Required spec.volumes[0].name"},
        {0},
    };

    assert_cases(POD_WITH_VOLUMES, "", cases);
}

/* A volume with an error of its own is not there for mounts; a claim of another is. */
static void test_validity_for_mounts(void **state)
{
    static const struct finding_case cases[] = {
        {"volumeMounts: [{name: v, mountPath: /m}]}], volumes: [{name: v, hostPath: {path: ''}}]",
         "Required spec.volumes[0].hostPath.path, NotFound "
         "spec.containers[0].volumeMounts[0].name"},
        {"volumeMounts: [{name: v, mountPath: /m}]}], volumes: [{name: v, persistentVolumeClaim: "
         "{claimName: web-e}}, {name: e, ephemeral: {volumeClaimTemplate: {spec: {accessModes: "
         "[ReadWriteOnce], resources: {requests: {storage: 1}}}}}}]",
         "Invalid spec.volumes[0].persistentVolumeClaim.claimName"},
        {0},
    };

    assert_cases("{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {containers: [{name: "
                 "web, image: web, %s}}",
                 "", cases);
    assert_findings("{apiVersion: v1, kind: Pod, metadata: {generateName: web}, spec: {"
                    "containers: [{name: web, image: web}], volumes: [{name: v, "
                    "persistentVolumeClaim: {claimName: -e}}, {name: e, ephemeral: {}}]}}",
                    "", "Required spec.volumes[1].ephemeral.volumeClaimTemplate");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sources),
        cmocka_unit_test(test_drivers),
        cmocka_unit_test(test_one_source),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_validity_for_mounts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
