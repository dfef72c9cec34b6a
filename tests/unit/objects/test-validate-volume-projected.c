/* objects/validate-volume-projected: files from objects. */
#include "document.h"

static void test_items(void **state)
{
    static const struct finding_case cases[] = {
        {"{name: v, configMap: {name: c, defaultMode: 0777, items: [{key: k, path: ./a/..b}, "
         "{key: k, path: ./a/..b}]}}",
         ""},
        {"{name: v, configMap: {defaultMode: -1}}",
         "Required configMap.name, Invalid configMap.defaultMode"},
        {"{name: v, secret: {defaultMode: 512, items: [null]}}",
         "Required secret.secretName, Invalid secret.defaultMode, Required secret.items[0].key, "
         "Required secret.items[0].path"},
        {"{name: v, secret: {secretName: s, items: [{key: k, path: /a, mode: 512}]}}",
         "Invalid secret.items[0].path, Invalid secret.items[0].mode"},
        {"{name: v, secret: {secretName: s, items: [{key: k, path: ..}, {key: k, path: ..data}, "
         "{key: k, path: ../a}]}}",
         "Invalid secret.items[0].path, Invalid secret.items[0].path, "
         "Invalid secret.items[1].path, Invalid secret.items[2].path"},
        {0},
    };

    assert_volume_cases(cases);
}

static void test_downward(void **state)
{
    static const struct finding_case cases[] = {
        {"{name: v, downwardAPI: {items: [{path: a, fieldRef: {fieldPath: metadata.labels}}, "
         "{path: b, resourceFieldRef: {containerName: any, resource: requests.memory}}]}}",
         ""},
        {"{name: v, downwardAPI: {defaultMode: 512, items: [{mode: -1}]}}",
         "Invalid downwardAPI.defaultMode, Required downwardAPI.path, Invalid downwardAPI.mode, "
         "Required downwardAPI"},
        {"{name: v, downwardAPI: {items: [{path: a, fieldRef: {}, resourceFieldRef: {}}]}}",
         "Required downwardAPI.fieldRef.fieldPath, Invalid downwardAPI"},
        {"{name: v, downwardAPI: {items: [{path: a, resourceFieldRef: {}}]}}",
         "Required downwardAPI.resourceFieldRef.containerName"},
        {0},
    };

    assert_volume_cases(cases);
}

static void test_projected(void **state)
{
    static const struct finding_case cases[] = {
        {"{name: v, projected: {}}", ""},
        {"{name: v, projected: {sources: [{}, null]}}", ""},
        {"{name: v, projected: {defaultMode: 512, sources: [{secret: {}, configMap: {}}]}}",
         "Invalid projected.defaultMode, Forbidden projected.sources[0], "
         "Required projected.sources[0].secret.name, "
         "Required projected.sources[0].configMap.name"},
        {"{name: v, projected: {sources: [{secret: {name: s, items: [{key: k, path: p}, "
         "{key: l, path: p}]}}, {downwardAPI: {items: [{path: p, fieldRef: {fieldPath: "
         "metadata.uid}}]}}]}}",
         "Invalid projected, Invalid projected"},
        {"{name: v, projected: {sources: [{serviceAccountToken: {path: t}}, "
         "{serviceAccountToken: {path: t, expirationSeconds: 4294967296}}]}}",
         ""},
        {"{name: v, projected: {sources: [{serviceAccountToken: {expirationSeconds: 0}}, "
         "{serviceAccountToken: {path: /t}}]}}",
         "Invalid projected.sources[0].serviceAccountToken.expirationSeconds, "
         "Required projected.path, Invalid projected.path"},
        {0},
    };

    assert_volume_cases(cases);
}

/* Behind feature gates that are off, the server drops them before it looks. */
static void test_gated_sources_do_not_count(void **state)
{
    static const struct finding_case cases[] = {
        {"{name: v, projected: {sources: [{clusterTrustBundle: {}, podCertificate: {}, secret: "
         "{name: s}}]}}",
         ""},
        {0},
    };

    assert_volume_cases(cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_items),
        cmocka_unit_test(test_downward),
        cmocka_unit_test(test_projected),
        cmocka_unit_test(test_gated_sources_do_not_count),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
