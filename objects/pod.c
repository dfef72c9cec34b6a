/* The Pod kind: its tables, defaults and rules together. */
#include "kinds.h"
#include "pod-fields.h"
#include "pod-rules.h"

static const struct field pod_fields[] = {
    FIELDS_OF_OBJECT(pod),
    FIELD_OF("spec", STRUCT, pod, spec, pod_spec_schema),
    FIELD_OF("status", STRUCT, pod, status, pod_status_schema),
};
static const struct schema pod_schema = SCHEMA(pod, pod_fields);

const struct object_kind object_kind_pod = {
    .api_version = "v1",
    .name = "Pod",
    .namespaced = true,
    .size = sizeof(struct pod),
    .schema = &pod_schema,
    .set_defaults = pod_set_defaults,
    .validate = pod_validate,
};
