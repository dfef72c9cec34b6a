/* The rules of ephemeral volumes: the template of the claim that is made for the pod. */
#include "volume-rules.h"

/* metadata */

/* Is a field set that a template may not carry? An empty list that was written counts as set. */
static void validate_claim_metadata(const struct claim_metadata *metadata, const struct path *path,
                                    struct report *report)
{
    const struct object_meta *meta = &metadata->meta;
    const struct {
        const char *name;
        bool set;
    } fields[] = {
        {"name", !str_empty(meta->name)},
        {"generateName", !str_empty(meta->generate_name)},
        {"namespace", !str_empty(meta->name_space)},
        {"selfLink", !str_empty(metadata->self_link)},
        {"uID", !str_empty(meta->uid)}, /* the server's spelling */
        {"resourceVersion", !str_empty(meta->resource_version)},
        {"generation", meta->generation != 0},
        {"creationTimestamp", meta->creation_timestamp.set},
        {"deletionTimestamp", meta->deletion_timestamp.set},
        {"deletionGracePeriodSeconds", meta->deletion_grace_period_seconds.set},
        {"ownerReferences", meta->owner_references.items},
        {"finalizers", meta->finalizers.items},
        {"managedFields", metadata->managed_fields.items},
    };
    struct path labels = path_name(path, "labels"), annotations = path_name(path, "annotations");

    validate_annotations(&meta->annotations, &annotations, report);
    validate_labels(&meta->labels, &labels, report);
    for (size_t i = 0; i < array_size(fields); i++)
        if (fields[i].set)
            report_error_in(report, path, fields[i].name, FINDING_FORBIDDEN,
                            "must not be set: a claim template carries labels and annotations "
                            "only");
}

/* the claim */

static void validate_access_modes(const struct string_list *modes, const struct path *path,
                                  struct report *report)
{
    static const char *const known[] = {"ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany",
                                        "ReadWriteOncePod", NULL};
    struct path modes_path = path_name(path, "accessModes");
    bool one_pod = false, other = false;

    require_items(modes, path, "accessModes", report);
    for (size_t i = 0; i < modes->count; i++) {
        if (!require_one_of(report, &modes_path, modes->items[i], known))
            continue;
        if (str_equal(modes->items[i], "ReadWriteOncePod"))
            one_pod = true;
        else
            other = true;
    }
    if (one_pod && other)
        report_error(report, &modes_path, FINDING_FORBIDDEN,
                     "ReadWriteOncePod must not stand beside other modes");
}

static void validate_storage(const struct claim_resources *resources, const struct path *path,
                             struct report *report)
{
    const struct quantity *storage = quantity_map_get(&resources->requests, "storage");
    struct path resources_path = path_name(path, "resources"),
                key = path_key(&resources_path, "storage");

    if (!storage)
        report_error(report, &key, FINDING_REQUIRED, "must be requested");
    else if (quantity_sign(storage) <= 0)
        report_error(report, &key, FINDING_INVALID, "must be more than 0");
}

static void require_subdomain_if_set(const char *value, const struct path *path, const char *name,
                                     struct report *report)
{
    if (!str_empty(value))
        require_in(report, path, name, value, name_check_subdomain(value));
}

static void validate_data_source(const struct data_source *source, const struct path *path,
                                 struct report *report)
{
    if (!source)
        return;
    require_some_in(report, path, "name", source->name);
    require_some_in(report, path, "kind", source->kind);
    if (str_empty(source->api_group) && !str_equal(source->kind, "PersistentVolumeClaim"))
        report_error(report, path, FINDING_INVALID,
                     "must be a PersistentVolumeClaim when it has no apiGroup");
    require_subdomain_if_set(source->api_group, path, "apiGroup", report);
    if (!str_empty(source->name_space))
        require_in(report, path, "namespace", source->name_space,
                   name_check_label(source->name_space));
}

/* Both names for one thing must agree, and only the newer one reaches other namespaces. */
static void validate_data_sources(const struct claim_spec *spec, const struct path *path,
                                  struct report *report)
{
    const struct data_source *source = spec->data_source, *reference = spec->data_source_ref;
    struct path source_path = path_name(path, "dataSource"),
                reference_path = path_name(path, "dataSourceRef");

    validate_data_source(source, &source_path, report);
    validate_data_source(reference, &reference_path, report);
    if (!source || !reference)
        return;
    if (!str_empty(reference->name_space))
        report_error(report, path, FINDING_INVALID,
                     "dataSource must not be set when dataSourceRef has a namespace");
    else if (!str_equal(source->api_group, reference->api_group) ||
             !str_equal(source->kind, reference->kind) || !str_equal(source->name, reference->name))
        report_error(report, path, FINDING_INVALID,
                     "dataSource and dataSourceRef must be the same when both are set");
}

static void validate_claim_spec(const struct claim_spec *spec, const struct path *path,
                                struct report *report)
{
    static const char *const volume_modes[] = {"Block", "Filesystem", NULL};
    struct path selector = path_name(path, "selector");

    validate_access_modes(&spec->access_modes, path, report);
    if (spec->selector)
        validate_label_selector(spec->selector, &selector, report);
    validate_storage(&spec->resources, path, report);
    require_subdomain_if_set(spec->storage_class_name, path, "storageClassName", report);
    require_one_of_in(report, path, "volumeMode", spec->volume_mode, volume_modes);
    validate_data_sources(spec, path, report);
    require_subdomain_if_set(spec->volume_attributes_class_name, path, "volumeAttributesClassName",
                             report);
}

/* the volume */

/* The claim is named after the pod and the volume. */
static void validate_claim_name(const struct volume_check *check)
{
    const char *pod_name = check->pod->object.metadata.name, *name;

    if (str_empty(pod_name) || str_empty(check->volume->name))
        return;
    name = arena_printf(&check->report->arena, "%s-%s", pod_name, check->volume->name);
    if (name_check_subdomain(name))
        report_error_in(check->report, check->path, "name", FINDING_INVALID,
                        "the claim would be \"%.300s\", which %s", name,
                        name_check_subdomain(name));
}

void validate_ephemeral_volume(const struct volume_check *check, const struct path *path)
{
    const struct claim_template *claim = check->volume->ephemeral->volume_claim_template;
    struct path template_path = path_name(path, "volumeClaimTemplate"),
                metadata = path_name(&template_path, "metadata"),
                spec = path_name(&template_path, "spec");

    if (!claim) {
        report_error(check->report, &template_path, FINDING_REQUIRED, "must be set");
    } else {
        validate_claim_metadata(&claim->metadata, &metadata, check->report);
        validate_claim_spec(&claim->spec, &spec, check->report);
    }
    validate_claim_name(check);
}
