/* objects/resources: what the containers of a pod need together. */
#include "fixture.h"

#include "nodeagent/objects/resources.h"

/* "cpu=500m memory=1Gi" */
static void assert_total(const char *spec, enum resource_side side, const char *expected)
{
    char *yaml = fill_frame("{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {%s}}", spec);
    struct strbuf text = STRBUF_INIT;
    struct arena arena = ARENA_INIT_DOCUMENT;
    struct document document;
    struct quantity_map total;

    document_read(&document, yaml);
    total = pod_containers_total(&pod_of(document.object)->spec, side, &arena);
    array_for_each (pair, total) {
        char amount[QUANTITY_TEXT_MAX];

        strbuf_printf(&text, "%s%s=%s", text.length ? " " : "", pair->name,
                      quantity_format(&pair->quantity, amount));
    }
    if (strcmp(text.text ? text.text : "", expected) != 0)
        fail_msg("%s\nexpected: %s\nfound:    %s", spec, expected, text.text);
    strbuf_deinit(&text);
    arena_deinit(&arena);
    document_deinit(&document);
    free(yaml);
}

static void test_totals(void **state)
{
    static const struct {
        const char *spec;
        const char *limits;
        const char *requests;
    } cases[] = {
        {"containers: []", "", ""},
        {"containers: [{name: a}]", "", ""},
        {"containers: [{resources: {limits: {cpu: 1}, requests: {memory: 1Gi}}},"
         "{resources: {requests: {cpu: 500m}}}]",
         "cpu=1", "memory=1Gi cpu=1500m"},
        /* Init containers run one after the other: the largest counts. */
        {"containers: [{resources: {requests: {cpu: 1, memory: 1Gi}}}], initContainers: ["
         "{resources: {requests: {cpu: 2}}}, {resources: {requests: {cpu: 3}}}]",
         "", "cpu=3 memory=1Gi"},
        {"containers: [{resources: {requests: {cpu: 4}}}], initContainers: ["
         "{resources: {requests: {cpu: 2, memory: 1Gi}}}]",
         "", "cpu=4 memory=1Gi"},
        /* Sidecars run beside the containers and beside the init containers after them. */
        {"containers: [{resources: {requests: {cpu: 1}}}], initContainers: ["
         "{restartPolicy: Always, resources: {requests: {cpu: 1}}}]",
         "", "cpu=2"},
        {"containers: [{resources: {requests: {cpu: 1}}}], initContainers: ["
         "{resources: {requests: {cpu: 5}}}, {restartPolicy: Always, resources: {requests: {cpu: "
         "1, memory: 1Gi}}}, {resources: {requests: {cpu: 4500m}}}]",
         "", "cpu=5500m memory=1Gi"},
        {"containers: [{resources: {requests: {cpu: 1}}}], initContainers: ["
         "{resources: {requests: {cpu: 5}}}, {restartPolicy: Always, resources: {requests: {cpu: "
         "1}}}]",
         "", "cpu=5"},
        {"containers: [], initContainers: [{restartPolicy: OnFailure, resources: {requests: {cpu: "
         "1}}}, {restartPolicy: Never, resources: {requests: {cpu: 1}}}]",
         "", "cpu=1"},
        /* The first one decides how a sum is written. */
        {"containers: [{resources: {requests: {memory: 1Gi}}}, {resources: {requests: {memory: "
         "1G}}}]",
         "", "memory=2073741824"},
        {"containers: [{resources: {limits: {cpu: 8E, a.b/c: 1}}}, {resources: {limits: {cpu: "
         "8E}}}]",
         "cpu=16E a.b/c=1", "cpu=16E a.b/c=1"},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        assert_total(cases[i].spec, RESOURCE_LIMITS, cases[i].limits);
        assert_total(cases[i].spec, RESOURCE_REQUESTS, cases[i].requests);
    }
}

static void test_sidecars(void **state)
{
    assert_true(container_is_sidecar(&(struct container){.restart_policy = "Always"}));
    assert_false(container_is_sidecar(&(struct container){.restart_policy = "Never"}));
    assert_false(container_is_sidecar(&(struct container){.restart_policy = ""}));
    assert_false(container_is_sidecar(&(struct container){0}));
}

static void test_sums_grow(void **state)
{
    struct quantity_pair start[] = {{.name = "first"}, {.name = "second"}};
    struct quantity_map from = {start, 2}, map;
    struct arena arena = ARENA_INIT_DOCUMENT;
    struct quantity_sum sum;

    quantity_sum_init(&sum, &from, &arena);
    assert_ptr_equal(quantity_sum_get(&sum, "second"), &start[1].quantity);
    for (int i = 0; i < 1000; i++) {
        char *name = arena_printf(&arena, "r%d", i);
        struct quantity quantity = quantity_from_int(i, QUANTITY_DECIMAL);

        assert_null(quantity_sum_get(&sum, name));
        quantity_sum_append(&sum, name, &quantity);
        assert_int_equal(quantity_value(quantity_sum_get(&sum, name)), i);
    }
    assert_null(quantity_sum_get(&sum, "r1000"));
    assert_int_equal(quantity_value(quantity_sum_get(&sum, "r0")), 0);
    map = quantity_sum_finish(&sum);
    assert_int_equal(map.count, 1002);
    assert_string_equal(map.items[0].name, "first");
    assert_string_equal(map.items[1001].name, "r999");
    arena_deinit(&arena);

    /* A long one is hashed from the start. */
    quantity_sum_init(&sum, &(struct quantity_map){0}, &arena);
    quantity_sum_finish(&sum);
    from = (struct quantity_map){arena_array(&arena, struct quantity_pair, 100), 100};
    for (int i = 0; i < 100; i++)
        from.items[i].name = arena_printf(&arena, "r%d", i);
    quantity_sum_init(&sum, &from, &arena);
    assert_ptr_equal(quantity_sum_get(&sum, "r57"), &from.items[57].quantity);
    assert_null(quantity_sum_get(&sum, "r100"));
    quantity_sum_finish(&sum);
    arena_deinit(&arena);
}

/* Anybody may write such a pod; its memory follows its text. */
static void test_many_resources(void **state)
{
    char *limits = repeat("a.b/r#: 1", 10000),
         *yaml = fill_frame("{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: "
                            "[{name: a, image: a, resources: {limits: {%s}}}]}}",
                            limits);
    struct yaml_stream stream = {.text = yaml, .length = strlen(yaml)};
    struct arena arena = ARENA_INIT_DOCUMENT;
    struct json_findings findings = {0};
    struct report report;
    struct object *object;
    struct json *root;

    assert_int_equal(yaml_next(&stream, &arena, &json_limits_manifest, &findings, &root, NULL), 1);
    report_init(&report, root);
    object = object_decode(root, OBJECT_DROP_RAW, &report);
    assert_int_equal(pod_of(object)->spec.containers.items[0].resources.requests.count, 10000);
    assert_true(arena_size(&object->arena) < (8 << 20));
    object_unref(object);
    report_deinit(&report);
    arena_deinit(&arena);
    free(yaml);
    free(limits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_totals),
        cmocka_unit_test(test_sidecars),
        cmocka_unit_test(test_sums_grow),
        cmocka_unit_test(test_many_resources),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
