/* api/certificate: certificates as they come from files and from the API server, good and bad. */
#include "authority.h"

#include <openssl/err.h>

struct world {
    struct authority authority;
    EVP_PKEY *key, *other;
    struct strbuf chain;      /* a node's certificate, then the authority's */
    struct strbuf key_text;   /* of the first */
    struct strbuf other_text; /* of nobody here */
};

static int set_up(void **state)
{
    struct world *world = mem_new(struct world);

    authority_init(&world->authority);
    world->key = EVP_EC_gen("P-256");
    world->other = EVP_EC_gen("P-256");
    add_issued(&world->chain, &world->authority, world->key,
               &(struct issue){.names = "DNS:n.example.com,IP:10.0.0.5,IP:fd00::5,email:a@b"});
    add_certificate(&world->chain, world->authority.certificate);
    add_key(&world->key_text, world->key);
    add_key(&world->other_text, world->other);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;

    authority_deinit(&world->authority);
    EVP_PKEY_free(world->key);
    EVP_PKEY_free(world->other);
    strbuf_deinit(&world->chain);
    strbuf_deinit(&world->key_text);
    strbuf_deinit(&world->other_text);
    free(world);
    return 0;
}

static int parse(struct certificate *certificate, const struct strbuf *chain,
                 const struct strbuf *key, struct err *err)
{
    struct certificate_text chain_text = text_of("a.crt", chain),
                            key_text = key ? text_of("a.key", key) : chain_text;

    int r;

    *err = (struct err){0};
    r = certificate_parse(certificate, &chain_text, key ? &key_text : NULL, err);
    assert_int_equal(ERR_peek_error(), 0); /* nothing for others to stumble over */
    return r;
}

/* Nothing is left to free, and no line of the key is in the sentence. */
static void assert_refused(const struct strbuf *chain, const struct strbuf *key, int code,
                           const char *sentence)
{
    struct certificate certificate;
    struct err err;

    assert_int_equal(parse(&certificate, chain, key, &err), code);
    assert_sentence(&err, sentence);
    assert_null(certificate.key.text);
    assert_null(certificate.arena.blocks);
}

static void test_a_chain_with_its_key(void **state)
{
    struct world *world = *state;
    struct certificate certificate;
    struct err err;

    assert_int_equal(parse(&certificate, &world->chain, &world->key_text, &err), 0);
    assert_string_equal(certificate.common_name, "system:node:n");
    assert_true(certificate.not_before == SECONDS(NOW - HOUR));
    assert_true(certificate.not_after == SECONDS(NOW + 24 * HOUR));
    assert_true(certificate.chain_ends == certificate.not_after);
    assert_string_equal(certificate.chain, world->chain.text);
    assert_int_equal(certificate.chain_length, world->chain.length);
    assert_string_equal(certificate.key.text, world->key_text.text);
    certificate_deinit(&certificate);
    assert_null(certificate.key.text);
}

static void test_one_text_for_both(void **state)
{
    _cleanup_(strbuf_deinit) struct strbuf both = STRBUF_INIT;
    struct world *world = *state;
    struct certificate certificate;
    struct err err;

    strbuf_add(&both, "Bag Attributes\n  friendlyName: n\n");
    strbuf_add(&both, world->key_text.text);
    strbuf_add(&both, world->chain.text);
    assert_int_equal(parse(&certificate, &both, &both, &err), 0);
    assert_string_equal(certificate.chain, world->chain.text);
    assert_string_equal(certificate.key.text, world->key_text.text);
    certificate_deinit(&certificate);
}

static void test_without_a_key_none_is_wanted(void **state)
{
    struct world *world = *state;
    struct certificate certificate;
    struct err err;

    assert_int_equal(parse(&certificate, &world->chain, NULL, &err), 0);
    assert_int_equal(certificate.key.length, 0);
    certificate_deinit(&certificate);
}

static void test_whom_it_speaks_for(void **state)
{
    struct world *world = *state;
    struct certificate certificate;
    struct err err;

    assert_int_equal(parse(&certificate, &world->chain, NULL, &err), 0);
    assert_int_equal(certificate.names.count, 3);
    assert_true(
        certificate_has_names(&certificate, (const char *[]){"10.0.0.5", "fd00:0:0::0005",
                                                             "n.example.com", "fd00::5", NULL}));
    assert_true(certificate_has_names(&certificate, (const char *[]){NULL}));
    assert_false(certificate_has_names(&certificate, (const char *[]){"10.0.0.5", "m", NULL}));
    assert_false(certificate_has_names(&certificate, (const char *[]){"fd00::6", NULL}));
    certificate_deinit(&certificate);
}

static void test_times(void **state)
{
    struct world *world = *state;
    static const struct {
        int64_t from, to;
    } cases[] = {
        {NOW - HOUR, NOW},
        {NOW + HOUR, NOW + 2 * HOUR},
        {-5 * HOUR, 100},
        {NOW, 253402300799}, /* the end of the year 9999 */
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;
        struct certificate certificate;
        struct err err;

        add_issued(&text, &world->authority, world->key,
                   &(struct issue){.from = cases[i].from, .to = cases[i].to});
        assert_int_equal(parse(&certificate, &text, &world->key_text, &err), 0);
        assert_true(certificate.not_before == SECONDS(cases[i].from));
        assert_true(certificate.not_after == SECONDS(cases[i].to));
        certificate_deinit(&certificate);
    }
}

static void test_a_chain_ends_with_its_first(void **state)
{
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;
    struct world *world = *state;
    struct certificate certificate;
    struct err err;

    add_issued(&text, &world->authority, world->key, &(struct issue){0});
    add_issued(&text, &world->authority, world->other, &(struct issue){.to = NOW - 5});
    assert_int_equal(parse(&certificate, &text, &world->key_text, &err), 0);
    assert_true(certificate.chain_ends == SECONDS(NOW - 5));
    certificate_deinit(&certificate);
}

static void test_subjects(void **state)
{
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;
    struct world *world = *state;
    struct certificate certificate;
    char name[300];
    struct err err;

    /* A node's name may have 253 characters, more than X.520 knows. */
    memset(name, 'a', sizeof(name));
    memcpy(name, "system:node:", 12);
    name[265] = '\0';
    add_issued(&text, &world->authority, world->key,
               &(struct issue){.common_name = name, .organizations = {"a", "system:nodes", "é"}});
    assert_int_equal(parse(&certificate, &text, NULL, &err), 0);
    assert_string_equal(certificate.common_name, name);
    certificate_deinit(&certificate);
}

static void test_a_subject_that_is_no_text(void **state)
{
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;
    struct world *world = *state;
    X509 *certificate = issue(NULL, world->key, &(struct issue){0});

    X509_NAME_add_entry_by_NID(X509_get_subject_name(certificate), NID_commonName,
                               V_ASN1_UTF8STRING, (const unsigned char *)"system:node:n\0.evil", 19,
                               -1, 0);
    X509_sign(certificate, world->key, EVP_sha256());
    add_certificate(&text, certificate);
    X509_free(certificate);
    assert_refused(&text, &world->key_text, -EINVAL,
                   "a.crt: the subject of its first certificate has no readable text");
}

static void test_keys_of_others(void **state)
{
    _cleanup_(strbuf_deinit) struct strbuf authority_key = STRBUF_INIT;
    struct world *world = *state;

    assert_refused(&world->chain, &world->other_text, -EINVAL,
                   "a.crt: the private key of a.key does not belong to it; give a pair");
    add_key(&authority_key, world->authority.key);
    assert_refused(&world->chain, &authority_key, -EINVAL,
                   "a.crt: the key of a.key belongs to certificate 2 of it; that one must come "
                   "first");
}

static void test_kinds_of_keys(void **state)
{
    EVP_PKEY *keys[] = {EVP_RSA_gen(2048), EVP_EC_gen("P-384"),
                        EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")};

    for (size_t i = 0; i < array_size(keys); i++) {
        _cleanup_(strbuf_deinit) struct strbuf chain = STRBUF_INIT, key = STRBUF_INIT;
        BIO *bio = BIO_new(BIO_s_mem());
        struct world *world = *state;
        struct certificate certificate;
        struct err err;

        add_issued(&chain, &world->authority, keys[i], &(struct issue){0});
        PEM_write_bio_PKCS8PrivateKey(bio, keys[i], NULL, NULL, 0, NULL, NULL);
        take_text(bio, &key);
        assert_int_equal(parse(&certificate, &chain, &key, &err), 0);
        assert_string_equal(certificate.key.text, key.text);
        certificate_deinit(&certificate);
        assert_refused(&chain, &world->key_text, -EINVAL, "does not belong to it");
        EVP_PKEY_free(keys[i]);
    }
}

/* A digit of the private part is another one; the public part is as it was. */
static void test_a_damaged_key(void **state)
{
    _cleanup_(strbuf_deinit) struct strbuf damaged = STRBUF_INIT;
    struct world *world = *state;
    char *digit;

    strbuf_add(&damaged, world->key_text.text);
    digit = strchr(damaged.text, '\n') + 40;
    *digit = *digit == 'A' ? 'B' : 'A';
    assert_refused(&world->chain, &damaged, -EINVAL, "a.key: its private key is damaged");
}

static void test_keys_that_cannot_be_used(void **state)
{
    _cleanup_(strbuf_deinit) struct strbuf pkcs8 = STRBUF_INIT, old = STRBUF_INIT,
                                           disguised = STRBUF_INIT;
    struct world *world = *state;
    BIO *bio = BIO_new(BIO_s_mem());
    struct strbuf none = {.text = (char[]){"-----BEGIN PRIVATE KEY-----\nMAA=\n"
                                           "-----END PRIVATE KEY-----\n"},
                          .length = 59};

    PEM_write_bio_PKCS8PrivateKey(bio, world->key, EVP_aes_128_cbc(), "secret", 6, NULL, NULL);
    take_text(bio, &pkcs8);
    bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey_traditional(bio, world->key, EVP_aes_128_cbc(),
                                         (const unsigned char *)"secret", 6, NULL, NULL);
    take_text(bio, &old);
    assert_refused(&world->chain, &pkcs8, -EINVAL, "a.key: its private key is encrypted");
    assert_refused(&world->chain, &old, -EINVAL, "a.key: its private key is encrypted");
    assert_refused(&world->chain, &none, -EINVAL, "a.key: its private key cannot be read");

    /* Nobody is asked for a passphrase, whatever it says it is. */
    for (const char *c = pkcs8.text; *c; c++) {
        if (str_has_prefix(c, "ENCRYPTED "))
            c += strlen("ENCRYPTED ");
        strbuf_add_char(&disguised, *c);
    }
    assert_refused(&world->chain, &disguised, -EINVAL, "a.key: its private key cannot be read");
}

static void test_texts_of_another_kind(void **state)
{
    struct world *world = *state;
    static const struct {
        const char *text, *sentence;
    } cases[] = {
        {"", "a.crt: it is empty"},
        {"hello", "a.crt: there is no certificate in it; it must hold one in PEM"},
        {"\x30\x82\x01\x01\x30", "it seems to be DER"},
        {"-----BEGIN CERTIFICATE-----\n", "a.crt: a block of PEM in it is broken or cut off"},
        {"-----BEGIN CERTIFICATE-----\nMIIB\n-----END KEY-----\n", "broken or cut off"},
        {"-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n", "broken or cut off"},
        {"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n", "a.crt: "},
        {"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n",
         "a.crt: certificate 1 in it cannot be read"},
        {"-----BEGIN PUBLIC KEY-----\nMAA=\n-----END PUBLIC KEY-----\n",
         "a.crt: there is no certificate in it"},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        struct strbuf text = {.text = (char *)cases[i].text, .length = strlen(cases[i].text)};

        assert_refused(&text, &world->key_text, -EINVAL, cases[i].sentence);
    }
    assert_refused(&world->key_text, &world->key_text, -EINVAL, "a.crt: there is no certificate");
    assert_refused(&world->chain, &world->chain, -EINVAL, "a.key: there is no private key in it");
}

/* Wherever a file is cut, it is refused, or has whole certificates alone. */
static void test_truncated(void **state)
{
    struct world *world = *state;

    for (size_t length = 0; length < world->chain.length; length++) {
        struct strbuf text = {.text = mem_strndup(world->chain.text, length), .length = length};
        struct certificate certificate;
        struct err err;
        int r = parse(&certificate, &text, &world->key_text, &err);

        assert_true(r == 0 ? certificate.chain_length < world->chain.length + 1 : r == -EINVAL);
        if (r == 0)
            certificate_deinit(&certificate);
        free(text.text);
    }
}

static void test_limits(void **state)
{
    _cleanup_(strbuf_deinit) struct strbuf many = STRBUF_INIT, big = STRBUF_INIT,
                                           names = STRBUF_INIT, named = STRBUF_INIT,
                                           blocks = STRBUF_INIT;
    struct world *world = *state;

    for (size_t i = 0; i < CERTIFICATE_CHAIN_MAX + 1; i++)
        strbuf_add(&many, world->chain.text);
    assert_refused(&many, &world->key_text, -E2BIG, "more than the 16 certificates");
    while (big.length < 10 << 20)
        strbuf_add(&big, world->chain.text);
    assert_refused(&big, &world->key_text, -EFBIG, "a.crt: it has more than the 262144 bytes");
    assert_refused(&world->chain, &big, -EFBIG, "a.key: it has more than the 262144 bytes");
    for (size_t i = 0; i < CERTIFICATE_NAMES_MAX + 1; i++)
        strbuf_printf(&names, "%sDNS:n%zu", i ? "," : "", i);
    add_issued(&named, &world->authority, world->key, &(struct issue){.names = names.text});
    assert_refused(&named, &world->key_text, -EINVAL, "are more than 256");
    for (size_t i = 0; i < 100; i++)
        strbuf_add(&blocks, "-----BEGIN X-----\nMAA=\n-----END X-----\n");
    assert_refused(&world->chain, &blocks, -E2BIG, "no private key among its first");
}

static void test_files(void **state)
{
    struct world *world = *state;
    char *place = make_place(), *chain = mem_printf("%s/a.crt", place),
         *key = mem_printf("%s/a.key", place), *none = mem_printf("%s/none", place);
    struct certificate certificate;
    struct err err;

    write_text(place, "a.crt", &world->chain);
    write_text(place, "a.key", &world->key_text);
    assert_int_equal(certificate_read(&certificate, chain, key, &err), 0);
    certificate_deinit(&certificate);
    assert_int_equal(certificate_read(&certificate, chain, none, &err), -ENOENT);
    assert_sentence(&err, none);
    assert_int_equal(certificate_read(&certificate, place, key, &err), -EISDIR);
    assert_sentence(&err, "not a regular file");
    assert_int_equal(certificate_read(&certificate, chain, chain, &err), -EINVAL);
    assert_sentence(&err, "/a.crt: there is no private key in it");
    free(chain);
    free(key);
    free(none);
    remove_place(place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_chain_with_its_key),
        cmocka_unit_test(test_one_text_for_both),
        cmocka_unit_test(test_without_a_key_none_is_wanted),
        cmocka_unit_test(test_whom_it_speaks_for),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_a_chain_ends_with_its_first),
        cmocka_unit_test(test_subjects),
        cmocka_unit_test(test_a_subject_that_is_no_text),
        cmocka_unit_test(test_keys_of_others),
        cmocka_unit_test(test_kinds_of_keys),
        cmocka_unit_test(test_a_damaged_key),
        cmocka_unit_test(test_keys_that_cannot_be_used),
        cmocka_unit_test(test_texts_of_another_kind),
        cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_files),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
