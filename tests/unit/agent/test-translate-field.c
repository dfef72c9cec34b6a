/* agent/translate-field: fields of pods and of containers' resources, as texts. */
#include "translation.h"

static const char *field(struct fixture *test, const char *path)
{
    struct field_reference reference = {"v1", path};
    const char *value;

    if (translate_field(&test->translation, &reference, &value, &test->err) < 0)
        return test->err.text;
    return value;
}

static const char *const pod =
    "apiVersion: v1\n"
    "kind: Pod\n"
    "metadata:\n"
    "  name: web\n"
    "  namespace: ns\n"
    "  uid: u1\n"
    "  labels: {b: two, a: one}\n"
    "  annotations: {note: \"say \\\"hi\\\"\\n\\ttab \\\\ \\u00e9 \\u00a0\", example.com/x: y1}\n"
    "spec:\n"
    "  nodeName: n1\n"
    "  serviceAccountName: robot\n"
    "  containers: [{name: a, image: a}]\n";

static void test_fields(void **state)
{
    static const struct {
        const char *path;
        const char *value;
    } cases[] = {
        {"metadata.name", "web"},
        {"metadata.namespace", "ns"},
        {"metadata.uid", "u1"},
        {"metadata.labels", "a=\"one\"\nb=\"two\""},
        {"metadata.labels['a']", "one"},
        {"metadata.labels['none']", ""},
        {"metadata.annotations['example.com/x']", "y1"},
        {"metadata.annotations['a']", ""},
        {"metadata.annotations",
         "example.com/x=\"y1\"\nnote=\"say \\\"hi\\\"\\n\\ttab \\\\ \u00e9 \\u00a0\""},
        {"spec.nodeName", "n1"},
        {"spec.serviceAccountName", "robot"},
        {"status.hostIP", "192.0.2.1"},
        {"status.hostIPs", "192.0.2.1"},
        {"status.podIP", "10.1.0.7"},
        {"status.podIPs", "10.1.0.7"},
        {"", "unsupported fieldPath: "},
        {"spec.hostname", "unsupported fieldPath: spec.hostname"},
        {"metadata.labels['a", "unsupported fieldPath: metadata.labels['a"},
        {"metadata.labels['", "unsupported fieldPath: metadata.labels['"},
        {"metadata.labels']", "unsupported fieldPath: metadata.labels']"},
        {"metadata.name['a']", "unsupported fieldPath: metadata.name['a']"},
    };
    struct fixture test;

    fixture_init(&test, pod);
    for (size_t i = 0; i < array_size(cases); i++)
        assert_string_equal(field(&test, cases[i].path), cases[i].value);
    fixture_deinit(&test);
}

/* As Go's %q writes it. */
static void test_quoting(void **state)
{
    static const struct {
        const char *value;
        const char *quoted;
    } cases[] = {
        {"", "k=\"\""},
        {"\a\b\f\n\r\t\v", "k=\"\\a\\b\\f\\n\\r\\t\\v\""},
        {"\x01\x1f\x7f", "k=\"\\x01\\x1f\\x7f\""},
        {"\xc2\x80\u200b\u2028", "k=\"\\u0080\\u200b\\u2028\""},
        {"\ue000\ufeff", "k=\"\\ue000\\ufeff\""},
        {"\U000e0001\U00010330", "k=\"\\U000e0001\U00010330\""},
        {"\u20ac 'x'", "k=\"\u20ac 'x'\""},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        struct string_pair label = {"k", cases[i].value};
        struct fixture test;

        fixture_init(&test, pod);
        pod_of(test.document.object)->object.metadata.labels = (struct string_map){&label, 1};
        assert_string_equal(field(&test, "metadata.labels"), cases[i].quoted);
        fixture_deinit(&test);
    }
}

static void test_nothing_to_tell(void **state)
{
    struct fixture test;

    fixture_init_in(&test, IN_SPEC, "");
    test.translation.pod_ips = (struct string_list){0};
    assert_string_equal(field(&test, "metadata.annotations"), "");
    assert_string_equal(field(&test, "spec.nodeName"), "");
    assert_string_equal(field(&test, "status.podIP"), "");
    assert_string_equal(field(&test, "status.podIPs"), "");
    test.node.addresses = (struct string_list){0};
    assert_string_equal(field(&test, "status.hostIP"), "the node has no address yet");
    fixture_deinit(&test);
}

/* At most one of each family, the node's first. */
static void test_addresses(void **state)
{
    static const struct {
        const char *node;
        const char *pod;
        const char *one;
        const char *all;
    } cases[] = {
        {"192.0.2.1", "fd00::7 10.1.0.7", "10.1.0.7", "10.1.0.7,fd00::7"},
        {"fd00::1 192.0.2.1", "10.1.0.7 fd00::7", "fd00::7", "fd00::7,10.1.0.7"},
        {"fd00::1", "10.1.0.7", "10.1.0.7", "10.1.0.7"},
        {"", "10.1.0.7 10.1.0.8 fd00::7 fd00::8", "10.1.0.7", "10.1.0.7,fd00::7"},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        struct fixture test;

        fixture_init_in(&test, IN_SPEC, "");
        test.node.addresses = words(&test, cases[i].node);
        test.translation.pod_ips = words(&test, cases[i].pod);
        assert_string_equal(field(&test, "status.podIP"), cases[i].one);
        assert_string_equal(field(&test, "status.podIPs"), cases[i].all);
        fixture_deinit(&test);
    }
}

/* resources */

static const char *resource(struct fixture *test, const char *container, const char *name,
                            const char *divisor)
{
    const struct container *own = test->translation.pod->spec.containers.items;
    struct resource_reference reference = {.container_name = container, .resource = name};
    struct quantity quantity;
    const char *value;

    if (divisor) {
        assert_int_equal(quantity_parse(divisor, strlen(divisor), &quantity, &test->err), 0);
        reference.divisor = &quantity;
    }
    if (translate_resource_field(&test->translation, own, &reference, &value, &test->err) < 0)
        return test->err.text;
    return value;
}

static struct quantity_pair pair(const char *name, const char *amount)
{
    struct quantity_pair result = {.name = name};

    assert_int_equal(quantity_parse(amount, strlen(amount), &result.quantity, NULL), 0);
    return result;
}

static const char *const sized =
    "{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: ns, uid: u1}, spec: {"
    "containers: [{name: a, image: a, resources: {limits: {cpu: 250m, memory: 1500Mi, "
    "hugepages-2Mi: 4Mi}, requests: {cpu: 100m, memory: 1Mi}}}, {name: b, image: b}], "
    "initContainers: [{name: i, image: i, resources: {limits: {cpu: 2}}}]}}";

static void test_resources(void **state)
{
    static const struct {
        const char *container;
        const char *resource;
        const char *divisor;
        const char *value;
    } cases[] = {
        {NULL, "limits.cpu", NULL, "1"},
        {NULL, "limits.cpu", "0", "1"},
        {NULL, "limits.cpu", "1m", "250"},
        {NULL, "requests.cpu", "1m", "100"},
        {NULL, "requests.cpu", "1", "1"},
        {"a", "limits.memory", NULL, "1572864000"},
        {NULL, "limits.memory", "1Gi", "2"},
        {NULL, "limits.memory", "1Mi", "1500"},
        {NULL, "requests.memory", "1Gi", "1"},
        {NULL, "limits.hugepages-2Mi", "1Mi", "4"},
        {NULL, "requests.hugepages-2Mi", "1Mi", "4"},
        {NULL, "limits.hugepages-1Gi", "1Mi", "0"},
        {NULL, "requests.ephemeral-storage", NULL, "0"},
        {"b", "requests.cpu", NULL, "0"},
        {"i", "limits.cpu", NULL, "2"},
        {"none", "limits.cpu", NULL, "container none not found"},
        {NULL, "limits.odd", NULL, "unsupported container resource : limits.odd"},
        {NULL, "cpu", NULL, "unsupported container resource : cpu"},
        {NULL, NULL, NULL, "unsupported container resource : "},
    };
    struct fixture test;

    fixture_init(&test, sized);
    for (size_t i = 0; i < array_size(cases); i++)
        assert_string_equal(
            resource(&test, cases[i].container, cases[i].resource, cases[i].divisor),
            cases[i].value);
    fixture_deinit(&test);
}

static void test_check_25_no_limit_is_what_the_node_has(void **state)
{
    struct quantity_pair allocatable[] = {pair("cpu", "3500m"), pair("memory", "1Gi"),
                                          pair("hugepages-2Mi", "1Gi")};
    struct fixture test;

    fixture_init(&test, sized);
    test.node.allocatable = (struct quantity_map){allocatable, array_size(allocatable)};
    assert_string_equal(resource(&test, "b", "limits.cpu", NULL), "4");
    assert_string_equal(resource(&test, "b", "limits.memory", "1Mi"), "1024");
    assert_string_equal(resource(&test, "b", "limits.ephemeral-storage", NULL), "0");
    assert_string_equal(resource(&test, "b", "limits.hugepages-2Mi", NULL), "0");
    fixture_deinit(&test);
    /* the pod's own limit comes before */
    fixture_init_in(&test, IN_SPEC, "resources: {limits: {cpu: 2}}");
    test.node.allocatable = (struct quantity_map){allocatable, array_size(allocatable)};
    assert_string_equal(resource(&test, NULL, "limits.cpu", NULL), "2");
    assert_string_equal(resource(&test, NULL, "limits.memory", "1Mi"), "1024");
    fixture_deinit(&test);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_quoting),
        cmocka_unit_test(test_nothing_to_tell),
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_resources),
        cmocka_unit_test(test_check_25_no_limit_is_what_the_node_has),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
