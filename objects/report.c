/* Collecting findings, and finding the place of a field path in its document. */
#include "nodeagent/objects/report.h"
#include "nodeagent/base/mem.h"

#include <stdlib.h>
#include <string.h>

void report_init(struct report *report, const struct json *document)
{
    *report = (struct report){
        .arena = ARENA_INIT(1024, 16 * 1024),
        .document = document,
    };
}

void report_deinit(struct report *report)
{
    free(report->findings.items);
    arena_deinit(&report->arena);
    *report = (struct report){0};
}

void path_write(const struct path *path, struct strbuf *out)
{
    if (!path)
        return;
    path_write(path->parent, out);
    if (!path->name) {
        strbuf_printf(out, "[%zu]", path->index);
    } else if (path->key) {
        strbuf_add_char(out, '[');
        strbuf_add_quoted(out, path->name, strlen(path->name), 256);
        strbuf_add_char(out, ']');
    } else {
        if (out->length)
            strbuf_add_char(out, '.');
        strbuf_add_quoted(out, path->name, strlen(path->name), 256);
    }
}

static const struct json *json_child(const struct json *value, const struct path *path)
{
    if (path->name)
        return json_get(value, path->name);
    if (value->type != JSON_ARRAY || path->index >= value->length)
        return NULL;
    return &value->items[path->index];
}

/* Returns the value at the path, or NULL; *deepest is the last value that exists on the way. */
static const struct json *path_walk(const struct path *path, const struct json *document,
                                    const struct json **deepest)
{
    const struct json *parent, *child;

    if (!path)
        return *deepest = document;
    parent = path_walk(path->parent, document, deepest);
    child = parent ? json_child(parent, path) : NULL;
    if (child)
        *deepest = child;
    return child;
}

size_t path_offset(const struct path *path, const struct json *document)
{
    const struct json *deepest = NULL;

    if (!document)
        return 0;
    path_walk(path, document, &deepest);
    return deepest->offset;
}

static size_t *report_counter(struct report *report, enum finding_level level)
{
    return level == FINDING_ERROR ? &report->errors : &report->warnings;
}

static void report_count(struct report *report, enum finding_level level,
                         enum finding_reason reason)
{
    ++*report_counter(report, level);
    if (level == FINDING_WARNING &&
        (reason == FINDING_UNKNOWN_FIELD || reason == FINDING_DUPLICATE_FIELD))
        report->field_warnings++;
}

/* Each level has a limit of its own: no number of warnings hides an error. */
bool report_overflows(struct report *report, enum finding_level level, enum finding_reason reason)
{
    if (*report_counter(report, level) < FINDINGS_MAX)
        return false;
    report_count(report, level, reason);
    return true;
}

_printf_(6, 0) static void report_addv(struct report *report, enum finding_level level,
                                       enum finding_reason reason, const char *path, size_t offset,
                                       const char *format, va_list arguments)
{
    if (report_overflows(report, level, reason))
        return;
    report_count(report, level, reason);
    report->findings.items = mem_grow(report->findings.items, report->findings.count,
                                      &report->space, sizeof(*report->findings.items));
    report->findings.items[report->findings.count++] = (struct finding){
        .level = level,
        .reason = reason,
        .path = arena_strdup(&report->arena, path),
        .message = arena_vprintf(&report->arena, format, arguments),
        .offset = offset,
    };
}

_printf_(5, 0) static void report_pathv(struct report *report, enum finding_level level,
                                        const struct path *path, enum finding_reason reason,
                                        const char *format, va_list arguments)
{
    struct strbuf text = STRBUF_INIT;

    if (report_overflows(report, level, reason))
        return;
    path_write(path, &text);
    report_addv(report, level, reason, text.text ? text.text : "",
                path_offset(path, report->document), format, arguments);
    strbuf_deinit(&text);
}

void report_error(struct report *report, const struct path *path, enum finding_reason reason,
                  const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    report_pathv(report, FINDING_ERROR, path, reason, format, arguments);
    va_end(arguments);
}

void report_warning(struct report *report, const struct path *path, enum finding_reason reason,
                    const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    report_pathv(report, FINDING_WARNING, path, reason, format, arguments);
    va_end(arguments);
}

void report_error_in(struct report *report, const struct path *path, const char *name,
                     enum finding_reason reason, const char *format, ...)
{
    struct path child = path_name(path, name);
    va_list arguments;

    va_start(arguments, format);
    report_pathv(report, FINDING_ERROR, &child, reason, format, arguments);
    va_end(arguments);
}

void report_at(struct report *report, enum finding_level level, enum finding_reason reason,
               const char *path, size_t offset, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    report_addv(report, level, reason, path, offset, format, arguments);
    va_end(arguments);
}

const char *finding_reason_name(enum finding_reason reason)
{
    static const char *const names[] = {
        [FINDING_INVALID] = "Invalid",
        [FINDING_REQUIRED] = "Required",
        [FINDING_NOT_SUPPORTED] = "NotSupported",
        [FINDING_FORBIDDEN] = "Forbidden",
        [FINDING_DUPLICATE] = "Duplicate",
        [FINDING_TOO_LONG] = "TooLong",
        [FINDING_TOO_MANY] = "TooMany",
        [FINDING_NOT_FOUND] = "NotFound",
        [FINDING_TYPE] = "Type",
        [FINDING_UNKNOWN_FIELD] = "UnknownField",
        [FINDING_DUPLICATE_FIELD] = "DuplicateField",
        [FINDING_STATIC] = "NotInStaticPod",
    };

    return names[reason];
}
