/* Certificates that sign themselves, in PEM, made where they are needed. */
#pragma once

#include "test.h"

#include "nodeagent/server.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <string.h>
#include <time.h>

enum { PEM_MAX = 4096 };

struct made_certificate {
    char chain[PEM_MAX], key[PEM_MAX];
};

static inline void make_certificate(struct made_certificate *made, const char *name)
{
    static unsigned char serial = 1;
    gnutls_x509_privkey_t key;
    gnutls_x509_crt_t certificate;
    size_t length = PEM_MAX, key_length = PEM_MAX;
    time_t now = time(NULL);

    *made = (struct made_certificate){0};
    assert_int_equal(gnutls_x509_privkey_init(&key), 0);
    assert_int_equal(gnutls_x509_crt_init(&certificate), 0);
    assert_int_equal(gnutls_x509_privkey_generate(
                         key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0),
                     0);
    assert_int_equal(gnutls_x509_crt_set_version(certificate, 3), 0);
    assert_int_equal(gnutls_x509_crt_set_serial(certificate, &serial, 1), 0);
    assert_int_equal(gnutls_x509_crt_set_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, 0,
                                                   name, (unsigned)strlen(name)),
                     0);
    assert_int_equal(gnutls_x509_crt_set_subject_alt_name(certificate, GNUTLS_SAN_DNSNAME, name,
                                                          (unsigned)strlen(name), GNUTLS_FSAN_SET),
                     0);
    assert_int_equal(gnutls_x509_crt_set_basic_constraints(certificate, 1, -1), 0);
    assert_int_equal(gnutls_x509_crt_set_activation_time(certificate, now - 3600), 0);
    assert_int_equal(gnutls_x509_crt_set_expiration_time(certificate, now + 3600), 0);
    assert_int_equal(gnutls_x509_crt_set_key(certificate, key), 0);
    assert_int_equal(gnutls_x509_crt_sign2(certificate, certificate, key, GNUTLS_DIG_SHA256, 0), 0);
    assert_int_equal(gnutls_x509_crt_export(certificate, GNUTLS_X509_FMT_PEM, made->chain, &length),
                     0);
    assert_int_equal(gnutls_x509_privkey_export(key, GNUTLS_X509_FMT_PEM, made->key, &key_length),
                     0);
    gnutls_x509_crt_deinit(certificate);
    gnutls_x509_privkey_deinit(key);
    serial++;
}

static inline struct server_pem pem_of(const char *text)
{
    return (struct server_pem){text, strlen(text)};
}
