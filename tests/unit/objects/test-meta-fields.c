/* objects/meta-fields: metadata, selectors, references, tolerations. */
#include "fields.h"

#include "kinds.h"

static const char whole[] =
    "{apiVersion: v1, kind: Pod, metadata: {name: web, generateName: web-, namespace: shop,"
    "uid: 5f0c1f0e-8f5b-4a53-9d0e-1c7c5e4f6a21, resourceVersion: '42', generation: 3,"
    "creationTimestamp: '2026-03-14T09:26:53Z', deletionTimestamp: '2026-03-14T09:27:53Z',"
    "deletionGracePeriodSeconds: 0, labels: {z: last, app: web, empty: ''},"
    "annotations: {note: 'two words', b: ''}, ownerReferences: [{apiVersion: apps/v1,"
    "kind: ReplicaSet, name: web, uid: abc, controller: true, blockOwnerDeletion: false},"
    "{apiVersion: v1, kind: Node, name: nn, uid: d}], finalizers: [example.com/b, example.com/a]}}";

static const struct schema *const no_others[] = {NULL};

static struct json *member(struct json *object, const char *name)
{
    return (struct json *)json_get(object, name);
}

static void test_comes_back(void **state)
{
    struct whole_document document;
    struct usage usage = {0};
    struct report report;
    struct object *object;
    char *text;

    whole_init(&document, whole);
    walk_fields(&object_meta_schema, member(document.root, "metadata"), NULL, mark_used, &usage);
    assert_all_used(&usage, &object_meta_schema, no_others);
    report_init(&report, document.root);
    object = object_decode(document.root, OBJECT_DROP_RAW, &report);
    text = object_text(object);
    assert_true(str_has_prefix(
        text, "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"web\","
              "\"generateName\":\"web-\",\"namespace\":\"shop\","));
    assert_non_null(strstr(text, "\"deletionGracePeriodSeconds\":0,\"labels\":{\"z\":\"last\","
                                 "\"app\":\"web\",\"empty\":\"\"},\"annotations\":{"));
    assert_non_null(strstr(text, "\"controller\":true,\"blockOwnerDeletion\":false}"));
    free(text);
    object_unref(object);
    report_deinit(&report);
    arena_deinit(&document.arena);
}

static void test_wrong_types(void **state)
{
    struct whole_document document;
    struct path path = path_name(NULL, "metadata");

    whole_init(&document, whole);
    walk_fields(&object_meta_schema, member(document.root, "metadata"), &path, try_wrong_values,
                document.root);
    arena_deinit(&document.arena);
}

/* Known to the API and of no use here: anything may stand there. */
static void test_ignored(void **state)
{
    assert_findings("{apiVersion: v1, kind: ConfigMap, metadata: {name: a, selfLink: 1,"
                    "managedFields: {x: [1]}}}",
                    "", "");
}

static void test_unknown(void **state)
{
    static const struct finding_case cases[] = {
        {"Name: b", "UnknownField metadata.Name"},
        {"clusterName: b", "UnknownField metadata.clusterName"},
        {"ownerReferences: [{apiVersion: v1, kind: a, name: b, uid: c, Uid: d}]",
         "UnknownField metadata.ownerReferences[0].Uid"},
        {0},
    };
    static const struct sentence_case sentences[] = {
        {"lables: {}", "unknown field; did you mean labels?"},
        {"finalizer: []", "unknown field; did you mean finalizers?"},
        {0},
    };

    assert_cases("{apiVersion: v1, kind: ConfigMap, metadata: {name: a, %s}}", "", cases);
    assert_sentences("{apiVersion: v1, kind: ConfigMap, metadata: {name: a, %s}}", sentences);
}

/* The parts that other kinds share, each once with all it has. */
static void test_shared_parts(void **state)
{
    static const struct {
        const struct schema *schema;
        const char *text;
    } cases[] = {
        {&label_selector_schema, "{matchLabels: {a: b}, matchExpressions: [{key: k, operator: In,"
                                 "values: [x, '']}, {key: '', operator: Exists}]}"},
        {&local_reference_schema, "{name: nn}"},
        {&toleration_schema,
         "{key: k, operator: Equal, value: v, effect: NoExecute, tolerationSeconds: 0}"},
        {&owner_reference_schema, "{apiVersion: v1, kind: k, name: nn, uid: u, controller: false,"
                                  "blockOwnerDeletion: true}"},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        struct whole_document document;
        struct usage usage = {0};
        struct report report;
        struct strbuf before = STRBUF_INIT, after = STRBUF_INIT;
        struct json_writer writer;
        char *structure;

        whole_init(&document, cases[i].text);
        walk_fields(cases[i].schema, document.root, NULL, mark_used, &usage);
        assert_all_used(&usage, cases[i].schema, no_others);
        report_init(&report, document.root);
        structure = arena_zalloc(&document.arena, cases[i].schema->size);
        schema_decode(cases[i].schema, structure, document.root, NULL, &document.arena, &report);
        assert_int_equal(report.findings.count, 0);
        json_writer_init(&writer, &before, false);
        json_write_value(&writer, document.root);
        json_writer_deinit(&writer);
        json_writer_init(&writer, &after, false);
        schema_encode(cases[i].schema, structure, &writer);
        json_writer_deinit(&writer);
        assert_string_equal(before.text, after.text);
        strbuf_deinit(&before);
        strbuf_deinit(&after);
        report_deinit(&report);
        arena_deinit(&document.arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_comes_back),   cmocka_unit_test(test_wrong_types),
        cmocka_unit_test(test_ignored),      cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_shared_parts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
