/*
 * Objects: whatever is decoded can be encoded, and what was encoded is a fixed point; findings
 * are bounded, printable by path, and have places inside the text; memory follows the text.
 */
#include "fuzz.h"

#include "nodeagent/base/yaml.h"
#include "nodeagent/objects/pod.h"

static const struct json_limits limits = {.bytes_max = 1 << 20, .nodes_max = 10000};

enum {
    /* For each node of a document: the largest structure, and what defaults and sums add. */
    OBJECT_BYTES_PER_NODE = 2048,
};

static void check_report(const struct report *report, size_t length)
{
    size_t errors = 0;

    array_for_each (finding, report->findings) {
        errors += finding->level == FINDING_ERROR;
        assert_that(finding->offset <= length);
        assert_that(finding->message && finding->message[0]);
        assert_that(!strstr(finding->message, "(null)"));
        assert_that(!utf8_check(finding->path, strlen(finding->path)));
        for (const char *c = finding->path; *c; c++)
            assert_that((unsigned char)*c >= 0x20 && *c != 0x7f);
        assert_that(finding_reason_name(finding->reason));
    }
    assert_that(errors <= FINDINGS_MAX && report->findings.count - errors <= FINDINGS_MAX);
    assert_that(report->errors >= errors && report->warnings >= report->findings.count - errors);
}

static void encode(const struct object *object, struct strbuf *text)
{
    struct json_writer writer;

    json_writer_init(&writer, text, false);
    object_encode(object, &writer);
    json_writer_deinit(&writer);
}

/* What was encoded is read without a finding of decoding, and encoded the same. */
static void check_encoding(const struct object *object)
{
    struct arena arena = ARENA_INIT_DOCUMENT;
    struct strbuf first = STRBUF_INIT, second = STRBUF_INIT;
    struct json_findings findings;
    struct report report;
    struct object *again;
    struct err err = {0};
    struct json *root;

    encode(object, &first);
    assert_that(json_parse(&arena, first.text, first.length, &json_limits_manifest, &findings,
                           &root, &err) == 0);
    assert_that(findings.duplicate_count == 0);
    report_init(&report, root);
    again = object_decode(root, OBJECT_DROP_RAW, &report);
    assert_that(again && report.findings.count == 0);
    encode(again, &second);
    assert_that(bytes_equal(first.text, first.length, second.text, second.length));
    object_unref(again);
    report_deinit(&report);
    strbuf_deinit(&first);
    strbuf_deinit(&second);
    arena_deinit(&arena);
}

static void check_raw(const struct object *object, const struct json *document)
{
    struct strbuf text = STRBUF_INIT;

    write_document(&text, document);
    assert_that(bytes_equal(text.text, text.length, object->raw, strlen(object->raw)));
    strbuf_deinit(&text);
}

static void check_object(struct object *object, const struct json *document, size_t length,
                         struct report *report)
{
    check_encoding(object);
    check_raw(object, document);
    object_validate(object, report);
    if (object->kind == &object_kind_pod) {
        pod_check_static(pod_of(object), STATIC_REFERS_TO_NOTHING, FINDING_ERROR, report);
        pod_check_static(pod_of(object), STATIC_REFERS_TO_NOTHING, FINDING_WARNING, report);
    }
    assert_that(arena_size(&object->arena) <=
                (1 << 16) + 32 * length + OBJECT_BYTES_PER_NODE * limits.nodes_max);
    object_unref(object);
}

static void check_document(const struct json *document, size_t length)
{
    struct report report;
    struct object *object;

    report_init(&report, document);
    object = object_decode(document, OBJECT_KEEP_RAW, &report);
    assert_that(!object == (report.errors > 0));
    if (object)
        check_object(object, document, length, &report);
    check_report(&report, length);
    report_deinit(&report);

    report_init(&report, document);
    object = object_decode_as(&object_kind_pod, document, OBJECT_KEEP_RAW, &report);
    assert_that(!object == (report.errors > 0));
    if (object)
        check_object(object, document, length, &report);
    check_report(&report, length);
    report_deinit(&report);
}

/* JSON is read twice: by the JSON reader names may repeat. */
static void check_json(const char *text, size_t length)
{
    struct arena arena = ARENA_INIT_DOCUMENT;
    struct json_findings findings;
    struct json *root;

    if (yaml_is_json(text, length) &&
        json_parse(&arena, text, length, &limits, &findings, &root, NULL) == 0)
        check_document(root, length);
    arena_deinit(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct yaml_stream stream = {.text = (const char *)data, .length = size};
    int result;

    if (memmem(data, size, "(null)", strlen("(null)")))
        return -1; /* a sentence may quote it; else it would be a string that is not there */
    do {
        struct arena arena = ARENA_INIT_DOCUMENT;
        struct json_findings findings;
        struct json *root;

        result = yaml_next(&stream, &arena, &limits, &findings, &root, NULL);
        if (result > 0)
            check_document(root, size);
        arena_deinit(&arena);
    } while (result != 0);
    check_json((const char *)data, size);
    return 0;
}
