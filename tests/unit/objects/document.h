/*
 * What the tests of objects share: reading a document as the programs do, and its findings and
 * its encoding as text that a test can compare.
 */
#pragma once

#include "test.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/base/yaml.h"
#include "nodeagent/objects/object.h"

#include <stdlib.h>
#include <string.h>

struct document {
    struct arena arena;
    struct report report;
    struct object *object; /* NULL when it could not be decoded */
};

/* Decodes, fills in defaults and validates. */
static inline void document_read(struct document *document, const char *yaml)
{
    struct yaml_stream stream = {.text = yaml, .length = strlen(yaml)};
    struct json_findings findings = {0};
    struct json *root = NULL;
    struct err err = {0};

    document->arena = ARENA_INIT_DOCUMENT;
    if (yaml_next(&stream, &document->arena, &json_limits_manifest, &findings, &root, &err) != 1)
        fail_msg("%s\n%s", err.text, yaml);
    report_init(&document->report, root);
    document->object = object_decode(root, OBJECT_DROP_RAW, &document->report);
    if (document->object)
        object_validate(document->object, &document->report);
}

static inline void document_deinit(struct document *document)
{
    document->object = object_unref(document->object);
    report_deinit(&document->report);
    arena_deinit(&document->arena);
}

/* "Required spec.ports, Invalid metadata.name": in the order in which they were found. What all
 * paths have in common may be left out. */
static inline char *document_findings(const struct document *document, const char *prefix)
{
    struct strbuf text = STRBUF_INIT;

    array_for_each (finding, document->report.findings) {
        const char *path = finding->path;

        if (str_has_prefix(path, prefix))
            path += strlen(prefix);
        if (*path == '.')
            path++;
        strbuf_printf(&text, "%s%s %s", text.length ? ", " : "",
                      finding_reason_name(finding->reason), path);
    }
    return strbuf_take(&text);
}

static inline char *object_text(const struct object *object)
{
    struct strbuf text = STRBUF_INIT;
    struct json_writer writer;

    json_writer_init(&writer, &text, false);
    object_encode(object, &writer);
    json_writer_deinit(&writer);
    return strbuf_take(&text);
}

static inline void assert_findings(const char *yaml, const char *prefix, const char *expected)
{
    struct document document;
    char *findings;

    document_read(&document, yaml);
    findings = document_findings(&document, prefix);
    if (strcmp(findings, expected) != 0)
        fail_msg("%s\nexpected: %s\nfound:    %s", yaml, expected, findings);
    free(findings);
    document_deinit(&document);
}

/* A document and what must be found in it; a table of them ends with an empty entry. */
struct finding_case {
    const char *text;
    const char *findings;
};

/* `frame` is the document, with %s where the case's text belongs. */
static inline void assert_cases(const char *frame, const char *prefix,
                                const struct finding_case *cases)
{
    const char *hole = strstr(frame, "%s");

    for (; cases->text; cases++) {
        char *yaml = mem_printf("%.*s%s%s", (int)(hole - frame), frame, cases->text, hole + 2);

        assert_findings(yaml, prefix, cases->findings);
        free(yaml);
    }
}

/* Decoding, defaults and encoding give `expected`; doing it again changes nothing. */
static inline void assert_encoded(const char *yaml, const char *expected)
{
    char *source = mem_strdup(yaml);

    for (int round = 0; round < 2; round++) {
        struct document document;
        char *text;

        document_read(&document, source);
        assert_non_null(document.object);
        text = object_text(document.object);
        assert_string_equal(text, expected);
        document_deinit(&document);
        free(source);
        source = text;
    }
    free(source);
}

/* volumes, in a pod that is otherwise right */

#define POD_WITH_VOLUMES                                                                           \
    "{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {"                                   \
    "containers: [{name: web, image: web}], volumes: [%s]}}"

static inline void assert_volume_cases(const struct finding_case *cases)
{
    assert_cases(POD_WITH_VOLUMES, "spec.volumes[0]", cases);
}

/* `expected` is the volume as it is encoded. */
static inline void assert_volume_encoded(const char *volume, const char *expected)
{
    char *yaml = mem_printf("{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {"
                            "containers: [{name: web, image: web}], volumes: [%s]}}",
                            volume);
    struct document document;
    char *text, *found, *whole = mem_printf("\"volumes\":[%s]", expected);

    document_read(&document, yaml);
    assert_non_null(document.object);
    text = object_text(document.object);
    found = strstr(text, whole);
    if (!found)
        fail_msg("expected: %s\nfound:    %s", whole, text);
    free(whole);
    free(text);
    document_deinit(&document);
    free(yaml);
}
