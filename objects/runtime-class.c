/* The RuntimeClass kind, whose fields lie beside its metadata. */
#include "kinds.h"
#include "nodeagent/objects/runtime_class.h"
#include "validate.h"

static const struct field overhead_fields[] = {
    FIELD("podFixed", QUANTITY_MAP, runtime_class_overhead, pod_fixed),
};
static const struct schema overhead_schema = SCHEMA(runtime_class_overhead, overhead_fields);

static const struct field scheduling_fields[] = {
    FIELD("nodeSelector", STRING_MAP, runtime_class_scheduling, node_selector),
    FIELD_OF("tolerations", LIST, runtime_class_scheduling, tolerations, toleration_schema),
};
static const struct schema scheduling_schema = SCHEMA(runtime_class_scheduling, scheduling_fields);

static const struct field runtime_class_fields[] = {
    FIELDS_OF_OBJECT(runtime_class),
    FIELD_ALWAYS("handler", STRING, runtime_class, handler),
    FIELD_OF("overhead", POINTER, runtime_class, overhead, overhead_schema),
    FIELD_OF("scheduling", POINTER, runtime_class, scheduling, scheduling_schema),
};
static const struct schema runtime_class_schema = SCHEMA(runtime_class, runtime_class_fields);

static void runtime_class_set_defaults(struct object *object)
{
    struct runtime_class *class = runtime_class_of(object);

    if (class->overhead)
        quantity_map_round_up(&class->overhead->pod_fixed);
}

/* The server checks it as if it were a container's limits, and says so in its paths. */
static void validate_overhead(const struct runtime_class_overhead *overhead, struct report *report)
{
    struct resources resources = {.limits = overhead->pod_fixed};
    struct path path = path_name(NULL, "overhead");

    validate_resources(&resources, RESOURCES_OVERHEAD, &path, report);
}

static void validate_scheduling(const struct runtime_class_scheduling *scheduling,
                                struct report *report)
{
    struct path path = path_name(NULL, "scheduling"),
                node_selector = path_name(&path, "nodeSelector"),
                tolerations = path_name(&path, "tolerations");

    validate_labels(&scheduling->node_selector, &node_selector, report);
    validate_tolerations(scheduling->tolerations.items, scheduling->tolerations.count, &tolerations,
                         report);
}

static void runtime_class_validate(const struct object *object, struct report *report)
{
    const struct runtime_class *class = container_of(object, struct runtime_class, object);

    validate_meta(object, NAME_SUBDOMAIN, FINALIZERS_ANY, report);
    require_in(report, NULL, "handler", class->handler, name_check_label(class->handler));
    if (class->overhead)
        validate_overhead(class->overhead, report);
    if (class->scheduling)
        validate_scheduling(class->scheduling, report);
}

const struct object_kind object_kind_runtime_class = {
    .api_version = "node.k8s.io/v1",
    .name = "RuntimeClass",
    .size = sizeof(struct runtime_class),
    .schema = &runtime_class_schema,
    .set_defaults = runtime_class_set_defaults,
    .validate = runtime_class_validate,
};
