/* base/yaml: one document, as Kubernetes' tools read it. */
#include "yaml-reader.h"

static void test_every_style_is_read(void **state)
{
    static const struct same cases[] = {
        {"a: 1\nb:\n  c: x\n  d:\n  - 1\n  - e: f\n",
         "{\"a\":1,\"b\":{\"c\":\"x\",\"d\":[1,{\"e\":\"f\"}]}}"},
        {"{a: [1, {b: c}, ], d: {}, e: []}", "{\"a\":[1,{\"b\":\"c\"}],\"d\":{},\"e\":[]}"},
        {"{\"a\":1,\"b\":[true,null]}", "{\"a\":1,\"b\":[true,null]}"},
        {"{a, b: 1}", "{\"a\":null,\"b\":1}"},
        {"[a: 1, b]", "[{\"a\":1},\"b\"]"},
        {"? a\n: b\n? c\n", "{\"a\":\"b\",\"c\":null}"},
        {"- - 1\n  - 2\n-\n- 3", "[[1,2],null,3]"},
        {"a: |\n  x\n   y\n\nb: >\n  x\n  y\n", "{\"a\":\"x\\n y\\n\",\"b\":\"x y\\n\"}"},
        {"a: |-\n  x\nb: |+\n  x\n\nc: >-\n  x\n  y\n",
         "{\"a\":\"x\",\"b\":\"x\\n\\n\",\"c\":\"x y\"}"},
        {"a: 'it''s'\nb: \"\\x41\\u00e9\\U0001F600\\n\\0\"",
         "{\"a\":\"it's\",\"b\":\"A\xc3\xa9\xf0\x9f\x98\x80\\n\\u0000\"}"},
        {"a: x\n  y\nb: \"x\\\n  y\"", "{\"a\":\"x y\",\"b\":\"xy\"}"},
        {"# c\na: 1 # d\n\n  # e\nb: x#y\nc: '#'\n", "{\"a\":1,\"b\":\"x#y\",\"c\":\"#\"}"},
        {"a:\t1\nb: 2\t# c\n", "{\"a\":1,\"b\":2}"},
        {"a: 1\r\nb:\r\n- x\r\nc: |\r\n  y\r\n", "{\"a\":1,\"b\":[\"x\"],\"c\":\"y\\n\"}"},
        {"\xef\xbb\xbf"
         "a: 1\n",
         "{\"a\":1}"},
        {"5", "5"},
        {"'x'", "\"x\""},
        {"[]", "[]"},
        {"a:\nb: ''\nc: \"\"\n", "{\"a\":null,\"b\":\"\",\"c\":\"\"}"},
    };

    assert_all(cases, array_size(cases));
}

static void test_plain_scalars_have_types_and_quoted_ones_not(void **state)
{
    static const struct same cases[] = {
        {"[yes, 'yes', \"yes\", on, 'on', n, \"n\"]",
         "[true,\"yes\",\"yes\",true,\"on\",false,\"n\"]"},
        {"[0755, '0755', 1_000, '1_000', 08, 1e3, 1.0]", "[493,\"0755\",1000,\"1_000\",8,1000,1]"},
        {"- ~\n- '~'\n- null\n- 'null'\n-\n- ''\n", "[null,\"~\",null,\"null\",null,\"\"]"},
        {"[2026-01-02, 1:30, 2026-01-02T03:04:05Z]",
         "[\"2026-01-02\",\"1:30\",\"2026-01-02T03:04:05Z\"]"},
        {"a: |\n  5\n", "{\"a\":\"5\\n\"}"},
        {"a: >-\n  5\n", "{\"a\":\"5\"}"},
        {"18446744073709551616", "18446744073709552000"},
    };

    assert_all(cases, array_size(cases));
}

static void test_names_are_strings(void **state)
{
    static const struct same cases[] = {
        {"yes: 1\n0755: 2\n1.50: 3\n'no': 4\n0x1F: 5\n'': 6\n2026-01-02: 7\n",
         "{\"true\":1,\"493\":2,\"1.5\":3,\"no\":4,\"31\":5,\"\":6,\"2026-01-02\":7}"},
        {"\"a\\0b\": 1", "{\"a\\u0000b\":1}"},
        {"!!str 5: 1", "{\"5\":1}"},
    };
    static const struct wrong wrong[] = {
        {"~: 1", 1, 1, "null is not allowed as a name"},
        {"a: 1\nnull: 2", 2, 1, "null is not allowed as a name"},
        {"? [a]\n: b", 1, 3, "a name must be a scalar, not a list"},
        {"{a: 1, {b: c}: 2}", 1, 8, "a name must be a scalar, not a mapping"},
        {"&a b: 1", 1, 1, "an anchor on a name is not supported"},
        {"a: &a b\n*a : 2", 2, 1, "an alias as a name is not supported"},
        {".inf: 1", 1, 1, ".inf cannot be written in JSON"},
    };

    assert_all(cases, array_size(cases));
    assert_all_fail(wrong, array_size(wrong));
}

static void test_syntax_errors_have_places(void **state)
{
    static const struct wrong wrong[] = {
        {"a: b: c", 1, 5, "mapping values are not allowed"},
        {"a: [1, 2", 1, 9, "did not find expected ',' or ']'"},
        {"a: {b: 1", 1, 9, "did not find expected ',' or '}'"},
        {"a:\n\tb: 1", 2, 1, "cannot start any token"},
        {"\xc3\xa9: 1\nb: @x", 2, 4, "cannot start any token"},
        {"a: '\xc3\xa9' x", 1, 8, "not YAML"},
        {"a: \x01", 1, 4, "control characters are not allowed"},
        {"a: \"\\q\"", 1, 5, "unknown escape character"},
        {"a: \"x", 1, 6, "unexpected end of stream"},
        {"a: 1\n b: 2", 2, 3, "mapping values are not allowed"},
        {"- a\nb: 1", 2, 1, "did not find expected '-' indicator"},
        {"%FOO\na: 1", 1, 5, "found unknown directive name"},
        {"%YAML 2.0\n---\na: 1", 1, 1, "incompatible YAML document"},
        {"a: \"\\ud800\"", 1, 7, "invalid Unicode character"},
    };

    assert_all_fail(wrong, array_size(wrong));
}

static void test_core_tags_are_obeyed(void **state)
{
    static const struct same cases[] = {
        {"- !!str 5\n- !!str yes\n- !!str\n- ! 5\n- ! x\n", "[\"5\",\"yes\",\"\",\"5\",\"x\"]"},
        {"[!!int \"5\", !!int 0x10, !!int -1]", "[5,16,-1]"},
        {"[!!float 5, !!float '1.50', !!float 9007199254740993]", "[5,1.5,9007199254740992]"},
        {"[!!bool yes, !!bool 'no', !!null '', !!null ~]", "[true,false,null,null]"},
        {"[!!timestamp 2026-01-02, !!binary aGVsbG8=]", "[\"2026-01-02\",\"hello\"]"},
        {"a: !!binary |\n  aGVs\n  bG8=\n", "{\"a\":\"hello\"}"},
        {"!!map {a: !!seq [1]}", "{\"a\":[1]}"},
        {"!<tag:yaml.org,2002:str> 5", "\"5\""},
    };
    static const struct wrong wrong[] = {
        {"a: !!int 5.5", 1, 4, "\"5.5\" is not a !!int"},
        {"a: !!int x", 1, 4, "\"x\" is not a !!int"},
        {"a: !!int", 1, 4, "\"\" is not a !!int"},
        {"a: !!float x", 1, 4, "is not a !!float"},
        {"a: !!float .inf", 1, 4, ".inf cannot be written in JSON"},
        {"a: !!bool 1", 1, 4, "\"1\" is not a !!bool"},
        {"a: !!null x", 1, 4, "\"x\" is not a !!null"},
        {"a: !!foo x", 1, 4, "\"x\" is not a !!foo"},
        {"a: !!seq {}", 1, 4, "tag !!seq does not fit here"},
        {"a: !!map []", 1, 4, "tag !!map does not fit here"},
        {"a: !!str []", 1, 4, "tag !!str does not fit here"},
        {"a: !!binary x", 1, 4, "!!binary is not valid base64"},
        {"a: !!binary /w==", 1, 4, "does not decode to text"},
        {"a: .inf", 1, 4, ".inf cannot be written in JSON"},
        {"[1, -.INF]", 1, 5, "-.INF cannot be written in JSON"},
        {"a: .nan", 1, 4, ".nan cannot be written in JSON"},
    };

    assert_all(cases, array_size(cases));
    assert_all_fail(wrong, array_size(wrong));
}

static void test_custom_tags_are_refused(void **state)
{
    static const struct wrong wrong[] = {
        {"a: !foo x", 1, 4, "custom tag !foo is not supported"},
        {"a: !foo [x]", 1, 4, "custom tag !foo is not supported"},
        {"a: !foo {x: y}", 1, 4, "custom tag !foo is not supported"},
        {"!foo a: 1", 1, 1, "custom tag !foo is not supported"},
        {"a: !<tag:example.org,2026:x> y", 1, 4, "custom tag tag:example.org,2026:x"},
        {"a: !%1b[31m x", 1, 8, "not YAML"},
        {"a: !%1b%5b31m x", 1, 4, "custom tag !?[31m is not supported"},
    };

    assert_all_fail(wrong, array_size(wrong));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_style_is_read),
        cmocka_unit_test(test_plain_scalars_have_types_and_quoted_ones_not),
        cmocka_unit_test(test_names_are_strings),
        cmocka_unit_test(test_syntax_errors_have_places),
        cmocka_unit_test(test_core_tags_are_obeyed),
        cmocka_unit_test(test_custom_tags_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
