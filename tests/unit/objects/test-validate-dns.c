/* objects/validate-dns: the DNS settings of a pod. */
#include "fixture.h"

static void test_limits(void **state)
{
    char *letters_of = letters('a', 260);

    for (size_t count = 32; count <= 33; count++) {
        char *searches = repeat("d#", count);

        assert_made(POD_SPEC, "spec.dnsConfig", mem_printf("dnsConfig: {searches: [%s]}", searches),
                    count > 32 ? "Invalid searches" : "");
        free(searches);
    }
    /* 253 bytes; underscores count, a final dot does not. */
    for (size_t length = 252; length <= 254; length++) {
        static const struct {
            const char *before, *after;
            size_t more;
        } frames[] = {
            {"", "", 0}, {"_", "", 1}, {"", ".", 0}, {"_a._", ".", 4}, {"_a.a_b.", "", 7}};

        for (size_t i = 0; i < array_size(frames); i++)
            assert_made(POD_SPEC, "spec.dnsConfig",
                        mem_printf("dnsConfig: {searches: ['%s%.*s%s']}", frames[i].before,
                                   (int)(length - frames[i].more), letters_of, frames[i].after),
                        length > 253 ? "Invalid searches[0]" : "");
    }
    /* 2048 bytes together, with a space between each two: 8 of 253, 7 spaces and more. */
    for (size_t rest = 8; rest <= 10; rest++) {
        struct strbuf text = STRBUF_INIT;

        for (int i = 0; i < 8; i++)
            strbuf_printf(&text, "%.*s, ", 253, letters_of);
        strbuf_printf(&text, "%.*s", (int)rest, letters_of);
        assert_made(POD_SPEC, "spec.dnsConfig",
                    mem_printf("dnsConfig: {searches: [%s]}", text.text),
                    8 * 253 + 8 + rest > 2048 ? "Invalid searches" : "");
        strbuf_deinit(&text);
    }
    free(letters_of);
}

/* Long and hostile ones are refused, and nothing is written beyond its place. */
static void test_long_domains(void **state)
{
    static const char fill[] = {'a', '_', '.', '-'};

    for (size_t i = 0; i < array_size(fill); i++) {
        for (size_t length = 510; length <= 514; length++) {
            char *domain = letters(fill[i], length);

            assert_made(POD_SPEC, "spec.dnsConfig",
                        mem_printf("dnsConfig: {searches: ['%s']}", domain), "Invalid searches[0]");
            free(domain);
        }
    }
}

static void test_policies(void **state)
{
    static const struct finding_case cases[] = {
        {"dnsPolicy: Default", ""},
        {"dnsPolicy: ClusterFirstWithHostNet", ""},
        {"dnsPolicy: none", "NotSupported dnsPolicy"},
        {"dnsPolicy: None", "Required dnsConfig"},
        {"dnsPolicy: None, dnsConfig: {}", "Required dnsConfig.nameservers"},
        {"dnsPolicy: None, dnsConfig: {searches: [A], options: [{}]}",
         "Required dnsConfig.nameservers"},
        {"dnsPolicy: None, dnsConfig: {nameservers: [1.1.1.1]}", ""},
        {"dnsConfig: {}", ""},
        {0},
    };
    static const struct sentence_case sentences[] = {
        {"dnsPolicy: none", "\"none\" is not supported; use ClusterFirst, ClusterFirstWithHostNet, "
                            "Default or None (did you mean None?)"},
        {"dnsPolicy: None", "must be set when dnsPolicy is None"},
        {0},
    };

    assert_cases(POD_SPEC, "spec", cases);
    assert_sentences(POD_SPEC, sentences);
}

static void test_lists(void **state)
{
    static const struct finding_case cases[] = {
        {"dnsConfig: {nameservers: [1.1.1.1, \"::1\", 2.2.2.2], options: [{name: ndots, value: "
         "\"5\"}, {name: a}]}",
         ""},
        {"dnsConfig: {nameservers: [a, 01.1.1.1, \"\"]}",
         "Invalid nameservers[0], Invalid nameservers[1], Invalid nameservers[2]"},
        {"dnsConfig: {nameservers: [1.1.1.1, 1.1.1.1, 1.1.1.1, 1.1.1.1]}", "Invalid nameservers"},
        {"dnsConfig: {options: [{}, {value: a}, {name: b}]}",
         "Required options[0], Required options[1]"},
        {0},
    };
    static const struct sentence_case sentences[] = {
        {"dnsConfig: {nameservers: [a]}", "\"a\" must be an IP address such as 10.0.0.1 (no "
                                          "leading zeros) or fd00::1 (no zone, not IPv4-mapped)"},
        {"dnsConfig: {nameservers: [1.1.1.1, 1.1.1.1, 1.1.1.1, 1.1.1.1]}",
         "must have at most 3 entries"},
        {0},
    };

    assert_cases(POD_SPEC, "spec.dnsConfig", cases);
    assert_sentences(POD_SPEC, sentences);
}

static void test_search_domains(void **state)
{
    static const struct finding_case cases[] = {
        {".", ""},
        {"a", ""},
        {"a.", ""},
        {"a.b", ""},
        {"a-b.c", ""},
        {"_tcp.example.com", ""},
        {"_a._b", ""},
        {"a_b", ""},
        {"a__b.c", ""},
        {"_a.", ""},
        {"1.2", ""},
        {"", "Invalid [0]"},
        {"..", "Invalid [0]"},
        {".a", "Invalid [0]"},
        {"a..", "Invalid [0]"},
        {"a..b", "Invalid [0]"},
        {"_", "Invalid [0]"},
        {"_.a", "Invalid [0]"},
        {"__a", "Invalid [0]"},
        {"a_", "Invalid [0]"},
        {"_a_.b", "Invalid [0]"},
        {"-a", "Invalid [0]"},
        {"a-", "Invalid [0]"},
        {"A", "Invalid [0]"},
        {"a b", "Invalid [0]"},
        {"a.-b", "Invalid [0]"},
        {"a.b-.c", "Invalid [0]"},
        {"._a", "Invalid [0]"},
        {0},
    };

    assert_cases("{apiVersion: v1, kind: Pod, metadata: {name: web, labels: {app: web}}, spec: "
                 "{containers: [{name: a, image: a}], dnsConfig: {searches: ['%s']}}}",
                 "spec.dnsConfig.searches", cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_policies),       cmocka_unit_test(test_lists),
        cmocka_unit_test(test_search_domains), cmocka_unit_test(test_limits),
        cmocka_unit_test(test_long_domains),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
