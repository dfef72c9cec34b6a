/* objects/validate-container: names, ports, policies, and which container may have what. */
#include "fixture.h"

static void test_many_rules(void **state)
{
    static const char rule[] = "{action: Restart, exitCodes: {operator: In, values: [1]}}";

    for (size_t count = 20; count <= 21; count++) {
        char *rules = repeat(rule, count);

        assert_made(POD_CONTAINER, "spec.containers[0]",
                    mem_printf("restartPolicy: Never, restartPolicyRules: [%s]", rules),
                    count > 20 ? "TooMany restartPolicyRules" : "");
        free(rules);
    }
    for (size_t count = 255; count <= 256; count++) {
        char *values = repeat("#", count);

        assert_made(POD_CONTAINER, "spec.containers[0].restartPolicyRules[0].exitCodes",
                    mem_printf("restartPolicy: Never, restartPolicyRules: [{action: Restart, "
                               "exitCodes: {operator: In, values: [%s]}}]",
                               values),
                    count > 255 ? "TooMany values" : "");
        free(values);
    }
}

static void test_basics(void **state)
{
    static const struct finding_case cases[] = {
        {"containers: [{name: a, image: a}]", ""},
        {"", "Required containers"},
        {"containers: []", "Required containers"},
        {"initContainers: [{}]",
         "Required containers, Required initContainers[0].name, Required initContainers[0].image"},
        {"containers: [{image: a}]", "Required containers[0].name"},
        {"containers: [{name: A, image: a}]", "Invalid containers[0].name"},
        {"containers: [{name: a}]", "Required containers[0].image"},
        {"containers: [{name: a, image: ' '}]", "Invalid containers[0].image"},
        {"containers: [{name: a, image: 'a '}]", "Invalid containers[0].image"},
        {"containers: [{name: a, image: \"\\ta\"}]", "Invalid containers[0].image"},
        {"containers: [{name: a, image: \"a\\u3000\"}]", "Invalid containers[0].image"},
        {"containers: [{name: a, image: \"\\u00a0a\"}]", "Invalid containers[0].image"},
        {"containers: [{name: a, image: \"a\\u200a\"}]", "Invalid containers[0].image"},
        {"containers: [{name: a, image: \"a\\u200b\"}]", ""},
        {"containers: [{name: a, image: \"a\\u2028\"}]", "Invalid containers[0].image"},
        {"containers: [{name: a, image: 'a b'}]", ""},
        {"containers: [{name: a, image: \"\\u00e9\"}]", ""},
        {"containers: [{name: a, image: a, imagePullPolicy: always}]",
         "NotSupported containers[0].imagePullPolicy"},
        {"containers: [{name: a, image: a, terminationMessagePolicy: x}]",
         "NotSupported containers[0].terminationMessagePolicy"},
        {0},
    };
    static const struct sentence_case sentences[] = {
        {"", "must hold at least one container"},
        {"containers: [{name: a, image: ' '}]", "must not begin or end with white space"},
        {"containers: [{name: a, image: a, imagePullPolicy: always}]",
         "\"always\" is not supported; use Always, IfNotPresent or Never (did you mean Always?)"},
        {0},
    };

    assert_cases("{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {%s}}", "spec", cases);
    assert_sentences("{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {%s}}", sentences);
}

static void test_duplicate_names(void **state)
{
    static const struct finding_case cases[] = {
        {"containers: [{name: a, image: a}, {name: a, image: a}, {name: b, image: a}]",
         "Duplicate containers[1].name"},
        {"containers: [{image: a}, {image: a}]",
         "Required containers[0].name, Required containers[1].name, Duplicate containers[1].name"},
        {"containers: [{name: a, image: a}], initContainers: [{name: a, image: a}, {name: b, "
         "image: a}, {name: b, image: a}]",
         "Duplicate initContainers[0].name, Duplicate initContainers[2].name"},
        {"containers: [{name: a, image: a}], initContainers: [{image: a}, {image: a}]",
         "Required initContainers[0].name, Required initContainers[1].name"},
        {"containers: [{image: a}], initContainers: [{image: a}]",
         "Required containers[0].name, Required initContainers[0].name, Duplicate "
         "initContainers[0].name"},
        {0},
    };
    static const struct sentence_case sentences[] = {
        {"containers: [{name: a, image: a}, {name: a, image: a}]", "\"a\" names two containers"},
        {0},
    };

    assert_cases("{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {%s}}", "spec", cases);
    assert_sentences("{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {%s}}", sentences);
}

static void test_ports(void **state)
{
    static const struct finding_case cases[] = {
        {"ports: [{containerPort: 1}, {containerPort: 65535, protocol: SCTP, name: a, hostIP: "
         "nonsense}]",
         ""},
        {"ports: [{containerPort: 1}, {containerPort: 1}]", ""},
        {"ports: [{}]", "Required [0].containerPort"},
        {"ports: [{containerPort: 65536}]", "Invalid [0].containerPort"},
        {"ports: [{containerPort: -1}]", "Invalid [0].containerPort"},
        {"ports: [{containerPort: 1, hostPort: 65536}]", "Invalid [0].hostPort"},
        {"ports: [{containerPort: 1, hostPort: -1}]", "Invalid [0].hostPort"},
        {"ports: [{containerPort: 1, protocol: tcp}]", "NotSupported [0].protocol"},
        {"ports: [{containerPort: 1, name: HTTP}]", "Invalid [0].name"},
        {"ports: [{containerPort: 1, name: a}, {containerPort: 2, name: a}]", "Duplicate [1].name"},
        {"ports: [{containerPort: 1, name: A}, {containerPort: 2, name: A}]",
         "Invalid [0].name, Invalid [1].name"},
        {"ports: [{containerPort: 1, hostPort: 2}, {containerPort: 3, hostPort: 2}]",
         "Duplicate [1].hostPort"},
        {"ports: [{containerPort: 1, hostPort: 2}, {containerPort: 3, hostPort: 2, protocol: UDP}, "
         "{containerPort: 3, hostPort: 2, hostIP: 0.0.0.0}]",
         ""},
        {0},
    };
    static const struct sentence_case sentences[] = {
        {"ports: [{containerPort: 1, protocol: tcp}]",
         "\"tcp\" is not supported; use TCP, UDP or SCTP (did you mean TCP?)"},
        {"ports: [{containerPort: 70000}]", "70000 must be a port from 1 to 65535"},
        {"ports: [{containerPort: 1, hostPort: 2}, {containerPort: 3, hostPort: 2}]",
         "2/TCP is used twice"},
        {"ports: [{containerPort: 1, name: a}, {containerPort: 2, name: a}]",
         "\"a\" names two ports"},
        {0},
    };

    assert_cases(POD_CONTAINER, "spec.containers[0].ports", cases);
    assert_sentences(POD_CONTAINER, sentences);
}

/* Regular containers share the node; each init container is looked at alone, and its index is
 * always 0. */
static void test_host_ports_of_all_containers(void **state)
{
    static const struct finding_case cases[] = {
        {"containers: [{name: a, image: a, ports: [{containerPort: 1, hostPort: 2}]}, {name: b, "
         "image: a, ports: [{containerPort: 1, hostPort: 3}, {containerPort: 1, hostPort: 2}]}]",
         "Duplicate containers[1].ports[1].hostPort"},
        {"containers: [{name: a, image: a, ports: [{containerPort: 1, hostPort: 2}]}], "
         "initContainers: [{name: b, image: a, ports: [{containerPort: 1, hostPort: 2}]}, {name: "
         "c, image: a, ports: [{containerPort: 1, hostPort: 2}, {containerPort: 2, hostPort: 2}]}]",
         "Duplicate initContainers[0].ports[1].hostPort"},
        {"hostNetwork: true, containers: [{name: a, image: a, ports: [{containerPort: 1}, "
         "{containerPort: 2, hostPort: 2}]}]",
         ""},
        {"hostNetwork: true, containers: [{name: a, image: a, ports: [{containerPort: 1, hostPort: "
         "2}]}]",
         "Invalid containers[0].ports[0].hostPort"},
        {"hostNetwork: true, containers: [{name: a, image: a, ports: [{containerPort: 1}, "
         "{containerPort: 1}]}]",
         "Duplicate containers[0].ports[1].hostPort"},
        {"hostNetwork: true, containers: [{name: a, image: a}], initContainers: [{name: b, image: "
         "a, ports: [{containerPort: 1, hostPort: 2}]}]",
         ""},
        {0},
    };
    static const struct sentence_case sentences[] = {
        {"hostNetwork: true, containers: [{name: a, image: a, ports: [{containerPort: 1, hostPort: "
         "2}]}]",
         "must equal containerPort with hostNetwork"},
        {0},
    };

    assert_cases("{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {%s}}", "spec", cases);
    assert_sentences("{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {%s}}", sentences);
}

static void test_resize_policies(void **state)
{
    static const struct finding_case cases[] = {
        {"resizePolicy: [{resourceName: cpu, restartPolicy: NotRequired}, {resourceName: memory, "
         "restartPolicy: RestartContainer}]",
         ""},
        {"resizePolicy: [{resourceName: cpu, restartPolicy: NotRequired}, {resourceName: cpu, "
         "restartPolicy: NotRequired}]",
         "Duplicate [1]"},
        {"resizePolicy: [{}]", "Required , Required "},
        {"resizePolicy: [{}, {}]", "Required , Required , Duplicate [1], Required , Required "},
        {"resizePolicy: [{resourceName: disk, restartPolicy: Never}]",
         "NotSupported , NotSupported "},
        {0},
    };
    static const struct sentence_case sentences[] = {
        {"resizePolicy: [{resourceName: cpus, restartPolicy: NotRequired}]",
         "\"cpus\" is not supported; use cpu or memory (did you mean cpu?)"},
        {0},
    };

    assert_cases(POD_CONTAINER, "spec.containers[0].resizePolicy", cases);
    assert_sentences(POD_CONTAINER, sentences);
}

static void test_resize_policies_and_restarts(void **state)
{
    static const struct finding_case cases[] = {
        {"restartPolicy: Never, containers: [{name: a, image: a, resizePolicy: [{resourceName: "
         "cpu, restartPolicy: NotRequired}, {resourceName: memory, restartPolicy: "
         "RestartContainer}]}]",
         "Invalid containers[0].resizePolicy"},
        {"containers: [{name: a, image: a}], initContainers: [{name: b, image: a, resizePolicy: "
         "[{resourceName: cpu, restartPolicy: RestartContainer}, {resourceName: memory, "
         "restartPolicy: NotRequired}]}]",
         "Invalid initContainers[0].resizePolicy[0].restartPolicy"},
        {"containers: [{name: a, image: a}], initContainers: [{name: b, image: a, restartPolicy: "
         "Always, resizePolicy: [{resourceName: cpu, restartPolicy: RestartContainer}]}]",
         ""},
        {0},
    };

    assert_cases("{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {%s}}", "spec", cases);
}

static void test_restart_rules(void **state)
{
    static const struct finding_case cases[] = {
        {"restartPolicy: Always", ""},
        {"restartPolicy: OnFailure", ""},
        {"restartPolicy: Never, restartPolicyRules: [{action: Restart, exitCodes: {operator: In, "
         "values: [1]}}, {action: RestartAllContainers, exitCodes: {operator: NotIn}}]",
         ""},
        {"restartPolicy: ''", "NotSupported restartPolicy"},
        {"restartPolicy: never", "NotSupported restartPolicy"},
        {"restartPolicyRules: []", ""},
        {"restartPolicyRules: [{}]",
         "Required restartPolicy, NotSupported restartPolicyRules[0].action, Required "
         "restartPolicyRules[0].exitCodes"},
        {"restartPolicy: Never, restartPolicyRules: [{action: Restart, exitCodes: {operator: Is}}]",
         "NotSupported restartPolicyRules[0].exitCodes.operator"},
        {"restartPolicy: Never, restartPolicyRules: [{action: Stop, exitCodes: {operator: In, "
         "values: []}}]",
         "NotSupported restartPolicyRules[0].action"},
        {0},
    };
    static const struct sentence_case sentences[] = {
        {"restartPolicyRules: [{}]", "must be set beside restartPolicyRules"},
        {0},
    };

    assert_cases(POD_CONTAINER, "spec.containers[0]", cases);
    assert_sentences(POD_CONTAINER, sentences);
}

static void test_init_containers(void **state)
{
    static const struct finding_case cases[] = {
        {"restartPolicy: Always, livenessProbe: {exec: {command: [a]}}, lifecycle: {preStop: "
         "{exec: {command: [a]}}}",
         ""},
        {"lifecycle: {}, livenessProbe: {}, readinessProbe: {}, startupProbe: {}",
         "Forbidden lifecycle, Forbidden livenessProbe, Forbidden readinessProbe, Forbidden "
         "startupProbe"},
        {"lifecycle: {stopSignal: SIGTERM}", ""},
        {"restartPolicy: OnFailure, livenessProbe: {}", "Forbidden livenessProbe"},
        {"restartPolicyRules: [{}]", "Required restartPolicy"},
        {"restartPolicy: Always, livenessProbe: {}", "Required livenessProbe"},
        {"restartPolicy: Always, lifecycle: {preStop: {}}", "Required lifecycle.preStop"},
        {0},
    };
    static const struct sentence_case sentences[] = {
        {"livenessProbe: {}",
         "must not be set in an init container unless its restartPolicy is Always"},
        {0},
    };

    assert_cases(POD_INIT, "spec.initContainers[0]", cases);
    assert_sentences(POD_INIT, sentences);
}

static void test_ephemeral_containers(void **state)
{
    static const struct finding_case cases[] = {
        {"targetContainerName: a", "Forbidden ephemeralContainers"},
        {"targetContainerName: i", "Forbidden ephemeralContainers"},
        {"targetContainerName: ''", "Forbidden ephemeralContainers"},
        {"targetContainerName: x",
         "Forbidden ephemeralContainers, NotFound ephemeralContainers[0].targetContainerName"},
        {"ports: [{containerPort: 1}], resources: {limits: {cpu: 1}}, resizePolicy: [{}], "
         "restartPolicy: \"\", restartPolicyRules: [{}], livenessProbe: {}, readinessProbe: {}, "
         "startupProbe: {}, lifecycle: {}",
         "Forbidden ephemeralContainers, Required ephemeralContainers[0].resizePolicy, Required "
         "ephemeralContainers[0].resizePolicy, Forbidden ephemeralContainers[0].ports, Forbidden "
         "ephemeralContainers[0].resources, Forbidden ephemeralContainers[0].resizePolicy, "
         "Forbidden ephemeralContainers[0].restartPolicy, Forbidden "
         "ephemeralContainers[0].restartPolicyRules, Forbidden "
         "ephemeralContainers[0].livenessProbe, Forbidden ephemeralContainers[0].readinessProbe, "
         "Forbidden ephemeralContainers[0].startupProbe, Forbidden "
         "ephemeralContainers[0].lifecycle"},
        {"ports: [], resources: {limits: {}}, resizePolicy: [], restartPolicyRules: []",
         "Forbidden ephemeralContainers, Forbidden ephemeralContainers[0].ports, Forbidden "
         "ephemeralContainers[0].resources, Forbidden ephemeralContainers[0].resizePolicy, "
         "Forbidden ephemeralContainers[0].restartPolicyRules"},
        {"resources: {}", "Forbidden ephemeralContainers"},
        {"resources: {requests: {a: 1}}",
         "Forbidden ephemeralContainers, Invalid ephemeralContainers[0].resources.requests[a], "
         "Forbidden ephemeralContainers[0].resources"},
        {"resources: {claims: [{name: c}]}",
         "Forbidden ephemeralContainers, NotFound ephemeralContainers[0].resources.claims[0], "
         "Forbidden ephemeralContainers[0].resources"},
        {"volumeMounts: [{name: v, mountPath: /a, subPath: b, subPathExpr: c}, {name: v, "
         "mountPath: /b}]",
         "Forbidden ephemeralContainers, Invalid "
         "ephemeralContainers[0].volumeMounts[0].subPathExpr, Forbidden "
         "ephemeralContainers[0].volumeMounts[0].subPath, Forbidden "
         "ephemeralContainers[0].volumeMounts[0].subPathExpr"},
        {"imagePullPolicy: x",
         "Forbidden ephemeralContainers, NotSupported ephemeralContainers[0].imagePullPolicy"},
        {0},
    };
    static const struct sentence_case sentences[] = {
        {"", "must not be set when a pod is created; they are added to a running pod"},
        {0},
    };

    assert_cases("{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {volumes: [{name: v, "
                 "emptyDir: {}}], containers: [{name: a, image: a}], initContainers: [{name: i, "
                 "image: a}], ephemeralContainers: [{name: e, image: a, %s}]}}",
                 "spec", cases);
    assert_sentences("{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {volumes: [{name: "
                     "v, emptyDir: {}}], containers: [{name: a, image: a}], initContainers: "
                     "[{name: i, image: a}], ephemeralContainers: [{name: e, image: a, %s}]}}",
                     sentences);
}

static void test_ephemeral_names(void **state)
{
    static const struct finding_case cases[] = {
        {"containers: [{name: a, image: a}], initContainers: [{name: b, image: a}], "
         "ephemeralContainers: [{name: a, image: a}, {name: b, image: a}, {name: c, image: a}, "
         "{name: c, image: a}]",
         "Forbidden ephemeralContainers, Duplicate ephemeralContainers[0].name, Duplicate "
         "ephemeralContainers[1].name, Duplicate ephemeralContainers[3].name"},
        {0},
    };

    assert_cases("{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {%s}}", "spec", cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_basics),
        cmocka_unit_test(test_duplicate_names),
        cmocka_unit_test(test_ports),
        cmocka_unit_test(test_host_ports_of_all_containers),
        cmocka_unit_test(test_resize_policies),
        cmocka_unit_test(test_resize_policies_and_restarts),
        cmocka_unit_test(test_restart_rules),
        cmocka_unit_test(test_init_containers),
        cmocka_unit_test(test_ephemeral_containers),
        cmocka_unit_test(test_ephemeral_names),
        cmocka_unit_test(test_many_rules),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
