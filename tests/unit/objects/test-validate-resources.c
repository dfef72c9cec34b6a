/* objects/validate-resources: amounts of containers, of pods and of overheads. */
#include "fixture.h"

#include "nodeagent/objects/resources.h"
#include "pod-rules.h"

static void test_kinds_of_resources(void **state)
{
    char *domain = letters('d', 246);

    assert_true(resource_is_hugepages("hugepages-2Mi") && !resource_is_hugepages("hugepages"));
    assert_true(resource_is_extended("a.b/c") && !resource_is_extended("cpu"));
    assert_false(resource_is_extended("kubernetes.io/c") || resource_is_extended("requests.a/c"));
    assert_true(resource_is_counted("pods") && resource_is_counted("services.nodeports"));
    assert_true(resource_is_counted("a.b/c") && !resource_is_counted("memory"));
    /* With "requests." before it, it must still be a qualified name: 244 bytes at most. */
    for (size_t length = 243; length <= 246; length++) {
        char *name = mem_printf("%.*s/c", (int)length, domain);

        assert_int_equal(resource_is_extended(name), length <= 244);
        free(name);
    }
    free(domain);
}

/* Limits are copied to requests, so most mistakes are found twice. */
static void test_names(void **state)
{
    static const struct finding_case cases[] = {
        {"resources: {requests: {cpu: 1, memory: 1Gi, ephemeral-storage: 1Gi, example.com/gpu: 0}}",
         "Required limits"},
        {"resources: {requests: {cpu: 1, memory: 1Gi, ephemeral-storage: 1Gi}}", ""},
        {"resources: {limits: {example.com/gpu: 2}}", ""},
        {"resources: {limits: {kubernetes.io/batt: 1}}", ""},
        {"resources: {limits: {a.kubernetes.io/b: 1500m}}", ""},
        {"resources: {requests: {gpu: 1}}", "Invalid requests[gpu]"},
        {"resources: {requests: {CPU: 1}}", "Invalid requests[CPU]"},
        {"resources: {requests: {pods: 1}}", "Invalid requests[pods]"},
        {"resources: {requests: {a b: 1}}", "Invalid requests[a b], Invalid requests[a b]"},
        {"resources: {requests: {\"\": 1}}", "Invalid requests[], Invalid requests[]"},
        {"resources: {limits: {requests.example.com/gpu: 1}}",
         "Invalid limits[requests.example.com/gpu], Invalid requests[requests.example.com/gpu]"},
        {"resources: {limits: {a/b/c: 1}}", "Invalid limits[a/b/c], Invalid limits[a/b/c], Invalid "
                                            "requests[a/b/c], Invalid requests[a/b/c]"},
        {0},
    };
    static const struct sentence_case sentences[] = {
        {"resources: {requests: {gpu: 1}}",
         "must be cpu, memory, ephemeral-storage, hugepages-<size> or an extended resource such as "
         "example.com/gpu"},
        {"resources: {limits: {requests.a/b: 1}}",
         "is not a valid extended resource: <domain>/<name>, at most 244 bytes before the slash, "
         "not beginning with \"requests.\""},
        {0},
    };

    assert_cases(POD_CONTAINER, "spec.containers[0].resources", cases);
    assert_sentences(POD_CONTAINER, sentences);
}

static void test_amounts(void **state)
{
    static const struct finding_case cases[] = {
        {"resources: {requests: {cpu: 0}}", ""},
        {"resources: {requests: {cpu: -1}}", "Invalid requests[cpu]"},
        {"resources: {requests: {cpu: -0.0001}}", "Invalid requests[cpu]"},
        {"resources: {requests: {memory: 1500m}}", ""},
        {"resources: {limits: {example.com/gpu: 1.0}}", ""},
        {"resources: {limits: {example.com/gpu: 1500m}}",
         "Invalid limits[example.com/gpu], Invalid requests[example.com/gpu]"},
        {"resources: {limits: {example.com/gpu: -1500m}}",
         "Invalid limits[example.com/gpu], Invalid limits[example.com/gpu], Invalid "
         "requests[example.com/gpu], Invalid requests[example.com/gpu]"},
        {"resources: {limits: {cpu: 9999999999999999999E}}", ""},
        {0},
    };
    static const struct sentence_case sentences[] = {
        {"resources: {requests: {cpu: -1}}", "must not be negative"},
        {"resources: {limits: {a.b/c: 1.5}}", "must be a whole number"},
        {0},
    };

    assert_cases(POD_CONTAINER, "spec.containers[0].resources", cases);
    assert_sentences(POD_CONTAINER, sentences);
}

static void test_huge_pages(void **state)
{
    static const struct finding_case cases[] = {
        {"resources: {limits: {cpu: 1, hugepages-2Mi: 4Mi}}", ""},
        {"resources: {limits: {memory: 1, hugepages-1Gi: 0}}", ""},
        {"resources: {limits: {hugepages-2Mi: 4Mi}}", "Forbidden "},
        {"resources: {limits: {hugepages-2Mi: 4Mi}, requests: {cpu: 1}}", ""},
        {"resources: {limits: {cpu: 1, hugepages-2Mi: 3Mi}}",
         "Invalid limits[hugepages-2Mi], Invalid requests[hugepages-2Mi]"},
        {"resources: {limits: {cpu: 1, hugepages-2Mi: 0.5}}",
         "Invalid limits[hugepages-2Mi], Invalid requests[hugepages-2Mi]"},
        {"resources: {limits: {cpu: 1, hugepages-: 1}}",
         "Invalid limits[hugepages-], Invalid limits[hugepages-], Invalid requests[hugepages-], "
         "Invalid requests[hugepages-]"},
        {"resources: {limits: {cpu: 1, hugepages-0: 1}}",
         "Invalid limits[hugepages-0], Invalid requests[hugepages-0]"},
        {"resources: {limits: {cpu: 1, hugepages-x: 1}}",
         "Invalid limits[hugepages-x], Invalid requests[hugepages-x]"},
        {"resources: {limits: {cpu: 1, hugepages--1Mi: 1Mi}}",
         "Invalid limits[hugepages--1Mi], Invalid requests[hugepages--1Mi]"},
        {"resources: {limits: {cpu: 1, hugepages-0.5: 1}}",
         "Invalid limits[hugepages-0.5], Invalid requests[hugepages-0.5]"},
        {"resources: {limits: {cpu: 1, hugepages-2Mi: -2Mi}}",
         "Invalid limits[hugepages-2Mi], Invalid requests[hugepages-2Mi]"},
        {"resources: {limits: {cpu: 1, hugepages-99999E: 1}}",
         "Invalid limits[hugepages-99999E], Invalid requests[hugepages-99999E]"},
        {0},
    };
    static const struct sentence_case sentences[] = {
        {"resources: {limits: {cpu: 1, hugepages-2Mi: 3Mi}}",
         "must be a multiple of the page size 2Mi"},
        {"resources: {limits: {cpu: 1, hugepages-x: 3Mi}}",
         "\"x\" must be the size of a page, such as 2Mi"},
        {"resources: {limits: {hugepages-2Mi: 4Mi}}", "hugepages need cpu or memory beside them"},
        {0},
    };

    assert_cases(POD_CONTAINER, "spec.containers[0].resources", cases);
    assert_sentences(POD_CONTAINER, sentences);
}

static void test_requests_and_limits(void **state)
{
    static const struct finding_case cases[] = {
        {"resources: {limits: {cpu: 1}, requests: {cpu: 1}}", ""},
        {"resources: {limits: {cpu: 1}, requests: {cpu: 1001m}}", "Invalid requests"},
        {"resources: {limits: {a.b/c: 2}, requests: {a.b/c: 1}}", "Invalid requests"},
        {"resources: {requests: {a.b/c: 1}}", "Required limits"},
        {"resources: {limits: {kubernetes.io/c: 2}, requests: {kubernetes.io/c: 1}}", ""},
        {"resources: {limits: {cpu: 1, hugepages-2Mi: 4Mi}, requests: {hugepages-2Mi: 2Mi}}",
         "Invalid requests"},
        {0},
    };
    static const struct sentence_case sentences[] = {
        {"resources: {limits: {cpu: 1}, requests: {cpu: 2}}",
         "cpu must not be more than its limit"},
        {"resources: {limits: {a.b/c: 2}, requests: {a.b/c: 1}}",
         "a.b/c must equal its limit: it cannot be overcommitted"},
        {"resources: {requests: {a.b/c: 1}}", "must have a.b/c too: it cannot be overcommitted"},
        {0},
    };

    assert_cases(POD_CONTAINER, "spec.containers[0].resources", cases);
    assert_sentences(POD_CONTAINER, sentences);
}

static void test_claims(void **state)
{
    static const struct finding_case cases[] = {
        {"{name: c}, {name: d}", ""},
        {"{name: c, request: r}, {name: c, request: s}", ""},
        {"{name: x}", "NotFound [0]"},
        {"{}", "Required [0]"},
        {"{name: c}, {name: c}", "Duplicate [1]"},
        {"{name: c}, {name: c, request: r}", "Duplicate [1]"},
        {"{name: c, request: r}, {name: c}", "Duplicate [1]"},
        {"{name: c, request: r}, {name: c, request: r}", "Duplicate [1]"},
        {"{name: c, request: A}", "Invalid [0].request"},
        {"{request: A}", "Invalid [0].request, Required [0]"},
        {0},
    };
    static const struct sentence_case sentences[] = {
        {"{name: x}", "\"x\" must be declared in spec.resourceClaims"},
        {"{name: c}, {name: c}", "\"c\" is listed twice"},
        {0},
    };

    assert_cases("{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {resourceClaims: "
                 "[{name: c, resourceClaimName: a}, {name: d, resourceClaimName: a}], containers: "
                 "[{name: a, image: a, resources: {claims: [%s]}}]}}",
                 "spec.containers[0].resources.claims", cases);
    assert_sentences("{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {resourceClaims: "
                     "[{name: c, resourceClaimName: a}, {name: d, resourceClaimName: a}], "
                     "containers: [{name: a, image: a, resources: {claims: [%s]}}]}}",
                     sentences);
}

static void test_overhead(void **state)
{
    static const struct finding_case cases[] = {
        {"overhead: {cpu: 1, memory: 1Gi}", ""},
        {"overhead: {gpu: 1}", "Invalid limits[gpu]"},
        {"overhead: {cpu: -1}", "Invalid limits[cpu]"},
        {"overhead: {hugepages-2Mi: 2Mi}", "Forbidden "},
        {"overhead: {a.b/c: 1}", ""},
        {0},
    };

    assert_cases(POD_SPEC, "spec.overhead", cases);
}

static void test_pods(void **state)
{
    static const struct finding_case cases[] = {
        {"limits: {cpu: 2}", ""},
        {"requests: {cpu: 1}", ""},
        {"limits: {cpu: 4, memory: 1Gi}, requests: {cpu: 1}", ""},
        {"requests: {cpu: 500m}", "Invalid requests[cpu]"},
        {"limits: {cpu: 1}", "Invalid containers[0][cpu].limits"},
        {"limits: {cpu: 2, hugepages-2Mi: 2Mi}",
         "Invalid requests[hugepages-2Mi], Invalid limits[hugepages-2Mi], Invalid "
         "containers[0][hugepages-2Mi].limits"},
        {"limits: {cpu: 2, a.b/c: 1}", "NotSupported limits[a.b/c]"},
        {"limits: {cpu: 2, ephemeral-storage: 1}", "NotSupported limits[ephemeral-storage]"},
        {"limits: {cpu: 2, a b: 1}", "Invalid limits[a b], NotSupported limits[a b]"},
        {"limits: {cpu: 2}, requests: {cpu: 3}", "Invalid requests"},
        {"limits: {cpu: 2}, claims: [{name: c}]", "Forbidden claims"},
        {"limits: {cpu: 2}, claims: []", "Forbidden claims"},
        {"limits: {cpu: 2, hugepages-3x: 4Mi}",
         "Invalid limits[hugepages-3x], Invalid requests[hugepages-3x]"},
        {"limits: {cpu: -1}",
         "Invalid limits[cpu], Invalid requests, Invalid containers[0][cpu].limits"},
        {0},
    };
    static const struct sentence_case sentences[] = {
        {"limits: {cpu: 2, a.b/c: 1}", "must be cpu, memory or hugepages-<size> for a whole pod"},
        {"requests: {cpu: 500m}", "must be at least what the containers request together"},
        {"limits: {cpu: 1}", "must not be more than the pod's own limit"},
        {"limits: {cpu: 2}, claims: []", "must not be set for a whole pod"},
        {0},
    };

    assert_cases("{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {containers: [{name: a, "
                 "image: a, resources: {limits: {cpu: 2, hugepages-2Mi: 4Mi}, requests: {cpu: "
                 "1}}}], resources: {%s}}}",
                 "spec.resources", cases);
    assert_sentences("{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {containers: "
                     "[{name: a, image: a, resources: {limits: {cpu: 2, hugepages-2Mi: 4Mi}, "
                     "requests: {cpu: 1}}}], resources: {%s}}}",
                     sentences);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),      cmocka_unit_test(test_amounts),
        cmocka_unit_test(test_huge_pages), cmocka_unit_test(test_requests_and_limits),
        cmocka_unit_test(test_claims),     cmocka_unit_test(test_overhead),
        cmocka_unit_test(test_pods),       cmocka_unit_test(test_kinds_of_resources),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
