/* objects/config-map: the ConfigMap kind. */
#include "document.h"

#include "nodeagent/objects/config_map.h"

static void test_round_trip(void **state)
{
    assert_encoded(
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: c, namespace: nn}, data: {a: "
        "text, b: null}, binaryData: {c: AP8=}, immutable: false}",
        "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"c\","
        "\"namespace\":\"nn\"},\"data\":{\"a\":\"text\",\"b\":\"\"},"
        "\"binaryData\":{\"c\":\"AP8=\"},\"immutable\":false}");
}

static void test_values(void **state)
{
    struct document document;
    struct config_map *map;

    document_read(&document, "{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {a: "
                             "\"x\\0y\"}, binaryData: {b: AP8=}, immutable: true}");
    map = config_map_of(document.object);
    assert_int_equal(bytes_map_get(&map->data, "a")->length, 3);
    assert_memory_equal(bytes_map_get(&map->data, "a")->bytes, "x\0y", 4);
    assert_int_equal(bytes_map_get(&map->binary_data, "b")->length, 2);
    assert_int_equal(map->immutable, OPT_TRUE);
    document_deinit(&document);
}

static void test_rules(void **state)
{
    static const struct finding_case cases[] = {
        {"metadata: {name: c}", ""},
        {"metadata: {generateName: c-}, data: {..: a, b c: d}",
         "Invalid data[..], Invalid data[b c]"},
        {"metadata: {name: c}, data: {a: b}, binaryData: {a: '', '': ''}",
         "Invalid binaryData[], Invalid data[a]"},
        {"metadata: {name: C, finalizers: [bare]}",
         "Invalid metadata.name, Invalid metadata.finalizers[0]"},
        {"metadata: {name: c}, data: {a: 1}, binaryData: {b: '='}",
         "Type data[a], Type binaryData[b]"},
        {0},
    };

    assert_cases("{apiVersion: v1, kind: ConfigMap, %s}", "", cases);
}

static void test_size(void **state)
{
    size_t size = 1 << 20;
    char *text = mem_zalloc(size + 1), *yaml;

    memset(text, 'x', size);
    yaml = mem_printf("{\"apiVersion\": v1, kind: ConfigMap, metadata: {name: c}, data: {a: %s}}",
                      text);
    assert_findings(yaml, "", "");
    free(yaml);
    yaml = mem_printf("{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {a: %s}, "
                      "binaryData: {b: AA==}}",
                      text);
    assert_findings(yaml, "", "TooLong []");
    free(yaml);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
