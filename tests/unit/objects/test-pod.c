/* objects/pod: the kind as a whole. */
#include "fixture.h"

static void test_the_kind(void **state)
{
    assert_string_equal(object_kind_pod.api_version, "v1");
    assert_string_equal(object_kind_pod.name, "Pod");
    assert_true(object_kind_pod.namespaced);
    assert_int_equal(object_kind_pod.size, sizeof(struct pod));
    assert_int_equal(offsetof(struct pod, object), 0);
}

static void test_the_smallest_pod(void **state)
{
    struct document document;
    struct pod *pod =
        read_pod(&document, "{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: "
                            "{containers: [{name: a, image: a}]}}");

    assert_ptr_equal(&pod->object, document.object);
    assert_ptr_equal(document.object->kind, &object_kind_pod);
    assert_string_equal(pod->object.metadata.name, "web");
    assert_int_equal(pod->spec.containers.count, 1);
    assert_null(pod->status.phase);
    document_deinit(&document);
}

static void test_unknown_at_the_top(void **state)
{
    static const struct finding_case cases[] = {
        {"Spec: {}", "UnknownField Spec"},
        {"sepc: {}, data: {}", "UnknownField sepc, UnknownField data"},
        {"apiversion: v1", "UnknownField apiversion"},
        {0},
    };

    assert_cases("{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: a, "
                 "image: a}]}, %s}",
                 "", cases);
}

/* The largest that a document may be: it is read and checked in bounded memory. */
static void test_many_containers(void **state)
{
    char *containers = repeat("{name: c#, image: a}", 2000),
         *yaml = mem_printf(
             "{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [%s]}}",
             containers);
    struct document document;
    struct pod *pod = read_pod(&document, yaml);

    assert_int_equal(pod->spec.containers.count, 2000);
    assert_string_equal(pod->spec.containers.items[1999].name, "c1999");
    assert_true(arena_size(&document.object->arena) < (4 << 20));
    document_deinit(&document);
    free(yaml);
    free(containers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_kind),
        cmocka_unit_test(test_the_smallest_pod),
        cmocka_unit_test(test_unknown_at_the_top),
        cmocka_unit_test(test_many_containers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
