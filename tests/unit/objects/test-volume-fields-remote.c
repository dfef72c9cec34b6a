/* objects/volume-fields-remote: every field of the sources on the network and in clouds. */
#include "document.h"

static void test_round_trip(void **state)
{
    static const char *const volumes[] = {
        "{\"name\":\"v\",\"nfs\":{\"server\":\"s\",\"path\":\"/p\",\"readOnly\":true}}",
        "{\"name\":\"v\",\"iscsi\":{\"targetPortal\":\"10.0.0.1\",\"iqn\":\"iqn.2003-01.a:b\","
        "\"lun\":0,\"iscsiInterface\":\"i\",\"fsType\":\"ext4\",\"readOnly\":true,"
        "\"portals\":[\"10.0.0.2\"],\"chapAuthDiscovery\":true,\"chapAuthSession\":true,"
        "\"secretRef\":{\"name\":\"s\"},\"initiatorName\":\"iqn.2003-01.a:c\"}}",
        "{\"name\":\"v\",\"fc\":{\"targetWWNs\":[\"w\"],\"lun\":0,\"fsType\":\"ext4\","
        "\"readOnly\":true}}",
        "{\"name\":\"v\",\"fc\":{\"wwids\":[\"w\"]}}",
        "{\"name\":\"v\",\"glusterfs\":{\"endpoints\":\"e\",\"path\":\"p\",\"readOnly\":true}}",
        "{\"name\":\"v\",\"rbd\":{\"monitors\":[\"m\"],\"image\":\"i\",\"fsType\":\"ext4\","
        "\"pool\":\"p\",\"user\":\"u\",\"keyring\":\"/k\",\"secretRef\":{\"name\":\"s\"},"
        "\"readOnly\":true}}",
        "{\"name\":\"v\",\"cephfs\":{\"monitors\":[\"m\"],\"path\":\"/p\",\"user\":\"u\","
        "\"secretFile\":\"/f\",\"secretRef\":{\"name\":\"s\"},\"readOnly\":true}}",
        "{\"name\":\"v\",\"flocker\":{\"datasetName\":\"n\"}}",
        "{\"name\":\"v\",\"flocker\":{\"datasetUUID\":\"u\"}}",
        "{\"name\":\"v\",\"quobyte\":{\"registry\":\"r:1\",\"volume\":\"v\",\"readOnly\":true,"
        "\"user\":\"u\",\"group\":\"g\",\"tenant\":\"t\"}}",
        "{\"name\":\"v\",\"portworxVolume\":{\"volumeID\":\"i\",\"fsType\":\"ext4\","
        "\"readOnly\":true}}",
        "{\"name\":\"v\",\"scaleIO\":{\"gateway\":\"g\",\"system\":\"s\",\"secretRef\":{"
        "\"name\":\"s\"},\"sslEnabled\":true,\"protectionDomain\":\"d\",\"storagePool\":\"p\","
        "\"storageMode\":\"m\",\"volumeName\":\"n\",\"fsType\":\"ext4\",\"readOnly\":true}}",
        "{\"name\":\"v\",\"storageos\":{\"volumeName\":\"n\",\"volumeNamespace\":\"s\","
        "\"fsType\":\"ext4\",\"readOnly\":true,\"secretRef\":{\"name\":\"s\"}}}",
        "{\"name\":\"v\",\"gcePersistentDisk\":{\"pdName\":\"n\",\"fsType\":\"ext4\","
        "\"partition\":1,\"readOnly\":true}}",
        "{\"name\":\"v\",\"awsElasticBlockStore\":{\"volumeID\":\"i\",\"fsType\":\"ext4\","
        "\"partition\":1,\"readOnly\":true}}",
        "{\"name\":\"v\",\"cinder\":{\"volumeID\":\"i\",\"fsType\":\"ext4\",\"readOnly\":true,"
        "\"secretRef\":{\"name\":\"s\"}}}",
        "{\"name\":\"v\",\"azureFile\":{\"secretName\":\"s\",\"shareName\":\"n\","
        "\"readOnly\":true}}",
        "{\"name\":\"v\",\"azureDisk\":{\"diskName\":\"n\",\"diskURI\":\"/subscriptions/1\","
        "\"cachingMode\":\"None\",\"fsType\":\"xfs\",\"readOnly\":true,\"kind\":\"Managed\"}}",
        "{\"name\":\"v\",\"vsphereVolume\":{\"volumePath\":\"p\",\"fsType\":\"ext4\","
        "\"storagePolicyName\":\"n\",\"storagePolicyID\":\"i\"}}",
        "{\"name\":\"v\",\"photonPersistentDisk\":{\"pdID\":\"i\",\"fsType\":\"ext4\"}}",
    };

    for (size_t i = 0; i < array_size(volumes); i++)
        assert_volume_encoded(volumes[i], volumes[i]);
}

static void test_types_are_checked(void **state)
{
    static const struct finding_case cases[] = {
        {"{name: v, iscsi: {lun: one}}", "Type iscsi.lun"},
        {"{name: v, rbd: {monitors: m}}", "Type rbd.monitors"},
        {"{name: v, azureDisk: {readOnly: 1}}", "Type azureDisk.readOnly"},
        {0},
    };

    assert_volume_cases(cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_types_are_checked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
