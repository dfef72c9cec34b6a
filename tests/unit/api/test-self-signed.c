/* api/self-signed: what a node serves with until it has better. */
#include "authority.h"
#include "self-signed.h"

#include "nodeagent/api/certificate_request.h"

static void make(const char *host, struct strbuf *pem)
{
    _cleanup_(secret_deinit) struct strbuf key = STRBUF_INIT;
    struct certificate certificate;
    struct err err;

    assert_int_equal(certificate_key_make(&key, &err), 0);
    assert_int_equal(self_signed_make(host, &key, SECONDS(NOW), pem, &err), 0);

    struct certificate_text chain = text_of("a", pem), key_text = text_of("b", &key);

    assert_int_equal(certificate_parse(&certificate, &chain, &key_text, &err), 0);
    assert_string_equal(certificate.common_name, host);
    assert_true(certificate_has_names(&certificate, (const char *[]){host, NULL}));
    assert_int_equal(certificate.names.count, 1);
    assert_true(certificate.not_before == SECONDS(NOW - HOUR));
    assert_true(certificate.not_after == SECONDS(NOW + 365 * 24 * HOUR));
    certificate_deinit(&certificate);
}

static void test_openssl_takes_it(void **state)
{
    _cleanup_(strbuf_deinit) struct strbuf pem = STRBUF_INIT, shown = STRBUF_INIT;
    char *place = make_place(),
         *line = mem_printf("cd %s && openssl x509 -in a.crt -noout -text && "
                            "openssl verify -attime %lld -purpose sslserver -verify_hostname "
                            "n.example.com -CAfile a.crt a.crt",
                            place, (long long)NOW);

    make("n.example.com", &pem);
    write_text(place, "a.crt", &pem);
    run(&shown, line);
    assert_non_null(strstr(shown.text, "a.crt: OK"));
    assert_non_null(strstr(shown.text, "DNS:n.example.com"));
    assert_non_null(strstr(shown.text, "TLS Web Server Authentication"));
    assert_non_null(strstr(shown.text, "CA:FALSE"));
    assert_non_null(strstr(shown.text, "Version: 3"));
    free(line);
    remove_place(place);
}

static void test_hosts(void **state)
{
    static const char *const good[] = {"n", "10.0.0.5", "fd00::5"};
    _cleanup_(secret_deinit) struct strbuf key = STRBUF_INIT;
    struct strbuf pem = STRBUF_INIT;
    struct err err;

    for (size_t i = 0; i < array_size(good); i++) {
        _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;

        make(good[i], &text);
    }
    assert_int_equal(certificate_key_make(&key, &err), 0);
    assert_int_equal(self_signed_make("a b", &key, SECONDS(NOW), &pem, &err), -EINVAL);
    assert_sentence(&err, "a b: a name in a certificate must be");
    strbuf_truncate(&key, 40);
    assert_int_equal(self_signed_make("n", &key, SECONDS(NOW), &pem, &err), -EINVAL);
    assert_sentence(&err, "the node's key: ");
    assert_null(pem.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_openssl_takes_it),
        cmocka_unit_test(test_hosts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
