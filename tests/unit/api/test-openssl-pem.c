/* api/openssl-pem: blocks of PEM, and OpenSSL's errors as sentences. */
#include "authority.h"
#include "openssl-pem.h"

#include <openssl/err.h>

#define BLOCK(label) "-----BEGIN " label "-----\nAAEC\n-----END " label "-----\n"

static void test_blocks_come_one_by_one(void **state)
{
    static const char text[] = "before\n" BLOCK("A") "between\n" BLOCK("B C") "after";
    struct certificate_text all = {"f", text, strlen(text)};
    _cleanup_(BIO_free_at) BIO *from = pem_reader(&all), *to = pem_collector();
    struct pem_block block;
    char *written;

    assert_int_equal(pem_next(from, "f", &block, NULL), 1);
    assert_string_equal(block.label, "A");
    assert_int_equal(block.length, 3);
    assert_memory_equal(block.bytes, "\0\1\2", 3);
    pem_write_block(to, &block);
    assert_int_equal(BIO_get_mem_data(to, &written), strlen(BLOCK("A")));
    assert_memory_equal(written, BLOCK("A"), strlen(BLOCK("A")));
    pem_block_deinit(&block);
    assert_int_equal(pem_next(from, "f", &block, NULL), 1);
    assert_string_equal(block.label, "B C");
    pem_block_deinit(&block);
    assert_int_equal(pem_next(from, "f", &block, NULL), 0);
    assert_int_equal(ERR_peek_error(), 0);
}

static void test_a_failure_leaves_no_error_behind(void **state)
{
    struct certificate_text cut = {"f", "-----BEGIN A-----\nAA", 20};
    _cleanup_(BIO_free_at) BIO *from = pem_reader(&cut);
    struct pem_block block;
    struct err err;

    assert_int_equal(pem_next(from, "f", &block, &err), -EINVAL);
    assert_sentence(&err, "f: a block of PEM in it is broken or cut off");
    assert_int_equal(ERR_peek_error(), 0);
    assert_int_equal(openssl_failed(&err, "%s", "alone"), -EINVAL);
    assert_string_equal(err.text, "alone");
    ERR_raise(ERR_LIB_PEM, PEM_R_BAD_END_LINE);
    openssl_failed(&err, "with %d", 1);
    assert_string_equal(err.text, "with 1 (OpenSSL: bad end line)");
}

static void test_names(void **state)
{
    static const struct {
        const char *name, *sentence;
    } bad[] = {
        {"", "a name in a certificate must be an IP address"},
        {"UPPER", "UPPER: a name in a certificate must be"},
        {"10.0.0", NULL}, /* a DNS name */
        {"10.0.0.05", NULL},
        {"fe80::1%eth0", "must be an IP address"},
        {"::ffff:10.0.0.1", "must be an IP address"},
        {"*.example.com", "must be an IP address"},
    };

    for (size_t i = 0; i < array_size(bad); i++) {
        _cleanup_(X509_EXTENSION_free_at) X509_EXTENSION *extension = NULL;
        const char *names[] = {"10.0.0.1", bad[i].name, NULL};
        struct err err;
        int r = pem_names_extension(names, &extension, &err);

        assert_int_equal(r, bad[i].sentence ? -EINVAL : 0);
        if (bad[i].sentence)
            assert_sentence(&err, bad[i].sentence);
    }
}

static void test_too_many_names(void **state)
{
    _cleanup_(X509_EXTENSION_free_at) X509_EXTENSION *extension = NULL;
    const char *names[CERTIFICATE_NAMES_MAX + 2] = {0};
    struct err err;

    for (size_t i = 0; i <= CERTIFICATE_NAMES_MAX; i++)
        names[i] = "n";
    assert_int_equal(pem_names_extension(names, &extension, &err), -E2BIG);
    assert_sentence(&err, "at most 256 names");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks_come_one_by_one),
        cmocka_unit_test(test_a_failure_leaves_no_error_behind),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_too_many_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
