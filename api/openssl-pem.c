/*
 * PEM texts. Blocks are read as they are and decoded by their labels: OpenSSL's own readers of keys
 * would ask for a passphrase on the terminal.
 */
#include "openssl-pem.h"
#include "nodeagent/api/secret.h"
#include "nodeagent/objects/names.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

/* Blocks other than those asked for; a file of so many is none of keys and certificates. */
enum {
    BLOCKS_MAX = 2 * CERTIFICATE_CHAIN_MAX,
};

int openssl_failed(struct err *err, const char *format, ...)
{
    const char *reason = ERR_reason_error_string(ERR_peek_error());
    char text[ERR_TEXT_MAX];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    ERR_clear_error();
    return reason ? err_set(err, -EINVAL, "%s (OpenSSL: %s)", text, reason)
                  : err_set(err, -EINVAL, "%s", text);
}

BIO *pem_reader(const struct certificate_text *text)
{
    BIO *bio = BIO_new_mem_buf(text->length ? text->text : "", (int)text->length);

    assert_that(bio && text->length <= INT32_MAX);
    return bio;
}

BIO *pem_collector(void)
{
    BIO *bio = BIO_new(BIO_s_secmem());

    assert_that(bio);
    return bio;
}

/* blocks */

int pem_next(BIO *from, const char *shown, struct pem_block *block, struct err *err)
{
    ERR_clear_error();
    *block = (struct pem_block){0};
    if (PEM_read_bio_ex(from, &block->label, &block->head, &block->bytes, &block->length,
                        PEM_FLAG_SECURE | PEM_FLAG_EAY_COMPATIBLE))
        return 1;
    if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
        return openssl_failed(err,
                              "%s: a block of PEM in it is broken or cut off; put the whole file "
                              "there again",
                              shown);
    ERR_clear_error();
    return 0;
}

void pem_block_deinit(struct pem_block *block)
{
    OPENSSL_secure_free(block->label);
    OPENSSL_secure_free(block->head);
    OPENSSL_secure_clear_free(block->bytes, (size_t)block->length);
    *block = (struct pem_block){0};
}

void pem_write_block(BIO *to, const struct pem_block *block)
{
    assert_that(PEM_write_bio(to, block->label, "", block->bytes, block->length) > 0);
}

/* keys */

static bool is_key(const struct pem_block *block)
{
    return str_equal(block->label, "PRIVATE KEY") || str_has_suffix(block->label, " PRIVATE KEY");
}

/* Public and private parts lie beside each other in a file, and either may be damaged alone. */
static bool is_whole(EVP_PKEY *key)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    bool whole;

    assert_that(context);
    whole = EVP_PKEY_pairwise_check(context) == 1;
    EVP_PKEY_CTX_free(context);
    return whole;
}

static int decode_key(const struct pem_block *block, const char *shown, EVP_PKEY **key,
                      struct err *err)
{
    const unsigned char *at = block->bytes;

    if (str_equal(block->label, "ENCRYPTED PRIVATE KEY") || !str_empty(block->head))
        return err_set(err, -EINVAL,
                       "%s: its private key is encrypted, and nobody could be asked for the "
                       "passphrase; store it without one (openssl pkey)",
                       shown);
    *key = d2i_AutoPrivateKey(NULL, &at, block->length);
    if (!*key)
        return openssl_failed(err, "%s: its private key cannot be read; make a new pair", shown);
    if (!is_whole(*key))
        return openssl_failed(err, "%s: its private key is damaged; make a new pair", shown);
    ERR_clear_error(); /* what was tried before the right decoder */
    return 0;
}

static int find_key(BIO *from, const char *shown, struct pem_block *block, struct err *err)
{
    for (unsigned count = 0; count < BLOCKS_MAX; count++) {
        int r = pem_next(from, shown, block, err);

        if (r < 0)
            return r;
        if (r == 0)
            return err_set(err, -EINVAL,
                           "%s: there is no private key in it; it must hold one in PEM, which "
                           "begins with a line such as -----BEGIN EC PRIVATE KEY-----",
                           shown);
        if (is_key(block))
            return 0;
        pem_block_deinit(block);
    }
    return err_set(err, -E2BIG, "%s: there is no private key among its first %d blocks", shown,
                   BLOCKS_MAX);
}

int pem_read_key(const struct certificate_text *text, EVP_PKEY **key, struct strbuf *pem,
                 struct err *err)
{
    _cleanup_(BIO_free_at) BIO *from = pem_reader(text), *to = pem_collector();
    _cleanup_(pem_block_deinit) struct pem_block block = {0};
    int r = find_key(from, text->shown, &block, err);
    char *bytes;
    long length;

    if (r == 0)
        r = decode_key(&block, text->shown, key, err);
    if (r < 0 || !pem)
        return r;
    pem_write_block(to, &block);
    length = BIO_get_mem_data(to, &bytes);
    secret_init_copy(pem, bytes, (size_t)length);
    return 0;
}

/* names */

void pem_add_subject(X509_NAME *subject, int nid, const char *text)
{
    assert_that(X509_NAME_add_entry_by_NID(subject, nid, V_ASN1_UTF8STRING,
                                           (const unsigned char *)text, (int)strlen(text), -1, 0));
}

static int set_name(GENERAL_NAME *general, const char *name, struct err *err)
{
    ASN1_OCTET_STRING *address = name_check_ip(name) ? NULL : a2i_IPADDRESS(name);
    const char *complaint = address ? NULL : name_check_subdomain(name);
    ASN1_IA5STRING *text;

    if (complaint)
        return err_set(err, -EINVAL, "%s: a name in a certificate must be an IP address, or it %s",
                       name, complaint);
    if (address) {
        GENERAL_NAME_set0_value(general, GEN_IPADD, address);
        return 0;
    }
    text = ASN1_IA5STRING_new();
    assert_that(text && ASN1_STRING_set(text, name, -1));
    GENERAL_NAME_set0_value(general, GEN_DNS, text);
    return 0;
}

int pem_names_extension(const char *const *names, X509_EXTENSION **extension, struct err *err)
{
    _cleanup_(GENERAL_NAMES_free_at) GENERAL_NAMES *all = GENERAL_NAMES_new();

    assert_that(all);
    for (size_t i = 0; names[i]; i++) {
        GENERAL_NAME *general = GENERAL_NAME_new();
        int r;

        assert_that(general && sk_GENERAL_NAME_push(all, general));
        r = i == CERTIFICATE_NAMES_MAX
                ? err_set(err, -E2BIG, "a certificate has at most %d names", CERTIFICATE_NAMES_MAX)
                : set_name(general, names[i], err);
        if (r < 0)
            return r;
    }
    *extension = X509V3_EXT_i2d(NID_subject_alt_name, 0, all);
    assert_that(*extension);
    return 0;
}
