/* What all validation uses: reporting by format, and the rules for metadata and labels. */
#include "validate.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum {
    ANNOTATIONS_BYTES_MAX = 256 << 10,
    GENERATED_BASE_MAX = 58, /* of a generated name; five random characters follow */
};

void require(struct report *report, const struct path *path, const char *value,
             const char *complaint)
{
    if (complaint)
        report_error(report, path, FINDING_INVALID, "\"%.128s\" %s", value ? value : "", complaint);
}

void require_number(struct report *report, const struct path *path, int64_t value,
                    const char *complaint)
{
    if (complaint)
        report_error(report, path, FINDING_INVALID, "%lld %s", (long long)value, complaint);
}

bool require_some(struct report *report, const struct path *path, const char *value)
{
    if (!str_empty(value))
        return true;
    report_error(report, path, FINDING_REQUIRED, "must not be empty");
    return false;
}

void require_named(struct report *report, const struct path *path, const char *value,
                   const char *(*check)(const char *))
{
    if (require_some(report, path, value))
        require(report, path, value, check(value));
}

bool require_one_of(struct report *report, const struct path *path, const char *value,
                    const char *const *words)
{
    struct str_guess guess = {.wanted = value ? value : ""};
    struct strbuf list = STRBUF_INIT;

    if (value && str_one_of(value, words))
        return true;
    for (size_t i = 0; words[i]; i++) {
        strbuf_printf(&list, "%s%s", i == 0 ? "" : words[i + 1] ? ", " : " or ", words[i]);
        str_guess_try(&guess, words[i]);
    }
    report_error(report, path, FINDING_NOT_SUPPORTED, "\"%.128s\" is not supported; use %s%s%s%s",
                 value ? value : "", list.text, guess.best ? " (did you mean " : "",
                 guess.best ? guess.best : "", guess.best ? "?)" : "");
    strbuf_deinit(&list);
    return false;
}

void require_in(struct report *report, const struct path *path, const char *name, const char *value,
                const char *complaint)
{
    struct path child = path_name(path, name);

    require(report, &child, value, complaint);
}

bool require_some_in(struct report *report, const struct path *path, const char *name,
                     const char *value)
{
    struct path child = path_name(path, name);

    return require_some(report, &child, value);
}

bool require_one_of_in(struct report *report, const struct path *path, const char *name,
                       const char *value, const char *const *words)
{
    struct path child = path_name(path, name);

    return require_one_of(report, &child, value, words);
}

/* labels, annotations and selectors */

void validate_labels(const struct string_map *labels, const struct path *path,
                     struct report *report)
{
    array_for_each (label, *labels) {
        require(report, path, label->name, name_check_qualified(label->name));
        require(report, path, label->value, name_check_label_value(label->value));
    }
}

void validate_annotations(const struct string_map *annotations, const struct path *path,
                          struct report *report)
{
    size_t bytes = 0;

    array_for_each (annotation, *annotations) {
        require(report, path, annotation->name, name_check_annotation_key(annotation->name));
        bytes += strlen(annotation->name) + strlen(annotation->value);
    }
    if (bytes > ANNOTATIONS_BYTES_MAX)
        report_error(report, path, FINDING_TOO_LONG,
                     "must have at most %d bytes of keys and values in all, not %zu",
                     ANNOTATIONS_BYTES_MAX, bytes);
}

static void validate_label_requirement(const struct label_requirement *requirement,
                                       const struct path *path, struct report *report)
{
    struct path operator_path = path_name(path, "operator"), values = path_name(path, "values"),
                key = path_name(path, "key");

    if (str_equal(requirement->operator_, "In") || str_equal(requirement->operator_, "NotIn")) {
        if (!requirement->values.count)
            report_error(report, &values, FINDING_REQUIRED, "must be set with operator %s",
                         requirement->operator_);
    } else if (str_equal(requirement->operator_, "Exists") ||
               str_equal(requirement->operator_, "DoesNotExist")) {
        if (requirement->values.count)
            report_error(report, &values, FINDING_FORBIDDEN, "must not be set with operator %s",
                         requirement->operator_);
    } else {
        require(report, &operator_path, requirement->operator_,
                "must be In, NotIn, Exists or DoesNotExist");
    }
    require(report, &key, requirement->key, name_check_qualified(requirement->key));
    for (size_t i = 0; i < requirement->values.count; i++) {
        struct path value = path_index(&values, i);

        require(report, &value, requirement->values.items[i],
                name_check_label_value(requirement->values.items[i]));
    }
}

void validate_label_selector(const struct label_selector *selector, const struct path *path,
                             struct report *report)
{
    struct path labels = path_name(path, "matchLabels"),
                expressions = path_name(path, "matchExpressions");

    validate_labels(&selector->match_labels, &labels, report);
    for (size_t i = 0; i < selector->match_expressions.count; i++) {
        struct path expression = path_index(&expressions, i);

        validate_label_requirement(&selector->match_expressions.items[i], &expression, report);
    }
}

/* metadata */

static const char *check_path_segment(const char *name)
{
    if (!strcmp(name, ".") || !strcmp(name, "..") || strpbrk(name, "/%"))
        return "must not be \".\" or \"..\" or contain \"/\" or \"%\"";
    return NULL;
}

static const char *check_name(const char *name, enum name_format format)
{
    switch (format) {
    case NAME_LABEL:
        return name_check_label(name);
    case NAME_SUBDOMAIN:
        return name_check_subdomain(name);
    case NAME_PATH_SEGMENT:
        return check_path_segment(name);
    }
    return NULL;
}

/* A prefix may end in "-": the server checks it with its last two bytes replaced by a letter. */
const char *name_masked(const char *prefix, char *masked, size_t size)
{
    size_t length = strlen(prefix);

    snprintf(masked, size, "%s", prefix);
    if (length > 1 && length < size && prefix[length - 1] == '-') {
        masked[length - 2] = 'a';
        masked[length - 1] = '\0';
    }
    return masked;
}

static void validate_name(const struct object_meta *meta, enum name_format format,
                          const struct path *path, struct report *report)
{
    struct path name = path_name(path, "name"), generate = path_name(path, "generateName");
    char text[512];

    if (!str_empty(meta->generate_name))
        require(report, &generate, meta->generate_name,
                check_name(name_masked(meta->generate_name, text, sizeof(text)), format));
    if (!str_empty(meta->name)) {
        require(report, &name, meta->name, check_name(meta->name, format));
    } else if (str_empty(meta->generate_name)) {
        report_error(report, &name, FINDING_REQUIRED, "name or generateName must be set");
    } else {
        snprintf(text, sizeof(text), "%.*sxxxxx", GENERATED_BASE_MAX, meta->generate_name);
        require(report, &name, text, check_name(text, format));
    }
}

static void validate_owner(const struct owner_reference *owner, const struct path *path,
                           struct report *report)
{
    const struct {
        const char *name;
        const char *value;
    } members[] = {
        {"kind", owner->kind},
        {"name", owner->name},
        {"uid", owner->uid},
    };
    const char *slash = owner->api_version ? strchr(owner->api_version, '/') : NULL;

    if (str_empty(owner->api_version) || (slash && strchr(slash + 1, '/')))
        report_error_in(report, path, "apiVersion", FINDING_INVALID,
                        "must be a version such as v1 or apps/v1");
    for (size_t i = 0; i < array_size(members); i++)
        if (str_empty(members[i].value))
            report_error_in(report, path, members[i].name, FINDING_INVALID, "must not be empty");
    if (str_equal(owner->api_version, "v1") && str_equal(owner->kind, "Event"))
        report_error(report, path, FINDING_INVALID, "an Event must not own anything");
}

static void validate_owners(const struct object_meta *meta, const struct path *path,
                            struct report *report)
{
    const struct owner_reference *controller = NULL;

    array_for_each (owner, meta->owner_references) {
        validate_owner(owner, path, report);
        if (owner->controller != OPT_TRUE)
            continue;
        if (controller)
            report_error(report, path, FINDING_INVALID,
                         "only one owner may be the controller; both %.64s and %.64s are",
                         controller->name ? controller->name : "", owner->name ? owner->name : "");
        controller = owner;
    }
}

static void validate_finalizers(const struct string_list *finalizers, enum finalizer_rule rule,
                                const struct path *path, struct report *report)
{
    static const char *const unqualified[] = {"kubernetes", "orphan", "foregroundDeletion", NULL};

    for (size_t i = 0; i < finalizers->count; i++) {
        const char *finalizer = finalizers->items[i];
        struct path item = path_index(path, i);

        require(report, path, finalizer, name_check_qualified(finalizer));
        if (rule == FINALIZERS_QUALIFIED && !strchr(finalizer, '/') &&
            !str_one_of(finalizer, unqualified))
            report_error(report, &item, FINDING_INVALID,
                         "\"%.128s\" must have a domain, as in example.com/%.64s", finalizer,
                         finalizer);
    }
    if (string_list_has(finalizers, "orphan") && string_list_has(finalizers, "foregroundDeletion"))
        report_error(report, path, FINDING_INVALID,
                     "must not hold both orphan and foregroundDeletion");
}

void validate_meta(const struct object *object, enum name_format format,
                   enum finalizer_rule finalizers, struct report *report)
{
    const struct object_meta *meta = &object->metadata;
    struct path path = path_name(NULL, "metadata"), labels = path_name(&path, "labels"),
                annotations = path_name(&path, "annotations"),
                owners = path_name(&path, "ownerReferences"),
                finalizer_path = path_name(&path, "finalizers"),
                name_space = path_name(&path, "namespace");

    validate_name(meta, format, &path, report);
    /* The server sets a pod's generation itself. */
    if (meta->generation < 0 && object->kind != &object_kind_pod)
        report_error_in(report, &path, "generation", FINDING_INVALID, "must not be negative");
    if (object->kind->namespaced && !str_empty(meta->name_space))
        require(report, &name_space, meta->name_space, name_check_label(meta->name_space));
    validate_labels(&meta->labels, &labels, report);
    validate_annotations(&meta->annotations, &annotations, report);
    validate_owners(meta, &owners, report);
    validate_finalizers(&meta->finalizers, finalizers, &finalizer_path, report);
}

/* tolerations */

static void validate_toleration(const struct toleration *toleration, const struct path *path,
                                struct report *report)
{
    static const char *const effects[] = {"NoSchedule", "PreferNoSchedule", "NoExecute", NULL};
    static const char *const operators[] = {"Equal", "Exists", NULL};
    struct path key = path_name(path, "key"), operator_path = path_name(path, "operator"),
                effect = path_name(path, "effect");

    if (!str_empty(toleration->key))
        require(report, &key, toleration->key, name_check_qualified(toleration->key));
    else if (!str_equal(toleration->operator_, "Exists"))
        report_error(report, &operator_path, FINDING_INVALID,
                     "must be Exists when key is empty (all taints are tolerated)");
    if (toleration->toleration_seconds.set && !str_equal(toleration->effect, "NoExecute"))
        report_error(report, &effect, FINDING_INVALID,
                     "must be NoExecute when tolerationSeconds is set");
    if (str_empty(toleration->operator_) || str_equal(toleration->operator_, "Equal"))
        require(report, &operator_path, toleration->value,
                name_check_label_value(toleration->value));
    else if (!str_equal(toleration->operator_, "Exists"))
        require_one_of(report, &operator_path, toleration->operator_, operators);
    else if (!str_empty(toleration->value))
        report_error(report, &operator_path, FINDING_INVALID,
                     "value must be empty when operator is Exists");
    if (!str_empty(toleration->effect))
        require_one_of(report, &effect, toleration->effect, effects);
}

void validate_tolerations(const struct toleration *tolerations, size_t count,
                          const struct path *path, struct report *report)
{
    for (size_t i = 0; i < count; i++) {
        struct path item = path_index(path, i);

        validate_toleration(&tolerations[i], &item, report);
    }
}
