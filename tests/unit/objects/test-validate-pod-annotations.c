/* objects/validate-pod-annotations: annotations that mean something to the API. */
#include "fixture.h"

static void test_deletion_cost(void **state)
{
    static const struct finding_case cases[] = {
        {"controller.kubernetes.io/pod-deletion-cost: '0'", ""},
        {"controller.kubernetes.io/pod-deletion-cost: '5'", ""},
        {"controller.kubernetes.io/pod-deletion-cost: '-5'", ""},
        {"controller.kubernetes.io/pod-deletion-cost: '2147483647'", ""},
        {"controller.kubernetes.io/pod-deletion-cost: '-2147483648'", ""},
        {"controller.kubernetes.io/pod-deletion-cost: '-007'", ""},
        {"controller.kubernetes.io/pod-deletion-cost: '-0'", ""},
        {"controller.kubernetes.io/pod-deletion-cost: ''", "Invalid "},
        {"controller.kubernetes.io/pod-deletion-cost: '+5'", "Invalid "},
        {"controller.kubernetes.io/pod-deletion-cost: '007'", "Invalid "},
        {"controller.kubernetes.io/pod-deletion-cost: '00'", "Invalid "},
        {"controller.kubernetes.io/pod-deletion-cost: '2147483648'", "Invalid "},
        {"controller.kubernetes.io/pod-deletion-cost: '-2147483649'", "Invalid "},
        {"controller.kubernetes.io/pod-deletion-cost: '1.0'", "Invalid "},
        {"controller.kubernetes.io/pod-deletion-cost: ' 1'", "Invalid "},
        {"controller.kubernetes.io/pod-deletion-cost: '1 '", "Invalid "},
        {"controller.kubernetes.io/pod-deletion-cost: 'x'", "Invalid "},
        {"controller.kubernetes.io/pod-deletion-cost: '0x5'", "Invalid "},
        {"controller.kubernetes.io/pod-deletion-cost: '9999999999999999999999999999999999999999'",
         "Invalid "},
        {"controller.kubernetes.io/pod-deletion-cost: '-'", "Invalid "},
        {"controller.kubernetes.io/pod-deletion-cost: '1e3'", "Invalid "},
        {0},
    };
    static const struct sentence_case sentences[] = {
        {"controller.kubernetes.io/pod-deletion-cost: x",
         "\"x\" must be a whole number of 32 bits"},
        {0},
    };

    assert_cases("{apiVersion: v1, kind: Pod, metadata: {name: web, annotations: {%s}}, spec: "
                 "{containers: [{name: a, image: a}]}}",
                 "metadata.annotations[controller.kubernetes.io/pod-deletion-cost]", cases);
    assert_sentences("{apiVersion: v1, kind: Pod, metadata: {name: web, annotations: {%s}}, spec: "
                     "{containers: [{name: a, image: a}]}}",
                     sentences);
}

static void test_mirror(void **state)
{
    static const struct finding_case cases[] = {
        {"annotations: {kubernetes.io/config.mirror: ''}}, spec: {containers: [{name: a, image: "
         "a}]",
         "Invalid [kubernetes.io/config.mirror]"},
        {"annotations: {kubernetes.io/config.mirror: x}}, spec: {nodeName: n1, containers: [{name: "
         "a, image: a}]",
         ""},
        {0},
    };
    static const struct sentence_case sentences[] = {
        {"annotations: {kubernetes.io/config.mirror: x}}, spec: {containers: [{name: a, image: a}]",
         "a mirror pod must be bound to a node: set spec.nodeName"},
        {0},
    };

    assert_cases("{apiVersion: v1, kind: Pod, metadata: {name: web, %s}}", "metadata.annotations",
                 cases);
    assert_sentences("{apiVersion: v1, kind: Pod, metadata: {name: web, %s}}", sentences);
}

static void test_tolerations(void **state)
{
    static const struct finding_case cases[] = {
        {"scheduler.alpha.kubernetes.io/tolerations: ''", ""},
        {"scheduler.alpha.kubernetes.io/tolerations: '[]'", ""},
        {"scheduler.alpha.kubernetes.io/tolerations: 'null'", ""},
        {"scheduler.alpha.kubernetes.io/tolerations: ' [ ] '", ""},
        {"scheduler.alpha.kubernetes.io/tolerations: '[{\"key\": \"a\", \"operator\": \"Exists\", "
         "\"unknown\": 1}]'",
         ""},
        {"scheduler.alpha.kubernetes.io/tolerations: '[{\"operator\": \"Exists\", "
         "\"tolerationSeconds\": 5, \"effect\": \"NoExecute\"}]'",
         ""},
        {"scheduler.alpha.kubernetes.io/tolerations: '{}'", "Invalid "},
        {"scheduler.alpha.kubernetes.io/tolerations: 'x'", "Invalid "},
        {"scheduler.alpha.kubernetes.io/tolerations: '['", "Invalid "},
        {"scheduler.alpha.kubernetes.io/tolerations: '[1]'", "Invalid "},
        {"scheduler.alpha.kubernetes.io/tolerations: '[\"a\"]'", "Invalid "},
        {"scheduler.alpha.kubernetes.io/tolerations: '[{\"key\": 1}]'", "Invalid "},
        {"scheduler.alpha.kubernetes.io/tolerations: '[[]]'", "Invalid "},
        {"scheduler.alpha.kubernetes.io/tolerations: '\"a\"'", "Invalid "},
        {"scheduler.alpha.kubernetes.io/tolerations: '1'", "Invalid "},
        {"scheduler.alpha.kubernetes.io/tolerations: '[{}] x'", "Invalid "},
        {"scheduler.alpha.kubernetes.io/tolerations: "
         "'[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
         "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
         "[[[[[[[[[[[[[[[[[[[[[[['",
         "Invalid "},
        {"scheduler.alpha.kubernetes.io/tolerations: '[{}]'",
         "Invalid scheduler.alpha.kubernetes.io/tolerations[0].operator"},
        {"scheduler.alpha.kubernetes.io/tolerations: '[null]'",
         "Invalid scheduler.alpha.kubernetes.io/tolerations[0].operator"},
        {"scheduler.alpha.kubernetes.io/tolerations: '[{\"operator\": \"Exists\"}, {\"key\": \"a "
         "b\", \"effect\": \"x\"}]'",
         "Invalid scheduler.alpha.kubernetes.io/tolerations[1].key, NotSupported "
         "scheduler.alpha.kubernetes.io/tolerations[1].effect"},
        {0},
    };
    static const struct sentence_case sentences[] = {
        {"scheduler.alpha.kubernetes.io/tolerations: x",
         "scheduler.alpha.kubernetes.io/tolerations must be a JSON list of tolerations"},
        {0},
    };

    assert_cases("{apiVersion: v1, kind: Pod, metadata: {name: web, annotations: {%s}}, spec: "
                 "{containers: [{name: a, image: a}]}}",
                 "metadata.annotations", cases);
    assert_sentences("{apiVersion: v1, kind: Pod, metadata: {name: web, annotations: {%s}}, spec: "
                     "{containers: [{name: a, image: a}]}}",
                     sentences);
}

static void test_seccomp(void **state)
{
    static const struct finding_case cases[] = {
        {"seccomp.security.alpha.kubernetes.io/pod: runtime/default", ""},
        {"seccomp.security.alpha.kubernetes.io/pod: docker/default", ""},
        {"seccomp.security.alpha.kubernetes.io/pod: unconfined", ""},
        {"seccomp.security.alpha.kubernetes.io/pod: localhost/a/b", ""},
        {"seccomp.security.alpha.kubernetes.io/pod: localhost/", ""},
        {"seccomp.security.alpha.kubernetes.io/pod: \"\"",
         "Invalid seccomp.security.alpha.kubernetes.io/pod"},
        {"seccomp.security.alpha.kubernetes.io/pod: \"x\"",
         "Invalid seccomp.security.alpha.kubernetes.io/pod"},
        {"seccomp.security.alpha.kubernetes.io/pod: \"localhost\"",
         "Invalid seccomp.security.alpha.kubernetes.io/pod"},
        {"seccomp.security.alpha.kubernetes.io/pod: \"localhost//a\"",
         "Invalid seccomp.security.alpha.kubernetes.io/pod"},
        {"seccomp.security.alpha.kubernetes.io/pod: \"localhost/../a\"",
         "Invalid seccomp.security.alpha.kubernetes.io/pod"},
        {"seccomp.security.alpha.kubernetes.io/pod: \"RuntimeDefault\"",
         "Invalid seccomp.security.alpha.kubernetes.io/pod"},
        {"container.seccomp.security.alpha.kubernetes.io/a: unconfined", ""},
        {"container.seccomp.security.alpha.kubernetes.io/nobody: unconfined", ""},
        {"container.seccomp.security.alpha.kubernetes.io/a: x",
         "Invalid container.seccomp.security.alpha.kubernetes.io/a"},
        {0},
    };
    static const struct sentence_case sentences[] = {
        {"seccomp.security.alpha.kubernetes.io/pod: x",
         "\"x\" must be runtime/default, unconfined or localhost/<path>"},
        {0},
    };

    assert_cases("{apiVersion: v1, kind: Pod, metadata: {name: web, annotations: {%s}}, spec: "
                 "{containers: [{name: a, image: a}]}}",
                 "metadata.annotations", cases);
    assert_sentences("{apiVersion: v1, kind: Pod, metadata: {name: web, annotations: {%s}}, spec: "
                     "{containers: [{name: a, image: a}]}}",
                     sentences);
}

static void test_seccomp_and_fields(void **state)
{
    static const struct finding_case cases[] = {
        {"annotations: {seccomp.security.alpha.kubernetes.io/pod: runtime/default}}, spec: "
         "{securityContext: {seccompProfile: {type: RuntimeDefault}}, containers: [{name: a, "
         "image: a}]",
         ""},
        {"annotations: {seccomp.security.alpha.kubernetes.io/pod: docker/default}}, spec: "
         "{securityContext: {seccompProfile: {type: RuntimeDefault}}, containers: [{name: a, "
         "image: a}]",
         ""},
        {"annotations: {seccomp.security.alpha.kubernetes.io/pod: unconfined}}, spec: "
         "{securityContext: {seccompProfile: {type: Unconfined}}, containers: [{name: a, image: "
         "a}]",
         ""},
        {"annotations: {seccomp.security.alpha.kubernetes.io/pod: localhost/a}}, spec: "
         "{securityContext: {seccompProfile: {type: Localhost, localhostProfile: a}}, containers: "
         "[{name: a, image: a}]",
         ""},
        {"annotations: {seccomp.security.alpha.kubernetes.io/pod: unconfined}}, spec: "
         "{securityContext: {seccompProfile: {type: RuntimeDefault}}, containers: [{name: a, "
         "image: a}]",
         "Forbidden securityContext.seccompProfile.type"},
        {"annotations: {seccomp.security.alpha.kubernetes.io/pod: localhost/a}}, spec: "
         "{securityContext: {seccompProfile: {type: Unconfined}}, containers: [{name: a, image: "
         "a}]",
         "Forbidden securityContext.seccompProfile.type"},
        {"annotations: {seccomp.security.alpha.kubernetes.io/pod: runtime/default}}, spec: "
         "{securityContext: {seccompProfile: {type: Localhost, localhostProfile: a}}, containers: "
         "[{name: a, image: a}]",
         "Forbidden securityContext.seccompProfile.type"},
        {"annotations: {seccomp.security.alpha.kubernetes.io/pod: localhost/a}}, spec: "
         "{securityContext: {seccompProfile: {type: Localhost, localhostProfile: b}}, containers: "
         "[{name: a, image: a}]",
         "Forbidden securityContext.seccompProfile.localhostProfile"},
        {"annotations: {container.seccomp.security.alpha.kubernetes.io/b: unconfined}}, spec: "
         "{containers: [{name: a, image: a, securityContext: {seccompProfile: {type: "
         "RuntimeDefault}}}], initContainers: [{name: b, image: a, securityContext: "
         "{seccompProfile: {type: RuntimeDefault}}}]",
         "Forbidden initContainers[0].securityContext.seccompProfile.type"},
        {"annotations: {container.seccomp.security.alpha.kubernetes.io/a: localhost/x}}, spec: "
         "{containers: [{name: a, image: a, securityContext: {seccompProfile: {type: Localhost, "
         "localhostProfile: yy}}}]",
         "Forbidden containers[0].securityContext.seccompProfile.localhostProfile"},
        {"annotations: {container.seccomp.security.alpha.kubernetes.io/a: localhost/x}}, spec: "
         "{containers: [{name: a, image: a, securityContext: {}}]",
         ""},
        {"annotations: {seccomp.security.alpha.kubernetes.io/pod: localhost/../x}}, spec: "
         "{securityContext: {seccompProfile: {type: Localhost, localhostProfile: ../x}}, "
         "containers: [{name: a, image: a}]",
         "Invalid metadata.annotations.seccomp.security.alpha.kubernetes.io/pod, Invalid "
         "securityContext.seccompProfile.localhostProfile"},
        {"annotations: {seccomp.security.alpha.kubernetes.io/pod: runtime/default}}, spec: "
         "{securityContext: {seccompProfile: {type: RuntimeDefault, localhostProfile: x}}, "
         "containers: [{name: a, image: a}]",
         "Invalid securityContext.seccompProfile.localhostProfile"},
        {"annotations: {seccomp.security.alpha.kubernetes.io/pod: unconfined}}, spec: "
         "{securityContext: {seccompProfile: {type: Nonsense}}, containers: [{name: a, image: a}]",
         "NotSupported securityContext.seccompProfile.type"},
        {"annotations: {seccomp.security.alpha.kubernetes.io/pod: x}}, spec: {securityContext: "
         "{seccompProfile: {type: Unconfined}}, containers: [{name: a, image: a}]",
         "Invalid metadata.annotations.seccomp.security.alpha.kubernetes.io/pod, Forbidden "
         "securityContext.seccompProfile.type"},
        {0},
    };
    static const struct sentence_case sentences[] = {
        {"annotations: {seccomp.security.alpha.kubernetes.io/pod: unconfined}}, spec: "
         "{securityContext: {seccompProfile: {type: RuntimeDefault}}, containers: [{name: a, "
         "image: a}]",
         "must agree with the pod's annotation (Unconfined)"},
        {"annotations: {seccomp.security.alpha.kubernetes.io/pod: localhost/a}}, spec: "
         "{securityContext: {seccompProfile: {type: Localhost, localhostProfile: b}}, containers: "
         "[{name: a, image: a}]",
         "must agree with the pod's annotation (a)"},
        {0},
    };

    assert_cases("{apiVersion: v1, kind: Pod, metadata: {name: web, %s}}", "spec", cases);
    assert_sentences("{apiVersion: v1, kind: Pod, metadata: {name: web, %s}}", sentences);
}

static void test_app_armor(void **state)
{
    static const struct finding_case cases[] = {
        {"container.apparmor.security.beta.kubernetes.io/a: ''", ""},
        {"container.apparmor.security.beta.kubernetes.io/a: runtime/default", ""},
        {"container.apparmor.security.beta.kubernetes.io/a: unconfined", ""},
        {"container.apparmor.security.beta.kubernetes.io/a: localhost/any", ""},
        {"container.apparmor.security.beta.kubernetes.io/a: localhost/", ""},
        {"container.apparmor.security.beta.kubernetes.io/a: \"x\"",
         "Invalid [container.apparmor.security.beta.kubernetes.io/a]"},
        {"container.apparmor.security.beta.kubernetes.io/a: \"docker/default\"",
         "Invalid [container.apparmor.security.beta.kubernetes.io/a]"},
        {"container.apparmor.security.beta.kubernetes.io/a: \"localhost\"",
         "Invalid [container.apparmor.security.beta.kubernetes.io/a]"},
        {"container.apparmor.security.beta.kubernetes.io/b: unconfined",
         "Invalid [container.apparmor.security.beta.kubernetes.io/b]"},
        {"container.apparmor.security.beta.kubernetes.io/b: x",
         "Invalid [container.apparmor.security.beta.kubernetes.io/b], Invalid "
         "[container.apparmor.security.beta.kubernetes.io/b]"},
        {0},
    };
    static const struct sentence_case sentences[] = {
        {"container.apparmor.security.beta.kubernetes.io/b: unconfined",
         "\"b\" names no container"},
        {"container.apparmor.security.beta.kubernetes.io/a: x",
         "\"x\" must be runtime/default, unconfined or localhost/<name>"},
        {0},
    };

    assert_cases("{apiVersion: v1, kind: Pod, metadata: {name: web, annotations: {%s}}, spec: "
                 "{containers: [{name: a, image: a}]}}",
                 "metadata.annotations", cases);
    assert_sentences("{apiVersion: v1, kind: Pod, metadata: {name: web, annotations: {%s}}, spec: "
                     "{containers: [{name: a, image: a}]}}",
                     sentences);
}

/* A profile that can be used becomes the container's own; one that cannot meets the pod's. */
static void test_app_armor_and_fields(void **state)
{
    static const struct finding_case cases[] = {
        {"annotations: {container.apparmor.security.beta.kubernetes.io/a: runtime/default}}, spec: "
         "{containers: [{name: a, image: a, securityContext: {appArmorProfile: {type: "
         "RuntimeDefault}}}]",
         ""},
        {"annotations: {container.apparmor.security.beta.kubernetes.io/a: unconfined}}, spec: "
         "{containers: [{name: a, image: a, securityContext: {appArmorProfile: {type: "
         "RuntimeDefault}}}]",
         "Forbidden containers[0].securityContext.appArmorProfile.type"},
        {"annotations: {container.apparmor.security.beta.kubernetes.io/a: localhost/b}}, spec: "
         "{containers: [{name: a, image: a, securityContext: {appArmorProfile: {type: Localhost, "
         "localhostProfile: a}}}]",
         "Forbidden containers[0].securityContext.appArmorProfile.localhostProfile"},
        {"annotations: {container.apparmor.security.beta.kubernetes.io/a: unconfined}}, spec: "
         "{securityContext: {appArmorProfile: {type: RuntimeDefault}}, containers: [{name: a, "
         "image: a}]",
         ""},
        {"annotations: {container.apparmor.security.beta.kubernetes.io/a: ''}}, spec: "
         "{securityContext: {appArmorProfile: {type: RuntimeDefault}}, containers: [{name: a, "
         "image: a}]",
         "Forbidden containers[0].securityContext.appArmorProfile.type"},
        {"annotations: {container.apparmor.security.beta.kubernetes.io/a: ''}}, spec: "
         "{securityContext: {appArmorProfile: {type: RuntimeDefault}}, containers: [{name: a, "
         "image: a, securityContext: {}}]",
         "Forbidden containers[0].securityContext.appArmorProfile.type"},
        {"annotations: {container.apparmor.security.beta.kubernetes.io/a: ''}}, spec: {containers: "
         "[{name: a, image: a, securityContext: {appArmorProfile: {type: Unconfined}}}]",
         "Forbidden containers[0].securityContext.appArmorProfile.type"},
        {"annotations: {container.apparmor.security.beta.kubernetes.io/a: ''}}, spec: {containers: "
         "[{name: a, image: a}]",
         ""},
        {"annotations: {container.apparmor.security.beta.kubernetes.io/a: unconfined}}, spec: {os: "
         "{name: windows}, containers: [{name: a, image: a}]",
         ""},
        {0},
    };
    static const struct sentence_case sentences[] = {
        {"annotations: {container.apparmor.security.beta.kubernetes.io/a: ''}}, spec: {containers: "
         "[{name: a, image: a, securityContext: {appArmorProfile: {type: Unconfined}}}]",
         "must agree with the pod's annotation (which is no profile)"},
        {0},
    };

    assert_cases("{apiVersion: v1, kind: Pod, metadata: {name: web, %s}}", "spec", cases);
    assert_sentences("{apiVersion: v1, kind: Pod, metadata: {name: web, %s}}", sentences);
}

static void test_none_of_it(void **state)
{
    static const struct finding_case cases[] = {
        {"note: any thing", ""},
        {"scheduler.alpha.kubernetes.io/other: x", ""},
        {"kubernetes.io/other: x", ""},
        {0},
    };

    assert_cases("{apiVersion: v1, kind: Pod, metadata: {name: web, annotations: {%s}}, spec: "
                 "{containers: [{name: a, image: a}]}}",
                 "metadata.annotations", cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_deletion_cost),        cmocka_unit_test(test_mirror),
        cmocka_unit_test(test_tolerations),          cmocka_unit_test(test_seccomp),
        cmocka_unit_test(test_seccomp_and_fields),   cmocka_unit_test(test_app_armor),
        cmocka_unit_test(test_app_armor_and_fields), cmocka_unit_test(test_none_of_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
