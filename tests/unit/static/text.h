/* What tests of texts share: reading one, and writing down what came of it. */
#pragma once

#include "test.h"

#include "manifest.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/base/str.h"
#include "nodeagent/objects/pod.h"

#include <stdlib.h>
#include <string.h>

#define SEEN_USEC 1767323045000001 /* 2026-01-02T03:04:05.000001Z */

static inline struct manifest_origin origin_of(enum manifest_form form)
{
    return (struct manifest_origin){
        .form = form,
        .place = form == MANIFEST_FILE ? "/m/web.yaml" : "http://h/m",
        .node_name = "Node-1",
        .seen = SEEN_USEC,
    };
}

/* YAML that begins with a brace would be taken for JSON: it gets "--- " in front. */
static inline struct manifest *read_text(const struct manifest_origin *origin, const char *text)
{
    bool flow = text[0] == '{' && text[1] != '"';
    char *whole = mem_printf("%s%s", flow ? "--- " : "", text);
    struct manifest *manifest = manifest_read(origin, whole, strlen(whole));

    free(whole);
    return manifest;
}

static inline struct manifest *read_file_text(const char *text)
{
    struct manifest_origin origin = origin_of(MANIFEST_FILE);

    return read_text(&origin, text);
}

/* "Pod default/web-node-1, ..." */
static inline char *names_of(const struct manifest *manifest)
{
    struct strbuf text = STRBUF_INIT;

    array_for_each (item, manifest->objects)
        strbuf_printf(&text, "%s%s %s/%s", text.length ? ", " : "", item->object->kind->name,
                      item->object->metadata.name_space, item->object->metadata.name);
    return strbuf_take(&text);
}

static inline char *problems_of(const struct manifest *manifest)
{
    struct strbuf text = STRBUF_INIT;

    array_for_each (problem, manifest->problems)
        strbuf_printf(&text, "%s%s%s %s", text.length ? "\n" : "", problem->place,
                      problem->refused ? "!" : "", problem->sentence);
    return strbuf_take(&text);
}

static inline void assert_reads(const struct manifest_origin *origin, const char *text,
                                const char *names, const char *problems)
{
    struct manifest *manifest = read_text(origin, text);
    char *found = names_of(manifest), *wrong = problems_of(manifest);

    if (strcmp(found, names) != 0 || strcmp(wrong, problems) != 0)
        fail_msg("%s\n--- objects: %s\n--- problems:\n%s", text, found, wrong);
    assert_true(manifest->good || !manifest->objects.count);
    assert_null(manifest_free(manifest));
    free(found);
    free(wrong);
}
