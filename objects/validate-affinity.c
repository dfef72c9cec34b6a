/* The rules for where a pod may be placed: affinity and topology spread. */
#include "pod-rules.h"

#define REQUIRED "requiredDuringSchedulingIgnoredDuringExecution"
#define PREFERRED "preferredDuringSchedulingIgnoredDuringExecution"

enum {
    WEIGHT_MAX = 100,
};

/* node affinity */

/* operators that take any values, none, one */
static const char *const set_operators[] = {"In", "NotIn", NULL};
static const char *const presence_operators[] = {"Exists", "DoesNotExist", NULL};
static const char *const number_operators[] = {"Gt", "Lt", NULL};

static void validate_operator(const struct node_requirement *requirement, const struct path *path,
                              struct report *report)
{
    struct path operator_path = path_name(path, "operator"), values = path_name(path, "values");
    size_t count = requirement->values.count;

    if (str_one_of(requirement->operator_, set_operators)) {
        if (!count)
            report_error(report, &values, FINDING_REQUIRED, "must be set with operator %s",
                         requirement->operator_);
    } else if (str_one_of(requirement->operator_, presence_operators)) {
        if (count)
            report_error(report, &values, FINDING_FORBIDDEN, "must not be set with operator %s",
                         requirement->operator_);
    } else if (str_one_of(requirement->operator_, number_operators)) {
        if (count != 1)
            report_error(report, &values, FINDING_REQUIRED,
                         "must hold exactly one value with operator %s", requirement->operator_);
    } else {
        require(report, &operator_path, requirement->operator_,
                "must be In, NotIn, Exists, DoesNotExist, Gt or Lt");
    }
}

static void validate_match_field(const struct node_requirement *requirement,
                                 const struct path *path, struct report *report)
{
    struct path operator_path = path_name(path, "operator"), values = path_name(path, "values"),
                key = path_name(path, "key");

    if (!str_one_of(requirement->operator_, set_operators))
        require(report, &operator_path, requirement->operator_, "must be In or NotIn");
    else if (requirement->values.count != 1)
        report_error(report, &values, FINDING_REQUIRED, "must hold exactly one value");
    if (!str_equal(requirement->key, "metadata.name")) {
        require(report, &key, requirement->key, "must be metadata.name");
        return;
    }
    for (size_t i = 0; i < requirement->values.count; i++) {
        struct path value = path_index(&values, i);

        require(report, &value, requirement->values.items[i],
                name_check_subdomain(requirement->values.items[i]));
    }
}

static void validate_term(const struct node_selector_term *term, bool check_values,
                          const struct path *path, struct report *report)
{
    struct path expressions = path_name(path, "matchExpressions"),
                fields = path_name(path, "matchFields");

    for (size_t i = 0; i < term->match_expressions.count; i++) {
        const struct node_requirement *requirement = &term->match_expressions.items[i];
        struct path item = path_index(&expressions, i), key = path_name(&item, "key"),
                    values = path_name(&item, "values");

        validate_operator(requirement, &item, report);
        require(report, &key, requirement->key, name_check_qualified(requirement->key));
        for (size_t j = 0; check_values && j < requirement->values.count; j++) {
            struct path value = path_index(&values, j);

            require(report, &value, requirement->values.items[j],
                    name_check_label_value(requirement->values.items[j]));
        }
    }
    for (size_t i = 0; i < term->match_fields.count; i++) {
        struct path item = path_index(&fields, i);

        validate_match_field(&term->match_fields.items[i], &item, report);
    }
}

static void validate_weight(int32_t weight, const struct path *path, struct report *report)
{
    if (weight < 1 || weight > WEIGHT_MAX)
        report_error_in(report, path, "weight", FINDING_INVALID, "must be from 1 to %d",
                        WEIGHT_MAX);
}

static void validate_node_affinity(const struct node_affinity *affinity, const struct path *path,
                                   struct report *report)
{
    struct path required = path_name(path, REQUIRED), preferred = path_name(path, PREFERRED),
                terms = path_name(&required, "nodeSelectorTerms");

    if (affinity->required) {
        if (!affinity->required->node_selector_terms.count)
            report_error(report, &terms, FINDING_REQUIRED, "must hold at least one term");
        for (size_t i = 0; i < affinity->required->node_selector_terms.count; i++) {
            struct path item = path_index(&terms, i);

            validate_term(&affinity->required->node_selector_terms.items[i], true, &item, report);
        }
    }
    for (size_t i = 0; i < affinity->preferred.count; i++) {
        struct path item = path_index(&preferred, i), preference = path_name(&item, "preference");

        validate_weight(affinity->preferred.items[i].weight, &item, report);
        validate_term(&affinity->preferred.items[i].preference, false, &preference, report);
    }
}

/* keys whose values are taken from the pod's own labels */

/* The keys of a selector, once its own and once more for each use. */
struct selector_keys {
    struct seen used;
    struct seen used_again;
};

static void use_key(struct selector_keys *keys, const char *key)
{
    if (seen_before(&keys->used, key))
        seen_before(&keys->used_again, key);
}

static void use_labels(struct selector_keys *keys, const struct string_list *more,
                       const struct seen *labels)
{
    for (size_t i = 0; i < more->count; i++)
        if (seen_has(labels, more->items[i]))
            use_key(keys, more->items[i]);
}

/*
 * The server adds a requirement to the selector for each such key that the pod has as a label;
 * a key that then stands in the selector twice is refused. Its path is the term's with the key's
 * index, the last one if the key is repeated.
 */
static void validate_merged_keys(const struct seen *labels, const struct label_selector *selector,
                                 const struct string_list *match,
                                 const struct string_list *mismatch, const struct path *path,
                                 struct report *report)
{
    struct selector_keys keys = {.used = SEEN_INIT, .used_again = SEEN_INIT};
    struct seen last = SEEN_INIT;

    if (!match->count)
        return;
    array_for_each (label, selector->match_labels)
        use_key(&keys, label->name);
    array_for_each (expression, selector->match_expressions)
        use_key(&keys, expression->key);
    use_labels(&keys, match, labels);
    use_labels(&keys, mismatch, labels);
    for (size_t i = 0; i < match->count; i++)
        seen_put(&last, match->items[i], &match->items[i]);
    for (size_t i = 0; i < match->count; i++) {
        const char *key = match->items[i];
        struct path item = path_index(path, i);

        if (seen_has(&keys.used_again, key) && seen_get(&last, key) == &match->items[i])
            report_error(report, &item, FINDING_INVALID, "\"%.128s\" is in labelSelector already",
                         key);
    }
    seen_deinit(&keys.used);
    seen_deinit(&keys.used_again);
    seen_deinit(&last);
}

static void validate_keys(const struct string_list *keys, const struct label_selector *selector,
                          const struct path *path, struct report *report)
{
    if (keys->count && !selector)
        report_error(report, path, FINDING_FORBIDDEN, "needs a labelSelector beside it");
    for (size_t i = 0; i < keys->count; i++) {
        struct path item = path_index(path, i);

        require(report, &item, keys->items[i], name_check_qualified(keys->items[i]));
    }
}

/* The names of the pod's labels. */
static void note_labels(struct seen *labels, const struct pod *pod)
{
    array_for_each (label, pod->object.metadata.labels)
        seen_before(labels, label->name);
}

/* pod affinity */

static void validate_unequal_keys(const struct string_list *match,
                                  const struct string_list *mismatch, const struct path *path,
                                  struct report *report)
{
    _cleanup_(seen_deinit) struct seen seen = SEEN_INIT;

    for (size_t i = 0; i < mismatch->count; i++)
        seen_before(&seen, mismatch->items[i]);
    for (size_t i = 0; i < match->count; i++) {
        struct path item = path_index(path, i);

        if (seen_has(&seen, match->items[i]))
            report_error(report, &item, FINDING_INVALID, "must not be in mismatchLabelKeys, too");
    }
}

static void validate_pod_term(const struct seen *labels, const struct pod_affinity_term *term,
                              const struct path *path, struct report *report)
{
    struct path selector = path_name(path, "labelSelector"),
                namespace_selector = path_name(path, "namespaceSelector"),
                name_space = path_name(path, "namespace"),
                topology = path_name(path, "topologyKey"),
                match = path_name(path, "matchLabelKeys"),
                mismatch = path_name(path, "mismatchLabelKeys");

    if (term->label_selector)
        validate_label_selector(term->label_selector, &selector, report);
    if (term->namespace_selector)
        validate_label_selector(term->namespace_selector, &namespace_selector, report);
    for (size_t i = 0; i < term->namespaces.count; i++)
        require(report, &name_space, term->namespaces.items[i],
                name_check_label(term->namespaces.items[i]));
    require_named(report, &topology, term->topology_key, name_check_qualified);
    validate_keys(&term->match_label_keys, term->label_selector, &match, report);
    validate_keys(&term->mismatch_label_keys, term->label_selector, &mismatch, report);
    validate_unequal_keys(&term->match_label_keys, &term->mismatch_label_keys, &match, report);
    if (term->label_selector)
        validate_merged_keys(labels, term->label_selector, &term->match_label_keys,
                             &term->mismatch_label_keys, path, report);
}

static void validate_pod_affinity(const struct seen *labels, const struct pod_affinity *affinity,
                                  const struct path *path, struct report *report)
{
    struct path required = path_name(path, REQUIRED), preferred = path_name(path, PREFERRED);

    for (size_t i = 0; i < affinity->required.count; i++) {
        struct path item = path_index(&required, i);

        validate_pod_term(labels, &affinity->required.items[i], &item, report);
    }
    for (size_t i = 0; i < affinity->preferred.count; i++) {
        struct path item = path_index(&preferred, i), term = path_name(&item, "podAffinityTerm");

        validate_weight(affinity->preferred.items[i].weight, &item, report);
        validate_pod_term(labels, &affinity->preferred.items[i].term, &term, report);
    }
}

void validate_affinity(const struct pod *pod, const struct path *spec, struct report *report)
{
    const struct affinity *affinity = pod->spec.affinity;
    _cleanup_(seen_deinit) struct seen labels = SEEN_INIT;
    struct path path = path_name(spec, "affinity"), node = path_name(&path, "nodeAffinity"),
                with = path_name(&path, "podAffinity"),
                against = path_name(&path, "podAntiAffinity");

    if (!affinity)
        return;
    note_labels(&labels, pod);
    if (affinity->node_affinity)
        validate_node_affinity(affinity->node_affinity, &node, report);
    if (affinity->pod_affinity)
        validate_pod_affinity(&labels, affinity->pod_affinity, &with, report);
    if (affinity->pod_anti_affinity)
        validate_pod_affinity(&labels, affinity->pod_anti_affinity, &against, report);
}

/* topology spread */

static void validate_spread_numbers(const struct topology_spread_constraint *spread,
                                    const struct path *path, struct report *report)
{
    if (spread->max_skew <= 0)
        report_error_in(report, path, "maxSkew", FINDING_INVALID, "must be at least 1");
    if (!spread->min_domains.set)
        return;
    if (spread->min_domains.value <= 0)
        report_error_in(report, path, "minDomains", FINDING_INVALID, "must be at least 1");
    if (!str_equal(spread->when_unsatisfiable, "DoNotSchedule"))
        report_error_in(report, path, "minDomains", FINDING_INVALID,
                        "is for whenUnsatisfiable DoNotSchedule only");
}

static void validate_spread(const struct seen *labels,
                            const struct topology_spread_constraint *spread,
                            const struct path *path, struct report *report)
{
    static const char *const whens[] = {"DoNotSchedule", "ScheduleAnyway", NULL};
    static const char *const policies[] = {"Honor", "Ignore", NULL};
    static const struct string_list no_keys;
    struct path topology = path_name(path, "topologyKey"),
                when = path_name(path, "whenUnsatisfiable"),
                affinity = path_name(path, "nodeAffinityPolicy"),
                taints = path_name(path, "nodeTaintsPolicy"),
                keys = path_name(path, "matchLabelKeys"),
                selector = path_name(path, "labelSelector");

    validate_spread_numbers(spread, path, report);
    require_some(report, &topology, spread->topology_key);
    require_one_of(report, &when, spread->when_unsatisfiable, whens);
    if (spread->node_affinity_policy)
        require_one_of(report, &affinity, spread->node_affinity_policy, policies);
    if (spread->node_taints_policy)
        require_one_of(report, &taints, spread->node_taints_policy, policies);
    validate_keys(&spread->match_label_keys, spread->label_selector, &keys, report);
    if (!spread->label_selector)
        return;
    validate_merged_keys(labels, spread->label_selector, &spread->match_label_keys, &no_keys, path,
                         report);
    validate_label_selector(spread->label_selector, &selector, report);
}

/* For each constraint the next one with the same pair, or NULL. */
static const struct topology_spread_constraint **
next_of_same_pair(const struct topology_spread_constraint *spreads, size_t count,
                  struct arena *arena)
{
    const struct topology_spread_constraint **next =
        arena_array(arena, const struct topology_spread_constraint *, count);
    _cleanup_(seen_deinit) struct seen seen = SEEN_INIT;

    for (size_t i = count; i-- > 0;)
        next[i] = seen_put(&seen,
                           seen_pair(spreads[i].topology_key, spreads[i].when_unsatisfiable, arena),
                           &spreads[i]);
    return next;
}

void validate_topology_spread(const struct pod *pod, const struct path *spec, struct report *report)
{
    struct path list = path_name(spec, "topologySpreadConstraints");
    const struct topology_spread_constraint *spreads = pod->spec.topology_spread_constraints.items;
    const struct topology_spread_constraint **next;
    size_t count = pod->spec.topology_spread_constraints.count;
    _cleanup_(seen_deinit) struct seen labels = SEEN_INIT;

    if (!count)
        return;
    note_labels(&labels, pod);
    next = next_of_same_pair(spreads, count, &report->arena);
    for (size_t i = 0; i < count; i++) {
        struct path item = path_index(&list, i);

        validate_spread(&labels, &spreads[i], &item, report);
        if (next[i])
            report_error_in(report, &item, "{topologyKey, whenUnsatisfiable}", FINDING_DUPLICATE,
                            "constraint %zu has the same pair", (size_t)(next[i] - spreads));
    }
}
