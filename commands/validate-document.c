/* One document: what it is, and what the API server would say to it. */
#include "command.h"
#include "nodeagent/objects/pod.h"
#include "validate.h"

#include <stdio.h>
#include <string.h>

/* Kinds of the versions below that exist but are not a node agent's business. */
static const char *const core_kinds[] = {
    "Binding",
    "ComponentStatus",
    "Endpoints",
    "LimitRange",
    "Namespace",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "PodTemplate",
    "ReplicationController",
    "ResourceQuota",
    "ServiceAccount",
    NULL,
};

/* All kinds of these versions are known, so another name is a mistake. */
static const char *const whole_versions[] = {"v1", "node.k8s.io/v1", "coordination.k8s.io/v1",
                                             "events.k8s.io/v1", NULL};

static const char *text_at(const struct json *object, const char *first, const char *second,
                           struct arena *arena)
{
    const struct json *outer = json_get(object, first), *value;

    if (!outer)
        return NULL;
    value = json_get_string(outer, second);
    return value && value->length ? arena_strndup(arena, value->text, value->length) : NULL;
}

static struct outcome describe(const struct json *document, const char *item, struct report *report)
{
    struct object_type type = {0};
    struct outcome outcome = {.item = item, .offset = document->offset, .report = report};

    if (document->type == JSON_OBJECT)
        type = object_type_of(document, &report->arena);
    outcome.api_version = type.api_version;
    outcome.kind = type.kind;
    outcome.name_space = text_at(document, "metadata", "namespace", &report->arena);
    outcome.name = text_at(document, "metadata", "name", &report->arena);
    return outcome;
}

static bool is_foreign(const struct outcome *outcome)
{
    if (str_empty(outcome->api_version) || str_empty(outcome->kind) ||
        object_kind_find(outcome->api_version, outcome->kind))
        return false;
    return !str_one_of(outcome->api_version, whole_versions) ||
           (str_equal(outcome->api_version, "v1") && str_one_of(outcome->kind, core_kinds));
}

/* A creation through the API has one more rule, which has no place among those of the objects. */
static void check_creation(const struct object *object, struct report *report)
{
    const char *version = object->metadata.resource_version;
    struct path metadata = path_name(NULL, "metadata");
    int64_t number;

    /* What is no number is not looked at. */
    if (str_to_i64(version, &number) == 0 && number > 0)
        report_error_in(report, &metadata, "resourceVersion", FINDING_INVALID,
                        "must not be set on an object to be created; remove it");
}

/* `kind` is NULL when the document itself says what it is. */
static void check_object(const struct json *document, const struct object_kind *kind,
                         struct report *report)
{
    _cleanup_(object_unref_at) struct object *object =
        kind ? object_decode_as(kind, document, OBJECT_DROP_RAW, report)
             : object_decode(document, OBJECT_DROP_RAW, report);

    if (!object)
        return;
    object_validate(object, report);
    check_creation(object, report);
    if (object->kind == &object_kind_pod)
        pod_check_static(pod_of(object), STATIC_REFERS_TO_NOTHING, FINDING_WARNING, report);
}

static void report_duplicates(const struct source *source, const struct json_findings *findings,
                              struct report *report)
{
    for (size_t i = 0; i < MIN(findings->duplicate_count, (size_t)JSON_DUPLICATES_MAX); i++) {
        const struct json_duplicate *duplicate = &findings->duplicates[i];
        struct json_place first = json_places_find(&source->places, duplicate->earlier);

        report_at(report, FINDING_WARNING, FINDING_DUPLICATE_FIELD, duplicate->path,
                  duplicate->offset, "is set twice, first at line %u column %u; the last one wins",
                  first.line, first.column);
    }
    if (findings->duplicate_count > JSON_DUPLICATES_MAX)
        report_at(report, FINDING_WARNING, FINDING_DUPLICATE_FIELD, "", 0,
                  "%zu more fields are set twice", findings->duplicate_count - JSON_DUPLICATES_MAX);
}

static void conclude(struct validate *validate, const struct source *source,
                     struct outcome *outcome)
{
    const struct report *report = outcome->report;

    if (report->errors || (validate->strict && report->field_warnings))
        outcome->verdict = VERDICT_REFUSED;
    output_outcome(validate, source, outcome);
}

static void validate_one(struct validate *validate, const struct source *source,
                         const struct json *document, const char *item,
                         const struct object_kind *kind, const struct json_findings *findings)
{
    struct report report;
    struct outcome outcome;

    report_init(&report, document);
    outcome = describe(document, item, &report);
    if (kind && document->type == JSON_OBJECT && !json_get(document, "kind")) {
        outcome.api_version = kind->api_version;
        outcome.kind = kind->name;
    } else {
        kind = NULL;
    }
    if (findings)
        report_duplicates(source, findings, &report);
    if (is_foreign(&outcome)) {
        struct path kind_path = path_name(NULL, "kind");

        outcome.verdict = VERDICT_UNCHECKED;
        report_warning(&report, &kind_path, FINDING_NOT_SUPPORTED,
                       "not an object that a node agent reads; it is not checked");
    } else {
        check_object(document, kind, &report);
    }
    conclude(validate, source, &outcome);
    report_deinit(&report);
}

/* "List" and "PodList" have items; those of the latter need not say what they are. */
static const struct json *list_items(const struct json *document, const char *kind)
{
    const struct json *items = json_get(document, "items");

    return kind && str_has_suffix(kind, "List") && items && items->type == JSON_ARRAY ? items
                                                                                      : NULL;
}

/* The kind that a list's name gives its items, or NULL. */
static const struct object_kind *item_kind(const struct outcome *list, struct arena *arena)
{
    size_t length = strlen(list->kind) - strlen("List");

    return object_kind_find(list->api_version, arena_strndup(arena, list->kind, length));
}

static void check_list_members(const struct json *document, struct report *report)
{
    static const char *const known[] = {"apiVersion", "kind", "metadata", "items", NULL};

    for (uint32_t i = 0; i < document->length; i++) {
        const struct json_member *member = &document->members[i];
        const char *name = arena_strndup(&report->arena, member->name, member->name_length);

        if (!str_one_of(name, known))
            report_at(report, FINDING_WARNING, FINDING_UNKNOWN_FIELD, name, member->offset,
                      "unknown field");
    }
}

static void validate_list(struct validate *validate, const struct source *source,
                          const struct json *document, const struct json *items,
                          const struct json_findings *findings)
{
    const struct object_kind *kind;
    struct path api_version = path_name(NULL, "apiVersion");
    struct report report;
    struct outcome outcome;

    report_init(&report, document);
    outcome = describe(document, "", &report);
    report_duplicates(source, findings, &report);
    check_list_members(document, &report);
    if (str_equal(outcome.kind, "List") && !str_equal(outcome.api_version, "v1"))
        report_error(&report, &api_version, FINDING_INVALID, "must be v1 for a List");
    kind = item_kind(&outcome, &report.arena);
    conclude(validate, source, &outcome);
    report_deinit(&report);
    for (uint32_t i = 0; i < items->length; i++) {
        char item[32];

        snprintf(item, sizeof(item), "items[%u]", i);
        validate_one(validate, source, &items->items[i], item, kind, NULL);
    }
}

void validate_document(struct validate *validate, const struct source *source,
                       const struct json *document, const struct json_findings *findings)
{
    struct arena arena = ARENA_INIT(256, 256);
    const struct json *items = document->type == JSON_OBJECT
                                   ? list_items(document, object_type_of(document, &arena).kind)
                                   : NULL;

    if (items)
        validate_list(validate, source, document, items, findings);
    else
        validate_one(validate, source, document, "", NULL, findings);
    arena_deinit(&arena);
}

void validate_unparsable(struct validate *validate, const struct source *source, size_t offset,
                         const struct err *err)
{
    struct report report;
    struct outcome outcome = {
        .verdict = VERDICT_REFUSED,
        .item = "",
        .offset = offset,
        .report = &report,
    };

    report_init(&report, NULL);
    report_at(&report, FINDING_ERROR, FINDING_INVALID, "", offset, "%s", err->text);
    output_outcome(validate, source, &outcome);
    report_deinit(&report);
}
