/* api/certificate-answer: what has become of a request. */
#include "authority.h"

#include "nodeagent/api/certificate_answer.h"
#include "nodeagent/api/certificate_request.h"
#include "nodeagent/base/base64.h"

static const struct json *parse(struct arena *arena, const char *text)
{
    struct json_findings findings;
    struct json *root;
    struct err err;

    if (json_parse(arena, text, strlen(text), &json_limits_manifest, &findings, &root, &err) < 0)
        fail_msg("%s: %s", text, err.text);
    return root;
}

#define OBJECT(status)                                                                             \
    "{\"kind\":\"CertificateSigningRequest\",\"metadata\":{\"name\":\"csr-1\",\"uid\":\"u\"},"     \
    "\"spec\":{\"signerName\":\"kubernetes.io/kubelet-serving\"}" status "}"
#define CONDITION(type) "{\"type\":\"" type "\",\"reason\":\"R\",\"message\":\"says " type "\"}"

static void test_states(void **state)
{
    static const struct {
        const char *text;
        enum certificate_state state;
        const char *message;
    } cases[] = {
        {OBJECT(""), CERTIFICATE_PENDING, "certificate request csr-1 waits for approval (kubectl "},
        {OBJECT(",\"status\":{}"), CERTIFICATE_PENDING, "kubectl certificate approve csr-1"},
        {OBJECT(",\"status\":null"), CERTIFICATE_PENDING, "waits for approval"},
        {OBJECT(",\"status\":{\"conditions\":[]}"), CERTIFICATE_PENDING, "waits for approval"},
        {OBJECT(",\"status\":{\"conditions\":[{\"type\":\"Other\"}]}"), CERTIFICATE_PENDING, ""},
        {OBJECT(",\"status\":{\"certificate\":\"UEVN\"}"), CERTIFICATE_PENDING, ""},
        {OBJECT(",\"status\":{\"conditions\":[" CONDITION("Approved") "]}"), CERTIFICATE_APPROVED,
         "csr-1 is approved and waits for its signer, kubernetes.io/kubelet-serving"},
        {OBJECT(",\"status\":{\"conditions\":[" CONDITION("Approved") "],\"certificate\":\"\"}"),
         CERTIFICATE_APPROVED, ""},
        {OBJECT(
             ",\"status\":{\"conditions\":[" CONDITION("Approved") "],\"certificate\":\"UEVN\"}"),
         CERTIFICATE_ISSUED, "csr-1 is fulfilled"},
        {OBJECT(",\"status\":{\"conditions\":[" CONDITION("Denied") "]}"), CERTIFICATE_DENIED,
         "certificate request csr-1 was denied: R: says Denied"},
        {OBJECT(",\"status\":{\"conditions\":[" CONDITION("Approved") "," CONDITION("Failed") "]}"),
         CERTIFICATE_FAILED,
         "csr-1 was not signed by kubernetes.io/kubelet-serving: R: says Failed"},
        {OBJECT(",\"status\":{\"conditions\":[" CONDITION("Denied") "," CONDITION(
             "Approved") "],\"certificate\":\"UEVN\"}"),
         CERTIFICATE_DENIED, "says Denied"},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
        struct certificate_answer answer;
        struct err err;

        assert_int_equal(
            certificate_answer_read(&answer, &arena, parse(&arena, cases[i].text), &err), 0);
        assert_int_equal(answer.state, cases[i].state);
        assert_non_null(strstr(answer.message, cases[i].message));
        assert_string_equal(answer.name, "csr-1");
        if (answer.state == CERTIFICATE_ISSUED) {
            assert_string_equal(answer.chain, "PEM");
            assert_int_equal(answer.chain_length, 3);
        } else {
            assert_null(answer.chain);
        }
    }
}

static void test_a_long_message_is_cut(void **state)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;
    struct certificate_answer answer;
    struct err err;

    strbuf_add(&text, "{\"kind\":\"CertificateSigningRequest\",\"status\":{\"conditions\":[{"
                      "\"type\":\"Denied\",\"message\":\"a");
    for (size_t i = 0; i < 1000; i++)
        strbuf_add(&text, "é");
    strbuf_add(&text, "\"}]}}");
    assert_int_equal(certificate_answer_read(&answer, &arena, parse(&arena, text.text), &err), 0);
    assert_true(strlen(answer.message) < 400);
    assert_null(utf8_check(answer.message, strlen(answer.message)));
}

static void test_what_is_no_such_object(void **state)
{
    static const struct {
        const char *text, *sentence;
    } cases[] = {
        {"[]", "the API server's answer is no CertificateSigningRequest, but a list"},
        {"{}", "but an object of another kind"},
        {"{\"kind\":\"Pod\"}", "of another kind"},
        {"{\"kind\":\"CertificateSigningRequest\",\"metadata\":3}",
         "metadata must not be a number"},
        {"{\"kind\":\"CertificateSigningRequest\",\"metadata\":{\"name\":[]}}",
         "name must not be a list"},
        {"{\"kind\":\"CertificateSigningRequest\",\"spec\":\"x\"}", "spec must not be a string"},
        {OBJECT(",\"status\":{\"conditions\":{}}"), "conditions must not be an object"},
        {OBJECT(",\"status\":{\"conditions\":[1]}"), "a condition must not be a number"},
        {OBJECT(",\"status\":{\"conditions\":[{\"type\":1}]}"), "type must not be a number"},
        {OBJECT(",\"status\":{\"conditions\":[" CONDITION("Approved") "],\"certificate\":\"!\"}"),
         "certificate is no base64"},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
        struct certificate_answer answer;
        struct err err;

        assert_int_equal(
            certificate_answer_read(&answer, &arena, parse(&arena, cases[i].text), &err), -EINVAL);
        assert_sentence(&err, cases[i].sentence);
    }
}

static void test_limits(void **state)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    _cleanup_(strbuf_deinit) struct strbuf many = STRBUF_INIT, big = STRBUF_INIT;
    struct certificate_answer answer;
    struct err err;

    strbuf_add(&many, "{\"kind\":\"CertificateSigningRequest\",\"status\":{\"conditions\":[{}");
    strbuf_add(&big,
               "{\"kind\":\"CertificateSigningRequest\",\"status\":{\"conditions\":[" CONDITION(
                   "Approved") "],\"certificate\":\"");
    for (size_t i = 0; i < 64; i++)
        strbuf_add(&many, ",{}");
    strbuf_add(&many, "]}}");
    for (size_t i = 0; i < 2 * CERTIFICATE_TEXT_MAX + 4; i += 4)
        strbuf_add(&big, "AAAA");
    strbuf_add(&big, "\"}}");
    assert_int_equal(certificate_answer_read(&answer, &arena, parse(&arena, many.text), &err),
                     -E2BIG);
    assert_sentence(&err, "more than 64 conditions");
    assert_int_equal(certificate_answer_read(&answer, &arena, parse(&arena, big.text), &err),
                     -EFBIG);
    assert_sentence(&err, "certificate has more than");
}

/* From the wish to the certificate in hand, with the real texts. */
static void test_from_a_wish_to_a_certificate(void **state)
{
    static const struct certificate_wish wish = {.node = "n"};
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    _cleanup_(secret_deinit) struct strbuf key = STRBUF_INIT, other = STRBUF_INIT;
    _cleanup_(strbuf_deinit) struct strbuf pem = STRBUF_INIT, body = STRBUF_INIT,
                                           issued = STRBUF_INIT, signed_body = STRBUF_INIT;
    struct authority authority;
    struct certificate_answer answer;
    struct certificate certificate;
    struct err err;

    assert_int_equal(certificate_key_make(&key, &err), 0);
    assert_int_equal(certificate_key_make(&other, &err), 0);
    assert_int_equal(certificate_request_make(&wish, &key, &pem, &err), 0);
    certificate_request_write(&wish, &pem, &body);

    authority_init(&authority);
    BIO *bio = BIO_new_mem_buf(key.text, (int)key.length);
    EVP_PKEY *loaded = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);

    add_issued(&issued, &authority, loaded, &(struct issue){0});
    add_certificate(&issued, authority.certificate);
    body.text[--body.length] = '\0'; /* the object's end */
    strbuf_add(&signed_body, body.text);
    strbuf_add(&signed_body,
               ",\"status\":{\"conditions\":[" CONDITION("Approved") "],\"certificate\":\"");
    base64_encode(&signed_body, issued.text, issued.length);
    strbuf_add(&signed_body, "\"}}");
    assert_int_equal(
        certificate_answer_read(&answer, &arena, parse(&arena, signed_body.text), &err), 0);
    assert_int_equal(answer.state, CERTIFICATE_ISSUED);

    struct certificate_text chain = {"csr-1", answer.chain, answer.chain_length},
                            ours = text_of("the node's key", &key),
                            foreign = text_of("the node's key", &other);

    assert_int_equal(certificate_parse(&certificate, &chain, &ours, &err), 0);
    assert_string_equal(certificate.chain, issued.text);
    certificate_deinit(&certificate);
    assert_int_equal(certificate_parse(&certificate, &chain, &foreign, &err), -EINVAL);
    assert_sentence(&err, "csr-1: the private key of the node's key does not belong to it");
    EVP_PKEY_free(loaded);
    BIO_free(bio);
    authority_deinit(&authority);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_states),
        cmocka_unit_test(test_a_long_message_is_cut),
        cmocka_unit_test(test_what_is_no_such_object),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_from_a_wish_to_a_certificate),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
