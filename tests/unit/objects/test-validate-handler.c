/* objects/validate-handler: probes and hooks. */
#include "fixture.h"

static void test_actions(void **state)
{
    static const struct finding_case cases[] = {
        {"livenessProbe: {exec: {command: [a]}}", ""},
        {"livenessProbe: {httpGet: {port: 80}}", ""},
        {"livenessProbe: {tcpSocket: {port: http}}", ""},
        {"livenessProbe: {grpc: {port: 65535}}", ""},
        {"livenessProbe: {}", "Required "},
        {"livenessProbe: {exec: {}}", "Required exec.command"},
        {"livenessProbe: {exec: {command: []}}", "Required exec.command"},
        {"livenessProbe: {httpGet: {}}", "Invalid httpGet.port"},
        {"livenessProbe: {httpGet: {port: '80'}}", "Invalid httpGet.port"},
        {"livenessProbe: {httpGet: {port: 65536}}", "Invalid httpGet.port"},
        {"livenessProbe: {httpGet: {port: ''}}", "Invalid httpGet.port"},
        {"livenessProbe: {httpGet: {port: 1, scheme: http}}", "NotSupported httpGet.scheme"},
        {"livenessProbe: {httpGet: {port: 1, scheme: HTTPS, path: \"any thing\", host: \"?\"}}",
         ""},
        {"livenessProbe: {httpGet: {port: 1, httpHeaders: [{name: X-A, value: \"\\n\"}, {name: a "
         "b}, {}]}}",
         "Invalid httpGet.httpHeaders, Invalid httpGet.httpHeaders"},
        {"livenessProbe: {tcpSocket: {}}", "Invalid tcpSocket.port"},
        {"livenessProbe: {grpc: {}}", "Invalid grpc.port"},
        {"livenessProbe: {grpc: {port: -1}}", "Invalid grpc.port"},
        {"livenessProbe: {exec: {command: [a]}, httpGet: {port: 0}, tcpSocket: {}, grpc: {}}",
         "Forbidden httpGet, Forbidden tcpSocket, Forbidden grpc"},
        {"livenessProbe: {tcpSocket: {port: 1}, grpc: {}}", "Forbidden grpc"},
        {0},
    };
    static const struct sentence_case sentences[] = {
        {"livenessProbe: {}", "must have an action: exec, httpGet, tcpSocket or grpc"},
        {"livenessProbe: {exec: {command: [a]}, grpc: {}}",
         "must not be set beside exec: one action only"},
        {"livenessProbe: {httpGet: {}}", "0 must be a port from 1 to 65535"},
        {"livenessProbe: {httpGet: {port: '80'}}",
         "\"80\" must be a port's name: at most 15 lower-case letters, digits and single \"-\", at "
         "least one letter, no \"-\" at either end"},
        {"livenessProbe: {httpGet: {port: 1, scheme: http}}",
         "\"http\" is not supported; use HTTP or HTTPS (did you mean HTTP?)"},
        {"livenessProbe: {httpGet: {port: 1, httpHeaders: [{name: a b}]}}",
         "\"a b\" must be an HTTP header's name: letters, digits and \"-\""},
        {0},
    };

    assert_cases(POD_CONTAINER, "spec.containers[0].livenessProbe", cases);
    assert_sentences(POD_CONTAINER, sentences);
}

/* probes: P02; who may have none is in test-validate-container.c */
static void test_probe_numbers(void **state)
{
    static const struct finding_case cases[] = {
        {"livenessProbe: {exec: {command: [a]}, initialDelaySeconds: 0, timeoutSeconds: "
         "2147483647, periodSeconds: 1, failureThreshold: 1, successThreshold: 1, "
         "terminationGracePeriodSeconds: 1}",
         ""},
        {"livenessProbe: {exec: {command: [a]}, initialDelaySeconds: -1, timeoutSeconds: -1, "
         "periodSeconds: -1, failureThreshold: -1, successThreshold: -1}",
         "Invalid livenessProbe.initialDelaySeconds, Invalid livenessProbe.timeoutSeconds, Invalid "
         "livenessProbe.periodSeconds, Invalid livenessProbe.successThreshold, Invalid "
         "livenessProbe.failureThreshold, Invalid livenessProbe.successThreshold"},
        {"livenessProbe: {exec: {command: [a]}, successThreshold: 2}",
         "Invalid livenessProbe.successThreshold"},
        {"startupProbe: {exec: {command: [a]}, successThreshold: 2}",
         "Invalid startupProbe.successThreshold"},
        {"readinessProbe: {exec: {command: [a]}, successThreshold: 2}", ""},
        {"readinessProbe: {exec: {command: [a]}, terminationGracePeriodSeconds: 5}",
         "Invalid readinessProbe.terminationGracePeriodSeconds"},
        {"livenessProbe: {exec: {command: [a]}, terminationGracePeriodSeconds: 0}",
         "Invalid livenessProbe.terminationGracePeriodSeconds"},
        {"startupProbe: {exec: {command: [a]}, terminationGracePeriodSeconds: -1}",
         "Invalid startupProbe.terminationGracePeriodSeconds"},
        {0},
    };
    static const struct sentence_case sentences[] = {
        {"livenessProbe: {exec: {command: [a]}, successThreshold: 2}",
         "must be 1 for a liveness probe"},
        {"startupProbe: {exec: {command: [a]}, successThreshold: 2}",
         "must be 1 for a startup probe"},
        {"readinessProbe: {exec: {command: [a]}, terminationGracePeriodSeconds: 5}",
         "must not be set: a readiness probe stops nothing"},
        {0},
    };

    assert_cases(POD_CONTAINER, "spec.containers[0]", cases);
    assert_sentences(POD_CONTAINER, sentences);
}

static void test_hooks(void **state)
{
    static const struct finding_case cases[] = {
        {"lifecycle: {}", ""},
        {"lifecycle: {postStart: {exec: {command: [a]}}, preStop: {sleep: {seconds: 30}}}", ""},
        {"lifecycle: {preStop: {sleep: {}}}", ""},
        {"lifecycle: {preStop: {sleep: {seconds: 31}}}", "Invalid preStop.sleep"},
        {"lifecycle: {preStop: {sleep: {seconds: -1}}}", "Invalid preStop.sleep"},
        {"lifecycle: {postStart: {}, preStop: {}}", "Required postStart, Required preStop"},
        {"lifecycle: {preStop: {tcpSocket: {port: 1}}}", ""},
        {"lifecycle: {preStop: {exec: {command: [a]}, sleep: {seconds: 99}}}",
         "Forbidden preStop.sleep"},
        {0},
    };
    static const struct sentence_case sentences[] = {
        {"lifecycle: {preStop: {}}", "must have an action: exec, httpGet, tcpSocket or sleep"},
        {"lifecycle: {preStop: {sleep: {seconds: 31}}}",
         "seconds must be from 0 to terminationGracePeriodSeconds (30)"},
        {0},
    };

    assert_cases(POD_CONTAINER, "spec.containers[0].lifecycle", cases);
    assert_sentences(POD_CONTAINER, sentences);
}

static void test_sleep_and_grace(void **state)
{
    static const struct finding_case cases[] = {
        {"0", ""},
        {"-1", "Invalid preStop.sleep"},
        {"-9223372036854775808", "Invalid preStop.sleep"},
        {0},
    };

    assert_cases(
        "{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {terminationGracePeriodSeconds: "
        "%s, containers: [{name: a, image: a, lifecycle: {preStop: {sleep: {seconds: 0}}}}]}}",
        "spec.containers[0].lifecycle", cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_actions),
        cmocka_unit_test(test_probe_numbers),
        cmocka_unit_test(test_hooks),
        cmocka_unit_test(test_sleep_and_grace),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
