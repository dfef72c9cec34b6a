/* What has become of a request for a certificate: its CertificateSigningRequest, as it is now. */
#pragma once

#include "nodeagent/base/json.h"

/* Where an object says several, the later one counts; only what is approved is ever issued. */
enum certificate_state {
    CERTIFICATE_PENDING,  /* nobody has decided yet */
    CERTIFICATE_APPROVED, /* and not signed yet */
    CERTIFICATE_FAILED,   /* the signer could not */
    CERTIFICATE_DENIED,
    CERTIFICATE_ISSUED,
};

/* Texts are in the arena. */
struct certificate_answer {
    enum certificate_state state;
    const char *name;
    const char *message; /* a sentence: who is waited for, or who said no and why */
    const char *chain;   /* PEM, when it is issued: to be parsed with the key (certificate.h) */
    size_t chain_length;
};

/* Fails where the object is none or has values of the wrong type. */
int certificate_answer_read(struct certificate_answer *answer, struct arena *arena,
                            const struct json *object, struct err *err);
