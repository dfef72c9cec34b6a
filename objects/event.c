/*
 * The Event kinds: one structure, two tables. The server reports mistakes under the names of v1
 * for both, and checks the newer version and events with an eventTime more closely.
 */
#include "nodeagent/objects/event.h"
#include "kinds.h"
#include "validate.h"

#include <string.h>

enum {
    EVENT_WORD_BYTES_MAX = 128, /* of reason, action and the reporting instance */
    EVENT_MESSAGE_BYTES_MAX = 1024,
    EVENT_SERIES_MIN = 2, /* fewer are no series */
};

/* fields */

static const struct field object_reference_fields[] = {
    FIELD("kind", STRING, object_reference, kind),
    FIELD("namespace", STRING, object_reference, name_space),
    FIELD("name", STRING, object_reference, name),
    FIELD("uid", STRING, object_reference, uid),
    FIELD("apiVersion", STRING, object_reference, api_version),
    FIELD("resourceVersion", STRING, object_reference, resource_version),
    FIELD("fieldPath", STRING, object_reference, field_path),
};
static const struct schema object_reference_schema =
    SCHEMA(object_reference, object_reference_fields);

static const struct field event_source_fields[] = {
    FIELD("component", STRING, event_source, component),
    FIELD("host", STRING, event_source, host),
};
static const struct schema event_source_schema = SCHEMA(event_source, event_source_fields);

static const struct field event_series_fields[] = {
    FIELD("count", INT32, event_series, count),
    FIELD("lastObservedTime", MICRO_TIME, event_series, last_observed_time),
};
static const struct schema event_series_schema = SCHEMA(event_series, event_series_fields);

static const struct field event_fields[] = {
    FIELDS_OF_OBJECT(event),
    FIELD_OF("involvedObject", STRUCT, event, involved_object, object_reference_schema),
    FIELD("reason", STRING, event, reason),
    FIELD("message", STRING, event, message),
    FIELD_OF("source", STRUCT, event, source, event_source_schema),
    FIELD("firstTimestamp", TIME, event, first_timestamp),
    FIELD("lastTimestamp", TIME, event, last_timestamp),
    FIELD("count", INT32, event, count),
    FIELD("type", STRING, event, type),
    FIELD("eventTime", MICRO_TIME, event, event_time),
    FIELD_OF("series", POINTER, event, series, event_series_schema),
    FIELD("action", STRING, event, action),
    FIELD_OF("related", POINTER, event, related, object_reference_schema),
    FIELD_ALWAYS("reportingComponent", STRING, event, reporting_component),
    FIELD_ALWAYS("reportingInstance", STRING, event, reporting_instance),
};
static const struct schema event_schema = SCHEMA(event, event_fields);

static const struct field events_event_fields[] = {
    FIELDS_OF_OBJECT(event),
    FIELD("eventTime", MICRO_TIME, event, event_time),
    FIELD_OF("series", POINTER, event, series, event_series_schema),
    FIELD("reportingController", STRING, event, reporting_component),
    FIELD("reportingInstance", STRING, event, reporting_instance),
    FIELD("action", STRING, event, action),
    FIELD("reason", STRING, event, reason),
    FIELD_OF("regarding", STRUCT, event, involved_object, object_reference_schema),
    FIELD_OF("related", POINTER, event, related, object_reference_schema),
    FIELD("note", STRING, event, message),
    FIELD("type", STRING, event, type),
    FIELD_OF("deprecatedSource", STRUCT, event, source, event_source_schema),
    FIELD("deprecatedFirstTimestamp", TIME, event, first_timestamp),
    FIELD("deprecatedLastTimestamp", TIME, event, last_timestamp),
    FIELD("deprecatedCount", INT32, event, count),
};
static const struct schema events_event_schema = SCHEMA(event, events_event_fields);

/* rules of both */

/* The server fills an absent namespace in before it looks. */
static const char *name_space_of(const struct event *event)
{
    const char *name_space = event->object.metadata.name_space;

    return str_empty(name_space) ? "default" : name_space;
}

/* Events of objects without a namespace lie in default; the newer ones may use kube-system. */
static void validate_involved(const struct event *event, struct report *report)
{
    struct path involved = path_name(NULL, "involvedObject"),
                path = path_name(&involved, "namespace");
    const char *name_space = name_space_of(event), *of_object = event->involved_object.name_space;
    bool newer = event->event_time.set;

    if (str_empty(of_object)) {
        if (!str_equal(name_space, "default") && !(newer && str_equal(name_space, "kube-system")))
            report_error(report, &path, FINDING_INVALID,
                         "must be set: without it the event must lie in default%s",
                         newer ? " or kube-system" : "");
    } else if (!newer && !str_equal(of_object, name_space)) {
        report_error(report, &path, FINDING_INVALID,
                     "\"%.64s\" must be the event's own namespace, \"%.64s\"", of_object,
                     name_space);
    }
}

static void require_short_word(const char *value, const char *name, struct report *report)
{
    if (require_some_in(report, NULL, name, value) && strlen(value) > EVENT_WORD_BYTES_MAX)
        report_error_in(report, NULL, name, FINDING_INVALID, "must have at most %d bytes",
                        EVENT_WORD_BYTES_MAX);
}

/* What an event with an eventTime must tell. */
static void validate_newer(const struct event *event, const char *reporter, struct report *report)
{
    struct path path = path_name(NULL, reporter);

    require_named(report, &path, event->reporting_component, name_check_qualified);
    require_short_word(event->reporting_instance, "reportingInstance", report);
    require_short_word(event->action, "action", report);
    require_short_word(event->reason, "reason", report);
    if (event->message && strlen(event->message) > EVENT_MESSAGE_BYTES_MAX)
        report_error_in(report, NULL, "message", FINDING_INVALID, "must have at most %d bytes",
                        EVENT_MESSAGE_BYTES_MAX);
}

static void validate_common(const struct event *event, const char *reporter, struct report *report)
{
    validate_involved(event, report);
    if (event->event_time.set)
        validate_newer(event, reporter, report);
    require_in(report, NULL, "namespace", name_space_of(event),
               name_check_subdomain(name_space_of(event)));
}

static void event_validate(const struct object *object, struct report *report)
{
    const struct event *event = container_of(object, struct event, object);
    size_t errors = report->errors;

    validate_common(event, "reportingComponent", report);
    if (report->errors == errors)
        validate_meta(object, NAME_PATH_SEGMENT, FINALIZERS_ANY, report);
}

/* rules of events.k8s.io */

static void validate_series(const struct event_series *series, struct report *report)
{
    struct path path = path_name(NULL, "series");

    if (series->count < EVENT_SERIES_MIN)
        report_error_in(report, &path, "count", FINDING_INVALID, "%d must be at least %d",
                        series->count, EVENT_SERIES_MIN);
    if (!series->last_observed_time.set)
        report_error_in(report, &path, "lastObservedTime", FINDING_REQUIRED, "must be set");
}

static void refuse_deprecated(const struct event *event, struct report *report)
{
    const struct {
        const char *name;
        bool set;
    } fields[] = {
        {"firstTimestamp", event->first_timestamp.set},
        {"lastTimestamp", event->last_timestamp.set},
        {"count", event->count != 0},
        {"source", !str_empty(event->source.component) || !str_empty(event->source.host)},
    };

    for (size_t i = 0; i < array_size(fields); i++)
        if (fields[i].set)
            report_error_in(report, NULL, fields[i].name, FINDING_INVALID,
                            "must not be set: only v1 events have it");
}

static void events_event_validate(const struct object *object, struct report *report)
{
    const struct event *event = container_of(object, struct event, object);

    validate_meta(object, NAME_SUBDOMAIN, FINALIZERS_QUALIFIED, report);
    validate_common(event, "reportingController", report);
    if (!event->event_time.set)
        report_error_in(report, NULL, "eventTime", FINDING_REQUIRED, "must be set");
    if (!str_equal(event->type, "Normal") && !str_equal(event->type, "Warning"))
        require_in(report, NULL, "type", event->type, "must be Normal or Warning");
    if (event->series)
        validate_series(event->series, report);
    refuse_deprecated(event, report);
}

const struct object_kind object_kind_event = {
    .api_version = "v1",
    .name = "Event",
    .namespaced = true,
    .size = sizeof(struct event),
    .schema = &event_schema,
    .validate = event_validate,
};

const struct object_kind object_kind_events_event = {
    .api_version = "events.k8s.io/v1",
    .name = "Event",
    .namespaced = true,
    .size = sizeof(struct event),
    .schema = &events_event_schema,
    .validate = events_event_validate,
};
