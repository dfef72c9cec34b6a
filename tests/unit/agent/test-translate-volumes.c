/* agent/translate-volumes: what the files of volumes are made of. */
#include "translation.h"

#include <errno.h>

static void test_sources(void **state)
{
    static const char *const pod =
        "{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: ns}, spec: {containers: "
        "[{name: a, image: a, resources: {limits: {cpu: 250m}}}]}}";
    struct field_reference field = {"v1", "metadata.name"};
    struct resource_reference resource = {.container_name = "a", .resource = "limits.cpu"};
    struct token_projection token = {.path = "token"};
    const struct object *object;
    struct volume_sources sources;
    struct fixture test;
    const char *value;

    fixture_init(&test, pod);
    fixture_add(&test, "{apiVersion: v1, kind: Secret, metadata: {name: s, namespace: ns}}");
    sources = translate_volume_sources(&test.translation);
    assert_int_equal(sources.object(sources.owner, &object_kind_secret, "s", &object, &test.err),
                     0);
    assert_string_equal(object->metadata.name, "s");
    assert_int_equal(
        sources.object(sources.owner, &object_kind_config_map, "s", &object, &test.err), -ENOENT);
    assert_int_equal(sources.field(sources.owner, &field, &value, &test.err), 0);
    assert_string_equal(value, "web");
    assert_int_equal(sources.resource(sources.owner, &resource, &value, &test.err), 0);
    assert_string_equal(value, "1");
    resource.container_name = "b";
    assert_int_equal(sources.resource(sources.owner, &resource, &value, &test.err), -ENOENT);
    assert_string_equal(test.err.text, "container b not found");
    assert_true(sources.token(sources.owner, &token, &value, &test.err) < 0);
    assert_string_equal(test.err.text,
                        "failed to fetch token: there is no API server to ask for it");
    fixture_deinit(&test);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_sources)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
