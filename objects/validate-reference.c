/*
 * References to the pod's own fields and to its containers' resources, which environment
 * variables and downward API files share.
 */
#include "pod-rules.h"

#include <string.h>

/* What version v1 of a field reference knows, whoever may use it. */
static const char *const known_fields[] = {
    "metadata.annotations", "metadata.labels",
    "metadata.name",        "metadata.namespace",
    "metadata.uid",         "spec.host", /* the older name of spec.nodeName */
    "spec.nodeName",        "spec.restartPolicy",
    "spec.schedulerName",   "spec.serviceAccountName",
    "status.hostIP",        "status.hostIPs",
    "status.phase",         "status.podIP",
    "status.podIPs",        NULL,
};

bool field_path_split(const char *field_path, struct field_path *parts, struct arena *arena)
{
    size_t length = strlen(field_path);
    const char *bracket = strstr(field_path, "['");

    *parts = (struct field_path){.field = field_path};
    if (!str_has_suffix(field_path, "']") || !bracket || bracket == field_path ||
        bracket + strlen("['") > field_path + length - strlen("']"))
        return false;
    parts->field = arena_strndup(arena, field_path, (size_t)(bracket - field_path));
    parts->key = arena_strndup(arena, bracket + strlen("['"),
                               (size_t)(field_path + length - bracket) - strlen("['']"));
    return true;
}

static void validate_subscript(const struct field_path *parts, const struct path *path,
                               struct report *report)
{
    if (str_equal(parts->field, "metadata.labels"))
        require(report, path, parts->key, name_check_qualified(parts->key));
    else if (str_equal(parts->field, "metadata.annotations"))
        require(report, path, parts->key, name_check_annotation_key(parts->key));
    else
        report_error_in(report, path, "fieldPath", FINDING_INVALID,
                        "only metadata.labels and metadata.annotations have keys in brackets, "
                        "not %.128s",
                        parts->field);
}

void validate_field_reference(const struct field_reference *reference,
                              const char *const *allowed_fields, const struct path *path,
                              struct report *report)
{
    struct path field_path = path_name(path, "fieldPath");
    struct field_path parts;

    if (!require_some(report, &field_path, reference->field_path))
        return;
    if (!str_equal(reference->api_version, "v1")) {
        report_error(report, &field_path, FINDING_INVALID,
                     "field paths are known for apiVersion v1 only, not \"%.128s\"",
                     reference->api_version);
    } else if (field_path_split(reference->field_path, &parts, &report->arena)) {
        validate_subscript(&parts, path, report);
    } else if (!str_one_of(parts.field, known_fields)) {
        report_error(report, &field_path, FINDING_INVALID,
                     "\"%.128s\" is not a field that can be referred to", parts.field);
    } else {
        require_one_of(report, &field_path,
                       str_equal(parts.field, "spec.host") ? "spec.nodeName" : parts.field,
                       allowed_fields);
    }
}

/* resources */

static bool is_hugepages_field(const char *resource)
{
    return str_has_prefix(resource, "limits.hugepages-") ||
           str_has_prefix(resource, "requests.hugepages-");
}

static void require_resource_field(const char *resource, const struct path *path,
                                   struct report *report)
{
    static const char *const fields[] = {
        "limits.cpu",   "limits.memory",   "limits.ephemeral-storage",
        "requests.cpu", "requests.memory", "requests.ephemeral-storage",
        NULL,
    };

    if (!is_hugepages_field(resource))
        require_one_of_in(report, path, "resource", resource, fields);
}

static void validate_divisor(const char *resource, const struct quantity *divisor,
                             const struct path *path, struct report *report)
{
    static const char *const of_cpu[] = {"1", "1m", NULL};
    static const char *const of_bytes[] = {"1",   "1k",  "1M",  "1G",  "1T",  "1P",  "1E",
                                           "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei", NULL};
    static const char *const in_bytes[] = {"limits.memory", "limits.ephemeral-storage",
                                           "requests.memory", "requests.ephemeral-storage", NULL};
    char text[QUANTITY_TEXT_MAX];

    if (!divisor || quantity_sign(divisor) == 0)
        return;
    quantity_format(divisor, text);
    if (str_equal(resource, "limits.cpu") || str_equal(resource, "requests.cpu"))
        require_in(report, path, "divisor", text,
                   str_one_of(text, of_cpu) ? NULL : "must be 1 or 1m");
    else if (is_hugepages_field(resource) || str_one_of(resource, in_bytes))
        require_in(report, path, "divisor", text,
                   str_one_of(text, of_bytes)
                       ? NULL
                       : "must be 1 or one unit such as 1k, 1M, 1Ki, 1Mi or 1Gi");
}

void validate_resource_reference(const struct resource_reference *reference,
                                 enum container_name_rule container_name, const struct path *path,
                                 struct report *report)
{
    bool named = container_name == CONTAINER_NAME_OPTIONAL ||
                 require_some_in(report, path, "containerName", reference->container_name);

    if (named && require_some_in(report, path, "resource", reference->resource))
        require_resource_field(reference->resource, path, report);
    if (!str_empty(reference->resource))
        validate_divisor(reference->resource, reference->divisor, path, report);
}
