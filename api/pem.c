/* Looking at certificates and keys before somebody relies on them. */
#include "pem.h"
#include "nodeagent/sys/files.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

int pem_read(const char *path, struct strbuf *text, struct err *err)
{
    size_t before = text->length;
    int r = file_read(path, PEM_BYTES_MAX, text, err);

    if (r < 0)
        return r;
    if (text->length > before && memchr(text->text + before, '\0', text->length - before)) {
        strbuf_truncate(text, before);
        return err_set(err, -EINVAL, "%s: is not PEM: it has a NUL character in it", path);
    }
    return 0;
}

/* There is nobody to ask, and OpenSSL must not ask on the terminal. */
static int no_passphrase(char *buffer, int size, int writing, void *data)
{
    return 0;
}

static BIO *bio_of(const char *text)
{
    BIO *bio = BIO_new_mem_buf(text, (int)strnlen(text, PEM_BYTES_MAX));

    assert_that(bio);
    return bio;
}

/* The first in the text, which may have other things in it. */
static X509 *first_certificate(const char *text)
{
    BIO *bio = bio_of(text);
    X509 *certificate = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL);

    BIO_free(bio);
    return certificate;
}

static EVP_PKEY *first_key(const char *text)
{
    BIO *bio = bio_of(text);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);

    BIO_free(bio);
    return key;
}

int pem_check_authority(const char *text, struct err *err)
{
    X509 *certificate = first_certificate(text);
    bool found = certificate;

    X509_free(certificate);
    ERR_clear_error();
    return found ? 0 : err_set(err, -EINVAL, "has no certificate in it that is PEM");
}

int pem_check_pair(const char *certificate_text, const char *key_text, struct err *err)
{
    X509 *certificate = first_certificate(certificate_text);
    EVP_PKEY *key = first_key(key_text);
    int r = 0;

    if (!certificate)
        r = err_set(err, -EINVAL, "has no certificate in it that is PEM");
    else if (!key)
        r = err_set(
            err, -EINVAL,
            "its key is none that is PEM, or is encrypted, which is of no use to a service");
    else if (X509_check_private_key(certificate, key) != 1)
        r = err_set(err, -EINVAL, "its key is another certificate's");
    X509_free(certificate);
    EVP_PKEY_free(key);
    ERR_clear_error();
    return r;
}
