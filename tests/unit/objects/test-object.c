/* objects/object: kinds, references, the document kept, decoding and encoding as a whole. */
#include "fixture.h"

static const struct object_kind *const all_kinds[] = {
    &object_kind_pod,    &object_kind_node,    &object_kind_config_map,
    &object_kind_secret, &object_kind_service, &object_kind_runtime_class,
    &object_kind_lease,  &object_kind_event,   &object_kind_events_event,
};

static void test_kinds(void **state)
{
    for (size_t i = 0; i < array_size(all_kinds); i++)
        assert_ptr_equal(object_kind_find(all_kinds[i]->api_version, all_kinds[i]->name),
                         all_kinds[i]);
    assert_null(object_kind_find("v1", "pod"));
    assert_null(object_kind_find("v2", "Pod"));
    assert_null(object_kind_find("apps/v1", "Deployment"));
    assert_null(object_kind_find("", ""));
    assert_null(object_kind_find(NULL, NULL));
}

struct json_document {
    struct arena arena;
    struct json *root;
};

static void parse(struct json_document *document, const char *text)
{
    struct json_findings findings = {0};
    struct err err = {0};

    document->arena = ARENA_INIT_DOCUMENT;
    if (json_parse(&document->arena, text, strlen(text), &json_limits_manifest, &findings,
                   &document->root, &err) < 0)
        fail_msg("%s", err.text);
}

static void test_type_of(void **state)
{
    static const struct {
        const char *text, *api_version, *kind;
    } cases[] = {
        {"{\"kind\": \"Pod\", \"apiVersion\": \"v1\"}", "v1", "Pod"},
        {"{\"kind\": \"\", \"apiVersion\": null}", NULL, ""},
        {"{\"kind\": 1, \"apiVersion\": []}", NULL, NULL},
        {"{}", NULL, NULL},
        {"[\"kind\"]", NULL, NULL},
        {"\"Pod\"", NULL, NULL},
        {"{\"kind\": \"Pod\\u0000x\", \"apiVersion\": \"v1\\u0000\"}", NULL, NULL},
        {"{\"kind\": \"Pod\", \"kind\": \"Node\"}", NULL, "Node"},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        struct json_document document;
        struct object_type type;

        parse(&document, cases[i].text);
        type = object_type_of(document.root, &document.arena);
        assert_true(!type.kind == !cases[i].kind && str_equal(type.kind, cases[i].kind));
        assert_true(!type.api_version == !cases[i].api_version &&
                    str_equal(type.api_version, cases[i].api_version));
        arena_deinit(&document.arena);
    }
}

static void test_unknown_kinds(void **state)
{
    static const struct {
        const char *text, *findings;
    } cases[] = {
        {"{}", "Required apiVersion, Required kind"},
        {"{\"apiVersion\": \"v1\"}", "Required kind"},
        {"{\"kind\": \"Pod\", \"apiVersion\": \"\"}", "Required apiVersion"},
        {"{\"kind\": \"pod\", \"apiVersion\": \"v1\"}", "NotSupported kind"},
        {"{\"kind\": \"List\", \"apiVersion\": \"v1\"}", "NotSupported kind"},
        {"{\"kind\": \"Pod\", \"apiVersion\": \"apps/v1\"}", "NotSupported kind"},
        {"{\"kind\": \"Pod\", \"apiVersion\": \"v1\\u0000/beta\"}", "Required apiVersion"},
        {"[]", "Type "},
        {"\"Pod\"", "Type "},
        {"null", "Type "},
        {"17", "Type "},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        struct json_document parsed;
        struct document document = {0};
        char *findings;

        parse(&parsed, cases[i].text);
        report_init(&document.report, parsed.root);
        assert_null(object_decode(parsed.root, OBJECT_KEEP_RAW, &document.report));
        findings = document_findings(&document, "");
        assert_string_equal(findings, cases[i].findings);
        free(findings);
        report_deinit(&document.report);
        arena_deinit(&parsed.arena);
    }
}

static void test_unknown_kinds_are_named(void **state)
{
    static const struct sentence_case cases[] = {
        {"kind: Deployment, apiVersion: apps/v1",
         "apps/v1 Deployment is not an object that a node agent reads"},
        {"kind: Pod", "must be set, for example to v1"},
        {"apiVersion: v1", "must be set, for example to Pod"},
        {0},
    };

    assert_sentences("{%s}", cases);
}

#define POD "{\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"metadata\": {\"name\": \"web\"}, "

/* The document as it was, unknown and ignored parts and repeated names included. */
static void test_raw_document(void **state)
{
    static const char text[] = POD
        "\"unknown\": [1.50, null, {\"a\": 1e400}], \"status\": {\"phase\": \"x\"}, "
        "\"spec\": {\"containers\": [], \"containers\": null}, \"x\": \"\\u0000\\ud83d\\ude00\"}";
    struct json_document parsed, again;
    struct report report;
    struct object *kept, *dropped;
    struct strbuf first = STRBUF_INIT, second = STRBUF_INIT;
    struct json_writer writer;

    parse(&parsed, text);
    report_init(&report, parsed.root);
    kept = object_decode(parsed.root, OBJECT_KEEP_RAW, &report);
    dropped = object_decode(parsed.root, OBJECT_DROP_RAW, &report);
    assert_non_null(kept);
    assert_null(dropped->raw);
    parse(&again, kept->raw);
    json_writer_init(&writer, &first, true);
    json_write_value(&writer, parsed.root);
    json_writer_deinit(&writer);
    json_writer_init(&writer, &second, true);
    json_write_value(&writer, again.root);
    json_writer_deinit(&writer);
    assert_string_equal(first.text, second.text);
    strbuf_deinit(&first);
    strbuf_deinit(&second);
    arena_deinit(&again.arena);
    /* It outlives the document that it was made from. */
    report_deinit(&report);
    arena_deinit(&parsed.arena);
    assert_non_null(strstr(kept->raw, "\"containers\":null"));
    assert_non_null(strstr(kept->raw, "1e400"));
    object_unref(kept);
    object_unref(dropped);
}

static void test_references(void **state)
{
    struct document document;
    struct object *object;

    document_read(&document, "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}");
    object = document.object;
    assert_int_equal(object->references, 1);
    assert_ptr_equal(object_ref(object), object);
    assert_int_equal(object->references, 2);
    assert_null(object_unref(object));
    assert_int_equal(object->references, 1);
    assert_string_equal(object->metadata.name, "a");
    {
        _cleanup_(object_unref_at) struct object *local = object_ref(object);
        _cleanup_(object_unref_at) struct object *none = NULL;

        assert_int_equal(local->references, 2);
        assert_null(none);
    }
    assert_int_equal(object->references, 1);
    assert_null(object_unref(NULL));
    document_deinit(&document); /* frees it: the sanitizer and valgrind would see a rest */
}

/* An item of a list need not say what it is. */
static void test_decode_as(void **state)
{
    struct json_document parsed;
    struct report report;
    struct object *object;

    parse(&parsed,
          "{\"metadata\": {\"name\": \"a\"}, \"spec\": {\"containers\": [{\"name\": \"b\"}]}}");
    report_init(&report, parsed.root);
    object = object_decode_as(&object_kind_pod, parsed.root, OBJECT_DROP_RAW, &report);
    assert_non_null(object);
    assert_string_equal(object->metadata.name, "a");
    assert_string_equal(pod_of(object)->spec.containers.items[0].name, "b");
    object_unref(object);
    /* Earlier errors of the report are not this object's. */
    report_error(&report, NULL, FINDING_INVALID, "before");
    object = object_decode_as(&object_kind_pod, parsed.root, OBJECT_DROP_RAW, &report);
    assert_non_null(object);
    object_unref(object);
    report_deinit(&report);
    arena_deinit(&parsed.arena);

    for (size_t i = 0; i < array_size(all_kinds); i++) {
        static const char *const texts[] = {"[]", "null", "1", "\"x\"", "{\"metadata\": 1}"};

        for (size_t j = 0; j < array_size(texts); j++) {
            parse(&parsed, texts[j]);
            report_init(&report, parsed.root);
            assert_null(object_decode_as(all_kinds[i], parsed.root, OBJECT_KEEP_RAW, &report));
            assert_int_equal(report.errors, 1);
            report_deinit(&report);
            arena_deinit(&parsed.arena);
        }
        /* Nothing at all: whatever the rules say, they can say it. */
        parse(&parsed, "{}");
        report_init(&report, parsed.root);
        object = object_decode_as(all_kinds[i], parsed.root, OBJECT_KEEP_RAW, &report);
        assert_non_null(object);
        assert_string_equal(object->raw, "{}");
        object_validate(object, &report);
        assert_true(report.errors > 0);
        object_unref(object);
        report_deinit(&report);
        arena_deinit(&parsed.arena);
    }
}

static void test_encode_begins_with_the_type(void **state)
{
    for (size_t i = 0; i < array_size(all_kinds); i++) {
        char *expected =
                 mem_printf("{\"apiVersion\":\"%s\",\"kind\":\"%s\",\"metadata\":{\"name\":\"a\"}",
                            all_kinds[i]->api_version, all_kinds[i]->name),
             *text;
        struct json_document parsed;
        struct report report;
        struct object *object;

        parse(&parsed, "{\"metadata\": {\"name\": \"a\"}}");
        report_init(&report, parsed.root);
        object = object_decode_as(all_kinds[i], parsed.root, OBJECT_DROP_RAW, &report);
        text = object_text(object);
        if (!str_has_prefix(text, expected))
            fail_msg("%s", text);
        free(text);
        free(expected);
        object_unref(object);
        report_deinit(&report);
        arena_deinit(&parsed.arena);
    }
}

/* In the outermost object an unknown field's path is its name, and that may be empty. */
static void test_a_field_without_a_name(void **state)
{
    assert_findings("{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, '': 1}", "",
                    "UnknownField ");
}

/* An edit sees what was written, and the defaults see what it left. */
static void edit_pod(struct object *object, void *data)
{
    struct pod *pod = pod_of(object);

    ++*(unsigned *)data;
    assert_null(pod->spec.restart_policy);
    assert_null(pod->spec.scheduler_name);
    pod->spec.scheduler_name = "mine";
    object->metadata.name = arena_printf(&object->arena, "%s-n1", object->metadata.name);
}

static void test_edited_before_the_defaults(void **state)
{
    struct json_document document;
    struct report report;
    struct object *object;
    unsigned edits = 0;

    parse(&document, "{\"kind\": \"Pod\", \"apiVersion\": \"v1\", \"metadata\": {\"name\": "
                     "\"web\"}}");
    report_init(&report, document.root);
    object = object_decode_edited(NULL, document.root, OBJECT_KEEP_RAW, edit_pod, &edits, &report);
    assert_int_equal(edits, 1);
    assert_string_equal(object->metadata.name, "web-n1");
    assert_string_equal(pod_of(object)->spec.scheduler_name, "mine");
    assert_string_equal(pod_of(object)->spec.restart_policy, "Always");
    assert_null(strstr(object->raw, "web-n1"));
    object_unref(object);
    object = object_decode_edited(&object_kind_pod, document.root, OBJECT_DROP_RAW, edit_pod,
                                  &edits, &report);
    assert_int_equal(edits, 2);
    object_unref(object);
    report_deinit(&report);
    arena_deinit(&document.arena);
    /* What is not understood is not edited. */
    parse(&document, "{\"kind\": \"Pod\", \"apiVersion\": \"v1\", \"spec\": 1}");
    report_init(&report, document.root);
    assert_null(
        object_decode_edited(NULL, document.root, OBJECT_DROP_RAW, edit_pod, &edits, &report));
    assert_int_equal(edits, 2);
    report_deinit(&report);
    arena_deinit(&document.arena);
}

static void test_a_copy_lives_by_itself(void **state)
{
    struct json_document document;
    struct report report;
    struct object *object, *copy;

    parse(&document, "{\"kind\": \"Pod\", \"apiVersion\": \"v1\", \"metadata\": {\"name\": "
                     "\"web\", \"annotations\": {\"a\": \"b\"}}}");
    report_init(&report, document.root);
    object = object_decode(document.root, OBJECT_KEEP_RAW, &report);
    copy = object_copy(object);
    object_unref(object);
    assert_ptr_equal(copy->kind, &object_kind_pod);
    assert_string_equal(copy->metadata.name, "web");
    assert_string_equal(string_map_get(&copy->metadata.annotations, "a"), "b");
    assert_string_equal(pod_of(copy)->spec.restart_policy, "Always");
    assert_non_null(strstr(copy->raw, "web"));
    object_unref(copy);
    report_deinit(&report);
    arena_deinit(&document.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_type_of),
        cmocka_unit_test(test_unknown_kinds),
        cmocka_unit_test(test_unknown_kinds_are_named),
        cmocka_unit_test(test_raw_document),
        cmocka_unit_test(test_references),
        cmocka_unit_test(test_decode_as),
        cmocka_unit_test(test_encode_begins_with_the_type),
        cmocka_unit_test(test_a_field_without_a_name),
        cmocka_unit_test(test_edited_before_the_defaults),
        cmocka_unit_test(test_a_copy_lives_by_itself),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
