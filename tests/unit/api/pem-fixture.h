/* Certificates and keys for tests, made on the spot. */
#pragma once

#include "nodeagent/base/mem.h"

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>

struct pair {
    char *certificate;
    char *key;
};

static inline char *text_of(BIO *bio)
{
    char *bytes, *text;
    long length = BIO_get_mem_data(bio, &bytes);

    text = mem_strndup(bytes, (size_t)length);
    BIO_free(bio);
    return text;
}

static inline struct pair pair_new(const char *name)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    X509_NAME *subject = X509_get_subject_name(certificate);
    BIO *certificate_text = BIO_new(BIO_s_mem()), *key_text = BIO_new(BIO_s_mem());

    assert_non_null(key);
    X509_set_version(certificate, 2);
    X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 86400);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(certificate, subject);
    X509_set_pubkey(certificate, key);
    assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
    assert_int_equal(PEM_write_bio_X509(certificate_text, certificate), 1);
    assert_int_equal(PEM_write_bio_PKCS8PrivateKey(key_text, key, NULL, NULL, 0, NULL, NULL), 1);
    X509_free(certificate);
    EVP_PKEY_free(key);
    return (struct pair){text_of(certificate_text), text_of(key_text)};
}

/* The key behind a passphrase. */
static inline char *locked_key(const char *text)
{
    BIO *in = BIO_new_mem_buf(text, -1), *out = BIO_new(BIO_s_mem());
    EVP_PKEY *key = PEM_read_bio_PrivateKey(in, NULL, NULL, NULL);
    char phrase[] = "secret";

    assert_int_equal(
        PEM_write_bio_PKCS8PrivateKey(out, key, EVP_aes_128_cbc(), phrase, 6, NULL, NULL), 1);
    EVP_PKEY_free(key);
    BIO_free(in);
    return text_of(out);
}

static inline void pair_free(struct pair *pair)
{
    free(pair->certificate);
    free(pair->key);
}
