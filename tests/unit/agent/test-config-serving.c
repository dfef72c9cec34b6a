/* agent/config-serving.c: the node's own servers. */
#include "config-fixture.h"

static void test_defaults(void **state)
{
    struct fixture *fixture = *state;
    const struct config *config = &fixture->config;

    for (int with_file = 0; with_file < 2; with_file++) {
        assert_reads(fixture, with_file ? read_file(fixture, "") : read_flags(fixture));
        assert_int_equal(config->port, 0);
        assert_int_equal(config->healthz_port, 10248);
        assert_string_equal(config->healthz_address, "127.0.0.1");
        assert_null(config->tls_cert_file);
        assert_null(config->tls_key_file);
        assert_false(config->server_tls_bootstrap);
        assert_int_equal(config->tls.oldest, SERVER_TLS_1_2);
        assert_null(config->tls.suites[0]);
    }
}

/* In a cluster by default; without one where an address is named. */
static void test_when_the_api_is_served(void **state)
{
    struct fixture *fixture = *state;
    const struct config *config = &fixture->config;

    assert_reads(fixture, read_file(fixture, "", "--kubeconfig=/x"));
    assert_int_equal(config->port, 10250);
    assert_string_equal(config->address, "0.0.0.0");
    assert_reads(fixture, read_file(fixture, "port: 0\naddress: ''\n", "--kubeconfig=/x"));
    assert_int_equal(config->port, 10250);
    assert_reads(fixture, read_file(fixture, "enableServer: false\n", "--kubeconfig=/x"));
    assert_int_equal(config->port, 0);
    assert_reads(fixture, read_file(fixture, "enableServer: true\nport: 1234\n"));
    assert_int_equal(config->port, 0);
    assert_reads(fixture, read_file(fixture, "address: ''\n"));
    assert_int_equal(config->port, 0);
    assert_reads(fixture, read_file(fixture, "address: 0.0.0.0\nport: 1234\n"));
    assert_int_equal(config->port, 1234);
    assert_reads(fixture, read_file(fixture, "address: 0.0.0.0\nport: 1234\n", "--port=4321",
                                    "--address=::1"));
    assert_int_equal(config->port, 4321);
    assert_string_equal(config->address, "::1");
    assert_silent(fixture);
}

static void test_tls(void **state)
{
    struct fixture *fixture = *state;
    const struct config *config = &fixture->config;
    char key[256];

    assert_reads(fixture,
                 read_file(fixture, "tlsCertFile: node.crt\ntlsPrivateKeyFile: ./keys/../node.key\n"
                                    "tlsMinVersion: VersionTLS11\nserverTLSBootstrap: true\n"
                                    "tlsCipherSuites: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, "
                                    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384]\n"));
    snprintf(key, sizeof(key), "%s/node.key", fixture->directory);
    assert_string_equal(config->tls_key_file, key);
    assert_true(config->server_tls_bootstrap);
    assert_int_equal(config->tls.oldest, SERVER_TLS_1_1);
    assert_string_equal(config->tls.suites[0], "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256");
    assert_string_equal(config->tls.suites[1], "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384");
    assert_null(config->tls.suites[2]);
    assert_silent(fixture);

    assert_reads(fixture, read_flags(fixture, "--tls-cipher-suites=TLS_RSA_WITH_RC4_128_SHA,"
                                              "TLS_AES_128_GCM_SHA256"));
    assert_seen(fixture, "TLS_RSA_WITH_RC4_128_SHA is not secure any more");
    assert_int_equal(occurrences(fixture->seen, "\n"), 1);
    assert_reads(fixture, read_flags(fixture, "--tls-min-version=VersionTLS13",
                                     "--tls-cipher-suites=TLS_AES_128_GCM_SHA256"));
    assert_seen(fixture, "has no effect with TLS 1.3");
}

static void test_what_is_refused(void **state)
{
    struct fixture *fixture = *state;

    assert_fails(fixture, read_file(fixture, "port: 65536\n"),
                 "port (--port) 65536 must be between 1 and 65535, inclusive");
    assert_fails(fixture, read_file(fixture, "healthzPort: -1\n"),
                 "healthzPort (--healthz-port) -1 must be");
    assert_fails(fixture, read_file(fixture, "address: localhost\n"),
                 "address (--address): \"localhost\" must be an IP address");
    assert_fails(fixture, read_file(fixture, "healthzBindAddress: 10.0.0\n"),
                 "healthzBindAddress (--healthz-bind-address): \"10.0.0\" must be an IP address");
    assert_fails(fixture, read_file(fixture, "tlsCertFile: /x.crt\n"),
                 "tlsPrivateKeyFile (--tls-private-key-file) must be set, too");
    assert_fails(fixture, read_file(fixture, "tlsPrivateKeyFile: /x.key\n"),
                 "tlsCertFile (--tls-cert-file) must be set, too");
    assert_fails(fixture, read_file(fixture, "tlsMinVersion: TLS1.2\n"),
                 "tlsMinVersion (--tls-min-version): \"TLS1.2\" must be VersionTLS10");
    assert_fails(fixture, read_file(fixture, "tlsCipherSuites: [RC4]\n"),
                 "tlsCipherSuites (--tls-cipher-suites): \"RC4\" is no cipher suite");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_directory(test_defaults),
        with_directory(test_when_the_api_is_served),
        with_directory(test_tls),
        with_directory(test_what_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
