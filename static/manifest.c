/* From a text to named, defaulted and checked objects, and to sentences about what is wrong. */
#include "manifest.h"
#include "nodeagent/base/map.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/base/yaml.h"
#include "nodeagent/objects/pod.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct reading {
    const struct manifest_origin *origin;
    struct manifest *manifest;
    struct json_places places;
    struct json_findings findings;
    const char *node_name;
    const char *item; /* "items[3]", or "" */
    size_t unsaid;    /* problems beyond MANIFEST_PROBLEMS_MAX */
};

/* problems */

_printf_(4, 0) static void manifest_sayv(struct manifest *manifest, const char *place, bool refused,
                                         const char *format, va_list arguments)
{
    struct err sentence; /* makes what is quoted from outside printable */

    err_setv(&sentence, -EINVAL, format, arguments);
    manifest->problems.items =
        mem_grow(manifest->problems.items, manifest->problems.count, &manifest->problem_space,
                 sizeof(*manifest->problems.items));
    manifest->problems.items[manifest->problems.count++] = (struct static_problem){
        .place = arena_strdup(&manifest->arena, place),
        .sentence = arena_strdup(&manifest->arena, sentence.text),
        .refused = refused,
    };
    if (refused)
        manifest->good = false;
}

_printf_(4, 5) static void manifest_say(struct manifest *manifest, const char *place, bool refused,
                                        const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    manifest_sayv(manifest, place, refused, format, arguments);
    va_end(arguments);
}

/* Of a URL the line is told in the sentence: behind a URL it would look like a port. */
static const char *place_of(struct reading *reading, size_t offset)
{
    struct json_place place = json_places_find(&reading->places, offset);

    if (reading->origin->form == MANIFEST_URL)
        return reading->origin->place;
    return arena_printf(&reading->manifest->arena, "%s:%u:%u", reading->origin->place, place.line,
                        place.column);
}

_printf_(4, 5) static void say(struct reading *reading, size_t offset, bool refused,
                               const char *format, ...)
{
    struct json_place place = json_places_find(&reading->places, offset);
    struct manifest *manifest = reading->manifest;
    const char *sentence;
    va_list arguments;

    if (refused)
        manifest->good = false;
    if (manifest->problems.count >= MANIFEST_PROBLEMS_MAX) {
        reading->unsaid++;
        return;
    }
    va_start(arguments, format);
    sentence = arena_vprintf(&manifest->arena, format, arguments);
    va_end(arguments);
    if (reading->origin->form == MANIFEST_URL)
        manifest_say(manifest, place_of(reading, offset), refused, "line %u column %u: %s",
                     place.line, place.column, sentence);
    else
        manifest_say(manifest, place_of(reading, offset), refused, "%s", sentence);
}

static void say_findings(struct reading *reading, const struct report *report,
                         enum finding_level level)
{
    bool refused = level == FINDING_ERROR;
    size_t said = 0, all = refused ? report->errors : report->warnings;

    array_for_each (finding, report->findings) {
        if (finding->level != level)
            continue;
        said++;
        say(reading, finding->offset, refused, "%s%s%s%s%s", reading->item,
            *reading->item && *finding->path ? "." : "", finding->path,
            *reading->item || *finding->path ? ": " : "", finding->message);
    }
    reading->unsaid += all - said;
}

static void say_duplicates(struct reading *reading)
{
    const struct json_findings *findings = &reading->findings;
    size_t said = MIN(findings->duplicate_count, (size_t)JSON_DUPLICATES_MAX);

    for (size_t i = 0; i < said; i++) {
        struct json_place first =
            json_places_find(&reading->places, findings->duplicates[i].earlier);

        say(reading, findings->duplicates[i].offset, false,
            "%s: is set twice, first at line %u column %u; the last one wins",
            findings->duplicates[i].path, first.line, first.column);
    }
    reading->unsaid += findings->duplicate_count - said;
}

/* objects */

static bool is_allowed(const struct reading *reading, const struct object *object)
{
    if (object->kind == &object_kind_pod)
        return true;
    return reading->origin->form == MANIFEST_FILE && reading->origin->config_objects &&
           (object->kind == &object_kind_config_map || object->kind == &object_kind_secret);
}

static void check(const struct reading *reading, struct object *object, struct report *report)
{
    enum static_references allowed =
        reading->origin->config_objects ? STATIC_REFERS_TO_CONFIG : STATIC_REFERS_TO_NOTHING;

    if (!is_allowed(reading, object)) {
        report_error_in(report, NULL, "kind", FINDING_NOT_SUPPORTED,
                        "%s cannot be given to a node like this; %s", object->kind->name,
                        reading->origin->config_objects && reading->origin->form == MANIFEST_FILE
                            ? "Pod, ConfigMap and Secret can"
                            : "only a Pod can");
        return;
    }
    object_validate(object, report);
    if (object->kind == &object_kind_pod)
        pod_check_static(pod_of(object), allowed, FINDING_ERROR, report);
}

static void add_object(struct reading *reading, struct object *object, const char *digest,
                       size_t offset)
{
    struct manifest *manifest = reading->manifest;

    if (manifest->objects.count == MANIFEST_OBJECTS_MAX) {
        say(reading, offset, true, "is one object more than the %d allowed here",
            MANIFEST_OBJECTS_MAX);
        object_unref(object);
        return;
    }
    manifest->objects.items = mem_grow(manifest->objects.items, manifest->objects.count,
                                       &manifest->object_space, sizeof(*manifest->objects.items));
    manifest->objects.items[manifest->objects.count++] = (struct manifest_object){
        .object = object,
        .digest = arena_strdup(&manifest->arena, digest),
        .place = place_of(reading, offset),
    };
}

/* `kind` is NULL when the document itself says what it is. */
static void read_object(struct reading *reading, const struct json *document,
                        const struct object_kind *kind)
{
    struct report report;
    struct identity identity = {
        .node_name = reading->node_name,
        .source = reading->origin->form == MANIFEST_FILE ? "file" : "http",
        .place = reading->origin->place,
        .seen = reading->origin->seen,
        .report = &report,
    };
    struct object *object;

    report_init(&report, document);
    object =
        object_decode_edited(kind, document, OBJECT_KEEP_RAW, identity_give, &identity, &report);
    if (object && !report.errors)
        check(reading, object, &report);
    say_findings(reading, &report, FINDING_ERROR);
    say_findings(reading, &report, FINDING_WARNING);
    if (report.errors)
        object_unref(object);
    else
        add_object(reading, object, identity.digest, document->offset);
    report_deinit(&report);
}

static bool is_pod_list(const struct json *document)
{
    const struct json *kind = json_get_string(document, "kind"),
                      *version = json_get_string(document, "apiVersion");

    return kind && version && json_text_is(kind, "PodList") && json_text_is(version, "v1");
}

static void read_pod_list(struct reading *reading, const struct json *document)
{
    const struct json *items = json_get(document, "items");

    if (!items || items->type == JSON_NULL)
        return;
    if (items->type != JSON_ARRAY) {
        say(reading, items->offset, true, "items: must be a list, not %s", json_type_name(items));
        return;
    }
    for (uint32_t i = 0; i < items->length; i++) {
        const struct json *item = &items->items[i];
        struct arena arena = ARENA_INIT(64, 64);
        bool says = item->type == JSON_OBJECT && json_get(item, "kind");

        reading->item = arena_printf(&arena, "items[%u]", i);
        read_object(reading, item, says ? NULL : &object_kind_pod);
        reading->item = "";
        arena_deinit(&arena);
    }
}

static void read_document(struct reading *reading, const struct json *document)
{
    say_duplicates(reading);
    if (reading->origin->form == MANIFEST_URL && is_pod_list(document))
        read_pod_list(reading, document);
    else
        read_object(reading, document, NULL);
}

/* texts */

static void read_json(struct reading *reading)
{
    struct arena arena = ARENA_INIT_DOCUMENT;
    struct json *document;
    struct err err;

    if (json_parse(&arena, reading->places.text, reading->places.length, &json_limits_manifest,
                   &reading->findings, &document, &err) < 0)
        say(reading, reading->findings.error_offset, true, "%s", err.text);
    else
        read_document(reading, document);
    arena_deinit(&arena);
}

/* Reads the next document: whether there was one. */
static bool read_next(struct reading *reading, struct yaml_stream *stream, bool wanted)
{
    struct arena arena = ARENA_INIT_DOCUMENT;
    struct json *document;
    struct err err;
    int result =
        yaml_next(stream, &arena, &json_limits_manifest, &reading->findings, &document, &err);

    if (result > 0 && wanted)
        read_document(reading, document);
    else if (result < 0 && wanted)
        say(reading, reading->findings.error_offset, true, "%s", err.text);
    else if (result)
        say(reading, result > 0 ? document->offset : reading->findings.error_offset, false,
            "only the first document is used; put this one into a file of its own");
    arena_deinit(&arena);
    return result;
}

/* An empty file is one that somebody is about to fill; an empty answer is one. */
static void say_empty(struct reading *reading)
{
    if (reading->origin->form == MANIFEST_FILE)
        say(reading, 0, true, "has no object in it; remove the file if it is meant to be none");
    else if (reading->places.length)
        say(reading, 0, true, "has no object in it; an empty answer would mean no pods");
}

static void read_yaml(struct reading *reading)
{
    struct yaml_stream stream = {.text = reading->places.text, .length = reading->places.length};
    bool several = reading->origin->form == MANIFEST_FILE && reading->origin->config_objects;

    if (!read_next(reading, &stream, true)) {
        say_empty(reading);
        return;
    }
    while (read_next(reading, &stream, several) && several)
        ;
}

static char *lower_case(struct arena *arena, const char *text)
{
    char *lower = arena_strdup(arena, text);

    for (char *c = lower; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    return lower;
}

static void drop_objects(struct manifest *manifest)
{
    array_for_each (item, manifest->objects)
        object_unref(item->object);
    manifest->objects.count = 0;
}

static struct manifest *manifest_new(void)
{
    struct manifest *manifest = mem_new(struct manifest);

    manifest->arena = ARENA_INIT(256, 4096);
    manifest->good = true;
    return manifest;
}

struct manifest *manifest_read(const struct manifest_origin *origin, const char *text,
                               size_t length)
{
    struct manifest *manifest = manifest_new();
    struct reading *reading = mem_new(struct reading);

    reading->origin = origin;
    reading->manifest = manifest;
    reading->item = "";
    reading->node_name = lower_case(&manifest->arena, origin->node_name);
    json_places_init(&reading->places, text, length);
    if (yaml_is_json(text, length))
        read_json(reading);
    else
        read_yaml(reading);
    if (reading->unsaid)
        manifest_say(manifest, origin->place, !manifest->good, "%zu more findings",
                     reading->unsaid);
    if (!manifest->good)
        drop_objects(manifest);
    json_places_deinit(&reading->places);
    free(reading);
    return manifest;
}

struct manifest *manifest_problem(const char *place, bool refused, const char *format, ...)
{
    struct manifest *manifest = manifest_new();
    va_list arguments;

    va_start(arguments, format);
    manifest_sayv(manifest, place, refused, format, arguments);
    va_end(arguments);
    return manifest;
}

struct manifest *manifest_free(struct manifest *manifest)
{
    if (!manifest)
        return NULL;
    drop_objects(manifest);
    free(manifest->objects.items);
    free(manifest->problems.items);
    arena_deinit(&manifest->arena);
    free(manifest);
    return NULL;
}

void manifest_keep_same(struct manifest *manifest, struct manifest *before)
{
    struct map by_digest = MAP_INIT;

    array_for_each (old, before->objects)
        map_put(&by_digest, old->digest, old);
    array_for_each (item, manifest->objects) {
        struct manifest_object *old = map_get(&by_digest, item->digest);

        if (old && !strcmp(old->object->metadata.uid, item->object->metadata.uid)) {
            struct object *object = item->object;

            item->object = old->object;
            old->object = object;
        }
    }
    map_deinit(&by_digest);
}
