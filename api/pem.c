/* Looking at certificates and keys before somebody relies on them. */
#include "pem.h"
#include "nodeagent/sys/files.h"
#include "openssl-pem.h"

#include <errno.h>
#include <openssl/err.h>
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

static struct certificate_text text_of(const char *shown, const char *text)
{
    return (struct certificate_text){shown, text, strlen(text)};
}

/* The first in the text, which may have other things in it. */
static X509 *first_certificate(const char *text)
{
    const struct certificate_text all = text_of("", text);
    _cleanup_(BIO_free_at) BIO *from = pem_reader(&all);
    X509 *certificate = NULL;
    struct pem_block block;
    struct err ignored;
    bool found = false;

    while (!found && pem_next(from, all.shown, &block, &ignored) > 0) {
        const unsigned char *at = block.bytes;

        found = str_equal(block.label, PEM_CERTIFICATE);
        if (found)
            certificate = d2i_X509(NULL, &at, block.length);
        pem_block_deinit(&block);
    }
    ERR_clear_error();
    return certificate;
}

int pem_check_authority(const char *text, struct err *err)
{
    _cleanup_(X509_free_at) X509 *certificate = first_certificate(text);

    return certificate ? 0 : err_set(err, -EINVAL, "has no certificate in it that is PEM");
}

int pem_check_pair(const char *certificate_text, const char *key_text, struct err *err)
{
    const struct certificate_text of_key = text_of("its key", key_text);
    _cleanup_(X509_free_at) X509 *certificate = first_certificate(certificate_text);
    _cleanup_(EVP_PKEY_free_at) EVP_PKEY *key = NULL;
    int r = certificate ? pem_read_key(&of_key, &key, NULL, err)
                        : err_set(err, -EINVAL, "has no certificate in it that is PEM");

    if (r == 0 && X509_check_private_key(certificate, key) != 1)
        r = err_set(err, -EINVAL, "its key is another certificate's");
    ERR_clear_error();
    return r;
}
