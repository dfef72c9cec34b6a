/* What tests of certificates share: an authority that issues what they ask for. */
#pragma once

#include "test.h"

#include "nodeagent/api/certificate.h"
#include "nodeagent/api/secret.h"
#include "nodeagent/base/mem.h"

#include <errno.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW ((int64_t)1767323045) /* 2026-01-02T03:04:05Z */
#define HOUR 3600
#define SECONDS(seconds) ((seconds) * (int64_t)1000000)

#define assert_sentence(err, part)                                                                 \
    do {                                                                                           \
        if (!strstr((err)->text, (part)))                                                          \
            fail_msg("\"%s\" is not in \"%s\"", (part), (err)->text);                              \
    } while (0)

/* What is to be issued; what is left out is as for a node's client certificate that is valid. */
struct issue {
    const char *common_name;
    const char *organizations[4];
    const char *names; /* "DNS:a,IP:10.0.0.1" */
    int64_t from, to;  /* seconds since 1970 */
};

struct authority {
    EVP_PKEY *key;
    X509 *certificate;
};

static inline void add_part(X509_NAME *name, const char *part, const char *text)
{
    /* As it is: OpenSSL has limits of length for these. */
    assert_int_equal(X509_NAME_add_entry_by_txt(name, part, V_ASN1_UTF8STRING,
                                                (const unsigned char *)text, -1, -1, 0),
                     1);
}

static inline void add_names(X509 *certificate, const char *names)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, names);

    assert_non_null(extension);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

/* `authority` NULL: signed by its own key. */
static inline X509 *issue(const struct authority *authority, EVP_PKEY *key,
                          const struct issue *wanted)
{
    X509 *certificate = X509_new();
    X509_NAME *subject = X509_get_subject_name(certificate);

    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 7);
    for (size_t i = 0; i < 4 && wanted->organizations[i]; i++)
        add_part(subject, "O", wanted->organizations[i]);
    if (!wanted->organizations[0])
        add_part(subject, "O", "system:nodes");
    add_part(subject, "CN", wanted->common_name ? wanted->common_name : "system:node:n");
    X509_set_issuer_name(certificate,
                         authority ? X509_get_subject_name(authority->certificate) : subject);
    ASN1_TIME_set(X509_getm_notBefore(certificate), wanted->from ? wanted->from : NOW - HOUR);
    ASN1_TIME_set(X509_getm_notAfter(certificate), wanted->to ? wanted->to : NOW + 24 * HOUR);
    X509_set_pubkey(certificate, key);
    if (wanted->names)
        add_names(certificate, wanted->names);
    assert_true(X509_sign(certificate, authority ? authority->key : key, EVP_sha256()) > 0);
    return certificate;
}

static inline void authority_init(struct authority *authority)
{
    authority->key = EVP_EC_gen("P-256");
    authority->certificate = issue(
        NULL, authority->key, &(struct issue){.common_name = "authority", .to = NOW + 1000 * HOUR});
}

static inline void authority_deinit(struct authority *authority)
{
    X509_free(authority->certificate);
    EVP_PKEY_free(authority->key);
}

/* texts */

static inline void take_text(BIO *bio, struct strbuf *text)
{
    char *bytes;
    long length = BIO_get_mem_data(bio, &bytes);

    strbuf_add_bytes(text, bytes, (size_t)length);
    BIO_free(bio);
}

static inline void add_certificate(struct strbuf *text, X509 *certificate)
{
    BIO *bio = BIO_new(BIO_s_mem());

    PEM_write_bio_X509(bio, certificate);
    take_text(bio, text);
}

static inline void add_key(struct strbuf *text, EVP_PKEY *key)
{
    BIO *bio = BIO_new(BIO_s_mem());

    PEM_write_bio_PrivateKey_traditional(bio, key, NULL, NULL, 0, NULL, NULL);
    take_text(bio, text);
}

/* Issues for the key and adds it. */
static inline void add_issued(struct strbuf *text, const struct authority *authority, EVP_PKEY *key,
                              const struct issue *wanted)
{
    X509 *certificate = issue(authority, key, wanted);

    add_certificate(text, certificate);
    X509_free(certificate);
}

static inline struct certificate_text text_of(const char *shown, const struct strbuf *text)
{
    return (struct certificate_text){shown, text->text, text->length};
}

/* files */

static inline char *make_place(void)
{
    char *path = mem_strdup("/tmp/test-certificates-XXXXXX");

    assert_non_null(mkdtemp(path));
    return path;
}

/* Runs a command of the shell, which must succeed, and gives all that it prints. */
static inline void run(struct strbuf *output, const char *command)
{
    char bytes[4096];
    FILE *stream = popen(command, "r");
    size_t got;

    assert_non_null(stream);
    while ((got = fread(bytes, 1, sizeof(bytes), stream)) > 0)
        strbuf_add_bytes(output, bytes, got);
    if (pclose(stream) != 0)
        fail_msg("%s\nfails (the package openssl is needed): %s", command,
                 output->text ? output->text : "");
}

static inline void remove_place(char *path)
{
    char *command = mem_printf("rm -rf '%s'", path);

    assert_int_equal(system(command), 0);
    free(command);
    free(path);
}

static inline void write_text(const char *place, const char *name, const struct strbuf *text)
{
    char *path = mem_printf("%s/%s", place, name);
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_int_equal(fwrite(text->text, 1, text->length, file), text->length);
    fclose(file);
    free(path);
}
