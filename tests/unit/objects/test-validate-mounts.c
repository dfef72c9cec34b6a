/* objects/validate-mounts: volume mounts and block devices. */
#include "fixture.h"

static void test_mounts(void **state)
{
    static const struct finding_case cases[] = {
        {"volumeMounts: [{name: v, mountPath: /a}, {name: v, mountPath: b:c, readOnly: true}, "
         "{name: p, mountPath: \"C:\"}]",
         ""},
        {"volumeMounts: [{}]", "Required [0].name, NotFound [0].name, Required [0].mountPath"},
        {"volumeMounts: [{name: x, mountPath: /a}]", "NotFound [0].name"},
        {"volumeMounts: [{name: v, mountPath: /a}, {name: h, mountPath: /a}]",
         "Invalid [1].mountPath"},
        {"volumeMounts: [{name: v}, {name: h}]",
         "Required [0].mountPath, Required [1].mountPath, Invalid [1].mountPath"},
        {"volumeMounts: [{name: v, mountPath: /a, subPath: b/c}, {name: v, mountPath: /b, "
         "subPathExpr: $(A)}]",
         ""},
        {"volumeMounts: [{name: v, mountPath: /a, subPath: /b}]", "Invalid subPath"},
        {"volumeMounts: [{name: v, mountPath: /a, subPath: a/..}]", "Invalid subPath"},
        {"volumeMounts: [{name: v, mountPath: /a, subPathExpr: ../b}]", "Invalid subPathExpr"},
        {"volumeMounts: [{name: v, mountPath: /a, subPathExpr: b, subPath: b}]",
         "Invalid [0].subPathExpr"},
        {"volumeMounts: [{name: v, mountPath: /a, mountPropagation: None}, {name: v, mountPath: "
         "/b, mountPropagation: HostToContainer}]",
         ""},
        {"volumeMounts: [{name: v, mountPath: /a, mountPropagation: ''}]",
         "NotSupported mountPropagation"},
        {"volumeMounts: [{name: v, mountPath: /a, mountPropagation: Bidirectional}]",
         "Forbidden mountPropagation"},
        {"securityContext: {privileged: false}, volumeMounts: [{name: v, mountPath: /a, "
         "mountPropagation: Bidirectional}]",
         "Forbidden mountPropagation"},
        {"securityContext: {privileged: true}, volumeMounts: [{name: v, mountPath: /a, "
         "mountPropagation: Bidirectional}]",
         ""},
        {"volumeMounts: [{name: v, mountPath: /a, recursiveReadOnly: Disabled}, {name: v, "
         "mountPath: /b, readOnly: true, recursiveReadOnly: Enabled, mountPropagation: None}]",
         ""},
        {"volumeMounts: [{name: v, mountPath: /a, recursiveReadOnly: Enabled}]",
         "Forbidden recursiveReadOnly"},
        {"volumeMounts: [{name: v, mountPath: /a, recursiveReadOnly: ''}]",
         "NotSupported recursiveReadOnly"},
        {"volumeMounts: [{name: v, mountPath: /a, recursiveReadOnly: IfPossible, mountPropagation: "
         "HostToContainer}]",
         "Forbidden recursiveReadOnly, Forbidden recursiveReadOnly"},
        {0},
    };
    static const struct sentence_case sentences[] = {
        {"volumeMounts: [{name: x, mountPath: /a}]",
         "\"x\" must name a volume of the pod (one without errors)"},
        {"volumeMounts: [{name: v, mountPath: /a}, {name: v, mountPath: /a}]",
         "\"/a\" is mounted twice"},
        {"volumeMounts: [{name: v, mountPath: /a, subPath: /b}]", "\"/b\" must be a relative path"},
        {"volumeMounts: [{name: v, mountPath: /a, recursiveReadOnly: Enabled}]",
         "needs readOnly: true"},
        {"volumeMounts: [{name: v, mountPath: /a, mountPropagation: Bidirectional}]",
         "Bidirectional is for privileged containers only"},
        {"volumeMounts: [{name: v, mountPath: /a, mountPropagation: private}]",
         "\"private\" is not supported; use None, HostToContainer or Bidirectional"},
        {0},
    };

    assert_cases(
        "{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {volumes: [{name: v, emptyDir: "
        "{}}, {name: h, hostPath: {path: /a}}, {name: p, persistentVolumeClaim: {claimName: c}}, "
        "{name: w, ephemeral: {volumeClaimTemplate: {spec: {accessModes: [ReadWriteOnce], "
        "resources: {requests: {storage: 1Gi}}}}}}], containers: [{name: a, image: a, %s}]}}",
        "spec.containers[0].volumeMounts", cases);
    assert_sentences(
        "{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {volumes: [{name: v, emptyDir: "
        "{}}, {name: h, hostPath: {path: /a}}, {name: p, persistentVolumeClaim: {claimName: c}}, "
        "{name: w, ephemeral: {volumeClaimTemplate: {spec: {accessModes: [ReadWriteOnce], "
        "resources: {requests: {storage: 1Gi}}}}}}], containers: [{name: a, image: a, %s}]}}",
        sentences);
}

/* A volume with an error of its own cannot be mounted. */
static void test_broken_volumes(void **state)
{
    static const struct finding_case cases[] = {
        {"volumeMounts: [{name: v, mountPath: /a}]", "Required volumes[4].hostPath.path"},
        {"volumeMounts: [{name: broken, mountPath: /a}]",
         "Required volumes[4].hostPath.path, NotFound containers[0].volumeMounts[0].name"},
        {0},
    };

    assert_cases("{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {volumes: [{name: v, "
                 "emptyDir: {}}, {name: h, hostPath: {path: /a}}, {name: p, persistentVolumeClaim: "
                 "{claimName: c}}, {name: w, ephemeral: {volumeClaimTemplate: {spec: {accessModes: "
                 "[ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}}}, {name: broken, "
                 "hostPath: {}}], containers: [{name: a, image: a, %s}]}}",
                 "spec", cases);
}

static void test_devices(void **state)
{
    static const struct finding_case cases[] = {
        {"volumeDevices: [{name: p, devicePath: /dev/a}, {name: w, devicePath: dev/b}]", ""},
        {"volumeDevices: [{}]", "Required volumeDevices[0].name, NotFound volumeDevices[0].name, "
                                "Required volumeDevices[0].devicePath"},
        {"volumeDevices: [{}, {}]",
         "Required volumeDevices[0].name, NotFound volumeDevices[0].name, Required "
         "volumeDevices[0].devicePath, Required volumeDevices[1].name, NotFound "
         "volumeDevices[1].name, Required volumeDevices[1].devicePath, Invalid "
         "volumeDevices[1].devicePath"},
        {"volumeDevices: [{name: x, devicePath: /a}]", "NotFound volumeDevices[0].name"},
        {"volumeDevices: [{name: v, devicePath: /a}]", "Invalid volumeDevices[0].name"},
        {"volumeDevices: [{name: p, devicePath: /a}, {name: p, devicePath: /b}]",
         "Invalid volumeDevices[1].name"},
        {"volumeDevices: [{name: p, devicePath: /a}, {name: w, devicePath: /a}]",
         "Invalid volumeDevices[1].devicePath"},
        {"volumeDevices: [{name: p, devicePath: /a/../b}]", "Invalid volumeDevices[0].devicePath"},
        {"volumeMounts: [{name: p, mountPath: /a}], volumeDevices: [{name: p, devicePath: /b}]",
         "Invalid volumeMounts[0].name, Invalid volumeDevices[0].name"},
        {"volumeMounts: [{name: v, mountPath: /a}], volumeDevices: [{name: p, devicePath: /a}]",
         "Invalid volumeMounts[0].mountPath, Invalid volumeDevices[0].devicePath"},
        {"volumeMounts: [{}], volumeDevices: [{}]",
         "Required volumeMounts[0].name, NotFound volumeMounts[0].name, Required "
         "volumeMounts[0].mountPath, Invalid volumeMounts[0].name, Invalid "
         "volumeMounts[0].mountPath, Required volumeDevices[0].name, NotFound "
         "volumeDevices[0].name, Invalid volumeDevices[0].name, Required "
         "volumeDevices[0].devicePath, Invalid volumeDevices[0].devicePath"},
        {0},
    };
    static const struct sentence_case sentences[] = {
        {"volumeDevices: [{name: v, devicePath: /a}]",
         "must name a persistentVolumeClaim or an ephemeral volume"},
        {"volumeDevices: [{name: p, devicePath: ..}]", "must not contain \"..\""},
        {"volumeDevices: [{name: p, devicePath: /a}, {name: p, devicePath: /b}]",
         "\"p\" is used twice"},
        {0},
    };

    assert_cases(
        "{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {volumes: [{name: v, emptyDir: "
        "{}}, {name: h, hostPath: {path: /a}}, {name: p, persistentVolumeClaim: {claimName: c}}, "
        "{name: w, ephemeral: {volumeClaimTemplate: {spec: {accessModes: [ReadWriteOnce], "
        "resources: {requests: {storage: 1Gi}}}}}}], containers: [{name: a, image: a, %s}]}}",
        "spec.containers[0]", cases);
    assert_sentences(
        "{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {volumes: [{name: v, emptyDir: "
        "{}}, {name: h, hostPath: {path: /a}}, {name: p, persistentVolumeClaim: {claimName: c}}, "
        "{name: w, ephemeral: {volumeClaimTemplate: {spec: {accessModes: [ReadWriteOnce], "
        "resources: {requests: {storage: 1Gi}}}}}}], containers: [{name: a, image: a, %s}]}}",
        sentences);
}

static void test_devices_of_user_namespaces(void **state)
{
    static const struct finding_case cases[] = {
        {"", ""},
        {"{name: p, devicePath: /a}", "Forbidden volumeDevices"},
        {0},
    };

    assert_cases("{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {hostUsers: false, "
                 "volumes: [{name: p, persistentVolumeClaim: {claimName: c}}], containers: [{name: "
                 "a, image: a, volumeDevices: [%s]}]}}",
                 "spec.containers[0]", cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mounts),
        cmocka_unit_test(test_broken_volumes),
        cmocka_unit_test(test_devices),
        cmocka_unit_test(test_devices_of_user_namespaces),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
