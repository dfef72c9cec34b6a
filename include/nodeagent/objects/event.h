/*
 * Events. Both versions of the API, v1 and events.k8s.io/v1, are one structure; the members have
 * the names of v1, which are the server's own.
 */
#pragma once

#include "nodeagent/objects/object.h"

struct object_reference {
    const char *kind;
    const char *name_space;
    const char *name;
    const char *uid;
    const char *api_version;
    const char *resource_version;
    const char *field_path;
};

struct event_source {
    const char *component;
    const char *host;
};

struct event_series {
    int32_t count;
    struct opt_time last_observed_time;
};

struct event {
    struct object object;
    struct object_reference involved_object; /* regarding */
    const char *reason;
    const char *message;        /* note */
    struct event_source source; /* deprecatedSource, and so on */
    struct opt_time first_timestamp;
    struct opt_time last_timestamp;
    int32_t count;
    const char *type;
    struct opt_time event_time;
    struct event_series *series;
    const char *action;
    struct object_reference *related;
    const char *reporting_component; /* reportingController */
    const char *reporting_instance;
};

static inline struct event *event_of(struct object *object)
{
    assert_that(object->kind == &object_kind_event || object->kind == &object_kind_events_event);
    return container_of(object, struct event, object);
}
