/* objects/validate-reference: references to the pod's own fields and resources. */
#include "document.h"

#include "nodeagent/base/str.h"
#include "pod-rules.h"

static void test_split(void **state)
{
    static const struct {
        const char *text;
        const char *field;
        const char *key;
    } cases[] = {
        {"metadata.labels['app']", "metadata.labels", "app"},
        {"metadata.labels['a['b']']", "metadata.labels", "a['b']"},
        {"a['']", "a", ""},
        {"a[']", "a[']", NULL},
        {"['b']", "['b']", NULL},
        {"a.b", "a.b", NULL},
        {"a['b'].c", "a['b'].c", NULL},
        {"a']", "a']", NULL},
        {"", "", NULL},
    };
    struct arena arena = ARENA_INIT_DOCUMENT;

    for (size_t i = 0; i < array_size(cases); i++) {
        struct field_path parts;

        assert_int_equal(field_path_split(cases[i].text, &parts, &arena), cases[i].key != NULL);
        assert_string_equal(parts.field, cases[i].field);
        assert_true(str_equal(parts.key, cases[i].key) && !parts.key == !cases[i].key);
    }
    arena_deinit(&arena);
}

static void test_fields(void **state)
{
    static const struct finding_case cases[] = {
        {"{fieldPath: metadata.name}", ""},
        {"{fieldPath: \"metadata.labels['example.com/app']\"}", ""},
        {"{fieldPath: \"metadata.annotations['Example.com/app']\"}", ""},
        {"{fieldPath: \"metadata.labels['Example.com/app']\"}", "Invalid "},
        {"{fieldPath: \"metadata.annotations['a b']\"}", "Invalid "},
        {"{fieldPath: \"metadata.name['a']\"}", "Invalid fieldPath"},
        {"{}", "Required fieldPath"},
        {"{apiVersion: v2, fieldPath: metadata.name}", "Invalid fieldPath"},
        {"{fieldPath: metadata.finalizers}", "Invalid fieldPath"},
        {"{fieldPath: spec.nodeName}", "NotSupported fieldPath"},
        {"{fieldPath: spec.host}", "NotSupported fieldPath"},
        {0},
    };

    assert_cases("{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {containers: [{name: "
                 "web, image: web}], volumes: [{name: v, downwardAPI: {items: [{path: p, "
                 "fieldRef: %s}]}}]}}",
                 "spec.volumes[0].downwardAPI.fieldRef", cases);
}

/* A variable may name more fields, and spec.host is the older name of one of them. */
static void test_fields_of_variables(void **state)
{
    static const struct finding_case cases[] = {
        {"fieldRef: {fieldPath: spec.host}", ""},
        {"fieldRef: {fieldPath: status.podIPs}", ""},
        {"fieldRef: {fieldPath: metadata.labels}", "NotSupported fieldRef.fieldPath"},
        {"resourceFieldRef: {resource: limits.cpu}", ""},
        {"resourceFieldRef: {}", "Required resourceFieldRef.resource"},
        {0},
    };

    assert_cases("{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {containers: [{name: "
                 "web, image: web, env: [{name: A, valueFrom: {%s}}]}]}}",
                 "spec.containers[0].env[0].valueFrom", cases);
}

static void test_resources(void **state)
{
    static const struct finding_case cases[] = {
        {"{containerName: web, resource: limits.cpu, divisor: 1000m}", ""},
        {"{containerName: web, resource: requests.cpu, divisor: 1m}", ""},
        {"{containerName: web, resource: requests.cpu, divisor: 10m}", "Invalid divisor"},
        {"{containerName: web, resource: limits.memory, divisor: 1024Ki}", ""},
        {"{containerName: web, resource: limits.memory, divisor: 1024}", "Invalid divisor"},
        {"{containerName: web, resource: limits.memory, divisor: -1}", "Invalid divisor"},
        {"{containerName: web, resource: requests.ephemeral-storage, divisor: 1E}", ""},
        {"{containerName: web, resource: limits.hugepages-2Mi, divisor: 1Ei}", ""},
        {"{containerName: web, resource: requests.hugepages-2Mi, divisor: 2}", "Invalid divisor"},
        {"{containerName: web, resource: cpu, divisor: 7}", "NotSupported resource"},
        {"{containerName: web}", "Required resource"},
        {"{resource: limits.memory, divisor: 7}", "Required containerName, Invalid divisor"},
        {0},
    };

    assert_cases("{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {containers: [{name: "
                 "web, image: web}], volumes: [{name: v, downwardAPI: {items: [{path: p, "
                 "resourceFieldRef: %s}]}}]}}",
                 "spec.volumes[0].downwardAPI.resourceFieldRef", cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_split),
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_fields_of_variables),
        cmocka_unit_test(test_resources),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
