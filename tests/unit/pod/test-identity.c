/* pod/identity: kinds of containers, their hashes, the class of service they give a pod. */
#include "../objects/fixture.h"

#include "nodeagent/pod.h"

#include <stdio.h>

/* kinds */

static void test_kinds(void **state)
{
    static const struct {
        const char *name;
        enum pod_container_kind kind;
    } cases[] = {
        {"a", POD_CONTAINER_REGULAR}, {"b", POD_CONTAINER_REGULAR}, {"i", POD_CONTAINER_INIT},
        {"j", POD_CONTAINER_INIT},    {"s", POD_CONTAINER_SIDECAR}, {"e", POD_CONTAINER_EPHEMERAL},
    };
    struct document document;
    const struct pod *pod;

    document_read(&document,
                  "{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {containers: [{name: "
                  "a, image: a}, {name: b, image: b}], initContainers: [{name: i, image: i}, "
                  "{name: j, image: i, restartPolicy: Never}, {name: s, image: s, restartPolicy: "
                  "Always}], ephemeralContainers: [{name: e, image: e}]}}");
    pod = pod_of(document.object);
    for (size_t i = 0; i < array_size(cases); i++) {
        struct pod_container_ref ref = pod_container_find(pod, cases[i].name);

        assert_string_equal(ref.container->name, cases[i].name);
        assert_int_equal(ref.kind, cases[i].kind);
    }
    assert_null(pod_container_find(pod, "none").container);
    document_deinit(&document);
}

/* hashes */

/* The reference hashes the text "([]uint8)[...]" of a document's bytes: FNV-1a of 32 bits. */
static uint32_t hash_of_document(const char *json)
{
    struct strbuf text = STRBUF_INIT;
    uint32_t hash = 2166136261u;

    strbuf_add(&text, "([]uint8)[");
    for (const char *c = json; *c; c++)
        strbuf_printf(&text, "%s%u", c > json ? " " : "", (unsigned char)*c);
    strbuf_add(&text, "]");
    for (size_t i = 0; i < text.length; i++)
        hash = (hash ^ (unsigned char)text.text[i]) * 16777619u;
    strbuf_deinit(&text);
    return hash;
}

static void test_check_29_hashes(void **state)
{
    static const struct {
        const char *name;
        const char *image;
        const char *hash;
    } cases[] = {
        {"test_container", "foo/image:v1", "8e45cbd0"},
        {"nginx", "nginx:1.27", "91edee8f"},
        {"c", "registry.k8s.io/pause:3.10", "c66cfb5f"},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        struct container container = {.name = cases[i].name, .image = cases[i].image};
        char text[POD_HASH_TEXT_MAX];

        assert_string_equal(pod_container_hash(&container, text), cases[i].hash);
    }
}

/* As Go's encoder writes them. */
static void test_hashes_of_odd_images(void **state)
{
    static const struct {
        const char *image;
        const char *json;
    } cases[] = {
        {NULL, "{\"image\":\"\",\"name\":\"c\"}"},
        {"a\"b\\c/d", "{\"image\":\"a\\\"b\\\\c/d\",\"name\":\"c\"}"},
        {"<&>", "{\"image\":\"\\u003c\\u0026\\u003e\",\"name\":\"c\"}"},
        {"\b\f\n\r\t\x01\x1f\x7f",
         "{\"image\":\"\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\",\"name\":\"c\"}"},
        {"\u00e9\u2027\u2028\u2029\u202a",
         "{\"image\":\"\u00e9\u2027\\u2028\\u2029\u202a\",\"name\":\"c\"}"},
        {"\xff"
         "a\xe2\x80",
         "{\"image\":\"\\ufffda\\ufffd\\ufffd\",\"name\":\"c\"}"},
        {"\xed\xa0\x80", "{\"image\":\"\\ufffd\\ufffd\\ufffd\",\"name\":\"c\"}"},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        struct container container = {.name = "c", .image = cases[i].image};
        char text[POD_HASH_TEXT_MAX], expected[POD_HASH_TEXT_MAX];

        snprintf(expected, sizeof(expected), "%x", hash_of_document(cases[i].json));
        assert_string_equal(pod_container_hash(&container, text), expected);
    }
}

/* No zeros in front. */
static void test_short_hashes(void **state)
{
    struct container container = {.name = "c"};
    char text[POD_HASH_TEXT_MAX], image[16];
    bool met = false;

    for (int i = 0; i < 100 && !met; i++) {
        snprintf(image, sizeof(image), "i%d", i);
        container.image = image;
        pod_container_hash(&container, text);
        met = strlen(text) < 8;
        assert_true(text[0] != '0');
    }
    assert_true(met);
}

/* classes of service */

static void assert_class(const char *spec, const char *expected)
{
    char *yaml = mem_printf("{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {%s}}", spec);
    struct document document;

    document_read(&document, yaml);
    if (strcmp(pod_qos_class(pod_of(document.object)), expected) != 0)
        fail_msg("%s: %s", spec, pod_qos_class(pod_of(document.object)));
    document_deinit(&document);
    free(yaml);
}

#define ONE(resources) "containers: [{name: a, image: a, resources: {" resources "}}]"
#define TWO(first, second)                                                                         \
    "containers: [{name: a, image: a, resources: {" first                                          \
    "}}, {name: b, image: b, resources: {" second "}}]"
#define INIT(first, second)                                                                        \
    "containers: [{name: a, image: a, resources: {" first                                          \
    "}}], initContainers: [{name: i, image: "                                                      \
    "i, resources: {" second "}}]"
#define FULL "limits: {cpu: 1, memory: 1Gi}"

static void test_classes(void **state)
{
    static const struct {
        const char *spec;
        const char *class;
    } cases[] = {
        {ONE(""), "BestEffort"},
        {ONE("requests: {cpu: 0, memory: 0}"), "BestEffort"},
        {ONE("limits: {ephemeral-storage: 1Gi, hugepages-2Mi: 2Mi}"), "BestEffort"},
        {ONE(FULL), "Guaranteed"},
        {ONE("requests: {cpu: 1000m, memory: 1024Mi}, " FULL), "Guaranteed"},
        {ONE("requests: {cpu: 999m}, " FULL), "Burstable"},
        {ONE("requests: {memory: 0}, " FULL), "Burstable"},
        {ONE("limits: {cpu: 1}"), "Burstable"},
        {ONE("limits: {memory: 1Gi}"), "Burstable"},
        {ONE("requests: {cpu: 1}"), "Burstable"},
        {ONE("requests: {cpu: 1, memory: 1Gi}"), "Burstable"},
        {TWO(FULL, FULL), "Guaranteed"},
        {TWO(FULL, ""), "Burstable"},
        {TWO("", FULL), "Burstable"},
        {TWO("", "requests: {cpu: 1m}"), "Burstable"},
        {TWO("", ""), "BestEffort"},
        {INIT(FULL, FULL), "Guaranteed"},
        {INIT(FULL, ""), "Burstable"},
        {INIT("", "requests: {memory: 1}"), "Burstable"},
        /* debuggers do not count */
        {ONE(FULL) ", ephemeralContainers: [{name: e, image: e}]", "Guaranteed"},
        /* the pod's own decide alone */
        {"resources: {limits: {cpu: 1, memory: 1Gi}}, " ONE(""), "Guaranteed"},
        {"resources: {limits: {cpu: 1}}, " ONE(""), "Burstable"},
        {"resources: {requests: {cpu: 1}}, " ONE(""), "Burstable"},
        {"resources: {limits: {cpu: 2, memory: 2Gi}}, " ONE(FULL), "Burstable"},
        {"resources: {}, " ONE(FULL), "BestEffort"},
    };

    for (size_t i = 0; i < array_size(cases); i++)
        assert_class(cases[i].spec, cases[i].class);
}

static void test_no_containers(void **state)
{
    static const struct pod empty;

    assert_string_equal(pod_qos_class(&empty), "BestEffort");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_check_29_hashes),
        cmocka_unit_test(test_hashes_of_odd_images),
        cmocka_unit_test(test_short_hashes),
        cmocka_unit_test(test_classes),
        cmocka_unit_test(test_no_containers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
