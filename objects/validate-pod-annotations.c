/*
 * The rules for annotations that mean something to the API: older forms of fields, which must
 * make sense and must not contradict the fields.
 */
#include "kinds.h"
#include "pod-rules.h"

#include <string.h>

#define SECCOMP_POD "seccomp.security.alpha.kubernetes.io/pod"
#define SECCOMP_CONTAINER "container.seccomp.security.alpha.kubernetes.io/"
#define APP_ARMOR_CONTAINER "container.apparmor.security.beta.kubernetes.io/"
#define TOLERATIONS "scheduler.alpha.kubernetes.io/tolerations"
#define MIRROR "kubernetes.io/config.mirror"
#define DELETION_COST "controller.kubernetes.io/pod-deletion-cost"

/* An annotation's profile in the form of the field; type NULL when it is none. */
static struct confinement profile_of(const char *annotation)
{
    if (str_equal(annotation, "runtime/default"))
        return (struct confinement){.type = "RuntimeDefault"};
    if (str_equal(annotation, "unconfined"))
        return (struct confinement){.type = "Unconfined"};
    if (str_has_prefix(annotation, "localhost/"))
        return (struct confinement){
            .type = "Localhost",
            .localhost_profile = annotation + strlen("localhost/"),
        };
    return (struct confinement){0};
}

static struct confinement seccomp_of(const char *annotation)
{
    struct confinement profile = profile_of(annotation);

    if (str_equal(annotation, "docker/default"))
        profile.type = "RuntimeDefault";
    return profile;
}

/* An annotation that is no profile agrees with none. */
static void require_agreement(const struct confinement *annotation, const struct confinement *field,
                              const struct path *path, struct report *report)
{
    static const char *const types[] = {"Localhost", "RuntimeDefault", "Unconfined", NULL};

    if (!field || !field->type || !str_one_of(field->type, types))
        return;
    if (!str_equal(annotation->type, field->type))
        report_error_in(report, path, "type", FINDING_FORBIDDEN,
                        "must agree with the pod's annotation (%s)",
                        annotation->type ? annotation->type : "which is no profile");
    else if (annotation->localhost_profile &&
             !str_equal(annotation->localhost_profile, field->localhost_profile))
        report_error_in(report, path, "localhostProfile", FINDING_FORBIDDEN,
                        "must agree with the pod's annotation (%.128s)",
                        annotation->localhost_profile);
}

/* seccomp: the server joins the annotation's name to the path with a dot */

static void validate_seccomp_annotations(const struct pod *pod, const struct path *annotations,
                                         struct report *report)
{
    array_for_each (annotation, pod->object.metadata.annotations) {
        struct path at = path_name(annotations, annotation->name);
        struct confinement profile;

        if (!str_equal(annotation->name, SECCOMP_POD) &&
            !str_has_prefix(annotation->name, SECCOMP_CONTAINER))
            continue;
        profile = seccomp_of(annotation->value);
        if (!profile.type || name_check_relative_path(profile.localhost_profile))
            report_error(report, &at, FINDING_INVALID,
                         "\"%.128s\" must be runtime/default, unconfined or localhost/<path>",
                         annotation->value);
    }
}

static void validate_pod_seccomp(const struct pod *pod, const struct path *spec,
                                 struct report *report)
{
    const char *annotation = string_map_get(&pod->object.metadata.annotations, SECCOMP_POD);
    struct path security = path_name(spec, "securityContext"),
                at = path_name(&security, "seccompProfile");

    if (annotation) {
        struct confinement profile = seccomp_of(annotation);

        require_agreement(&profile, pod->spec.security_context->seccomp_profile, &at, report);
    }
}

/* AppArmor */

static void validate_app_armor_annotations(const struct pod *pod, const struct seen *containers,
                                           const struct path *annotations, struct report *report)
{
    array_for_each (annotation, pod->object.metadata.annotations) {
        struct path at = path_key(annotations, annotation->name);
        const char *name = annotation->name + strlen(APP_ARMOR_CONTAINER);

        if (!str_has_prefix(annotation->name, APP_ARMOR_CONTAINER))
            continue;
        if (!seen_has(containers, name))
            report_error(report, &at, FINDING_INVALID, "\"%.64s\" names no container", name);
        if (*annotation->value && !profile_of(annotation->value).type)
            report_error(report, &at, FINDING_INVALID,
                         "\"%.128s\" must be runtime/default, unconfined or localhost/<name>",
                         annotation->value);
    }
}

/* one container */

/* What annotations say of containers, by the container's name. */
struct profiles {
    struct seen seccomp;
    struct seen app_armor;
};

static void note_profile(struct seen *profiles, const struct string_pair *annotation,
                         const char *prefix)
{
    if (str_has_prefix(annotation->name, prefix))
        seen_first(profiles, annotation->name + strlen(prefix), annotation->value);
}

static void validate_container_agreement(const struct pod *pod, const struct container *container,
                                         const struct profiles *profiles, const struct path *path,
                                         struct report *report)
{
    const char *seccomp = seen_get(&profiles->seccomp, container->name);
    const char *app_armor = seen_get(&profiles->app_armor, container->name);
    const struct security_context *security = container->security_context;
    struct path security_path = path_name(path, "securityContext"),
                seccomp_path = path_name(&security_path, "seccompProfile"),
                app_armor_path = path_name(&security_path, "appArmorProfile");

    if (security && seccomp) {
        struct confinement profile = seccomp_of(seccomp);

        require_agreement(&profile, security->seccomp_profile, &seccomp_path, report);
    }
    if (app_armor && !(pod->spec.os && str_equal(pod->spec.os->name, "windows"))) {
        struct confinement profile = profile_of(app_armor);
        const struct confinement *field = security ? security->app_armor_profile : NULL;

        /* One that can be used becomes the container's own; one that cannot meets the pod's. */
        if (!field && !profile.type)
            field = pod->spec.security_context->app_armor_profile;
        require_agreement(&profile, field, &app_armor_path, report);
    }
}

/* all containers */

static const struct {
    const char *name;
    size_t offset; /* in struct pod_spec */
} container_lists[] = {
    {"containers", offsetof(struct pod_spec, containers)},
    {"initContainers", offsetof(struct pod_spec, init_containers)},
    {"ephemeralContainers", offsetof(struct pod_spec, ephemeral_containers)},
};

static const struct container_list *container_list_at(const struct pod *pod, size_t i)
{
    return (const void *)((const char *)&pod->spec + container_lists[i].offset);
}

static void validate_container_profiles(const struct pod *pod, const struct path *spec,
                                        struct report *report)
{
    struct profiles profiles = {.seccomp = SEEN_INIT, .app_armor = SEEN_INIT};

    array_for_each (annotation, pod->object.metadata.annotations) {
        note_profile(&profiles.seccomp, annotation, SECCOMP_CONTAINER);
        note_profile(&profiles.app_armor, annotation, APP_ARMOR_CONTAINER);
    }
    for (size_t i = 0; i < array_size(container_lists); i++) {
        const struct container_list *containers = container_list_at(pod, i);
        struct path list = path_name(spec, container_lists[i].name);

        for (size_t j = 0; j < containers->count; j++) {
            struct path item = path_index(&list, j);

            validate_container_agreement(pod, &containers->items[j], &profiles, &item, report);
        }
    }
    seen_deinit(&profiles.seccomp);
    seen_deinit(&profiles.app_armor);
}

static void note_containers(struct seen *names, const struct pod *pod)
{
    for (size_t i = 0; i < array_size(container_lists); i++)
        array_for_each (container, *container_list_at(pod, i))
            seen_before(names, container->name);
}

/* tolerations as JSON */

static void validate_tolerations_annotation(const char *text, const struct path *annotations,
                                            struct report *report)
{
    struct path at = path_name(annotations, TOLERATIONS);
    struct json_findings *findings = arena_new(&report->arena, struct json_findings);
    struct json_limits limits = {.bytes_max = strlen(text), .nodes_max = JSON_NODES_MAX};
    struct toleration *tolerations;
    struct report nested;
    struct json *list;

    if (!*text)
        return;
    if (json_parse(&report->arena, text, strlen(text), &limits, findings, &list, NULL) < 0 ||
        (list->type != JSON_ARRAY && list->type != JSON_NULL)) {
        report_error(report, annotations, FINDING_INVALID,
                     TOLERATIONS " must be a JSON list of tolerations");
        return;
    }
    report_init(&nested, NULL);
    tolerations = arena_array(&report->arena, struct toleration, list->length);
    for (uint32_t i = 0; i < list->length; i++)
        if (list->items[i].type != JSON_NULL)
            schema_decode(&toleration_schema, &tolerations[i], &list->items[i], NULL,
                          &report->arena, &nested);
    if (nested.errors)
        report_error(report, annotations, FINDING_INVALID,
                     TOLERATIONS " must be a JSON list of tolerations");
    else
        validate_tolerations(tolerations, list->length, &at, report);
    report_deinit(&nested);
}

/* A decimal number of 32 bits without a plus sign or leading zeros. */
static bool is_deletion_cost(const char *text)
{
    int64_t cost;

    if (text[0] == '0' && text[1])
        return false;
    return str_to_i64(text, &cost) == 0 && cost == (int32_t)cost;
}

static void validate_known_annotations(const struct pod *pod, const struct path *annotations,
                                       struct report *report)
{
    const struct string_map *map = &pod->object.metadata.annotations;
    const char *tolerations = string_map_get(map, TOLERATIONS);
    const char *cost = string_map_get(map, DELETION_COST);
    struct path cost_path = path_key(annotations, DELETION_COST),
                mirror_path = path_key(annotations, MIRROR);

    if (string_map_get(map, MIRROR) && str_empty(pod->spec.node_name))
        report_error(report, &mirror_path, FINDING_INVALID,
                     "a mirror pod must be bound to a node: set spec.nodeName");
    if (cost && !is_deletion_cost(cost))
        report_error(report, &cost_path, FINDING_INVALID,
                     "\"%.64s\" must be a whole number of 32 bits", cost);
    if (tolerations)
        validate_tolerations_annotation(tolerations, annotations, report);
}

void validate_pod_annotations(const struct pod *pod, struct report *report)
{
    struct path metadata = path_name(NULL, "metadata"),
                annotations = path_name(&metadata, "annotations"), spec = path_name(NULL, "spec");
    _cleanup_(seen_deinit) struct seen containers = SEEN_INIT;

    if (!pod->object.metadata.annotations.count)
        return;
    note_containers(&containers, pod);
    validate_known_annotations(pod, &annotations, report);
    validate_seccomp_annotations(pod, &annotations, report);
    validate_app_armor_annotations(pod, &containers, &annotations, report);
    validate_pod_seccomp(pod, &spec, report);
    validate_container_profiles(pod, &spec, report);
}
