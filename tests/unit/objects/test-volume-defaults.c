/* objects/volume-defaults: what the API fills in. */
#include "document.h"

struct encoding {
    const char *volume;
    const char *expected;
};

static void test_defaults(void **state)
{
    static const struct encoding cases[] = {
        {"{name: v}", "{\"name\":\"v\",\"emptyDir\":{}}"},
        {"{name: v, hostPath: null}", "{\"name\":\"v\",\"emptyDir\":{}}"},
        {"{name: v, hostPath: {path: /p}}",
         "{\"name\":\"v\",\"hostPath\":{\"path\":\"/p\",\"type\":\"\"}}"},
        {"{name: v, secret: {secretName: s}}",
         "{\"name\":\"v\",\"secret\":{\"secretName\":\"s\",\"defaultMode\":420}}"},
        {"{name: v, configMap: {name: c}}",
         "{\"name\":\"v\",\"configMap\":{\"name\":\"c\",\"defaultMode\":420}}"},
        {"{name: v, downwardAPI: {items: [{path: p, fieldRef: {fieldPath: metadata.name}}, "
         "{path: q, resourceFieldRef: {containerName: web, resource: limits.cpu}}]}}",
         "{\"name\":\"v\",\"downwardAPI\":{\"items\":[{\"path\":\"p\",\"fieldRef\":{"
         "\"apiVersion\":\"v1\",\"fieldPath\":\"metadata.name\"}},{\"path\":\"q\","
         "\"resourceFieldRef\":{\"containerName\":\"web\",\"resource\":\"limits.cpu\","
         "\"divisor\":\"0\"}}],\"defaultMode\":420}}"},
        {"{name: v, projected: {sources: [{serviceAccountToken: {path: t}}, {downwardAPI: {items: "
         "[{path: p, fieldRef: {fieldPath: metadata.name}}]}}]}}",
         "{\"name\":\"v\",\"projected\":{\"sources\":[{\"serviceAccountToken\":{"
         "\"expirationSeconds\":3600,\"path\":\"t\"}},{\"downwardAPI\":{\"items\":[{\"path\":"
         "\"p\",\"fieldRef\":{\"apiVersion\":\"v1\",\"fieldPath\":\"metadata.name\"}}]}}],"
         "\"defaultMode\":420}}"},
        {"{name: v, iscsi: {targetPortal: t, iqn: i}}",
         "{\"name\":\"v\",\"iscsi\":{\"targetPortal\":\"t\",\"iqn\":\"i\",\"lun\":0,"
         "\"iscsiInterface\":\"default\"}}"},
        {"{name: v, rbd: {monitors: [m], image: i}}",
         "{\"name\":\"v\",\"rbd\":{\"monitors\":[\"m\"],\"image\":\"i\",\"pool\":\"rbd\","
         "\"user\":\"admin\",\"keyring\":\"/etc/ceph/keyring\"}}"},
        {"{name: v, azureDisk: {diskName: nn, diskURI: u}}",
         "{\"name\":\"v\",\"azureDisk\":{\"diskName\":\"nn\",\"diskURI\":\"u\",\"cachingMode\":"
         "\"ReadWrite\",\"fsType\":\"ext4\",\"readOnly\":false,\"kind\":\"Shared\"}}"},
        {"{name: v, azureDisk: {diskName: nn, diskURI: u, kind: '', readOnly: true}}",
         "{\"name\":\"v\",\"azureDisk\":{\"diskName\":\"nn\",\"diskURI\":\"u\",\"cachingMode\":"
         "\"ReadWrite\",\"fsType\":\"ext4\",\"readOnly\":true,\"kind\":\"\"}}"},
        {"{name: v, scaleIO: {gateway: g, system: s}}",
         "{\"name\":\"v\",\"scaleIO\":{\"gateway\":\"g\",\"system\":\"s\",\"storageMode\":"
         "\"ThinProvisioned\",\"fsType\":\"xfs\"}}"},
        {"{name: v, image: {reference: 'a/b:latest'}}",
         "{\"name\":\"v\",\"image\":{\"reference\":\"a/b:latest\",\"pullPolicy\":\"Always\"}}"},
        {"{name: v, image: {reference: 'a/b:1'}}",
         "{\"name\":\"v\",\"image\":{\"reference\":\"a/b:1\",\"pullPolicy\":\"IfNotPresent\"}}"},
        {"{name: v, image: {}}", "{\"name\":\"v\",\"image\":{\"pullPolicy\":\"IfNotPresent\"}}"},
    };

    for (size_t i = 0; i < array_size(cases); i++)
        assert_volume_encoded(cases[i].volume, cases[i].expected);
}

static void test_claims_are_rounded_up(void **state)
{
    assert_volume_encoded(
        "{name: v, ephemeral: {volumeClaimTemplate: {spec: {accessModes: [ReadWriteOnce], "
        "resources: {limits: {storage: 1100u}, requests: {storage: 100u}}}}}}",
        "{\"name\":\"v\",\"ephemeral\":{\"volumeClaimTemplate\":{\"spec\":{\"accessModes\":["
        "\"ReadWriteOnce\"],\"resources\":{\"limits\":{\"storage\":\"2m\"},\"requests\":{"
        "\"storage\":\"1m\"}},\"volumeMode\":\"Filesystem\"}}}}");
    assert_volume_encoded("{name: v, ephemeral: {}}", "{\"name\":\"v\",\"ephemeral\":{}}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_claims_are_rounded_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
