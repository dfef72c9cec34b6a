/*
 * PEM texts and OpenSSL's objects in the manners of this house: freed with their scope, and what
 * fails is a sentence. OpenSSL keeps errors in a queue of the thread, where curl would take them
 * for its own: it is left empty.
 */
#pragma once

#include "nodeagent/api/certificate.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#define PEM_CERTIFICATE "CERTIFICATE"

struct pem_block {
    char *label; /* "CERTIFICATE" */
    char *head;  /* how it is encrypted; "": it is not */
    unsigned char *bytes;
    long length;
};

/* The next block: 1, 0 at the end, or a negative errno. */
int pem_next(BIO *from, const char *shown, struct pem_block *block, struct err *err);
void pem_block_deinit(struct pem_block *block);

/* A BIO that reads a text; one that collects a text and wipes it. */
BIO *pem_reader(const struct certificate_text *text);
BIO *pem_collector(void);
void pem_write_block(BIO *to, const struct pem_block *block);

/* The first private key of a text, and where `pem` is not NULL its block alone, a new secret. */
int pem_read_key(const struct certificate_text *text, EVP_PKEY **key, struct strbuf *pem,
                 struct err *err);

/* What the names of a certificate are as an extension of it. */
int pem_names_extension(const char *const *names, X509_EXTENSION **extension, struct err *err);
/* Without the limits of length that OpenSSL has: nodes may have longer names. */
void pem_add_subject(X509_NAME *subject, int nid, const char *text);

/* The sentence and OpenSSL's reason; -EINVAL. */
int openssl_failed(struct err *err, const char *format, ...) _printf_(2, 3);

#define OPENSSL_CLEANUP(type)                                                                      \
    static inline void type##_free_at(type **object)                                               \
    {                                                                                              \
        type##_free(*object);                                                                      \
    }

OPENSSL_CLEANUP(BIO)
OPENSSL_CLEANUP(EVP_PKEY)
OPENSSL_CLEANUP(GENERAL_NAMES)
OPENSSL_CLEANUP(X509)
OPENSSL_CLEANUP(X509_EXTENSION)
OPENSSL_CLEANUP(X509_REQ)
