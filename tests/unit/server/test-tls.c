/* server/tls.c: names of versions and suites, and what GnuTLS makes of them. */
#include "test.h"

#include "tls.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <string.h>

static void test_versions(void **state)
{
    static const struct {
        const char *name;
        enum server_tls_version version;
    } cases[] = {
        {"", SERVER_TLS_1_2},
        {"VersionTLS10", SERVER_TLS_1_0},
        {"VersionTLS11", SERVER_TLS_1_1},
        {"VersionTLS12", SERVER_TLS_1_2},
        {"VersionTLS13", SERVER_TLS_1_3},
    };
    enum server_tls_version version;
    struct err err;

    for (size_t i = 0; i < array_size(cases); i++) {
        assert_int_equal(server_tls_version(cases[i].name, &version, &err), 0);
        assert_int_equal(version, cases[i].version);
    }
    assert_int_equal(server_tls_version("VersionTLS14", &version, &err), -EINVAL);
    assert_string_equal(err.text, "\"VersionTLS14\" must be VersionTLS10, VersionTLS11, "
                                  "VersionTLS12 or VersionTLS13");
}

static void test_suites(void **state)
{
    static const struct {
        const char *name;
        int known, weak;
    } cases[] = {
        {"TLS_AES_128_GCM_SHA256", 1, 0},
        {"TLS_AES_256_GCM_SHA384", 1, 0},
        {"TLS_CHACHA20_POLY1305_SHA256", 1, 0},
        {"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", 1, 0},
        {"TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", 1, 0},
        {"TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305", 1, 0},
        {"TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", 1, 0},
        {"TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256", 1, 1},
        {"TLS_RSA_WITH_AES_256_GCM_SHA384", 1, 1},
        {"TLS_RSA_WITH_3DES_EDE_CBC_SHA", 1, 1},
        {"TLS_ECDHE_RSA_WITH_RC4_128_SHA", 1, 1},
        {"TLS_AES_128_CBC_SHA", 0, 0},
        {"TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", 0, 0},
        {"TLS_ECDHE_RSA_WITH_", 0, 0},
        {"ECDHE-RSA-AES128-GCM-SHA256", 0, 0},
        {"", 0, 0},
    };
    struct err err;
    bool weak;

    for (size_t i = 0; i < array_size(cases); i++) {
        weak = false;
        assert_int_equal(server_tls_suite_check(cases[i].name, &weak, &err),
                         cases[i].known ? 0 : -EINVAL);
        assert_int_equal(weak, cases[i].weak);
    }
    assert_int_equal(server_tls_suite_check("TLS_NO", &weak, &err), -EINVAL);
    assert_non_null(strstr(err.text, "\"TLS_NO\" is no cipher suite"));
}

/* Names of the suites that GnuTLS offers, each with a blank after it. */
static char *offered(const struct server_tls *tls, char *names, size_t size)
{
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;
    gnutls_priority_t priority;
    unsigned index;

    *names = '\0';
    tls_priority(tls, &text);
    assert_int_equal(gnutls_priority_init(&priority, text.text, NULL), 0);
    for (unsigned i = 0; gnutls_priority_get_cipher_suite_index(priority, i, &index) !=
                         GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE;
         i++) {
        const char *name = gnutls_cipher_suite_info(index, NULL, NULL, NULL, NULL, NULL);

        if (name && strlen(names) + strlen(name) + 2 < size)
            strcat(strcat(names, name), " ");
    }
    gnutls_priority_deinit(priority);
    return names;
}

static void test_what_is_offered(void **state)
{
    static const char *const none[] = {NULL};
    static const char *const one[] = {"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", NULL};
    static const char *const old[] = {"TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", NULL};
    static const char *const newest[] = {"TLS_AES_128_GCM_SHA256", NULL};
    const char *many[1000] = {NULL};
    char names[8192];

    offered(&(struct server_tls){SERVER_TLS_1_2, NULL}, names, sizeof(names));
    assert_non_null(strstr(names, "TLS_ECDHE_ECDSA_AES_128_GCM_SHA256 "));
    assert_non_null(strstr(names, "TLS_AES_256_GCM_SHA384 "));
    assert_null(strstr(names, "TLS_RSA_"));
    assert_null(strstr(names, "TLS_DHE_"));
    assert_null(strstr(names, "ARCFOUR"));
    assert_null(strstr(names, "3DES"));

    offered(&(struct server_tls){SERVER_TLS_1_3, one}, names, sizeof(names));
    assert_null(strstr(names, "ECDHE"));
    assert_non_null(strstr(names, "TLS_CHACHA20_POLY1305_SHA256 "));

    offered(&(struct server_tls){SERVER_TLS_1_2, one}, names, sizeof(names));
    assert_string_equal(names, "TLS_AES_256_GCM_SHA384 TLS_ECDHE_RSA_AES_256_GCM_SHA384 ");

    offered(&(struct server_tls){SERVER_TLS_1_0, old}, names, sizeof(names));
    assert_string_equal(names, "TLS_ECDHE_RSA_AES_128_CBC_SHA1 ");

    offered(&(struct server_tls){SERVER_TLS_1_2, newest}, names, sizeof(names));
    assert_string_equal(names, "TLS_AES_128_GCM_SHA256 ");

    for (size_t i = 0; i + 1 < array_size(many); i++)
        many[i] = i % 2 ? one[0] : old[0];
    offered(&(struct server_tls){SERVER_TLS_1_2, many}, names, sizeof(names));
    assert_string_equal(names, "TLS_AES_256_GCM_SHA384 TLS_ECDHE_RSA_AES_256_GCM_SHA384 "
                               "TLS_ECDHE_RSA_AES_128_CBC_SHA1 ");

    offered(&(struct server_tls){SERVER_TLS_1_2, none}, names, sizeof(names));
    assert_non_null(strstr(names, "TLS_ECDHE_ECDSA_AES_128_GCM_SHA256 "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_versions),
        cmocka_unit_test(test_suites),
        cmocka_unit_test(test_what_is_offered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
