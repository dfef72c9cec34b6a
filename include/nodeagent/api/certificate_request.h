/*
 * Asking the cluster for a certificate: a new key, a request of PKCS#10 for it, and the object
 * CertificateSigningRequest that carries the request. Approvers and signers ignore what is not
 * exactly as they want it.
 */
#pragma once

#include "nodeagent/base/err.h"
#include "nodeagent/base/str.h"

enum {
    CERTIFICATE_KEY_MAX =
        16 << 10, /* bytes of a key in PEM: one of RSA with 16384 bits has 13 KiB */
};

enum certificate_use {
    CERTIFICATE_CLIENT,  /* the node speaks to the API server */
    CERTIFICATE_SERVING, /* the API server speaks to the node */
};

struct certificate_wish {
    enum certificate_use use;
    const char *node;
    /* A serving certificate's IP addresses and DNS names (NULL-terminated): without an address
     * nobody signs it. NULL for a client's. */
    const char *const *names;
};

/* ECDSA on P-256, in PEM, a new secret. */
int certificate_key_make(struct strbuf *key, struct err *err);

/* Appends the request in PEM. */
int certificate_request_make(const struct certificate_wish *wish, const struct strbuf *key,
                             struct strbuf *pem, struct err *err);

/* Appends the object to be created; the server makes its name up. */
void certificate_request_write(const struct certificate_wish *wish, const struct strbuf *pem,
                               struct strbuf *body);
