/*
 * The event recorder: what was told about each object lately, in a bounded ring. The same event
 * again is counted, not repeated, what is similar too often is combined (event-similar.h), and an
 * object that floods is quietened.
 */
#pragma once

#include "nodeagent/base/json.h"
#include "nodeagent/base/time.h"

#include <stdbool.h>

struct events;

enum {
    EVENTS_MAX = 1000,
    EVENTS_BYTES_MAX = 512 << 10, /* of all that are kept, the oldest make room */
    EVENT_MESSAGE_MAX = 1024,     /* bytes, as the API server has it; longer ones end in "..." */
    EVENTS_OBJECTS_MAX = 1024,    /* remembered; more than events, for the flooding ones */
    EVENTS_BURST = 25,            /* of an object and type at once, as the reference has it */
};

#define EVENTS_REFILL_USEC (300 * USEC_PER_SEC) /* for one more after the burst */

/* What an event is about; borrowed for the call. */
struct event_object {
    const char *kind;       /* of v1: "Pod", "Node" */
    const char *name_space; /* NULL or "": it has none, and its events lie in default */
    const char *name;
    const char *uid;        /* NULL or "": unknown */
    const char *field_path; /* "spec.containers{web}"; NULL or "": the whole object */
};

struct events *events_new(const char *node_name);
struct events *events_free(struct events *events);

void events_add(struct events *events, const struct event_object *object, bool warning,
                const char *reason, const char *message);

/* reading */

void events_write_list(struct events *events, struct json_writer *writer); /* oldest first */
/* An array of the newest `max` about this object, oldest first. */
void events_write_of(struct events *events, const char *uid, size_t max,
                     struct json_writer *writer);
/* Not told because their object floods; repetitions are counted in their event all the same. */
uint64_t events_quietened(const struct events *events);

/* Each event that is told or counted again, as one line of JSON. The call may read the events but
 * add none; NULL ends it. */
void events_watch(struct events *events, void (*call)(void *owner, const char *json, size_t length),
                  void *owner);
