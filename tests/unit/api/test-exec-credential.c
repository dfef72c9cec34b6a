/* api/exec-credential: what a plugin is told, and what it may print. */
#include "kubeconfig-place.h"

#include "exec-credential.h"

static void assert_told(const struct place *place, const char *cluster, const char *version,
                        const char *expected)
{
    _cleanup_(strbuf_deinit) struct strbuf told = STRBUF_INIT;
    char *text = mem_printf(CONFIG(SERVER "%s", "exec: {apiVersion: %s, interactiveMode: Never, "
                                                "command: x, provideClusterInfo: %s}"),
                            cluster ? cluster : "", version, cluster ? "true" : "false");
    struct kubeconfig *config = read_config(place, text);

    exec_credential_ask(config, &told);
    assert_string_equal(told.text, expected);
    kubeconfig_free(config);
    free(text);
}

static void test_what_is_told(void **state)
{
    struct place *place = *state;
    char *authority = base64_of(place->other.certificate);
    char *expected = mem_printf("{\"kind\":\"ExecCredential\",\"apiVersion\":\"" EXEC_V1
                                "\",\"spec\":{\"interactive\":false,\"cluster\":{\"server\":"
                                "\"https://api:6443\",\"tls-server-name\":\"x\","
                                "\"certificate-authority-data\":\"%s\",\"proxy-url\":"
                                "\"socks5://p\",\"disable-compression\":true,\"config\":"
                                "{\"a\":1.5,\"metadata\":{\"managedFields\":[1]}}}}}",
                                authority);

    assert_told(place, NULL, EXEC_V1,
                "{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1\","
                "\"spec\":{\"interactive\":false}}");
    assert_told(place, NULL, EXEC_V1 "beta1",
                "{\"kind\":\"ExecCredential\",\"apiVersion\":"
                "\"client.authentication.k8s.io/v1beta1\",\"spec\":{\"interactive\":false}}");
    assert_told(place,
                ", certificate-authority: ca.crt, tls-server-name: x, proxy-url: 'socks5://p', "
                "disable-compression: true, extensions: [{name: client.authentication.k8s.io/exec, "
                "extension: {a: 1.50, metadata: {managedFields: [1]}}}]",
                EXEC_V1, expected);
    assert_told(place, ", insecure-skip-tls-verify: true", EXEC_V1,
                "{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1\","
                "\"spec\":{\"interactive\":false,\"cluster\":{\"server\":\"https://api:6443\","
                "\"insecure-skip-tls-verify\":true}}}");
    free(expected);
    free(authority);
}

static void test_credentials_are_read(void **state)
{
    struct exec_credential *credential;
    const char *text = PRINTS("\"token\":\"abc\",\"expirationTimestamp\":\"1970-01-01T00:00:07Z\"");

    assert_int_equal(exec_credential_parse(&credential, EXEC_V1, text, strlen(text), NULL), 0);
    assert_string_equal(credential->token, "abc");
    assert_null(credential->certificate);
    assert_true(credential->expires == 7 * USEC_PER_SEC);
    exec_credential_free(credential);
    text = PRINTS("\"token\":\"abc\",\"expirationTimestamp\":null,\"more\":{}");
    assert_int_equal(exec_credential_parse(&credential, EXEC_V1, text, strlen(text), NULL), 0);
    assert_true(credential->expires == USEC_NEVER);
    exec_credential_free(credential);
}

static void test_certificates_are_read(void **state)
{
    struct place *place = *state;
    char *good = printed_pair(place->node.certificate, place->node.key),
         *bad = printed_pair(place->node.certificate, place->other.key);
    struct exec_credential *credential;
    struct err err;

    assert_int_equal(exec_credential_parse(&credential, EXEC_V1, good, strlen(good), NULL), 0);
    assert_null(credential->token);
    assert_string_equal(credential->certificate, place->node.certificate);
    assert_string_equal(credential->key, place->node.key);
    exec_credential_free(credential);
    assert_true(exec_credential_parse(&credential, EXEC_V1, bad, strlen(bad), &err) < 0);
    assert_string_equal(err.text, "status.clientCertificateData: its key is another certificate's");
    free(good);
    free(bad);
}

static void test_what_is_no_credential(void **state)
{
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"", "the JSON text ends too early"},
        {"hu5h", "not JSON: lexical error: invalid char in json text"},
        {"\"hu5h\"", "it is a string, not an object"},
        {"{\"token\":\"hu5h\"}", "its kind must be ExecCredential"},
        {"{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1beta1\"}",
         "its apiVersion must be client.authentication.k8s.io/v1, as in the kubeconfig"},
        {"{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1\"}",
         "it has no status"},
        {PRINTS(""), "status has neither a token nor a certificate"},
        {PRINTS("\"token\":\"\""), "status has neither a token nor a certificate"},
        {PRINTS("\"token\":7"), "status has neither a token nor a certificate"},
        {PRINTS("\"token\":\"hu5h\\u0000\""), "status has neither a token nor a certificate"},
        {PRINTS("\"token\":\"hu5h\\n\""),
         "status.token: must be one line without control characters"},
        {PRINTS("\"token\":\"hu5h\",\"clientKeyData\":\"hu5h\""),
         "status has one of clientCertificateData and clientKeyData; it must have both or none"},
        {PRINTS("\"clientCertificateData\":\"hu5h\",\"clientKeyData\":\"hu5h\""),
         "status.clientCertificateData: has no certificate in it that is PEM"},
        {PRINTS("\"token\":\"hu5h\",\"expirationTimestamp\":\"tomorrow\""),
         "status.expirationTimestamp must be a time such as 2026-01-02T03:04:05Z"},
        {PRINTS("\"token\":\"hu5h\",\"expirationTimestamp\":7"),
         "status.expirationTimestamp must be a time such as 2026-01-02T03:04:05Z"},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        struct exec_credential *credential;
        struct err err;

        assert_true(exec_credential_parse(&credential, EXEC_V1, cases[i].text,
                                          strlen(cases[i].text), &err) < 0);
        assert_string_equal(err.text, cases[i].expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_place(test_what_is_told),
        cmocka_unit_test(test_credentials_are_read),
        in_place(test_certificates_are_read),
        cmocka_unit_test(test_what_is_no_credential),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
