/*
 * API objects: typed, immutable once decoded, reference counted. Every kind's structure begins
 * with `struct object`, and everything it points at lives in the object's arena.
 */
#pragma once

#include "nodeagent/base/json.h"
#include "nodeagent/objects/meta.h"
#include "nodeagent/objects/report.h"

struct object {
    struct arena arena;
    unsigned references;
    const struct object_kind *kind;
    const char *raw; /* the document as JSON, when it was asked for; else NULL */
    struct object_meta metadata;
};

struct object_kind {
    const char *api_version; /* "v1", "node.k8s.io/v1" */
    const char *name;        /* "Pod" */
    bool namespaced;
    size_t size;
    const struct schema *schema;
    void (*set_defaults)(struct object *object);
    void (*validate)(const struct object *object, struct report *report);
};

extern const struct object_kind object_kind_pod;
extern const struct object_kind object_kind_node;
extern const struct object_kind object_kind_config_map;
extern const struct object_kind object_kind_secret;
extern const struct object_kind object_kind_service;
extern const struct object_kind object_kind_runtime_class;
extern const struct object_kind object_kind_lease;
extern const struct object_kind object_kind_event;        /* v1 */
extern const struct object_kind object_kind_events_event; /* events.k8s.io/v1, same structure */

const struct object_kind *object_kind_find(const char *api_version, const char *name);

/* decoding */

/* What a document says it is; members are NULL when absent or not strings (NUL is in no string). */
struct object_type {
    const char *api_version;
    const char *kind;
};
struct object_type object_type_of(const struct json *document, struct arena *arena);

enum object_raw { OBJECT_DROP_RAW, OBJECT_KEEP_RAW };

/*
 * Decodes and applies the API's defaults. Returns a new reference, or NULL when the report holds
 * errors; an unknown kind is one.
 */
struct object *object_decode(const struct json *document, enum object_raw raw,
                             struct report *report);

/* The same for an item of a list, whose kind the list names. */
struct object *object_decode_as(const struct object_kind *kind, const struct json *document,
                                enum object_raw raw, struct report *report);

/*
 * The same with a say before the defaults are filled in: `edit` sees the object as it was written
 * and may change it, with memory of object->arena. No kind: the document says it.
 */
typedef void object_edit_fn(struct object *object, void *data);
struct object *object_decode_edited(const struct object_kind *kind, const struct json *document,
                                    enum object_raw raw, object_edit_fn *edit, void *data,
                                    struct report *report);

/* The API server's rules for creating such an object, which object_decode() returned: the rules
 * rely on the defaults that it filled in. */
void object_validate(const struct object *object, struct report *report);

/* encoding */
void object_encode(const struct object *object, struct json_writer *writer);

/* A new object that may be changed until it is shared. */
struct object *object_copy(const struct object *object);

/* lifetime */
struct object *object_ref(struct object *object);
struct object *object_unref(struct object *object); /* NULL; NULL is allowed */
void object_unref_at(void *address_of_pointer);     /* for _cleanup_ */
