/* By what the runtime's objects are known: labels and annotations, as the kubelet has them. */
#include "nodeagent/objects/schema.h"
#include "translate-internal.h"

#define PREFIX "io.kubernetes."

const char *translate_pod_name(const struct translation *translation)
{
    const struct object_meta *meta = &translation->pod->object.metadata;

    return arena_printf(translation->arena, "%s_%s(%s)", wire_text(meta->name),
                        wire_text(meta->name_space), wire_text(meta->uid));
}

/* labels */

static void add_pod_labels(const struct translation *translation, struct string_map *labels)
{
    const struct object_meta *meta = &translation->pod->object.metadata;

    pairs_add(translation->arena, labels, PREFIX "pod.name", wire_text(meta->name));
    pairs_add(translation->arena, labels, PREFIX "pod.namespace", wire_text(meta->name_space));
    pairs_add(translation->arena, labels, PREFIX "pod.uid", wire_text(meta->uid));
}

struct string_map translate_sandbox_labels(const struct translation *translation)
{
    static const char *const ours[] = {PREFIX "pod.name", PREFIX "pod.namespace", PREFIX "pod.uid",
                                       NULL};
    const struct string_map *own = &translation->pod->object.metadata.labels;
    struct string_map labels = {
        .items = arena_array(translation->arena, struct string_pair, own->count),
    };

    array_for_each (label, *own)
        if (!str_one_of(label->name, ours))
            labels.items[labels.count++] = *label;
    add_pod_labels(translation, &labels);
    return labels;
}

struct string_map translate_container_labels(const struct translation *translation,
                                             const struct container *container)
{
    struct string_map labels = {0};

    add_pod_labels(translation, &labels);
    pairs_add(translation->arena, &labels, PREFIX "container.name", container->name);
    return labels;
}

/* annotations */

struct annotations {
    struct arena *arena;
    struct string_map map;
};

static void add(struct annotations *annotations, const char *name, const char *value)
{
    pairs_add(annotations->arena, &annotations->map, name, value);
}

static void add_number(struct annotations *annotations, const char *name, int64_t number)
{
    add(annotations, name, arena_printf(annotations->arena, "%lld", (long long)number));
}

static void add_opt_number(struct annotations *annotations, const char *name,
                           const struct opt_int64 *number)
{
    if (number->set)
        add_number(annotations, name, number->value);
}

static void add_pre_stop(struct annotations *annotations, const struct container *container)
{
    struct strbuf text = STRBUF_INIT;
    struct json_writer writer;

    if (!container->lifecycle || !container->lifecycle->pre_stop)
        return;
    json_writer_init(&writer, &text, false);
    schema_encode(&handler_schema, container->lifecycle->pre_stop, &writer);
    json_writer_deinit(&writer);
    add(annotations, PREFIX "container.preStopHandler",
        arena_strndup(annotations->arena, text.text, text.length));
    strbuf_deinit(&text);
}

static void add_ports(struct annotations *annotations, const struct container *container)
{
    struct strbuf text = STRBUF_INIT;
    struct json_writer writer;

    if (!container->ports.count)
        return;
    json_writer_init(&writer, &text, false);
    json_write_array(&writer);
    array_for_each (port, container->ports)
        schema_encode(&container_port_schema, port, &writer);
    json_write_array_end(&writer);
    json_writer_deinit(&writer);
    add(annotations, PREFIX "container.ports",
        arena_strndup(annotations->arena, text.text, text.length));
    strbuf_deinit(&text);
}

struct string_map translate_container_annotations(const struct translation *translation,
                                                  const struct container_order *order)
{
    const struct container *container = order->container;
    const struct pod *pod = translation->pod;
    struct annotations annotations = {.arena = translation->arena};
    char hash[POD_HASH_TEXT_MAX];

    add(&annotations, PREFIX "container.hash",
        arena_strdup(translation->arena, pod_container_hash(container, hash)));
    add_number(&annotations, PREFIX "container.restartCount", order->attempt);
    add(&annotations, PREFIX "container.terminationMessagePath",
        wire_text(container->termination_message_path));
    add(&annotations, PREFIX "container.terminationMessagePolicy",
        wire_text(container->termination_message_policy));
    add_opt_number(&annotations, PREFIX "pod.deletionGracePeriod",
                   &pod->object.metadata.deletion_grace_period_seconds);
    add_opt_number(&annotations, PREFIX "pod.terminationGracePeriod",
                   &pod->spec.termination_grace_period_seconds);
    add_pre_stop(&annotations, container);
    add_ports(&annotations, container);
    return annotations.map;
}
