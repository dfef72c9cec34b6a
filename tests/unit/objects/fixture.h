/*
 * What the tests of pods and of their parts add to document.h: frames of pods with a hole for
 * what is tested, the sentences of findings, and looking into what was decoded.
 */
#pragma once

#include "document.h"

#include "nodeagent/base/str.h"
#include "nodeagent/objects/pod.h"

/* frames: valid without what stands in the hole */

#define POD_METADATA                                                                               \
    "{apiVersion: v1, kind: Pod, metadata: {%s}, spec: {containers: [{name: a, image: a}]}}"
#define POD_SPEC                                                                                   \
    "{apiVersion: v1, kind: Pod, metadata: {name: web, labels: {app: web}}, spec: {containers: "   \
    "[{name: a, image: a}], %s}}"
#define POD_CONTAINER                                                                              \
    "{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {containers: [{name: a, image: a, "  \
    "%s}]}}"
#define POD_INIT                                                                                   \
    "{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {containers: [{name: a, image: "     \
    "a}], "                                                                                        \
    "initContainers: [{name: i, image: a, %s}]}}"

static inline char *fill_frame(const char *frame, const char *text)
{
    const char *hole = strstr(frame, "%s");

    return mem_printf("%.*s%s%s", (int)(hole - frame), frame, text, hole + 2);
}

/* `count` times the text, in which "#" stands for 0, 1, 2 ...; joined with commas. */
static inline char *repeat(const char *text, size_t count)
{
    struct strbuf out = STRBUF_INIT;

    for (size_t i = 0; i < count; i++) {
        if (i)
            strbuf_add(&out, ", ");
        for (const char *c = text; *c; c++) {
            if (*c == '#')
                strbuf_printf(&out, "%zu", i);
            else
                strbuf_add_char(&out, *c);
        }
    }
    return strbuf_take(&out);
}

static inline char *letters(char letter, size_t count)
{
    char *text = mem_alloc(count + 1);

    memset(text, letter, count);
    text[count] = '\0';
    return text;
}

/* One case whose text was made: what is wrong with it. */
static inline void assert_made(const char *frame, const char *prefix, char *text,
                               const char *expected)
{
    char *yaml = fill_frame(frame, text);

    assert_findings(yaml, prefix, expected);
    free(yaml);
    free(text);
}

/* Each text must lead to exactly this sentence, of the first finding; a table ends with {0}. */
struct sentence_case {
    const char *text;
    const char *sentence;
};

static inline void assert_sentences(const char *frame, const struct sentence_case *cases)
{
    for (; cases->text; cases++) {
        char *yaml = fill_frame(frame, cases->text);
        struct document document;

        document_read(&document, yaml);
        if (!document.report.findings.count ||
            strcmp(document.report.findings.items[0].message, cases->sentence) != 0)
            fail_msg("%s\nexpected: %s\nfound:    %s", yaml, cases->sentence,
                     document.report.findings.count ? document.report.findings.items[0].message
                                                    : "(no finding)");
        document_deinit(&document);
        free(yaml);
    }
}

/* Reads a document that must be right. */
static inline struct pod *read_pod(struct document *document, const char *yaml)
{
    char *findings;

    document_read(document, yaml);
    findings = document_findings(document, "");
    if (*findings)
        fail_msg("%s\nfound: %s", yaml, findings);
    free(findings);
    return pod_of(document->object);
}
