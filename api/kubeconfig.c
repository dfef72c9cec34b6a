/*
 * Reading a kubeconfig: from a text to a document, to what is written in it, to what counts. All
 * that is wrong is told at once.
 */
#include "kubeconfig-private.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/base/yaml.h"
#include "nodeagent/sys/files.h"
#include "nodeagent/sys/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    WARNINGS_TOLD_MAX = 20,
};

static const struct json_limits limits = {
    .bytes_max = KUBECONFIG_BYTES_MAX,
    .nodes_max = KUBECONFIG_NODES_MAX,
};

/* The bytes of the file while it is read. */
struct source {
    const char *path;
    struct json_places places;
    struct json_findings findings;
};

/* findings */

_printf_(3, 4) static void warn_at(struct source *source, size_t offset, const char *format, ...)
{
    struct json_place place = json_places_find(&source->places, offset);
    va_list arguments;
    struct err err;

    va_start(arguments, format);
    err_setv(&err, -EINVAL, format, arguments);
    va_end(arguments);
    log_warning("%s:%u:%u: %s", source->path, place.line, place.column, err.text);
}

static void warn_of_duplicates(struct source *source)
{
    size_t count = MIN(source->findings.duplicate_count, (size_t)WARNINGS_TOLD_MAX);

    for (size_t i = 0; i < count; i++) {
        const struct json_duplicate *duplicate = &source->findings.duplicates[i];

        warn_at(source, duplicate->offset, "%s: is set twice; the last one wins", duplicate->path);
    }
}

static int conclude(struct source *source, const struct report *report, struct err *err)
{
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;
    size_t warned = 0;

    array_for_each (finding, report->findings) {
        struct json_place place = json_places_find(&source->places, finding->offset);
        const char *colon = *finding->path ? ": " : "";

        if (finding->level == FINDING_ERROR && text.length < ERR_TEXT_MAX)
            strbuf_printf(&text, "%s%s:%u:%u: %s%s%s", text.length ? "; " : "", source->path,
                          place.line, place.column, finding->path, colon, finding->message);
        else if (finding->level == FINDING_WARNING && warned++ < WARNINGS_TOLD_MAX)
            warn_at(source, finding->offset, "%s%s%s", finding->path, colon, finding->message);
    }
    return report->errors ? err_set(err, -EINVAL, "%s", text.text) : 0;
}

/* documents */

/*
 * Some sentences about YAML quote what they are about, which here may be a password; those about
 * its syntax and about limits do not.
 */
static int parse_failed(struct source *source, bool json, const struct err *why, struct err *err)
{
    struct json_place place = json_places_find(&source->places, source->findings.error_offset);
    bool quotes = !json && why->code == -EINVAL && !str_has_prefix(why->text, "not YAML: ");

    return err_set(err, why->code, "%s:%u:%u: %s", source->path, place.line, place.column,
                   quotes ? "is not understood; put it in quotes if it is meant as text (it is not "
                            "shown, as it may be a secret)"
                          : why->text);
}

static int parse_document(struct source *source, struct arena *arena, struct json **document,
                          struct err *err)
{
    struct yaml_stream stream = {.text = source->places.text, .length = source->places.length};
    struct err why;
    int r;

    if (yaml_is_json(stream.text, stream.length)) {
        r = json_parse(arena, stream.text, stream.length, &limits, &source->findings, document,
                       &why);
        return r < 0 ? parse_failed(source, true, &why, err) : 0;
    }
    r = yaml_next(&stream, arena, &limits, &source->findings, document, &why);
    if (r < 0)
        return parse_failed(source, false, &why, err);
    return r > 0 ? 0 : err_set(err, -EINVAL, "%s: is empty; it must be a kubeconfig", source->path);
}

static int decode(struct source *source, struct kubeconfig *config,
                  const struct kubeconfig_options *options, const struct json *document,
                  struct err *err)
{
    struct written written = {0};
    struct report report;
    struct reading reading = {
        .config = config,
        .options = options,
        .directory = arena_strndup(&config->arena, config->path,
                                   (size_t)(strrchr(config->path, '/') - config->path)),
        .document = document,
        .written = &written,
        .report = &report,
    };
    int r;

    report_init(&report, document);
    schema_decode(&written_schema, &written, document, NULL, &config->arena, &report);
    if (!report.errors)
        kubeconfig_check(&reading);
    r = conclude(source, &report, err);
    report_deinit(&report);
    return r;
}

/* the whole */

static int make_absolute(struct arena *arena, const char *path, const char **absolute,
                         struct err *err)
{
    _cleanup_(mem_free_at) char *directory = NULL;

    if (*path == '/') {
        *absolute = arena_strdup(arena, path);
        return 0;
    }
    directory = getcwd(NULL, 0);
    if (!directory)
        return err_set(err, -errno, "%s: cannot tell the current directory: %s", path,
                       strerror(errno));
    *absolute = arena_printf(arena, "%s/%s", directory, path);
    return 0;
}

int kubeconfig_parse(struct kubeconfig **result, const struct kubeconfig_options *options,
                     const char *text, size_t length, struct err *err)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    struct kubeconfig *config = mem_new(struct kubeconfig);
    struct source *source = mem_new(struct source);
    struct json *document;
    int r;

    config->arena = ARENA_INIT_DOCUMENT;
    json_places_init(&source->places, text, length);
    r = make_absolute(&config->arena, options->path, &config->path, err);
    source->path = config->path;
    if (r == 0)
        r = parse_document(source, &arena, &document, err);
    if (r == 0) {
        warn_of_duplicates(source);
        r = decode(source, config, options, document, err);
    }
    json_places_deinit(&source->places);
    free(source);
    if (r < 0)
        kubeconfig_free(config);
    else
        *result = config;
    return r;
}

int kubeconfig_read(struct kubeconfig **result, const struct kubeconfig_options *options,
                    struct err *err)
{
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;
    int r = file_read(options->path, KUBECONFIG_BYTES_MAX, &text, err);

    return r < 0 ? r
                 : kubeconfig_parse(result, options, text.text ? text.text : "", text.length, err);
}

struct kubeconfig *kubeconfig_free(struct kubeconfig *kubeconfig)
{
    if (!kubeconfig)
        return NULL;
    arena_deinit(&kubeconfig->arena);
    free(kubeconfig);
    return NULL;
}
