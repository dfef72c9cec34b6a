/* The rules of nodes. */
#include "node-rules.h"
#include "nodeagent/objects/node.h"
#include "validate.h"

#include <ctype.h>
#include <string.h>

enum {
    FEATURE_BYTES_MAX = 253,
    POD_CIDRS_MAX = 2,
};

/* taints: the server reports those of the specification below metadata */

static void validate_taint(const struct taint *taint, const struct path *path,
                           struct report *report)
{
    static const char *const effects[] = {"NoSchedule", "PreferNoSchedule", "NoExecute", NULL};

    require_in(report, path, "key", taint->key, name_check_qualified(taint->key));
    require_in(report, path, "value", taint->value, name_check_label_value(taint->value));
    if (require_some_in(report, path, "effect", taint->effect))
        require_one_of_in(report, path, "effect", taint->effect, effects);
}

static void validate_taints(const struct node_spec *spec, struct report *report)
{
    _cleanup_(seen_deinit) struct seen seen = SEEN_INIT;
    struct path metadata = path_name(NULL, "metadata"), taints = path_name(&metadata, "taints");

    for (size_t i = 0; i < spec->taints.count; i++) {
        const struct taint *taint = &spec->taints.items[i];
        struct path path = path_index(&taints, i);

        validate_taint(taint, &path, report);
        if (seen_before(&seen, seen_pair(taint->effect, taint->key, &report->arena)))
            report_error(report, &path, FINDING_DUPLICATE,
                         "another taint has this key and this effect");
    }
}

/* networks */

/* Of a range whose strict format may be broken: is it one at all, and of which family? */
enum family { FAMILY_NONE, FAMILY_V4, FAMILY_V6 };

static enum family family_of(const char *cidr, struct arena *arena)
{
    const char *slash = strchr(cidr, '/');
    const char *address = slash ? arena_strndup(arena, cidr, (size_t)(slash - cidr)) : NULL;

    if (!address || name_check_ip(address))
        return FAMILY_NONE;
    return ip_is_v6(address) ? FAMILY_V6 : FAMILY_V4;
}

static bool is_pair_of_families(const struct string_list *cidrs, struct arena *arena)
{
    enum family first, second;

    if (cidrs->count != POD_CIDRS_MAX)
        return false;
    first = family_of(cidrs->items[0], arena);
    second = family_of(cidrs->items[1], arena);
    return first != FAMILY_NONE && second != FAMILY_NONE && first != second;
}

static void validate_pod_cidrs(const struct string_list *cidrs, struct report *report)
{
    struct path spec = path_name(NULL, "spec"), path = path_name(&spec, "podCIDRs");

    for (size_t i = 0; i < cidrs->count; i++) {
        struct path item = path_index(&path, i);

        require(report, &item, cidrs->items[i], name_check_cidr(cidrs->items[i]));
    }
    if (cidrs->count > 1 && !is_pair_of_families(cidrs, &report->arena))
        report_error(report, &path, FINDING_INVALID,
                     "must be one range, or one IPv4 and one IPv6 range");
}

/* status */

/* The server writes the resource's name behind a dot, not in brackets. */
static void validate_amounts(const struct quantity_map *resources, const struct path *path,
                             struct report *report)
{
    array_for_each (resource, *resources) {
        struct path amount = path_name(path, resource->name);

        validate_amount(resource->name, &resource->quantity, &amount, report);
    }
}

static void validate_swap(const struct node_swap *swap, struct report *report)
{
    struct path metadata = path_name(NULL, "metadata"), /* the server's place for it */
        path = path_name(&metadata, "nodeSwapStatus");

    if (swap && swap->capacity.set && swap->capacity.value <= 0)
        report_error_in(report, &path, "capacity", FINDING_INVALID,
                        "%lld must be more than 0, or absent", (long long)swap->capacity.value);
}

/* "Name", "Name/part": letters and digits; a capital first. */
static bool is_feature(const char *feature)
{
    if (strlen(feature) > FEATURE_BYTES_MAX || !isupper((unsigned char)*feature))
        return false;
    for (const char *c = feature; *c; c++)
        if (*c == '/' ? !isalpha((unsigned char)c[1]) : !isalnum((unsigned char)*c))
            return false;
    return true;
}

static void validate_features(const struct string_list *features, const struct path *path,
                              struct report *report)
{
    for (size_t i = 0; i < features->count; i++) {
        const char *feature = features->items[i];
        int order = i ? strcmp(features->items[i - 1], feature) : -1;
        struct path item = path_index(path, i);

        if (!is_feature(feature))
            require(report, &item, feature,
                    "must be a feature's name: letters and digits beginning with a capital, at "
                    "most 253 bytes");
        if (order == 0)
            report_error(report, &item, FINDING_DUPLICATE, "\"%.128s\" is listed twice", feature);
        else if (order > 0)
            require(report, &item, feature, "must come before the entry above it: sort the list");
    }
}

void node_validate(const struct object *object, struct report *report)
{
    const struct node *node = container_of(object, struct node, object);
    const struct node_status *status = &node->status;
    struct path path = path_name(NULL, "status"), capacity = path_name(&path, "capacity"),
                allocatable = path_name(&path, "allocatable"),
                features = path_name(&path, "declaredFeatures");

    validate_meta(object, NAME_SUBDOMAIN, FINALIZERS_QUALIFIED, report);
    validate_taints(&node->spec, report);
    validate_pod_cidrs(&node->spec.pod_cidrs, report);
    validate_amounts(&status->capacity, &capacity, report);
    validate_amounts(&status->allocatable, &allocatable, report);
    validate_swap(status->node_info.swap, report);
    validate_features(&status->declared_features, &features, report);
}
