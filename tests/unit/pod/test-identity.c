/* pod/identity: kinds of containers, their hashes, and classes of service. */
#include "machine.h"

static const struct {
    const char *name;
    const char *image;
    const char *hash;
} hashes[] = {
    {"foo", "bar", "11a6d6d6"},
    {"test_container", "foo/image:v1", "8e45cbd0"},
};

static void test_a_container_hashes_as_the_kubelet_does_it(void **state)
{
    for (size_t i = 0; i < array_size(hashes); i++) {
        struct container container = {.name = hashes[i].name, .image = hashes[i].image};
        char text[POD_HASH_TEXT_MAX];

        assert_string_equal(pod_container_hash(&container, text), hashes[i].hash);
    }
}

/* Only name and image are hashed, and each of their bytes. */
static void test_what_changes_a_hash(void **state)
{
    static const char *const images[] = {"bar", "baz", "b\"ar", "b\\ar", "b<ar", "b\nar", "", NULL};
    char texts[array_size(images)][POD_HASH_TEXT_MAX];

    for (size_t i = 0; i < array_size(images); i++) {
        struct container container = {.name = "foo", .image = images[i]};
        struct container other = container;
        char text[POD_HASH_TEXT_MAX];

        other.restart_policy = "Never";
        pod_container_hash(&container, texts[i]);
        assert_string_equal(pod_container_hash(&other, text), texts[i]);
        for (size_t j = 0; j < i; j++)
            if (!str_equal(images[i], images[j]))
                assert_string_not_equal(texts[i], texts[j]);
    }
}

static void test_each_kind_is_found(void **state)
{
    static const struct {
        const char *name;
        enum pod_container_kind kind;
    } kinds[] = {
        {"c", POD_CONTAINER_REGULAR}, {"i", POD_CONTAINER_INIT},      {"other", POD_CONTAINER_INIT},
        {"s", POD_CONTAINER_SIDECAR}, {"e", POD_CONTAINER_EPHEMERAL},
    };
    struct machine machine;

    machine_spec(&machine,
                 "initContainers: [{name: i, image: a}, {name: s, image: a, restartPolicy: "
                 "Always}, {name: other, image: a, restartPolicy: Never}], containers: [{name: c, "
                 "image: a}]");
    machine_add_ephemeral(&machine, "e");
    for (size_t i = 0; i < array_size(kinds); i++) {
        struct pod_container_ref ref = pod_container_find(machine.desired.pod, kinds[i].name);

        assert_non_null(ref.container);
        assert_string_equal(ref.container->name, kinds[i].name);
        assert_int_equal(ref.kind, kinds[i].kind);
    }
    assert_null(pod_container_find(machine.desired.pod, "none").container);
    machine_deinit(&machine);
}

static const struct {
    const char *spec;
    const char *class;
} classes[] = {
    {"containers: [{name: c, image: a}]", "BestEffort"},
    {"containers: [{name: c, image: a, resources: {requests: {cpu: 0}}}]", "BestEffort"},
    {"containers: [{name: c, image: a, resources: {requests: {ephemeral-storage: 1Gi}}}]",
     "BestEffort"},
    {"containers: [{name: c, image: a, resources: {requests: {cpu: 1}}}]", "Burstable"},
    {"containers: [{name: c, image: a, resources: {limits: {cpu: 1}}}]", "Burstable"},
    {"containers: [{name: c, image: a, resources: {limits: {cpu: 1, memory: 1Gi}}}]", "Guaranteed"},
    {"containers: [{name: c, image: a, resources: {limits: {cpu: 1, memory: 1Gi}, requests: {cpu: "
     "500m}}}]",
     "Burstable"},
    {"containers: [{name: c, image: a, resources: {limits: {cpu: 1, memory: 1Gi}}}, {name: d, "
     "image: a}]",
     "Burstable"},
    {"initContainers: [{name: i, image: a}], containers: [{name: c, image: a, resources: {limits: "
     "{cpu: 1, memory: 1Gi}}}]",
     "Burstable"},
    {"resources: {limits: {cpu: 1, memory: 1Gi}, requests: {cpu: 1, memory: 1Gi}}, containers: "
     "[{name: c, image: a}]",
     "Guaranteed"},
};

static void test_classes_of_service(void **state)
{
    for (size_t i = 0; i < array_size(classes); i++) {
        struct machine machine;

        machine_spec(&machine, classes[i].spec);
        assert_string_equal(pod_qos_class(machine.desired.pod), classes[i].class);
        machine_deinit(&machine);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_container_hashes_as_the_kubelet_does_it),
        cmocka_unit_test(test_what_changes_a_hash),
        cmocka_unit_test(test_each_kind_is_found),
        cmocka_unit_test(test_classes_of_service),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
