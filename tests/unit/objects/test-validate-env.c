/* objects/validate-env: the environment of a container. */
#include "fixture.h"

/* A name of any length is cut, not written beyond its place. */
static void test_long_names(void **state)
{
    char *name = letters('a', 5000);

    assert_made(POD_CONTAINER, "spec.containers[0].envFrom[0]",
                mem_printf("envFrom: [{configMapRef: {name: %s-}}]", name),
                "Invalid configMapRef.name");
    name[253] = '\0';
    assert_made(POD_CONTAINER, "spec.containers[0].envFrom[0]",
                mem_printf("envFrom: [{configMapRef: {name: %s}}]", name), "");
    free(name);
}

static void test_variables(void **state)
{
    static const struct finding_case cases[] = {
        {"env: [{name: A, value: b}, {name: A}, {name: 1 x.y}]", ""},
        {"env: [{}]", "Required [0].name"},
        {"env: [{name: A=B}]", "Invalid [0].name"},
        {"env: [{name: A, valueFrom: {}}]", "Invalid [0].valueFrom"},
        {"env: [{name: A, value: '', valueFrom: {fieldRef: {fieldPath: metadata.name}}}]", ""},
        {"env: [{name: A, value: b, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]",
         "Invalid [0].valueFrom"},
        {"env: [{name: A, value: b, valueFrom: {}}]", "Invalid [0].valueFrom"},
        {"env: [{name: A, valueFrom: {fieldRef: {fieldPath: metadata.name}, secretKeyRef: {name: "
         "s, key: k}}}]",
         "Invalid [0].valueFrom"},
        {0},
    };
    static const struct sentence_case sentences[] = {
        {"env: [{name: A, valueFrom: {}}]", "must have a source: fieldRef, resourceFieldRef, "
                                            "configMapKeyRef, secretKeyRef or fileKeyRef"},
        {"env: [{name: A=B}]",
         "\"A=B\" must be a variable's name: printable ASCII characters other than \"=\""},
        {"env: [{name: A, value: b, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]",
         "must not be set beside value"},
        {"env: [{name: A, valueFrom: {fieldRef: {fieldPath: metadata.name}, secretKeyRef: {name: "
         "s, key: k}}}]",
         "must have one source only, not 2"},
        {0},
    };

    assert_cases(
        "{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {volumes: [{name: v, emptyDir: "
        "{}}, {name: h, hostPath: {path: /a}}, {name: p, persistentVolumeClaim: {claimName: c}}, "
        "{name: w, ephemeral: {volumeClaimTemplate: {spec: {accessModes: [ReadWriteOnce], "
        "resources: {requests: {storage: 1Gi}}}}}}], containers: [{name: a, image: a, %s}]}}",
        "spec.containers[0].env", cases);
    assert_sentences(
        "{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {volumes: [{name: v, emptyDir: "
        "{}}, {name: h, hostPath: {path: /a}}, {name: p, persistentVolumeClaim: {claimName: c}}, "
        "{name: w, ephemeral: {volumeClaimTemplate: {spec: {accessModes: [ReadWriteOnce], "
        "resources: {requests: {storage: 1Gi}}}}}}], containers: [{name: a, image: a, %s}]}}",
        sentences);
}

static void test_sources(void **state)
{
    static const struct finding_case cases[] = {
        {"fieldRef: {fieldPath: metadata.name}", ""},
        {"fieldRef: {fieldPath: metadata.namespace}", ""},
        {"fieldRef: {fieldPath: metadata.uid}", ""},
        {"fieldRef: {fieldPath: spec.nodeName}", ""},
        {"fieldRef: {fieldPath: spec.host}", ""},
        {"fieldRef: {fieldPath: spec.serviceAccountName}", ""},
        {"fieldRef: {fieldPath: status.hostIP}", ""},
        {"fieldRef: {fieldPath: status.hostIPs}", ""},
        {"fieldRef: {fieldPath: status.podIP}", ""},
        {"fieldRef: {fieldPath: status.podIPs}", ""},
        {"fieldRef: {fieldPath: \"metadata.labels['a']\"}", ""},
        {"fieldRef: {fieldPath: metadata.labels}", "NotSupported fieldRef.fieldPath"},
        {"fieldRef: {fieldPath: metadata.annotations}", "NotSupported fieldRef.fieldPath"},
        {"fieldRef: {fieldPath: spec.restartPolicy}", "NotSupported fieldRef.fieldPath"},
        {"fieldRef: {fieldPath: spec.schedulerName}", "NotSupported fieldRef.fieldPath"},
        {"fieldRef: {fieldPath: status.phase}", "NotSupported fieldRef.fieldPath"},
        {"fieldRef: {}", "Required fieldRef.fieldPath"},
        {"fieldRef: {fieldPath: spec.x}", "Invalid fieldRef.fieldPath"},
        {"resourceFieldRef: {resource: limits.cpu}", ""},
        {"resourceFieldRef: {resource: limits.cpu, containerName: nobody, divisor: 1m}", ""},
        {"resourceFieldRef: {}", "Required resourceFieldRef.resource"},
        {"configMapKeyRef: {name: c, key: k}", ""},
        {"configMapKeyRef: {}", "Invalid configMapKeyRef.name, Required configMapKeyRef.key"},
        {"configMapKeyRef: {name: A, key: a b}",
         "Invalid configMapKeyRef.name, Invalid configMapKeyRef.key"},
        {"secretKeyRef: {name: s, key: .k}", ""},
        {"secretKeyRef: {name: a_b, key: ..}",
         "Invalid secretKeyRef.name, Invalid secretKeyRef.key"},
        {"fileKeyRef: {volumeName: v, path: /a/b, key: K}", ""},
        {"fileKeyRef: {volumeName: h, path: a, key: K}", "Invalid fileKeyRef.volumeName"},
        {"fileKeyRef: {volumeName: x, path: a, key: K}", "NotFound fileKeyRef.volumeName"},
        {"fileKeyRef: {volumeName: X, path: a, key: K}",
         "Invalid fileKeyRef.volumeName, NotFound fileKeyRef.volumeName"},
        {"fileKeyRef: {}", "Required fileKeyRef.key, Required fileKeyRef.volumeName, Required "
                           "fileKeyRef.path, NotFound fileKeyRef.volumeName"},
        {"fileKeyRef: {volumeName: v, path: a/../b, key: A=B}",
         "Invalid fileKeyRef.key, Invalid fileKeyRef.path"},
        {0},
    };
    static const struct sentence_case sentences[] = {
        {"fileKeyRef: {volumeName: x, path: a, key: K}", "\"x\" must name a volume of the pod"},
        {"fileKeyRef: {volumeName: h, path: a, key: K}", "\"h\" must be an emptyDir volume"},
        {"fileKeyRef: {volumeName: v, path: .., key: K}", "must not contain \"..\""},
        {"configMapKeyRef: {name: c, key: a b}",
         "\"a b\" must be a key: 1 to 253 letters, digits, \"-\", \"_\" and \".\""},
        {0},
    };

    assert_cases("{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {volumes: [{name: v, "
                 "emptyDir: {}}, {name: h, hostPath: {path: /a}}, {name: p, persistentVolumeClaim: "
                 "{claimName: c}}, {name: w, ephemeral: {volumeClaimTemplate: {spec: {accessModes: "
                 "[ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}}}], containers: [{name: "
                 "a, image: a, env: [{name: A, valueFrom: {%s}}]}]}}",
                 "spec.containers[0].env[0].valueFrom", cases);
    assert_sentences(
        "{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {volumes: [{name: v, emptyDir: "
        "{}}, {name: h, hostPath: {path: /a}}, {name: p, persistentVolumeClaim: {claimName: c}}, "
        "{name: w, ephemeral: {volumeClaimTemplate: {spec: {accessModes: [ReadWriteOnce], "
        "resources: {requests: {storage: 1Gi}}}}}}], containers: [{name: a, image: a, env: [{name: "
        "A, valueFrom: {%s}}]}]}}",
        sentences);
}

static void test_volumes_without_a_name(void **state)
{
    static const struct finding_case cases[] = {
        {"hostPath: {path: /a}", "Required spec.volumes[0].name, Required , Invalid "},
        {"emptyDir: {}", "Required spec.volumes[0].name, Required "},
        {0},
    };

    assert_cases(
        "{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {volumes: [{%s}], containers: "
        "[{name: a, image: a, env: [{name: A, valueFrom: {fileKeyRef: {path: a, key: K}}}]}]}}",
        "spec.containers[0].env[0].valueFrom.fileKeyRef.volumeName", cases);
}

static void test_whole_objects(void **state)
{
    static const struct finding_case cases[] = {
        {"envFrom: [{configMapRef: {name: c}}, {prefix: P_, secretRef: {name: s.b}}, "
         "{configMapRef: {name: app-}}]",
         ""},
        {"envFrom: [{}]", "Invalid "},
        {"envFrom: [{configMapRef: {name: a}, secretRef: {name: b}}]", "Invalid "},
        {"envFrom: [{prefix: A=, configMapRef: {name: a}}]", "Invalid [0].prefix"},
        {"envFrom: [{configMapRef: {}}]", "Required [0].configMapRef.name"},
        {"envFrom: [{secretRef: {name: A}}]", "Invalid [0].secretRef.name"},
        {"envFrom: [{secretRef: {name: \"-\"}}]", "Invalid [0].secretRef.name"},
        {"envFrom: [{configMapRef: {}, secretRef: {}}]",
         "Invalid , Required [0].configMapRef.name, Required [0].secretRef.name"},
        {0},
    };
    static const struct sentence_case sentences[] = {
        {"envFrom: [{}]", "each entry must have either configMapRef or secretRef"},
        {0},
    };

    assert_cases(POD_CONTAINER, "spec.containers[0].envFrom", cases);
    assert_sentences(POD_CONTAINER, sentences);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_variables),
        cmocka_unit_test(test_sources),
        cmocka_unit_test(test_volumes_without_a_name),
        cmocka_unit_test(test_whole_objects),
        cmocka_unit_test(test_long_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
