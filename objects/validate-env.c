/* The rules for a container's environment. */
#include "pod-rules.h"

#include <string.h>

static void validate_key_reference(const struct key_reference *reference, const struct path *path,
                                   struct report *report)
{
    struct path name = path_name(path, "name"), key = path_name(path, "key");

    require(report, &name, reference->name, name_check_subdomain(reference->name));
    require_named(report, &key, reference->key, name_check_config_key);
}

static void validate_file_key(const struct file_key_reference *reference,
                              const struct pod_view *view, const struct path *path,
                              struct report *report)
{
    struct path key = path_name(path, "key"), file = path_name(path, "path"),
                volume_path = path_name(path, "volumeName");
    const struct volume *volume = seen_get(&view->volumes, reference->volume_name);

    require_named(report, &key, reference->key, name_check_env);
    require_named(report, &volume_path, reference->volume_name, name_check_label);
    if (require_some(report, &file, reference->path) && path_has_dot_dot(reference->path))
        report_error(report, &file, FINDING_INVALID, "must not contain \"..\"");
    if (!volume)
        report_error(report, &volume_path, FINDING_NOT_FOUND,
                     "\"%.64s\" must name a volume of the pod",
                     reference->volume_name ? reference->volume_name : "");
    else if (!volume->empty_dir)
        report_error(report, &volume_path, FINDING_INVALID, "\"%.64s\" must be an emptyDir volume",
                     reference->volume_name ? reference->volume_name : "");
}

static void validate_sources(const struct env_source *source, const struct pod_view *view,
                             const struct path *path, struct report *report)
{
    static const char *const fields[] = {
        "metadata.name",
        "metadata.namespace",
        "metadata.uid",
        "spec.nodeName",
        "spec.serviceAccountName",
        "status.hostIP",
        "status.hostIPs",
        "status.podIP",
        "status.podIPs",
        NULL,
    };
    struct path field = path_name(path, "fieldRef"), resource = path_name(path, "resourceFieldRef"),
                config_map = path_name(path, "configMapKeyRef"),
                secret = path_name(path, "secretKeyRef"), file = path_name(path, "fileKeyRef");

    if (source->field_ref)
        validate_field_reference(source->field_ref, fields, &field, report);
    if (source->resource_field_ref)
        validate_resource_reference(source->resource_field_ref, CONTAINER_NAME_OPTIONAL, &resource,
                                    report);
    if (source->config_map_key_ref)
        validate_key_reference(source->config_map_key_ref, &config_map, report);
    if (source->secret_key_ref)
        validate_key_reference(source->secret_key_ref, &secret, report);
    if (source->file_key_ref)
        validate_file_key(source->file_key_ref, view, &file, report);
}

static void validate_value_from(const struct env_var *env, const struct pod_view *view,
                                const struct path *path, struct report *report)
{
    const struct env_source *source = env->value_from;
    unsigned count = (source->field_ref != NULL) + (source->resource_field_ref != NULL) +
                     (source->config_map_key_ref != NULL) + (source->secret_key_ref != NULL) +
                     (source->file_key_ref != NULL);

    validate_sources(source, view, path, report);
    if (!count)
        report_error(report, path, FINDING_INVALID,
                     "must have a source: fieldRef, resourceFieldRef, configMapKeyRef, "
                     "secretKeyRef or fileKeyRef");
    else if (!str_empty(env->value))
        report_error(report, path, FINDING_INVALID, "must not be set beside value");
    else if (count > 1)
        report_error(report, path, FINDING_INVALID, "must have one source only, not %u", count);
}

static void validate_env_from(const struct env_from *from, const struct path *list, size_t index,
                              struct report *report)
{
    struct path item = path_index(list, index), prefix = path_name(&item, "prefix"),
                config_map = path_name(&item, "configMapRef"),
                secret = path_name(&item, "secretRef");
    const struct {
        const struct object_reference_optional *reference;
        const struct path *path;
    } references[] = {{from->config_map_ref, &config_map}, {from->secret_ref, &secret}};

    if (!str_empty(from->prefix))
        require(report, &prefix, from->prefix, name_check_env(from->prefix));
    if (!from->config_map_ref == !from->secret_ref)
        report_error(report, list, FINDING_INVALID,
                     "each entry must have either configMapRef or secretRef");
    for (size_t i = 0; i < array_size(references); i++) {
        struct path name = path_name(references[i].path, "name");
        char masked[512];

        if (references[i].reference && require_some(report, &name, references[i].reference->name))
            require(report, &name, references[i].reference->name,
                    name_check_subdomain(
                        name_masked(references[i].reference->name, masked, sizeof(masked))));
    }
}

void validate_env(const struct container *container, const struct pod_view *view,
                  const struct path *path, struct report *report)
{
    struct path list = path_name(path, "env"), from = path_name(path, "envFrom");

    for (size_t i = 0; i < container->env.count; i++) {
        const struct env_var *env = &container->env.items[i];
        struct path item = path_index(&list, i), name = path_name(&item, "name"),
                    value_from = path_name(&item, "valueFrom");

        require_named(report, &name, env->name, name_check_env);
        if (env->value_from)
            validate_value_from(env, view, &value_from, report);
    }
    for (size_t i = 0; i < container->env_from.count; i++)
        validate_env_from(&container->env_from.items[i], &from, i, report);
}
