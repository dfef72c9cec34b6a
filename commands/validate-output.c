/*
 * Telling what was found: a line a finding (file:line:column: path: message), or one JSON
 * document. Text from manifests is escaped: a manifest may hold anything, also escape sequences
 * for the terminal.
 */
#include "command.h"
#include "show.h"
#include "validate.h"

#include <stdlib.h>
#include <string.h>

bool finding_refuses(const struct validate *validate, const struct finding *finding)
{
    return finding->level == FINDING_ERROR ||
           (validate->strict && (finding->reason == FINDING_UNKNOWN_FIELD ||
                                 finding->reason == FINDING_DUPLICATE_FIELD));
}

static void flush_output(struct validate *validate)
{
    fwrite(validate->output.text, 1, validate->output.length, stdout);
    strbuf_truncate(&validate->output, 0);
}

/* text */

static void text_finding(struct validate *validate, const struct source *source,
                         const struct outcome *outcome, const struct finding *finding)
{
    struct strbuf *out = &validate->output;
    struct json_place place = json_places_find(&source->places, finding->offset);

    show_text(out, source->name);
    strbuf_printf(out, ":%u:%u: %s", place.line, place.column,
                  finding_refuses(validate, finding) ? "" : "warning: ");
    if (*outcome->item)
        strbuf_printf(out, "%s%s", outcome->item, *finding->path ? "." : ": ");
    if (*finding->path)
        strbuf_printf(out, "%s: ", finding->path);
    show_text(out, finding->message);
    strbuf_add_char(out, '\n');
    flush_output(validate);
}

static void text_title(struct strbuf *out, const struct outcome *outcome)
{
    if (*outcome->item)
        strbuf_printf(out, "%s: ", outcome->item);
    if (outcome->api_version && outcome->kind) {
        show_text(out, outcome->api_version);
        strbuf_add_char(out, ' ');
        show_text(out, outcome->kind);
    } else {
        strbuf_add(out, "document");
    }
    if (outcome->name) {
        strbuf_add_char(out, ' ');
        if (outcome->name_space) {
            show_text(out, outcome->name_space);
            strbuf_add_char(out, '/');
        }
        show_text(out, outcome->name);
    }
}

static const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

static void text_verdict(struct validate *validate, const struct source *source,
                         const struct outcome *outcome, size_t errors, size_t warnings)
{
    struct strbuf *out = &validate->output;

    show_text(out, source->name);
    strbuf_printf(out, ":%u: ", json_places_find(&source->places, outcome->offset).line);
    text_title(out, outcome);
    if (outcome->verdict == VERDICT_REFUSED)
        strbuf_printf(out, ": refused: %zu error%s", errors, plural(errors));
    else
        strbuf_add(out, outcome->verdict == VERDICT_ACCEPTED ? ": accepted" : ": not checked");
    if (warnings)
        strbuf_printf(out, ", %zu warning%s", warnings, plural(warnings));
    strbuf_add_char(out, '\n');
    flush_output(validate);
}

/* JSON */

static void json_place_members(struct json_writer *writer, const struct source *source,
                               size_t offset)
{
    struct json_place place = json_places_find(&source->places, offset);

    json_write_int_member(writer, "line", place.line);
    json_write_int_member(writer, "column", place.column);
}

static void json_outcome(struct validate *validate, const struct source *source,
                         const struct outcome *outcome, size_t errors, size_t warnings)
{
    static const char *const verdicts[] = {"accepted", "refused", "unchecked"};
    struct json_writer *writer = &validate->writer;

    json_write_object(writer);
    show_member_quoted(writer, "file", source->name);
    json_place_members(writer, source, outcome->offset);
    show_member(writer, "item", *outcome->item ? outcome->item : NULL);
    show_member(writer, "apiVersion", outcome->api_version);
    show_member(writer, "kind", outcome->kind);
    show_member(writer, "namespace", outcome->name_space);
    show_member(writer, "name", outcome->name);
    show_member(writer, "verdict", verdicts[outcome->verdict]);
    show_member_count(writer, "errors", errors);
    show_member_count(writer, "warnings", warnings);
    json_write_name(writer, "findings");
    json_write_array(writer);
    array_for_each (finding, outcome->report->findings) {
        json_write_object(writer);
        show_member(writer, "level", finding_refuses(validate, finding) ? "error" : "warning");
        show_member(writer, "reason", finding_reason_name(finding->reason));
        show_member(writer, "field", finding->path);
        json_place_members(writer, source, finding->offset);
        show_member_quoted(writer, "message", finding->message);
        json_write_object_end(writer);
    }
    json_write_array_end(writer);
    json_write_object_end(writer);
    flush_output(validate);
}

/* both */

void output_begin(struct validate *validate)
{
    if (!validate->json)
        return;
    json_writer_init(&validate->writer, &validate->output, true);
    json_write_object(&validate->writer);
    json_write_name(&validate->writer, "documents");
    json_write_array(&validate->writer);
}

void output_outcome(struct validate *validate, const struct source *source,
                    const struct outcome *outcome)
{
    const struct report *report = outcome->report;
    size_t refusing = validate->strict ? report->field_warnings : 0;
    size_t errors = report->errors + refusing, warnings = report->warnings - refusing;

    validate->counts.accepted += outcome->verdict == VERDICT_ACCEPTED;
    validate->counts.refused += outcome->verdict == VERDICT_REFUSED;
    validate->counts.unchecked += outcome->verdict == VERDICT_UNCHECKED;
    validate->counts.errors += errors;
    validate->counts.warnings += warnings;
    if (validate->json) {
        json_outcome(validate, source, outcome, errors, warnings);
        return;
    }
    array_for_each (finding, outcome->report->findings)
        text_finding(validate, source, outcome, finding);
    text_verdict(validate, source, outcome, errors, warnings);
}

void output_unreadable(struct validate *validate, const char *path, const struct err *err)
{
    validate->counts.unreadable++;
    if (validate->json) {
        json_write_object(&validate->writer);
        show_member_quoted(&validate->writer, "file", path);
        show_member(&validate->writer, "verdict", "unreadable");
        show_member_quoted(&validate->writer, "message", err->text);
        json_write_object_end(&validate->writer);
        return;
    }
    show_text(&validate->output, err->text);
    strbuf_add_char(&validate->output, '\n');
    flush_output(validate);
}

void output_note(struct validate *validate, const char *path, const char *note)
{
    if (validate->json)
        return;
    show_text(&validate->output, path);
    strbuf_printf(&validate->output, ": %s\n", note);
    flush_output(validate);
}

static void json_summary(struct validate *validate)
{
    const struct validate_counts *counts = &validate->counts;
    struct json_writer *writer = &validate->writer;

    json_write_array_end(writer);
    json_write_name(writer, "summary");
    json_write_object(writer);
    show_member_count(writer, "accepted", counts->accepted);
    show_member_count(writer, "refused", counts->refused);
    show_member_count(writer, "unchecked", counts->unchecked);
    show_member_count(writer, "unreadable", counts->unreadable);
    show_member_count(writer, "errors", counts->errors);
    show_member_count(writer, "warnings", counts->warnings);
    json_write_object_end(writer);
    json_write_object_end(writer);
    json_writer_deinit(writer);
}

static void text_summary(struct validate *validate)
{
    const struct validate_counts *counts = &validate->counts;
    size_t documents = counts->accepted + counts->refused + counts->unchecked;

    strbuf_printf(&validate->output, "%zu document%s: %zu accepted, %zu refused", documents,
                  plural(documents), counts->accepted, counts->refused);
    if (counts->unchecked)
        strbuf_printf(&validate->output, ", %zu not checked", counts->unchecked);
    if (counts->unreadable)
        strbuf_printf(&validate->output, "; %zu file%s could not be read", counts->unreadable,
                      plural(counts->unreadable));
    strbuf_printf(&validate->output, "; %zu warning%s\n", counts->warnings,
                  plural(counts->warnings));
}

void output_end(struct validate *validate)
{
    if (validate->json)
        json_summary(validate);
    else
        text_summary(validate);
    flush_output(validate);
    strbuf_deinit(&validate->output);
}
