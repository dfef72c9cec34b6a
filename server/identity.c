/* A certificate with its key. */
#include "identity.h"

#include "nodeagent/base/mem.h"

#include <errno.h>
#include <stdlib.h>

struct identity {
    unsigned references;
    gnutls_certificate_credentials_t credentials;
};

static gnutls_datum_t datum(const struct server_pem *pem)
{
    return (gnutls_datum_t){(unsigned char *)pem->text, (unsigned)pem->length};
}

int identity_new(struct identity **result, const struct server_pem *chain,
                 const struct server_pem *key, struct err *err)
{
    gnutls_datum_t certificates = datum(chain), secret = datum(key);
    struct identity *identity = mem_new(struct identity);
    int r = gnutls_certificate_allocate_credentials(&identity->credentials);

    identity->references = 1;
    if (r < 0) {
        free(identity);
        return err_set(err, -ENOMEM, "cannot serve with TLS: %s", gnutls_strerror(r));
    }
    r = gnutls_certificate_set_x509_key_mem2(identity->credentials, &certificates, &secret,
                                             GNUTLS_X509_FMT_PEM, NULL, 0);
    if (r < 0) {
        identity_unref(identity);
        return err_set(err, -EINVAL, "cannot serve with this certificate: %s", gnutls_strerror(r));
    }
    *result = identity;
    return 0;
}

struct identity *identity_ref(struct identity *identity)
{
    identity->references++;
    return identity;
}

struct identity *identity_unref(struct identity *identity)
{
    if (!identity || --identity->references)
        return NULL;
    gnutls_certificate_free_credentials(identity->credentials);
    free(identity);
    return NULL;
}

int identity_use(struct identity *identity, gnutls_session_t session)
{
    return gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, identity->credentials);
}
