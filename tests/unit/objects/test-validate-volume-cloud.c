/* objects/validate-volume-cloud: disks and shares of clouds. */
#include "document.h"

static void test_rules(void **state)
{
    static const struct finding_case cases[] = {
        {"{name: v, gcePersistentDisk: {partition: 256}}",
         "Required persistentDisk.pdName, Invalid persistentDisk.partition"},
        {"{name: v, awsElasticBlockStore: {partition: -1}}",
         "Required awsElasticBlockStore.volumeID, Invalid awsElasticBlockStore.partition"},
        {"{name: v, awsElasticBlockStore: {volumeID: i, partition: 255}}", ""},
        {"{name: v, cinder: {secretRef: {}}}",
         "Required cinder.volumeID, Required cinder.secretRef.name"},
        {"{name: v, azureFile: {}}", "Required azureFile.secretName, Required azureFile.shareName"},
        {"{name: v, azureDisk: {}}",
         "Required azureDisk.diskName, Required azureDisk.diskURI, NotSupported azureDisk.diskURI"},
        {"{name: v, azureDisk: {diskName: nn, diskURI: 'https://d', kind: '', cachingMode: ''}}",
         "NotSupported azureDisk.cachingMode, NotSupported azureDisk.kind"},
        {"{name: v, azureDisk: {diskName: nn, diskURI: 'https://d', kind: Managed}}",
         "NotSupported azureDisk.diskURI"},
        {"{name: v, azureDisk: {diskName: nn, diskURI: 'https://d', kind: Dedicated}}", ""},
        {"{name: v, vsphereVolume: {}}", "Required vsphereVolume.volumePath"},
        {"{name: v, photonPersistentDisk: {}}", "Required photonPersistentDisk.pdID"},
        {0},
    };

    assert_volume_cases(cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
