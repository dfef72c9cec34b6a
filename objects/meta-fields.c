/* The fields of ObjectMeta and of the parts that several kinds share. */
#include "kinds.h"

static const struct field owner_reference_fields[] = {
    FIELD_ALWAYS("apiVersion", STRING, owner_reference, api_version),
    FIELD_ALWAYS("kind", STRING, owner_reference, kind),
    FIELD_ALWAYS("name", STRING, owner_reference, name),
    FIELD_ALWAYS("uid", STRING, owner_reference, uid),
    FIELD("controller", OPT_BOOL, owner_reference, controller),
    FIELD("blockOwnerDeletion", OPT_BOOL, owner_reference, block_owner_deletion),
};
const struct schema owner_reference_schema = SCHEMA(owner_reference, owner_reference_fields);

static const struct field object_meta_fields[] = {
    FIELD("name", STRING, object_meta, name),
    FIELD("generateName", STRING, object_meta, generate_name),
    FIELD("namespace", STRING, object_meta, name_space),
    FIELD_SKIP("selfLink"),
    FIELD("uid", STRING, object_meta, uid),
    FIELD("resourceVersion", STRING, object_meta, resource_version),
    FIELD("generation", INT64, object_meta, generation),
    FIELD("creationTimestamp", TIME, object_meta, creation_timestamp),
    FIELD("deletionTimestamp", TIME, object_meta, deletion_timestamp),
    FIELD("deletionGracePeriodSeconds", OPT_INT64, object_meta, deletion_grace_period_seconds),
    FIELD("labels", STRING_MAP, object_meta, labels),
    FIELD("annotations", STRING_MAP, object_meta, annotations),
    FIELD_OF("ownerReferences", LIST, object_meta, owner_references, owner_reference_schema),
    FIELD("finalizers", STRINGS, object_meta, finalizers),
    FIELD_SKIP("managedFields"),
};
const struct schema object_meta_schema = SCHEMA(object_meta, object_meta_fields);

static const struct field label_requirement_fields[] = {
    FIELD_ALWAYS("key", STRING, label_requirement, key),
    FIELD_ALWAYS("operator", STRING, label_requirement, operator_),
    FIELD("values", STRINGS, label_requirement, values),
};
static const struct schema label_requirement_schema =
    SCHEMA(label_requirement, label_requirement_fields);

static const struct field label_selector_fields[] = {
    FIELD("matchLabels", STRING_MAP, label_selector, match_labels),
    FIELD_OF("matchExpressions", LIST, label_selector, match_expressions, label_requirement_schema),
};
const struct schema label_selector_schema = SCHEMA(label_selector, label_selector_fields);

static const struct field local_reference_fields[] = {
    FIELD("name", STRING, local_reference, name),
};
const struct schema local_reference_schema = SCHEMA(local_reference, local_reference_fields);

static const struct field toleration_fields[] = {
    FIELD("key", STRING, toleration, key),
    FIELD("operator", STRING, toleration, operator_),
    FIELD("value", STRING, toleration, value),
    FIELD("effect", STRING, toleration, effect),
    FIELD("tolerationSeconds", OPT_INT64, toleration, toleration_seconds),
};
const struct schema toleration_schema = SCHEMA(toleration, toleration_fields);
