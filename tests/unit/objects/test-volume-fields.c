/* objects/volume-fields: every field of the sources of the node, of files and of drivers. */
#include "document.h"

/* All have values other than the defaults, and the order of the tables. */
static void test_round_trip(void **state)
{
    static const char *const volumes[] = {
        "{\"name\":\"v\",\"hostPath\":{\"path\":\"/srv\",\"type\":\"Directory\"}}",
        "{\"name\":\"v\",\"emptyDir\":{\"medium\":\"Memory\",\"sizeLimit\":\"64Mi\"}}",
        "{\"name\":\"v\",\"gitRepo\":{\"repository\":\"r\",\"revision\":\"1\",\"directory\":\"d\"}"
        "}",
        "{\"name\":\"v\",\"image\":{\"reference\":\"a/b:1\",\"pullPolicy\":\"Never\"}}",
        "{\"name\":\"v\",\"persistentVolumeClaim\":{\"claimName\":\"c\",\"readOnly\":true}}",
        "{\"name\":\"v\",\"configMap\":{\"name\":\"c\",\"items\":[{\"key\":\"k\",\"path\":\"p\","
        "\"mode\":256}],\"defaultMode\":0,\"optional\":false}}",
        "{\"name\":\"v\",\"secret\":{\"secretName\":\"s\",\"items\":[{\"key\":\"k\","
        "\"path\":\"p\"}],\"defaultMode\":256,\"optional\":true}}",
        "{\"name\":\"v\",\"downwardAPI\":{\"items\":[{\"path\":\"p\",\"fieldRef\":{"
        "\"apiVersion\":\"v1\",\"fieldPath\":\"metadata.name\"},\"mode\":256},{\"path\":\"q\","
        "\"resourceFieldRef\":{\"containerName\":\"web\",\"resource\":\"limits.cpu\","
        "\"divisor\":\"1m\"}}],\"defaultMode\":256}}",
        "{\"name\":\"v\",\"projected\":{\"sources\":[{\"secret\":{\"name\":\"s\","
        "\"items\":[{\"key\":\"k\",\"path\":\"p\"}],\"optional\":true}},{\"configMap\":{"
        "\"name\":\"c\"}},{\"downwardAPI\":{\"items\":[{\"path\":\"q\",\"fieldRef\":{"
        "\"apiVersion\":\"v1\",\"fieldPath\":\"metadata.uid\"}}]}},{\"serviceAccountToken\":{"
        "\"audience\":\"a\",\"expirationSeconds\":700,\"path\":\"t\"}}],\"defaultMode\":256}}",
        "{\"name\":\"v\",\"projected\":{\"sources\":[{\"clusterTrustBundle\":{\"name\":\"n\","
        "\"signerName\":\"s\",\"labelSelector\":{\"matchLabels\":{\"a\":\"b\"}},"
        "\"optional\":true,\"path\":\"p\"}},{\"podCertificate\":{\"signerName\":\"s\","
        "\"keyType\":\"ED25519\",\"maxExpirationSeconds\":3600,\"credentialBundlePath\":\"b\","
        "\"keyPath\":\"k\",\"certificateChainPath\":\"c\",\"userAnnotations\":{\"x\":\"y\"}}}],"
        "\"defaultMode\":420}}",
        "{\"name\":\"v\",\"csi\":{\"driver\":\"d\",\"readOnly\":false,\"fsType\":\"ext4\","
        "\"volumeAttributes\":{\"a\":\"b\"},\"nodePublishSecretRef\":{\"name\":\"s\"}}}",
        "{\"name\":\"v\",\"flexVolume\":{\"driver\":\"d/e\",\"fsType\":\"ext4\",\"secretRef\":{"
        "\"name\":\"s\"},\"readOnly\":true,\"options\":{\"a\":\"b\"}}}",
    };

    for (size_t i = 0; i < array_size(volumes); i++)
        assert_volume_encoded(volumes[i], volumes[i]);
}

static void test_types_are_checked(void **state)
{
    static const struct finding_case cases[] = {
        {"{name: v, hostPath: [/srv]}", "Type hostPath"},
        {"{name: v, emptyDir: {sizeLimit: big}}", "Type emptyDir.sizeLimit"},
        {"{name: v, projected: {sources: [{podCertificate: {keyType: 1}}]}}",
         "Type projected.sources[0].podCertificate.keyType"},
        {"{name: v, secret: {name: s, secretName: s}}", "UnknownField secret.name"},
        {"{name: v, emptydir: {}}", "UnknownField emptydir"},
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
