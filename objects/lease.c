/* The Lease kind. */
#include "nodeagent/objects/lease.h"
#include "kinds.h"
#include "validate.h"

static const struct field lease_spec_fields[] = {
    FIELD("holderIdentity", OPT_STRING, lease_spec, holder_identity),
    FIELD("leaseDurationSeconds", OPT_INT32, lease_spec, lease_duration_seconds),
    FIELD("acquireTime", MICRO_TIME, lease_spec, acquire_time),
    FIELD("renewTime", MICRO_TIME, lease_spec, renew_time),
    FIELD("leaseTransitions", OPT_INT32, lease_spec, lease_transitions),
    FIELD("strategy", OPT_STRING, lease_spec, strategy),
    FIELD("preferredHolder", OPT_STRING, lease_spec, preferred_holder),
};
static const struct schema lease_spec_schema = SCHEMA(lease_spec, lease_spec_fields);

static const struct field lease_fields[] = {
    FIELDS_OF_OBJECT(lease),
    FIELD_OF("spec", STRUCT, lease, spec, lease_spec_schema),
};
static const struct schema lease_schema = SCHEMA(lease, lease_fields);

static void lease_validate(const struct object *object, struct report *report)
{
    const struct lease_spec *spec = &container_of(object, struct lease, object)->spec;
    struct path path = path_name(NULL, "spec");

    validate_meta(object, NAME_SUBDOMAIN, FINALIZERS_ANY, report);
    if (spec->lease_duration_seconds.set && spec->lease_duration_seconds.value <= 0)
        report_error_in(report, &path, "leaseDurationSeconds", FINDING_INVALID,
                        "%d must be more than 0", spec->lease_duration_seconds.value);
    if (spec->lease_transitions.set && spec->lease_transitions.value < 0)
        report_error_in(report, &path, "leaseTransitions", FINDING_INVALID,
                        "%d must not be negative", spec->lease_transitions.value);
}

const struct object_kind object_kind_lease = {
    .api_version = "coordination.k8s.io/v1",
    .name = "Lease",
    .namespaced = true,
    .size = sizeof(struct lease),
    .schema = &lease_schema,
    .validate = lease_validate,
};
