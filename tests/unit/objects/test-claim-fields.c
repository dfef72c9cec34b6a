/* objects/claim-fields: the fields of a claim template. */
#include "document.h"

static void test_round_trip(void **state)
{
    static const char volume[] =
        "{\"name\":\"v\",\"ephemeral\":{\"volumeClaimTemplate\":{\"metadata\":{"
        "\"labels\":{\"a\":\"b\"},\"annotations\":{\"c\":\"d\"}},\"spec\":{"
        "\"accessModes\":[\"ReadWriteOnce\"],\"selector\":{\"matchExpressions\":[{\"key\":\"k\","
        "\"operator\":\"In\",\"values\":[\"x\"]}]},\"resources\":{\"limits\":{\"storage\":\"2Gi\"},"
        "\"requests\":{\"storage\":\"1Gi\"}},\"volumeName\":\"n\",\"storageClassName\":\"\","
        "\"volumeMode\":\"Block\",\"dataSource\":{\"apiGroup\":\"a.b\",\"kind\":\"K\","
        "\"name\":\"n\"},\"dataSourceRef\":{\"apiGroup\":\"a.b\",\"kind\":\"K\",\"name\":\"n\"},"
        "\"volumeAttributesClassName\":\"gold\"}}}}";

    assert_volume_encoded(volume, volume);
}

/* What will be refused is read first: it must have the right type. */
static void test_refused_metadata_is_read(void **state)
{
    static const struct finding_case cases[] = {
        {"{name: v, ephemeral: {volumeClaimTemplate: {metadata: {selfLink: 1}}}}",
         "Type ephemeral.volumeClaimTemplate.metadata.selfLink"},
        {"{name: v, ephemeral: {volumeClaimTemplate: {metadata: {managedFields: {}}}}}",
         "Type ephemeral.volumeClaimTemplate.metadata.managedFields"},
        {"{name: v, ephemeral: {volumeClaimTemplate: {spec: {dataSource: {namespace: n}, "
         "accessModes: 1}}}}",
         "UnknownField ephemeral.volumeClaimTemplate.spec.dataSource.namespace, "
         "Type ephemeral.volumeClaimTemplate.spec.accessModes"},
        {0},
    };

    assert_volume_cases(cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_refused_metadata_is_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
