/* objects/report: findings, their paths, places and limits. */
#include "fixture.h"

static char *written(const struct path *path)
{
    struct strbuf text = STRBUF_INIT;

    path_write(path, &text);
    return strbuf_take(&text);
}

static void assert_path(const struct path *path, const char *expected)
{
    char *text = written(path);

    assert_string_equal(text, expected);
    free(text);
}

static void test_paths(void **state)
{
    struct path spec = path_name(NULL, "spec"), list = path_name(&spec, "containers"),
                item = path_index(&list, 12), image = path_name(&item, "image"),
                limits = path_name(&item, "limits"), key = path_key(&limits, "example.com/gpu"),
                first = path_index(NULL, 0), of_first = path_name(&first, "a"),
                first_key = path_key(NULL, "k"), empty = path_key(&limits, ""),
                last = path_index(&list, SIZE_MAX);

    assert_path(NULL, "");
    assert_path(&image, "spec.containers[12].image");
    assert_path(&key, "spec.containers[12].limits[example.com/gpu]");
    assert_path(&of_first, "[0].a");
    assert_path(&first_key, "[k]");
    assert_path(&empty, "spec.containers[12].limits[]");
    assert_path(&last, "spec.containers[18446744073709551615]");
}

static void test_paths_are_printable(void **state)
{
    char *many = letters('x', 1000), *text;
    struct path hostile = path_key(NULL, "\x1b[31m\xff\n"), longest = path_name(NULL, many);

    text = written(&hostile);
    for (const char *c = text; *c; c++)
        assert_true(*c >= 0x20 && *c < 0x7f);
    free(text);
    text = written(&longest);
    assert_true(strlen(text) < 300 && str_has_suffix(text, "..."));
    free(text);
    free(many);
}

static void test_places(void **state)
{
    static const char yaml[] = "a:\n  list: [x, {b: c}]\n  map: {k: v}\n";
    struct yaml_stream stream = {.text = yaml, .length = strlen(yaml)};
    struct arena arena = ARENA_INIT_DOCUMENT;
    struct json_findings findings = {0};
    struct json *root;
    struct err err;
    struct path a = path_name(NULL, "a"), list = path_name(&a, "list"), one = path_index(&list, 1),
                b = path_name(&one, "b"), two = path_index(&list, 2), none = path_name(&two, "c"),
                map = path_name(&a, "map"), key = path_key(&map, "k"), no_key = path_key(&map, "z"),
                not_a_list = path_index(&map, 0), lost = path_name(&not_a_list, "b");

    assert_int_equal(yaml_next(&stream, &arena, &json_limits_manifest, &findings, &root, &err), 1);
    assert_int_equal(path_offset(&b, NULL), 0);
    assert_int_equal(path_offset(NULL, root), root->offset);
    assert_ptr_equal(yaml + path_offset(&b, root), strstr(yaml, "c}"));
    assert_ptr_equal(yaml + path_offset(&one, root), strstr(yaml, "{b"));
    assert_ptr_equal(yaml + path_offset(&key, root), strstr(yaml, "v}"));
    /* The deepest that exists. */
    assert_int_equal(path_offset(&two, root), path_offset(&list, root));
    assert_int_equal(path_offset(&none, root), path_offset(&list, root));
    assert_int_equal(path_offset(&no_key, root), path_offset(&map, root));
    assert_int_equal(path_offset(&not_a_list, root), path_offset(&map, root));
    assert_int_equal(path_offset(&lost, root), path_offset(&map, root));
    arena_deinit(&arena);
}

static void test_collecting(void **state)
{
    struct path spec = path_name(NULL, "spec");
    struct report report;

    report_init(&report, NULL);
    report_error(&report, &spec, FINDING_REQUIRED, "must be %s", "set");
    report_error(&report, NULL, FINDING_TYPE, "is wrong");
    report_warning(&report, &spec, FINDING_STATIC, "is %d", 7);
    report_error_in(&report, &spec, "os", FINDING_INVALID, "is bad");
    report_at(&report, FINDING_WARNING, FINDING_UNKNOWN_FIELD, "x.y", 42, "unknown %s", "field");
    assert_int_equal(report.findings.count, 5);
    assert_int_equal(report.errors, 3);
    assert_int_equal(report.warnings, 2);
    assert_string_equal(report.findings.items[0].path, "spec");
    assert_string_equal(report.findings.items[0].message, "must be set");
    assert_int_equal(report.findings.items[0].level, FINDING_ERROR);
    assert_string_equal(report.findings.items[1].path, "");
    assert_string_equal(report.findings.items[2].message, "is 7");
    assert_int_equal(report.findings.items[2].level, FINDING_WARNING);
    assert_string_equal(report.findings.items[3].path, "spec.os");
    assert_int_equal(report.findings.items[4].offset, 42);
    assert_string_equal(report.findings.items[4].path, "x.y");
    report_deinit(&report);
    assert_int_equal(report.findings.count, 0);
    report_deinit(&report);
}

static void test_each_level_has_its_limit(void **state)
{
    struct path path = path_name(NULL, "a");
    struct report report;
    size_t errors = 0;

    report_init(&report, NULL);
    for (int i = 0; i < FINDINGS_MAX + 5; i++)
        report_warning(&report, &path, FINDING_UNKNOWN_FIELD, "warning %d", i);
    for (int i = 0; i < FINDINGS_MAX + 7; i++)
        report_error(&report, &path, FINDING_INVALID, "error %d", i);
    assert_int_equal(report.warnings, FINDINGS_MAX + 5);
    assert_int_equal(report.errors, FINDINGS_MAX + 7);
    assert_int_equal(report.findings.count, 2 * FINDINGS_MAX);
    array_for_each (finding, report.findings)
        errors += finding->level == FINDING_ERROR;
    assert_int_equal(errors, FINDINGS_MAX);
    assert_string_equal(report.findings.items[2 * FINDINGS_MAX - 1].message, "error 999");
    report_deinit(&report);
}

/* Beyond the limit a finding costs nothing but a count, however large the document is. */
static void test_a_document_full_of_mistakes(void **state)
{
    char *map = repeat("\"k#\": no", 20000),
         *yaml = fill_frame(POD_CONTAINER, "resources: {limits: {%s}}"),
         *whole = fill_frame(yaml, map);
    struct document document;

    document_read(&document, whole);
    assert_null(document.object);
    assert_int_equal(document.report.errors, 20000);
    assert_int_equal(document.report.findings.count, FINDINGS_MAX);
    document_deinit(&document);
    free(whole);
    free(yaml);
    free(map);
}

static void test_reasons_have_names(void **state)
{
    static const char *const names[] = {
        "Invalid", "Required", "NotSupported", "Forbidden",    "Duplicate",      "TooLong",
        "TooMany", "NotFound", "Type",         "UnknownField", "DuplicateField", "NotInStaticPod",
    };

    for (size_t i = 0; i < array_size(names); i++)
        assert_string_equal(finding_reason_name((enum finding_reason)i), names[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_paths_are_printable),
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_collecting),
        cmocka_unit_test(test_each_level_has_its_limit),
        cmocka_unit_test(test_a_document_full_of_mistakes),
        cmocka_unit_test(test_reasons_have_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
