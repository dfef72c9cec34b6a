/*
 * Certificates and keys as texts, "-----BEGIN ...". Sentences never quote them: a text that is not
 * what it should be may still be somebody's key.
 */
#pragma once

#include "nodeagent/base/err.h"
#include "nodeagent/base/str.h"

enum {
    PEM_BYTES_MAX = 1 << 20, /* all authorities that browsers trust are a fifth of it */
};

/* Appends the whole file; blocks. */
int pem_read(const char *path, struct strbuf *text, struct err *err);

/* Is there a certificate in it? The sentences below lack their subject. */
int pem_check_authority(const char *text, struct err *err);

/* Is there a certificate in the one, a key in the other, and is it the certificate's? */
int pem_check_pair(const char *certificate, const char *key, struct err *err);
