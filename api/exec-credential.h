/*
 * What a plugin for credentials is told and what it prints: an ExecCredential, as JSON.
 */
#pragma once

#include "nodeagent/api/kubeconfig.h"
#include "nodeagent/base/str.h"
#include "nodeagent/base/time.h"

enum {
    EXEC_OUTPUT_MAX = 128 << 10, /* a token and a chain of certificates with its key are 20 KiB */
};

/* Appends what is told. */
void exec_credential_ask(const struct kubeconfig *config, struct strbuf *text);

struct exec_credential {
    struct arena arena;
    const char *token;       /* NULL: none */
    const char *certificate; /* PEM, with its key; NULL: none */
    const char *key;
    usec_t expires; /* wall clock; USEC_NEVER */
};

/* What was printed; `api_version` is the kubeconfig's. Sentences quote nothing of it. */
int exec_credential_parse(struct exec_credential **result, const char *api_version,
                          const char *text, size_t length, struct err *err);
struct exec_credential *exec_credential_free(struct exec_credential *credential);
