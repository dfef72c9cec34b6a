/* api/pem: certificates and keys that can be used, and those that cannot. */
#include "kubeconfig-place.h"

#include "pem.h"

static void test_authorities(void **state)
{
    struct place *place = *state;
    char *two = mem_printf("# mine\n%s%s", place->node.certificate, place->other.certificate);
    static const char *const refused[] = {
        "", "x", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"};
    struct err err;

    assert_int_equal(pem_check_authority(place->node.certificate, NULL), 0);
    assert_int_equal(pem_check_authority(two, NULL), 0);
    for (size_t i = 0; i < array_size(refused); i++) {
        assert_int_equal(pem_check_authority(refused[i], &err), -EINVAL);
        assert_string_equal(err.text, "has no certificate in it that is PEM");
    }
    assert_int_equal(pem_check_authority(place->node.key, NULL), -EINVAL);
    free(two);
}

static void test_a_certificate_has_its_key(void **state)
{
    struct place *place = *state;
    char *both = mem_printf("%s%s", place->node.certificate, place->node.key);
    char *locked = locked_key(place->node.key), *damaged = mem_strdup(place->node.key);
    char *digit = strchr(damaged, '\n') + 56; /* of the private part alone */
    const struct {
        const char *certificate, *key, *expected;
    } cases[] = {
        {place->node.certificate, place->node.key, NULL},
        {both, both, NULL},
        {place->node.certificate, place->other.key, "its key is another certificate's"},
        {place->node.key, place->node.key, "has no certificate in it that is PEM"},
        {place->node.certificate, place->node.certificate,
         "its key: there is no private key in it; it must hold one in PEM, which begins with a "
         "line such as -----BEGIN EC PRIVATE KEY-----"},
        {place->node.certificate, locked,
         "its key: its private key is encrypted, and nobody could be asked for the passphrase; "
         "store it without one (openssl pkey)"},
        {place->node.certificate, damaged, "its key: its private key is damaged; make a new pair"},
    };

    *digit = *digit == 'A' ? 'B' : 'A';
    for (size_t i = 0; i < array_size(cases); i++) {
        struct err err = {0};
        int r = pem_check_pair(cases[i].certificate, cases[i].key, &err);

        assert_int_equal(r, cases[i].expected ? -EINVAL : 0);
        assert_ptr_equal(strstr(err.text, cases[i].expected ? cases[i].expected : ""), err.text);
    }
    free(damaged);
    free(locked);
    free(both);
}

static void test_files(void **state)
{
    struct place *place = *state;
    struct strbuf text = STRBUF_INIT;
    char path[PATH_MAX];
    struct err err;

    snprintf(path, sizeof(path), "%s/node.crt", place->directory);
    assert_int_equal(pem_read(path, &text, NULL), 0);
    assert_string_equal(text.text, place->node.certificate);
    assert_int_equal(pem_read(place->path, &text, &err), -ENOENT);
    assert_int_equal(truncate(path, 5000), 0); /* NULs follow */
    assert_int_equal(pem_read(path, &text, &err), -EINVAL);
    assert_string_equal(text.text, place->node.certificate);
    assert_int_equal(truncate(path, PEM_BYTES_MAX + 1), 0);
    assert_int_equal(pem_read(path, &text, &err), -EFBIG);
    strbuf_deinit(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_place(test_authorities),
        in_place(test_a_certificate_has_its_key),
        in_place(test_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
