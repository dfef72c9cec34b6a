/* The fields of an ephemeral volume's claim template. */
#include "kinds.h"
#include "nodeagent/objects/volume.h"
#include "volume-fields.h"

/* metadata */

/* What ObjectMeta has beyond struct object_meta is read here too, because it must be refused. */
static const struct field managed_field_fields[] = {
    FIELD("manager", STRING, managed_field, manager),
    FIELD_SKIP("operation"),
    FIELD_SKIP("apiVersion"),
    FIELD_SKIP("time"),
    FIELD_SKIP("fieldsType"),
    FIELD_SKIP("fieldsV1"),
    FIELD_SKIP("subresource"),
};
static const struct schema managed_field_schema = SCHEMA(managed_field, managed_field_fields);

static const struct field claim_metadata_fields[] = {
    FIELD("name", STRING, claim_metadata, meta.name),
    FIELD("generateName", STRING, claim_metadata, meta.generate_name),
    FIELD("namespace", STRING, claim_metadata, meta.name_space),
    FIELD("selfLink", STRING, claim_metadata, self_link),
    FIELD("uid", STRING, claim_metadata, meta.uid),
    FIELD("resourceVersion", STRING, claim_metadata, meta.resource_version),
    FIELD("generation", INT64, claim_metadata, meta.generation),
    FIELD("creationTimestamp", TIME, claim_metadata, meta.creation_timestamp),
    FIELD("deletionTimestamp", TIME, claim_metadata, meta.deletion_timestamp),
    FIELD("deletionGracePeriodSeconds", OPT_INT64, claim_metadata,
          meta.deletion_grace_period_seconds),
    FIELD("labels", STRING_MAP, claim_metadata, meta.labels),
    FIELD("annotations", STRING_MAP, claim_metadata, meta.annotations),
    FIELD_OF("ownerReferences", LIST, claim_metadata, meta.owner_references,
             owner_reference_schema),
    FIELD("finalizers", STRINGS, claim_metadata, meta.finalizers),
    FIELD_OF("managedFields", LIST, claim_metadata, managed_fields, managed_field_schema),
};
static const struct schema claim_metadata_schema = SCHEMA(claim_metadata, claim_metadata_fields);

/* the claim */

static const struct field data_source_fields[] = {
    FIELD("apiGroup", OPT_STRING, data_source, api_group),
    FIELD_ALWAYS("kind", STRING, data_source, kind),
    FIELD_ALWAYS("name", STRING, data_source, name),
};
static const struct schema data_source_schema = SCHEMA(data_source, data_source_fields);

/* dataSourceRef knows a namespace besides. */
static const struct field data_source_ref_fields[] = {
    FIELD("apiGroup", OPT_STRING, data_source, api_group),
    FIELD_ALWAYS("kind", STRING, data_source, kind),
    FIELD_ALWAYS("name", STRING, data_source, name),
    FIELD("namespace", OPT_STRING, data_source, name_space),
};
static const struct schema data_source_ref_schema = SCHEMA(data_source, data_source_ref_fields);

static const struct field claim_resources_fields[] = {
    FIELD("limits", QUANTITY_MAP, claim_resources, limits),
    FIELD("requests", QUANTITY_MAP, claim_resources, requests),
};
static const struct schema claim_resources_schema = SCHEMA(claim_resources, claim_resources_fields);

static const struct field claim_spec_fields[] = {
    FIELD("accessModes", STRINGS, claim_spec, access_modes),
    FIELD_OF("selector", POINTER, claim_spec, selector, label_selector_schema),
    FIELD_OF("resources", STRUCT, claim_spec, resources, claim_resources_schema),
    FIELD("volumeName", STRING, claim_spec, volume_name),
    FIELD("storageClassName", OPT_STRING, claim_spec, storage_class_name),
    FIELD("volumeMode", OPT_STRING, claim_spec, volume_mode),
    FIELD_OF("dataSource", POINTER, claim_spec, data_source, data_source_schema),
    FIELD_OF("dataSourceRef", POINTER, claim_spec, data_source_ref, data_source_ref_schema),
    FIELD("volumeAttributesClassName", OPT_STRING, claim_spec, volume_attributes_class_name),
};
static const struct schema claim_spec_schema = SCHEMA(claim_spec, claim_spec_fields);

static const struct field claim_template_fields[] = {
    FIELD_OF("metadata", STRUCT, claim_template, metadata, claim_metadata_schema),
    FIELD_OF("spec", STRUCT, claim_template, spec, claim_spec_schema),
};
const struct schema claim_template_schema = SCHEMA(claim_template, claim_template_fields);
