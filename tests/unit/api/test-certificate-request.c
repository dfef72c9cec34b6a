/* api/certificate-request: keys, requests and their objects, looked at by OpenSSL's program too. */
#include "authority.h"

#include "nodeagent/api/certificate_request.h"

static const struct certificate_wish client = {.node = "n"};
static const struct certificate_wish serving = {
    .use = CERTIFICATE_SERVING,
    .node = "n",
    .names = (const char *const[]){"n.example.com", "10.0.0.5", "fd00::5", "n", NULL},
};

static void make_key(struct strbuf *key)
{
    struct err err;

    assert_int_equal(certificate_key_make(key, &err), 0);
}

/* What `openssl req` or another of its commands prints of a text. */
static void show(struct strbuf *shown, const char *command, const struct strbuf *text)
{
    char *place = make_place(),
         *line = mem_printf("cd %s && openssl %s -in text 2>&1", place, command);

    write_text(place, "text", text);
    run(shown, line);
    free(line);
    remove_place(place);
}

static void assert_shown(const struct strbuf *shown, const char *part)
{
    if (!strstr(shown->text, part))
        fail_msg("\"%s\" is not in:\n%s", part, shown->text);
}

static void test_a_key(void **state)
{
    _cleanup_(secret_deinit) struct strbuf key = STRBUF_INIT, other = STRBUF_INIT;
    _cleanup_(strbuf_deinit) struct strbuf shown = STRBUF_INIT, pem = STRBUF_INIT;
    struct err err;

    make_key(&key);
    make_key(&other);
    assert_true(str_has_prefix(key.text, "-----BEGIN EC PRIVATE KEY-----\n"));
    assert_string_not_equal(key.text, other.text);
    show(&shown, "ec -check -noout", &key);
    assert_shown(&shown, "EC Key valid");
    assert_true(key.length <= CERTIFICATE_KEY_MAX);
    strbuf_truncate(&other, 100);
    assert_int_equal(certificate_request_make(&client, &other, &pem, &err), -EINVAL);
    assert_sentence(&err, "the node's key: ");
}

static void test_a_request_of_a_client(void **state)
{
    _cleanup_(secret_deinit) struct strbuf key = STRBUF_INIT;
    _cleanup_(strbuf_deinit) struct strbuf pem = STRBUF_INIT, shown = STRBUF_INIT;
    struct err err;

    make_key(&key);
    assert_int_equal(certificate_request_make(&client, &key, &pem, &err), 0);
    assert_true(str_has_prefix(pem.text, "-----BEGIN CERTIFICATE REQUEST-----\n"));
    show(&shown, "req -noout -text -verify -nameopt RFC2253", &pem);
    assert_shown(&shown, "verify OK");
    assert_shown(&shown, "Subject: CN=system:node:n,O=system:nodes\n");
    assert_shown(&shown, "NIST CURVE: P-256");
    assert_shown(&shown, "ecdsa-with-SHA256");
    assert_shown(&shown, "Version: 1 (0x0)");
    assert_null(strstr(shown.text, "Alternative"));
}

static void test_a_request_for_serving(void **state)
{
    _cleanup_(secret_deinit) struct strbuf key = STRBUF_INIT;
    _cleanup_(strbuf_deinit) struct strbuf pem = STRBUF_INIT, shown = STRBUF_INIT;
    struct err err;

    make_key(&key);
    assert_int_equal(certificate_request_make(&serving, &key, &pem, &err), 0);
    show(&shown, "req -noout -text -verify -nameopt RFC2253", &pem);
    assert_shown(&shown, "verify OK");
    assert_shown(&shown, "Subject: CN=system:node:n,O=system:nodes\n");
    assert_shown(&shown, "DNS:n.example.com, IP Address:10.0.0.5, IP Address:FD00:0:0:0:0:0:0:5, "
                         "DNS:n\n");
}

static void test_a_long_name(void **state)
{
    _cleanup_(secret_deinit) struct strbuf key = STRBUF_INIT;
    _cleanup_(strbuf_deinit) struct strbuf pem = STRBUF_INIT, shown = STRBUF_INIT;
    char name[254], *user = mem_printf("CN=system:node:%0253d,O=", 0);
    struct err err;

    memset(name, '0', sizeof(name));
    name[253] = '\0';
    make_key(&key);
    assert_int_equal(
        certificate_request_make(&(struct certificate_wish){.node = name}, &key, &pem, &err), 0);
    show(&shown, "req -noout -subject -nameopt RFC2253", &pem);
    assert_shown(&shown, user);
    free(user);
}

static void test_wishes_that_nobody_grants(void **state)
{
    const struct {
        struct certificate_wish wish;
        const char *sentence;
    } cases[] = {
        {{.node = "N!"}, "a certificate for node \"N!\": its name must"},
        {{.node = ""}, "a certificate for node \"\": its name must"},
        {{.use = CERTIFICATE_SERVING, .node = "n", .names = (const char *const[]){NULL}},
         "the node has no IP address yet"},
        {{.use = CERTIFICATE_SERVING, .node = "n", .names = (const char *const[]){"n", NULL}},
         "the node has no IP address yet"},
        {{.use = CERTIFICATE_SERVING,
          .node = "n",
          .names = (const char *const[]){"10.0.0.1", "a b", NULL}},
         "a b: a name in a certificate must be"},
    };
    _cleanup_(secret_deinit) struct strbuf key = STRBUF_INIT;

    make_key(&key);
    for (size_t i = 0; i < array_size(cases); i++) {
        _cleanup_(strbuf_deinit) struct strbuf pem = STRBUF_INIT;
        struct err err;

        assert_int_equal(certificate_request_make(&cases[i].wish, &key, &pem, &err), -EINVAL);
        assert_sentence(&err, cases[i].sentence);
        assert_int_equal(pem.length, 0);
    }
}

static void test_objects(void **state)
{
    _cleanup_(strbuf_deinit) struct strbuf body = STRBUF_INIT, other = STRBUF_INIT;
    struct strbuf pem = {.text = (char[]){"PEM"}, .length = 3};

    certificate_request_write(&client, &pem, &body);
    assert_string_equal(
        body.text,
        "{\"apiVersion\":\"certificates.k8s.io/v1\",\"kind\":\"CertificateSigningRequest\""
        ",\"metadata\":{\"generateName\":\"csr-\"},\"spec\":{\"request\":\"UEVN\","
        "\"signerName\":\"kubernetes.io/kube-apiserver-client-kubelet\","
        "\"usages\":[\"digital signature\",\"client auth\"]}}");
    certificate_request_write(&serving, &pem, &other);
    assert_string_equal(
        other.text,
        "{\"apiVersion\":\"certificates.k8s.io/v1\",\"kind\":\"CertificateSigningRequest\""
        ",\"metadata\":{\"generateName\":\"csr-\"},\"spec\":{\"request\":\"UEVN\","
        "\"signerName\":\"kubernetes.io/kubelet-serving\","
        "\"usages\":[\"digital signature\",\"server auth\"]}}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_key),
        cmocka_unit_test(test_a_request_of_a_client),
        cmocka_unit_test(test_a_request_for_serving),
        cmocka_unit_test(test_a_long_name),
        cmocka_unit_test(test_wishes_that_nobody_grants),
        cmocka_unit_test(test_objects),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
