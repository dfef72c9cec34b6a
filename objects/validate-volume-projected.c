/*
 * The rules of volumes whose files come from objects: configMap, secret, downwardAPI, and
 * projected, which puts several of them into one directory.
 */
#include "volume-rules.h"

#define TOKEN_SECONDS_MIN ((int64_t)600)     /* ten minutes */
#define TOKEN_SECONDS_MAX ((int64_t)1 << 32) /* what the token API takes */

/* items of a ConfigMap or Secret */

static void validate_items(const struct key_to_path_list *items, const struct path *path,
                           struct report *report)
{
    struct path list = path_name(path, "items");

    for (size_t i = 0; i < items->count; i++) {
        const struct key_to_path *item = &items->items[i];
        struct path item_path = path_index(&list, i), file = path_name(&item_path, "path");

        require_some_in(report, &item_path, "key", item->key);
        if (require_some(report, &file, item->path))
            validate_file_path(item->path, &file, report);
        validate_file_mode(&item->mode, &item_path, "mode", report);
    }
}

void validate_config_map_volume(const struct volume_check *check, const struct path *path)
{
    const struct config_map_volume *source = check->volume->config_map;

    require_some_in(check->report, path, "name", source->name);
    validate_file_mode(&source->default_mode, path, "defaultMode", check->report);
    validate_items(&source->items, path, check->report);
}

void validate_secret_volume(const struct volume_check *check, const struct path *path)
{
    const struct secret_volume *source = check->volume->secret;

    require_some_in(check->report, path, "secretName", source->secret_name);
    validate_file_mode(&source->default_mode, path, "defaultMode", check->report);
    validate_items(&source->items, path, check->report);
}

/* fields of the pod as files */

/* The server reports a file's mistakes at the list's parent, without an index. */
static void validate_downward_file(const struct downward_file *file, const struct path *path,
                                   struct report *report)
{
    static const char *const fields[] = {
        "metadata.name",        "metadata.namespace", "metadata.labels",
        "metadata.annotations", "metadata.uid",       NULL,
    };
    struct path file_path = path_name(path, "path"), field = path_name(path, "fieldRef"),
                resource = path_name(path, "resourceFieldRef");

    if (require_some(report, &file_path, file->path))
        validate_file_path(file->path, &file_path, report);
    validate_file_mode(&file->mode, path, "mode", report);
    if (file->field_ref) {
        validate_field_reference(file->field_ref, fields, &field, report);
        if (file->resource_field_ref)
            report_error(report, path, FINDING_INVALID,
                         "an item must have fieldRef or resourceFieldRef, not both");
    } else if (file->resource_field_ref) {
        validate_resource_reference(file->resource_field_ref, CONTAINER_NAME_REQUIRED, &resource,
                                    report);
    } else {
        report_error(report, path, FINDING_REQUIRED,
                     "an item must have fieldRef or resourceFieldRef");
    }
}

static void validate_downward_files(const struct downward_file_list *files, const struct path *path,
                                    struct report *report)
{
    array_for_each (file, *files)
        validate_downward_file(file, path, report);
}

void validate_downward_volume(const struct volume_check *check, const struct path *path)
{
    const struct downward_volume *source = check->volume->downward_api;

    validate_file_mode(&source->default_mode, path, "defaultMode", check->report);
    validate_downward_files(&source->items, path, check->report);
}

/* projected */

struct projected_check {
    const struct path *path; /* of the projected volume */
    struct seen files;       /* the paths that items name */
    struct report *report;
};

static void note_file(struct projected_check *check, const char *file)
{
    if (!str_empty(file) && seen_before(&check->files, file))
        require(check->report, check->path, file, "is the path of two items");
}

static void validate_object_projection(struct projected_check *check,
                                       const struct object_projection *object,
                                       const struct path *path)
{
    if (!object)
        return;
    require_some_in(check->report, path, "name", object->name);
    validate_items(&object->items, path, check->report);
    array_for_each (item, object->items)
        note_file(check, item->path);
}

static void validate_downward_projection(struct projected_check *check,
                                         const struct downward_projection *downward,
                                         const struct path *path)
{
    if (!downward)
        return;
    validate_downward_files(&downward->items, path, check->report);
    array_for_each (file, downward->items)
        note_file(check, file->path);
}

static void validate_token_projection(struct projected_check *check,
                                      const struct token_projection *token, const struct path *path)
{
    struct path file = path_name(check->path, "path"); /* the server's: without the source */

    if (!token)
        return;
    if (token->expiration_seconds.value < TOKEN_SECONDS_MIN ||
        token->expiration_seconds.value > TOKEN_SECONDS_MAX)
        report_error_in(check->report, path, "expirationSeconds", FINDING_INVALID,
                        "%lld must be from %lld (ten minutes) to %lld",
                        (long long)token->expiration_seconds.value, (long long)TOKEN_SECONDS_MIN,
                        (long long)TOKEN_SECONDS_MAX);
    if (require_some(check->report, &file, token->path))
        validate_file_path(token->path, &file, check->report);
}

/* clusterTrustBundle and podCertificate do not count: the server drops them by default. */
static void validate_projection(struct projected_check *check, const struct projection *source,
                                const struct path *path)
{
    struct path secret = path_name(path, "secret"), config_map = path_name(path, "configMap"),
                downward = path_name(path, "downwardAPI"),
                token = path_name(path, "serviceAccountToken");
    int kinds = !!source->secret + !!source->config_map + !!source->downward_api +
                !!source->service_account_token;

    if (kinds > 1)
        report_error(check->report, path, FINDING_FORBIDDEN,
                     "must be one of secret, configMap, downwardAPI and serviceAccountToken");
    validate_object_projection(check, source->secret, &secret);
    validate_object_projection(check, source->config_map, &config_map);
    validate_downward_projection(check, source->downward_api, &downward);
    validate_token_projection(check, source->service_account_token, &token);
}

void validate_projected_volume(const struct volume_check *check, const struct path *path)
{
    const struct projected_volume *source = check->volume->projected;
    struct path sources = path_name(path, "sources");
    struct projected_check projected = {.path = path, .files = SEEN_INIT, .report = check->report};

    validate_file_mode(&source->default_mode, path, "defaultMode", check->report);
    for (size_t i = 0; i < source->sources.count; i++) {
        struct path item = path_index(&sources, i);

        validate_projection(&projected, &source->sources.items[i], &item);
    }
    seen_deinit(&projected.files);
}
