/* objects/secret: the Secret kind. */
#include "document.h"

#include "nodeagent/objects/secret.h"

static void test_round_trip(void **state)
{
    assert_encoded("{apiVersion: v1, kind: Secret, metadata: {name: s}, data: {a: YQ==, b: null}, "
                   "stringData: {a: over, c: more}, immutable: true}",
                   "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"name\":\"s\"},"
                   "\"data\":{\"a\":\"b3Zlcg==\",\"b\":\"\",\"c\":\"bW9yZQ==\"},"
                   "\"type\":\"Opaque\",\"immutable\":true}");
}

static void test_merged(void **state)
{
    struct document document;
    struct secret *secret;

    document_read(&document, "{apiVersion: v1, kind: Secret, metadata: {name: s}, type: a/b, "
                             "data: {a: YQ==}, stringData: {}}");
    secret = secret_of(document.object);
    assert_string_equal(secret->type, "a/b");
    assert_int_equal(secret->data.count, 1);
    assert_null(secret->string_data.items);
    document_deinit(&document);
}

static void test_rules(void **state)
{
    static const struct finding_case cases[] = {
        {"metadata: {name: s}, stringData: {a b: c}", "Invalid data[a b]"},
        {"metadata: {name: S}, data: {a: '!'}", "Type data[a]"},
        {"metadata: {name: S}", "Invalid metadata.name"},
        {0},
    };

    assert_cases("{apiVersion: v1, kind: Secret, %s}", "", cases);
}

static void test_types(void **state)
{
    static const struct finding_case cases[] = {
        {"type: kubernetes.io/dockercfg", "Required data[.dockercfg]"},
        {"type: kubernetes.io/dockercfg, stringData: {.dockercfg: '{}'}", ""},
        {"type: kubernetes.io/dockerconfigjson, stringData: {.dockerconfigjson: 'null'}", ""},
        {"type: kubernetes.io/dockerconfigjson, stringData: {.dockerconfigjson: '[]'}",
         "Invalid data[.dockerconfigjson]"},
        {"type: kubernetes.io/dockerconfigjson, stringData: {.dockerconfigjson: '{'}",
         "Invalid data[.dockerconfigjson]"},
        {"type: kubernetes.io/basic-auth", "Required data[username], Required data[password]"},
        {"type: kubernetes.io/basic-auth, data: {password: ''}", ""},
        {"type: kubernetes.io/basic-auth, data: {username: ''}", ""},
        {"type: kubernetes.io/ssh-auth, data: {ssh-privatekey: ''}",
         "Required data[ssh-privatekey]"},
        {"type: kubernetes.io/tls, data: {tls.crt: ''}", "Required data[tls.key]"},
        {"type: kubernetes.io/service-account-token",
         "Required metadata.annotations[kubernetes.io/service-account.name]"},
        {"type: bootstrap.kubernetes.io/token", ""},
        {0},
    };

    assert_cases("{apiVersion: v1, kind: Secret, metadata: {name: s}, %s}", "", cases);
    assert_findings("{apiVersion: v1, kind: Secret, metadata: {name: s, annotations: "
                    "{kubernetes.io/service-account.name: a}}, type: "
                    "kubernetes.io/service-account-token}",
                    "", "");
}

static void test_size(void **state)
{
    size_t size = (1 << 20) + 1;
    char *text = mem_zalloc(size + 1), *yaml;

    memset(text, 'x', size);
    yaml = mem_printf("{apiVersion: v1, kind: Secret, metadata: {name: s}, stringData: {a: %s}}",
                      text);
    assert_findings(yaml, "", "TooLong data");
    free(yaml);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_merged),
        cmocka_unit_test(test_rules),      cmocka_unit_test(test_types),
        cmocka_unit_test(test_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
