/* Reading certificates and the keys to them. */
#include "nodeagent/api/certificate.h"
#include "nodeagent/api/secret.h"
#include "nodeagent/base/time.h"
#include "nodeagent/sys/files.h"
#include "openssl-pem.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <time.h>

enum {
    BLOCK_FIRST = 1 << 10, /* of the arena: a chain and a few names */
    BLOCK_LAST = 16 << 10,
};

/* What is being read: the chain is decoded for as long as it takes. */
struct reading {
    struct certificate *certificate;
    const char *shown;
    X509 *chain[CERTIFICATE_CHAIN_MAX];
    size_t count;
};

static void reading_deinit(struct reading *reading)
{
    for (size_t i = 0; i < reading->count; i++)
        X509_free(reading->chain[i]);
}

/* the chain */

static int refuse_empty(const struct certificate_text *text, struct err *err)
{
    /* What each certificate in DER begins with: a sequence with a length of two bytes. */
    bool der = text->length > 2 && !memcmp(text->text, "\x30\x82", 2);

    if (!text->length)
        return err_set(err, -EINVAL, "%s: it is empty; it must hold a certificate in PEM",
                       text->shown);
    return err_set(err, -EINVAL, "%s: there is no certificate in it; %s", text->shown,
                   der ? "it seems to be DER, and must be PEM (openssl x509 -inform DER)"
                       : "it must hold one in PEM, which begins with -----BEGIN CERTIFICATE-----");
}

static int take_certificate(struct reading *reading, const struct pem_block *block, struct err *err)
{
    const unsigned char *at = block->bytes;
    X509 *certificate;

    if (reading->count == CERTIFICATE_CHAIN_MAX)
        return err_set(err, -E2BIG,
                       "%s: it has more than the %d certificates that a chain may have",
                       reading->shown, CERTIFICATE_CHAIN_MAX);
    certificate = d2i_X509(NULL, &at, block->length);
    if (certificate)
        reading->chain[reading->count++] = certificate;
    if (!certificate || at != block->bytes + block->length)
        return openssl_failed(
            err, "%s: certificate %zu in it cannot be read; put the whole file there again",
            reading->shown, reading->count + !certificate);
    return 0;
}

static int read_chain(struct reading *reading, const struct certificate_text *text, struct err *err)
{
    _cleanup_(BIO_free_at) BIO *from = pem_reader(text), *to = pem_collector();
    struct certificate *certificate = reading->certificate;
    struct pem_block block;
    char *bytes;
    int r;

    while ((r = pem_next(from, text->shown, &block, err)) > 0) {
        if (str_equal(block.label, PEM_CERTIFICATE)) {
            r = take_certificate(reading, &block, err);
            if (r == 0)
                pem_write_block(to, &block);
        }
        pem_block_deinit(&block);
        if (r < 0)
            return r;
    }
    if (r < 0)
        return r;
    if (!reading->count)
        return refuse_empty(text, err);
    certificate->chain_length = (size_t)BIO_get_mem_data(to, &bytes);
    certificate->chain = arena_strndup(&certificate->arena, bytes, certificate->chain_length);
    return 0;
}

/* what the first one says */

/* NULL: no text, or one that a string cannot hold. */
static const char *to_text(struct arena *arena, const ASN1_STRING *string)
{
    unsigned char *bytes = NULL;
    int length = ASN1_STRING_to_UTF8(&bytes, string);
    const char *text = NULL;

    if (length >= 0 && !memchr(bytes, '\0', (size_t)length) &&
        !utf8_check((const char *)bytes, (size_t)length))
        text = arena_strndup(arena, (const char *)bytes, (size_t)length);
    OPENSSL_free(bytes);
    return text;
}

static int take_subject(struct certificate *certificate, const X509_NAME *subject)
{
    int count = X509_NAME_entry_count(subject);

    if (count > CERTIFICATE_NAMES_MAX)
        return -E2BIG;
    certificate->common_name = "";
    for (int i = 0; i < count; i++) {
        X509_NAME_ENTRY *entry = X509_NAME_get_entry(subject, i);
        int nid = OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry));
        const char *text;

        if (nid != NID_commonName)
            continue;
        text = to_text(&certificate->arena, X509_NAME_ENTRY_get_data(entry));
        if (!text)
            return -EINVAL;
        certificate->common_name = text;
    }
    return 0;
}

/* NULL: of a kind that no node is called by. */
static const char *general_text(struct arena *arena, const GENERAL_NAME *name)
{
    const ASN1_OCTET_STRING *address = name->d.iPAddress;
    char text[INET6_ADDRSTRLEN];

    if (name->type == GEN_DNS)
        return to_text(arena, name->d.dNSName);
    if (name->type != GEN_IPADD || (address->length != 4 && address->length != 16))
        return NULL;
    inet_ntop(address->length == 4 ? AF_INET : AF_INET6, address->data, text, sizeof(text));
    return arena_strdup(arena, text);
}

static int take_names(struct certificate *certificate, X509 *leaf)
{
    int found, count;
    _cleanup_(GENERAL_NAMES_free_at) GENERAL_NAMES *names =
        X509_get_ext_d2i(leaf, NID_subject_alt_name, &found, NULL);

    if (!names)
        return found == -1 ? 0 : -EINVAL;
    count = sk_GENERAL_NAME_num(names);
    if (count > CERTIFICATE_NAMES_MAX)
        return -E2BIG;
    certificate->names.items = arena_array(&certificate->arena, const char *, (size_t)count);
    for (int i = 0; i < count; i++) {
        const char *text = general_text(&certificate->arena, sk_GENERAL_NAME_value(names, i));

        if (text)
            certificate->names.items[certificate->names.count++] = text;
    }
    return 0;
}

static int take_time(const ASN1_TIME *time, int64_t *usec)
{
    struct tm parts;

    if (!ASN1_TIME_to_tm(time, &parts))
        return -EINVAL;
    *usec = (int64_t)timegm(&parts) * (int64_t)USEC_PER_SEC;
    return 0;
}

static int take_times(struct reading *reading)
{
    struct certificate *certificate = reading->certificate;

    certificate->chain_ends = INT64_MAX;
    for (size_t i = 0; i < reading->count; i++) {
        int64_t from, to;

        if (take_time(X509_get0_notBefore(reading->chain[i]), &from) < 0 ||
            take_time(X509_get0_notAfter(reading->chain[i]), &to) < 0)
            return -EINVAL;
        certificate->chain_ends = MIN(certificate->chain_ends, to);
        if (i == 0) {
            certificate->not_before = from;
            certificate->not_after = to;
        }
    }
    return 0;
}

static int read_facts(struct reading *reading, struct err *err)
{
    struct certificate *certificate = reading->certificate;
    X509 *leaf = reading->chain[0];

    if (take_times(reading) < 0)
        return openssl_failed(err, "%s: a time in it is none; have it issued anew", reading->shown);
    if (take_subject(certificate, X509_get_subject_name(leaf)) < 0)
        return openssl_failed(err,
                              "%s: the subject of its first certificate has no readable text, or "
                              "more than %d parts; have it issued anew",
                              reading->shown, CERTIFICATE_NAMES_MAX);
    if (take_names(certificate, leaf) < 0)
        return openssl_failed(err,
                              "%s: the alternative names of its first certificate cannot be read, "
                              "or are more than %d; have it issued anew",
                              reading->shown, CERTIFICATE_NAMES_MAX);
    return 0;
}

/* the key */

static bool is_for(X509 *certificate, const EVP_PKEY *key)
{
    const EVP_PKEY *public_key = X509_get0_pubkey(certificate);

    return public_key && EVP_PKEY_eq(public_key, key) == 1;
}

static int read_key(struct reading *reading, const struct certificate_text *text, struct err *err)
{
    _cleanup_(EVP_PKEY_free_at) EVP_PKEY *key = NULL;
    int r = pem_read_key(text, &key, &reading->certificate->key, err);

    if (r < 0 || is_for(reading->chain[0], key))
        return r;
    for (size_t i = 1; i < reading->count; i++)
        if (is_for(reading->chain[i], key))
            return openssl_failed(err,
                                  "%s: the key of %s belongs to certificate %zu of it; that one "
                                  "must come first",
                                  reading->shown, text->shown, i + 1);
    return openssl_failed(err, "%s: the private key of %s does not belong to it; give a pair",
                          reading->shown, text->shown);
}

/* all of it */

static int check_length(const struct certificate_text *text, struct err *err)
{
    if (text->length <= CERTIFICATE_TEXT_MAX)
        return 0;
    return err_set(err, -EFBIG, "%s: it has more than the %d bytes allowed", text->shown,
                   CERTIFICATE_TEXT_MAX);
}

static int parse(struct certificate *certificate, const struct certificate_text *chain,
                 const struct certificate_text *key, struct err *err)
{
    _cleanup_(reading_deinit) struct reading reading = {certificate, chain->shown};
    int r = check_length(chain, err);

    if (r == 0 && key)
        r = check_length(key, err);
    if (r == 0)
        r = read_chain(&reading, chain, err);
    if (r == 0)
        r = read_facts(&reading, err);
    if (r == 0 && key)
        r = read_key(&reading, key, err);
    return r;
}

int certificate_parse(struct certificate *certificate, const struct certificate_text *chain,
                      const struct certificate_text *key, struct err *err)
{
    int r;

    *certificate = (struct certificate){.arena = ARENA_INIT(BLOCK_FIRST, BLOCK_LAST)};
    r = parse(certificate, chain, key, err);
    if (r < 0)
        certificate_deinit(certificate);
    return r;
}

int certificate_read(struct certificate *certificate, const char *chain_path, const char *key_path,
                     struct err *err)
{
    _cleanup_(secret_deinit) struct strbuf chain = STRBUF_INIT, key = STRBUF_INIT;
    int r;

    secret_init(&chain, CERTIFICATE_TEXT_MAX);
    secret_init(&key, CERTIFICATE_TEXT_MAX);
    *certificate = (struct certificate){0};
    r = file_read(chain_path, CERTIFICATE_TEXT_MAX, &chain, err);
    if (r == 0)
        r = file_read(key_path, CERTIFICATE_TEXT_MAX, &key, err);
    if (r < 0)
        return r;
    return certificate_parse(certificate,
                             &(struct certificate_text){chain_path, chain.text, chain.length},
                             &(struct certificate_text){key_path, key.text, key.length}, err);
}

void certificate_deinit(struct certificate *certificate)
{
    secret_deinit(&certificate->key);
    arena_deinit(&certificate->arena);
    *certificate = (struct certificate){0};
}

/* asking */

/* However an IPv6 address is written, it is told in one way. */
static const char *canonical(const char *name, char text[INET6_ADDRSTRLEN])
{
    unsigned char bytes[16];

    if (inet_pton(AF_INET6, name, bytes) != 1)
        return name;
    return inet_ntop(AF_INET6, bytes, text, INET6_ADDRSTRLEN);
}

static bool has_name(const struct certificate *certificate, const char *name)
{
    array_for_each (one, certificate->names)
        if (str_equal(*one, name))
            return true;
    return false;
}

bool certificate_has_names(const struct certificate *certificate, const char *const *names)
{
    char text[INET6_ADDRSTRLEN];

    for (; *names; names++)
        if (!has_name(certificate, canonical(*names, text)))
            return false;
    return true;
}
