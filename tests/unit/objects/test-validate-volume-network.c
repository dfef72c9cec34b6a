/* objects/validate-volume-network: volumes behind protocols and storage systems. */
#include "document.h"

static void test_protocols(void **state)
{
    static const struct finding_case cases[] = {
        {"{name: v, nfs: {}}", "Required nfs.server, Required nfs.path"},
        {"{name: v, nfs: {server: s, path: p}}", "Invalid nfs.path"},
        {"{name: v, fc: {}}", "Required fc.targetWWNs"},
        {"{name: v, fc: {wwids: [w], lun: 999}}", ""},
        {"{name: v, fc: {targetWWNs: [t], wwids: [w], lun: 256}}",
         "Invalid fc.targetWWNs, Invalid fc.lun"},
        {"{name: v, fc: {targetWWNs: [t]}}", "Required fc.lun"},
        {"{name: v, glusterfs: {}}", "Required glusterfs.endpoints, Required glusterfs.path"},
        {"{name: v, rbd: {}}", "Required rbd.monitors, Required rbd.image"},
        {"{name: v, cephfs: {}}", "Required cephfs.monitors"},
        {"{name: v, flocker: {}}", "Required flocker"},
        {"{name: v, flocker: {datasetName: a/b, datasetUUID: u}}",
         "Invalid flocker, Invalid flocker.datasetName"},
        {0},
    };

    assert_volume_cases(cases);
}

static void test_quobyte(void **state)
{
    static const char *const right[] = {"h:1", ":", "h:", "[::1]:7", "a:1,b:2"};
    static const char *const wrong[] = {"h",     "a:b:c",  "[::1]",  "[::1",    "[::1]x:1", "a]:1",
                                        "a:1,b", "[a[]:1", "[a]:1]", "[a]b]:1", "a:1]",     "a[:1"};
    static const struct finding_case cases[] = {
        {"{name: v, quobyte: {}}", "Required quobyte.registry, Required quobyte.volume"},
        {"{name: v, quobyte: {registry: bad, volume: v, tenant: "
         "ttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttt}}",
         "Required quobyte.tenant"},
        {"{name: v, quobyte: {registry: 'a,b', volume: v}}",
         "Invalid quobyte.registry, Invalid quobyte.registry"},
        {0},
    };

    assert_volume_cases(cases);
    for (size_t i = 0; i < array_size(right) + array_size(wrong); i++) {
        bool is_right = i < array_size(right);
        char *text = mem_printf("{name: v, quobyte: {registry: '%s', volume: v}}",
                                is_right ? right[i] : wrong[i - array_size(right)]);
        struct finding_case one[] = {{text, is_right ? "" : "Invalid quobyte.registry"}, {0}};

        assert_volume_cases(one);
        free(text);
    }
}

static void test_storage_systems(void **state)
{
    static const struct finding_case cases[] = {
        {"{name: v, portworxVolume: {}}", "Required portworxVolume.volumeID"},
        {"{name: v, scaleIO: {}}",
         "Required scaleIO.gateway, Required scaleIO.system, Required scaleIO.volumeName"},
        {"{name: v, storageos: {}}", "Required storageos.volumeName"},
        {"{name: v, storageos: {volumeName: A, volumeNamespace: b.c, secretRef: {}}}",
         "Invalid storageos.volumeName, Invalid storageos.volumeNamespace, "
         "Required storageos.secretRef.name"},
        {"{name: v, storageos: {volumeName: a, volumeNamespace: b, secretRef: {name: s}}}", ""},
        {0},
    };

    assert_volume_cases(cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_protocols),
        cmocka_unit_test(test_quobyte),
        cmocka_unit_test(test_storage_systems),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
