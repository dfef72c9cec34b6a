/* Making certificates that are signed by their own key. */
#include "self-signed.h"
#include "nodeagent/base/time.h"
#include "openssl-pem.h"

#include <openssl/bn.h>
#include <openssl/pem.h>

enum {
    SERIAL_BITS = 127,    /* positive, and at most 20 bytes */
    SECONDS_EARLY = 3600, /* clients whose clocks are behind */
    SECONDS_PER_DAY = 24 * 60 * 60,
    VERSION_3 = 2,
};

static bool set_serial(X509 *certificate)
{
    BIGNUM *number = BN_new();
    bool done = number && BN_rand(number, SERIAL_BITS, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) &&
                BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));

    BN_free(number);
    return done;
}

static bool add_extension(X509 *certificate, int nid, const char *value)
{
    _cleanup_(X509_EXTENSION_free_at) X509_EXTENSION *extension =
        X509V3_EXT_conf_nid(NULL, NULL, nid, value);

    return extension && X509_add_ext(certificate, extension, -1);
}

static bool set_use(X509 *certificate)
{
    return add_extension(certificate, NID_basic_constraints, "critical,CA:FALSE") &&
           add_extension(certificate, NID_key_usage, "critical,digitalSignature") &&
           add_extension(certificate, NID_ext_key_usage, "serverAuth");
}

static bool set_facts(X509 *certificate, const char *host, int64_t now, EVP_PKEY *key)
{
    time_t seconds = (time_t)(now / (int64_t)USEC_PER_SEC);

    pem_add_subject(X509_get_subject_name(certificate), NID_commonName, host);
    return X509_set_version(certificate, VERSION_3) && set_serial(certificate) &&
           X509_set_issuer_name(certificate, X509_get_subject_name(certificate)) &&
           ASN1_TIME_set(X509_getm_notBefore(certificate), seconds - SECONDS_EARLY) &&
           ASN1_TIME_set(X509_getm_notAfter(certificate),
                         seconds + (time_t)SELF_SIGNED_DAYS * SECONDS_PER_DAY) &&
           X509_set_pubkey(certificate, key);
}

int self_signed_make(const char *host, const struct strbuf *key, int64_t now, struct strbuf *pem,
                     struct err *err)
{
    _cleanup_(EVP_PKEY_free_at) EVP_PKEY *loaded = NULL;
    _cleanup_(X509_free_at) X509 *certificate = X509_new();
    _cleanup_(X509_EXTENSION_free_at) X509_EXTENSION *names = NULL;
    _cleanup_(BIO_free_at) BIO *bio = pem_collector();
    char *bytes;
    long length;
    int r = pem_read_key(&(struct certificate_text){"the node's key", key->text, key->length},
                         &loaded, NULL, err);

    if (r == 0)
        r = pem_names_extension((const char *const[]){host, NULL}, &names, err);
    if (r < 0)
        return r;
    if (!set_facts(certificate, host, now, loaded) || !X509_add_ext(certificate, names, -1) ||
        !set_use(certificate) || !X509_sign(certificate, loaded, EVP_sha256()) ||
        !PEM_write_bio_X509(bio, certificate))
        return openssl_failed(err, "cannot make a certificate for %s", host);
    length = BIO_get_mem_data(bio, &bytes);
    strbuf_add_bytes(pem, bytes, (size_t)length);
    return 0;
}
